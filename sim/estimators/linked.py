"""Linked posts: what several posts of one author say together, if it is known that they are of one.

Posteriors over the author of each post are multiplied and made to sum to 1. With a uniform prior that is Bayes's rule
if what was seen of each post is independent of the others, given the author: exact for fresh delays and fresh choices.
Where choices last, such as a guard kept for weeks or the relays of an epoch, further posts say less than this
estimator believes, and it is too sure of itself; the calibration check shows by how much. ``lasting`` knows of that.

Cost: ``O(posts · suspects)``.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array

__all__ = ["by_thread", "posterior"]

#: The least a posterior counts for, so that one surprising post does not acquit the author for good.
_LEAST = 1e-300


def posterior(posteriors: Array) -> Array:
    """Of shape (suspects,), from those of the posts, of shape (posts, suspects); uniform of no posts."""
    logs = np.log(np.maximum(posteriors, _LEAST)).sum(axis=0)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def by_thread(posteriors: Array, threads: NDArray[np.integer]) -> tuple[Array, NDArray[np.integer]]:
    """Posteriors of several authors at once.

    Args:
        posteriors: of shape (posts, suspects).
        threads: of shape (posts,): what tells the posts of one unknown author from others'.

    Returns posteriors of shape (threads, suspects), and the threads, ascending.
    """
    names: Sequence[int]
    names, which = np.unique(threads, return_inverse=True)
    logs = np.zeros((len(names), posteriors.shape[1]))
    np.add.at(logs, which.reshape(-1), np.log(np.maximum(posteriors, _LEAST)))
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True)), np.asarray(names)
