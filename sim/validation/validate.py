"""Validating: every known value is measured anew and compared.

Chance alone puts one value in twenty beyond two standard errors, and one in 370 beyond three. So all must be within
three and nine in ten within two, and no value may be known so badly that this says nothing.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .known import Known
from .measured import Measured

__all__ = ["Comparison", "Verdict", "compare_all", "is_valid"]

#: Standard errors within which nine in ten values must be, and all.
NEAR: Final = 2.0
FAR: Final = 3.0
NEAR_SHARE: Final = 0.9
#: Three standard errors may be so much of the value.
BLUR_MAX: Final = 0.02


class Verdict(StrEnum):
    """What a comparison says."""

    AGREES = "agrees"
    #: Between two and three standard errors off, as one value in twenty-three is by chance.
    STRAYS = "strays"
    DIFFERS = "differs"
    #: Too few runs to tell.
    BLURRED = "blurred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One known value beside what was measured."""

    known: Known
    measured: Measured

    @property
    def errors_off(self) -> float:
        """How many standard errors they are apart; positive if more was measured."""
        error = math.hypot(self.measured.error, self.known.expected_error)
        return (self.measured.value - self.known.expected) / max(error, 1e-300)

    @property
    def interval(self) -> tuple[float, float]:
        """Three standard errors to both sides of what was measured."""
        return (
            self.measured.value - FAR * self.measured.error,
            self.measured.value + FAR * self.measured.error,
        )

    @property
    def verdict(self) -> Verdict:
        if FAR * self.measured.error > BLUR_MAX * abs(self.known.expected):
            return Verdict.BLURRED
        off = abs(self.errors_off)
        return Verdict.AGREES if off <= NEAR else Verdict.STRAYS if off <= FAR else Verdict.DIFFERS


def compare_all(known: Sequence[Known], seed: int, threads: int) -> Iterator[Comparison]:
    """Measures one value after the other, each with a seed of its own."""
    for each in known:
        own = (seed << 32) + zlib.crc32(each.name.encode())
        yield Comparison(known=each, measured=each.measure(own, threads))


def is_valid(comparisons: Sequence[Comparison]) -> bool:
    """Whether the simulator may be believed."""
    verdicts = [comparison.verdict for comparison in comparisons]
    if any(verdict in (Verdict.DIFFERS, Verdict.BLURRED) for verdict in verdicts):
        return False
    return sum(verdict is Verdict.AGREES for verdict in verdicts) >= NEAR_SHARE * len(verdicts)
