"""Traffic: what a watcher of one node sees in two worlds that differ by one post.

A table of one row a frame or an interval: ``world`` (``posting`` or ``silent``), ``time_s`` and ``size`` in bytes;
where there is ``posted_s``, the moment of the post is marked. So is the first frame that differs: with onions
that is when the first relay passes on what it got, and others have more or less to forward.
"""

import numpy as np
import polars
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .style import HALO, INK, QUIET, canvas, colour, panel_title, title

__all__ = ["PLOT", "draw"]

#: Bars in the width of the picture, about.
BARS = 120
#: Seconds of a bar.
WIDTHS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600)
_INKS = {"posting": colour("stem"), "silent": colour("onion")}


def draw(frame: DataFrame) -> Figure:
    """Needs ``world``, ``time_s`` and ``size``."""
    worlds = frame["world"].unique(maintain_order=True).to_list()
    first, last = float(frame["time_s"].min()), float(frame["time_s"].max())  # type: ignore[arg-type]
    width_s = min(WIDTHS_S, key=lambda width: abs(np.log((last - first) / BARS / width)))
    edges = np.arange(first, last + width_s, width_s)
    heights = {}
    for world in worlds:
        part = frame.filter(polars.col("world") == world)
        heights[world] = np.histogram(part["time_s"], bins=edges, weights=part["size"])[0] / 1e3
    figure = canvas(1, len(worlds), width=8.2, height=1.2 + 1.7 * len(worlds), sharex=True, sharey=True)
    parting_s = _parting_s(frame, worlds) if len(worlds) == 2 else first
    same = parting_s is None
    title(
        figure,
        "The traffic of a node that posts, and of one that does not" + (": the same" if same else ""),
    )
    for axes, world in zip(figure.axes, worlds, strict=True):
        axes.stairs(heights[world], (edges - first) / 60, fill=True, color=_INKS.get(world, INK), alpha=0.85)
        axes.set_ylabel("kB")
        panel_title(axes, f"{world}: {float(heights[world].sum()) / 1e3:,.2f} MB sent")
        axes.set_xlim(0, (last - first) / 60)
    figure.axes[-1].set_xlabel(f"Minutes; a bar is {width_s} s")
    if "posted_s" in frame.columns and frame["posted_s"].drop_nulls().len():
        moment = (float(frame["posted_s"].drop_nulls()[0]) - first) / 60
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
        parting = (parting_s - first) / 60
        for axes in figure.axes:
            axes.axvline(parting, color=INK, linewidth=1.2, linestyle=(0, (1, 1.6)))
        figure.axes[-1].annotate(
            "equal to here, frame by frame",
            (parting, 1),
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


def _parting_s(frame: DataFrame, worlds: list[str]) -> float | None:
    """When the first frame differs between two worlds; None if none does."""
    columns = [name for name in ("time_s", "size", "friend") if name in frame.columns]
    one, two = (
        frame.filter(polars.col("world") == world).select(columns).sort(columns).rows() for world in worlds
    )
    for ours, theirs in zip(one, two, strict=False):
        if ours != theirs:
            return float(min(ours[0], theirs[0]))
    rest = (one if len(one) > len(two) else two)[min(len(one), len(two)) :]
    return float(rest[0][0]) if rest else None


PLOT = Plot(
    name="traffic",
    title="The traffic of a node that posts, and of one that does not",
    needs=("world", "time_s", "size"),
    draw=draw,
    place=60,
)
