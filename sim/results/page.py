"""The page: a table of results as one HTML file with all its pictures, which asks nobody for anything.

It follows the reader's choice of light or dark, can be printed, and names the command that makes it again. A policy in
its head forbids the browser every request.
"""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .files import put
from .table import Origin

if TYPE_CHECKING:
    import polars
    from matplotlib.figure import Figure

    from .plots import Plot

__all__ = ["baseline", "page", "write_page"]

#: Columns of the long table, as far as there are values, with what they are called.
COLUMNS: Final = {
    "graph": "graph",
    "nodes": "nodes",
    "scheme": "scheme",
    "estimator": "estimator",
    "spies": "spies",
    "route_length": "k",
    "bytes_per_day": "budget, bytes a day",
    "p_named": "named",
    "p_named_ci95": "95 % interval",
    "expected_max_posterior": "largest posterior",
    "precision": "precision",
    "recall": "recall",
    "top5": "in the first five",
    "entropy_bits": "entropy, bits",
    "min_entropy_bits": "min-entropy, bits",
    "effective_set": "effective set",
    "worst_off_p_named": "worst off",
    "latency_p50_s": "wait, s",
    "latency_p95_s": "wait of 95 %, s",
    "coverage_t50": "50 % reached",
    "coverage_t99": "99 % reached",
    "coverage_t50_s": "50 % reached, s",
    "coverage_t99_s": "99 % reached, s",
    "sends_per_node": "sends a node",
    "bytes_per_node_day": "bytes a node and day",
    "delivered_fraction": "delivered",
    "runs": "runs",
    "posts": "posts",
    "seed": "seed",
}
SHARES: Final = frozenset(
    {
        "spies",
        "p_named",
        "expected_max_posterior",
        "precision",
        "recall",
        "top5",
        "delivered_fraction",
        "worst_off_p_named",
    }
)
#: Rows of the long table; a browser shows more only slowly.
ROWS_MAX: Final = 2_000

#: What defends nobody, and how often an estimator must name the author there, at which share of spies.
UNDEFENDED: Final = "flood"
BROKEN: Final = 0.5
BROKEN_AT: Final = 0.1

#: Plots with their pictures.
Drawn = Sequence[tuple["Plot", "Figure"]]

STYLE: Final = Path(__file__).with_name("page.css")


def page(frame: "polars.DataFrame", origin: Origin, heading: str, drawn: Drawn | None = None) -> str:
    """The page of a table as text; with pictures that were drawn before, or all that the table has the columns for."""
    from .plots import drawable
    from .plots.style import inline

    figures = [
        f'<figure role="img" aria-label="{html.escape(plot.title)}">{inline(figure, plot.name)}</figure>'
        for plot, figure in drawn or [(plot, plot.figure(frame)) for plot in drawable(frame)]
    ]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(heading)}</title><style>{STYLE.read_text()}</style></head><body>",
        f"<header><h1>{html.escape(heading)}</h1><p class=quiet>{_summary(frame)}</p></header><main>",
        *figures,
        _named(frame),
        f"<h2>Everything that was measured</h2>{_rows(frame)}",
        "<h2>To make it again</h2>",
        f"<pre>{html.escape(origin.command)}</pre>",
        f"<details><summary>The sweep</summary><pre>{html.escape(origin.scenario)}</pre></details>",
        f"</main><footer><p>Made by rumor {html.escape(origin.program)} with the seed {origin.seed}. Intervals are "
        "those of Wilson (1927) for as many posts; posts of one world share its graph and its spies.</p></footer>",
        "</body></html>",
    ]
    return "\n".join(parts)


def write_page(
    path: Path, frame: "polars.DataFrame", origin: Origin, heading: str, drawn: Drawn | None = None
) -> None:
    """Writes the page of a table. Raises ``ResultsError``."""
    put(path, page(frame, origin, heading, drawn).encode())


def _summary(frame: "polars.DataFrame") -> str:
    frame = _measured(frame)
    words = [f"{frame.height:,} row{'s' * (frame.height != 1)}"]
    for name, noun in (("runs", "runs"), ("posts", "posts")):
        if name in frame.columns and frame[name].sum():
            words.append(f"{int(frame[name].sum()):,} {noun}")
    if "graph" in frame.columns:
        words += [
            html.escape(str(graph)) for graph in frame["graph"].drop_nulls().unique(maintain_order=True)[:4]
        ]
    return ", ".join(words)


def _measured(frame: "polars.DataFrame") -> "polars.DataFrame":
    """The rows that say how often authors were named, if any do; others are there for a picture."""
    told = frame.drop_nulls("p_named") if "p_named" in frame.columns else frame.clear()
    return told if told.height else frame


def _named(frame: "polars.DataFrame") -> str:
    """P(named) as a table of schemes and shares of spies, one for each world."""
    if (
        not {"scheme", "spies", "p_named"} <= set(frame.columns)
        or frame["p_named"].null_count() == frame.height
    ):
        return ""
    from .plots.cells import cells, worlds

    parts = []
    for world, part in worlds(cells(frame)):
        shares = part["spies"].unique().sort().to_list()
        variants = [
            name
            for name in ("route_length", "bytes_per_day")
            if name in part.columns and part[name].n_unique() > 1
        ]
        head = "".join(f"<th>{100 * share:.3g} % spies" for share in shares)
        lines = []
        for key, line in part.group_by(["scheme", *variants], maintain_order=True):
            found = {row["spies"]: row for row in line.iter_rows(named=True)}
            more = [f"{COLUMNS[one]} {each:,}" for one, each in zip(variants, key[1:], strict=True)]
            name = ", ".join([str(key[0]), *more])
            lines.append(
                f"<tr><td class=text>{html.escape(name)}"
                + "".join("<td>–" if share not in found else _share(found[share]) for share in shares)
            )
        parts.append(
            f"<h2>How often the author is named{html.escape(world and ': ' + world)}</h2><div class=scroll><table>"
            f"<thead><tr><th class=text>scheme{head}</thead><tbody>{''.join(lines)}</tbody></table></div>"
        )
    parts += [f"<p>{html.escape(sentence)}</p>" for sentence in baseline(frame)]
    return "".join(parts)


def _share(row: dict[str, Any]) -> str:
    by = row.get("asked")
    return (
        f"<td>{100 * row['p_named']:.3g} %<br><small>{100 * row['low']:.3g} – {100 * row['high']:.3g}"
        f"{'<br>' + html.escape(by) if by else ''}</small>"
    )


def baseline(frame: "polars.DataFrame") -> list[str]:
    """Which estimators break what is not defended at all, in sentences: who cannot proves nothing about a defence."""
    import polars

    from .plots.cells import in_words, share_of_spies

    if not {"kind", "scheme", "spies", "estimator", "p_named"} <= set(frame.columns):
        return []
    told = frame.filter(kind="spread").with_columns(share_of_spies(frame).alias("spies"))
    told = told.drop_nulls(["spies", "p_named", "estimator"])
    bare = told.filter(scheme=UNDEFENDED)
    if not bare.height:
        return []
    at = min(bare["spies"].unique().sort().to_list(), key=lambda share: abs(share - BROKEN_AT))
    shares = dict(
        bare.filter(spies=at).group_by("estimator").agg(polars.col("p_named").mean()).sort("estimator").rows()
    )
    sentences = []
    breaks = [f"{name} ({_percent(share)})" for name, share in shares.items() if share > BROKEN]
    fails = [f"{name} ({_percent(share)})" for name, share in shares.items() if share <= BROKEN]
    if breaks:
        sentences.append(
            f"Where nothing is defended, in {UNDEFENDED} with {in_words(at)}, over half of the authors are named by "
            f"{_and(breaks)}."
        )
    if fails:
        sentences.append(
            f"With {in_words(at)}, {_and(fails)} cannot break even the undefended {UNDEFENDED}, so a scheme that only "
            f"{'this estimator' if len(fails) == 1 else 'these estimators'} failed against is not shown to be any good."
        )
    others = told["estimator"].unique().sort().to_list()
    apart = [name for name in others if name not in shares]
    if apart:
        sentences.append(
            f"Made for one scheme, and not asked of {UNDEFENDED}: {_and(apart)}. What they have to reach is the share "
            "of spies, below which no scheme can be whose relays see what they pass on."
        )
    return sentences


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _rows(frame: "polars.DataFrame") -> str:
    frame = _measured(frame)
    names = [name for name in COLUMNS if name in frame.columns and frame[name].null_count() < frame.height]
    texts = {name for name in names if str(frame.schema[name]) == "String"}
    head = "".join(f"<th{' class=text' * (name in texts)}>{html.escape(COLUMNS[name])}" for name in names)
    lines = [
        "<tr>" + "".join(f"<td{' class=text' * (name in texts)}>{_cell(name, row[name])}" for name in names)
        for row in frame.select(names).head(ROWS_MAX).iter_rows(named=True)
    ]
    more = f"<p class=quiet>and {frame.height - ROWS_MAX:,} rows more</p>" if frame.height > ROWS_MAX else ""
    return f"<div class=scroll><table><thead><tr>{head}</thead><tbody>{''.join(lines)}</tbody></table></div>{more}"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return " – ".join(f"{100 * each:.3g}" for each in value) + " %"
    if isinstance(value, float):
        return (
            f"{100 * value:.3g} %"
            if name in SHARES
            else (f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}")
        )
    if isinstance(value, int) and not isinstance(value, bool) and name != "seed":
        return f"{value:,}"
    return html.escape(str(value))
