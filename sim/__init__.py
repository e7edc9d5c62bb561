"""Simulated networks that run the same gossip core as the node does; and very many rumors at once, in compiled code.

In a notebook:

>>> from rumor.sim import Graph, spread
>>> spread("powerlaw-cluster:n=1000,mean_degree=8", scheme="stem", spies=0.1, runs=2_000)["p_named"] < 0.2
True
>>> spread(Graph.from_edges(4, [(0, 1), (1, 2), (2, 3)]), spies="hubs:1", runs=100)["nodes"]
4

What is named here is imported when it is asked for, so that a command that needs none of it starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .graphs.foreign import as_graph, from_igraph, from_networkx
    from .graphs.graph import Graph, GraphError
    from .results.notebook import compare, plot, sweep
    from .trials.trial import Trial, TrialError, spread

__all__ = [
    "Graph",
    "GraphError",
    "Trial",
    "TrialError",
    "as_graph",
    "compare",
    "from_igraph",
    "from_networkx",
    "plot",
    "spread",
    "sweep",
]

_PLACES: Final = {
    "Graph": ".graphs.graph",
    "GraphError": ".graphs.graph",
    "Trial": ".trials.trial",
    "TrialError": ".trials.trial",
    "as_graph": ".graphs.foreign",
    "from_igraph": ".graphs.foreign",
    "from_networkx": ".graphs.foreign",
    "compare": ".results.notebook",
    "plot": ".results.notebook",
    "sweep": ".results.notebook",
}


def __getattr__(name: str) -> Any:
    if name == "spread":
        return import_module(".spread", __name__)
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
