"""The flow of onions: every packet of a mesh for some hours, and what spies see of each.

The compiled twin of what the engine does in ``mixing`` and ``spreading``: own clocks tick, an onion goes to a relay,
which waits and injects what was inside, and so on. The packets of one place in their routes do not depend on each
other, so they are made together: first all that own clocks injected, then all that first relays did. Each
travels as ``journeys`` says: whole, or on large graphs near.

Left out: failed stems, retries, loops that time out, members that come and go.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...gossip.mixing import LOOP_SHARE
from ...gossip.pace import STEM_END, Pace
from ..graphs.graph import Graph
from .arrivals import front
from .compiled import compiled
from .counter import Key, derived, key_of
from .heap import heap
from .journeys import PACKET, near_journeys, whole_journeys
from .runs import LONGEST
from .stems import HOPS_MAX, walk

__all__ = ["PACKET", "Flow", "flow"]

#: Packets that one thread makes at a time.
BLOCK: Final = 512
#: The same of near journeys, which need more room than time.
NEAR_BLOCK: Final = 16_384
#: Links of a graph from which on journeys are near.
NEAR_MIN: Final = 50_000
#: Whole journeys that near ones take their times from.
SAMPLE: Final = 64


T = TypeVar("T")


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
    posting_s: tuple[float, float] | None = None,
    near: bool | None = None,
    threads: int = 1,
) -> Flow:
    """Lets own clocks tick for some hours.

    Args:
        graph: the friendships.
        spies: of shape (nodes,).
        pace: of the mesh.
        hours: of virtual time.
        post_share: of honest nodes' ticks while posts are made that are posts.
        seed: decides all.
        route_length: relays of an onion.
        latency_s: of a frame.
        relays: those who hold relay keys; by default all.
        posting_s: from when to when posts are made; by default in the second half of the time.
        near: whether packets are followed to the first spy only; by default on large graphs.
        threads: how many work on it; the result does not depend on it.
    """
    random = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    span_s, nodes = hours * 3_600, graph.node_count
    pool = np.arange(nodes) if relays is None else relays
    count = int(random.poisson(span_s * nodes / pace.interval_s))
    at = np.sort(random.uniform(0, span_s, count))
    injectors = random.integers(nodes, size=count)
    from_s, to_s = posting_s or (span_s / 2, span_s)
    posts = ~spies[injectors] & (at > from_s) & (at <= to_s) & (random.random(count) < post_share)
    routes = _routes(random, pool, count, route_length)
    loops = ~posts & (random.random(count) < LOOP_SHARE)
    if near is None:
        near = len(graph.friends) > NEAR_MIN
    travels = _Travels(
        graph=graph,
        spies=spies,
        pace=pace,
        latency=latency_s / pace.hop_s,
        threads=threads,
        seed=seed,
        near=near,
    )
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
        spread, by = travels.travel(keys, level)
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


def _routes(
    random: np.random.Generator, pool: NDArray[np.int64], count: int, route_length: int
) -> NDArray[np.int64]:
    """Relays of each route, no one twice."""
    places = random.integers(len(pool), size=(count, route_length))
    while True:
        ordered = np.sort(places, axis=1)
        again = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        if not len(again):
            return pool[places]
        places[again] = random.integers(len(pool), size=(len(again), route_length))


class _Travels:
    """How the packets of one flow travel."""

    def __init__(
        self,
        *,
        graph: Graph,
        spies: NDArray[np.bool_],
        pace: Pace,
        latency: float,
        threads: int,
        seed: int,
        near: bool,
    ) -> None:
        self.graph, self.spies, self.pace, self.latency, self.threads = graph, spies, pace, latency, threads
        self.ways = graph.starts, graph.friends, spies
        self.rules = STEM_END, pace.embargo_s / pace.hop_s, latency, pace.hop_s
        self.sample = self._sampled(seed) if near else None

    def travel(
        self, keys: NDArray[np.uint64], packets: NDArray[np.void]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Writes down what became of packets. Returns a sample of how announcements spread."""
        if self.sample is None:
            nothing = np.empty((0, 0), dtype=np.float32)
            parts = self._by_blocks(
                lambda part: self._whole(keys[part], packets[part], nothing), len(packets)
            )
            spreads, tellers = zip((np.zeros(0), np.zeros(0, dtype=np.int32)), *parts, strict=True)
            return np.concatenate(spreads), np.concatenate(tellers)
        arrivals, medians, spread, spread_by = self.sample

        def block(part: slice) -> None:
            entries = heap(len(self.graph.friends) + HOPS_MAX + 4)
            near_journeys(
                *self.ways, keys[part], *self.rules, entries, walk(), arrivals, medians, packets[part]
            )

        self._by_blocks(block, len(packets))
        return spread, spread_by

    def _by_blocks(self, block: Callable[[slice], T], count: int) -> list[T]:
        size = BLOCK if self.sample is None else NEAR_BLOCK
        parts = [slice(first, first + size) for first in range(0, count, size)]
        if self.threads == 1:
            return [block(part) for part in parts]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(block, parts))

    def _whole(
        self, keys: NDArray[np.uint64], packets: NDArray[np.void], arrivals: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        graph = self.graph
        work, step = front(graph.node_count, len(graph.friends), 1.0, LONGEST + 3 * self.latency)
        return whole_journeys(*self.ways, keys, *self.rules, work, step, walk(), packets, arrivals)

    def _sampled(
        self, seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
        """Whole journeys from nodes at random: arrivals and median announcements, in hops since the opening."""
        nodes = self.graph.node_count
        packets = np.zeros(SAMPLE, dtype=PACKET)
        packets["injector"] = np.random.default_rng(np.random.SeedSequence([seed, 2])).integers(
            nodes, size=SAMPLE
        )
        packets["relay"] = -1
        arrivals = np.empty((SAMPLE, nodes), dtype=np.float32)
        keys = derived_keys(seed, SAMPLE, np.arange(SAMPLE))
        spread, spread_by = self._whole(keys, packets, arrivals)
        opened = arrivals.min(axis=1)
        medians = packets["opened_at"] / self.pace.hop_s - opened
        return arrivals - opened[:, np.newaxis], medians, spread, spread_by
