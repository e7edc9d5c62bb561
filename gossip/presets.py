"""Presets: how quick or how careful a mesh is, for whoever founds one.

A founder has two choices that matter: the byte budget of a node and the relays of an onion. All delays follow from
these and the number of members (``pace``), so a preset is such a pair, and beside it stands what was measured of it.
Nothing is measured here: the simulator's sweep ``presets`` did, and ``rumor sim sweep presets`` does it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .genesis import Parameters

__all__ = [
    "BYTES_PER_DAY_RANGE",
    "DEFAULT",
    "PRESETS",
    "ROUTE_LENGTH_RANGE",
    "Figures",
    "Preset",
    "parameters",
]

#: What a genesis may hold.
BYTES_PER_DAY_RANGE: Final = (1_000_000, 100_000_000_000)
ROUTE_LENGTH_RANGE: Final = (1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of one preset in a mesh of one size."""

    wait_p50_s: float
    """Median wait from wanting to post until the post is published, in seconds."""
    wait_p95_s: float
    """The same of all but one post in twenty."""
    p_named: Mapping[float, float]
    """How often the author is named, by the share of members that are spies: as the calibrated estimator expects it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One way to found a mesh."""

    says: str
    """For the person who chooses."""
    bytes_per_day: int
    """Traffic budget of a node."""
    route_length: int
    """Relays of an onion."""
    figures: Mapping[int, Figures]
    """By the number of members."""


#: Taken unless another one is asked for.
DEFAULT: Final = "balanced"
PRESETS: Final[Mapping[str, Preset]] = {
    "quick": Preset(
        says="Posts are out within minutes; each node carries 800 MB a day, and two relays hide less than three.",
        bytes_per_day=800_000_000,
        route_length=2,
        figures={
            50: Figures(wait_p50_s=70, wait_p95_s=220, p_named={0.1: 0.035, 0.2: 0.059}),
            150: Figures(wait_p50_s=210, wait_p95_s=660, p_named={0.1: 0.015, 0.2: 0.03}),
            500: Figures(wait_p50_s=620, wait_p95_s=2100, p_named={0.1: 0.0061, 0.2: 0.017}),
            1_000: Figures(wait_p50_s=1200, wait_p95_s=4200, p_named={0.1: 0.0046, 0.2: 0.014}),
        },
    ),
    "balanced": Preset(
        says="Among 150 members a post takes about twenty minutes, at 200 MB a day.",
        bytes_per_day=200_000_000,
        route_length=3,
        figures={
            50: Figures(wait_p50_s=400, wait_p95_s=1200, p_named={0.1: 0.031, 0.2: 0.045}),
            150: Figures(wait_p50_s=1100, wait_p95_s=3500, p_named={0.1: 0.012, 0.2: 0.02}),
            500: Figures(wait_p50_s=3600, wait_p95_s=12_000, p_named={0.1: 0.0045, 0.2: 0.0083}),
            1_000: Figures(wait_p50_s=7100, wait_p95_s=23_000, p_named={0.1: 0.0027, 0.2: 0.0063}),
        },
    ),
    "careful": Preset(
        says="A third more waiting than balanced at the same traffic, and a fourth relay to hide behind.",
        bytes_per_day=200_000_000,
        route_length=4,
        figures={
            50: Figures(wait_p50_s=550, wait_p95_s=1500, p_named={0.1: 0.028, 0.2: 0.038}),
            150: Figures(wait_p50_s=1500, wait_p95_s=4500, p_named={0.1: 0.011, 0.2: 0.015}),
            500: Figures(wait_p50_s=5000, wait_p95_s=15_000, p_named={0.1: 0.0039, 0.2: 0.0055}),
            1_000: Figures(wait_p50_s=9800, wait_p95_s=29_000, p_named={0.1: 0.0019, 0.2: 0.003}),
        },
    ),
}


def parameters(
    preset: str | None = None, *, bytes_per_day: int | None = None, route_length: int | None = None
) -> "Parameters":
    """What goes into the genesis: those of a preset of this name, or ``DEFAULT``, but for what is given beside it."""
    from .genesis import Parameters  # Whoever only shows the names need not load the cryptography.

    chosen = PRESETS[preset or DEFAULT]
    return Parameters(
        bytes_per_day=bytes_per_day or chosen.bytes_per_day, route_length=route_length or chosen.route_length
    )
