"""The stem's Bayes on graphs of tens of thousands of nodes, where a table of all pairs would not fit.

The same posteriors as ``stem`` has, but none is made before it is asked for. Both tables are linear in what they are
multiplied by, and so is a hop of a walk: a mixture of columns is carried back hop by hop, from where stems ended or met
a spy to where they began, in ``O(hops · M)`` for all injectors at once. How often each column comes at all, which a
posterior is divided by, is carried forward once in the same way.

Floods are drawn from every start as in ``stem``, each only as far as the first spy that is told, and who told it is
kept as a sparse table. They are not smoothed by distance: on so many nodes many stems' ends lead to each
announcement, and what one start's few draws leave out others have.

Cost: a posterior is 40 passes over the links, 20 ms for 300,000 of them; the floods are a million searches of some
dozen nodes each, once.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..arrays import Array
from ..spread.compiled import compiled
from ..spread.counter import Key, derived, exponential, key_of
from ..spread.heap import Heap, heap, pop, push
from .observations import SeenPacket, Setting
from .stem_law import HOPS_MAX, StemLaw, normed

__all__ = ["WideStemModel"]

#: Floods drawn from all starts together, and from each at the least and at the most.
DRAWS: Final = 1_000_000
DRAWS_MIN: Final = 10
DRAWS_MAX: Final = 200

Places = NDArray[np.intp]


class WideStemModel:
    """What a packet's first sighting says about its injector; the twin of ``stem.StemModel`` for large graphs."""

    announces: sparse.csr_array
    """[w, u]: that of a flood from w spies hear first from u."""
    seen_hops: Array
    start_hops: Array
    hearing_s: Array

    def __init__(self, setting: Setting, *, bare: bool = False, seed: int = 0) -> None:
        """``bare``: the packets say who wrote them, and their injectors hold no embargo of their own."""
        self._law = law = StemLaw.of(setting, bare=bare)
        self.index = law.index
        self._draw_floods(setting, seed)
        seen, started = np.zeros(len(law.index)), np.zeros(len(law.index))
        seen_hops, start_hops = np.zeros(HOPS_MAX + 1), np.zeros(HOPS_MAX)
        seen += law.spy_counts * law.first
        started += law.fires
        seen_hops[1], start_hops[0] = seen.sum(), started.sum()
        _forward(*self._links, *self._rules, seen, started, seen_hops, start_hops)
        self.seen_hops, self.start_hops = normed(seen_hops), normed(start_hops)
        flooded = self.announces.T @ started
        self._sums = np.concatenate([seen, np.asarray(flooded)])

    @property
    def _links(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        return self._law.starts, self._law.friends, self._law.twins

    @property
    def _rules(self) -> tuple[Array, Array, Array, Array]:
        return self._law.first, self._law.ending, self._law.onward, self._law.spy_counts

    def injector(self, packet: SeenPacket) -> Mapping[int, float]:
        """The posterior over the honest nodes; uniform if the packet was not seen."""
        friend = packet.first_friend if packet.is_seen else -1
        posterior = self.posteriors(np.array([friend]), np.array([packet.is_on_stem]))[0]
        return dict(zip(self.index, posterior.tolist(), strict=True))

    def columns(self, first_friends: NDArray[np.integer], on_stem: NDArray[np.bool_]) -> Places:
        """The columns of the posteriors that first sightings ask for; all must have been seen."""
        return self._law.columns(first_friends, on_stem)

    def posteriors(self, first_friends: NDArray[np.integer], on_stem: NDArray[np.bool_]) -> Array:
        """Of shape (packets, honest), from who told a spy first (−1 if nobody), and whether on the stem."""
        honest = len(self.index)
        told = np.flatnonzero(first_friends >= 0)
        found = np.full((len(first_friends), honest), 1 / max(1, honest))
        asked, places = np.unique(self.columns(first_friends[told], on_stem[told]), return_inverse=True)
        weights = np.zeros(2 * honest)
        for number, column in enumerate(asked.tolist()):
            weights[:] = 0.0
            weights[column] = 1.0
            found[told[places == number]] = self.injectors(weights[np.newaxis])[0]
        return found

    def injectors(self, weights: Array) -> Array:
        """The distributions of injectors of shape (mixtures, honest), from what each column of ``columns`` weighs."""
        honest = len(self.index)
        found = np.empty((len(weights), honest))
        known = self._sums > 0
        crossing, onto = np.empty(len(self._law.friends)), np.empty(len(self._law.friends))
        for number, row in enumerate(weights):
            shares = np.where(known, row / np.where(known, self._sums, 1.0), 0.0)
            seen, started = shares[:honest], np.asarray(self.announces @ shares[honest:])
            back = self._law.first * (self._law.spy_counts * seen) + self._law.fires * started
            _backward(*self._links, *self._rules, seen, started, crossing, onto, back)
            # What nothing leads to says nothing.
            back += row[~known].sum() / max(1, honest)
            found[number] = back / back.sum()
        return found

    def _draw_floods(self, setting: Setting, seed: int) -> None:
        law, hop_s = self._law, setting.pace.hop_s
        count = len(law.index)
        if not law.spy_counts.any():
            self.announces, self.hearing_s = sparse.csr_array((count, count)), np.zeros(0)
            return
        draws = int(np.clip(DRAWS // max(1, count), DRAWS_MIN, DRAWS_MAX))
        told, heard = np.empty((count, draws), dtype=np.int32), np.empty((count, draws))
        transfer, latency = setting.transfer_s / hop_s, setting.latency_s / hop_s
        entries = heap(len(law.friends) + 2)
        _floods(
            law.starts, law.friends, law.spy_counts, transfer, latency, key_of(seed), entries, told, heard
        )
        self.hearing_s = heard[np.isfinite(heard)] * hop_s
        starts, tellers = np.repeat(np.arange(count), draws), told.reshape(-1)
        is_told = tellers >= 0
        shares = np.full(int(is_told.sum()), 1 / draws)
        self.announces = sparse.csr_array((shares, (starts[is_told], tellers[is_told])), shape=(count, count))
        self.announces.sum_duplicates()


@compiled
def _forward(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    first: Array,
    ending: Array,
    onward: Array,
    spy_counts: Array,
    seen: Array,
    started: Array,
    seen_hops: Array,
    start_hops: Array,
) -> None:
    """Counts out the hops of stems from all nodes at once: where they meet spies, and where floods start."""
    count = len(starts) - 1
    crossing, onto, arrivals = np.empty(len(friends)), np.empty(len(friends)), np.empty(count)
    for node in range(count):
        crossing[starts[node] : starts[node + 1]] = first[node]
    for hop in range(1, HOPS_MAX):
        arrivals[:] = 0.0
        for link in range(len(friends)):
            arrivals[friends[link]] += crossing[link]
        for node in range(count):
            ended, left = (
                arrivals[node] * ending[hop, node],
                arrivals[node] * onward[hop, node] * spy_counts[node],
            )
            started[node] += ended
            seen[node] += left
            start_hops[hop] += ended
            seen_hops[hop + 1] += left
            for link in range(starts[node], starts[node + 1]):
                onto[link] = onward[hop, node] * (arrivals[node] - crossing[twins[link]])
        crossing, onto = onto, crossing


@compiled
def _backward(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    first: Array,
    ending: Array,
    onward: Array,
    spy_counts: Array,
    seen: Array,
    started: Array,
    crossing: Array,
    onto: Array,
    back: Array,
) -> None:
    """Adds to ``back``, by injector, what stems bring of ``seen`` where they meet spies and of ``started`` at ends.

    ``crossing`` and ``onto`` are room for a number a link each: what a stem that has crossed it will bring.
    """
    count = len(starts) - 1
    sums = np.zeros(count)
    crossing[:] = 0.0
    for hop in range(HOPS_MAX - 1, 0, -1):
        for link in range(len(friends)):
            node = friends[link]
            worth = ending[hop, node] * started[node] + onward[hop, node] * (
                spy_counts[node] * seen[node] + sums[node] - crossing[twins[link]]
            )
            onto[link] = worth
        crossing, onto = onto, crossing
        for node in range(count):
            total = 0.0
            for link in range(starts[node], starts[node + 1]):
                total += crossing[link]
            sums[node] = total
    for node in range(count):
        back[node] += first[node] * sums[node]


@compiled
def _floods(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    spy_counts: Array,
    transfer: float,
    latency: float,
    seed: Key,
    entries: Heap,
    told: NDArray[np.int32],
    heard: Array,
) -> None:
    """Draws floods over honest nodes alone, up to the first that tells a spy; one on the way has heard it."""
    count, draws = told.shape
    reached = np.zeros(count, dtype=np.int64)
    mark = 0
    for start in range(count):
        for draw in range(draws):
            links, words = derived(derived(seed, draw), 0), derived(derived(seed, draw), 1)
            mark += 1
            first, soonest = -1, np.inf
            entries[2][0] = 0
            push(entries, 0.0, start)
            while entries[2][0] > 0:
                at, node = pop(entries)
                if at + latency >= soonest:
                    break
                if reached[node] == mark:
                    continue
                reached[node] = mark
                if spy_counts[node] > 0:
                    tells = at + exponential(words, node) / spy_counts[node] + latency
                    if tells < soonest:
                        first, soonest = node, tells
                for link in range(starts[node], starts[node + 1]):
                    if reached[friends[link]] != mark:
                        push(entries, at + exponential(links, link) + transfer, friends[link])
            told[start, draw], heard[start, draw] = first, soonest
