"""Intake: what stands between an item's arrival and its acceptance.

Items whose ring is known wait for a verifier, in one queue for each friend, and leave in batches over one ring,
taking turns among the friends. Items whose ring is not known are parked until the ring or the missing records come.
Both are bounded, by friend and in all; what is dropped is found again by the next reconciliation.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from ..crypto.membership import Ring
from .events import LinkId
from .items import Item, ItemId

__all__ = ["BATCHES_IN_FLIGHT_MAX", "BATCH_MAX", "PARKED_MAX", "Arrival", "Intake"]

#: Larger batches save little: the ring's share of the cost is already one in 64.
BATCH_MAX: Final = 64
#: One for each core of a small machine, so that no verifier waits for the next batch.
BATCHES_IN_FLIGHT_MAX: Final = 2
#: Items waiting for a ring, over all friends: 2.5 MB. A friend has at most as many as may be in flight from it, since
#: nothing more is asked of it while they wait.
PARKED_MAX: Final = 1_024
#: After this nobody is going to send the ring any more.
PARKED_S_MAX: Final = 600.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item and the link it came over; the link answers for it."""

    item: Item
    link: LinkId


@dataclass(slots=True)
class _Parked:
    arrival: Arrival
    until: float


class Intake:
    """Items that have arrived and are not yet accepted."""

    def __init__(self) -> None:
        self._queues: OrderedDict[LinkId, deque[tuple[Arrival, Ring]]] = OrderedDict()
        self._batches: dict[int, list[Arrival]] = {}
        self._parked: OrderedDict[ItemId, _Parked] = OrderedDict()
        self._waiting: dict[ItemId, LinkId] = {}
        self._next_batch = 0

    def __contains__(self, item_id: ItemId) -> bool:
        return item_id in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def count(self, link: LinkId) -> int:
        """Items of this friend that wait for a ring, a verifier or a verdict."""
        return sum(waiting == link for waiting in self._waiting.values())

    def enqueue(self, arrival: Arrival, ring: Ring) -> None:
        """An item whose ring is known; it is verified in its turn."""
        self._waiting[arrival.item.item_id] = arrival.link
        self._queues.setdefault(arrival.link, deque()).append((arrival, ring))

    def next_batch(self) -> tuple[int, Ring, list[Arrival]] | None:
        """Takes the next batch to verify, or None if there is none or enough are under way."""
        if len(self._batches) >= BATCHES_IN_FLIGHT_MAX:
            return None
        batch: list[Arrival] = []
        ring: Ring | None = None
        for link in list(self._queues):
            queue = self._queues[link]
            ring = ring or (queue[0][1] if queue else None)
            while queue and ring is not None and queue[0][1].root == ring.root and len(batch) < BATCH_MAX:
                batch.append(queue.popleft()[0])
            if queue:
                self._queues.move_to_end(link)
            else:
                del self._queues[link]
            if len(batch) >= BATCH_MAX:
                break
        if ring is None:
            return None
        self._next_batch += 1
        self._batches[self._next_batch] = batch
        return self._next_batch, ring, batch

    def finish(self, batch_id: int) -> list[Arrival]:
        """A batch came back from the verifier."""
        batch = self._batches.pop(batch_id)
        for arrival in batch:
            self._waiting.pop(arrival.item.item_id, None)
        return batch

    def park(self, arrival: Arrival, now: float) -> None:
        """An item over a ring that is not known."""
        item_id = arrival.item.item_id
        if len(self._parked) >= PARKED_MAX:
            self._unpark(next(iter(self._parked)))
        self._parked[item_id] = _Parked(arrival, now + PARKED_S_MAX)
        self._waiting[item_id] = arrival.link

    def parked(self) -> list[Arrival]:
        return [parked.arrival for parked in self._parked.values()]

    def unpark(self, arrival: Arrival) -> None:
        self._unpark(arrival.item.item_id)

    def _unpark(self, item_id: ItemId) -> None:
        del self._parked[item_id]
        del self._waiting[item_id]

    def link_closed(self, link: LinkId) -> None:
        """Nobody is left to ask for the rings of what this friend sent; another may announce it again."""
        for arrival in self.parked():
            if arrival.link == link:
                self.unpark(arrival)

    def timer(self) -> float | None:
        return next(iter(self._parked.values())).until if self._parked else None

    def handle_timer(self, now: float) -> None:
        """Drops what has been parked for too long."""
        while self._parked and next(iter(self._parked.values())).until <= now:
            self._unpark(next(iter(self._parked)))
