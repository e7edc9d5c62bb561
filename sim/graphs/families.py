"""Families: the kinds of graphs that are named in words, and how each is made.

Each is a function of its numbers and a key. Random ones are drawn until they are connected. ``mean_degree`` is what is
asked for; what came out is in the graph itself, since growing graphs fall short by the few edges of their first nodes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .draws import key_of, uniforms
from .graph import Graph, GraphError
from .growth import attach, pair, rewire
from .tree import Tree

__all__ = ["FAMILIES", "Family", "Flaw", "Numbers"]

#: A random graph that is not connected is drawn again; at a mean degree of 4 nearly all are.
DRAWS_MAX: Final = 100
#: Friendships of a graph that is made here: 1.5 GB while it is made.
EDGES_MAX: Final = 20_000_000
#: Friends of a node of an infinite tree; more of them than this are a star to any run.
TREE_DEGREE_MAX: Final = 1_000
#: Edges from which on it pays to wait for the compiler.
COMPILED_MIN: Final = 50_000
#: Draws for an edge, at first.
DRAWS_EACH: Final = 4

Numbers = Mapping[str, Any]
#: The name of the number to blame, and a sentence.
Flaw = tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of graph."""

    defaults: Mapping[str, int | float | None]
    """By name of each number, in order; None where one must be given. Those with a point are shares."""
    find_flaw: Callable[[Numbers], Flaw]
    """Why no such graph exists."""
    make: Callable[[Numbers, int], Graph | Tree]
    """From the numbers and a key."""


def _too_many(edge_count: float) -> Flaw:
    if edge_count > EDGES_MAX:
        return (
            "n",
            f"{edge_count:,.0f} friendships are more than {EDGES_MAX:,}; ask for fewer nodes or friends.",
        )
    return None


def _any(numbers: Numbers) -> Flaw:
    return None if numbers["n"] >= 1 else ("n", "A graph has at least one node.")


def _complete_flaw(numbers: Numbers) -> Flaw:
    return _any(numbers) or _too_many(numbers["n"] * (numbers["n"] - 1) / 2)


def _complete(numbers: Numbers, _key: int) -> Graph:
    n = numbers["n"]
    others = np.arange(n - 1, dtype=np.int32)
    rows = others[None, :] + (others[None, :] >= np.arange(n, dtype=np.int32)[:, None])
    return Graph(np.arange(n + 1, dtype=np.int64) * (n - 1), rows.astype(np.int32).reshape(-1))


def _ring_flaw(numbers: Numbers) -> Flaw:
    n = numbers["n"]
    return _too_many(n) if n >= 3 else ("n", f"A cycle takes at least 3 nodes, and not {n}.")


def _ring(numbers: Numbers, _key: int) -> Graph:
    nodes = np.arange(numbers["n"])
    return Graph.from_edges(numbers["n"], np.stack([nodes, np.roll(nodes, -1)], axis=1))


def _line_flaw(numbers: Numbers) -> Flaw:
    return _any(numbers) or _too_many(numbers["n"])


def _line(numbers: Numbers, _key: int) -> Graph:
    nodes = np.arange(numbers["n"])
    return Graph.from_edges(numbers["n"], np.stack([nodes[:-1], nodes[1:]], axis=1))


def _tree_flaw(numbers: Numbers) -> Flaw:
    degree = numbers["degree"]
    if 2 <= degree <= TREE_DEGREE_MAX:
        return None
    return "degree", f"In an infinite tree each has 2 to {TREE_DEGREE_MAX} friends, and not {degree}."


def _regular_flaw(numbers: Numbers) -> Flaw:
    n, degree = numbers["n"], numbers["degree"]
    if not 2 <= degree < n:
        return (
            "degree",
            f"In a random-regular graph of {n} nodes each has 2 to {n - 1} friends, and not {degree}.",
        )
    if n * degree % 2:
        return (
            "degree",
            f"No graph of {n} nodes gives each {degree} friends: one of the two numbers must be even.",
        )
    return _too_many(n * degree / 2)


def _regular(numbers: Numbers, key: int) -> Graph:
    n, degree = numbers["n"], numbers["degree"]
    # Of a dense graph the friendships that are missing are drawn.
    is_dense = 2 * degree >= n
    drawn_degree = n - 1 - degree if is_dense else degree

    def edges(key: int) -> NDArray[np.int32]:
        edges = _grown(pair, (n, drawn_degree), n * drawn_degree // 2, key)
        if not is_dense:
            return edges
        missing = np.eye(n, dtype=np.bool_)
        missing[edges[:, 0], edges[:, 1]] = missing[edges[:, 1], edges[:, 0]] = True
        return np.argwhere(np.triu(~missing)).astype(np.int32)

    return _connected("random-regular", n, edges, key)


def _even_flaw(name: str) -> Callable[[Numbers], Flaw]:
    def find(numbers: Numbers) -> Flaw:
        n, degree = numbers["n"], numbers[name]
        if degree % 2 or not 2 <= degree < n:
            wanted = (
                f"The mean degree of this kind of graph is even, at least 2 and below {n}, and not {degree}."
            )
            return name, wanted
        return _too_many(n * degree / 2)

    return find


def _small_world(numbers: Numbers, key: int) -> Graph:
    n, degree, rewired = numbers["n"], numbers["degree"], numbers["rewired"]
    return _connected(
        "watts-strogatz", n, lambda key: _grown(rewire, (n, degree, rewired), n * degree // 2, key), key
    )


def _attached(kind: str, star: bool) -> Callable[[Numbers, int], Graph]:
    def make(numbers: Numbers, key: int) -> Graph:
        n, links, triangles = numbers["n"], numbers["mean_degree"] // 2, numbers.get("triangles", 0.0)
        arguments = n, links, triangles, star
        return _connected(kind, n, lambda key: _grown(attach, arguments, links * (n - links), key), key)

    return make


FAMILIES: Final[Mapping[str, Family]] = {
    "complete": Family(defaults={"n": None}, find_flaw=_complete_flaw, make=_complete),
    "cycle": Family(defaults={"n": None}, find_flaw=_ring_flaw, make=_ring),
    "line": Family(defaults={"n": None}, find_flaw=_line_flaw, make=_line),
    "regular-tree": Family(
        defaults={"degree": None}, find_flaw=_tree_flaw, make=lambda numbers, _: Tree(numbers["degree"])
    ),
    "random-regular": Family(defaults={"n": None, "degree": None}, find_flaw=_regular_flaw, make=_regular),
    "watts-strogatz": Family(
        defaults={"n": None, "degree": None, "rewired": 0.1},
        find_flaw=_even_flaw("degree"),
        make=_small_world,
    ),
    "barabasi-albert": Family(
        defaults={"n": None, "mean_degree": None},
        find_flaw=_even_flaw("mean_degree"),
        make=_attached("barabasi-albert", star=True),
    ),
    "powerlaw-cluster": Family(
        defaults={"n": None, "mean_degree": None, "triangles": 0.5},
        find_flaw=_even_flaw("mean_degree"),
        make=_attached("powerlaw-cluster", star=False),
    ),
}


def _connected(kind: str, n: int, edges: Callable[[int], NDArray[np.int32]], key: int) -> Graph:
    """Draws until a graph is connected. Raises ``GraphError``."""
    for attempt in range(DRAWS_MAX):
        graph = Graph.from_edges(n, edges(key_of(key, attempt)))
        if graph.is_connected:
            return graph
    raise GraphError(f"Of {DRAWS_MAX} {kind} graphs none was connected; ask for a higher mean degree.")


def _grown(
    function: Callable[..., int], arguments: tuple[Any, ...], count: int, key: int
) -> NDArray[np.int32]:
    """So many edges, made by one of ``growth`` with as many draws as it needs."""
    if count >= COMPILED_MIN:
        function = _compiled(function)
    draw_count = DRAWS_EACH * (count + 16)
    while True:
        edges = np.empty((count, 2), dtype=np.int32)
        if function(*arguments, uniforms(key, draw_count), edges) >= 0:
            return edges
        draw_count *= 2


@cache
def _compiled(function: Callable[..., int]) -> Callable[..., int]:
    from ..spread.compiled import compiled

    return compiled(function)
