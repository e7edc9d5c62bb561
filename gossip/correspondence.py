"""Correspondence: how whispers leave this node and come to it.

Joins ``whispers``, which has the conversations, with the outbox, in which a letter of ours waits for a tick of the own
clock like a secret, and with the store, which has the secrets that one may answer. A letter of ours has left for good
once its innermost onion is seen in the flood; nobody but its sender knows it by then. Nothing here sends anything.
Specified in docs/protocol.md, section 22.
"""

from collections.abc import Callable, Iterable

from .authoring import Author
from .errors import LocalError
from .events import Event, LettersForgotten, OutboxAdded
from .items import ItemId
from .letters import Letter, SealedLetter, Whisper
from .mixing import Mixing
from .randomness import RandomSource
from .store import ItemStore
from .suite import Suite
from .whispers import Whispers

__all__ = ["Correspondence"]


class Correspondence:
    """The whispers of one member."""

    def __init__(
        self,
        suite: Suite,
        store: ItemStore,
        author: Author,
        mixing: Mixing,
        random: RandomSource,
        note: Callable[[Iterable[Event]], None],
    ) -> None:
        """``note`` takes what is to be made durable."""
        self._store = store
        self._author = author
        self._mixing = mixing
        self._random = random
        self._note = note
        self.whispers = Whispers(suite)

    def restore(self, letters: Iterable[Letter], rows: Iterable[OutboxAdded], now: float) -> None:
        """Takes back what earlier events said, once ``whispers`` has been told to listen."""
        self._note(self.whispers.restore(letters))
        for row in rows:
            self._wait(row, now)

    def _wait(self, row: OutboxAdded, now: float) -> None:
        if isinstance(row.body, SealedLetter):
            whisper = Whisper(item_id=row.item_id, epoch=row.epoch, letter=row.body)
            self._mixing.outbox.put(whisper, now, sent_count=row.sent_count)

    def whisper(self, about: ItemId, text: str, epoch: int, now: float) -> ItemId:
        """A letter to the author of a secret. Raises ``LocalError``."""
        item = self._store.get(about)
        if item is None or item.secret is None:
            raise LocalError("There is no such secret here any more.")
        return self._write(
            self.whispers.whisper(about, item.secret.reply_key, text, epoch, self._random), now
        )

    def answer(self, conversation_id: bytes, text: str, epoch: int, now: float) -> ItemId:
        """One more letter in a conversation. Raises ``LocalError``."""
        conversation = self.whispers.conversation(conversation_id)
        if conversation is None:
            raise LocalError("There is no such conversation here any more.")
        if conversation.about not in self._store:
            raise LocalError("The secret is gone, and with it the key that would open what you whisper.")
        return self._write(self.whispers.answer(conversation, text, epoch, self._random), now)

    def _write(self, written: tuple[OutboxAdded, list[Event]], now: float) -> ItemId:
        row, events = written
        self._forgotten(events)
        self._author.restore(row)
        self._wait(row, now)
        self._note([row])
        return row.item_id

    def came(self, payload: bytes, epoch: int) -> None:
        """An onion has become open here that no relay key opens."""
        self._forgotten(self.whispers.came(payload, epoch))

    def seen(self, payload: bytes) -> None:
        """An onion has become open here: perhaps it is the innermost one of a letter of ours."""
        letter_id = self._mixing.whisper_seen(payload)
        if letter_id is not None:
            self._note(self._author.drop(letter_id))

    def withdrawn(self, letter_id: ItemId) -> None:
        """A letter of ours does not leave."""
        self._forgotten(self.whispers.withdraw(letter_id))

    def unlinked(self, item_ids: Iterable[ItemId]) -> None:
        """Secrets of ours are not linked to us any more, or were never published."""
        self._forgotten(self.whispers.unlinked(item_ids))

    def forget(self, conversation_id: bytes) -> None:
        """Erases a conversation, with what waits to leave."""
        self._forgotten(self.whispers.forget(conversation_id))

    def end(self, conversation_id: bytes) -> None:
        """Erases a conversation, and listens to the other no more."""
        self._forgotten(self.whispers.end(conversation_id))

    def close(self, about: ItemId) -> None:
        """Listens to nobody who begins to whisper about this secret of ours. Raises ``LocalError``."""
        self._forgotten(self.whispers.close(about))

    def reopen(self, about: ItemId) -> None:
        """Listens to them again."""
        self._forgotten(self.whispers.reopen(about))

    def expire(self, floor: int) -> None:
        """Erases letters of epochs before ``floor``."""
        self._forgotten(self.whispers.expire(floor))

    def read(self, conversation_id: bytes) -> None:
        """A conversation was read."""
        self._note(self.whispers.read(conversation_id))

    def _forgotten(self, events: list[Event]) -> None:
        """Notes these events; letters that are forgotten do not wait to leave any more."""
        self._note(events)
        for event in events:
            if isinstance(event, LettersForgotten):
                for letter_id in event.letter_ids:
                    self._note(self._author.drop(letter_id))
