"""Trained Bayes: for any scheme as a black box, from runs that the adversary makes itself.

A run has a kind: whether its first friend, who was the first to tell a spy, was on its stem, how many friends that one
has and how many of these are spies. In it each suspect has features: how many hops it is from the first friend, at
which place it comes among all who were the first to tell some spy, and how many of its friends are spies. Suspects
with equal features in runs of one kind are a class. From runs of known authors the share of suspects of each class
that were the author is learnt; of a new run the posterior is proportional to these shares. A class with few examples
does not look surer than it is: it is mixed with the coarser class that it is a part of, as if it had some more
examples.

It must not be judged on the runs that it was trained on. ``crossed`` trains on one half and is asked of the other, both
ways round; ``posterior`` takes practice runs apart.

Assumed: nothing of the scheme, but that practice is like the runs asked about. It is as strong as its features: they
are those of single runs, so that it learns nothing of what is fixed for an epoch, and they know times by their order
alone.

Cost: ``O(runs · (suspects + spies))`` to train and to ask, and a search from each first friend.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..spread.compiled import compiled
from .distances import hops_between
from .seen import Ground, Observed, Practice

__all__ = ["crossed", "posterior"]

#: Hops from the first friend that are told apart; all farther suspects are at one distance.
HOPS_MAX: Final = 7
#: Places among the tellers that are told apart: each of the first four, all later ones, and none.
PLACES: Final = 6
#: Spies among friends that are told apart: none, one, two, three or more.
SPIES: Final = 4
#: Numbers of friends that are told apart: up to 3, 4 to 7, and so on, and from 64 on.
SIZES: Final = 6
#: What divides a class into finer ones, the coarsest first: stem or not and distance; the first friend's friends and
#: spies; the suspect's place; its spies.
LEVELS: Final = (2 * (HOPS_MAX + 2), SIZES * SPIES, PLACES, SPIES)
#: How many authors a class counts for in each of its parts.
SMOOTHING: Final = 4.0
#: What the coarsest classes have seen before it has seen anything, in authors: the rule of Jeffreys.
PRIOR: Final = 0.5


def posterior(observed: Observed, ground: Ground, practice: Practice) -> Array:
    """Of shape (runs, suspects), after training on practice."""
    shares = _shares(_classes(practice.observed, ground), ground.columns[practice.authors])
    weights = shares[_classes(observed, ground)]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def crossed(practice: Practice, ground: Ground) -> Array:
    """The posteriors of these same runs: each half of them after training on the other."""
    places = np.arange(len(practice.authors))
    found = np.empty((len(places), len(ground.suspects)))
    for half in (0, 1):
        mine = places % 2 == half
        found[mine] = posterior(practice.observed.of_runs(mine), ground, practice.of_runs(~mine))
    return found


def _shares(classes: NDArray[np.int32], authors: NDArray[np.int64]) -> Array:
    """By class: the share of its suspects that were the author."""
    whole = int(np.prod(LEVELS))
    suspects = np.bincount(classes.reshape(-1), minlength=whole).reshape(LEVELS)
    written = np.bincount(classes[np.arange(len(authors)), authors], minlength=whole).reshape(LEVELS)
    finer = tuple(range(1, len(LEVELS)))
    shares = (written.sum(axis=finer) + PRIOR) / (suspects.sum(axis=finer) + PRIOR * classes.shape[1])
    for level in range(1, len(LEVELS)):
        finer = tuple(range(level + 1, len(LEVELS)))
        above = shares[..., np.newaxis]
        shares = (written.sum(axis=finer) + SMOOTHING) / (suspects.sum(axis=finer) + SMOOTHING / above)
    return np.asarray(shares).reshape(-1)


def _classes(observed: Observed, ground: Ground) -> NDArray[np.int32]:
    """Of shape (runs, suspects): the class of each suspect in each run."""
    first = observed.first_friend
    hops = hops_between(ground.graph, np.maximum(first, 0), ground.suspects)
    hops = np.where((hops < 0) | (hops > HOPS_MAX), HOPS_MAX, hops)
    hops[first < 0] = HOPS_MAX + 1
    sizes = np.floor(np.log2(np.maximum(ground.graph.degrees, 2))).astype(np.int32) - 1
    spies = np.minimum(ground.spy_counts, SPIES - 1).astype(np.int32)
    kinds = np.minimum(sizes, SIZES - 1) * SPIES + spies
    places = np.full(hops.shape, PLACES - 1, dtype=np.int32)
    if observed.spy_times is not None and observed.spy_tellers is not None:
        order = np.argsort(observed.spy_times, axis=1, kind="stable")
        tellers = np.take_along_axis(observed.spy_tellers, order, axis=1)
        _place(tellers, ground.columns, places)
    parts = (
        hops * 2 + observed.on_stem[:, np.newaxis],
        np.broadcast_to(kinds[np.maximum(first, 0)][:, np.newaxis], hops.shape),
        places,
        np.broadcast_to(spies[ground.suspects], hops.shape),
    )
    return np.ravel_multi_index(parts, LEVELS).astype(np.int32)


@compiled
def _place(tellers: NDArray[np.int32], columns: NDArray[np.int64], places: NDArray[np.int32]) -> None:
    for run in range(len(tellers)):
        found = 0
        for teller in tellers[run]:
            if teller < 0 or columns[teller] < 0:
                continue
            if places[run, columns[teller]] == PLACES - 1:
                places[run, columns[teller]] = min(found, PLACES - 2)
                found += 1
