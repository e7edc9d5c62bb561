"""Talk in tables: what replies and hearts give away, and what several replies under one persona do.

Printed from the tables of the sweeps ``talk``, ``personas`` and, for secrets alone, ``onions-real``:

    python -m rumor.sim.results.talk talk.parquet personas.parquet onions-real.parquet

They are those of docs/simulator.md. Of a cell all worlds are counted together; intervals are Wilson's.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..metrics import wilson
from .table import read

__all__ = ["Told", "linked_on_engines", "linked_posts", "markdown", "talk"]

#: How many replies under one persona the tables have.
COUNTS: Final = (1, 2, 5, 10)
#: Of secrets: the prefix of the columns, and the one of how many there were. Not of whichever estimator named more:
#: with few posts that would be chance.
SECRETS: Final = ("estimators.onion-flow.", "posts_published")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an estimator made of all posts of a cell."""

    count: int
    p_named: float
    p_named_ci95: tuple[float, float]
    sure: float
    """Mean of the largest posterior."""
    effective_set: float | None

    @classmethod
    def of(cls, rows: Iterable[Row], prefix: str, counted: str) -> "Told | None":
        """From the columns that begin with ``prefix``; None if there was nothing."""
        told = [row for row in rows if row.get(counted) and row.get(f"{prefix}p_named") is not None]
        if not told:
            return None
        counts = [int(row[counted]) for row in told]
        total = sum(counts)

        def mean(name: str) -> float:
            return (
                sum(float(row[prefix + name]) * count for row, count in zip(told, counts, strict=True))
                / total
            )

        sets = all(row.get(prefix + "effective_set") is not None for row in told)
        return cls(
            count=total,
            p_named=mean("p_named"),
            p_named_ci95=wilson(mean("p_named") * total, total),
            sure=mean("expected_max_posterior"),
            effective_set=mean("effective_set") if sets else None,
        )


def talk(rows: Sequence[Row]) -> str:
    """Secrets alone and amid talk, and what is said about them, on real engines."""
    lines = []
    for nodes, spies, cell in _cells(row for row in rows if row["kind"] == "run"):
        amid = [row for row in cell if row.get("hearts")]
        alone = [row for row in cell if not row.get("replies") and not row.get("hearts")]
        kinds = [
            Told.of(alone, *SECRETS),
            Told.of(amid, *SECRETS),
            Told.of(amid, "talk.replies.", "talk.replies.count"),
            Told.of(amid, "talk.hearts.", "talk.hearts.count"),
        ]
        if not amid:
            continue
        sure = " / ".join(_short(each.sure) if each else "–" for each in kinds)
        lines.append([str(nodes), f"{spies:g}", *map(_named, kinds), sure])
    return _table(
        [
            "members",
            "spies",
            "secrets alone",
            "secrets amid talk",
            "replies",
            "hearts",
            "how sure of the four",
        ],
        lines,
    )


def linked_posts(rows: Sequence[Row]) -> str:
    """Posts that are known to be of one author, in compiled code."""
    lines = []
    for nodes, spies, cell in _cells(row for row in rows if row["kind"] == "spread" and row.get("linked")):
        told = [Told.of((row for row in cell if row["linked"] == count), "", "runs") for count in COUNTS]
        sure = " / ".join(_short(each.sure) if each else "–" for each in told)
        sets = " / ".join(
            f"{each.effective_set:.0f}" if each and each.effective_set else "–" for each in told
        )
        lines.append([str(nodes), f"{spies:g}", *map(_named, told), sure, sets])
    head = [f"{count} {'post' if count == 1 else 'linked'}" for count in COUNTS]
    return _table(["members", "spies", *head, "how sure", "effective set"], lines)


def linked_on_engines(rows: Sequence[Row]) -> str:
    """Replies under one persona on real engines, multiplied and with lasting ways."""
    lines = []
    for nodes, spies, cell in _cells(row for row in rows if row.get("replies_each")):
        for name, words in (("linked", "fresh"), ("lasting", "lasting")):
            told = [Told.of(cell, f"talk.{name}.{count}.", f"talk.{name}.{count}.count") for count in COUNTS]
            lines.append([str(nodes), f"{spies:g}", words, *map(_named, told), *_sureness(told)])
    head = [f"{count} {'reply' if count == 1 else 'replies'}" for count in COUNTS]
    return _table(["members", "spies", "ways", *head, "how sure", "effective set"], lines)


def markdown(rows: Sequence[Row]) -> str:
    """All tables that there are rows for."""
    tables = (talk(rows), linked_posts(rows), linked_on_engines(rows))
    return "\n\n".join(each for each in tables if each)


def _cells(rows: Iterable[Row]) -> list[tuple[int, float, list[Row]]]:
    cells: dict[tuple[int, float], list[Row]] = {}
    for row in rows:
        cells.setdefault((int(row["nodes"]), float(row["spies"])), []).append(row)
    return [(nodes, spies, cells[nodes, spies]) for nodes, spies in sorted(cells)]


def _table(head: list[str], lines: list[list[str]]) -> str:
    if not lines:
        return ""
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))


def _named(told: Told | None) -> str:
    if told is None:
        return "–"
    low, high = told.p_named_ci95
    return f"{_short(told.p_named)} ({_short(low)}–{_short(high)}), {told.count:,}"


def _sureness(told: Sequence[Told | None]) -> tuple[str, str]:
    """The last two columns: how sure spies are, and in how large a set they see an author."""
    sure = " / ".join(_short(each.sure) if each else "–" for each in told)
    sets = " / ".join(f"{each.effective_set:.0f}" if each and each.effective_set else "–" for each in told)
    return sure, sets


def _short(value: float) -> str:
    if value < 1e-9:
        return "0"
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Print what talk gives away.")
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE.parquet")
    given = parser.parse_args()
    print(markdown([row for path in given.tables for row in read(path).to_dicts()]))


if __name__ == "__main__":
    main()
