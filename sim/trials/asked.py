"""Trials of estimators that give each suspect a weight, by ``sim.asking``."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..asking import Asking
from ..estimators import ESTIMATORS, Need
from ..estimators.seen import Ground
from ..graphs.graph import Graph
from .figures import coverage
from .flaws import FIRST_SPY, TrialError
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
    """The fields of the result that are measured, with ``named`` runs; for the arguments see ``first_spy``."""
    estimator = ESTIMATORS[trial.asked]
    if victim is not None:
        raise TrialError(f"--spies: around one victim only {FIRST_SPY} is asked, without batches.")
    if trial.is_iid(graph):
        raise TrialError(f"--spies-iid: {trial.asked} has to know the spies; take --spies-count.")
    if Need.SNAPSHOT in estimator.needs:
        spies = np.zeros_like(spies)
    elif not spies.any():
        raise TrialError(f"--spies: somebody has to be a spy for {trial.asked}.")
    if trial.snapshot > graph.node_count:
        raise TrialError(
            f"--snapshot: there are no more than {graph.node_count} nodes, and not {trial.snapshot}."
        )
    asking = Asking(
        estimator=estimator,
        ground=Ground(
            graph=graph,
            spies=spies,
            scheme=trial.scheme,
            delay=trial.hop_delay,
            end=trial.end,
            embargo=trial.embargo,
        ),
        batches=trial.batches,
        opener_known=trial.fluff_position_known,
        random_ties=trial.tie == "random",
        snapshot=trial.snapshot,
        practice=trial.practice,
    )
    began = time.process_time()
    answer = asking.run(trial.runs, trial.seed, threads=threads, tell=tell)
    busy_s = time.process_time() - began
    guessed = answer.guessed
    return {
        "nodes": graph.node_count,
        "mean_degree": graph.mean_degree,
        "named": answer.anonymity.p_named * trial.runs,
        "spy_count": int(spies.sum()),
        "runs_per_s": trial.runs / max(busy_s, 1e-9),
        "precision": guessed and guessed.precision,
        "recall": guessed and guessed.recall,
        **answer.anonymity.fields(),
        **coverage(graph, answer.rows),
    }
