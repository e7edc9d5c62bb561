"""Traffic: what a watcher of one node sees in two worlds that differ by one post.

A row has both worlds in lists by frame that the node sent: ``posting_times_s``, ``posting_sizes`` in bytes and
``posting_friends``; ``silent_…`` likewise; and ``posted_s``, the moment of the post. Of several rows the first is
drawn. The first frame that differs is marked: with onions that is when the first relay passes on what it got, and
others have more or less to forward.
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .style import HALO, INK, QUIET, canvas, colour, panel_title, title

__all__ = ["PLOT", "draw", "frames_of", "parting"]

#: Bars in the width of the picture, about.
BARS = 120
#: Seconds of a bar.
WIDTHS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600)
Frame = tuple[float, float, float]
"""When, how many bytes, and to whom."""
_SAYS = {"posting": "It writes a post", "silent": "The same node in the same world, without the post"}
_INKS = {"posting": colour("stem"), "silent": colour("onion")}


def draw(frame: DataFrame) -> Figure:
    """Needs the lists of both worlds, and ``posted_s``."""
    row = frame.drop_nulls("posting_times_s").row(0, named=True)
    frames = {world: frames_of(row, world) for world in ("posting", "silent")}
    first, last = 0.0, max(each[0] for every in frames.values() for each in every)
    width_s = min(WIDTHS_S, key=lambda width: abs(np.log((last - first) / BARS / width)))
    edges = np.arange(first, last + width_s, width_s)
    heights = {}
    for world, sent in frames.items():
        times, sizes, _ = zip(*sent, strict=True)
        heights[world] = np.histogram(times, bins=edges, weights=sizes)[0] / 1e3
    figure = canvas(1, 2, width=8.2, height=4.6, sharex=True, sharey=True)
    parting_s = parting(*frames.values())
    same = parting_s is None
    title(
        figure,
        "The traffic of a node that posts, and of one that does not" + (": the same" if same else ""),
    )
    for axes, world in zip(figure.axes, frames, strict=True):
        axes.stairs(heights[world], (edges - first) / 60, fill=True, color=_INKS.get(world, INK), alpha=0.85)
        axes.set_ylabel("kB")
        panel_title(axes, f"{_SAYS[world]}: {float(heights[world].sum()) / 1e3:,.2f} MB sent")
        axes.set_xlim(0, (last - first) / 60)
    figure.axes[-1].set_xlabel(f"Minutes; a bar is {width_s} s")
    if row["posted_s"] is not None:
        moment = (row["posted_s"] - first) / 60
        axes = figure.axes[0]
        axes.axvline(moment, color=INK, linewidth=1.2)
        is_late = moment > (last - first) / 60 * 0.12
        axes.annotate(
            "writes a post",
            (moment, 1),
            (-5 if is_late else 5, -3),
            ha="right" if is_late else "left",
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
            color=INK,
            bbox=HALO,
        )
    if parting_s is not None and parting_s > first:
        differs = (parting_s - first) / 60
        for axes in figure.axes:
            axes.axvline(differs, color=INK, linewidth=1.2, linestyle=(0, (1, 1.6)))
        figure.axes[-1].annotate(
            "equal to here, frame by frame",
            (differs, 1),
            (5, -3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
            color=INK,
            bbox=HALO,
        )
    if same:
        figure.axes[-1].annotate(
            "every frame has the same size, time and friend",
            (1, 1),
            (0, 8),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            fontsize=9.5,
            color=QUIET,
        )
    return figure


def frames_of(row: dict[str, Any], world: str) -> list[Frame]:
    """The frames of one world, in the order of time."""
    lists = (row[f"{world}_{name}"] for name in ("times_s", "sizes", "friends"))
    return sorted(zip(*lists, strict=True))


def parting(one: list[Frame], other: list[Frame]) -> float | None:
    """When the first frame differs between two worlds; None if none does."""
    for ours, theirs in zip(one, other, strict=False):
        if ours != theirs:
            return min(ours[0], theirs[0])
    rest = (one if len(one) > len(other) else other)[min(len(one), len(other)) :]
    return rest[0][0] if rest else None


PLOT = Plot(
    name="traffic",
    title="The traffic of a node that posts, and of one that does not",
    needs=("posting_times_s", "posting_sizes", "silent_times_s", "silent_sizes", "posted_s"),
    draw=draw,
    place=60,
)
