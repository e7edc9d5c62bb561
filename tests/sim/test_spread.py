"""The compiled kernels: their draws, their shortest paths, their walks, against what is known without them."""

import math

import networkx
import numpy as np
import pytest
from scipy import sparse, stats
from scipy.sparse import csgraph

from rumor.sim.graphs.graph import Graph
from rumor.sim.spread.adaptive import ball
from rumor.sim.spread.arrivals import arrival_times, front
from rumor.sim.spread.compiled import compiled
from rumor.sim.spread.contact import make_contacts
from rumor.sim.spread.counter import Key, derived, exponential, key_of, uniform, whole
from rumor.sim.spread.heap import heap
from rumor.sim.spread.runs import DELAYS, SCHEMES, SEEN, make_runs
from rumor.sim.spread.stems import Walk, relay_stem, walk
from rumor.sim.spread.trees import CONTACT, first_contacts, infect

RUNS = 40_000


@compiled
def _fill(key: Key, kind: int, values: np.ndarray) -> None:
    for number in range(len(values)):
        if kind == 0:
            values[number] = uniform(key, number)
        elif kind == 1:
            values[number] = exponential(key, number)
        else:
            values[number] = whole(key, number, 7)


def drawn(kind: int, count: int = 200_000, seed: int = 1) -> np.ndarray:
    values = np.empty(count)
    _fill(key_of(seed), kind, values)
    return values


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph.from_edges(400, list(networkx.powerlaw_cluster_graph(400, 4, 0.5, seed=1).edges))


def test_draws_are_distributed_as_they_should_be() -> None:
    assert stats.kstest(drawn(0), "uniform").pvalue > 0.001
    assert stats.kstest(drawn(1), "expon").pvalue > 0.001
    assert stats.chisquare(np.bincount(drawn(2).astype(int), minlength=7)).pvalue > 0.001
    # The tail of the ziggurat has its own rule.
    tail = drawn(1, 4_000_000)
    tail = tail[tail > 7.7] - 7.7
    assert stats.kstest(tail, "expon").pvalue > 0.001


def test_neighbouring_keys_and_numbers_have_nothing_to_do_with_each_other() -> None:
    one, other = drawn(0, seed=1), drawn(0, seed=2)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.01
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.01


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_arrival_times_are_shortest_paths(graph: Graph, scale: float) -> None:
    delays = (np.random.default_rng(1).exponential(scale, len(graph.friends))).astype(np.float32)
    matrix = sparse.csr_matrix((delays.astype(np.float64), graph.friends, graph.starts))
    expected = csgraph.dijkstra(matrix, indices=5)
    assert np.allclose(arrival_times(graph, delays, 5), expected, rtol=1e-5)


def test_who_cannot_be_reached_never_is() -> None:
    apart = Graph.from_edges(5, [(0, 1), (2, 3)])
    times = arrival_times(apart, np.ones(4, dtype=np.float32), 0)
    assert times.tolist() == [0.0, 1.0, math.inf, math.inf, math.inf]
    alone = Graph.from_edges(1, [])
    assert arrival_times(alone, np.zeros(0, dtype=np.float32), 0).tolist() == [0.0]


def runs(
    graph: Graph,
    scheme: str,
    count: int,
    *,
    first: int = 0,
    spies: float = 0.2,
    embargo: float = 0.0,
    **more: int,
) -> np.ndarray:
    is_spy = np.zeros(graph.node_count, dtype=bool)
    chosen = np.random.default_rng(0).permutation(graph.node_count)
    is_spy[chosen[: round(spies * graph.node_count)]] = True
    work, step = front(graph.node_count, len(graph.friends), 1.0, 45.0)
    seen = np.zeros(count, dtype=SEEN)
    make_runs(
        graph.starts,
        graph.friends,
        graph.twins,
        is_spy,
        np.flatnonzero(~is_spy).astype(np.int32),
        0.0,
        key_of(7),
        first,
        SCHEMES[scheme],
        more.get("delay", DELAYS["exponential"]),
        0.1,
        embargo,
        False,
        0.0,
        work,
        step,
        walk(),
        ball(graph.node_count, len(graph.friends)),
        False,
        seen,
        np.empty((count, 0), dtype=np.float32),
    )
    return seen


@pytest.mark.parametrize("scheme", sorted(set(SCHEMES)))
def test_a_run_depends_on_its_number_and_on_nothing_else(graph: Graph, scheme: str) -> None:
    """Blocks of runs may be made in any order, by anybody."""
    whole_block = runs(graph, scheme, 60, embargo=50.0)
    assert (runs(graph, scheme, 20, first=40, embargo=50.0) == whole_block[40:]).all()


def test_a_flood_on_the_complete_graph_takes_what_theory_says() -> None:
    """Susceptible–infected at unit rates between all pairs: the last is reached after (2/n)·H(n−1) in the mean."""
    n = 60
    complete = Graph.from_edges(n, [(one, other) for one in range(n) for other in range(one)])
    seen = runs(complete, "diffusion", 3_000, spies=0.0)
    # Each pair has a rate of 1 in each direction, of which only one ever counts.
    expected = 2 * sum(1 / k for k in range(1, n)) / n
    at_99 = seen["t99"]  # Of 59 others 99 % are all.
    assert abs(at_99.mean() - expected) < 4 * at_99.std() / math.sqrt(len(seen))


def test_a_private_stem_meets_spies_as_often_as_theory_says() -> None:
    """Where all have many friends everywhere a spy is met with p/(p+q−pq), before the coin ends the stem."""
    regular = Graph.from_edges(600, list(networkx.random_regular_graph(30, 600, seed=1).edges))
    seen = runs(regular, "stem", RUNS // 4)
    p, q = 0.2, 0.1
    met = seen["on_stem"].mean()
    expected = p / (p + q - p * q)
    assert (
        abs(met - expected) < 0.02
    )  # Successors are never who it came from, and friends are no fresh draws.


@pytest.mark.parametrize(
    ("degree", "delay", "expected"),
    [
        (2, 0, lambda p: 2 * p / (1 + p)),
        (3, 0, lambda p: 3 * p * (1 - p * p + 2 * p * math.log(p)) / (1 - p) ** 3),
        (4, 1, lambda p: 1 - (1 - p) ** 4),
    ],
)
def test_first_spies_on_infinite_trees_name_as_many_as_closed_forms_say(degree, delay, expected) -> None:  # type: ignore[no-untyped-def]
    for p in (0.07, 0.2):
        contacts = np.zeros(RUNS, dtype=CONTACT)
        first_contacts(degree, p, delay, 0.0, key_of(3), 0, heap(20_000), contacts)
        share = (contacts["distance"] == 0).mean()
        error = math.sqrt(share * (1 - share) / RUNS)
        assert abs(share - expected(p)) < 4 * error
        assert (contacts["distance"] >= 0).all()


def test_a_stem_on_a_tree_meets_a_spy_as_often_as_the_closed_form_says() -> None:
    contacts = np.zeros(RUNS, dtype=CONTACT)
    first_contacts(4, 0.2, 0, 0.1, key_of(3), 0, heap(20_000), contacts)
    share, expected = contacts["on_stem"].mean(), 0.2 / (0.2 + 0.1 - 0.02)
    assert abs(share - expected) < 4 * math.sqrt(share * (1 - share) / RUNS)


def test_infections_of_a_tree_keep_its_degree() -> None:
    parents = np.empty(500, dtype=np.int32)
    infect(3, key_of(1), parents, np.empty(600, dtype=np.int32))
    children = np.bincount(parents[1:], minlength=500)
    assert parents[0] == -1
    assert (parents[1:] < np.arange(1, 500)).all()
    assert children[0] <= 3
    assert children[1:].max() <= 2


@pytest.mark.parametrize("scheme", ["diffusion", "stem", "dandelion", "dandelion-per-transaction"])
def test_first_contacts_are_those_of_whole_runs(graph: Graph, scheme: str) -> None:
    """Who ends at the first contact sees the same first contact, packet by packet."""
    is_spy = np.zeros(graph.node_count, dtype=bool)
    is_spy[np.random.default_rng(0).permutation(graph.node_count)[: round(0.2 * graph.node_count)]] = True
    contacts = np.zeros(200, dtype=SEEN)
    make_contacts(
        graph.starts,
        graph.friends,
        is_spy,
        np.flatnonzero(~is_spy).astype(np.int32),
        key_of(7),
        0,
        SCHEMES[scheme],
        0.1,
        heap(len(graph.friends) + 2),
        walk(),
        contacts,
    )
    seen = runs(graph, scheme, 200)
    for field in ("author", "first_friend", "on_stem"):
        assert (contacts[field] == seen[field]).all()
    assert np.allclose(contacts["first_at"], seen["first_at"], rtol=1e-4)


@compiled
def _walk_again(
    starts: np.ndarray, friends: np.ndarray, seed: Key, alone: bool, room: Walk, paths: np.ndarray
) -> None:
    for number in range(len(paths)):
        choices, times = derived(seed, 2 * number), derived(seed, 2 * number + 1)
        relay_stem(starts, friends, choices, times, 0, 0.02, 0.0, 0, 0.0, alone, room)
        for hop in range(min(room[6][0], paths.shape[1])):
            paths[number, hop] = 1 + room[2][hop]


def test_walks_that_are_alone_with_their_choices_are_distributed_like_others() -> None:
    """Among five who are all friends, where stems soon come back by another edge: the same paths, equally often."""
    edges = [(one, other) for one in range(5) for other in range(one)]
    graph = Graph.from_edges(5, edges)
    found = []
    for alone in (False, True):
        paths = np.zeros((RUNS, 6), dtype=np.int64)
        _walk_again(graph.starts, graph.friends, key_of(3 + alone), alone, walk(), paths)
        found.append(np.bincount(paths @ 6 ** np.arange(6), minlength=6**6))
    table = np.array(found)
    table = table[:, table.sum(axis=0) >= 20]
    assert table.shape[1] > 300
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_adaptive_diffusion_does_what_the_engine_does() -> None:
    """Hand-overs and the time of the flood, as measured on engines on the same kind of graph (docs/spreading.md)."""
    edges = list(networkx.powerlaw_cluster_graph(150, 4, 0.5, seed=3).edges)
    seen = runs(Graph.from_edges(150, edges), "adaptive", 600)
    assert 4.5 < seen["hops"].mean() / 150 < 6
    assert 19 < np.median(seen["opened_at"]) < 22
    assert (seen["opener"] == seen["author"]).mean() < 0.03
