"""Spreading strategies: pure decisions on when an item goes to which friend.

A strategy sees an item's id, the link it came over and the links there are; it answers with steps. It holds no
items, sends nothing and knows no time but what it is given, so that the node and every simulator run the same one.
``REGISTRY`` names them all.
"""

from collections.abc import Callable, Mapping
from typing import Final

from .flood import Flood
from .strategy import Announcement, Strategy

__all__ = ["REGISTRY", "Announcement", "Flood", "Strategy"]

REGISTRY: Final[Mapping[str, Callable[[], Strategy]]] = {Flood.name: Flood}
