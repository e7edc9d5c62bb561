"""Estimators: how much each one makes of each scheme, so that nobody trusts a defence for a weak attack.

One line a scheme, one dot an estimator, at one share of spies; the bar is the interval. The dotted line is the share of
spies, which no scheme can be below whose relays see what they pass on.
"""

from typing import Any

import polars
from matplotlib.figure import Figure
from polars import DataFrame

from . import Plot
from .cells import cells, in_words, one_world
from .style import FAINT, HALO, INK, PAPER, canvas, colour, dark, panel_title, title

__all__ = ["PLOT", "draw"]

#: The share of spies that is shown is the one nearest to this.
SPIES = 0.1
#: Points of a letter of a name, and of the height between two.
_LETTER, _UP = 5.0, 9.0


def draw(frame: DataFrame) -> Figure:
    """Needs ``scheme``, ``estimator``, ``spies`` and ``p_named``."""
    asked = frame.drop_nulls(["estimator", "p_named"])
    # Each estimator by itself: of several in one cell only the strongest would be left.
    each = polars.concat(
        [
            cells(part).with_columns(polars.lit(str(name)).alias("by"))
            for (name,), part in asked.group_by("estimator", maintain_order=True)
        ],
        how="diagonal",
    )
    world, each = one_world(each)
    spies = min(each["spies"].unique().sort().to_list(), key=lambda share: abs(share - SPIES))
    each = each.filter(polars.col("spies") == spies)
    schemes = each["scheme"].unique(maintain_order=True).to_list()
    figure = canvas(width=8.2, height=1.6 + 0.62 * len(schemes))
    title(figure, "What each estimator makes of each scheme")
    (axes,) = figure.axes
    panel_title(axes, ", ".join(filter(None, [in_words(spies), world])))
    axes.set_xlim(-0.015, 1.015)
    axes.set_ylim(len(schemes) - 0.35, -0.65)
    axes.set_yticks(range(len(schemes)), schemes)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.set_xlabel("Author named")
    axes.grid(axis="y", color=FAINT)
    axes.axvline(spies, color=INK, linewidth=1.2, linestyle=(0, (1, 1.6)), zorder=1)
    for line, scheme in enumerate(schemes):
        _line(axes, line, each.filter(scheme=scheme).sort("p_named"), colour(str(scheme)))
    return figure


def _line(axes: Any, line: int, rows: DataFrame, ink: str) -> None:
    """The dots of one scheme, with their names above and below them in turn."""
    ends = {1: -1e9, -1: -1e9}
    width = 72 * axes.figure.get_figwidth() * 0.8
    for row in rows.iter_rows(named=True):
        share = row["p_named"]
        axes.plot([row["low"], row["high"]], [line, line], color=ink, linewidth=1.4, alpha=0.6, zorder=2)
        axes.plot([share], [line], marker="o", markersize=6, color=ink, markeredgecolor=PAPER, zorder=3)
        half = len(row["by"]) * _LETTER / 2
        # Near the right edge a name ends at its dot.
        left = min(share * width - half, width - 2 * half)
        side = min(ends, key=lambda side: (left < ends[side], ends[side] if left < ends[side] else -side))
        left = max(left, ends[side])
        ends[side] = left + 2 * half + _LETTER
        axes.annotate(
            row["by"],
            (share, line),
            (left + half - share * width, side * _UP),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8.5,
            color=dark(ink),
            annotation_clip=False,
            bbox=HALO,
        )


PLOT = Plot(
    name="estimators",
    title="What each estimator makes of each scheme",
    needs=("scheme", "estimator", "spies", "p_named"),
    draw=draw,
    place=15,
)
