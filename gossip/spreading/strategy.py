"""The interface of a spreading strategy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..events import LinkId
from ..items import ItemId
from ..quota import RandomSource

__all__ = ["Announcement", "Strategy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A step: tell this link that we have the item."""

    link: LinkId
    delay_s: float
    """Seconds from now, at least 0."""


class Strategy(Protocol):
    """Decides how an item spreads from this node."""

    name: ClassVar[str]

    def spread(
        self, item_id: ItemId, source: LinkId | None, links: Sequence[LinkId], random: RandomSource
    ) -> list[Announcement]:
        """The steps for an item that this node has just accepted.

        Args:
            item_id: the item.
            source: the link that it came over, or None if this node made it.
            links: every link that is open now.
            random: for delays and choices.
        """
        ...
