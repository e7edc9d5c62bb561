"""Onions against the strongest estimator: real engines beside compiled code, and what other schemes give away.

Drawn from the tables of the sweeps ``onions``, ``onions-real`` and ``onions-friends`` together, and so a program of its
own and no ``PLOT``:

    python -m rumor.sim.results.plots.onions onions.parquet onions-real.parquet --out docs

writes ``onions.svg``, a panel for each size of mesh, and ``why-onions.svg``, one picture for somebody who hears of all
this for the first time, and prints the table that docs/simulator.md has. Of a run the estimator of the flow counts, and
not whichever named more: with few posts that would be chance.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars
from matplotlib.figure import Figure
from polars import DataFrame

from ..files import put
from ..table import read
from .cells import cells
from .named import bound_of_onions
from .style import (
    COLOURS,
    FAINT,
    INK,
    PAPER,
    QUIET,
    canvas,
    colour,
    dark,
    label_ends,
    panel_title,
    picture,
    share_axis,
    title,
)

__all__ = ["draw", "draw_why", "joined", "markdown", "of_both_inks"]

#: Relays of the onions that are shown.
ROUTE_LENGTH: Final = 3
#: Of which size of mesh the one picture is.
SHOWN_NODES: Final = 1_000
#: On dark paper: ink, paper, faint lines, what is read second, and the one line that would be too dark there.
NIGHT: Final = {
    INK: "#e6e9ee",
    PAPER: "#14171c",
    FAINT: "#2c323a",
    QUIET: "#98a1ab",
    COLOURS["stem"]: "#4d94dd",
}
_DOTTED: Final = (0, (1, 1.6))


def joined(frames: Sequence[DataFrame]) -> DataFrame:
    """The cells of several tables.

    Its columns: ``kind``, ``graph`` without its numbers, ``nodes``, ``scheme``, ``spies``, ``p_named`` with ``low`` and
    ``high``, ``count``, and the mean largest posterior as ``sure``.
    """
    parts = []
    for frame in frames:
        names = {"p_named": "p_named", "expected_max_posterior": "sure"}
        whole = [
            polars.coalesce(
                *(name for name in (f"estimators.onion-flow.{field}", field) if name in frame.columns)
            ).alias(column)
            for field, column in names.items()
        ]
        part = cells(frame.with_columns(whole), keep=("sure",))
        parts.append(
            part.select(
                "kind",
                polars.col("graph").str.replace(":n=.*", ""),
                polars.col("nodes").cast(polars.Int64),
                "scheme",
                "spies",
                "p_named",
                "low",
                "high",
                polars.col("count").cast(polars.Int64),
                "sure",
            )
        )
    return polars.concat(parts)


def _floor(spies: Any, nodes: float) -> Any:
    """A guess among the honest members."""
    return 1 / (nodes - np.round(np.asarray(spies) * nodes))


def draw(table: DataFrame) -> Figure:
    """A panel for each size of mesh that has onions; graphs from elsewhere are in the table alone."""
    table = table.filter(~polars.col("graph").str.contains(":"))
    onions = table.filter(polars.col("scheme") == "onion")
    worlds = onions.select("graph", "nodes").unique(maintain_order=True).rows()
    columns = min(2, len(worlds))
    rows = -(-len(worlds) // columns)
    figure = canvas(columns, rows, width=9.6, height=0.6 + 3.4 * rows, sharey=True)
    title(figure, "How often spies name the author: real engines and compiled code")
    for axes, (graph, nodes) in zip(figure.axes, worlds, strict=False):
        share_axis(axes, 6e-4, 1)
        panel_title(axes, f"{graph}, {nodes:,} members")
        own = table.filter(polars.col("graph") == graph, polars.col("nodes") == nodes)
        _panel(axes, own, nodes)
    for axes in figure.axes[len(worlds) :]:
        axes.set_visible(False)
    figure.axes[0].annotate(
        "■ real engines, with 95 %\n□ how sure they were",
        (0.05, 0.00075),
        color=dark(colour("onion")),
        fontsize=9,
        va="bottom",
    )
    return figure


def _panel(axes: Any, own: DataFrame, nodes: int) -> None:
    shares = np.linspace(0.05, 0.3, 60)
    axes.set_xlim(0.04, 0.308)
    axes.set_xticks([0.05, 0.1, 0.2, 0.3], ["5 %", "10 %", "20 %", "30 %"])
    axes.set_xlabel("Spies among the members")
    floor = 1 / ((1 - shares) * nodes)
    bound = bound_of_onions(shares, nodes, ROUTE_LENGTH)
    axes.plot(shares, shares, color=INK, linewidth=1.2, linestyle=_DOTTED)
    axes.plot(shares, floor, color=QUIET, linewidth=1.2, linestyle=_DOTTED)
    axes.plot(shares, bound, color=colour("onion"), linewidth=1.2, linestyle=_DOTTED)
    labels = [
        (0.3, 0.3, "least without onions", QUIET),
        (0.3, float(floor[-1]), "a guess", QUIET),
        (0.3, float(bound[-1]), "least with onions", QUIET),
    ]
    for scheme, name in (("stem", "stem"), ("onion", "onions")):
        line = own.filter(polars.col("scheme") == scheme, polars.col("kind") == "spread").sort("spies")
        if line.height:
            _line(axes, line, colour(scheme))
            labels.append((0.3, line["p_named"][-1], f"{name}, compiled", colour(scheme)))
    real = own.filter(polars.col("scheme") == "onion", polars.col("kind") == "run").sort("spies")
    if real.height:
        # Beside the compiled ones, so that both can be seen.
        x = real["spies"].to_numpy() + 0.004
        low, high = (real[name].to_numpy() for name in ("low", "high"))
        ink = dark(colour("onion"))
        axes.vlines(x, np.maximum(low, 1e-9), high, color=ink, linewidth=1.4)
        axes.plot(x, real["p_named"], "s", color=ink, markersize=5.5, zorder=4)
        axes.plot(x, real["sure"], "s", markeredgecolor=ink, markerfacecolor=PAPER, markersize=5.5, zorder=5)
    label_ends(axes, labels)


def _line(axes: Any, line: DataFrame, ink: str) -> None:
    x, y = line["spies"].to_numpy(), line["p_named"].to_numpy()
    low, high = (line[name].to_numpy() for name in ("low", "high"))
    axes.fill_between(x, np.maximum(low, 1e-9), high, color=ink, alpha=0.18, linewidth=0)
    marks: dict[str, Any] = {"marker": "o", "markersize": 5, "markeredgecolor": PAPER, "markeredgewidth": 0.8}
    axes.plot(x, y, color=ink, zorder=3, clip_on=False, **marks)


def draw_why(table: DataFrame, nodes: int = SHOWN_NODES) -> Figure:
    """Why a stem is not enough, and what onions buy."""
    own = table.filter(polars.col("nodes") == nodes, polars.col("kind") == "spread").sort("spies")
    shares = np.linspace(0.05, 0.3, 60)
    figure = canvas(width=8.2, height=4.5)
    (axes,) = figure.axes
    title(
        figure,
        "How often spies who work together name the author",
        f"A mesh of {nodes:,} members, 8 friends each",
    )
    share_axis(axes, 6e-4, 1.15)
    axes.set_xlim(0.045, 0.3)
    axes.set_xticks([0.05, 0.1, 0.2, 0.3], ["5 %", "10 %", "20 %", "30 %"])
    axes.set_xlabel("Spies among the members")
    floor = 1 / ((1 - shares) * nodes)
    axes.fill_between(shares, shares, 1e-9, color=QUIET, alpha=0.09, linewidth=0)
    axes.plot(shares, shares, color=INK, linewidth=1.3, linestyle=_DOTTED)
    axes.plot(shares, floor, color=QUIET, linewidth=1.3, linestyle=_DOTTED)
    axes.annotate(
        "below the dotted line no scheme can get\nin which who passes a post on can read it",
        (0.0525, 0.023),
        color=QUIET,
        fontsize=9.5,
        va="center",
    )
    labels = [(0.3, float(floor[-1]), "a guess among\nthe honest", QUIET)]
    names = {
        "flood": "flooding",
        "dandelion": "Dandelion++",
        "stem": "Rumor’s stem alone",
        "onion": "Rumor’s onions",
    }
    for scheme, name in names.items():
        line = own.filter(polars.col("scheme") == scheme)
        if line.height:
            _line(axes, line, colour(scheme))
            labels.append((0.3, line["p_named"][-1], name, colour(scheme)))
    label_ends(axes, labels)
    return figure


def of_both_inks(svg: str) -> bytes:
    """The picture with night colours for readers whose screen is dark."""
    night = dict(NIGHT)
    for ink in COLOURS.values():
        # Letters are darker than their lines, which thin letters on dark paper must not be.
        night[dark(ink)] = NIGHT.get(ink, ink)
    rules = [
        f'[style*="{part}: {day}"]{{{part}:{dim} !important}}'
        for day, dim in night.items()
        for part in ("fill", "stroke")
    ]
    style = f"<style>@media (prefers-color-scheme: dark){{{''.join(rules)}}}</style>"
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r"(<svg[^>]*>)", rf"\1{style}", svg, count=1).encode()


def markdown(table: DataFrame) -> str:
    """The rows of the table in docs/simulator.md."""
    onions = table.filter(polars.col("scheme") == "onion")
    lines = []
    keys = ["graph", "nodes", "spies"]
    for key in onions.select(keys).unique(maintain_order=True).sort("nodes", "spies").rows():
        graph, nodes, spies = key
        named = {
            (row["kind"], row["scheme"]): row
            for row in table.iter_rows(named=True)
            if (row["graph"], row["nodes"], row["spies"]) == key
        }
        real, quick, stem = (
            named.get(each) for each in (("run", "onion"), ("spread", "onion"), ("spread", "stem"))
        )
        fields = [
            f"{nodes:,}" if graph == "powerlaw-cluster" else f"`{graph}`, {nodes:,}",
            f"{spies:g}",
            _short(float(_floor(spies, nodes))),
            _short(float(bound_of_onions(spies, nodes, ROUTE_LENGTH))),
            _measured(real),
            _measured(quick),
            _short(real["sure"]) if real else "",
            _short(quick["sure"]) if quick else "",
            _short(stem["p_named"]) if stem else "",
        ]
        lines.append(f"| {' | '.join(fields)} |")
    return "\n".join(lines)


def _measured(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{_short(row['p_named'])} ({_short(row['low'])}–{_short(row['high'])}), {row['count']:,}"


def _short(value: float) -> str:
    if value < 1e-9:
        return "0"
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the onions against the strongest estimator.")
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE.parquet")
    parser.add_argument("--out", type=Path, required=True, help="The folder for the pictures.")
    given = parser.parse_args()
    table = joined([read(path) for path in given.tables])
    for name, figure in (("onions", draw(table)), ("why-onions", draw_why(table))):
        put(given.out / f"{name}.svg", of_both_inks(picture(figure, "svg").decode()))
    print(markdown(table))


if __name__ == "__main__":
    main()
