"""Rumor centrality: in how many orders a snapshot of the infected can have come about, from each root.

After Shah and Zaman, "Rumors in a network: who's the culprit?" (IEEE Transactions on Information Theory 57, 2011). On a
tree of n infected nodes the rumor centrality of v is ``R(v) = n! / ∏_u T_u``, where ``T_u`` is the size of the subtree
below u if v is the root. On regular trees, where all orders are equally likely, its largest value is at the
likeliest source. On other graphs the heuristic of the paper takes for each root its own tree of breadth-first search,
and may weigh it with the probability of the one order in which that search goes: ``orders=True``.

Assumed: susceptible–infected with independent exponential delays, equal on all links; every infected node is known, and
its links; nothing of times. Ties are for the caller to break. On anything that is not spread from its author, as
behind a stem, it names where the flood began.

In logarithms, so that nothing overflows. Cost: ``O(n)`` for all roots of a tree; else ``O(n · links)``, one search for
each root.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..graphs.graph import Graph
from ..spread.compiled import compiled
from .seen import Ground, Observed

__all__ = ["log_centralities", "log_centralities_of_tree", "scores"]


def scores(observed: Observed, ground: Ground) -> Array:
    """Of shape (runs, suspects): the logarithm of the rumor centrality; −∞ for who is not infected."""
    assert observed.infected is not None
    found = np.full((len(observed), len(ground.suspects)), -np.inf)
    for run, infected in enumerate(observed.infected):
        nodes = np.flatnonzero(infected)
        columns = ground.columns[nodes]
        centralities = log_centralities(ground.graph, nodes, orders=True)
        found[run, columns[columns >= 0]] = centralities[columns >= 0]
    return found


def log_centralities(graph: Graph, infected: NDArray[np.int64], *, orders: bool = False) -> Array:
    """The logarithm of the rumor centrality of each of these nodes, which must be connected among themselves.

    Args:
        graph: on which the rumor spread.
        infected: of shape (n,), ascending.
        orders: whether to add the logarithm of the probability of the order of breadth-first search.
    """
    starts, friends = _within(graph.starts, graph.friends, infected)
    degrees = graph.degrees[infected]
    if len(friends) == 2 * (len(infected) - 1) and not orders:
        return _by_passing(*_search(starts, friends))
    return _by_searching(starts, friends, degrees, _logarithms(int(degrees.sum()) + len(infected)), orders)


def log_centralities_of_tree(parents: NDArray[np.int32]) -> Array:
    """The same on a tree that is given by the parent of each node; parents come first, and the first has none."""
    return _by_passing(np.arange(len(parents), dtype=np.int32), parents)


def _logarithms(count: int) -> Array:
    return np.log(np.maximum(np.arange(count + 1), 1))


@compiled
def _within(
    starts: NDArray[np.int64], friends: NDArray[np.int32], nodes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The rows of the graph among these nodes alone, numbered in this order."""
    places = np.full(len(starts) - 1, -1, dtype=np.int32)
    room = 0
    for place in range(len(nodes)):
        places[nodes[place]] = place
        room += starts[nodes[place] + 1] - starts[nodes[place]]
    inner = np.empty(len(nodes) + 1, dtype=np.int64)
    kept = np.empty(room, dtype=np.int32)
    count = 0
    for place in range(len(nodes)):
        inner[place] = count
        for link in range(starts[nodes[place]], starts[nodes[place] + 1]):
            friend = places[friends[link]]
            if friend >= 0:
                kept[count] = friend
                count += 1
    inner[len(nodes)] = count
    return inner, kept[:count]


@compiled
def _search(
    starts: NDArray[np.int64], friends: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """All nodes in the order of breadth-first search from the first, and the parent of each; −1 of the root."""
    count = len(starts) - 1
    order, parents = np.empty(count, dtype=np.int32), np.full(count, -2, dtype=np.int32)
    order[0], parents[0], found = 0, -1, 1
    for place in range(count):
        if place == found:
            raise ValueError("The infected are not connected.")
        node = order[place]
        for link in range(starts[node], starts[node + 1]):
            friend = friends[link]
            if parents[friend] == -2:
                parents[friend] = node
                order[found] = friend
                found += 1
    return order, parents


@compiled
def _by_passing(order: NDArray[np.int32], parents: NDArray[np.int32]) -> Array:
    """Messages up and down one tree: from a root to a child T of n nodes change sides, R(child) = R · T / (n − T)."""
    count = len(order)
    sizes = np.ones(count, dtype=np.int64)
    root = math.lgamma(count + 1.0)
    for place in range(count - 1, 0, -1):
        node = order[place]
        sizes[parents[node]] += sizes[node]
        root -= math.log(sizes[node])
    found = np.empty(count)
    found[order[0]] = root - math.log(count)
    for place in range(1, count):
        node = order[place]
        found[node] = found[parents[node]] + math.log(sizes[node] / (count - sizes[node]))
    return found


@compiled
def _by_searching(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    degrees: NDArray[np.int64],
    logarithms: Array,
    orders: bool,
) -> Array:
    """A search from each root."""
    count = len(starts) - 1
    order, above = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    sizes = np.empty(count, dtype=np.int32)
    # The root whose search found the node last, so that nothing is cleared between two searches.
    stamps = np.full(count, -1, dtype=np.int32)
    places = np.empty(count, dtype=np.int32)
    found = np.empty(count)
    most = math.lgamma(count + 1.0) - logarithms[count]
    for root in range(count):
        order[0], above[0], stamps[root], places[root], reached = root, -1, root, 0, 1
        for place in range(count):
            if place == reached:
                raise ValueError("The infected are not connected.")
            node = order[place]
            for link in range(starts[node], starts[node + 1]):
                friend = friends[link]
                if stamps[friend] != root:
                    stamps[friend] = root
                    places[friend] = reached
                    order[reached], above[reached] = friend, place
                    reached += 1
        total = most
        sizes[:] = 1
        for place in range(count - 1, 0, -1):
            size = sizes[place]
            sizes[above[place]] += size
            if size > 1:
                total -= logarithms[size]
        if orders:
            # Each next one is told over one of the links between those who know and those who do not.
            open_links = degrees[root]
            for place in range(1, count):
                total -= logarithms[open_links]
                node = order[place]
                known = 0
                for link in range(starts[node], starts[node + 1]):
                    known += places[friends[link]] < place
                open_links += degrees[node] - 2 * known
        found[root] = total
    return found
