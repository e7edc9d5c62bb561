"""Foreign: graphs of NetworkX and igraph, from Python.

Neither library is imported: whoever has such a graph has it already. Nodes are numbered in their order there, and
``Graph.names`` keeps what they are called. Directions, weights and all other attributes are passed over.
"""

from pathlib import Path
from typing import Any

from .graph import Graph, GraphError
from .spec import read
from .tree import Tree

__all__ = ["as_graph", "from_igraph", "from_networkx"]


def from_networkx(foreign: Any) -> Graph:
    """A graph of NetworkX, of any of its kinds. Raises ``GraphError`` if it is empty or has loops."""
    names = list(foreign.nodes)
    numbers = {name: number for number, name in enumerate(names)}
    return _graph(names, [(numbers[one], numbers[other]) for one, other in foreign.edges()])


def from_igraph(foreign: Any) -> Graph:
    """A graph of igraph. Names are those of the attribute ``name``, if it has one. Raises as ``from_networkx``."""
    has_names = "name" in foreign.vs.attributes()
    names = list(foreign.vs["name"]) if has_names else list(range(foreign.vcount()))
    return _graph(names, foreign.get_edgelist())


def _graph(names: list[Any], edges: list[tuple[int, int]]) -> Graph:
    if not names:
        raise GraphError("The graph has no nodes.")
    for one, other in edges:
        if one == other:
            raise GraphError(f"Node {names[one]!r} is its own friend; remove the loop.")
    return Graph.from_edges(len(names), edges, None if names == list(range(len(names))) else names)


def as_graph(given: Any, seed: int | str = 1) -> Graph | Tree:
    """A graph from words, from one of ours, or from one of NetworkX or igraph. Raises ``GraphError``."""
    if isinstance(given, Graph | Tree):
        return given
    if isinstance(given, str | Path):
        return read(str(given), seed)
    if hasattr(given, "vcount"):
        return from_igraph(given)
    if hasattr(given, "nodes") and hasattr(given, "edges"):
        return from_networkx(given)
    raise GraphError(
        f"{type(given).__name__} is no graph: give words, a path, or a graph of NetworkX or igraph."
    )
