"""Coverage: which share of the honest members has a post, over time.

A row has the curve as a list, ``coverage_curve``: entry i of n is when a share (i + 1)/n had the post, counted from
when its author sent it, in seconds (kind ``run``) or in mean delays of a hop (``spread``). Of several rows of
a scheme the median is drawn, and the band from the first to the last quartile.
"""

import numpy as np
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .style import HALO, PAPER, canvas, colour, dark, title

__all__ = ["PLOT", "draw"]


def draw(frame: DataFrame) -> Figure:
    """Needs ``scheme`` and ``coverage_curve``."""
    frame = frame.drop_nulls("coverage_curve")
    figure = canvas(width=7.8, height=4.4)
    title(figure, "How fast a post reaches everybody")
    (axes,) = figure.axes
    middles = {}
    for (scheme,), rows in frame.group_by("scheme", maintain_order=True):
        curves = np.array(rows["coverage_curve"].to_list(), dtype=float)
        curves[~np.isfinite(curves)] = np.nan
        shares = np.arange(1, curves.shape[1] + 1) / curves.shape[1]
        low, middle, high = np.nanquantile(curves, [0.25, 0.5, 0.75], axis=0)
        ink = colour(str(scheme))
        if len(curves) > 1:
            axes.fill_betweenx(shares, low, high, color=ink, alpha=0.16, linewidth=0)
        axes.plot(np.append(0, middle), np.append(0, shares), color=ink, zorder=3)
        middles[str(scheme)] = middle
    latest = max(float(np.nanmax(middle)) for middle in middles.values())
    axes.set_xlim(0, latest * 1.03)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    is_real = "kind" in frame.columns and set(frame["kind"]) == {"run"}
    axes.set_xlabel(f"Time since the author sent it, in {'seconds' if is_real else 'mean delays of a hop'}")
    axes.set_ylabel("Members that have it")
    # The slowest is named nearest to the bottom, where lines are farthest from each other.
    order = sorted(middles, key=lambda name: float(np.nanmedian(middles[name])))
    labels = []
    for place, name in enumerate(order):
        share = 0.9 - 0.6 * (place + 0.5) / len(order)
        count = len(middles[name])
        labels.append(
            (
                float(np.interp(share, np.arange(1, count + 1) / count, middles[name])),
                share,
                name,
                colour(name),
            )
        )
    for x, y, name, ink in labels:
        axes.annotate(
            name,
            (x, y),
            (9, -1),
            textcoords="offset points",
            color=dark(ink),
            fontsize=9.5,
            va="center",
            bbox=HALO,
        )
        axes.plot([x], [y], marker="o", markersize=5, color=ink, markeredgecolor=PAPER, zorder=4)
    return figure


PLOT = Plot(
    name="coverage",
    title="How fast a post reaches everybody",
    needs=("scheme", "coverage_curve"),
    draw=draw,
    place=30,
)
