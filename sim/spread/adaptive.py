"""Adaptive diffusion on a graph: the private phase, event by event, until the last virtual source opens the packet.

The compiled twin of the engine's strategy ``adaptive`` (``gossip/spreading/adaptive.py``, which says what the words are
for), but for tokens that are lost: nobody goes away here. In units of a hop's mean delay.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .counter import Key, exponential, uniform, whole
from .heap import Heap, pop, push
from .stems import Walk

__all__ = ["Ball", "ball", "grow_ball"]

#: The last time step, and the mean hops that a virtual source waits, as in the engine.
STEP_MAX: Final = 8
HOPS_PER_TURN: Final = 4
_HAND, _TOKEN, _SPREAD, _TURN = range(4)
#: A node follows each spread word once: one for each even step and layer.
_WORDS: Final = 2

#: What is remembered of a run, and so of none but the latest: by node whether it has handed on to all, and the words
#: that it followed; by link when its end has the packet, as the node at its beginning knows. Each with the number of
#: the run that it is of. Then the events: kind, link or node, step, and hops or layer.
Ball = tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int32],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int8],
    NDArray[np.int64],
    NDArray[np.int16],
    NDArray[np.int16],
]


def ball(node_count: int, link_count: int) -> tuple[Ball, Heap]:
    """Room for runs on a graph of this size, one after the other."""
    # Each link carries at most a packet and each word once in each direction.
    room = link_count * (_WORDS * STEP_MAX // 2 + 2) + STEP_MAX
    state = (
        np.full(node_count, -1, dtype=np.int64),
        np.full(node_count, -1, dtype=np.int64),
        np.zeros(node_count, dtype=np.int32),
        np.zeros(link_count),
        np.full(link_count, -1, dtype=np.int64),
        np.empty(room, dtype=np.int8),
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int16),
        np.empty(room, dtype=np.int16),
    )
    return state, (np.empty(room), np.empty(room, dtype=np.int64), np.zeros(1, dtype=np.int64))


@compiled
def grow_ball(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    is_spy: NDArray[np.bool_],
    key: Key,
    run: int,
    author: int,
    latency: float,
    state: Ball,
    entries: Heap,
    room: Walk,
) -> int:
    """Lets the ball grow. Returns how many times the packet was handed over.

    In ``room`` stands as the only hop the first that an honest node made to a spy, if one did, and as the only flood
    where and when the last virtual source opens the packet.
    """
    hop_at, hop_from, hop_to, hop_floods, flood_node, flood_at, counts = room
    spread_run, heard_run, heard, reached_at, reached_run, kinds, places, steps, numbers = state
    counts[0], counts[1] = 0, 1
    flood_node[0], flood_at[0] = author, 0.0
    degree = starts[author + 1] - starts[author]
    if degree == 0:
        return 0
    entries[2][0] = 0
    draws = fresh = handed = 0
    # The author passes the token first of all; its turn has neither steps nor hops behind it.
    kinds[0], places[0], steps[0], numbers[0] = _TURN, author, 0, 0
    push(entries, 0.0, 0)
    fresh = 1
    previous = -1
    while entries[2][0] > 0:
        now, event = pop(entries)
        kind, place, step, number = kinds[event], places[event], steps[event], numbers[event]
        if kind == _HAND:
            sender, node = friends[twins[place]], friends[place]
            if reached_run[twins[place]] != run:
                reached_run[twins[place]], reached_at[twins[place]] = run, now
            if counts[0] == 0 and is_spy[node] and not is_spy[sender]:
                hop_at[0], hop_from[0], hop_to[0], hop_floods[0] = now, sender, node, 0
                counts[0] = 1
            continue
        source, layers, first_layer = -1, 0, 0
        if kind == _TURN:
            node = place
            if step >= STEP_MAX:
                flood_node[0], flood_at[0] = node, now
                break
            start, degree = starts[node], starts[node + 1] - starts[node]
            candidates = degree - (previous >= 0)
            draws += 1
            stays = step > 0 and (candidates == 0 or uniform(key, draws) < _keep_chance(degree, step, number))
            step += 2
            if not stays:
                draws += 1
                link = start + whole(key, draws, candidates)
                if previous >= 0 and friends[link] >= previous:
                    link += 1
                if reached_run[link] != run:
                    draws += 1
                    reached_run[link], reached_at[link] = run, now + exponential(key, draws) + latency
                    kinds[fresh], places[fresh] = _HAND, link
                    push(entries, reached_at[link], fresh)
                    fresh += 1
                    handed += 1
                draws += 1
                kinds[fresh], places[fresh], steps[fresh], numbers[fresh] = _TOKEN, link, step, number + 1
                push(entries, max(now, reached_at[link]) + exponential(key, draws) + latency, fresh)
                fresh += 1
                previous = node
                continue
            layers = 1
        elif kind == _TOKEN:
            source, node = friends[twins[place]], friends[place]
            layers = 1 if step == 2 else 2
        else:
            source, node = friends[twins[place]], friends[place]
            bit = 1 << (step + number)
            if heard_run[node] != run:
                heard_run[node], heard[node] = run, 0
            if heard[node] & bit:
                continue
            first_layer, layers = number, number + 1
        for layer in range(first_layer, layers):
            if heard_run[node] != run:
                heard_run[node], heard[node] = run, 0
            heard[node] |= 1 << (step + layer)
            tells = spread_run[node] == run
            spread_run[node] = run
            for link in range(starts[node], starts[node + 1]):
                if friends[link] == source or (reached_run[link] == run) != tells:
                    continue
                draws += 1
                delay = exponential(key, draws) + latency
                if tells:
                    kinds[fresh], places[fresh], steps[fresh], numbers[fresh] = _SPREAD, link, step, layer
                    push(entries, max(now, reached_at[link]) + delay, fresh)
                else:
                    reached_run[link], reached_at[link] = run, now + delay
                    kinds[fresh], places[fresh] = _HAND, link
                    push(entries, now + delay, fresh)
                    handed += 1
                fresh += 1
        if kind != _SPREAD:
            draws += 1
            kinds[fresh], places[fresh], steps[fresh] = _TURN, node, step
            numbers[fresh] = number
            push(entries, now + HOPS_PER_TURN * exponential(key, draws), fresh)
            fresh += 1
    return handed


@compiled
def _keep_chance(degree: int, step: int, hops: int) -> float:
    """The chance that the virtual source stays, at an even step and so many hops from the author."""
    if degree <= 2:
        return (step - 2 * hops + 2) / (step + 2)
    branching, radius = float(degree - 1), step // 2
    return (branching ** (radius - hops + 1) - 1) / (branching ** (radius + 1) - 1)
