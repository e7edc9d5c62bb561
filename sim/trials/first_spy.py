"""Trials of the first spy on a graph: nothing is kept of a run but its row, so a million of them cost little."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graphs.graph import Graph
from ..metrics.posteriors import named_quantiles
from ..spread.montecarlo import Spreading
from .figures import coverage, made, sureness
from .flaws import TrialError
from .trial import Trial

__all__ = ["measure"]


def measure(
    trial: Trial,
    graph: Graph,
    spies: NDArray[np.bool_],
    victim: int | None,
    threads: int,
    tell: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """The fields of the result that are measured, with ``named`` runs.

    Args:
        trial: what is tried.
        graph: connected.
        spies: of shape (nodes,): the same in all runs; nobody if they are drawn in each.
        victim: the only author, if there is one.
        threads: how many work on it.
        tell: told how many runs are done.

    Raises:
        TrialError: it will not do.
    """
    iid = trial.is_iid(graph)
    try:
        spreading = Spreading(
            graph=graph,
            spies=spies,
            rules=trial.rules,
            spy_chance=trial.spy_chance if iid else 0.0,
            authors=None if victim is None else np.array([victim], dtype=np.int32),
            first_contact=trial.first_contact,
        )
    except ValueError as error:
        raise TrialError(f"--first-contact: {error}") from error
    rows, runs_per_s = made(spreading, trial.runs, trial.seed, threads, tell)
    guesses = rows["first_friend"]
    if trial.fluff_position_known:
        guesses = np.where(rows["on_stem"], guesses, rows["opener"])
    right = guesses == rows["author"]
    measured: dict[str, Any] = {
        "nodes": graph.node_count,
        "mean_degree": graph.mean_degree,
        "named": int(right.sum()),
        "spy_count": None if iid else int(spies.sum()),
        "runs_per_s": runs_per_s,
    }
    classes = rows["on_stem"] + 2 * (guesses >= 0)
    others = graph.node_count * (1 - trial.spy_chance) if iid else graph.node_count - spies.sum()
    if victim is None and others > 1:
        measured |= sureness(right, classes, float(others) - 1)
        measured["user_named_quantiles"] = named_quantiles(rows["author"], right)
    if not trial.first_contact:
        measured |= coverage(graph, rows)
    return measured
