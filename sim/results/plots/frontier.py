"""The frontier: what anonymity costs in waiting and in traffic.

A panel for each world, at one share of spies. One dot a cell: to the right how long an author waits until the post is
out, upwards how often the author is named, and the dot's area is the traffic of a node. Cells that differ only by
their budget are joined; a dotted line joins those that no other beats in both waiting and anonymity. Presets have
their names.

Where authors are hardly ever named, how often they were takes very many posts to know. How sure the estimator is of
whom it names (the mean largest posterior) is the same number, if it is calibrated, and known ten times as well: dots
stand there, if the table has it, and the bar is the interval of how often it was right.
"""

from dataclasses import dataclass
from typing import Any

import polars
from matplotlib.figure import Figure
from polars import DataFrame

from ....gossip.presets import PRESETS
from . import Plot
from .cells import SETTINGS, cells, worlds
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
#: How sure the estimator is of whom it names.
SURE = "expected_max_posterior"
#: Area of the largest and of the smallest dot, in points squared.
AREA, LEAST = 320.0, 14.0
#: Points of a letter, and of a line.
_LETTER, _LINE = 5.2, 11.0


def draw(frame: DataFrame) -> Figure:
    """Needs ``scheme``, ``spies``, ``p_named``, ``latency_p50_s`` and ``bytes_per_node_day``."""
    keep = ("latency_p50_s", "bytes_per_node_day", SURE)
    table = cells(frame, keep=tuple(name for name in keep if name in frame.columns))
    nearest = table["spies"].unique().sort().to_list()
    spies = min(nearest, key=lambda share: abs(share - SPIES))
    table = table.filter(polars.col("spies") == spies, polars.col("latency_p50_s").is_not_null())
    dots = [_dot(row) for row in table.iter_rows(named=True)]
    panels = worlds(table)
    many = len(panels) > 1
    figure = (
        canvas(2, -(-len(panels) // 2), width=11, height=4.2 * -(-len(panels) // 2)) if many else _single()
    )
    title(figure, "What anonymity costs: waiting and traffic")
    unit = AREA / max(dot.size for dot in dots)
    says = f"{100 * spies:.3g} % spies; the area of a dot is the traffic of a node"
    for number, (axes, (world, part)) in enumerate(zip(figure.axes, panels, strict=False)):
        panel_title(axes, " · ".join(filter(None, (world if many else "", says if number == 0 else ""))))
        _panel(axes, part, unit, has_legend=number == 0)
    _legend(figure.axes[0], [dot.size for dot in dots], unit)
    for axes in figure.axes[len(panels) :]:
        axes.set_visible(False)
    for axes in figure.axes[max(0, len(panels) - 2) : len(panels)]:
        axes.set_xlabel("Median wait from wanting to post until the post is out")
    for axes in figure.axes[::2]:
        axes.set_ylabel("Author named")
    return figure


def _has_a_choice(frame: DataFrame) -> bool:
    """One dot is no frontier."""
    names = [name for name in SETTINGS if name in frame.columns and name not in ("spies", "estimator")]
    return frame.drop_nulls("latency_p50_s").select(names).n_unique() > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dot:
    """One cell."""

    wait: float
    share: float
    size: float
    """Bytes of a node and day."""
    low: float
    high: float


def _single() -> Figure:
    return canvas(width=8.2, height=5)


def _dot(row: dict[str, Any]) -> _Dot:
    return _Dot(
        wait=max(row["latency_p50_s"], 1e-2),
        # One that was named never is drawn where its interval ends.
        share=row.get(SURE) or row["p_named"] or row["high"],
        size=row["bytes_per_node_day"],
        low=max(row["low"], 1e-9),
        high=row["high"],
    )


def _panel(axes: Any, table: DataFrame, unit: float, *, has_legend: bool) -> None:
    rows = list(table.iter_rows(named=True))
    dots = [_dot(row) for row in rows]
    shares, waits = [dot.share for dot in dots], [dot.wait for dot in dots]
    share_axis(axes, min(shares) / 2, min(1.3, max(shares) * 2))
    time_axis(axes, min(waits) / 2, max(waits) * 8)
    front = _front([(dot.wait, dot.share) for dot in dots])
    axes.plot(*zip(*front, strict=True), color=QUIET, linewidth=1.2, linestyle=(0, (1, 1.6)), zorder=1)
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(_name(table, row), []).append(place)
    names = [""] * len(rows)
    for name, places in groups.items():
        ordered = sorted(places, key=lambda place: dots[place].wait)
        ink = colour(rows[ordered[0]]["scheme"])
        points = [(dots[place].wait, dots[place].share) for place in ordered]
        axes.plot(*zip(*points, strict=True), color=ink, linewidth=1.4, alpha=0.35, zorder=1)
        names[ordered[-1]] = name
    for place, (row, dot) in enumerate(zip(rows, dots, strict=True)):
        ink = colour(row["scheme"])
        axes.plot([dot.wait, dot.wait], [dot.low, dot.high], color=ink, linewidth=1.2, alpha=0.35)
        area = max(unit * dot.size, LEAST)
        axes.scatter([dot.wait], [dot.share], s=area, color=ink, edgecolor=PAPER, linewidth=0.8, zorder=3)
        names[place] = ", ".join(filter(None, (_preset(row), names[place])))
    shown = [(dot.wait, dot.share, max(unit * dot.size, LEAST)) for dot in dots]
    _label(axes, shown, names, [colour(row["scheme"]) for row in rows], has_legend=has_legend)


def _preset(row: dict[str, Any]) -> str:
    """The name of the preset that a cell is."""
    own = row.get("bytes_per_day"), row.get("route_length")
    names = [name for name, each in PRESETS.items() if (each.bytes_per_day, each.route_length) == own]
    return names[0] if names and row["scheme"] == "onion" else ""


def _front(dots: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The dots that no other beats, from the quickest to the most careful."""
    best, front = float("inf"), []
    for dot in sorted(dots):
        if dot[1] < best:
            best = dot[1]
            front.append(dot)
    return front


def _name(table: DataFrame, row: dict[str, Any]) -> str:
    """The scheme, with the settings that differ among its cells, but for the budget, which is seen."""
    names = ("nodes", "route_length", "relay_delay_s", "interval_s")
    own = table.filter(polars.col("scheme") == row["scheme"])
    telling = [name for name in names if name in table.columns and own[name].n_unique() > 1]
    settings = [_said(name, row[name]) for name in telling if row[name] is not None]
    # Where there is but one scheme, that goes without saying.
    schemes = [row["scheme"]] if table["scheme"].n_unique() > 1 or not settings else []
    return ", ".join([*schemes, *settings])


def _label(
    axes: Any, dots: list[tuple[float, float, float]], names: list[str], inks: list[str], *, has_legend: bool
) -> None:
    """Writes each name, unless it is empty, where it covers the least: beside, above or below its dot."""
    axes.figure.draw_without_rendering()
    scale = 72 / axes.figure.dpi
    frame = axes.get_window_extent()
    places = [axes.transData.transform(dot[:2]) * scale for dot in dots]
    radii = [(dot[2] / 3.14) ** 0.5 for dot in dots]
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(places, radii, strict=True)]
    # The key to the sizes stands in the upper right.
    if has_legend:
        taken.append((frame.x1 * scale - 110, frame.y1 * scale - 75, frame.x1 * scale, frame.y1 * scale))
    for (x, y), radius, name, ink, dot in zip(places, radii, names, inks, dots, strict=True):
        if not name:
            continue
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
        return f"{value} relays"
    if name == "nodes":
        return f"N = {value:,}"
    return in_words(value) if name.endswith("_s") else str(value)


def _legend(axes: Any, sizes: list[float], unit: float) -> None:
    """The least, a middle and the largest dot, and what they stand for."""
    for size in sorted({_round(min(sizes)), _round((min(sizes) * max(sizes)) ** 0.5), _round(max(sizes))}):
        text = f"{size / 1e6:,.9g} MB a day"
        axes.scatter(
            [], [], s=max(unit * size, LEAST), color="none", edgecolor=QUIET, linewidth=1, label=text
        )
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
    suits=_has_a_choice,
    place=20,
)
