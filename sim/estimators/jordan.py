"""Jordan centre: the infected node whose farthest infected node is nearest.

It ends the likeliest path of an infection on a tree (Zhu and Ying, "Information source detection in the SIR model",
IEEE/ACM Transactions on Networking 24, 2016), and as a heuristic serves on any graph.

Assumed: a snapshot of all infected nodes is known, and their links; nothing of times or rates. Distances are those
among the infected alone. Of equal eccentricities all are as good; who judges breaks ties uniformly.

Cost: ``O(n · links)`` for n infected, one search for each of them.
"""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..graphs.graph import Graph
from ..spread.compiled import compiled
from .rumor_centrality import _within
from .seen import Ground, Observed

__all__ = ["eccentricities", "scores"]


def scores(observed: Observed, ground: Ground) -> Array:
    """Of shape (runs, suspects): minus the eccentricity among the infected; −∞ for who is not infected."""
    assert observed.infected is not None
    found = np.full((len(observed), len(ground.suspects)), -np.inf)
    for run, infected in enumerate(observed.infected):
        nodes = np.flatnonzero(infected)
        columns = ground.columns[nodes]
        found[run, columns[columns >= 0]] = -eccentricities(ground.graph, nodes)[columns >= 0]
    return found


def eccentricities(graph: Graph, infected: NDArray[np.int64]) -> NDArray[np.int32]:
    """How far the farthest of these nodes is from each of them, over these nodes alone; they must be connected."""
    return _by_searching(*_within(graph.starts, graph.friends, infected))


@compiled
def _by_searching(starts: NDArray[np.int64], friends: NDArray[np.int32]) -> NDArray[np.int32]:
    count = len(starts) - 1
    order, distances = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    stamps = np.full(count, -1, dtype=np.int32)
    found = np.empty(count, dtype=np.int32)
    for root in range(count):
        order[0], stamps[root], distances[root], reached = root, root, 0, 1
        for place in range(count):
            if place == reached:
                raise ValueError("The infected are not connected.")
            node = order[place]
            for link in range(starts[node], starts[node + 1]):
                friend = friends[link]
                if stamps[friend] != root:
                    stamps[friend] = root
                    distances[friend] = distances[node] + 1
                    order[reached] = friend
                    reached += 1
        found[root] = distances[order[count - 1]]
    return found
