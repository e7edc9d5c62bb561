"""The two queues between a friend's connection and the node: what waits to be sent, and what waits to be
handled.

`SendQueue` is one friend's: it never makes the caller wait. When it is full the oldest payload goes, and is
counted; gossip recovers from that by reconciliation, while a node that waited for one slow friend would
tell the others by its timing (a side channel by back-pressure).

`FairInbox` is all friends' together, a lane each. A lane that is full makes its own friend wait, through
the transport down to the remote, and nobody else; the lanes are emptied in turn, one event at a time.
"""

from collections import deque
from typing import Generic, TypeVar

import trio

#: A friend that reads slowly misses at most this much: two minutes of a busy mesh, 256 packets.
SEND_QUEUE_SIZE_MAX = 1024 * 1024
#: Small frames cost memory of their own, about 100 bytes each.
SEND_QUEUE_COUNT_MAX = 1024
#: What one friend may have waiting here before it has to wait itself, besides the megabyte inside the
#: connection.
LANE_SIZE_MAX = 1024 * 1024
LANE_COUNT_MAX = 256

Item = TypeVar("Item")


class SendQueue:
    """Payloads for one friend, oldest out first when full."""

    def __init__(self, *, size_max: int = SEND_QUEUE_SIZE_MAX, count_max: int = SEND_QUEUE_COUNT_MAX) -> None:
        self._size_max = size_max
        self._count_max = count_max
        self._payloads: deque[bytes] = deque()
        self.size = 0
        """Bytes that wait."""
        self.dropped_count = 0
        """Payloads dropped because the queue was full, ever."""

    def __len__(self) -> int:
        return len(self._payloads)

    def put(self, payload: bytes) -> None:
        """Appends a payload and drops the oldest ones for which there is no room any more."""
        self._payloads.append(payload)
        self.size += len(payload)
        while self.size > self._size_max or len(self._payloads) > self._count_max:
            self.size -= len(self._payloads.popleft())
            self.dropped_count += 1

    def pop(self) -> bytes | None:
        """Removes and returns the oldest payload, or None."""
        if not self._payloads:
            return None
        payload = self._payloads.popleft()
        self.size -= len(payload)
        return payload

    def clear(self) -> None:
        """Forgets all payloads, uncounted: their connection is over."""
        self._payloads.clear()
        self.size = 0


class Lane(Generic[Item]):
    """One friend's part of a `FairInbox`."""

    def __init__(self, inbox: "FairInbox[Item]", *, size_max: int, count_max: int) -> None:
        self._inbox = inbox
        self._size_max = size_max
        self._count_max = count_max
        self._items: deque[tuple[Item, int]] = deque()
        self._size = 0
        self._closed = False
        self._room = trio.Event()

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: Item, size: int = 0) -> None:
        """Appends an item of that many bytes once there is room. Cancelled, it has appended nothing."""
        await trio.lowlevel.checkpoint()
        while not self._closed and self._items and self._is_full(size):
            self._room = trio.Event()
            await self._room.wait()
        self.put_now(item, size)

    def _is_full(self, size: int) -> bool:
        return len(self._items) >= self._count_max or self._size + size > self._size_max

    def put_now(self, item: Item, size: int = 0) -> None:
        """Appends an item whether there is room or not; does nothing when closed."""
        if not self._closed:
            self._items.append((item, size))
            self._size += size
            self._inbox.arrived(self)

    def take(self) -> Item:
        """Removes and returns the oldest item."""
        item, size = self._items.popleft()
        self._size -= size
        self._room.set()
        return item

    def close(self, *last_words: Item) -> None:
        """Forgets what waits, appends the last words, and ignores everything from now on."""
        self._items.clear()
        self._size = 0
        for item in last_words:
            self.put_now(item)
        self._closed = True
        self._room.set()


class FairInbox(Generic[Item]):
    """Lanes that are emptied in turn."""

    def __init__(self) -> None:
        self._ready: dict[Lane[Item], None] = {}  # In the order of their turns.
        self._waiting = trio.lowlevel.ParkingLot()

    def open_lane(self, *, size_max: int = LANE_SIZE_MAX, count_max: int = LANE_COUNT_MAX) -> Lane[Item]:
        """Returns a new lane."""
        return Lane(self, size_max=size_max, count_max=count_max)

    def arrived(self, lane: Lane[Item]) -> None:
        """A lane has something: it gets its turn after those that wait already."""
        self._ready.setdefault(lane)
        self._waiting.unpark_all()

    async def get(self) -> Item:
        """Waits for the next item of the next lane. Cancelled, it has taken nothing."""
        await trio.lowlevel.checkpoint()
        while True:
            while self._ready:
                lane = next(iter(self._ready))
                del self._ready[lane]
                if lane:
                    item = lane.take()
                    if lane:
                        self._ready[lane] = None
                    return item
            await self._waiting.park()
