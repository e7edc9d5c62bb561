"""Whispering: what this node's person and the authors of secrets, or those who answer its own, tell each other alone.

Shows the conversations that the engine has, with what becomes of one's own letters on their way, and gives it what is
to be whispered. Everything is a plain dictionary, the same for the command line and the page. Not a judge of who may
whisper: the engine's gate is.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..gossip.conversations import Conversation
from ..gossip.engine import Engine
from ..gossip.errors import LocalError
from ..gossip.items import ItemId
from ..gossip.letters import Letter
from .api.mixing import describe_queued, describe_waiting
from .clock import Clock
from .driver import Driver
from .preferences import Preferences
from .reading import PREFIX_MIN, Unknown, only

__all__ = ["Whisperer"]


class Whisperer:
    """What one person whispers and is told."""

    def __init__(self, driver: Driver, preferences: Preferences, clock: Clock) -> None:
        self._driver = driver
        self._engine = driver.engine
        self._preferences = preferences
        self._clock = clock

    def conversations(self, *, whole: bool = False) -> dict[str, Any]:
        """All of them, the one with the newest letter first; if ``whole`` with the texts that are filtered."""
        described = [self.describe(each, whole=whole) for each in self._engine.whispers.conversations]
        return {"conversations": described, "unread": sum(each["unread"] for each in described)}

    def describe(self, conversation: Conversation, *, whole: bool = False) -> dict[str, Any]:
        """One conversation, with its letters in the order in which they were written here or came.

        What somebody does not want to see does not count as unread, so that it calls nobody.
        """
        letters = [self._letter(letter, whole=whole) for letter in conversation.letters.values()]
        item = self._engine.store.get(conversation.about)
        body = item.secret if item is not None else None
        return {
            "id": conversation.conversation_id.hex(),
            "secret": {
                "id": conversation.about.hex(),
                "text": body.text if body is not None else None,
                "style": body.style if body is not None else None,
            },
            "mine": conversation.is_author,
            "may_answer": body is not None,
            "unread": sum(not letter["read"] and not letter["filtered"] for letter in letters),
            "closed": conversation.is_author and self._engine.whispers.is_closed(conversation.about),
            "letters": letters,
        }

    def _letter(self, letter: Letter, *, whole: bool) -> dict[str, Any]:
        is_filtered = not letter.is_own and self._preferences.is_filtered(letter.text)
        when = datetime.fromtimestamp(self._engine.genesis.start_of(letter.epoch), UTC)
        row = self._engine.author.row(letter.letter_id)
        if row is not None:
            waiting = describe_waiting(self._engine, row, self._clock.now())
            state, sentence = waiting["state"], waiting["sentence"]
        else:
            state, sentence = ("sent" if letter.is_own else "received"), None
        return {
            "id": letter.letter_id.hex(),
            "text": "" if is_filtered and not whole else letter.text,
            "filtered": is_filtered,
            "epoch": letter.epoch,
            "about": when.isoformat(timespec="seconds"),
            "mine": letter.is_own,
            "read": letter.is_read,
            "state": state,
            "sentence": sentence,
        }

    async def whisper(self, item_id: ItemId, text: str) -> dict[str, Any]:
        """Whispers to the author of a secret. Raises ``PostRefused``, ``LocalError``."""
        item = self._engine.store.get(item_id)
        if item is not None and item.secret is None:
            raise LocalError("This is a reply: only the author of a secret can be whispered to.")
        return await self._write(lambda engine, now: engine.whisper(item_id, text, now))

    async def answer(self, conversation_id: bytes, text: str) -> dict[str, Any]:
        """Whispers in a conversation that there is. Raises as ``whisper``."""
        return await self._write(lambda engine, now: engine.answer(conversation_id, text, now))

    async def _write(self, write: Callable[[Engine, float], ItemId]) -> dict[str, Any]:
        letter_id = await self._driver.give(write)
        letter = self._engine.whispers.letter(letter_id)
        return {
            "id": letter_id.hex(),
            "conversation": letter.conversation_id.hex() if letter is not None else None,
            "trial": bool(self._engine.genesis.parameters.trial),
            **describe_queued(self._engine, self._clock.now()),
        }

    async def read(self, conversation_id: bytes) -> dict[str, Any]:
        """Everything in it was read."""
        self._engine.read_whispers(conversation_id, self._clock.now())
        await self._driver.settled()
        return {}

    async def forget(self, conversation_id: bytes) -> dict[str, Any]:
        """Erases a conversation, here; the other still has it, and begins it anew by writing to one's secret."""
        self._engine.forget_whispers(conversation_id, self._clock.now())
        await self._driver.settled()
        return {"forgotten": conversation_id.hex()}

    async def end(self, conversation_id: bytes) -> dict[str, Any]:
        """Erases a conversation, and drops unseen what the other still whispers in it."""
        self._engine.end_whispers(conversation_id, self._clock.now())
        await self._driver.settled()
        return {"ended": conversation_id.hex()}

    async def close(self, item_id: ItemId, *, on: bool) -> dict[str, Any]:
        """Whether nobody may begin to whisper about a secret of one's own. Raises ``LocalError``."""
        set_closed = self._engine.close_whispers if on else self._engine.reopen_whispers
        set_closed(item_id, self._clock.now())
        await self._driver.settled()
        return {"closed": self._engine.whispers.is_closed(item_id)}

    def find(self, text: str) -> bytes:
        """The id of a conversation by its first hexadecimal digits, six at the least. Raises ``Unknown``."""
        if len(text) < PREFIX_MIN:
            raise Unknown(f"'{text}' is too short: give {PREFIX_MIN} digits of an id at the least.")
        ids = (each.conversation_id for each in self._engine.whispers.conversations)
        return only(text, ids, "There is no such conversation here any more.")
