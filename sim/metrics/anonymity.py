"""Anonymity: how well authors are hidden from one estimator, over all posts and at the worst.

Of each post a ``Verdict`` says whether the estimator was right and how sure it was. An estimator that is *calibrated*
is right as often as it is sure; where it is not, its entropies are not to be believed either, and the check says so.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from .numbers import quantiles, wilson
from .users import user_shares

__all__ = ["Anonymity", "Author", "Bin", "Calibration", "Verdict", "summary"]

#: An author of fewer posts is not called the worst off: chance would be.
POSTS_MIN: Final = 10
#: Bins of the reliability of posteriors, by how sure the estimator was.
EDGES: Final = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
#: Standard errors between how sure an estimator is and how often it is right that are put down to chance.
ERRORS_MAX: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an estimator made of one post."""

    author: int
    named: float
    """Whether the author was the likeliest suspect; of n that were equally likely, 1/n."""
    in_top5: float
    """Whether the author was among the five likeliest, in the same way."""
    entropy_bits: float
    """Of the posterior."""
    largest: float
    """The largest posterior."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """How well one author is hidden."""

    node: int
    posts: int
    entropy_bits: float
    """Mean over this author's posts."""
    p_named: float
    p_named_ci95: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Posts of which the estimator was about equally sure."""

    low: float
    high: float
    posts: int
    expected: float
    """Mean of the largest posteriors."""
    p_named: float
    p_named_ci95: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether the estimator is right as often as it is sure."""

    gap: float
    """How much surer it is than right: the mean largest posterior less the share of authors named."""
    errors: float
    """The same in standard errors; 0 where there is nothing to tell."""
    bins: tuple[Bin, ...]
    """By how sure it was; empty ones are left out."""

    @property
    def holds(self) -> bool:
        return abs(self.errors) <= ERRORS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymity:
    """How well authors are hidden, over all posts."""

    posts: int
    p_named: float
    p_named_ci95: tuple[float, float]
    entropy_bits: float
    """Shannon's, mean over posts."""
    expected_max_posterior: float
    """Mean over posts: how sure the adversary may be of whom it names; agrees with ``p_named`` if it is calibrated."""
    top5: float
    """The share of posts whose author was among the five likeliest."""
    min_entropy_bits: float
    """What is left to guess in one try: −log2 of the mean largest posterior (Smith, 2009)."""
    effective_set: float
    """As many equally likely suspects have the same entropy: 2 to the power of it."""
    worst_off: Author | None
    """The author with the lowest mean entropy, of those with enough posts."""
    most_named: Author | None
    """The author who is most surely named often: with the highest lower end of the interval."""
    calibration: Calibration
    entropy_quantiles: tuple[float, ...]
    """Over posts, from the one that was hidden least (``numbers.quantiles``)."""
    user_named_quantiles: tuple[float, ...]
    """Over authors: how often each is named (``users``), from the safest to the worst off."""

    def fields(self) -> dict[str, Any]:
        """What a result says of it, but for who was named how often."""
        worst = self.worst_off
        return {
            "entropy_bits": self.entropy_bits,
            "min_entropy_bits": self.min_entropy_bits,
            "effective_set": self.effective_set,
            "top5": self.top5,
            "expected_max_posterior": self.expected_max_posterior,
            "calibrated": self.calibration.holds,
            "worst_off_entropy_bits": worst and worst.entropy_bits,
            "worst_off_p_named": self.user_named_quantiles[-1],
            "entropy_quantiles": list(self.entropy_quantiles),
            "user_named_quantiles": list(self.user_named_quantiles),
        }

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {**asdict(self), "calibrated": self.calibration.holds}


def summary(verdicts: Sequence[Verdict]) -> Anonymity | None:
    """All posts together; None without any."""
    count = len(verdicts)
    if not count:
        return None
    named = math.fsum(verdict.named for verdict in verdicts)
    entropy = math.fsum(verdict.entropy_bits for verdict in verdicts) / count
    largest = math.fsum(verdict.largest for verdict in verdicts) / count
    authors = _authors(verdicts)
    return Anonymity(
        posts=count,
        p_named=named / count,
        p_named_ci95=wilson(named, count),
        entropy_bits=entropy,
        expected_max_posterior=largest,
        top5=math.fsum(verdict.in_top5 for verdict in verdicts) / count,
        min_entropy_bits=-math.log2(largest),
        effective_set=2**entropy,
        worst_off=min(authors, key=lambda author: (author.entropy_bits, author.node), default=None),
        most_named=max(authors, key=lambda author: (author.p_named_ci95[0], -author.node), default=None),
        calibration=_calibration(verdicts),
        entropy_quantiles=tuple(quantiles([verdict.entropy_bits for verdict in verdicts])),
        user_named_quantiles=tuple(quantiles(_user_shares(verdicts))),
    )


def _user_shares(verdicts: Sequence[Verdict]) -> list[float]:
    named: dict[int, float] = {}
    posts: dict[int, int] = {}
    for verdict in verdicts:
        named[verdict.author] = named.get(verdict.author, 0.0) + verdict.named
        posts[verdict.author] = posts.get(verdict.author, 0) + 1
    return user_shares(list(named.values()), list(posts.values()))


def _authors(verdicts: Sequence[Verdict]) -> list[Author]:
    by_author: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        by_author.setdefault(verdict.author, []).append(verdict)
    return [
        Author(
            node=node,
            posts=len(posts),
            entropy_bits=math.fsum(post.entropy_bits for post in posts) / len(posts),
            p_named=(named := math.fsum(post.named for post in posts)) / len(posts),
            p_named_ci95=wilson(named, len(posts)),
        )
        for node, posts in by_author.items()
        if len(posts) >= POSTS_MIN
    ]


def _calibration(verdicts: Sequence[Verdict]) -> Calibration:
    count = len(verdicts)
    gaps = [verdict.largest - verdict.named for verdict in verdicts]
    gap = math.fsum(gaps) / count
    variance = math.fsum((each - gap) ** 2 for each in gaps) / max(1, count - 1)
    sorted_in: list[list[Verdict]] = [[] for _ in EDGES[1:]]
    for verdict in verdicts:
        place = sum(verdict.largest >= edge for edge in EDGES[1:-1])
        sorted_in[place].append(verdict)
    bins = tuple(
        Bin(
            low=low,
            high=high,
            posts=len(within),
            expected=math.fsum(verdict.largest for verdict in within) / len(within),
            p_named=(named := math.fsum(verdict.named for verdict in within)) / len(within),
            p_named_ci95=wilson(named, len(within)),
        )
        for low, high, within in zip(EDGES, EDGES[1:], sorted_in, strict=False)
        if within
    )
    return Calibration(gap=gap, errors=gap / math.sqrt(variance / count) if variance else 0.0, bins=bins)
