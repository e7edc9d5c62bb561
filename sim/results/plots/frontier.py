"""The frontier: what anonymity costs in waiting and in traffic.

One dot a cell, at one share of spies: to the right how long an author waits until the post is out, upwards how often
the author is named, and the dot's area is the traffic of a node. A line joins the cells that no other beats in both
waiting and anonymity.
"""

from typing import Any

import polars
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .cells import cells
from .style import (
    HALO,
    INK,
    PAPER,
    QUIET,
    canvas,
    colour,
    dark,
    in_words,
    panel_title,
    share_axis,
    time_axis,
    title,
)

__all__ = ["PLOT", "draw"]

#: The share of spies that is shown is the one nearest to this.
SPIES = 0.2
#: Area of the largest dot, in points squared.
AREA = 320.0
#: Points of a letter, and of a line.
_LETTER, _LINE = 5.2, 11.0


def draw(frame: DataFrame) -> Figure:
    """Needs ``scheme``, ``spies``, ``p_named``, ``latency_p50_s`` and ``bytes_per_node_day``."""
    table = cells(frame, keep=("latency_p50_s", "bytes_per_node_day"))
    nearest = table["spies"].unique().sort().to_list()
    spies = min(nearest, key=lambda share: abs(share - SPIES))
    table = table.filter(polars.col("spies") == spies, polars.col("latency_p50_s").is_not_null())
    figure = canvas(width=8.2, height=5)
    title(figure, "What anonymity costs: waiting and traffic")
    (axes,) = figure.axes
    panel_title(axes, f"{100 * spies:.3g} % spies; the area of a dot is the traffic of a node")
    rows = list(table.iter_rows(named=True))
    waits = [max(row["latency_p50_s"], 1e-2) for row in rows]
    # One that was named never is drawn where its interval ends, and says so.
    named = [row["p_named"] or row["high"] for row in rows]
    share_axis(axes, min(named) / 2, min(1.3, max(named) * 2))
    time_axis(axes, min(waits) / 2, max(waits) * 8)
    axes.set_xlabel("Median wait from wanting to post until the post is out")
    axes.set_ylabel("Author named")
    front = _front(list(zip(waits, named, strict=True)))
    axes.plot(*zip(*front, strict=True), color=QUIET, linewidth=1.2, linestyle=(0, (1, 1.6)), zorder=1)
    unit = AREA / max(row["bytes_per_node_day"] for row in rows)
    dots = []
    for row, wait, share in zip(rows, waits, named, strict=True):
        ink = colour(row["scheme"])
        area = max(unit * row["bytes_per_node_day"], 14.0)
        axes.plot([wait, wait], [max(row["low"], 1e-9), row["high"]], color=ink, linewidth=1.4, alpha=0.6)
        axes.scatter([wait], [share], s=area, color=ink, edgecolor=PAPER, linewidth=0.8, zorder=3)
        dots.append((wait, share, area))
    _legend(axes, [row["bytes_per_node_day"] for row in rows], unit)
    _label(axes, dots, [_name(table, row) for row in rows], [colour(row["scheme"]) for row in rows])
    return figure


def _front(dots: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The dots that no other beats, from the quickest to the most careful."""
    best, front = float("inf"), []
    for dot in sorted(dots):
        if dot[1] < best:
            best = dot[1]
            front.append(dot)
    return front


def _name(table: DataFrame, row: dict[str, Any]) -> str:
    """The scheme, with the settings that differ among its cells."""
    names = ("preset", "nodes", "route_length", "bytes_per_day", "relay_delay_s", "interval_s")
    own = table.filter(polars.col("scheme") == row["scheme"])
    telling = [name for name in names if name in table.columns and own[name].n_unique() > 1]
    return ", ".join([row["scheme"], *(_said(name, row[name]) for name in telling if row[name] is not None)])


def _label(axes: Any, dots: list[tuple[float, float, float]], names: list[str], inks: list[str]) -> None:
    """Writes each name where it covers the least: beside, above or below its dot."""
    axes.figure.draw_without_rendering()
    scale = 72 / axes.figure.dpi
    frame = axes.get_window_extent()
    places = [axes.transData.transform(dot[:2]) * scale for dot in dots]
    radii = [(dot[2] / 3.14) ** 0.5 for dot in dots]
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(places, radii, strict=True)]
    # The key to the sizes stands in the upper right.
    taken.append((frame.x1 * scale - 110, frame.y1 * scale - 75, frame.x1 * scale, frame.y1 * scale))
    for (x, y), radius, name, ink, dot in zip(places, radii, names, inks, dots, strict=True):
        width, off = len(name) * _LETTER, radius + 4
        choices = [
            (off, 0.0, 0.0),
            (-off - width, 0.0, 0.2),
            (-width / 2, off + _LINE / 2, 0.1),
            (-width / 2, -off - _LINE / 2, 0.1),
            (off * 0.7, off * 0.7 + 4, 0.3),
            (off * 0.7, -off * 0.7 - 4, 0.3),
            (-width / 2, off + 1.6 * _LINE, 0.6),
            (-width / 2, -off - 1.6 * _LINE, 0.6),
        ]
        boxes = [
            (x + right, y + up - _LINE / 2, x + right + width, y + up + _LINE / 2) for right, up, _ in choices
        ]
        costs = [
            sum(_overlap(box, other) for other in taken)
            + 50 * liked
            + 1e4 * (box[0] < frame.x0 * scale or box[2] > frame.x1 * scale)
            for box, (_, _, liked) in zip(boxes, choices, strict=True)
        ]
        best = costs.index(min(costs))
        taken.append(boxes[best])
        axes.annotate(
            name,
            dot[:2],
            choices[best][:2],
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=dark(ink),
            annotation_clip=False,
            bbox=HALO,
            zorder=2,
        )


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The area that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def _said(name: str, value: Any) -> str:
    if name == "route_length":
        return f"k = {value}"
    if name == "bytes_per_day":
        return f"{value / 1e6:,.0f} MB"
    if name == "nodes":
        return f"N = {value:,}"
    return in_words(value) if name.endswith("_s") else str(value)


def _legend(axes: Any, sizes: list[float], unit: float) -> None:
    """The least, a middle and the largest dot, and what they stand for."""
    for size in sorted({_round(min(sizes)), _round((min(sizes) * max(sizes)) ** 0.5), _round(max(sizes))}):
        text = f"{size / 1e6:,.9g} MB a day"
        axes.scatter([], [], s=max(unit * size, 14), color="none", edgecolor=QUIET, linewidth=1, label=text)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper right", labelspacing=0.9)


def _round(size: float) -> float:
    """The nearest of 1, 2, 3, 5, 10 and so on."""
    steps = [digit * 10.0**power for power in range(3, 12) for digit in (1, 2, 3, 5)]
    return min(steps, key=lambda step: abs(step - size) / step)


PLOT = Plot(
    name="frontier",
    title="What anonymity costs: waiting and traffic",
    needs=("scheme", "spies", "p_named", "latency_p50_s", "bytes_per_node_day"),
    draw=draw,
    place=20,
)
