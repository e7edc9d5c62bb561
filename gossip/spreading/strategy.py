"""The interface of a spreading strategy, and the steps that one may take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..events import FriendId, LinkId
from ..items import ItemId
from ..quota import RandomSource

__all__ = ["Announce", "Neighbour", "Step", "Strategy", "Wake"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A friend who is connected now."""

    link: LinkId
    friend: FriendId
    """Stays the same over all links of a friend, for choices that are to outlast a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tell these links that we have the item."""

    links: tuple[LinkId, ...]
    delay_s: float
    """Seconds from now, at least 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Ask the strategy again about this item."""

    delay_s: float
    """Seconds from now, more than 0."""


Step = Announce | Wake


class Strategy(Protocol):
    """Decides how items spread from one node. May remember what it likes; one instance serves one engine."""

    name: ClassVar[str]

    def accepted(
        self,
        item_id: ItemId,
        source: LinkId | None,
        neighbours: Sequence[Neighbour],
        random: RandomSource,
        now: float,
    ) -> Sequence[Step]:
        """The steps for an item that this node has just accepted.

        Args:
            item_id: the item.
            source: the link that it came over, or None if this node made it.
            neighbours: every friend that is connected now.
            random: for delays and choices.
            now: seconds since 1970.
        """
        ...

    def woken(
        self, item_id: ItemId, neighbours: Sequence[Neighbour], random: RandomSource, now: float
    ) -> Sequence[Step]:
        """The steps for an item after a ``Wake``; arguments as for ``accepted``."""
        ...
