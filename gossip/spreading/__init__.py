"""Spreading strategies: pure decisions on when an item goes to which friend.

A strategy sees an item's id, the link it came over and the friends there are; it answers with steps. It holds no
items, sends nothing and knows no time but what it is given, so that the node and every simulator run the same one.
``REGISTRY`` names them all; the ``Agenda`` keeps their steps until they are due.
"""

from collections.abc import Callable, Mapping
from typing import Final

from .agenda import Agenda
from .flood import Flood
from .strategy import Announce, Neighbour, Step, Strategy, Wake

__all__ = ["REGISTRY", "Agenda", "Announce", "Flood", "Neighbour", "Step", "Strategy", "Wake"]

REGISTRY: Final[Mapping[str, Callable[[], Strategy]]] = {Flood.name: Flood}
