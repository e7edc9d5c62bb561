"""Flooding: tell everybody at once.

The fastest rule and the least private: who speaks first is most likely the author. It is the baseline that other
strategies are measured against, and what carries packets whose source says nothing.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from ..events import LinkId
from ..items import ItemId
from ..quota import RandomSource
from .strategy import Announcement

__all__ = ["Flood"]

#: Items accepted together are announced together: a batch of 64 takes about this long to verify.
GATHERING_S: Final = 0.05


class Flood:
    """Announces to every friend but the one that it came from."""

    name: ClassVar[str] = "flood"

    def spread(
        self,
        item_id: ItemId,  # noqa: ARG002
        source: LinkId | None,
        links: Sequence[LinkId],
        random: RandomSource,  # noqa: ARG002
    ) -> list[Announcement]:
        return [Announcement(link=link, delay_s=GATHERING_S) for link in links if link != source]
