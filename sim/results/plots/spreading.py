"""Spreading: the friend graph with one rumor on its way, as a few moments side by side.

A table of one row a node: ``x`` and ``y`` where it is drawn, ``friends`` as a list of numbers of rows, ``time`` when it
got the rumor (null if never), and, if there are any, ``is_spy`` and ``teller``, who told it.
"""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .style import FAINT, INK, PAPER, QUIET, canvas, colour, panel_title, title

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


def draw(frame: DataFrame) -> Figure:
    """Needs ``x``, ``y``, ``friends`` and ``time``."""
    places = frame.select("x", "y").to_numpy()
    times = np.array([np.inf if each is None else each for each in frame["time"].to_list()])
    is_spy = frame["is_spy"].to_numpy() if "is_spy" in frame.columns else np.zeros(len(times), dtype=bool)
    edges = [
        (node, friend)
        for node, each in enumerate(frame["friends"].to_list())
        for friend in each
        if node < friend
    ]
    order = np.sort(times[np.isfinite(times)])
    author = int(times.argmin())
    figure = canvas(len(SHARES), width=12, height=3.55)
    title(figure, "One rumor on its way")
    size = 700 / len(times) + 6
    for axes, share in zip(figure.axes, SHARES, strict=True):
        moment = order[max(0, int(np.ceil(share * len(order))) - 1)]
        has = times <= moment
        lines = places[np.array(edges)]
        axes.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.5, zorder=1))
        if "teller" in frame.columns:
            told = [
                (node, teller)
                for node, teller in enumerate(frame["teller"].to_list())
                if has[node] and teller is not None and teller >= 0
            ]
            if told:
                axes.add_collection(
                    LineCollection(places[np.array(told)], colors=_HAS, linewidths=0.9, alpha=0.7, zorder=2)
                )
        for mask, ink in (
            (~has & ~is_spy, "#b9c0c7"),
            (~has & is_spy, "#eab38f"),
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
        panel_title(axes, f"t = {moment:.2g}: {has.sum():,} of {len(times):,} have it")
    first = figure.axes[0]
    first.annotate("author", places[author], (7, 7), textcoords="offset points", fontsize=9, color=INK)
    handles = [
        first.scatter([], [], s=30, color=ink, label=text)
        for ink, text in ((_HAS, "has it"), (_SPY, "spy that has it"), ("#b9c0c7", "not yet"))
        if text != "spy that has it" or is_spy.any()
    ]
    figure.legend(handles=handles, loc="upper right", ncols=3, frameon=False, fontsize=9, labelcolor=QUIET)
    return figure


PLOT = Plot(
    name="spreading", title="One rumor on its way", needs=("x", "y", "friends", "time"), draw=draw, place=50
)
