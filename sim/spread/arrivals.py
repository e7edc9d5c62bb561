"""Arrival times: when a rumor reaches each node, if links take the times that they take.

Shortest paths from some nodes, by buckets: what is due within one step of time is taken together, in any order, and a
node whose time improves within its own step is taken again ("delta-stepping" of Meyer and Sanders, 2003, with steps so
short that this is rare). The result is exact, whatever the step. Places in the queue are handed out again as soon as
they are free, so that the queue stays in the cache: it is as long as the front of the rumor.

Cost: ``O(links)`` for steps that hold some dozens of nodes each; memory of 4 bytes a node, and 12 for each in the
front.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..graphs.graph import Graph
from .compiled import compiled

__all__ = ["Front", "arrival_times", "front", "reach"]

#: Nodes in a bucket, about. Fewer make empty buckets, more make nodes that are taken twice.
BUCKET_NODES: Final = 64.0
#: Buckets in the ring, at the most: 256 kB.
BUCKETS_MAX: Final = 65_536

#: What ``reach`` works with, so that many runs share it: the buckets; and of each entry its node, its time and the
#: next.
Front = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]


def arrival_times(graph: Graph, delays: NDArray[np.float32], source: int) -> NDArray[np.float32]:
    """When the rumor reaches each node, in the unit of the delays; infinity where it never does.

    Args:
        graph: the links.
        delays: of shape (2 · edges,), at least 0 each: how long a node's word takes to the friend in this place of
            ``graph.friends``.
        source: where it starts, at 0.
    """
    longest, mean = (float(delays.max()), float(delays.mean())) if len(delays) else (0.0, 0.0)
    work, step = front(graph.node_count, len(graph.friends), mean, longest)
    times = np.full(graph.node_count, np.inf, dtype=np.float32)
    nobody = np.empty(0, dtype=np.int32)
    at = np.array([source], dtype=np.int32), np.zeros(1, dtype=np.float32)
    reach(graph.starts, graph.friends, delays, *at, times, nobody, work, step)
    return times


def front(node_count: int, link_count: int, mean: float, longest: float) -> tuple[Front, float]:
    """A workspace for graphs of this size, and the step of time for delays of this mean and maximum."""
    # All nodes are reached within some mean delays; a spread that is slower has emptier buckets, and no other result.
    step = max(mean * BUCKET_NODES / max(1, node_count), longest / (BUCKETS_MAX - 2), 1e-30)
    bucket_count = min(BUCKETS_MAX, 1 << int(longest / step + 2).bit_length())
    # Only pages that are touched take memory.
    places = link_count + node_count + 1
    work = (
        np.full(bucket_count, -1, dtype=np.int32),
        np.empty(places, dtype=np.int32),
        np.empty(places, dtype=np.float32),
        np.empty(places, dtype=np.int32),
    )
    return work, step


@compiled
def reach(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    delays: NDArray[np.float32],
    sources: NDArray[np.int32],
    source_times: NDArray[np.float32],
    times: NDArray[np.float32],
    tellers: NDArray[np.int32],
    work: Front,
    step: float,
) -> None:
    """Lowers ``times`` to when each node is reached from the sources, which start at ``source_times``.

    ``times`` are infinite before, or upper limits that stay if nothing is earlier. ``tellers``, unless empty, gets
    of each node that is reached who reached it, and −1 of a source. ``delays`` must be at most the ``longest`` that
    ``front`` was told, and sources at most as much apart.
    """
    heads, nodes, entered, nexts = work
    mask = len(heads) - 1
    inverse = np.float32(1.0 / step)
    tells = len(tellers) > 0
    free, fresh, waiting = -1, 0, 0
    bucket = np.int64(1 << 62)
    for number in range(len(sources)):
        source, at = sources[number], source_times[number]
        if at < times[source]:
            times[source] = at
            if tells:
                tellers[source] = -1
            bucket = min(bucket, np.int64(at * inverse))
            nodes[fresh], entered[fresh] = source, at
            place = np.int64(at * inverse) & mask
            nexts[fresh] = heads[place]
            heads[place] = fresh
            fresh += 1
            waiting += 1
    while waiting:
        place = bucket & mask
        while heads[place] >= 0:
            entry = heads[place]
            heads[place] = nexts[entry]
            node, at = nodes[entry], entered[entry]
            nexts[entry] = free
            free = entry
            waiting -= 1
            if at > times[node]:
                continue  # It was reached earlier than this entry says.
            for link in range(starts[node], starts[node + 1]):
                friend = friends[link]
                then = at + delays[link]
                if then < times[friend]:
                    times[friend] = then
                    if tells:
                        tellers[friend] = node
                    if free >= 0:
                        entry = free
                        free = nexts[entry]
                    else:
                        entry = fresh
                        fresh += 1
                    nodes[entry], entered[entry] = friend, then
                    # Rounding must not put it into the past, nor once round the ring.
                    slot = min(max(np.int64(then * inverse), bucket), bucket + mask) & mask
                    nexts[entry] = heads[slot]
                    heads[slot] = entry
                    waiting += 1
        bucket += 1
