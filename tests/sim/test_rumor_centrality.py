"""Rumor centrality and the Jordan centre: what they count, and what is known of how often they are right."""

import itertools
import math

import networkx
import numpy as np
import pytest
from grounds import graph_of, powerlaw
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.sim.estimators.jordan import eccentricities
from rumor.sim.estimators.rumor_centrality import log_centralities, log_centralities_of_tree
from rumor.sim.estimators.seen import Ground
from rumor.sim.graphs.graph import Graph
from rumor.sim.spread.counter import Key, derived, key_of
from rumor.sim.spread.observations import observe
from rumor.sim.spread.trees import infect


def orders_from(tree: networkx.Graph, root: int) -> int:
    """In how many orders the tree can have been infected from there, by trying all."""
    others = [node for node in tree if node != root]
    count = 0
    for order in itertools.permutations(others):
        known = {root}
        for node in order:
            if not known & set(tree[node]):
                break
            known.add(node)
        else:
            count += 1
    return count


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 7), st.integers(0, 10**6))
def test_on_a_tree_it_counts_the_orders_of_infection(nodes: int, seed: int) -> None:
    """Against all permutations."""
    tree = networkx.random_labeled_tree(nodes, seed=seed)
    found = log_centralities(graph_of(tree), np.arange(nodes))
    assert np.exp(found) == pytest.approx([orders_from(tree, root) for root in range(nodes)])


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 60), st.integers(0, 10**6))
def test_passing_messages_and_a_search_from_each_root_agree_on_trees(nodes: int, seed: int) -> None:
    """The probability of an order is added only where it is asked for, and is then that of one order of many."""
    tree = networkx.random_labeled_tree(nodes, seed=seed)
    graph = graph_of(tree)
    passed = log_centralities(graph, np.arange(nodes))
    searched = log_centralities(graph, np.arange(nodes), orders=True)
    # Told over any of the links between those who know and those who do not; all know in the end.
    assert (searched - passed <= 1e-9).all()
    order = [node for _, node in networkx.bfs_edges(tree, 0, sort_neighbors=sorted)]
    rest, known, expected = set(order), {0}, 0.0
    for node in order:
        expected -= math.log(sum(friend in rest for each in known for friend in tree[each]))
        known.add(node)
        rest.remove(node)
    assert searched[0] - passed[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("degree", "size", "expected"),
    # Shah and Zaman (2011), theorem 3 and what follows; at a finite odd n for d = 3 it is 1/4 + 1/(4n).
    [(3, 101, 1 / 4 + 1 / 404), (4, 300, 4 / math.pi - 1)],
)
def test_on_regular_trees_it_is_right_as_often_as_is_known(degree: int, size: int, expected: float) -> None:
    runs, hits = 20_000, 0.0
    parents, leaves = np.empty(size, dtype=np.int32), np.empty((degree - 2) * size + 2, dtype=np.int32)
    for run in range(runs):
        infect(degree, Key(derived(key_of(1), run)), parents, leaves)
        found = log_centralities_of_tree(parents)
        best = found >= found.max() - 1e-9
        hits += best[0] / best.sum()
    assert abs(hits / runs - expected) < 3 * math.sqrt(expected * (1 - expected) / runs)


def test_large_snapshots_do_not_overflow() -> None:
    """100,000 nodes in a row: the centrality of the middle is a binomial coefficient of 30,000 digits."""
    size = 100_001
    row = Graph.from_edges(size, np.stack([np.arange(size - 1), np.arange(1, size)], axis=1))
    found = log_centralities(row, np.arange(size))
    middle = size // 2
    exact = math.lgamma(size) - 2 * math.lgamma(middle + 1)
    assert found[middle] == pytest.approx(exact)
    assert found.argmax() == middle
    assert found[0] == pytest.approx(0.0, abs=1e-6)


def test_who_are_not_connected_are_no_snapshot() -> None:
    with pytest.raises(ValueError, match="not connected"):
        log_centralities(powerlaw(50), np.array([30, 45]))


def test_eccentricities_are_those_of_networkx() -> None:
    graph = networkx.powerlaw_cluster_graph(80, 3, 0.3, seed=2)
    nodes = sorted(networkx.bfs_tree(graph, 5))[:60]
    part = graph.subgraph(max(networkx.connected_components(graph.subgraph(nodes)), key=len))
    chosen = np.array(sorted(part))
    known = networkx.eccentricity(part)
    assert eccentricities(graph_of(graph), chosen).tolist() == [known[node] for node in chosen.tolist()]


def test_both_find_the_source_of_a_snapshot_better_than_chance() -> None:
    """On a grid, where nothing but the shape of the infected tells."""
    from rumor.sim.estimators import jordan, rumor_centrality

    grid = networkx.convert_node_labels_to_integers(networkx.grid_2d_graph(21, 21))
    ground = Ground(graph=graph_of(grid), spies=np.zeros(441, dtype=bool))
    practice, _ = observe(ground, runs=150, seed=3, snapshot=60)
    infected = practice.observed.infected
    assert infected is not None
    assert (infected.sum(axis=1) == 60).all()
    for estimator in (jordan, rumor_centrality):
        scores = estimator.scores(practice.observed, ground)
        ranks = (scores > scores[np.arange(150), practice.authors][:, np.newaxis]).sum(axis=1)
        assert np.median(ranks) < 15
