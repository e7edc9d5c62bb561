"""The outbox: what of ours is to leave, whole and signed, until it has come back from the network.

Own items and whispers are nowhere else on their way: they are not announced, answered for or reconciled before they
arrive like anybody's. Each leaves in an onion when the own clock ticks; one that has not come back after a while leaves
in another onion over other relays, a few times at the most, since each further route is another chance for a chain of
spies. Relay keys go before secrets: without them nobody can post.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from .items import Item, ItemId
from .letters import Whisper
from .pace import RETRIES_MAX

__all__ = ["Outbox", "Waiting"]


@dataclass(slots=True)
class Waiting:
    """One item or whisper of ours."""

    item: Item | Whisper
    sent_count: int = 0
    """Times that it has left."""
    sent_at: float | None = None
    """Seconds since 1970; None if it has not left yet."""
    used: set[bytes] = field(default_factory=set)
    """Relay keys that it has left over, in vain as far as is known."""

    @property
    def given_up(self) -> bool:
        """Whether it has left as often as it may."""
        return self.item.relay_key is None and self.sent_count > RETRIES_MAX

    def has_failed(self, now: float, retry_s: float) -> bool:
        """Whether it has left for the last time, and too long ago to come back."""
        return self.given_up and self.sent_at is not None and self.sent_at + retry_s <= now

    def is_due(self, now: float, retry_s: float) -> bool:
        """Whether it has not left yet, or did so too long ago to come back, and may once more."""
        return (self.sent_at is None or self.sent_at + retry_s <= now) and not self.given_up


class Outbox:
    """Items of ours in the order in which they leave. Bounded by our quotas and by the driver's rows."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[ItemId, Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._waiting

    def __getitem__(self, item_id: ItemId) -> Waiting:
        return self._waiting[item_id]

    def get(self, item_id: ItemId) -> Waiting | None:
        return self._waiting.get(item_id)

    def items(self) -> list[Item | Whisper]:
        return [waiting.item for waiting in self._waiting.values()]

    def put(self, item: Item | Whisper, now: float, *, sent_count: int = 0) -> None:
        """Takes an item. One that left before a restart waits as though it had left just now."""
        self._waiting[item.item_id] = Waiting(item, sent_count, now if sent_count else None)
        if item.relay_key is not None:
            self._waiting.move_to_end(item.item_id, last=False)

    def remove(self, item_id: ItemId) -> None:
        """It has come back, or is too old; others' items are passed over."""
        self._waiting.pop(item_id, None)

    def due_count(self, now: float, retry_s: float) -> int:
        """How much is to leave before what is written now."""
        return sum(waiting.is_due(now, retry_s) for waiting in self._waiting.values())

    def take(self, now: float, retry_s: float, *, secrets: bool) -> Waiting | None:
        """The item whose turn it is: it counts as leaving now. Without ``secrets`` only the mesh's own records."""
        for waiting in self._waiting.values():
            if waiting.item.relay_key is None and not secrets:
                continue
            if waiting.is_due(now, retry_s):
                waiting.sent_count += 1
                waiting.sent_at = now
                return waiting
        return None
