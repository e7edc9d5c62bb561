"""Presets: how a mesh may be founded, from quick to careful, and what the simulator measured of each.

What can be chosen is what the genesis has: the byte budget of a node and the relays of an onion; all delays follow from
these and the number of members (``gossip.pace``). The sweep that measured them is ``presets.toml`` beside this file;
``rumor sim sweep presets --out presets.parquet`` does it again, and ``figures`` reads from its table what stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...gossip.genesis import Parameters

if TYPE_CHECKING:
    import polars

__all__ = ["PRESETS", "SWEEP", "Figures", "Preset", "figures"]

#: The sweep that the figures come from.
SWEEP: Final = Path(__file__).with_name("presets.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of one preset in a mesh of one size."""

    wait_p50_s: float
    """Median wait from wanting to post until the post is out."""
    wait_p95_s: float
    p_named: Mapping[float, float]
    """How often the author is named, by the share of spies."""
    bytes_per_node_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One way to found a mesh."""

    says: str
    """For the person who chooses."""
    bytes_per_day: int
    route_length: int
    figures: Mapping[int, Figures]
    """By the number of members; as ``figures`` gave them."""

    @property
    def parameters(self) -> Parameters:
        """What goes into the genesis."""
        return Parameters(bytes_per_day=self.bytes_per_day, route_length=self.route_length)


PRESETS: Final[Mapping[str, Preset]] = {
    "quick": Preset(
        says="Posts are out in minutes; takes the traffic of an hour of video a day.",
        bytes_per_day=800_000_000,
        route_length=2,
        figures={},
    ),
    "balanced": Preset(
        says="Posts are out within the hour in a circle of 150.",
        bytes_per_day=200_000_000,
        route_length=3,
        figures={},
    ),
    "careful": Preset(
        says="Posts take hours, and spies learn the least.",
        bytes_per_day=100_000_000,
        route_length=4,
        figures={},
    ),
}


def figures(frame: "polars.DataFrame") -> dict[str, dict[int, Figures]]:
    """What a table of ``presets.toml`` says of each preset, by name and number of members."""
    import polars

    from .plots.cells import cells

    table = cells(frame, keep=("latency_p50_s", "latency_p95_s", "bytes_per_node_day"))
    measured: dict[str, dict[int, Figures]] = {}
    for name, preset in PRESETS.items():
        own = table.filter(
            polars.col("scheme") == "onion",
            polars.col("bytes_per_day") == preset.bytes_per_day,
            polars.col("route_length") == preset.route_length,
        )
        measured[name] = {
            int(nodes): Figures(
                wait_p50_s=_mean(rows["latency_p50_s"]),
                wait_p95_s=_mean(rows["latency_p95_s"]),
                p_named=dict(zip(rows["spies"].to_list(), rows["p_named"].to_list(), strict=True)),
                bytes_per_node_day=_mean(rows["bytes_per_node_day"]),
            )
            for (nodes,), rows in own.sort("nodes").group_by("nodes", maintain_order=True)
        }
    return measured


def _mean(column: "polars.Series") -> float:
    """Over the shares of spies, who do not change what a post takes."""
    return float(column.mean() or 0.0)  # type: ignore[arg-type]
