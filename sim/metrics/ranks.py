"""Ranks: how well authors are hidden from an estimator that only ranks suspects, or gives a few posteriors as mappings.

An estimator that ranks is given a posterior by ``calibrate``: how often the author stood at each rank is learnt on one
half of the posts and applied to the other, both ways round, so that the entropy and the largest posterior are as
sure as the adversary may be, and no surer. For the results of single runs of engines; for arrays see ``posteriors``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .anonymity import Anonymity, Verdict, summary
from .numbers import entropy_bits

__all__ = ["Ranking", "calibrate", "judge"]

#: Ranks that are told apart; all further suspects are one class, and those who told no spy another.
RANKS_MAX: Final = 10
#: What each class has seen before it has seen anything, in posts: the rule of Jeffreys.
PRIOR: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What an estimator says of one post, and the truth."""

    suspects: Sequence[int]
    """The likeliest first; may be empty."""
    author: int


def calibrate(rankings: Sequence[Ranking], honest: Sequence[int]) -> Anonymity | None:
    """Judges an estimator that ranks suspects among the honest nodes; None without posts."""
    if not rankings:
        return None
    verdicts = []
    for half in (0, 1):
        learnt = _class_shares(rankings[1 - half :: 2])
        for ranking in rankings[half::2]:
            posterior = _posterior(ranking, learnt, len(honest))
            verdicts.append(
                Verdict(
                    author=ranking.author,
                    named=float(ranking.author in ranking.suspects[:1]),
                    in_top5=float(ranking.author in ranking.suspects[:5]),
                    entropy_bits=sum(count * entropy_bits([weight]) for weight, count in posterior),
                    largest=max(weight for weight, count in posterior if count),
                )
            )
    return summary(verdicts)


def judge(posteriors: Sequence[Mapping[int, float]], authors: Sequence[int]) -> Anonymity | None:
    """Judges an estimator that gives posteriors of its own; None without posts."""
    if not posteriors:
        return None
    verdicts = []
    for posterior, author in zip(posteriors, authors, strict=True):
        ranked = sorted(posterior, key=posterior.__getitem__, reverse=True)[:5]
        verdicts.append(
            Verdict(
                author=author,
                named=float(author == ranked[0]),
                in_top5=float(author in ranked),
                entropy_bits=entropy_bits(posterior),
                largest=posterior[ranked[0]],
            )
        )
    return summary(verdicts)


def _class_of(ranking: Ranking) -> int:
    """The author's rank from 0; ``RANKS_MAX`` for any later one, one more for an author who is no suspect."""
    if ranking.author not in ranking.suspects:
        return RANKS_MAX + 1
    return min(ranking.suspects.index(ranking.author), RANKS_MAX)


def _class_shares(rankings: Sequence[Ranking]) -> list[float]:
    counts = [PRIOR] * (RANKS_MAX + 2)
    for ranking in rankings:
        counts[_class_of(ranking)] += 1
    return [count / sum(counts) for count in counts]


def _posterior(ranking: Ranking, learnt: Sequence[float], honest_count: int) -> list[tuple[float, int]]:
    """The posterior of the honest nodes: each weight, and how many have it. Empty classes give theirs to the others."""
    suspects = min(len(ranking.suspects), honest_count)
    sizes = [int(rank < suspects) for rank in range(RANKS_MAX)]
    sizes += [max(0, suspects - RANKS_MAX), honest_count - suspects]
    total = sum(share for share, size in zip(learnt, sizes, strict=True) if size)
    return [(share / total / size, size) for share, size in zip(learnt, sizes, strict=True) if size]
