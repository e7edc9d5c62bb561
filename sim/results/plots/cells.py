"""Cells: the rows of a table that differ only by their seed, as one row.

P(named) of a cell is that of all its posts together, with the Wilson interval (1927) of so many. Posts of one world
share its graph and its spies, so the interval is a little too narrow where few worlds have many posts each. Of several
estimators that were asked of the same cell the one that names most counts.
"""

import polars
from polars import DataFrame

from ...metrics.numbers import Z_95

__all__ = ["SETTINGS", "cells", "count_of", "share_of_spies", "worlds"]

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
    names = [name for name in SETTINGS if name in frame.columns and name != "mean_degree"]
    if frame.schema.get("mean_degree", polars.Float64) != polars.Float64:
        names.append("mean_degree")
    if "estimator" in frame.columns:
        # A run has asked several already, and says which one was the strongest.
        asked = polars.col("estimator").cast(polars.String).fill_null("")
        is_run = polars.col("kind") == "run" if "kind" in frame.columns else polars.lit(False)
        frame = frame.with_columns(
            polars.when(is_run).then(polars.lit("")).otherwise(asked).alias("estimator")
        )
    told = frame.with_columns(share_of_spies(frame).alias("spies")).drop_nulls(["spies", "p_named"])
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
