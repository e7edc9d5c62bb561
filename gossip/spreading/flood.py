"""Flooding: tell everybody at once.

The fastest rule and the least private: who speaks first is most likely the author. It is the baseline that other
strategies are measured against, and what carries packets whose source says nothing.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from ..events import LinkId
from ..items import ItemId
from ..quota import RandomSource
from .strategy import Announce, Neighbour, Step

__all__ = ["Flood"]

#: Items accepted together are announced together: a batch of 64 takes about this long to verify.
GATHERING_S: Final = 0.05


class Flood:
    """Announces to every friend but the one that it came from."""

    name: ClassVar[str] = "flood"

    def accepted(
        self,
        item_id: ItemId,  # noqa: ARG002
        source: LinkId | None,
        neighbours: Sequence[Neighbour],
        random: RandomSource,  # noqa: ARG002
        now: float,  # noqa: ARG002
    ) -> Sequence[Step]:
        links = tuple(neighbour.link for neighbour in neighbours if neighbour.link != source)
        return [Announce(links=links, delay_s=GATHERING_S)] if links else []

    def woken(
        self,
        item_id: ItemId,  # noqa: ARG002
        neighbours: Sequence[Neighbour],  # noqa: ARG002
        random: RandomSource,  # noqa: ARG002
        now: float,  # noqa: ARG002
    ) -> Sequence[Step]:
        return []
