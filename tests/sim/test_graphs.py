"""Graphs: of the kind and size that was asked for, connected, the same for the same seed, and like those of others."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.sim.graphs import families, growth
from rumor.sim.graphs.draws import key_of, uniforms
from rumor.sim.graphs.foreign import from_igraph, from_networkx
from rumor.sim.graphs.graph import Graph, GraphError
from rumor.sim.graphs.spec import parse, read
from rumor.sim.graphs.tree import Tree
from rumor.sim.spread import counter
from rumor.sim.spread.compiled import compiled


def graph(text: str, seed: int = 1) -> Graph:
    made = read(text, seed)
    assert isinstance(made, Graph)
    return made


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("complete:n=9", 36),
        ("cycle:n=9", 9),
        ("line:n=9", 8),
        ("random-regular:n=60,degree=6", 180),
        ("random-regular:n=30,degree=25", 375),
        ("random-regular:n=12,degree=11", 66),
        ("watts-strogatz:n=60,degree=6,rewired=0.3", 180),
        ("barabasi-albert:n=60,mean_degree=6", 3 * 57),
        ("powerlaw-cluster:n=60,mean_degree=6,triangles=0.7", 3 * 57),
    ],
)
def test_graphs_are_simple_connected_and_follow_from_the_seed(text: str, edges: int) -> None:
    made = graph(text)
    assert made.edge_count == edges
    assert made.is_connected
    assert made.digest == graph(text).digest == graph(parse(text).text).digest
    assert Graph.from_edges(made.node_count, made.edges).digest == made.digest
    if "random" in text and "11" not in text:
        assert made.digest != graph(text, seed=2).digest
        assert len(set(made.degrees)) == 1


def test_an_infinite_tree_is_only_named() -> None:
    assert read("regular-tree:degree=4") == Tree(4)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            "watts-strogatz:n=400,degree=6,rewired=0.2",
            lambda s: networkx.watts_strogatz_graph(400, 6, 0.2, s),
        ),
        ("barabasi-albert:n=400,mean_degree=8", lambda s: networkx.barabasi_albert_graph(400, 4, s)),
        (
            "powerlaw-cluster:n=400,mean_degree=8,triangles=0.5",
            lambda s: networkx.powerlaw_cluster_graph(400, 4, 0.5, s),
        ),
        ("random-regular:n=200,degree=4", lambda s: networkx.random_regular_graph(4, 200, s)),
    ],
)
def test_degrees_and_triangles_are_as_networkx_has_them(ours: str, theirs: object) -> None:
    """Means over some graphs. Of Holme and Kim's ours have a few more edges: networkx draws some twice."""
    found = []
    for make in (lambda seed: networkx.Graph(graph(ours, seed).edges.tolist()), theirs):
        graphs = [make(seed) for seed in range(12)]  # type: ignore[operator]
        degrees = np.array([sorted(dict(each.degree).values(), reverse=True) for each in graphs], dtype=float)
        triangles = [sum(networkx.triangles(each).values()) / 3 for each in graphs]
        found.append(
            [degrees[:, 0].mean(), degrees[:, 20].mean(), degrees.std(axis=1).mean(), np.mean(triangles)]
        )
    mine, other = found
    assert mine == pytest.approx(other, rel=0.15, abs=1.5)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.data())
def test_any_regular_graph_that_exists_is_drawn(n: int, data: st.DataObject) -> None:
    degree = data.draw(st.integers(1, n - 1).filter(lambda degree: n * degree % 2 == 0))
    if 2 * degree < n:
        edges = families._grown(growth.pair, (n, degree), n * degree // 2, data.draw(st.integers(0, 99)))
    else:
        edges = graph(f"random-regular:n={n},degree={degree}").edges if degree > 2 else np.empty((0, 2))
    counts = np.bincount(np.asarray(edges, dtype=np.int64).reshape(-1), minlength=n)
    if len(edges):
        assert set(counts) == {degree}
        assert Graph.from_edges(n, edges).edge_count == n * degree // 2


@pytest.mark.parametrize(
    ("function", "arguments", "count"),
    [
        (growth.attach, (300, 4, 0.0, True), 4 * 296),
        (growth.attach, (300, 4, 0.5, False), 4 * 296),
        (growth.rewire, (300, 6, 0.3), 900),
        (growth.pair, (300, 6), 900),
    ],
)
def test_compiled_growth_makes_the_same_graph(
    function: object, arguments: tuple[object, ...], count: int
) -> None:
    plain, quick = (np.empty((count, 2), dtype=np.int32) for _ in range(2))
    draws = uniforms(7, 20 * count)
    assert function(*arguments, draws, plain) == compiled(function)(*arguments, draws, quick)  # type: ignore
    assert (plain == quick).all()


def test_growth_says_when_draws_are_too_few_and_more_begin_with_the_same() -> None:
    edges = np.empty((4 * 296, 2), dtype=np.int32)
    assert growth.attach(300, 4, 0.5, False, uniforms(7, 100), edges) == -1
    assert (uniforms(7, 100) == uniforms(7, 200)[:100]).all()


def test_draws_are_those_of_the_counter() -> None:
    key = key_of("a", 1)
    assert uniforms(key, 5).tolist() == [counter.uniform(counter.Key(key), number) for number in range(5)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("star:n=5", "There is no graph 'star'"),
        ("cycle:n=2", "cycle, n: A cycle takes at least 3"),
        ("complete:n=0", "at least one node"),
        ("complete:n=1000000", "ask for fewer"),
        ("complete:n=five", "n is a whole number, and not 'five'"),
        ("complete", "complete needs n; write complete:n=…"),
        ("line:n=3,n=4", "given twice"),
        ("line:n=3,degree=4", "no number 'degree'"),
        ("random-regular:n=5,degree=5", "2 to 4 friends"),
        ("random-regular:n=7,degree=3", "must be even"),
        ("random-regular:degree=3", "needs n"),
        ("powerlaw-cluster:n=10,mean_degree=3", "is even"),
        ("powerlaw-cluster:n=10,mean_degree=4,triangles=2", "triangles is a number from 0 to 1"),
        ("barabasi-albert:n=10,mean_degree=10", "below 10"),
        ("regular-tree:degree=1", "2 to 1000 friends"),
        ("debian:enron", "pgp or ego-facebook"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(GraphError, match=says) as refused:
        read(text)
    assert "\n" not in str(refused.value)


def test_graphs_that_never_connect_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings of two friends each, drawn at random, are one ring only by luck."""
    monkeypatch.setattr(families, "DRAWS_MAX", 1)
    with pytest.raises(GraphError, match="none was connected"):
        read("random-regular:n=900,degree=2")


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda e: e[0] != e[1]), max_size=60)
)
def test_sparse_rows_twins_and_parts_are_those_of_the_edges(edges: list[tuple[int, int]]) -> None:
    ours, theirs = Graph.from_edges(31, edges), networkx.Graph()
    theirs.add_nodes_from(range(31))
    theirs.add_edges_from(edges)
    assert [ours.friends_of(node) for node in range(31)] == [sorted(theirs[node]) for node in range(31)]
    assert (ours.heads[ours.twins] == ours.friends).all()
    assert (ours.friends[ours.twins] == ours.heads).all()
    parts = sorted(map(sorted, networkx.connected_components(theirs)))
    assert (
        sorted(np.flatnonzero(ours.components == label).tolist() for label in set(ours.components)) == parts
    )
    assert ours.largest_component()[0].node_count == max(map(len, parts))


def test_graphs_of_networkx_and_igraph_keep_their_names() -> None:
    theirs = networkx.DiGraph([("b", "a"), ("a", "b"), ("a", "c")])
    ours = from_networkx(theirs)
    assert (ours.edge_count, ours.names) == (2, ["b", "a", "c"])
    assert ours.restricted(np.array([1, 2])).names == ["a", "c"]
    vertices = SimpleNamespace(attributes=list)
    other = SimpleNamespace(vs=vertices, vcount=lambda: 3, get_edgelist=lambda: [(0, 1), (1, 2)])
    assert (from_igraph(other).edge_count, from_igraph(other).names) == (2, None)
    with pytest.raises(GraphError, match="Node 'a' is its own friend"):
        from_networkx(networkx.Graph([("a", "a")]))
    with pytest.raises(GraphError, match="no nodes"):
        from_networkx(networkx.Graph())


def test_a_small_graph_needs_neither_compiler_nor_scipy() -> None:
    """`rumor sim run` draws its graph this way, and starts the quicker."""
    code = (
        "import sys; from rumor.sim.graphs.spec import read; read('powerlaw-cluster:n=200,mean_degree=8');"
        "assert not {'numba', 'scipy', 'networkx'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_graphs_are_kept_by_their_digest_and_never_in_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = graph("cycle:n=9")
    home = made.save(tmp_path / "graphs")
    assert (home.name, Graph.load(home).digest) == (made.digest, made.digest)
    assert made.save(tmp_path / "graphs") == home
    monkeypatch.setattr(np, "save", lambda *_: (_ for _ in ()).throw(OSError("No space left on device")))
    with pytest.raises(OSError, match="No space"):
        graph("cycle:n=8").save(tmp_path / "graphs")
    assert [path.name for path in (tmp_path / "graphs").iterdir()] == [made.digest]
