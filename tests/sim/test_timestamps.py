"""Timestamp likelihood: exact on trees, and what undoes flooding."""

from itertools import pairwise

import networkx
import numpy as np
import pytest
from grounds import graph_of, ground_of, spies_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from rumor.sim.estimators import timestamps
from rumor.sim.estimators.distances import hops_between
from rumor.sim.estimators.seen import Ground
from rumor.sim.metrics.posteriors import judge_posteriors
from rumor.sim.spread.observations import observe

HOP = (1.3, 0.7)


def by_inversion(tree: networkx.Graph, spies: np.ndarray, source: int, times: np.ndarray) -> float:
    """As Pinto, Thiran and Vetterli write it: differences to the first spy, with the covariance of their paths."""
    paths = [networkx.shortest_path(tree, source, int(spy)) for spy in spies]
    links = [set(map(frozenset, pairwise(path))) for path in paths]
    shared = HOP[1] * np.array([[len(one & other) for other in links] for one in links])
    means = HOP[0] * np.array([len(each) for each in links])
    differences = np.hstack([-np.ones((len(spies) - 1, 1)), np.eye(len(spies) - 1)])
    law = multivariate_normal(differences @ means, differences @ shared @ differences.T)
    return float(law.logpdf(differences @ times))


@settings(max_examples=25, deadline=None)
@given(st.integers(6, 30), st.integers(2, 5), st.integers(0, 10**6))
def test_on_trees_it_is_the_likelihood_of_the_paper(nodes: int, spied: int, seed: int) -> None:
    """But for a constant of each run, whatever the tree; spies on the way to other spies included."""
    tree = networkx.random_labeled_tree(nodes, seed=seed)
    random = np.random.default_rng(seed)
    spies = np.sort(random.choice(nodes, spied, replace=False)).astype(np.int32)
    others = np.setdiff1d(np.arange(nodes), spies).astype(np.int32)
    times = random.exponential(5, (2, spied)).astype(np.float32)
    found = timestamps.log_likelihoods(graph_of(tree), spies, others, times, HOP)
    for run in range(2):
        exact = np.array([by_inversion(tree, spies, int(node), times[run]) for node in others])
        assert found[run] - found[run, 0] == pytest.approx(exact - exact[0], rel=1e-6, abs=1e-6)


def test_its_model_s_own_draws_are_named_as_often_as_it_says() -> None:
    """On a tree with normal delays the posterior is calibrated, and far better than guessing."""
    tree = networkx.random_labeled_tree(150, seed=4)
    ground = Ground(graph=graph_of(tree), spies=spies_of(150, 0.2))
    random = np.random.default_rng(1)
    authors = random.choice(ground.suspects, 600)
    times = np.empty((600, len(ground.spy_nodes)), dtype=np.float32)
    for run, author in enumerate(authors.tolist()):
        at = {author: 0.0}
        for above, below in networkx.bfs_edges(tree, author):
            at[below] = at[above] + random.normal(HOP[0], HOP[1] ** 0.5)
        times[run] = [at[spy] for spy in ground.spy_nodes.tolist()]
    logs = timestamps.log_likelihoods(ground.graph, ground.spy_nodes, ground.suspects, times, HOP)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    judged = judge_posteriors(weights / weights.sum(axis=1, keepdims=True), authors, ground.suspects)
    assert judged is not None
    assert judged.calibration.holds
    assert judged.p_named > 0.3


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_it_breaks_flooding_and_beats_the_first_spy(share: float) -> None:
    """Without delays that are drawn, distances to a tenth of the nodes are as good as a name."""
    ground = ground_of(500, share, delay="unit")
    practice, _ = observe(ground, runs=60, seed=2)
    asked, _ = observe(ground, runs=300, seed=1)
    posterior = timestamps.posterior(asked.observed, ground, practice)
    judged = judge_posteriors(posterior, asked.authors, ground.suspects)
    assert judged is not None
    first_spy = (asked.observed.first_friend == asked.authors).mean()
    assert judged.p_named > 0.85 > first_spy + 0.05
    assert judged.calibration.holds


def test_one_spy_tells_nothing() -> None:
    """Nobody knows when it began."""
    ground = ground_of(30, 1 / 30, delay="unit")
    asked, _ = observe(ground, runs=3, seed=1)
    posterior = timestamps.posterior(asked.observed, ground)
    assert posterior == pytest.approx(np.full((3, 29), 1 / 29))


def test_a_matched_hop_is_that_of_a_tree() -> None:
    """Where there is one way only, a hop takes what a link does."""
    tree = networkx.random_labeled_tree(200, seed=1)
    ground = Ground(graph=graph_of(tree), spies=spies_of(200, 0.2))
    practice, _ = observe(ground, runs=400, seed=1)
    mean, variance = timestamps.matched(practice, ground)
    assert mean == pytest.approx(1, abs=0.05)
    assert 0.3 < variance < 1.5


def test_distances_are_those_of_networkx() -> None:
    graph = networkx.powerlaw_cluster_graph(60, 3, 0.3, seed=2)
    graph.add_node(60)
    sources, nodes = np.array([7, 3, 7], dtype=np.int32), np.arange(61, dtype=np.int32)
    found = hops_between(graph_of(graph), sources, nodes)
    for row, source in enumerate(sources.tolist()):
        known = networkx.single_source_shortest_path_length(graph, source)
        assert found[row].tolist() == [known.get(node, -1) for node in range(61)]
