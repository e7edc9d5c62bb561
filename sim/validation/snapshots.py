"""What snapshots of who has a rumor tell of its source, and how long it takes to come to everybody."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from ..estimators.rumor_centrality import log_centralities_of_tree
from ..graphs.graph import Graph
from ..spread.compiled import compiled
from ..spread.counter import Key, derived, key_of, uniform, whole
from ..spread.montecarlo import Spreading
from ..spread.trees import infect
from .measured import Measured, enough, mean, share

__all__ = ["SNAPSHOT", "adaptive", "complete", "holders", "snapshot", "source_limit"]

#: Infected nodes of a snapshot whose source is looked for. Limits for large ones are reached to a tenth of an error.
SNAPSHOT: Final = 500


def complete(nodes: int) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:
        graph = Graph.from_edges(nodes, [(one, other) for one in range(nodes) for other in range(one)])
        nobody = np.zeros(nodes, dtype=np.bool_)
        seen = Spreading(graph=graph, spies=nobody).run(6_000, seed, threads=threads)
        # Of 99 others 99 % are all; each pair of nodes meets at the rate 1, a node at all others' together.
        return mean(seen["t99"] * (nodes - 1.0))

    return measure


def snapshot(degree: int, size: int, expected: float) -> Callable[[int, int], Measured]:
    """How often the author has the largest rumor centrality; a tie is drawn."""

    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        runs = enough(expected)
        parents = np.empty(size, dtype=np.int32)
        leaves = np.empty((degree - 2) * size + 2 + degree, dtype=np.int32)
        ties = np.random.default_rng(seed)
        hits = np.empty(runs, dtype=np.bool_)
        for run in range(runs):
            infect(degree, Key(derived(key_of(seed), run)), parents, leaves)
            centralities = log_centralities_of_tree(parents)
            best = np.flatnonzero(centralities > centralities.max() - 1e-9)
            hits[run] = best[ties.integers(len(best))] == 0 if len(best) > 1 else best[0] == 0
        return share(hits)

    return measure


def source_limit(degree: int) -> float:
    """Shah and Zaman's limit for a regular tree, ``1 − d (1 − I_½(1/(d−2), (d−1)/(d−2)))``."""
    return float(1 - degree * (1 - betainc(1 / (degree - 2), (degree - 1) / (degree - 2), 0.5)))


def adaptive(degree: int, step: int, expected: float) -> Callable[[int, int], Measured]:
    """How often one of the virtual source's own neighbours, drawn at random, is the author."""

    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        hits = np.empty(enough(expected), dtype=np.bool_)
        _wander(degree, step, key_of(seed), hits)
        return share(hits)

    return measure


@compiled
def _wander(degree: int, step: int, seed: Key, hits: NDArray[np.bool_]) -> None:
    for run in range(len(hits)):
        key, hops = derived(seed, run), 1
        for now in range(2, step, 2):
            radius = now // 2
            branching = float(degree - 1)
            stays = (branching ** (radius - hops + 1) - 1) / (branching ** (radius + 1) - 1)
            hops += uniform(key, now) >= stays
        hits[run] = hops == 1 and whole(key, step, degree) == 0


def holders(degree: int, step: int) -> int:
    """Nodes of a ball of half as many hops on the regular tree."""
    return 1 + degree * sum(int((degree - 1) ** hop) for hop in range(step // 2))
