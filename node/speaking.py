"""Speaking: what this node's person says, takes back and lets go of.

Turns what was asked into drafts and gives them to the driver. What returns from here survives a crash; when it leaves
is up to the own clock, and the answers say so. Not a judge of who may speak: the engine's gate is.
"""

from typing import Any

from ..crypto.membership import Purpose
from ..gossip.board import Board
from ..gossip.bodies import Kind, MarkBody, PollBody, ReplyBody, RetractionBody, SecretBody
from ..gossip.drafts import AnyDraft, Draft, MarkDraft, ReplyDraft, RetractionDraft
from ..gossip.errors import LocalError
from ..gossip.events import OutboxAdded
from ..gossip.items import ItemId
from ..gossip.letters import SealedLetter
from .api.answers import describe_face
from .api.mixing import describe_queued, describe_waiting
from .clock import Clock
from .driver import Driver
from .reading import Reader, Unknown, only

__all__ = ["Speaker", "TooLate"]


class TooLate(LocalError):
    """It has left already, and may be retracted; or there is nothing like that in your outbox."""


class Speaker:
    """What one person says."""

    def __init__(self, driver: Driver, reader: Reader, clock: Clock) -> None:
        self._driver = driver
        self._reader = reader
        self._clock = clock

    async def post(self, text: str, style: int, choices: tuple[str, ...] = ()) -> dict[str, Any]:
        """Publishes a secret, or a poll if there are choices. Raises ``PostRefused``, ``LocalError``."""
        return await self._publish(Draft(text=text, style=style, choices=choices))

    async def reply(self, item_id: ItemId, text: str) -> dict[str, Any]:
        """Answers in the thread of a secret or of another reply. Raises as ``post``, and ``Unknown``."""
        body = self._reader.get(item_id).body
        assert isinstance(body, SecretBody | ReplyBody)
        queued = await self._publish(ReplyDraft(thread_nonce=body.thread_nonce, text=text))
        return {**queued, "face": self.face(item_id)}

    def face(self, item_id: ItemId) -> dict[str, Any]:
        """What has been said under one's face in a thread, and what one more costs. Raises ``Unknown``."""
        return describe_face(self._driver.engine, self._reader.said(item_id), self._clock.now())

    async def mark(self, kind: Kind, item_id: ItemId, *, on: bool) -> dict[str, Any]:
        """Gives a heart or a flag, or takes it back; one that has not left yet just stays here.

        Does nothing if it is so already. Raises as ``post``, and ``Unknown``.
        """
        item = self._reader.get(item_id)
        own = self._driver.engine.own_mark(kind, item_id)
        if (own is not None and own.is_set) == on:
            return self._reader.tally(item)
        waiting = self._waiting_mark(kind, item_id)
        if waiting is None or not await self._withdrawn(waiting.item_id):
            await self._publish(MarkDraft(kind=kind, target=item_id))
        return self._reader.tally(item)

    async def vote(self, item_id: ItemId, choice: int) -> dict[str, Any]:
        """Votes in a poll, or changes the vote. Raises as ``post``, and ``Unknown`` or ``LocalError``."""
        item = self._reader.get(item_id)
        if item.poll is None:
            raise LocalError("That is no poll.")
        if not 0 <= choice < len(item.poll.choices):
            raise LocalError(f"There is no such choice; this poll has {len(item.poll.choices)}.")
        own = self._driver.engine.own_mark(Kind.VOTE, item_id)
        if getattr(own, "choice", None) != choice:
            waiting = self._waiting_mark(Kind.VOTE, item_id)
            if waiting is not None:
                await self._withdrawn(waiting.item_id)
            own = self._driver.engine.own_mark(Kind.VOTE, item_id)
            if getattr(own, "choice", None) != choice:
                await self._publish(MarkDraft(kind=Kind.VOTE, target=item_id, choice=choice))
        return self._reader.card(item)

    async def retract(self, item_id: ItemId) -> dict[str, Any]:
        """Takes back a secret or a reply of ours that is still linked, or that is on its way. Raises as ``post``."""
        engine = self._driver.engine
        kept = engine.author.seeds.get(item_id) or engine.author.row(item_id)
        if kept is None or not kept.seed:
            raise LocalError("Only what is yours and still linked to you can be taken back.")
        if isinstance(kept, OutboxAdded) and not self._has_left(kept):
            raise LocalError("It has not left yet: withdraw it from your outbox, and nobody ever sees it.")
        answer = await self._publish(RetractionDraft(seed=kept.seed))
        if isinstance(kept, OutboxAdded):
            # Nobody keeps it who has the retraction, so it need not leave again.
            engine.give_up(item_id, self._clock.now())
            await self._driver.settled()
        return answer

    async def unlink(self, item_id: ItemId | None) -> dict[str, Any]:
        """Forgets what would show that we wrote this, or anything; what waits goes on its way all the same."""
        engine = self._driver.engine
        linked = engine.author.linked
        ids = linked if item_id is None else [each for each in linked if each == item_id]
        count = len(ids)
        engine.unlink(ids, self._clock.now())
        await self._driver.settled()
        return {"unlinked": count}

    async def withdraw(self, item_id: ItemId) -> dict[str, Any]:
        """Takes something out of the outbox that has not left yet, or is given up. Raises ``TooLate``."""
        if not await self._withdrawn(item_id):
            raise TooLate(str(TooLate.__doc__))
        return {"withdrawn": item_id.hex()}

    def find_waiting(self, text: str) -> ItemId:
        """The id of something in the outbox by its first digits. Raises ``Unknown``."""
        waiting = (row.item_id for row in self._driver.engine.author.outbox)
        return ItemId(only(text, waiting if text else (), str(TooLate.__doc__)))

    def find_own(self, text: str) -> ItemId:
        """As ``Reader.find``; also what has not come back from the network yet. Raises ``Unknown``."""
        try:
            return self._reader.find(text)
        except Unknown as unknown:
            try:
                return self.find_waiting(text)
            except Unknown:
                raise unknown from None

    def outbox(self) -> dict[str, Any]:
        """What waits, the oldest first, with what it says: for this person alone."""
        engine, now = self._driver.engine, self._clock.now()
        return {
            "waiting": [
                {
                    "id": row.item_id.hex(),
                    **(self._whispered(row) or _described(row, engine.board)),
                    **describe_waiting(engine, row, now),
                    "withdrawable": engine.may_withdraw(row.item_id, now),
                }
                for row in engine.author.outbox
            ]
        }

    async def _publish(self, draft: AnyDraft) -> dict[str, Any]:
        engine = self._driver.engine
        gate = engine.gate(self._clock.now(), Purpose.POST)
        item_id = await self._driver.publish(draft)
        return {
            "id": item_id.hex(),
            "ring_size": gate.ring_size,
            "trial": bool(engine.genesis.parameters.trial),
            **describe_queued(engine, self._clock.now()),
        }

    def _whispered(self, row: OutboxAdded) -> dict[str, Any] | None:
        letter = self._driver.engine.whispers.letter(row.item_id)
        if letter is None:
            return {"kind": "whisper"} if isinstance(row.body, SealedLetter) else None
        return {"kind": "whisper", "conversation": letter.conversation_id.hex(), "text": letter.text}

    def _waiting_mark(self, kind: Kind, target: ItemId) -> OutboxAdded | None:
        for row in self._driver.engine.author.outbox:
            if isinstance(row.body, MarkBody) and row.body.kind is kind and row.body.target == target:
                return row
        return None

    async def _withdrawn(self, item_id: ItemId) -> bool:
        in_time = self._driver.engine.withdraw(item_id, self._clock.now())
        await self._driver.settled()
        return in_time

    def _has_left(self, row: OutboxAdded) -> bool:
        outbox = self._driver.engine.mixing.outbox
        return bool(row.sent_count or (row.item_id in outbox and outbox[row.item_id].sent_count))


def _described(row: OutboxAdded, board: Board) -> dict[str, Any]:
    body = row.body
    match body:
        case PollBody(text=text, choices=choices):
            return {"kind": "poll", "text": text, "choices": list(choices)}
        case SecretBody(text=text):
            return {"kind": "secret", "text": text}
        case ReplyBody(text=text):
            starter = board.starter(body.thread_nonce)
            return {"kind": "reply", "text": text, "secret": starter.hex() if starter is not None else None}
        case MarkBody(target=target):
            return {"kind": body.kind.name.lower(), "target": target.hex(), "on": body.is_set}
        case RetractionBody():
            return {"kind": "retraction"}
    raise AssertionError(body)
