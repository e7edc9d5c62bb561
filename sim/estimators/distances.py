"""Distances on the friend graph, for estimators that go by them."""

import numpy as np
from numpy.typing import NDArray

from ..graphs.graph import Graph
from ..spread.compiled import compiled

__all__ = ["hops_between"]


def hops_between(graph: Graph, sources: NDArray[np.int32], nodes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Of shape (sources, nodes): how many hops lie between them; −1 where there is no way. ``O(sources · links)``."""
    asked, which = np.unique(sources, return_inverse=True)
    return np.asarray(_search(graph.starts, graph.friends, asked, nodes)[which.reshape(-1)])


@compiled
def _search(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    sources: NDArray[np.int32],
    nodes: NDArray[np.int32],
) -> NDArray[np.int32]:
    count = len(starts) - 1
    order, far = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    found = np.empty((len(sources), len(nodes)), dtype=np.int32)
    for row in range(len(sources)):
        far[:] = -1
        order[0], far[sources[row]], reached, place = sources[row], 0, 1, 0
        while place < reached:
            node = order[place]
            place += 1
            for link in range(starts[node], starts[node + 1]):
                friend = friends[link]
                if far[friend] < 0:
                    far[friend] = far[node] + 1
                    order[reached] = friend
                    reached += 1
        for column in range(len(nodes)):
            found[row, column] = far[nodes[column]]
    return found
