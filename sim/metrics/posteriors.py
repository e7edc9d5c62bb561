"""Posteriors in arrays: how well authors are hidden from an estimator that was asked of thousands of runs at once."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from .anonymity import Anonymity, Verdict, summary
from .numbers import QUANTILES, quantiles
from .users import user_shares

__all__ = ["calibrated", "entropy_quantiles", "judge_posteriors", "named_quantiles", "verdicts"]


#: Ranks that are told apart; all later ones are one class, and those who are no suspects another.
RANKS_MAX: Final = 10
#: What each class has seen before it has seen anything, in authors: the rule of Jeffreys.
PRIOR: Final = 0.5
#: Weights that differ by less, relatively, are equal: sums are rounded.
EQUAL: Final = 1e-9


def judge_posteriors(
    posteriors: Array, authors: NDArray[np.integer], suspects: NDArray[np.integer]
) -> Anonymity | None:
    """Judges posteriors of shape (runs, suspects), with the nodes that wrote and those of the columns."""
    return summary(verdicts(posteriors, authors, suspects))


def verdicts(posteriors: Array, authors: NDArray[np.integer], suspects: NDArray[np.integer]) -> list[Verdict]:
    """The same run by run, to be joined with those of other runs. ``suspects`` are ascending."""
    columns = _columns(authors, suspects)
    rows = np.arange(len(posteriors))
    largest = posteriors.max(axis=1, initial=0.0)
    truth = np.where(columns >= 0, posteriors[rows, columns], -1.0)
    better = (posteriors > truth[:, np.newaxis] * (1 + EQUAL)).sum(axis=1)
    equal = (posteriors >= truth[:, np.newaxis] * (1 - EQUAL)).sum(axis=1) - better
    # Of suspects who are equally likely the author is at any place.
    places = np.maximum(equal, 1)
    named = np.clip(1 - better, 0, places) / places
    in_top5 = np.clip(5 - better, 0, places) / places
    logs = np.log2(posteriors, out=np.zeros_like(posteriors), where=posteriors > 0)
    entropies = -(posteriors * logs).sum(axis=1)
    return [
        Verdict(author=author, named=hit, in_top5=top5, entropy_bits=entropy, largest=most)
        for author, hit, top5, entropy, most in zip(
            authors.tolist(),
            np.where(columns >= 0, named, 0.0).tolist(),
            np.where(columns >= 0, in_top5, 0.0).tolist(),
            np.abs(entropies).tolist(),
            largest.tolist(),
            strict=True,
        )
    ]


def entropy_quantiles(entropies: Array) -> list[float]:
    """``numbers.quantiles`` of very many posts."""
    shares = np.linspace(0, 1, QUANTILES)
    return [float(bits) for bits in np.quantile(entropies, shares, method="nearest")]


def named_quantiles(authors: NDArray[np.integer], named: NDArray[np.bool_]) -> list[float]:
    """The distribution over authors of how often each is named, from who wrote what and whether that was found."""
    posts = np.bincount(authors)
    wrote = posts > 0
    hits = np.bincount(authors, weights=named)[wrote]
    return quantiles(user_shares(hits.tolist(), posts[wrote].tolist()))


def calibrated(scores: Array, authors: NDArray[np.integer], suspects: NDArray[np.integer]) -> Array:
    """Posteriors from scores that only rank: of shape (runs, suspects), −∞ for who is no suspect.

    How often the author is at each rank is learnt on one half of the runs and applied to the other, both ways round.
    Equal scores are of one rank.
    """
    columns = _columns(authors, suspects)
    classes = _ranks(scores)
    halves = np.arange(len(scores)) % 2 == 0
    found = np.empty(scores.shape)
    for half in (halves, ~halves):
        learnt = _shares(classes[~half], columns[~half])
        weights = learnt[classes[half]]
        found[half] = weights / weights.sum(axis=1, keepdims=True)
    return found


def _columns(authors: NDArray[np.integer], suspects: NDArray[np.integer]) -> NDArray[np.intp]:
    """The column of each author; −1 for one who is no suspect."""
    places = np.minimum(np.searchsorted(suspects, authors), len(suspects) - 1)
    return np.where(suspects[places] == authors, places, -1)


def _ranks(scores: Array) -> NDArray[np.intp]:
    """How many suspects have a higher score than each, as far as ranks are told apart."""
    width = min(RANKS_MAX, scores.shape[1])
    # Only the best count, in whatever order.
    best = -np.partition(-scores, width - 1, axis=1)[:, :width]
    ranks = np.zeros(scores.shape, dtype=np.intp)
    for place in range(width):
        ranks += scores < best[:, place, np.newaxis]
    return np.where(np.isneginf(scores), RANKS_MAX + 1, ranks)


def _shares(classes: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
    """By class: the share of its suspects that were the author."""
    known = columns >= 0
    suspects = np.bincount(classes.reshape(-1), minlength=RANKS_MAX + 2)
    written = np.bincount(classes[np.arange(len(columns))[known], columns[known]], minlength=RANKS_MAX + 2)
    usual = (len(columns) + PRIOR) / max(1.0, classes.size + PRIOR)
    return np.asarray((written + PRIOR) / (suspects + PRIOR / usual))
