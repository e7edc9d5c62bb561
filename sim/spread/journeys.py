"""Journeys: how each packet of a flow travels, and what spies see of it.

*Whole* journeys go to everybody: when each node has the packet is known, and with it the median of the announcements
to spies. On a graph of 40,000 nodes one takes 20 ms, and a flow has half a million. A *near* journey is the same one,
draw for draw, but goes only as far as the first spy that is told. How long the packet takes from its opening to its
relay, and to the median announcement, is then what it took in one of some dozens of whole journeys (a *sample*): so
relays are no nearer to who injected than anybody else, which is what relays drawn at random are, and openings take
seconds where relays wait for hours.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .arrivals import Front
from .compiled import compiled
from .counter import derived, exponential, whole
from .heap import Heap, pop, push
from .opening import open_packet
from .stems import Walk, private_stem

__all__ = ["PACKET", "near_journeys", "whole_journeys"]

#: What spies see of each packet, and in the last fields what nobody sees. Times are in seconds. ``opened_at`` is the
#: median of honest nodes' first announcements to spies; ``relay`` whose key opens it, −1 if it shows an item.
PACKET: Final = np.dtype(
    [
        ("stem_friend", np.int32),
        ("stem_at", np.float64),
        ("flood_friend", np.int32),
        ("flood_at", np.float64),
        ("opened_at", np.float64),
        ("injector", np.int32),
        ("injected_at", np.float64),
        ("relay", np.int32),
        ("relay_at", np.float64),
        ("parent", np.int64),
        ("tick", np.int64),
        ("is_post", np.bool_),
    ]
)
#: Numbers under a packet's key.
_CHOICES, _WALK, _LINKS, _SAMPLE = 0, 1, 2, 3


@compiled
def whole_journeys(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    spies: NDArray[np.bool_],
    keys: NDArray[np.uint64],
    end: float,
    embargo: float,
    latency: float,
    hop_s: float,
    work: Front,
    step: float,
    room: Walk,
    packets: NDArray[np.void],
    arrivals: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Fills rows of ``PACKET`` whose injectors, relays and times of injection are there.

    ``arrivals`` is empty or gets of each packet when every node has it, in hops since it was injected. Returns how some
    announcements lie around their packet's median, in seconds, and who made them.
    """
    node_count = len(starts) - 1
    times = np.empty(node_count, dtype=np.float32)
    tellers = np.empty(node_count, dtype=np.int32)
    delays = np.empty(len(friends), dtype=np.float32)
    told = np.empty(node_count, dtype=np.float64)
    # A few announcements of each packet, from other nodes each time.
    told_by = np.empty(node_count, dtype=np.int32)
    spread, spread_by = np.empty(len(packets) * 4), np.empty(len(packets) * 4, dtype=np.int32)
    kept = 0
    hop_at, hop_from, hop_to, _, _, _, _ = room
    for number in range(len(packets)):
        row, key = packets[number], keys[number]
        choices, walk_key = derived(key, _CHOICES), derived(key, _WALK)
        private_stem(starts, friends, choices, walk_key, row["injector"], end, embargo, False, latency, room)
        links = derived(key, _LINKS)
        for link in range(len(delays)):
            delays[link] = exponential(links, link) + 3 * latency
        hops = open_packet(starts, friends, delays, times, tellers, work, step, room)
        began = row["injected_at"]
        row["stem_friend"], row["stem_at"] = -1, np.inf
        for hop in range(hops):
            if spies[hop_to[hop]] and not spies[hop_from[hop]]:
                row["stem_friend"], row["stem_at"] = hop_from[hop], began + hop_at[hop] * hop_s
                break
        row["flood_friend"], row["flood_at"], count = -1, np.inf, 0
        for node in range(node_count):
            if spies[node]:
                continue
            first = np.inf
            for link in range(starts[node], starts[node + 1]):
                friend = friends[link]
                # Nobody announces to the one it came from.
                if spies[friend] and tellers[node] != friend:
                    first = min(first, times[node] + delays[link] - 2 * latency)
            if first < np.inf:
                at = began + first * hop_s
                told[count], told_by[count] = at, node
                count += 1
                if at < row["flood_at"]:
                    row["flood_friend"], row["flood_at"] = node, at
        row["opened_at"] = np.median(told[:count]) if count else np.inf
        for sample in range(min(4, count)):
            chosen = (number * 7 + sample * 13) % count
            spread[kept], spread_by[kept] = told[chosen] - row["opened_at"], told_by[chosen]
            kept += 1
        row["relay_at"] = began + times[row["relay"]] * hop_s if row["relay"] >= 0 else np.inf
        if len(arrivals):
            arrivals[number] = times
    return spread[:kept], spread_by[:kept]


@compiled
def near_journeys(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    spies: NDArray[np.bool_],
    keys: NDArray[np.uint64],
    end: float,
    embargo: float,
    latency: float,
    hop_s: float,
    entries: Heap,
    room: Walk,
    arrivals: NDArray[np.float32],
    medians: NDArray[np.float64],
    packets: NDArray[np.void],
) -> None:
    """The same of packets that are followed as far as the first spy.

    ``arrivals`` and ``medians`` are of a sample: when each node had a packet and when the median announcement was
    made, in hops since it was opened. ``entries`` has room for an entry a link and one a hop.
    """
    node_count = len(starts) - 1
    reached = np.zeros(node_count, dtype=np.int64)
    times = np.empty(node_count, dtype=np.float32)
    tellers = np.empty(len(entries[0]), dtype=np.int32)
    nodes = np.empty(len(entries[0]), dtype=np.int32)
    hop_at, hop_from, hop_to, hop_floods, flood_node, flood_at, counts = room
    mark = 0
    for number in range(len(packets)):
        row, key = packets[number], keys[number]
        choices, walk_key = derived(key, _CHOICES), derived(key, _WALK)
        private_stem(starts, friends, choices, walk_key, row["injector"], end, embargo, False, latency, room)
        links = derived(key, _LINKS)
        hops, floods = counts[0], counts[1]
        while True:
            handed = -1
            for hop in range(hops):
                if spies[hop_to[hop]] and not spies[hop_from[hop]]:
                    handed = hop
                    break
            # Nothing after this is seen first.
            last = hop_at[handed] if handed >= 0 else np.inf
            mark += 1
            entries[2][0] = 0
            fresh, first, friend_told = 0, np.inf, -1
            for flood in range(floods):
                nodes[fresh], tellers[fresh] = flood_node[flood], -1
                push(entries, flood_at[flood], fresh)
                fresh += 1
            while entries[2][0] > 0:
                at, entry = pop(entries)
                node = nodes[entry]
                if at > last or at + latency >= first:
                    break
                if reached[node] == mark:
                    continue
                reached[node], times[node] = mark, at
                for link in range(starts[node], starts[node + 1]):
                    friend = friends[link]
                    delay = exponential(links, link) + 3 * latency
                    tells = spies[friend] and not spies[node] and tellers[entry] != friend
                    if tells and at + delay - 2 * latency < first:
                        first, friend_told = at + delay - 2 * latency, node
                    if reached[friend] != mark:
                        nodes[fresh], tellers[fresh] = friend, node
                        push(entries, at + delay, fresh)
                        fresh += 1
            # Who has opened a packet hands it to nobody and takes it from nobody, as in ``opening``.
            cut = hops
            for hop in range(hops):
                came, went = hop_to[hop], hop_from[hop]
                if (reached[went] == mark and times[went] < hop_at[hop]) or (
                    reached[came] == mark and times[came] < hop_at[hop]
                ):
                    cut = hop
                    break
            if cut == hops:
                break
            hops, floods = cut, hop_floods[cut]
        began, opened = row["injected_at"], flood_at[:floods].min()
        row["stem_friend"], row["stem_at"] = -1, np.inf
        if handed >= 0:
            row["stem_friend"], row["stem_at"] = hop_from[handed], began + hop_at[handed] * hop_s
        row["flood_friend"], row["flood_at"] = friend_told, began + first * hop_s
        sample = whole(derived(key, _SAMPLE), 0, len(medians))
        row["opened_at"] = began + (opened + medians[sample]) * hop_s
        row["relay_at"] = np.inf
        if row["relay"] >= 0:
            row["relay_at"] = began + (opened + arrivals[sample, row["relay"]]) * hop_s
