"""Topologies: three settings fit all kinds of graphs, and what comes out is connected and follows from the seed."""

import pytest

from rumor.sim.graphs.graph import Graph, GraphError
from rumor.sim.seeds import Stream
from rumor.sim.topology import GRAPHS, draw, find_flaw


def drawn(kind: str, nodes: int = 60, mean_degree: int = 6, seed: int = 1) -> Graph:
    return draw(kind, nodes, mean_degree, 0.3, Stream(seed))


@pytest.mark.parametrize(
    ("kind", "mean"),
    [
        ("complete", 59),
        ("cycle", 2),
        ("line", 2 * 59 / 60),
        ("random-regular", 6),
        ("watts-strogatz", 6),
        ("barabasi-albert", 2 * 3 * 57 / 60),
        ("powerlaw-cluster", 2 * 3 * 57 / 60),
    ],
)
def test_the_mean_degree_is_the_one_of_its_kind(kind: str, mean: float) -> None:
    graph = drawn(kind)
    assert graph.mean_degree == pytest.approx(mean)
    assert graph.is_connected
    assert graph.digest == drawn(kind).digest


def test_every_kind_has_numbers_that_its_family_knows() -> None:
    assert [find_flaw(kind, 60, 6) for kind in GRAPHS] == [None] * len(GRAPHS)


def test_another_seed_makes_another_graph() -> None:
    assert drawn("watts-strogatz", seed=1).digest != drawn("watts-strogatz", seed=2).digest


@pytest.mark.parametrize(
    ("kind", "nodes", "mean_degree", "says"),
    [
        ("random-regular", 5, 5, "2 to 4 friends"),
        ("powerlaw-cluster", 10, 3, "is even"),
        ("cycle", 2, 2, "at least 3"),
    ],
)
def test_impossible_graphs_are_refused_with_the_reason(
    kind: str, nodes: int, mean_degree: int, says: str
) -> None:
    assert says in (find_flaw(kind, nodes, mean_degree) or "")
    with pytest.raises(GraphError, match=says):
        draw(kind, nodes, mean_degree, 0.3, Stream(1))
