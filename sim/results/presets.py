"""Presets: the sweep that measured them, and how their figures are read out of its table.

What they are, and what was measured, stands in ``gossip.presets``, since founders choose there. The sweep is
``presets.toml`` beside this file; ``rumor sim sweep presets --out presets.parquet`` does it again, and
``rumor sim plot`` draws the frontier that they were chosen from.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...gossip.presets import PRESETS, Figures

if TYPE_CHECKING:
    import polars

__all__ = ["SWEEP", "figures"]

#: The sweep that the figures come from.
SWEEP: Final = Path(__file__).with_name("presets.toml")
#: How often authors are named, as the calibrated estimator expects it: far better known than how often they were.
SURE: Final = "expected_max_posterior"


def figures(frame: "polars.DataFrame") -> Mapping[str, Mapping[int, Figures]]:
    """What a table of ``presets.toml`` says of each preset, by name and number of members."""
    import polars

    from .plots.cells import cells

    table = cells(frame, keep=("latency_p50_s", "latency_p95_s", SURE))
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
                p_named={share: _told(sure) for share, sure in rows.select("spies", SURE).iter_rows()},
            )
            for (nodes,), rows in own.sort("nodes", "spies").group_by("nodes", maintain_order=True)
        }
    return measured


def _told(value: float) -> float:
    """To two digits, as it is known."""
    return float(f"{value:.2g}")


def _mean(column: "polars.Series") -> float:
    """Over the shares of spies, who do not change what a post takes."""
    return _told(float(column.mean() or 0.0))  # type: ignore[arg-type]
