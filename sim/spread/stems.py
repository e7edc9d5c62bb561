"""Stems: the private phase of a packet, one walk at a time.

Compiled twins of the engine's strategies ``stem`` and ``dandelion`` (``gossip/spreading``), in units of a hop's mean
delay. A walk ends in *floods*: where and when the packet is made open, by the coin, by a timer, or for want of a friend
to go on with. Of several the first to happen counts; the others are open by then. Nobody hands on a packet that it has
from the same friend a second time, so that a stem that goes round ends there and waits for a timer. Where there are no
timers it goes round again, up to its end, and nothing is lost.

What is fixed for a day or an epoch (guard, successors, relays) is drawn anew with each key: whoever wants the same
choices for many packets gives them one key for choices and each its own for times.
"""

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined
from .counter import Key, derived, exponential, uniform, whole

__all__ = ["HOPS_MAX", "Walk", "private_stem", "relay_of", "relay_stem", "relay_walk", "walk"]

#: A stem that has made so many hops is flooded. One in 10^9 gets there.
HOPS_MAX = 200
#: Numbers under a walk's key: one for each hop from here on.
_HOP, _COIN, _TIMER, _NEXT = 0, 1_000, 2_000, 3_000
_RELAYS = 2

#: Hops: when, from, to, and how many floods there were before; floods: where and when. Then the counts of both.
Walk = tuple[
    NDArray[np.float32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.float32],
    NDArray[np.int64],
]


def walk() -> Walk:
    """Room for one walk."""
    return (
        np.empty(HOPS_MAX, dtype=np.float32),
        np.empty(HOPS_MAX, dtype=np.int32),
        np.empty(HOPS_MAX, dtype=np.int32),
        np.empty(HOPS_MAX, dtype=np.int32),
        np.empty(HOPS_MAX + 2, dtype=np.int32),
        np.empty(HOPS_MAX + 2, dtype=np.float32),
        np.zeros(2, dtype=np.int64),
    )


@compiled
def private_stem(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    choices: Key,
    times: Key,
    author: int,
    end: float,
    embargo: float,
    bare: bool,
    latency: float,
    room: Walk,
) -> None:
    """A walk by a guard and private successors, with a coin and an embargo at each hop.

    ``embargo`` is the mean of the timers in hops, 0 for none; ``bare`` if the author has none. ``latency`` is what a
    frame takes, in hops.
    """
    hop_at, hop_from, hop_to, hop_floods, flood_node, flood_at, counts = room
    hops = floods = 0
    node, source, at = author, -1, 0.0
    if embargo and not bare:
        flood_node[floods], flood_at[floods] = author, embargo * exponential(times, _TIMER)
        floods += 1
    while True:
        start, degree = starts[node], starts[node + 1] - starts[node]
        if source >= 0:
            if uniform(times, _COIN + hops) < end or degree < 2 or hops == HOPS_MAX - 1:
                flood_node[floods], flood_at[floods] = node, at + exponential(times, _HOP + hops)
                floods += 1
                break
            if embargo:
                flood_node[floods], flood_at[floods] = node, at + embargo * exponential(times, _TIMER + hops)
                floods += 1
        elif degree == 0:
            flood_node[floods], flood_at[floods] = node, 0.0
            floods += 1
            break
        # The same for all that comes from this friend: its number is the place of the link, the guard's a node's own.
        chosen = start + whole(derived(choices, node), source + 1, degree - (source >= 0))
        successor = friends[chosen]
        if source >= 0 and successor >= source:
            successor = friends[chosen + 1]  # Friends ascend, and the one it came from is left out.
        at += exponential(times, _HOP + hops) + latency
        hop_at[hops], hop_from[hops], hop_to[hops], hop_floods[hops] = at, node, successor, floods
        hops += 1
        if embargo and _is_repeated(hop_from, hop_to, hops - 1):
            break
        node, source = successor, node
    counts[0], counts[1] = hops, floods


@inlined
def _is_repeated(hop_from: NDArray[np.int32], hop_to: NDArray[np.int32], hop: int) -> bool:
    """Whether a hop was over the same link, in the same direction, as one before it."""
    found = False
    for earlier in range(hop):
        found |= hop_from[earlier] == hop_from[hop] and hop_to[earlier] == hop_to[hop]
    return found


@inlined
def relay_of(starts: NDArray[np.int64], friends: NDArray[np.int32], key: Key, node: int, slot: int) -> int:
    """One of the two friends that a node has drawn as relays; the same one twice if it has but one."""
    start, degree = starts[node], starts[node + 1] - starts[node]
    first = whole(key, 0, degree)
    if slot == 0 or degree < _RELAYS:
        return friends[start + first]
    second = whole(key, 1, degree - 1)
    return friends[start + second + (second >= first)]


@inlined
def _is_relay(starts: NDArray[np.int64], friends: NDArray[np.int32], key: Key, of: int, node: int) -> bool:
    """Whether a node is one of another's two relays."""
    start, degree = starts[of], starts[of + 1] - starts[of]
    first = whole(key, 0, degree)
    if friends[start + first] == node or degree < _RELAYS:
        return friends[start + first] == node
    second = whole(key, 1, degree - 1)
    return friends[start + second + (second >= first)] == node


@compiled
def _even_slot(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    senders: tuple[NDArray[np.int64], NDArray[np.int32]],
    choices: Key,
    node: int,
    source: int,
) -> int:
    """The slot of an edge in, so that the edges into a node take its two relays in turn, in a private order."""
    own = derived(choices, node)
    mine, earlier = derived(own, 4 + source), 0
    first, last = senders[0][node], senders[0][node + 1]
    for place in range(first, last):
        friend = senders[1][place]
        if friend != source and derived(own, 4 + friend) < mine:
            earlier += _is_relay(starts, friends, derived(choices, friend), friend, node)
    return (earlier + whole(own, 3, _RELAYS)) % _RELAYS


@compiled
def _lone_slot(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    senders: tuple[NDArray[np.int64], NDArray[np.int32]],
    choices: Key,
    node: int,
    source: int,
    room: Walk,
) -> int:
    """The same where no other walk has these choices: the edge that it first comes in by has either slot alike.

    So the others need not be asked which of them are edges in, which at a hub takes most of the time of a walk.
    """
    _, hop_from, hop_to, _, _, _, _ = room
    if node == hop_from[0]:  # The author's first slot is that of its own packets.
        return _even_slot(starts, friends, senders, choices, node, source)
    slot, hop = whole(derived(choices, node), 3, _RELAYS), 0
    while hop_to[hop] != node:
        hop += 1
    first = hop_from[hop]
    if first != source:
        slot += _even_slot(starts, friends, senders, choices, node, first)
        slot += _even_slot(starts, friends, senders, choices, node, source)
    return slot % _RELAYS


@compiled
def _shared_slot(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    senders: tuple[NDArray[np.int64], NDArray[np.int32]],
    choices: Key,
    node: int,
) -> int:
    """The slot of a node's own packets: that of all edges into it if they have the same, else one at random."""
    own = derived(choices, node)
    shared = -1
    for place in range(senders[0][node], senders[0][node + 1]):
        friend = senders[1][place]
        if _is_relay(starts, friends, derived(choices, friend), friend, node):
            slot = whole(own, 4 + friend, _RELAYS)
            if shared >= 0 and slot != shared:
                return whole(own, 3, _RELAYS)
            shared = slot
    return shared if shared >= 0 else whole(own, 3, _RELAYS)


@compiled
def relay_stem(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    choices: Key,
    times: Key,
    author: int,
    end: float,
    embargo: float,
    variant: int,
    latency: float,
    alone: bool,
    room: Walk,
) -> None:
    """A walk on the graph of relays of Dandelion++: two friends each, a choice between them, and diffusers.

    ``variant``: 0 one-to-one, 1 per-edge, 2 per-transaction, 3 all-to-one. ``alone`` if no other walk has the same
    choices, which is quicker.
    """
    nobody = np.empty(0, dtype=np.bool_)
    relay_walk(
        starts,
        friends,
        (starts, friends),
        nobody,
        choices,
        times,
        author,
        end,
        embargo,
        variant,
        latency,
        alone,
        room,
    )


@compiled
def relay_walk(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    senders: tuple[NDArray[np.int64], NDArray[np.int32]],
    spies: NDArray[np.bool_],
    choices: Key,
    times: Key,
    author: int,
    end: float,
    embargo: float,
    variant: int,
    latency: float,
    alone: bool,
    room: Walk,
) -> None:
    """The same where edges may have one direction: ``senders`` are rows of those who can send to each node.

    It ends at the first of ``spies``, unless they are none. ``variant`` may be 4 as well: per-edge, but that own
    packets share the relay of the edges in if these do.
    """
    hop_at, hop_from, hop_to, hop_floods, flood_node, flood_at, counts = room
    hops = floods = 0
    node, source, at = author, -1, 0.0
    while True:
        degree = starts[node + 1] - starts[node]
        own = derived(choices, node)
        been = False
        for hop in range(hops - 1):
            been |= hop_from[hop] == node
        if source >= 0:
            if uniform(own, 2) < end or degree < 2 or hops == HOPS_MAX - 1:
                flood_node[floods], flood_at[floods] = node, at + exponential(times, _HOP + hops)
                floods += 1
                break
        elif degree == 0:
            flood_node[floods], flood_at[floods] = node, 0.0
            floods += 1
            break
        if not been and embargo:
            flood_node[floods], flood_at[floods] = node, at + embargo * exponential(times, _TIMER + hops)
            floods += 1
        if variant == 2:
            slot = whole(times, _NEXT + hops, _RELAYS)
        elif variant == 4 and source < 0:
            slot = _shared_slot(starts, friends, senders, choices, node)
        elif variant == 3 or source < 0:
            slot = whole(own, 3, _RELAYS)
        elif variant == 0:
            if alone:
                slot = _lone_slot(starts, friends, senders, choices, node, source, room)
            else:
                slot = _even_slot(starts, friends, senders, choices, node, source)
        else:
            slot = whole(own, 4 + source, _RELAYS)
        if been and variant != 2:
            slot = 1 - slot
        successor = relay_of(starts, friends, own, node, slot)
        if successor == source:
            successor = relay_of(starts, friends, own, node, 1 - slot)
        at += exponential(times, _HOP + hops) + latency
        hop_at[hops], hop_from[hops], hop_to[hops], hop_floods[hops] = at, node, successor, floods
        hops += 1
        if (len(spies) and spies[successor]) or (embargo and _is_repeated(hop_from, hop_to, hops - 1)):
            break
        node, source = successor, node
    counts[0], counts[1] = hops, floods
