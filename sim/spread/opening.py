"""Opening: where and when a packet is made open, and how its flood and its stem get out of each other's way."""

import numpy as np
from numpy.typing import NDArray

from .arrivals import Front, reach
from .compiled import compiled
from .stems import Walk

__all__ = ["open_packet"]


@compiled
def open_packet(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    delays: NDArray[np.float32],
    times: NDArray[np.float32],
    tellers: NDArray[np.int32],
    work: Front,
    step: float,
    room: Walk,
) -> int:
    """Floods from where the walk says. Returns how many of its hops were made before that stopped them.

    Who has opened a packet hands it to nobody and takes it from nobody; what came of such a hop has not been.
    """
    hop_at, hop_from, hop_to, hop_floods, flood_node, flood_at, counts = room
    hops, floods = counts[0], counts[1]
    while True:
        times[:] = np.inf
        # The earliest first: the buckets begin with it.
        earliest = flood_at[:floods].min()
        horizon = earliest + step * (len(work[0]) - 2)
        kept = 0
        at = np.empty(floods, dtype=np.float32)
        where = np.empty(floods, dtype=np.int32)
        for flood in range(floods):
            if flood_at[flood] < horizon:
                where[kept], at[kept] = flood_node[flood], flood_at[flood]
                kept += 1
        reach(starts, friends, delays, where[:kept], at[:kept], times, tellers, work, step)
        cut = hops
        for hop in range(hops):
            if times[hop_from[hop]] < hop_at[hop] or times[hop_to[hop]] < hop_at[hop]:
                cut = hop
                break
        if cut == hops:
            return hops
        hops, floods = cut, hop_floods[cut]
