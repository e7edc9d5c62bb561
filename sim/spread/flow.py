"""The flow of onions: every packet of a mesh for some hours, and what spies see of each.

The compiled twin of what the engine does in ``mixing`` and ``spreading``: own clocks tick, an onion goes to a relay,
which waits and injects what was inside, and so on. The packets of one place in their routes do not depend on each
other, so they are made together: first all that own clocks injected, then all that first relays did. Each
travels as ``runs`` says.

Left out: failed stems, retries, loops that time out, members that come and go.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...gossip.mixing import LOOP_SHARE
from ...gossip.pace import STEM_END, Pace
from ..graphs.graph import Graph
from .arrivals import Front, front
from .compiled import compiled
from .counter import Key, derived, exponential, key_of
from .opening import open_packet
from .runs import LONGEST
from .stems import Walk, private_stem, walk

__all__ = ["PACKET", "Flow", "flow"]

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
#: Packets that one thread makes at a time.
BLOCK: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """All packets of some hours."""

    packets: NDArray[np.void]
    """Of ``PACKET``; ``parent`` is the place of the packet that this one was found in, −1 for an own clock's."""
    spread_s: NDArray[np.float64]
    """How announcements to spies lie around their packet's median, in seconds: a sample of all."""
    spread_by: NDArray[np.int32]
    """Who made each of these announcements."""


def flow(
    graph: Graph,
    spies: NDArray[np.bool_],
    pace: Pace,
    *,
    hours: float,
    post_share: float,
    seed: int,
    route_length: int = 3,
    latency_s: float = 0.0,
    relays: NDArray[np.int64] | None = None,
    threads: int = 1,
) -> Flow:
    """Lets own clocks tick for some hours.

    Args:
        graph: the friendships.
        spies: of shape (nodes,).
        pace: of the mesh.
        hours: of virtual time.
        post_share: of honest nodes' ticks in the second half of the time that are posts.
        seed: decides all.
        route_length: relays of an onion.
        latency_s: of a frame.
        relays: those who hold relay keys; by default all.
        threads: how many work on it; the result does not depend on it.
    """
    random = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    span_s, nodes = hours * 3_600, graph.node_count
    pool = np.arange(nodes) if relays is None else relays
    count = int(random.poisson(span_s * nodes / pace.interval_s))
    at = np.sort(random.uniform(0, span_s, count))
    injectors = random.integers(nodes, size=count)
    posts = ~spies[injectors] & (at > span_s / 2) & (random.random(count) < post_share)
    routes = np.array([random.choice(pool, route_length, replace=False) for _ in range(count)]).reshape(
        count, route_length
    )
    loops = ~posts & (random.random(count) < LOOP_SHARE)
    level = np.zeros(count, dtype=PACKET)
    level["injector"], level["injected_at"], level["parent"] = injectors, at, -1
    level["tick"], level["is_post"] = np.arange(count), posts
    made, spreads, tellers, offset = [], [], [], 0
    for depth in range(route_length + 2):
        ticks = level["tick"]
        # Loops have one layer more, which their author opens.
        last = np.where(loops[ticks], injectors[ticks], -1)
        level["relay"] = (
            routes[ticks, depth] if depth < route_length else last if depth == route_length else -1
        )
        keys = derived_keys(seed, depth, ticks)
        spread, by = _travel(graph, spies, pace, latency_s, keys, level, threads)
        spreads.append(spread)
        tellers.append(by)
        made.append(level)
        passed_on = (depth + 1 < route_length) | (depth + 1 == route_length) & (posts[ticks] | loops[ticks])
        passed_on &= level["relay"] >= 0
        delays = random.exponential(pace.relay_delay_s, len(level))
        below = np.zeros(int(passed_on.sum()), dtype=PACKET)
        below["injector"] = level["relay"][passed_on]
        below["injected_at"] = (level["relay_at"] + delays)[passed_on]
        below["parent"] = offset + np.flatnonzero(passed_on)
        below["tick"], below["is_post"] = ticks[passed_on], level["is_post"][passed_on]
        offset += len(level)
        level = below
        if not len(level):
            break
    return Flow(
        packets=np.concatenate(made), spread_s=np.concatenate(spreads), spread_by=np.concatenate(tellers)
    )


def derived_keys(seed: int, depth: int, ticks: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A key for each packet, from the tick that began its route and its place in it."""
    return _keys(Key(derived(key_of(seed), depth)), ticks)


@compiled
def _keys(seed: Key, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    keys = np.empty(len(numbers), dtype=np.uint64)
    for place in range(len(numbers)):
        keys[place] = derived(seed, numbers[place])
    return keys


def _travel(
    graph: Graph,
    spies: NDArray[np.bool_],
    pace: Pace,
    latency_s: float,
    keys: NDArray[np.uint64],
    packets: NDArray[np.void],
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Lets packets travel, and writes down what became of them. Returns a sample of how announcements spread."""
    latency = latency_s / pace.hop_s

    def block(first: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        work, step = front(graph.node_count, len(graph.friends), 1.0, LONGEST + 3 * latency)
        part = slice(first, first + BLOCK)
        return _make_packets(
            graph.starts,
            graph.friends,
            spies,
            keys[part],
            STEM_END,
            pace.embargo_s / pace.hop_s,
            latency,
            pace.hop_s,
            work,
            step,
            walk(),
            packets[part],
        )

    firsts = range(0, len(packets), BLOCK)
    if threads == 1:
        parts = [block(first) for first in firsts]
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(block, firsts))
    nothing = np.zeros(0), np.zeros(0, dtype=np.int32)
    spreads, tellers = zip(nothing, *parts, strict=True)
    return np.concatenate(spreads), np.concatenate(tellers)


@compiled
def _make_packets(
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
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
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
        private_stem(
            starts,
            friends,
            derived(key, 0),
            derived(key, 1),
            row["injector"],
            end,
            embargo,
            False,
            latency,
            room,
        )
        links = derived(key, 2)
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
    return spread[:kept], spread_by[:kept]
