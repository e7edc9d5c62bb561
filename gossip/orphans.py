"""Orphans: marks that came before what they are about, and wait for it.

Nobody has verified them, and no id covers their proofs and rings, so a garbled copy must not take the place of the
right one: each copy waits by itself, and one of each link counts as what that friend has to say. Bounded in all; the
friend with the most gives way first, so that nobody pushes out what others have brought. What links that are gone have
left behind counts as one friend's.
"""

from collections import OrderedDict
from typing import Final

from .events import LinkId
from .intake import Arrival, Way
from .items import ItemId

__all__ = ["ORPHANS_MAX", "Orphans"]

#: Marks that wait for what they are about: half a megabyte. What falls out is found again by a reconciliation.
ORPHANS_MAX: Final = 512
#: Stands for links that are gone. No link has this number.
_GONE: Final = LinkId(-1)

#: The target, and the copy: the mark's id, its proof and its ring root.
_Copy = tuple[ItemId, ItemId, bytes, bytes]


class Orphans:
    """The marks of all friends that wait."""

    def __init__(self) -> None:
        self._shares: dict[LinkId, OrderedDict[_Copy, Arrival]] = {}
        """By the link that each copy came over, the oldest first."""
        self._links: dict[ItemId, set[LinkId]] = {}
        """By target, whose shares have marks on it."""
        self._asked: dict[tuple[LinkId, ItemId], _Copy] = {}
        """What was asked of a friend and came, by the mark's id."""

    def __len__(self) -> int:
        return sum(map(len, self._shares.values()))

    def has(self, link: LinkId, mark_id: ItemId) -> bool:
        """Whether this friend was asked for a mark, and what it sent waits."""
        return (link, mark_id) in self._asked

    def put(self, arrival: Arrival, target: ItemId) -> None:
        """A mark on what is not here."""
        item = arrival.item
        copy: _Copy = target, item.item_id, item.proof, item.ring_root
        self._shares.setdefault(arrival.link, OrderedDict())[copy] = arrival
        self._links.setdefault(target, set()).add(arrival.link)
        if arrival.way is Way.ASKED:
            self._asked[arrival.link, item.item_id] = copy
        while len(self) > ORPHANS_MAX:
            greedy = max(self._shares, key=lambda link: len(self._shares[link]))
            self._remove(greedy, next(iter(self._shares[greedy])))

    def take(self, target: ItemId) -> list[Arrival]:
        """The marks on this wait no longer; of copies that are alike one is returned."""
        copies: dict[_Copy, Arrival] = {}
        for link in list(self._links.get(target, ())):
            for copy in [copy for copy in self._shares[link] if copy[0] == target]:
                copies.setdefault(copy, self._remove(link, copy))
        return list(copies.values())

    def link_closed(self, link: LinkId) -> None:
        """What this friend has brought waits on, among what others have left behind."""
        for copy, arrival in self._shares.pop(link, {}).items():
            self._asked.pop((link, copy[1]), None)
            self._shares.setdefault(_GONE, OrderedDict())[copy] = arrival
            self._links[copy[0]] = self._links[copy[0]] - {link} | {_GONE}

    def _remove(self, link: LinkId, copy: _Copy) -> Arrival:
        target, mark_id, _, _ = copy
        share = self._shares[link]
        arrival = share.pop(copy)
        if self._asked.get((link, mark_id)) == copy:
            del self._asked[link, mark_id]
        if not any(other[0] == target for other in share):
            self._links[target].discard(link)
            if not self._links[target]:
                del self._links[target]
        if not share:
            del self._shares[link]
        return arrival
