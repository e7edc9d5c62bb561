"""The kinds of tasks that are done in compiled code: ``spread``, and ``coverage``, the curve of how a packet spreads.

``spread`` is ``rumor sim spread`` (``sim/trials``) with its options as settings. ``coverage`` has the same settings, as
far as they matter, and tells in ``coverage_curve`` when which share of the nodes had a packet, counted from when its
author sent it, in mean delays of a hop: the median over ``runs``, and the first and the last quartile.
"""

import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..graphs.graph import Graph, GraphError
from ..graphs.spec import parse, read
from ..spread.montecarlo import Spreading
from ..trials import flaws
from ..trials.trial import Trial, TrialError
from . import shelf
from .flaws import Flaw

__all__ = ["CURVE_POINTS", "check", "command", "cover", "names", "nodes_of_file", "spread", "trial"]

#: Shares at which the curve is told: every fiftieth.
CURVE_POINTS: Final = 50


def names() -> Collection[str]:
    """The settings."""
    return [each.name for each in fields(Trial) if each.name != "seed"]


def _typed(settings: Mapping[str, str]) -> dict[str, Any]:
    """Settings as the fields of a trial. Raises ``Flaw``."""
    defaults = {each.name: each.default for each in fields(Trial)}
    typed: dict[str, Any] = {}
    for name, text in settings.items():
        default = defaults[name]
        if isinstance(default, bool) or name == "spies_iid":
            if text not in ("true", "false"):
                raise Flaw(name, f"is true or false, and not {text!r}.")
            typed[name] = text == "true"
        elif isinstance(default, int):
            if not re.fullmatch(r"\d{1,12}", text):
                raise Flaw(name, f"is a whole number, and not {text!r}.")
            typed[name] = int(text)
        elif isinstance(default, float):
            if not re.fullmatch(r"\d*\.?\d+(e-?\d+)?", text):
                raise Flaw(name, f"is a number, and not {text!r}.")
            typed[name] = float(text)
        else:
            typed[name] = text
    return typed


def trial(settings: Mapping[str, str], seed: int) -> Trial:
    """The trial that settings describe. Raises ``Flaw``."""
    if "graph" not in settings:
        raise Flaw("graph", 'Say which; for example `graph = "powerlaw-cluster:n=1000,mean_degree=8"`.')
    return Trial(**_typed(settings), seed=seed)


def check(settings: Mapping[str, str]) -> None:
    """Raises ``Flaw`` if settings are impossible. Files are read; random graphs are made by the tasks alone."""
    made = trial(settings, 1)
    try:
        spec = parse(made.graph)
        nodes = spec.numbers.get("n")
        if shelf.travels(made.graph):
            nodes = nodes_of_file(made.graph, shelf.stamp_of(made.graph))
    except GraphError as error:
        raise Flaw("graph", str(error)) from error
    _check_spies(str(made.spies), nodes)
    try:
        flaws.check(made)
    except TrialError as error:
        option, sentence = re.match(r"--([\w-]+):? (.*)", str(error), re.DOTALL).groups()  # type: ignore[union-attr]
        name = option.replace("-", "_")
        raise Flaw("spies_iid" if name in ("spies_iid", "spies_count") else name, sentence) from error


@cache
def nodes_of_file(text: str, stamp: str) -> int:  # noqa: ARG001
    """How many nodes a graph has that is no family's, read once unless it changes. Raises ``GraphError``."""
    graph = read(text, 1)
    assert isinstance(graph, Graph)
    if not graph.is_connected:
        where = text.removeprefix("file:")
        raise GraphError(f"{where} is not connected; take largest:{where}.")
    return graph.node_count


def _check_spies(text: str, nodes: int | None) -> None:
    """Raises ``Flaw`` for a text that is none of the forms, and for more spies than there are nodes."""
    amount = text.removeprefix("hubs:")
    is_share, is_count = re.fullmatch(r"\d*\.\d+", amount), re.fullmatch(r"\d+", amount)
    if text.startswith("friends-of:"):
        return
    if not (is_share or is_count) or (is_share and float(amount) > 1):
        raise Flaw(
            "spies", f"is a share from 0.0 to 1.0, a count, hubs:SHARE or friends-of:NODE, and not {text!r}."
        )
    if nodes is not None:
        count = int(amount) if is_count else round(float(amount) * nodes)
        if count >= nodes:
            raise Flaw("spies", f"is {count} of {nodes:,} nodes; leave at least one who is none.")


def spread(settings: Mapping[str, str], seed: int, graphs: Path | None) -> Mapping[str, Any]:
    """Does ``rumor sim spread``."""
    asked = trial(settings, seed)
    if graphs is None:
        return asked.result()
    graph = shelf.take(graphs, asked.graph, seed)
    if isinstance(graph, Graph) and not graph.is_connected:
        return asked.result()  # Which says so, and what to do, with the graph's own name.
    return {**replace(asked, graph=graph).result(), "graph": asked.graph}


def cover(settings: Mapping[str, str], seed: int, graphs: Path | None) -> Mapping[str, Any]:
    """Follows packets from authors at random to everybody."""
    asked = trial(settings, seed)
    graph = read(asked.graph, seed) if graphs is None else shelf.take(graphs, asked.graph, seed)
    if not isinstance(graph, Graph) or not graph.is_connected:
        raise TrialError(f"--graph: {asked.graph} has no end, or parts that nothing reaches.")
    nobody = np.zeros(graph.node_count, dtype=np.bool_)
    curves = Spreading(graph=graph, spies=nobody, rules=asked.rules).curves(asked.runs, seed, CURVE_POINTS)
    quartiles = np.quantile(curves.astype(np.float64), [0.25, 0.5, 0.75], axis=0)
    low, middle, high = [[float(f"{each:.4g}") for each in curve] for curve in quartiles]
    return {
        "graph": asked.graph,
        "nodes": graph.node_count,
        "scheme": asked.scheme,
        "coverage_curve": middle,
        "coverage_curve_low": low,
        "coverage_curve_high": high,
    }


def command(settings: Mapping[str, str], seed: int) -> str:
    """The command that does one task by itself."""
    words = ["rumor", "sim", "spread"]
    for name, text in settings.items():
        option = "--" + name.replace("_", "-")
        if name == "spies_iid":
            words.append("--spies-iid" if text == "true" else "--spies-count")
        elif text == "true":
            words.append(option)
        elif text != "false":
            words += [option, text]
    return shlex.join([*words, "--seed", str(seed)])
