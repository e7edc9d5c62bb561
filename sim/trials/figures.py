"""Figures: what is made of rows of runs, whoever is asked about them."""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..graphs.graph import Graph
from ..metrics.posteriors import entropy_quantiles
from ..spread.montecarlo import Growing, Spreading

__all__ = ["coverage", "made", "sureness"]

#: What each class of runs has seen before it has seen anything, in runs: the rule of Jeffreys.
PRIOR: Final = 0.5


def made(
    runs: Growing | Spreading, count: int, seed: int, threads: int, tell: Callable[[int], None] | None
) -> tuple[NDArray[np.void], float]:
    """The rows of all runs, and how many were made a second of processor time, after a first one for warming up."""
    runs.run(1, seed)
    began = time.process_time()
    rows = runs.run(count, seed, threads=threads, tell=tell)
    return rows, count / max(time.process_time() - began, 1e-9)


def sureness(right: NDArray[np.bool_], classes: NDArray[np.integer], others: float) -> dict[str, Any]:
    """How sure the adversary may be of the one that it names, and of all others alike.

    How often it is right in runs of each class is learnt on one half of the runs and applied to the other, both ways
    round.

    Args:
        right: of shape (runs,): whether the author was named.
        classes: of shape (runs,): small numbers; what kind of run spies see that it is.
        others: how many suspects there are besides the one that is named.
    """
    largest = np.empty(len(right))
    for half in (0, 1):
        learnt = right[1 - half :: 2], classes[1 - half :: 2]
        hits = np.bincount(learnt[1], weights=learnt[0], minlength=int(classes.max()) + 1) + PRIOR
        shares = hits / (np.bincount(learnt[1], minlength=len(hits)) + 2 * PRIOR)
        largest[half::2] = shares[classes[half::2]]
    rest = (1 - largest) / others
    entropies = -largest * np.log2(largest) - others * rest * np.log2(rest)
    # Whom it names is not the likeliest where it is hardly ever right.
    peaks = np.maximum(largest, rest)
    return {
        "entropy_bits": float(entropies.mean()),
        "min_entropy_bits": float(-np.log2(peaks.mean())),
        "effective_set": float(2 ** entropies.mean()),
        "expected_max_posterior": float(peaks.mean()),
        "entropy_quantiles": entropy_quantiles(entropies),
    }


def coverage(graph: Graph, rows: NDArray[np.void]) -> dict[str, float]:
    """How quickly packets came to all, in the median, and what it took."""
    # Everybody announces to all friends but the one it has it from.
    sends = 2 * graph.edge_count - (graph.node_count - 1) + rows["hops"].mean()
    return {
        "coverage_t50": float(np.median(rows["opened_at"] + rows["t50"])),
        "coverage_t99": float(np.median(rows["opened_at"] + rows["t99"])),
        "sends_per_node": float(sends / graph.node_count),
    }
