"""How often the author is named, against the share of spies: one line a scheme, and what no scheme can do better.

The bounds are those of docs/threat-model.md: with relays that see what they relay, spies that are a share p of all name
the author with probability p at least (Dandelion, Theorem 2); with k relays that see only onions, with s^k·p + (1 −
s^k)/N, where s = p is the spies' share of the relay keys and N are the honest.
"""

from typing import Any

import numpy as np
import polars
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .cells import cells, worlds
from .style import FAINT, INK, PAPER, QUIET, canvas, colour, label_ends, panel_title, share_axis, title

__all__ = ["PLOT", "bound_of_onions", "draw"]

ROUTE_LENGTH = 3
PANELS_MAX = 4


def bound_of_onions(share: Any, nodes: float, route_length: int) -> Any:
    """What spies can always do against onions."""
    through = share**route_length
    return through * share + (1 - through) / ((1 - share) * nodes)


def draw(frame: DataFrame) -> Figure:
    """Needs ``scheme``, ``spies``, ``p_named``; with ``nodes`` it shows the bound of onions as well."""
    parts = worlds(cells(frame))[:PANELS_MAX]
    columns = min(2, len(parts))
    rows = -(-len(parts) // columns)
    figure = canvas(
        columns, rows, width=7.8 if columns == 1 else 11, height=4.8 if rows == 1 else 8.4, sharey=True
    )
    title(figure, "How often spies name the author")
    everything = polars.concat([part for _, part in parts], how="diagonal")
    least = everything.filter(polars.col("p_named") > 0)["p_named"].min() or 1e-3
    low = float(least)  # type: ignore[arg-type]
    if "onion" in everything["scheme"] and "nodes" in everything.columns:
        low = min(low, 0.8 / float(everything["nodes"].max() or 1))  # type: ignore[arg-type]
    low /= 1.6
    for axes, (name, part) in zip(figure.axes, parts, strict=False):
        share_axis(axes, max(low, 1e-6), 1.15)
        panel_title(axes, name)
        _panel(axes, part)
    for axes in figure.axes[len(parts) :]:
        axes.set_visible(False)
    return figure


def _panel(axes: Any, part: DataFrame) -> None:
    from_, to = float(part["spies"].min() or 0), float(part["spies"].max() or 1)  # type: ignore[arg-type]
    axes.set_xlabel("Share of spies among the members")
    if from_ == to:
        # One share alone: dots with bars, and names beside them.
        axes.set_xticks([to])
        axes.set_xlim(0.9 * to, 1.02 * to)
        from_, to = 0.9 * to, 1.02 * to
    else:
        axes.set_xlim(max(0, from_ - 0.03 * (to - from_)), to)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    shares = np.linspace(max(from_, 1e-3), to, 100)
    axes.plot(shares, shares, color=INK, linewidth=1.2, linestyle=(0, (1, 1.6)))
    labels = [(to, to, "least without onions: p", QUIET)]
    for (scheme,), line in part.group_by("scheme", maintain_order=True):
        variants = [name for name in ("route_length", "bytes_per_day") if _differs(line, name)]
        for key, one in line.group_by(variants or ["scheme"], maintain_order=True):
            more = (
                ", ".join(_said(name, value) for name, value in zip(variants, key, strict=True))
                if variants
                else ""
            )
            # Never is at the foot of a logarithmic axis.
            x, y = one["spies"].to_numpy(), np.maximum(one["p_named"].to_numpy(), axes.get_ylim()[0])
            ink = colour(str(scheme))
            axes.fill_between(
                x, one["low"].to_numpy(), one["high"].to_numpy(), color=ink, alpha=0.18, linewidth=0
            )
            if len(x) == 1:
                axes.plot([x[0]] * 2, [one["low"][0], one["high"][0]], color=ink, linewidth=1.4, alpha=0.6)
            axes.plot(
                x,
                y,
                color=ink,
                marker="o",
                markersize=5,
                markeredgecolor=PAPER,
                markeredgewidth=0.8,
                clip_on=False,
                zorder=3,
            )
            labels.append((float(x[-1]), float(y[-1]), f"{scheme}{more and ', ' + more}", ink))
    if "nodes" in part.columns and "onion" in part["scheme"]:
        nodes = float(part["nodes"].max())  # type: ignore[arg-type]
        bound = bound_of_onions(shares, nodes, ROUTE_LENGTH)
        axes.plot(shares, bound, color=colour("onion"), linewidth=1.2, linestyle=(0, (1, 1.6)))
        labels.append((to, float(bound[-1]), f"least with onions, k = {ROUTE_LENGTH}", QUIET))
    axes.grid(axis="y", color=FAINT)
    label_ends(axes, labels)


def _differs(line: DataFrame, name: str) -> bool:
    return name in line.columns and line[name].n_unique() > 1


def _said(name: str, value: Any) -> str:
    return f"k = {value}" if name == "route_length" else f"{value / 1e6:.0f} MB a day"


PLOT = Plot(
    name="named",
    title="How often spies name the author",
    needs=("scheme", "spies", "p_named"),
    draw=draw,
    place=10,
)
