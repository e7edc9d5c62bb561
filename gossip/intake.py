"""Intake: items and packets that are whole and wait for a verifier.

One queue for each friend; they leave in batches over one ring, taking turns among the friends. What is here is
bounded by how much the engine asks of a friend at once. Items whose ring is not known yet wait in ``ringsearch``.
"""

import enum
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from ..crypto.membership import Ring
from .events import LinkId
from .items import Item, ItemId
from .packets import Packet

__all__ = ["BATCHES_IN_FLIGHT_MAX", "BATCH_MAX", "Arrival", "ArrivalKey", "Intake", "Way"]

ArrivalKey = tuple[ItemId, LinkId | None, bytes]

#: Larger batches save little: the ring's share of the cost is already one in 64.
BATCH_MAX: Final = 64
#: One for each core of a small machine, so that no verifier waits for the next batch.
BATCHES_IN_FLIGHT_MAX: Final = 2


class Way(enum.Enum):
    """How an arrival came to us, and so what becomes of it and who answers for it."""

    #: Asked for, or a packet that was: the friend who sent it answers for it.
    ASKED = 0
    #: A packet on its stem: the friend who handed it on answers for it.
    STEM = 1
    #: An item out of a packet: only its packet's injector has seen whether it holds, and nobody knows who that is.
    CARRIED = 2


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item or a packet, and the link it came over."""

    item: Item | Packet
    link: LinkId
    way: Way = Way.ASKED

    @property
    def key(self) -> ArrivalKey:
        """What is verified once at a time.

        Each friend's stem is apart, since where it goes depends on the friend. Each proof out of a packet is apart,
        since nobody answers for it: a wrong one must not stand in the way of the right one, nor of what was asked for.
        """
        link = self.link if self.way is Way.STEM else None
        return self.item.item_id, link, self.item.proof if self.way is Way.CARRIED else b""


class Intake:
    """Items that have arrived and are not yet accepted."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[LinkId, deque[tuple[Arrival, Ring]]] = OrderedDict()
        """What is to be verified, by link, in turns."""
        self._batches: dict[int, tuple[Ring, list[Arrival]]] = {}
        self._keys: set[ArrivalKey] = set()
        self._counts: dict[LinkId, int] = {}
        self._next_batch = 0

    def __contains__(self, key: ArrivalKey) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def count(self, link: LinkId) -> int:
        """Items of this friend that wait for a verifier or a verdict."""
        return self._counts.get(link, 0)

    def enqueue(self, arrival: Arrival, ring: Ring) -> None:
        """An item whose ring is known; it is verified in its turn."""
        self._keys.add(arrival.key)
        self._counts[arrival.link] = self.count(arrival.link) + 1
        self.waiting.setdefault(arrival.link, deque()).append((arrival, ring))

    def next_batch(self) -> tuple[int, Ring, list[Arrival]] | None:
        """Takes the next batch to verify, or None if there is none or enough are under way."""
        if not self.waiting or len(self._batches) >= BATCHES_IN_FLIGHT_MAX:
            return None
        batch: list[Arrival] = []
        ring = next(iter(self.waiting.values()))[0][1]
        for link in list(self.waiting):
            queue = self.waiting[link]
            while queue and queue[0][1].root == ring.root and len(batch) < BATCH_MAX:
                batch.append(queue.popleft()[0])
            if queue:
                self.waiting.move_to_end(link)
            else:
                del self.waiting[link]
            if len(batch) >= BATCH_MAX:
                break
        self._next_batch += 1
        self._batches[self._next_batch] = ring, batch
        return self._next_batch, ring, batch

    def finish(self, batch_id: int) -> tuple[Ring, list[Arrival]]:
        """A batch came back from the verifier."""
        ring, batch = self._batches.pop(batch_id)
        for arrival in batch:
            self._remove(arrival)
        return ring, batch

    def link_refused(self, link: LinkId) -> list[Arrival]:
        """Drops, and returns, what a friend that broke the protocol sent; it would be dear to look at."""
        dropped = [arrival for arrival, _ in self.waiting.pop(link, ())]
        for arrival in dropped:
            self._remove(arrival)
        return dropped

    def _remove(self, arrival: Arrival) -> None:
        self._keys.discard(arrival.key)
        self._counts[arrival.link] -= 1
        if not self._counts[arrival.link]:
            del self._counts[arrival.link]
