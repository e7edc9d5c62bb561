"""Numbers of a sample: the interval of a share, quantiles, an entropy."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["QUANTILES", "entropy_bits", "quantile", "quantiles", "wilson"]

#: The normal quantile of a two-sided 95 %.
Z_95: Final = 1.959963984540054
#: How many quantiles stand for a whole distribution: from the least to the largest, in steps of 5 %.
QUANTILES: Final = 21


def wilson(count: float, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927); all of [0, 1] if nothing was counted.

    ``count`` may be no whole number where ties count for a part.
    """
    if not total:
        return 0.0, 1.0
    share, z2 = count / total, Z_95**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z_95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def entropy_bits(posterior: Mapping[int, float] | Sequence[float]) -> float:
    """Shannon's entropy of a distribution."""
    weights = posterior.values() if isinstance(posterior, Mapping) else posterior
    return -sum(weight * math.log2(weight) for weight in weights if weight > 0)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that this share of all does not exceed; None of nothing, or if it is infinite."""
    if not values:
        return None
    value = sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
    return value if math.isfinite(value) else None


def quantiles(values: Sequence[float]) -> list[float]:
    """The distribution of a sample in few numbers: entry i is exceeded by no more than 1 − i/20 of it; none of nothing.

    The first is the least, and the last the largest.
    """
    ordered = sorted(values)
    last = len(ordered) - 1
    return [ordered[round(last * place / (QUANTILES - 1))] for place in range(QUANTILES)] if ordered else []
