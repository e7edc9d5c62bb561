"""Topologies: the graphs of ``rumor sim run``, by a kind and three settings that fit them all.

A thin user of ``graphs``, which draws them.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .graphs.graph import Graph
    from .seeds import Stream

__all__ = ["GRAPHS", "draw", "find_flaw"]

#: By kind: the numbers that ``graphs/families`` wants, from the nodes, the mean degree and the shape.
GRAPHS: Final[Mapping[str, Callable[[int, int, float], dict[str, float]]]] = {
    "complete": lambda n, _d, _s: {"n": n},
    "cycle": lambda n, _d, _s: {"n": n},
    "line": lambda n, _d, _s: {"n": n},
    "random-regular": lambda n, d, _s: {"n": n, "degree": d},
    "watts-strogatz": lambda n, d, s: {"n": n, "degree": d, "rewired": s},
    "barabasi-albert": lambda n, d, _s: {"n": n, "mean_degree": d},
    "powerlaw-cluster": lambda n, d, s: {"n": n, "mean_degree": d, "triangles": s},
}


def find_flaw(graph: str, nodes: int, mean_degree: int) -> str | None:
    """Why there is no such graph, as a sentence; None if there is one."""
    from .graphs.families import FAMILIES

    flaw = FAMILIES[graph].find_flaw(GRAPHS[graph](nodes, mean_degree, 0.0))
    return flaw and flaw[1]


def draw(graph: str, nodes: int, mean_degree: int, shape: float, random: "Stream") -> "Graph":
    """Draws a connected graph.

    Args:
        graph: one of ``GRAPHS``.
        nodes: at least 2.
        mean_degree: friends of a node, for the kinds that can choose.
        shape: the share of edges that are rewired (watts-strogatz), or the probability that an edge closes a triangle
            (powerlaw-cluster).
        random: decides all, by its name.

    Raises:
        GraphError: there is none, or none was connected.
    """
    from .graphs.graph import Graph
    from .graphs.spec import Spec

    drawn = Spec.of(graph, **GRAPHS[graph](nodes, mean_degree, shape)).build(random.name)
    assert isinstance(drawn, Graph)
    return drawn
