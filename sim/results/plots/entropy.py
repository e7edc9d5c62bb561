"""Entropy: how unsure the adversary stays, post by post, and who is the worst off.

A row has both as lists of quantiles, so that a table stays small whatever was run: from the least to the largest, in
equal steps. ``entropy_quantiles`` are over posts, in bits; ``user_named_quantiles`` over users: how often each was
named, as far as it can be told from chance. Of several estimators the surest one counts on the left, if it is not too
sure, and the one that names most on the right.
"""

import math
from typing import Any

import numpy as np
import polars
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .cells import in_words, one_world, strongest, surest
from .style import FAINT, HALO, QUIET, canvas, colour, dark, label_ends, panel_title, title

__all__ = ["PLOT", "draw"]

SPIES = 0.2


def draw(frame: DataFrame) -> Figure:
    """Needs the two lists, ``scheme``, ``spies`` and ``p_named``; shows the share of spies nearest to 0.2."""
    frame = frame.drop_nulls(["entropy_quantiles", "user_named_quantiles"])
    world, named_rows = one_world(strongest(frame))
    spies = min(named_rows["spies"].unique().sort().to_list(), key=lambda share: abs(share - SPIES))
    named_rows = named_rows.filter(polars.col("spies") == spies)
    frame = one_world(surest(frame))[1].filter(polars.col("spies") == spies)
    of = ", ".join(filter(None, [in_words(spies), world]))
    figure = canvas(2, width=11, height=4.6)
    title(figure, "How unsure the spies stay, and who is the worst off")
    left, right = figure.axes
    panel_title(left, f"Posts: how unsure spies are who wrote them; {of}")
    panel_title(right, f"Users, from the safest to the worst off; {of}")
    labels: list[tuple[float, float, str, str]] = []
    for (scheme,), rows in frame.group_by("scheme", maintain_order=True):
        bits = _mean(rows["entropy_quantiles"])
        left.plot(bits, _shares(bits), color=colour(str(scheme)), clip_on=False)
    for (scheme,), rows in named_rows.group_by("scheme", maintain_order=True):
        named, ink = _mean(rows["user_named_quantiles"]), colour(str(scheme))
        right.plot(_shares(named), named, color=ink, clip_on=False)
        labels.append((1.0, float(named[-1]), str(scheme), ink))
    if "nodes" in frame.columns:
        best = math.log2(float(frame["nodes"].max()))  # type: ignore[arg-type]
        left.axvline(best, color=QUIET, linewidth=1.2, linestyle=(0, (1, 1.6)))
        left.annotate(
            "spies know nothing",
            (best, 0.5),
            (4, 0),
            textcoords="offset points",
            rotation=90,
            va="center",
            fontsize=9,
            color=QUIET,
        )
        left.set_xlim(-0.01 * best, best * 1.06)
    left.set_ylim(0, 1.02)
    left.set_ylabel("Posts that are hidden no better")
    left.set_xlabel("Entropy of the adversary's belief, in bits")
    right.set_xlim(0, 1)
    right.set_ylim(0, 1.02)
    right.set_xlabel("Share of users")
    right.set_ylabel("How often this user is named")
    for axis in (left.yaxis, right.xaxis, right.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    right.grid(axis="y", color=FAINT)
    _name_left(left, frame)
    label_ends(right, labels)
    return figure


def _mean(quantiles: polars.Series) -> "np.ndarray[Any, Any]":
    means: np.ndarray[Any, Any] = np.nanmean(np.array(quantiles.to_list(), dtype=float), axis=0)
    return means


def _shares(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return np.linspace(0, 1, len(values))


def _name_left(axes: Any, frame: DataFrame) -> None:
    """Each line is named at a height of its own."""
    means = {
        str(scheme): _mean(rows["entropy_quantiles"])
        for (scheme,), rows in frame.group_by("scheme", maintain_order=True)
    }
    order = sorted(means, key=lambda name: float(means[name].mean()))
    for place, name in enumerate(order):
        share = 0.88 - 0.7 * (place + 0.5) / len(order)
        x = float(np.interp(share, _shares(means[name]), means[name]))
        # Beside the axis there is no room to the left.
        is_near = x < 0.12 * axes.get_xlim()[1]
        axes.annotate(
            name,
            (x, share),
            (8 if is_near else -8, 2),
            textcoords="offset points",
            ha="left" if is_near else "right",
            va="center",
            fontsize=9.5,
            color=dark(colour(name)),
            bbox=HALO,
        )


PLOT = Plot(
    name="entropy",
    title="How unsure the spies stay, and who is the worst off",
    needs=("scheme", "spies", "p_named", "entropy_quantiles", "user_named_quantiles"),
    draw=draw,
    place=40,
)
