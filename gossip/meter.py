"""The meter: in how large a set a post hides now, from what the simulator has measured.

The presets have been measured in meshes of four sizes against two shares of spies (``presets``): how sure the strongest
estimator that we know was of whom it named. The budget buys time alone, so what counts is the number of members and of
relays; between the sizes it is interpolated, log by log. Smaller circles are as much worse than guessing as the
smallest that was measured. Routes of other lengths than those of the presets are not measured: a shorter one counts for
what theory leaves it at the best, a longer one as the longest that was measured. The arithmetic is in
docs/threat-model.md; it is an average over members, and no promise to one.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .genesis import Parameters
from .presets import PRESETS

__all__ = ["SPIES", "Meter", "measure"]

#: Shares of spies that are told of; each was measured.
SPIES: Final = (0.1, 0.2)
#: After so many further items under one face spies are twice as sure, and so on in proportion: of fifty members the
#: simulator finds a little less, of larger circles a little more (docs/simulator.md, *Talk*).
LINKED_DOUBLING: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What a post hides among, if a share of the members spies."""

    spies: float
    """The share."""
    named: float
    """How often spies who work together name the author, as far as was measured."""
    guess: float
    """How often they would by guessing among the others."""
    caught: float
    """How often all relays of a route are theirs."""

    @property
    def set_size(self) -> int:
        """As many equally likely suspects would be named as seldom."""
        return self.set_of(1)

    def set_of(self, linked: int) -> int:
        """The same of the author of so many items that are known to be of one, as what is said under one face."""
        return max(1, round(1 / (self.named * (1 + (linked - 1) / LINKED_DOUBLING))))


def measure(parameters: Parameters, members: int, spies: float) -> Meter:
    """The meter of a mesh of so many members, of whom this share (one of ``SPIES``) spies."""
    honest = max(1.0, members * (1 - spies))
    guess, caught = 1 / honest, spies**parameters.route_length
    # Theory leaves no scheme below this: a route that is theirs they follow to the stem, and else they guess.
    least = caught * max(spies, guess) + (1 - caught) * guess
    named = max(least, guess * _excess(parameters.route_length, members, spies))
    return Meter(spies=spies, named=min(1.0, named), guess=guess, caught=caught)


def _excess(route_length: int, members: int, spies: float) -> float:
    """How many times more often than by guessing the author was named."""
    measured = {
        preset.route_length: sorted(
            (size, figures.p_named[spies] * size * (1 - spies)) for size, figures in preset.figures.items()
        )
        for preset in PRESETS.values()
    }
    known = [length for length in measured if length <= route_length]
    points = measured[max(known) if known else min(measured)]
    excess = points[0][1]
    for (low, below), (high, above) in pairwise(points):
        if low <= members:
            share = min(1.0, math.log(members / low) / math.log(high / low))
            excess = below * (above / below) ** share
    return excess
