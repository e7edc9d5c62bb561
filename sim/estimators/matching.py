"""Matching: who wrote which message of a batch in which everybody sent one, and precision and recall of such guesses.

After Bojja Venkatakrishnan, Fanti and Viswanath, "Dandelion: Redesigning the Bitcoin network for anonymity" (2017), and
Fanti and others, "Dandelion++" (2018). An estimator maps messages to nodes. *Recall* is the share of honest authors
whose message is mapped to them, ``1/h Σ_v 1[M(X_v) = v]``; *precision* divides each by how many messages are
mapped to that node, ``1/h Σ_v 1[M(X_v) = v] / |{w : M(X_w) = v}|``. So guessing one node for all has the precision of
naming everybody at random. First spy is optimal for recall up to ties; for precision the optimum is the matching of
messages to nodes, one to one, of the largest sum of posteriors (Theorem 3 of the first paper).

Assumed of a matching: every honest node sends exactly one of the messages, and posteriors are right as far as one
message alone goes. Messages that nobody told a spy of are matched to what is left.

Cost: ``O(runs)`` for first spy; ``O(h³)`` at the worst for a matching of h messages (Jonker and Volgenant, 1987).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ..arrays import Array

__all__ = ["Guessed", "judge_guesses", "matched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guessed:
    """How good guesses are, over a batch or the mean over several."""

    precision: float
    recall: float

    @classmethod
    def mean(cls, batches: "Sequence[Guessed]") -> "Guessed":
        count = max(1, len(batches))
        return cls(
            precision=sum(each.precision for each in batches) / count,
            recall=sum(each.recall for each in batches) / count,
        )


def judge_guesses(guesses: NDArray[np.integer], authors: NDArray[np.integer]) -> Guessed:
    """Precision and recall of a batch: of each message the node that was guessed, −1 for none, and who wrote it."""
    if not len(authors):
        return Guessed(precision=0.0, recall=0.0)
    right = guesses == authors
    named, counts = np.unique(guesses[guesses >= 0], return_counts=True)
    times = dict(zip(named.tolist(), counts.tolist(), strict=True))
    precision = sum(1 / times[node] for node in guesses[right].tolist())
    return Guessed(precision=precision / len(authors), recall=float(right.mean()))


def matched(posteriors: Array, suspects: NDArray[np.int32]) -> NDArray[np.int32]:
    """The node that each message of a batch is matched to, so that the sum of posteriors is the largest.

    Args:
        posteriors: of shape (messages, suspects).
        suspects: the nodes of the columns. If there are fewer of them than messages, some messages get −1.
    """
    rows, columns = linear_sum_assignment(posteriors, maximize=True)
    guesses = np.full(len(posteriors), -1, dtype=np.int32)
    guesses[rows] = suspects[columns]
    return guesses
