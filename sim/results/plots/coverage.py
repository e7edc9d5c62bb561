"""Coverage: which share of the honest members has a post, over time.

A row has the curve as a list, ``coverage_curve``: entry i of n is when a share (i + 1)/n had the post, counted from
when its author sent it, in seconds (kind ``run``) or in mean delays of a hop (``spread``). Of several rows of a scheme
the mean is drawn. The bar is from the first to the last quartile of packets, if the row has these as
``coverage_curve_low`` and ``coverage_curve_high``.
"""

from typing import Any

import numpy as np
import polars
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .cells import one_world
from .style import HALO, PAPER, canvas, colour, dark, panel_title, title

__all__ = ["PLOT", "draw"]


def draw(frame: DataFrame) -> Figure:
    """Needs ``scheme`` and ``coverage_curve``."""
    world, frame = one_world(frame.drop_nulls("coverage_curve"))
    figure = canvas(width=7.8, height=4.4)
    title(figure, "How fast a post reaches everybody")
    (axes,) = figure.axes
    panel_title(
        axes, ", ".join(filter(None, [world, "the median of packets; a bar has the middle half of them"]))
    )
    middles, bars = {}, {}
    for (scheme,), rows in frame.group_by("scheme", maintain_order=True):
        middle = _mean(rows["coverage_curve"])
        shares = np.arange(1, len(middle) + 1) / len(middle)
        ink = colour(str(scheme))
        if {"coverage_curve_low", "coverage_curve_high"} <= set(rows.columns):
            bars[str(scheme)] = _mean(rows["coverage_curve_low"]), _mean(rows["coverage_curve_high"])
        axes.plot(middle, shares, color=ink, zorder=3)
        middles[str(scheme)] = middle
    latest = max(
        float(np.nanmax(each))
        for each in [*middles.values(), *(high[: len(high) * 9 // 10] for _, high in bars.values())]
    )
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
            (9, 9),
            textcoords="offset points",
            color=dark(ink),
            fontsize=9.5,
            va="center",
            bbox=HALO,
        )
        if name in bars:
            ends = [float(np.interp(y, np.arange(1, len(end) + 1) / len(end), end)) for end in bars[name]]
            axes.plot(ends, [y, y], color=ink, linewidth=1.4, alpha=0.55, marker="|", markersize=7, zorder=2)
        axes.plot([x], [y], marker="o", markersize=5, color=ink, markeredgecolor=PAPER, zorder=4)
    return figure


def _mean(curves: polars.Series) -> "np.ndarray[Any, Any]":
    """The mean of curves; where some never got so far, of the others."""
    values = np.array(curves.to_list(), dtype=float)
    values[~np.isfinite(values)] = np.nan
    mean: np.ndarray[Any, Any] = np.nanmean(values, axis=0)
    return mean


PLOT = Plot(
    name="coverage",
    title="How fast a post reaches everybody",
    needs=("scheme", "coverage_curve"),
    draw=draw,
    place=30,
)
