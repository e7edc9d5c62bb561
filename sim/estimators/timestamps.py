"""Timestamp maximum likelihood: the author from when each spy heard, if delays are normal.

After Pinto, Thiran and Vetterli, "Locating the source of diffusion in large-scale networks" (Physical Review Letters
109, 2012). Delays of hops are taken for independent normal draws of one mean and variance. On a tree the times at the
spies are then jointly normal for each source, with covariances that are the lengths of shared paths, and the
likelihood is exact. On other graphs each candidate is given its own tree of breadth-first search, as in the paper. The
time at which it all began is unknown and has a flat prior, which is what taking differences to one spy's time comes
to.

*How.* The paper inverts a matrix of spies for each candidate, and multiplies by it for each run. On a tree that is not
needed: a subtree says of its root's time that it is normal with some mean and variance, two such words about one node
are compared and merged, and the likelihood is the product of all comparisons (Felsenstein, "Maximum-likelihood
estimation of evolutionary trees from continuous characters", 1973). Variances and what is to be compared are the same
for all runs, so they are worked out once for each candidate, and runs are a sweep of S − 1 comparisons.

*Matched.* On a graph with cycles a rumor takes the quickest of many ways, and its time grows by less than a mean delay
with a hop of distance. ``matched`` finds by simulation what mean and variance a hop seems to have, which the adversary
can do as well. Nor is what is then compared a likelihood any more, since trees of search overstate how much paths
share. The paper drops those of its terms that are the same for all candidates on a tree; whether to do so, and how
far differences are to be believed, is learnt from practice too.

Assumed: flooding from the author itself, all nodes passing on alike, spies too; of a stem it names where the flood
began. It uses when each spy was first told, by whomever, and not who told it.

Cost: n candidates and S spies take ``O(n · (n + links))`` once, and ``O(n · S)`` for a run.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..graphs.graph import Graph
from ..spread.compiled import compiled
from .distances import hops_between
from .seen import Ground, Observed, Practice

__all__ = ["HopDelay", "log_likelihoods", "matched", "posterior"]

#: Variance of a hop's delay at the least, where delays are no draws at all. In means squared.
VARIANCE_MIN: Final = 1e-4
#: How far differences of the statistic may be believed: those of a likelihood are to be believed as they are.
TRUSTS: Final = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05, 0.03)
#: What a posterior is at the least when a trust is judged by it: one author who is ruled out is not all that counts.
FLOOR: Final = 1e-6
#: Runs that are swept together: a row of them fits a few lines of the cache.
BLOCK: Final = 64

#: Mean and variance of a hop's delay.
HopDelay = tuple[float, float]


def posterior(observed: Observed, ground: Ground, practice: Practice | None = None) -> Array:
    """Of shape (runs, suspects): the posterior of a uniform prior. Without practice it is right on trees alone."""
    if practice is None:
        return _posterior(_compare(observed, ground, (1.0, 1.0), whole=True), 1.0)
    hop = matched(practice, ground)
    places = np.arange(len(practice.authors)), ground.columns[practice.authors]
    best: tuple[float, bool, float] | None = None
    for whole in (True, False):
        practised = _compare(practice.observed, ground, hop, whole=whole)
        for trust in TRUSTS:
            sure = float(np.log(_posterior(practised, trust)[places] + FLOOR).sum())
            if best is None or sure > best[0]:
                best = sure, whole, trust
    assert best is not None
    _, whole, trust = best
    return _posterior(_compare(observed, ground, hop, whole=whole), trust)


def _compare(observed: Observed, ground: Ground, hop: HopDelay, *, whole: bool) -> Array:
    """The log-likelihood, or ``μ Λ⁻¹ (d − μ/2)`` of the paper: on a tree they differ by a constant."""
    assert observed.spy_times is not None
    asked = ground.graph, ground.spy_nodes, ground.suspects, observed.spy_times
    likelihoods = log_likelihoods(*asked, hop)
    # Without any means the likelihood is −½ dᵀ Λ⁻¹ d and the determinant.
    return likelihoods if whole else likelihoods - log_likelihoods(*asked, (0.0, hop[1]))


def _posterior(logs: Array, trust: float) -> Array:
    logs = np.where(np.isnan(logs), -np.inf, logs)
    weights = np.exp(trust * (logs - logs.max(axis=1, keepdims=True)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def log_likelihoods(
    graph: Graph,
    spies: NDArray[np.int32],
    candidates: NDArray[np.int32],
    spy_times: NDArray[np.float32],
    hop: HopDelay,
) -> Array:
    """The log-likelihood of each candidate, of shape (runs, candidates), but for a constant of each run.

    Args:
        graph: connected.
        spies: of shape (spies,).
        candidates: none of which is a spy.
        spy_times: of shape (runs, spies). A spy who was not told in every run is left out of all.
        hop: mean and variance of a hop's delay.
    """
    told = np.isfinite(spy_times).all(axis=0)
    spies, spy_times = spies[told], spy_times[:, told]
    found = np.zeros((len(spy_times), len(candidates)))
    if len(spies) < 2:
        return found  # One time alone says nothing: nobody knows when it began.
    mean, variance = hop
    times = np.ascontiguousarray(spy_times.T, dtype=np.float64)
    _sweep(graph.starts, graph.friends, spies, candidates, times, mean, max(variance, VARIANCE_MIN), found)
    return found


def matched(practice: Practice, ground: Ground) -> HopDelay:
    """The mean and variance that a hop seems to have, from runs of known authors.

    In each run the times of spies are regressed on their distances from the author; what is left over is put down to
    the hops, in proportion to their number.
    """
    times = practice.observed.spy_times
    assert times is not None
    distances = hops_between(ground.graph, practice.authors, ground.spy_nodes)
    usable = np.isfinite(times) & (distances > 0)
    at, hops = np.where(usable, times, 0.0), np.where(usable, distances, 0)
    counts = np.maximum(usable.sum(axis=1, keepdims=True), 1)
    hops_off = np.where(usable, hops - hops.sum(axis=1, keepdims=True) / counts, 0.0)
    times_off = np.where(usable, at - at.sum(axis=1, keepdims=True) / counts, 0.0)
    square = float((hops_off**2).sum())
    if not square:
        return 1.0, 1.0
    mean = float((hops_off * times_off).sum()) / square
    rest = np.where(usable, times_off - mean * hops_off, 0.0)
    # On a tree, about S − 1 of S residues are free; each path has on average so many hops of its own.
    free = max(1.0, float((counts - 1).sum()))
    return max(mean, 1e-3), float((rest**2).sum()) / free / max(1.0, float(hops.sum() / counts.sum()))


@compiled
def _sweep(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    spies: NDArray[np.int32],
    candidates: NDArray[np.int32],
    times: Array,
    mean: float,
    variance: float,
    found: Array,
) -> None:
    count, spy_count, runs = len(starts) - 1, len(spies), times.shape[1]
    order, parents = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    stamps = np.full(count, -1, dtype=np.int32)
    # Of what a subtree says about its root's time: whose row of times has it, what to add to it, and its variance.
    rows = np.empty(count, dtype=np.int32)
    offsets, variances = np.empty(count), np.empty(count)
    # The comparisons: of two rows, with what is added to their difference, its variance, and how far to move the first.
    one, other = np.empty(spy_count, dtype=np.int32), np.empty(spy_count, dtype=np.int32)
    shift, first_offset = np.empty(spy_count), np.empty(spy_count)
    inverse, share = np.empty(spy_count), np.empty(spy_count)
    words, sums = np.empty((spy_count, BLOCK)), np.empty(BLOCK)
    for place in range(len(candidates)):
        root = candidates[place]
        order[0], parents[root], stamps[root], reached, next_one = root, -1, root, 1, 0
        while next_one < reached:
            node = order[next_one]
            next_one += 1
            for link in range(starts[node], starts[node + 1]):
                friend = friends[link]
                if stamps[friend] != root:
                    stamps[friend] = root
                    parents[friend] = node
                    order[reached] = friend
                    reached += 1
        rows[:] = -1
        for spy in range(spy_count):
            rows[spies[spy]], offsets[spies[spy]], variances[spies[spy]] = spy, 0.0, 0.0
        constant, compared = 0.0, 0
        for later in range(reached - 1, 0, -1):
            node = order[later]
            if rows[node] < 0:
                continue
            parent = parents[node]
            offset, spread = offsets[node] - mean, variances[node] + variance
            if rows[parent] < 0:
                rows[parent], offsets[parent], variances[parent] = rows[node], offset, spread
                continue
            both = variances[parent] + spread
            one[compared], other[compared] = rows[parent], rows[node]
            shift[compared], first_offset[compared] = offset - offsets[parent], offsets[parent]
            inverse[compared], share[compared] = 1.0 / both, variances[parent] / both
            compared += 1
            constant -= 0.5 * math.log(both)
            # A spy's own time has no variance, and stays.
            variances[parent] = variances[parent] * spread / both
            offsets[parent] = 0.0
        if compared < spy_count - 1:
            found[:, place] = -np.inf  # Some spy who was told cannot be reached from here.
            continue
        for first in range(0, runs, BLOCK):
            width = min(BLOCK, runs - first)
            for spy in range(spy_count):
                for run in range(width):
                    words[spy, run] = times[spy, first + run]
            sums[:] = 0.0
            for step in range(compared):
                mine, theirs = words[one[step]], words[other[step]]
                for run in range(width):
                    gap = theirs[run] - mine[run] + shift[step]
                    sums[run] += gap * gap * inverse[step]
                    mine[run] += first_offset[step] + gap * share[step]
            for run in range(width):
                found[first + run, place] = constant - 0.5 * sums[run]
