"""Wants: which items we are after, and whom we ask for them.

A friend announces ids; each id is asked for from one friend at a time, the first that announced it, and from the
next one if no answer comes in time or the link goes. How much is asked of a friend at once is bounded, so that a
long catch-up is paced by what arrives and no queue on the way overflows.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from .events import LinkId
from .frames import WANT_IDS_MAX
from .items import ItemId

__all__ = ["ASK_TIMEOUT_S", "ITEMS_IN_FLIGHT_MAX", "WANTED_MAX", "Wants"]

#: A friend that is alive answers within seconds; one that is busy with a catch-up within this.
ASK_TIMEOUT_S: Final = 20.0
#: Items asked of one friend and not yet verified: 600 kB at the most, and enough to keep two verifiers in batches.
ITEMS_IN_FLIGHT_MAX: Final = 2 * WANT_IDS_MAX
#: Ids waiting over all friends: 10 MB of bookkeeping. What does not fit is found by the next reconciliation.
WANTED_MAX: Final = 40_000


@dataclass(slots=True)
class _Wanted:
    announcers: list[LinkId]
    asked: LinkId | None = None
    deadline: float = 0.0


@dataclass(slots=True)
class _Peer:
    queue: deque[ItemId] = field(default_factory=deque)
    asked: dict[ItemId, float] = field(default_factory=dict)
    """Ids in flight and their deadlines, in the order in which they were asked."""


class Wants:
    """The ids that are wanted, over all links."""

    def __init__(self) -> None:
        self._wanted: dict[ItemId, _Wanted] = {}
        self._peers: dict[LinkId, _Peer] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, item_id: ItemId) -> bool:
        return item_id in self._wanted

    def link_opened(self, link: LinkId) -> None:
        self._peers[link] = _Peer()

    def link_closed(self, link: LinkId) -> None:
        peer = self._peers.pop(link)
        for item_id in [*peer.asked, *peer.queue]:
            self._withdraw(item_id, link)

    def announced(self, link: LinkId, item_ids: list[ItemId]) -> None:
        """A friend has these, and we do not."""
        peer = self._peers[link]
        for item_id in item_ids:
            wanted = self._wanted.get(item_id)
            if wanted is None:
                if len(self._wanted) >= WANTED_MAX:
                    return
                wanted = self._wanted[item_id] = _Wanted([])
            if link not in wanted.announcers:
                wanted.announcers.append(link)
                peer.queue.append(item_id)

    def arrived(self, link: LinkId, item_id: ItemId) -> bool:
        """An item came; returns whether it had been asked of this friend."""
        if item_id not in self._peers[link].asked:
            return False
        self._forget(item_id)
        return True

    def in_flight_count(self, link: LinkId) -> int:
        return len(self._peers[link].asked)

    def requests(self, link: LinkId, room: int, now: float) -> list[ItemId]:
        """The ids to ask this friend for now, at most ``room``; they count as asked from here on."""
        peer = self._peers[link]
        asking: list[ItemId] = []
        while peer.queue and len(asking) < min(room, WANT_IDS_MAX):
            item_id = peer.queue.popleft()
            wanted = self._wanted.get(item_id)
            if wanted is None or wanted.asked is not None:
                continue
            wanted.asked = link
            wanted.deadline = peer.asked[item_id] = now + ASK_TIMEOUT_S
            asking.append(item_id)
        return asking

    def timer(self) -> float | None:
        """When the earliest unanswered question runs out."""
        return min(
            (next(iter(peer.asked.values())) for peer in self._peers.values() if peer.asked), default=None
        )

    def handle_timer(self, now: float) -> None:
        """Gives up on friends that did not answer; others that announced the same are asked next."""
        for link, peer in self._peers.items():
            late = [item_id for item_id, deadline in peer.asked.items() if deadline <= now]
            for item_id in late:
                self._withdraw(item_id, link)

    def _withdraw(self, item_id: ItemId, link: LinkId) -> None:
        wanted = self._wanted.get(item_id)
        if wanted is None:
            return
        if link in wanted.announcers:
            wanted.announcers.remove(link)
        if wanted.asked == link:
            wanted.asked = None
            if link in self._peers:
                self._peers[link].asked.pop(item_id, None)
        if wanted.asked is None:
            if not wanted.announcers:
                del self._wanted[item_id]
            else:
                self._peers[wanted.announcers[0]].queue.append(item_id)

    def _forget(self, item_id: ItemId) -> None:
        wanted = self._wanted.pop(item_id, None)
        if wanted is not None and wanted.asked is not None:
            self._peers[wanted.asked].asked.pop(item_id, None)
