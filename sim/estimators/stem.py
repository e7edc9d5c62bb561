"""Stem Bayes: who injected a packet, from the first that spies saw of it.

Not a judge of onions, which hide whose words a packet carries: of packets alone. For each pair of honest nodes this
module knows the probability that a packet that the one injects is first handed to a spy by the other, and that its
flood starts at the other without a spy's having seen its stem. With a uniform prior over the honest nodes, the columns
of the two tables are posteriors.

*Stems* are walks that nobody but the walkers knows: the injector's guard is any friend, a successor any friend but the
one who handed the packet over, and each hop may be the last. Without that exception and without embargoes the table
is ``A = P_HH (I − (1−q) P_HH)^{-1}`` of Fanti and others ("Dandelion++", 2018, private successors); with them hops
are counted out: after n hops n + 1 nodes hold an embargo, and one of them ends before the next hop with probability
``(n+1) / (n+1 + embargo/hop)``.

*Floods* are seen by the friend who is first to announce to a spy. Who that is, given where the flood starts, is drawn
by simulation from all starts at once and smoothed towards what all pairs at the same distance show, so that few
draws do. Later announcements and their lags are left out: fitted with all of them (150 nodes, a fifth of them
spies) the start was named as often, 0.48 and 0.44 on two graphs, and the log of its posterior rose by 0.08.

Assumed: spies do what honest nodes do; all choices are independent of packet to packet, though a guard stays for
weeks and a successor for a day (who counts what it gets from each friend may learn whose guard it is, and know more);
revisits of a node are as good as first visits.

Cost: H honest nodes with M links among them take ``O(hops · H · M)`` for stems and ``O(draws · H · M)`` for floods,
once: half a second and one and a half for a thousand nodes with 8,000 links. A posterior is a column.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..spread.arrivals import Front, front, reach
from ..spread.compiled import compiled
from ..spread.counter import Key, derived, exponential, key_of
from .observations import SeenPacket, Setting
from .stem_law import HOPS_MAX, LONGEST, StemLaw, normed

if TYPE_CHECKING:
    from .seen import Ground, Observed

__all__ = ["StemModel", "posterior"]

#: Draws of a flood from each start. The work grows with the square of the mesh, and so fewer do where it is large.
DRAWS_MAX: Final = 200
DRAWS_MIN: Final = 10
#: Starts and links of all draws together.
DRAWS_WORK: Final = 200_000_000
#: What all pairs at one distance show counts for so many draws.
SMOOTHING: Final = 10.0

Places = NDArray[np.intp]


def posterior(observed: "Observed", ground: "Ground") -> Array:
    """Of shape (runs, suspects), from the first sighting of each run."""
    return ground.stems.posteriors(observed.first_friend, observed.on_stem)


class StemModel:
    """What a packet's first sighting says about its injector, and about when it was injected."""

    seen: Array
    """[v, u]: that a packet of v is first handed to a spy by u. Rows and columns are ``setting.honest``."""
    starts: Array
    """[v, w]: that its flood starts at w, and no spy was on its stem."""
    announces: Array
    """[w, u]: that of a flood from w spies hear first from u."""
    seen_hops: Array
    """By hops up to the spy that was handed it first: how many packets that are so handed took so many."""
    start_hops: Array
    """By hops up to the node that starts the flood: the same of packets whose stem no spy saw."""
    hearing_s: Array
    """Draws of the time from a flood's start to the first announcement to a spy."""

    def __init__(self, setting: Setting, *, bare: bool = False, seed: int = 0) -> None:
        """``bare``: the packets say who wrote them, and their injectors hold no embargo of their own."""
        law = StemLaw.of(setting, bare=bare)
        self._law, self.index = law, law.index
        self._count_stems()
        self._draw_floods(setting, seed)
        flooded: Array = self.starts @ self.announces
        self._posteriors = np.hstack([_columns(self.seen), _columns(flooded)])

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
        told = np.flatnonzero(first_friends >= 0)
        found = np.full((len(first_friends), len(self.index)), 1 / max(1, len(self.index)))
        found[told] = self._posteriors[:, self.columns(first_friends[told], on_stem[told])].T
        return found

    def injectors(self, weights: Array) -> Array:
        """The distributions of injectors of shape (mixtures, honest), from what each column of ``columns`` weighs."""
        found: Array = weights @ self._posteriors.T
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def _count_stems(self) -> None:
        law, count = self._law, len(self.index)
        itself = np.eye(count)
        self.seen = itself * (law.spy_counts * law.first)
        self.starts = itself * law.fires
        seen_hops, start_hops = np.zeros(HOPS_MAX + 1), np.zeros(HOPS_MAX)
        seen_hops[1], start_hops[0] = self.seen.sum(), self.starts.sum()
        walked = law.starts, law.friends, law.twins
        rules = law.first, law.ending, law.onward, law.spy_counts
        _walk(*walked, *rules, self.seen, self.starts, seen_hops, start_hops)
        self.seen_hops, self.start_hops = normed(seen_hops), normed(start_hops)

    def _draw_floods(self, setting: Setting, seed: int) -> None:
        count, links, hop_s = len(self.index), len(self._law.friends), setting.pace.hop_s
        draws = int(np.clip(DRAWS_WORK // max(1, count * links), DRAWS_MIN, DRAWS_MAX))
        counts = np.zeros((count, count))
        if not self._law.spy_counts.any():
            self.announces, self.hearing_s = counts, np.zeros(0)
            return
        transfer, latency = setting.transfer_s / hop_s, setting.latency_s / hop_s
        work, step = front(count, links, 1.0 + transfer, LONGEST + transfer)
        heard = np.empty((draws, count))
        graph = self._law.starts, self._law.friends
        _flood(*graph, self._law.spy_counts, transfer, latency, key_of(seed), work, step, counts, heard)
        self.hearing_s = heard[np.isfinite(heard)] * hop_s
        self.announces = self._smooth(counts)

    def _smooth(self, counts: Array) -> Array:
        """Mixes what was drawn with what all pairs at the same distance show."""
        count = len(counts)
        distances = np.full(counts.shape, np.inf, dtype=np.float32)
        work, step = front(count, len(self._law.friends), 1.0, 1.0)
        _distances(self._law.starts, self._law.friends, distances, work, step)
        told_by = self._law.spy_counts > 0
        hops = np.where(np.isfinite(distances) & told_by, distances, -1).astype(np.intp).reshape(-1)
        sums = np.bincount(hops + 1, counts.reshape(-1))
        typical = sums / np.maximum(np.bincount(hops + 1), 1)
        # Who has no spy for a friend tells none, and nor does who is not reached.
        typical[0] = 0.0
        expected = typical[hops + 1].reshape(counts.shape)
        expected /= np.maximum(expected.sum(axis=1, keepdims=True), 1e-300)
        return _columns((counts + SMOOTHING * expected).T).T


@compiled
def _walk(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    first: Array,
    ending: Array,
    onward: Array,
    spy_counts: Array,
    seen: Array,
    flooded: Array,
    seen_hops: Array,
    start_hops: Array,
) -> None:
    """Counts out the hops of a stem from each node, which go to any honest friend but the one they came from.

    ``first`` is the chance of each first hop, by node; ``ending`` and ``onward``, by hop and node, those of ending
    there and of each further hop.
    """
    count = len(starts) - 1
    crossing, arrivals = np.empty(len(friends)), np.empty(count)
    for source in range(count):
        crossing[:] = 0.0
        crossing[starts[source] : starts[source + 1]] = first[source]
        for hop in range(1, HOPS_MAX):
            arrivals[:] = 0.0
            for link in range(len(friends)):
                arrivals[friends[link]] += crossing[link]
            for node in range(count):
                arrived = arrivals[node]
                if arrived == 0.0:
                    continue
                ended, left = arrived * ending[hop, node], arrived * onward[hop, node] * spy_counts[node]
                flooded[source, node] += ended
                seen[source, node] += left
                start_hops[hop] += ended
                seen_hops[hop + 1] += left
            # Each pair of twins depends on each other's last value.
            for node in range(count):
                for link in range(starts[node], starts[node + 1]):
                    if node < friends[link]:
                        twin, friend = twins[link], friends[link]
                        there, back = crossing[link], crossing[twin]
                        crossing[link] = onward[hop, node] * (arrivals[node] - back)
                        crossing[twin] = onward[hop, friend] * (arrivals[friend] - there)


@compiled
def _flood(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    spy_counts: Array,
    transfer: float,
    latency: float,
    seed: Key,
    work: Front,
    step: float,
    counts: Array,
    heard: Array,
) -> None:
    """Draws floods over honest nodes alone, and counts who is the first to tell a spy; one on the way has heard it."""
    count = len(starts) - 1
    delays, telling = np.empty(len(friends), dtype=np.float32), np.empty(count, dtype=np.float32)
    times, tellers = np.empty(count, dtype=np.float32), np.empty(0, dtype=np.int32)
    source, at = np.empty(1, dtype=np.int32), np.zeros(1, dtype=np.float32)
    for draw in range(len(heard)):
        links, words = derived(derived(seed, draw), 0), derived(derived(seed, draw), 1)
        for link in range(len(friends)):
            delays[link] = exponential(links, link) + transfer
        for node in range(count):
            telling[node] = np.inf
            if spy_counts[node] > 0:
                telling[node] = exponential(words, node) / spy_counts[node] + latency
        for start in range(count):
            source[0] = start
            times[:] = np.inf
            reach(starts, friends, delays, source, at, times, tellers, work, step)
            first, soonest = -1, np.inf
            for node in range(count):
                if times[node] + telling[node] < soonest:
                    first, soonest = node, times[node] + telling[node]
            heard[draw, start] = soonest
            if first >= 0:
                counts[start, first] += 1


@compiled
def _distances(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    distances: NDArray[np.float32],
    work: Front,
    step: float,
) -> None:
    delays, tellers = np.ones(len(friends), dtype=np.float32), np.empty(0, dtype=np.int32)
    source, at = np.empty(1, dtype=np.int32), np.zeros(1, dtype=np.float32)
    for node in range(len(distances)):
        source[0] = node
        reach(starts, friends, delays, source, at, distances[node], tellers, work, step)


def _columns(joint: Array) -> Array:
    """Each column as a distribution; uniform if nothing leads to it."""
    sums = joint.sum(axis=0, keepdims=True)
    return np.where(sums > 0, joint / np.where(sums > 0, sums, 1.0), 1 / max(1, joint.shape[0]))
