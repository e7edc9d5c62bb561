"""What becomes of walks: stems that meet spies, how long they are, and the paths of Crowds."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..graphs.graph import Graph
from ..graphs.tree import Tree
from ..spread.compiled import compiled
from ..spread.counter import Key, derived, key_of, uniform, whole
from ..spread.montecarlo import Growing, Rules
from ..spread.stems import Walk, private_stem, walk
from .measured import Measured, enough, mean, share

__all__ = ["crowds", "stem_length", "stem_meets", "stem_seen", "stem_seen_expected"]


def stem_meets(spies: float, end: float, expected: float) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:
        growing = Growing(tree=Tree(4), spy_chance=spies, rules=Rules(scheme="stem", end=end))
        return share(growing.run(enough(expected), seed, threads=threads)["on_stem"])

    return measure


def stem_length(end: float) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        nodes = 50
        graph = Graph.from_edges(nodes, [(one, other) for one in range(nodes) for other in range(one)])
        hops = np.empty(40_000, dtype=np.int64)
        _stem_hops(graph.starts, graph.friends, key_of(seed), end, walk(), hops)
        return mean(hops)

    return measure


@compiled
def _stem_hops(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    seed: Key,
    end: float,
    room: Walk,
    hops: NDArray[np.int64],
) -> None:
    for run in range(len(hops)):
        key = derived(seed, run)
        private_stem(starts, friends, derived(key, 0), derived(key, 1), 0, end, 0.0, True, 0.0, room)
        hops[run] = room[6][0]


def stem_seen(spies: float, end: float) -> Callable[[int, int], Measured]:
    """A stem on a given graph whose successors are any friend: the share that is first handed over by the author."""

    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        graph, is_spy = _small_graph(spies)
        hits = np.empty(enough(stem_seen_expected(spies, end)), dtype=np.bool_)
        _walk_stems(graph.starts, graph.friends, is_spy, key_of(seed), end, hits)
        return share(hits)

    return measure


def _small_graph(spies: float) -> tuple[Graph, NDArray[np.bool_]]:
    """A circle of 60 with chords, so that degrees differ."""
    nodes = 60
    edges = [(node, (node + 1) % nodes) for node in range(nodes)]
    edges += [(node, (node * 7 + 3) % nodes) for node in range(0, nodes, 2) if (node * 7 + 3) % nodes != node]
    is_spy = np.zeros(nodes, dtype=np.bool_)
    is_spy[:: round(1 / spies)] = True
    return Graph.from_edges(nodes, edges), is_spy


def stem_seen_expected(spies: float, end: float) -> float:
    """The mean over honest authors v of ``[1 + (1−q) A_vv] σ_v``, with ``A = P_HH (I − (1−q) P_HH)^-1``."""
    graph, is_spy = _small_graph(spies)
    honest = np.flatnonzero(~is_spy)
    steps = np.zeros((graph.node_count, graph.node_count))
    steps[graph.heads, graph.friends] = 1 / graph.degrees[graph.heads]
    among = steps[np.ix_(honest, honest)]
    arrivals = among @ np.linalg.inv(np.eye(len(honest)) - (1 - end) * among)
    spied = steps[np.ix_(honest, np.flatnonzero(is_spy))].sum(axis=1)
    return float(np.mean((1 + (1 - end) * np.diag(arrivals)) * spied))


@compiled
def _walk_stems(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    is_spy: NDArray[np.bool_],
    seed: Key,
    end: float,
    hits: NDArray[np.bool_],
) -> None:
    honest = np.flatnonzero(~is_spy)
    for run in range(len(hits)):
        key = derived(seed, run)
        author = honest[whole(key, 0, len(honest))]
        node, draw = author, 1
        while True:
            after = friends[starts[node] + whole(key, draw, starts[node + 1] - starts[node])]
            if is_spy[after]:
                hits[run] = node == author
                break
            node = after
            if uniform(key, draw + 1) < end:
                hits[run] = False
                break
            draw += 2


def crowds(members: int, spies: int, forward: float) -> Callable[[int, int], Measured]:
    """Of messages that meet a collaborator, those whose predecessor there is the author."""

    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        runs = 400_000
        outcomes = np.empty(runs, dtype=np.int64)
        _walk_crowds(members, spies, forward, key_of(seed), outcomes)
        return share(outcomes[outcomes >= 0] == 1)

    return measure


@compiled
def _walk_crowds(members: int, spies: int, forward: float, seed: Key, outcomes: NDArray[np.int64]) -> None:
    for run in range(len(outcomes)):
        key, node, draw = derived(seed, run), spies, 0  # The author is the first that is no collaborator.
        outcomes[run] = -1
        while True:
            after = whole(key, draw, members)
            if after < spies:
                outcomes[run] = node == spies
                break
            node = after
            if uniform(key, draw + 1) >= forward:
                break
            draw += 2
