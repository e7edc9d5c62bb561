"""Spreading: the friend graph with one rumor on its way, as a few moments side by side.

A row has it in lists by node: ``rumor_times`` when each got the rumor (null if never), ``rumor_tellers`` who told it
(−1 for nobody), ``rumor_spies`` 1 for a spy; and ``rumor_links`` with the two ends of every friendship. Of several rows
the first is drawn. Where the nodes are drawn follows from the graph and a seed.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .style import FAINT, IDLE, IDLE_SPY, INK, PAPER, QUIET, canvas, colour, panel_title, title

__all__ = ["PLOT", "draw", "layout"]

#: The moments: when this share of the nodes has it.
SHARES = (0.02, 0.15, 0.5, 1.0)
_HAS, _SPY = colour("stem"), colour("flood")


def layout(
    edges: "np.ndarray[tuple[int, int], np.dtype[np.int64]]", node_count: int, seed: int = 1
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Where to draw nodes, of shape (nodes, 2): friends near each other (Fruchterman and Reingold, 1991)."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(node_count))
    graph.add_edges_from(edges.tolist())
    places = networkx.spring_layout(graph, seed=seed, iterations=120, k=1.6 / np.sqrt(node_count))
    return np.array([places[node] for node in range(node_count)])


def draw(frame: DataFrame, seed: int = 1) -> Figure:
    """Needs ``rumor_times``, ``rumor_tellers``, ``rumor_spies`` and ``rumor_links``."""
    row = frame.drop_nulls("rumor_times").row(0, named=True)
    times = np.array([np.inf if each is None or np.isnan(each) else each for each in row["rumor_times"]])
    tellers, is_spy = np.array(row["rumor_tellers"], dtype=int), np.array(row["rumor_spies"], dtype=bool)
    edges = np.array(row["rumor_links"], dtype=int).reshape(-1, 2)
    places = layout(edges, len(times), seed)
    order = np.sort(times[np.isfinite(times)])
    author = int(times.argmin())
    figure = canvas(2, 2, width=9, height=8.2)
    title(figure, "One rumor on its way")
    size = 1500 / len(times) + 8
    for axes, share in zip(figure.axes, SHARES, strict=True):
        moment = order[max(0, int(np.ceil(share * len(order))) - 1)]
        has = times <= moment
        _links(axes, places[edges], color=FAINT, linewidth=0.5, zorder=1)
        told = np.flatnonzero(has & (tellers >= 0))
        ways = places[np.stack([told, tellers[told]], axis=1)]
        _links(axes, ways, color=_HAS, linewidth=0.9, alpha=0.6, zorder=2)
        for mask, ink in (
            (~has & ~is_spy, IDLE),
            (~has & is_spy, IDLE_SPY),
            (has & ~is_spy, _HAS),
            (has & is_spy, _SPY),
        ):
            axes.scatter(
                places[mask, 0], places[mask, 1], s=size, color=ink, edgecolor=PAPER, linewidth=0.4, zorder=3
            )
        axes.scatter(
            [places[author, 0]],
            [places[author, 1]],
            s=5 * size,
            color="none",
            edgecolor=INK,
            linewidth=1.3,
            zorder=4,
        )
        axes.set_axis_off()
        axes.set_aspect("equal")
        panel_title(axes, f"after {moment:.2g} mean delays of a hop: {has.sum():,} of {len(times):,} have it")
    first = figure.axes[0]
    first.annotate("author", places[author], (7, 7), textcoords="offset points", fontsize=9, color=INK)
    inks = {"has it": _HAS, "not yet": IDLE, "spy that has it": _SPY, "spy, not yet": IDLE_SPY}
    handles = [
        first.scatter([], [], s=30, color=ink, label=text)
        for text, ink in inks.items()
        if "spy" not in text or is_spy.any()
    ]
    figure.legend(handles=handles, loc="upper right", ncols=4, frameon=False, fontsize=9, labelcolor=QUIET)
    return figure


def _links(axes: Axes, ends: "np.ndarray[Any, Any]", **look: Any) -> None:
    """Draws lines, given as an array of shape (lines, 2, 2), as one path: many would make a large file."""
    broken = np.concatenate([ends, np.full((len(ends), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    axes.plot(broken[:, 0], broken[:, 1], solid_joinstyle="bevel", **look)


PLOT = Plot(
    name="spreading",
    title="One rumor on its way",
    needs=("rumor_times", "rumor_tellers", "rumor_spies", "rumor_links"),
    draw=draw,
    place=50,
    takes_seed=True,
)
