"""Adaptive diffusion: who wrote it, if all holders are known at one moment, and with them the virtual source.

On an infinite regular tree the holders at an even time t are a ball of radius t/2 around the virtual source, which the
snapshot shows. How far from it the author is follows from how the token wanders: from h hops it stays with probability
``α_d(t, h)`` and else goes a hop farther. All holders at one distance are as likely, so that is their posterior. The
paper chose α so that all come out equal, ``1/(N_t − 1)``: Fanti, Kairouz, Oh and Viswanath, "Spy vs. Spy: Rumor Source
Obfuscation" (SIGMETRICS 2015), theorem 2. Here it is computed from the rule that the strategy follows, and not from
what it was chosen for.

Assumed: synchronous steps, an infinite regular tree, and nothing known of times or of who told whom. Spies among the
holders know more: who told them.

Cost: ``O(t²)``.
"""

import numpy as np

from ...gossip.spreading.adaptive import keep_chance
from ..arrays import Array

__all__ = ["by_distance", "holders"]


def holders(degree: int, step: int) -> Array:
    """By distance from the virtual source, from 0 to ``step / 2``: how many nodes hold it at this even time."""
    distances = np.arange(step // 2 + 1)
    counts = degree * float(degree - 1) ** (distances - 1)
    counts[0] = 1
    return np.asarray(counts)


def by_distance(degree: int, step: int) -> Array:
    """By distance from the virtual source, from 0 to ``step / 2``: the posterior of each holder at this even time."""
    # The author hands it over at once, and is a hop away.
    chances = np.zeros(step // 2 + 1)
    chances[1] = 1.0
    for now in range(2, step, 2):
        stays = np.array(
            [keep_chance(degree, now, hops) if 0 < hops <= now // 2 else 0.0 for hops in range(len(chances))]
        )
        goes = chances * (1 - stays)
        chances *= stays
        chances[1:] += goes[:-1]
    return np.asarray(chances / holders(degree, step))
