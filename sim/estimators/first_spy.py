"""First spy: the author is the friend who was the first to tell a spy.

The simplest estimator, and enough to break flooding. On a tree with unit delays it is right with probability ``1 - (1
- p)^d``, if each node is a spy with probability p and the author has d friends. It only names; how sure one may be of
the name is measured over many posts (``metrics.calibrate``).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..arrays import Array
    from .seen import Ground, Observed

__all__ = ["rank", "scores"]


def rank(first_heard: Mapping[int, int]) -> list[int]:
    """The suspects, the likeliest first: in the order in which they told any spy.

    ``first_heard`` has, for each node that told a spy of an item, when it first did; of equal times the earlier entry
    was first.
    """
    return sorted(first_heard, key=lambda node: first_heard[node])


def scores(observed: "Observed", ground: "Ground") -> "Array":
    """Of shape (runs, suspects): minus the place among those who told a spy; −∞ for who told none.

    Unless it was recorded when each told one, all but the first are alike.
    """
    import numpy as np  # The ranking of a single run needs none of it.

    found = np.full((len(observed), len(ground.suspects)), -np.inf)
    if observed.told_at is not None:
        places = np.argsort(np.argsort(observed.told_at, axis=1, kind="stable"), axis=1)
        found[:, ground.columns[ground.tellers]] = np.where(
            np.isfinite(observed.told_at), -1.0 - places, -np.inf
        )
    told = np.flatnonzero(observed.first_friend >= 0)
    found[told, ground.columns[observed.first_friend[told]]] = 0.0
    return found
