"""Known values: closed forms and published numbers, each with its source and with how the simulator measures it.

A value is measured by the kernels and estimators that results are made with, at so many runs that three standard errors
are under 2 % of it. To add one: a function that measures it, and an entry in ``KNOWN``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from ..estimators.rumor_centrality import log_centralities_of_tree
from ..graphs.graph import Graph
from ..graphs.tree import Tree
from ..spread.compiled import compiled
from ..spread.counter import Key, derived, key_of, uniform, whole
from ..spread.montecarlo import Growing, Rules, Spreading
from ..spread.stems import Walk, private_stem, walk
from ..spread.trees import infect
from . import relays

__all__ = ["KNOWN", "Known", "Measured"]

#: Infected nodes of a snapshot whose source is looked for. Limits for large ones are reached to a tenth of an error.
SNAPSHOT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came out."""

    value: float
    error: float
    """The standard error."""
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One value that is known without us."""

    name: str
    source: str
    expected: float
    measure: Callable[[int, int], Measured]
    """From a seed and a number of threads."""
    expected_error: float = 0.0
    """The standard error of what is expected, where it was measured too; 0 for closed forms."""


def share(hits: NDArray[np.bool_]) -> Measured:
    """A share of runs, with its error."""
    value = float(hits.mean())
    return Measured(value=value, error=math.sqrt(value * (1 - value) / len(hits)), runs=len(hits))


def mean(values: Sequence[float] | NDArray[np.number]) -> Measured:
    """A mean over runs, with its error."""
    array = np.asarray(values, dtype=np.float64)
    error = float(array.std(ddof=1)) / math.sqrt(len(array))
    return Measured(value=float(array.mean()), error=error, runs=len(array))


def enough(expected: float) -> int:
    """Runs for a share of this size to be known to 2 % in three standard errors, and a tenth more."""
    return math.ceil(1.1 * 22_500 * (1 - expected) / expected)


# First spies on infinite trees.


def _first_spy(degree: int, spies: float, delay: str, expected: float) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:
        growing = Growing(tree=Tree(degree), spy_chance=spies, rules=Rules(scheme="diffusion", delay=delay))
        contacts = growing.run(enough(expected), seed, threads=threads)
        return share(contacts["distance"] == 0)

    return measure


def _third_degree(spies: float) -> float:
    return 3 * spies * (1 - spies**2 + 2 * spies * math.log(spies)) / (1 - spies) ** 3


# Precision of first spies.


def _precision(name: str, graphs: int) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        return mean(relays.precisions(name, graphs, seed))

    return measure


# Stems.


def _stem_meets(spies: float, end: float, expected: float) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:
        growing = Growing(tree=Tree(4), spy_chance=spies, rules=Rules(scheme="stem", end=end))
        return share(growing.run(enough(expected), seed, threads=threads)["on_stem"])

    return measure


def _stem_length(end: float) -> Callable[[int, int], Measured]:
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


def _stem_seen(spies: float, end: float) -> Callable[[int, int], Measured]:
    """A stem on a given graph whose successors are any friend: the share that is first handed over by the author."""

    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        graph, is_spy = _small_graph(spies)
        hits = np.empty(enough(_stem_seen_expected(spies, end)), dtype=np.bool_)
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


def _stem_seen_expected(spies: float, end: float) -> float:
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


def _crowds(members: int, spies: int, forward: float) -> Callable[[int, int], Measured]:
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


# Spreading.


def _complete(nodes: int) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:
        graph = Graph.from_edges(nodes, [(one, other) for one in range(nodes) for other in range(one)])
        nobody = np.zeros(nodes, dtype=np.bool_)
        seen = Spreading(graph=graph, spies=nobody).run(6_000, seed, threads=threads)
        # Of 99 others 99 % are all; each pair of nodes meets at the rate 1, a node at all others' together.
        return mean(seen["t99"] * (nodes - 1.0))

    return measure


# Snapshots.


def _snapshot(degree: int, size: int, expected: float) -> Callable[[int, int], Measured]:
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


def _source_limit(degree: int) -> float:
    """Shah and Zaman's limit for a regular tree, ``1 − d (1 − I_½(1/(d−2), (d−1)/(d−2)))``."""
    return float(1 - degree * (1 - betainc(1 / (degree - 2), (degree - 1) / (degree - 2), 0.5)))


def _adaptive(degree: int, step: int, expected: float) -> Callable[[int, int], Measured]:
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


def _holders(degree: int, step: int) -> int:
    """Nodes of a ball of half as many hops on the regular tree."""
    return 1 + degree * sum(int((degree - 1) ** hop) for hop in range(step // 2))


FANTI_2017: Final = (
    "Fanti and Viswanath, Deanonymization in the Bitcoin P2P network, NIPS 2017; first spies on trees"
)
SHAH_ZAMAN: Final = "Shah and Zaman, Finding rumor sources on random trees, Operations Research 2016"
SPY_VS_SPY: Final = "Fanti, Kairouz, Oh and Viswanath, Spy vs. spy, SIGMETRICS 2015, theorem 2"

KNOWN: Final[tuple[Known, ...]] = (
    *(
        Known(
            name=f"first spy, tree of degree 2, exponential, p = {p:g}",
            source=FANTI_2017,
            expected=2 * p / (1 + p),
            measure=_first_spy(2, p, "exponential", 2 * p / (1 + p)),
        )
        for p in (0.05, 0.1, 0.2, 0.3)
    ),
    *(
        Known(
            name=f"first spy, tree of degree 3, exponential, p = {p:g}",
            source=FANTI_2017,
            expected=_third_degree(p),
            measure=_first_spy(3, p, "exponential", _third_degree(p)),
        )
        for p in (0.05, 0.1, 0.2, 0.3)
    ),
    *(
        Known(
            name=f"first spy, tree of degree {degree}, unit delays, p = {p:g}",
            source="a spy among the friends is told at once: 1 − (1 − p)^d",
            expected=1 - (1 - p) ** degree,
            measure=_first_spy(degree, p, "unit", 1 - (1 - p) ** degree),
        )
        for degree, p in ((3, 0.1), (4, 0.07), (4, 0.2), (8, 0.1))
    ),
    *(
        Known(
            name=f"a stem meets a spy, p = {p:g}, q = {q:g}",
            source="geometric series: p / (p + q − pq)",
            expected=p / (p + q - p * q),
            measure=_stem_meets(p, q, p / (p + q - p * q)),
        )
        for p, q in ((0.1, 0.1), (0.2, 0.1), (0.2, 0.3))
    ),
    *(
        Known(
            name=f"length of a stem, q = {q:g}",
            source="geometric: 1 / q",
            expected=1 / q,
            measure=_stem_length(q),
        )
        for q in (0.1, 0.25)
    ),
    *(
        Known(
            name=f"stem with any friend next, first handed over by its author, p = {p:g}",
            source="absorbing Markov chain: the mean of [1 + (1−q) A_vv] σ_v, A = P_HH (I − (1−q) P_HH)^-1",
            expected=_stem_seen_expected(p, 0.1),
            measure=_stem_seen(p, 0.1),
        )
        for p in (0.1, 0.2)
    ),
    *(
        Known(
            name=f"Crowds, {n} members of whom {c} collaborate, p_f = {forward:g}",
            source="Reiter and Rubin, Crowds, ACM TISSEC 1998, section 5.2: 1 − p_f (n − c − 1) / n",
            expected=1 - forward * (n - c - 1) / n,
            measure=_crowds(n, c, forward),
        )
        for n, c, forward in ((20, 4, 0.75), (50, 5, 0.9))
    ),
    Known(
        name="susceptible–infected on the complete graph of 100, until all have it",
        source="coupon collecting from both ends: 2 (n − 1)/n · H(n − 1)",
        expected=2 * 99 / 100 * sum(1 / number for number in range(1, 100)),
        measure=_complete(100),
    ),
    *(
        Known(
            name=f"adaptive diffusion, tree of degree {degree}, snapshot at t = {step}",
            source=SPY_VS_SPY,
            expected=1 / (_holders(degree, step) - 1),
            measure=_adaptive(degree, step, 1 / (_holders(degree, step) - 1)),
        )
        for degree, step in ((3, 2), (3, 4), (3, 6), (3, 8), (4, 4))
    ),
    Known(
        name="rumor centrality, tree of degree 3, 101 infected",
        source="Dong, Zhang and Tan, Rooting out the rumor culprit, ISIT 2013: 1/4 + 3/4 · 1/(2⌊n/2⌋ + 1)",
        expected=0.25 + 0.75 / 101,
        measure=_snapshot(3, 101, 0.25 + 0.75 / 101),
    ),
    Known(
        name="rumor centrality, tree of degree 4, many infected",
        source=f"{SHAH_ZAMAN}: 4/π − 1",
        expected=4 / math.pi - 1,
        measure=_snapshot(4, SNAPSHOT, 4 / math.pi - 1),
    ),
    Known(
        name="rumor centrality, tree of degree 8, many infected",
        source=f"{SHAH_ZAMAN}: 1 − d (1 − I_½(1/(d−2), (d−1)/(d−2)))",
        expected=_source_limit(8),
        measure=_snapshot(8, SNAPSHOT, _source_limit(8)),
    ),
    Known(
        name="rumor centrality, tree of degree 400, many infected",
        source=f"{SHAH_ZAMAN}: 1 − ln 2 as the degree grows",
        expected=1 - math.log(2),
        measure=_snapshot(400, SNAPSHOT, 1 - math.log(2)),
    ),
    *(
        Known(
            name=f"precision of first spies, Dandelion++ {name}, n = 100, p = 0.2",
            source=relays.SOURCE,
            expected=published,
            expected_error=error,
            measure=_precision(name, 600),
        )
        for name, (_, published, error) in relays.PRECISIONS.items()
    ),
    Known(
        name="precision of first spies, diffusion on the same graphs",
        source=relays.SOURCE,
        expected=relays.DIFFUSION[0],
        expected_error=relays.DIFFUSION[1],
        measure=_precision("diffusion", 450),
    ),
)
