"""Measured: what came out of many runs, with its error."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Measured", "enough", "mean", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came out."""

    value: float
    error: float
    """The standard error."""
    runs: int


def share(hits: NDArray[np.bool_]) -> Measured:
    """A share of runs, with its error."""
    value = float(hits.mean())
    return Measured(value=value, error=math.sqrt(value * (1 - value) / len(hits)), runs=len(hits))


def mean(values: Sequence[float] | NDArray[np.number]) -> Measured:
    """A mean over runs, with its error."""
    array = np.asarray(values, dtype=np.float64)
    error = float(array.std(ddof=1)) / math.sqrt(len(array))
    return Measured(value=float(array.mean()), error=error, runs=len(array))


def enough(expected: float) -> int:
    """Runs for a share of this size to be known to 2 % in three standard errors, and a tenth more."""
    return math.ceil(1.1 * 22_500 * (1 - expected) / expected)
