"""Infinite regular trees, grown as far as a run needs them.

Nodes are numbered as they are reached, the author 0. There are no cycles, so that each node is reached once, by its
parent. The author is never a spy; every other node is one with the same chance, independently. That is what closed
forms in the literature are about, and what they are checked on.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined
from .counter import Key, derived, exponential, uniform, whole
from .heap import Heap, pop, push

__all__ = ["CONTACT", "first_contacts", "infect"]

#: What is known of a run: how far from the author the friend is whom the first spy heard from, when, how many nodes
#: had the packet by then, and whether it was handed over on a stem. A run that reaches no spy within the room of the
#: heap has distance −1.
CONTACT: Final = np.dtype(
    [("distance", np.int32), ("first_at", np.float32), ("reached", np.int32), ("on_stem", np.bool_)]
)
_SPY, _DELAY, _COIN = range(3)


@inlined
def _delay(key: Key, node: int, kind: int) -> float:
    if kind == 0:
        return exponential(key, node)
    return 1.0 if kind == 1 else 2.0 * uniform(key, node)


@compiled
def first_contacts(
    degree: int,
    spy_chance: float,
    delay_kind: int,
    stem_end: float,
    seed: Key,
    first_run: int,
    entries: Heap,
    contacts: NDArray[np.void],
) -> None:
    """Lets a packet go out from the author until it meets the first spy, in as many runs as there are ``contacts``.

    ``stem_end`` is the chance that a stem ends at a hop after the first, or 0 for no stem; its successors are private
    and without embargoes. ``entries`` is the room of a run: more nodes than that are not looked at.
    """
    times, _, count = entries
    room = len(times)
    distances = np.empty(room, dtype=np.int32)
    for number in range(len(contacts)):
        key = derived(seed, first_run + number)
        spying, delaying = derived(key, _SPY), derived(key, _DELAY)
        row = contacts[number]
        end, at, met = _stem(degree, spy_chance, delay_kind, stem_end, key, room)
        row["distance"], row["first_at"], row["reached"], row["on_stem"] = end, at, end + 1, met
        if met:
            continue
        # The stem's nodes, none of which is a spy, are numbered along it; all others as they are reached.
        for node in range(end + 1):
            distances[node] = node
        fresh = end + 1
        count[0] = 0
        push(entries, at, end)
        row["distance"], row["first_at"] = -1, np.inf
        while count[0] > 0:
            at, node = pop(entries)
            if node > end and uniform(spying, node) < spy_chance:
                row["distance"], row["first_at"] = distances[node] - 1, at
                break
            row["reached"] += node > end
            on_way = node <= end
            # Towards the author along the stem, and away from it to all but who told it and who is on the stem.
            if on_way and node > 0:
                push(entries, at + _delay(delaying, node - 1, delay_kind), node - 1)
            children = degree - (node > 0) - (node < end)
            if not on_way:
                children = degree - 1
            if fresh + children > room:
                break
            for _child in range(children):
                distances[fresh] = distances[node] + 1
                push(entries, at + _delay(delaying, fresh, delay_kind), fresh)
                fresh += 1


@inlined
def _stem(
    degree: int, spy_chance: float, delay_kind: int, stem_end: float, key: Key, room: int
) -> tuple[int, float, bool]:
    """How many hops a stem makes before it ends or meets a spy, when, and whether it met one."""
    hops, at = 0, 0.0
    if stem_end <= 0:
        return 0, 0.0, False
    while hops == 0 or uniform(derived(key, _COIN), hops) >= stem_end:
        at += _delay(derived(key, _DELAY), -1 - hops, delay_kind)
        if uniform(derived(key, _SPY), -1 - hops) < spy_chance:
            return hops, at, True
        hops += 1
        if hops * degree >= room // 2:
            break
    return hops, at, False


@compiled
def infect(degree: int, key: Key, parents: NDArray[np.int32], leaves: NDArray[np.int32]) -> None:
    """Susceptible–infected with equal rates on all links, up to as many infected as there are ``parents``.

    The author is 0, whose parent is −1. The next link to tell is any of those that lead out, which are as many for
    a node as it has places in ``leaves``; it needs (degree − 2) · size + 2 of them.
    """
    parents[0] = -1
    out = degree
    for place in range(degree):
        leaves[place] = 0
    for node in range(1, len(parents)):
        chosen = whole(key, node, out)
        parents[node] = leaves[chosen]
        leaves[chosen] = node
        for more in range(degree - 2):
            leaves[out + more] = node
        out += degree - 2
