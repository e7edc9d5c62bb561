"""Cells: the rows of a table that differ only by their seed, as one row.

P(named) of a cell is that of all its posts together, with the Wilson interval (1927) of so many. Posts of one world
share its graph and its spies, so the interval is a little too narrow where few worlds have many posts each. Of several
estimators that were asked of the same cell the one that names most counts.
"""

import polars
from polars import DataFrame

from ...metrics.numbers import Z_95

__all__ = [
    "SETTINGS",
    "cells",
    "count_of",
    "in_words",
    "one_world",
    "share_of_spies",
    "strongest",
    "surest",
    "worlds",
]

#: What tells cells apart, as far as a table has it; everything else is measured.
SETTINGS = (
    "kind", "graph", "nodes", "mean_degree", "shape", "scheme", "estimator", "spies", "route_length", "bytes_per_day",
    "delay", "tie", "stem_end", "relay_delay_s", "interval_s", "droppers", "hours",
)  # fmt: skip
#: What a world is, besides the scheme and the spies.
_WORLD = ("kind", "graph", "nodes")
#: What is said of tables with cells of both kinds.
_KINDS = {"run": "real engines", "spread": "compiled"}


def count_of(frame: DataFrame) -> polars.Expr:
    """How many rumors a row stands for."""
    has = [
        polars.col(name).cast(polars.Float64)
        for name in ("runs", "posts_published", "posts")
        if name in frame.columns
    ]
    return polars.coalesce(*has, polars.lit(1.0))


def share_of_spies(frame: DataFrame) -> polars.Expr:
    """The spies of a row as a share; null if it is none. In a text, a number without a point is a count."""
    spies = polars.col("spies")
    if frame.schema["spies"] != polars.String:
        return spies.cast(polars.Float64)
    share = polars.when(spies.str.contains(".", literal=True)).then(spies.cast(polars.Float64, strict=False))
    if {"spy_count", "nodes"} <= set(frame.columns):
        is_count = spies.str.contains(r"^\d+$")
        return share.when(is_count).then(polars.col("spy_count") / polars.col("nodes"))
    return share.otherwise(None)


def cells(frame: DataFrame, *, keep: tuple[str, ...] = ()) -> DataFrame:
    """One row a cell: settings, ``p_named`` with ``low`` and ``high``, ``count``, and means of the columns to keep.

    ``spies`` is a share here; rows whose spies are none (``hubs:0.1``) are left out.
    """
    told, names = _told(frame)
    count, named = polars.col("count"), polars.col("p_named")
    z2 = Z_95**2
    centre = (named + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_95 / (1 + z2 / count) * (named * (1 - named) / count + z2 / (4 * count**2)).sqrt()
    each = (
        told.with_columns(count_of(frame).alias("count"))
        .group_by(names, maintain_order=True)
        .agg(
            (named * count).sum() / count.sum(),
            *(polars.col(name).cast(polars.Float64).mean() for name in keep),
            count.sum(),
            # A run says itself which one was the strongest in it.
            polars.col("asked").drop_nulls().unique().sort().str.join(", "),
        )
        .with_columns((centre - half).clip(0).alias("low"), (centre + half).clip(None, 1).alias("high"))
        .sort("p_named", descending=True, maintain_order=True)
    )
    alike = [name for name in names if name != "estimator"]
    order = list(dict.fromkeys(frame["scheme"].to_list()))
    return each.unique(alike, keep="first", maintain_order=True).sort(
        polars.col("scheme").replace_strict(order, range(len(order)), return_dtype=polars.Int64),
        "spies",
        maintain_order=True,
    )


def _told(frame: DataFrame) -> tuple[DataFrame, list[str]]:
    """The rows that say how often authors were named, and the columns that tell their cells apart."""
    names = [name for name in SETTINGS if name in frame.columns and name != "mean_degree"]
    if frame.schema.get("mean_degree", polars.Float64) != polars.Float64:
        names.append("mean_degree")
    told = frame.with_columns(share_of_spies(frame).alias("spies")).drop_nulls(["spies", "p_named"])
    if "estimator" not in told.columns:
        return told.with_columns(polars.lit(None, polars.String).alias("asked")), names
    asked = polars.col("estimator").cast(polars.String)
    is_run = polars.col("kind") == "run" if "kind" in told.columns else polars.lit(False)
    # A run has asked several already.
    once = polars.when(is_run).then(polars.lit("")).otherwise(asked.fill_null(""))
    return told.with_columns(asked.alias("asked"), once.alias("estimator")), names


def strongest(frame: DataFrame) -> DataFrame:
    """The rows of the estimator that names most in each cell; ``spies`` is a share here."""
    told, names = _told(frame)
    found = cells(frame).select(names)
    return told.join(found, on=names, how="semi", nulls_equal=True, maintain_order="left")


def surest(frame: DataFrame) -> DataFrame:
    """The rows of the estimator that is left with the least entropy in each cell, of those that are not too sure."""
    told, names = _told(frame)
    if "calibrated" in told.columns:
        # Of a scheme that none is calibrated on, all.
        fair = polars.col("calibrated").fill_null(True)
        told = told.filter(fair | ~fair.any().over("scheme"))
    alike = [name for name in names if name != "estimator"]
    least = told.group_by(names).agg(polars.col("entropy_bits").mean()).sort("entropy_bits", *names)
    found = least.unique(alike, keep="first", maintain_order=True).select(names)
    return told.join(found, on=names, how="semi", nulls_equal=True, maintain_order="left")


def in_words(share: float) -> str:
    """A share of spies."""
    return f"{100 * share:.3g} % spies"


def one_world(frame: DataFrame) -> tuple[str, DataFrame]:
    """Of several worlds the one in which most schemes were tried, and of these the largest; named if there are more."""
    parts = worlds(frame)

    def size(part: DataFrame) -> tuple[int, float]:
        nodes = part["nodes"].max() if "nodes" in part.columns else 0
        return part["scheme"].n_unique(), float(nodes or 0)  # type: ignore[arg-type]

    name, part = max(parts, key=lambda entry: size(entry[1]))
    return (name if len(parts) > 1 else ""), part


def worlds(frame: DataFrame) -> list[tuple[str, DataFrame]]:
    """The cells of each world, with its name."""
    names = [name for name in _WORLD if name in frame.columns]
    if not names:
        return [("", frame)]
    parts = []
    for key, part in frame.group_by(names, maintain_order=True):
        values = dict(zip(names, key, strict=True))
        graph, nodes = values.get("graph"), values.get("nodes")
        words = [str(graph).partition(":")[0]] if graph else []
        words += [f"{nodes:,} nodes"] if nodes else []
        if values.get("kind") in _KINDS and frame["kind"].n_unique() > 1:
            words.append(_KINDS[values["kind"]])
        parts.append((", ".join(words), part))
    return parts
