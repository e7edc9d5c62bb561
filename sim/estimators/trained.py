"""Trained Bayes: for any scheme as a black box, from runs that the adversary makes itself.

Each suspect of a run gets features: how many hops it is from the friend who was the first to tell a spy, whether that was
on a stem, at which place it comes among all who were the first to tell some spy, and how many of its friends are spies.
Suspects with equal features are a class. From runs of known authors the share of suspects of each class that were the
author is learnt; of a new run the posterior is proportional to these shares. So a class with few examples does not
look surer than it is, it is mixed with the class of all suspects at that distance, as if it had some more examples.

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

from ..spread.compiled import compiled
from .distances import hops_between
from .seen import Array, Ground, Observed, Practice

__all__ = ["crossed", "posterior"]

#: Hops from the first friend that are told apart; all farther suspects are at one distance.
HOPS_MAX: Final = 7
#: Places among the tellers that are told apart: each of the first four, all later ones, and none.
PLACES: Final = 6
#: Spies among friends that are told apart: none, one, two, three or more.
SPIES: Final = 4
#: How many authors the class of a distance counts for in each of its parts.
SMOOTHING: Final = 4.0
#: What every distance has seen before it has seen anything, in authors: the rule of Jeffreys.
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
    whole = (HOPS_MAX + 2) * 2 * PLACES * SPIES
    suspects = np.bincount(classes.reshape(-1), minlength=whole).reshape(-1, PLACES * SPIES)
    written = np.bincount(classes[np.arange(len(authors)), authors], minlength=whole)
    written = written.reshape(-1, PLACES * SPIES)
    distance = (written.sum(axis=1, keepdims=True) + PRIOR) / (
        suspects.sum(axis=1, keepdims=True) + PRIOR * classes.shape[1]
    )
    return np.asarray((written + SMOOTHING) / (suspects + SMOOTHING / distance)).reshape(-1)


def _classes(observed: Observed, ground: Ground) -> NDArray[np.int32]:
    """Of shape (runs, suspects): distance, stem or not, place, and spies, as one number."""
    first = observed.first_friend
    hops = hops_between(ground.graph, np.maximum(first, 0), ground.suspects)
    hops = np.where((hops < 0) | (hops > HOPS_MAX), HOPS_MAX, hops)
    hops[first < 0] = HOPS_MAX + 1
    classes: NDArray[np.int32] = hops * 2 + observed.on_stem[:, np.newaxis]
    places = np.full(classes.shape, PLACES - 1, dtype=np.int32)
    if observed.spy_times is not None and observed.spy_tellers is not None:
        order = np.argsort(observed.spy_times, axis=1, kind="stable")
        tellers = np.take_along_axis(observed.spy_tellers, order, axis=1)
        _place(tellers, ground.columns, places)
    spies = np.minimum(ground.spy_counts[ground.suspects], SPIES - 1).astype(np.int32)
    return np.asarray((classes * PLACES + places) * SPIES + spies, dtype=np.int32)


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
