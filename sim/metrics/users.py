"""Users: how often each author is named, as far as it can be told from chance.

Of an author with ten posts chance alone may name none or five, so the raw shares of many authors look more unlike than
they are, and the worst of them always looks bad. Here each is drawn towards the mean by as much as chance explains
(empirical Bayes: Efron and Morris, 1975, with a beta distribution over users whose variance is found by moments). Where
the shares differ by no more than chance, all users are as well off as the mean.
"""

import math
from collections.abc import Sequence

__all__ = ["user_shares"]


def user_shares(named: Sequence[float], posts: Sequence[int]) -> list[float]:
    """How often each user is named.

    Args:
        named: by user: of how many posts the author was named; ties count for a part.
        posts: by user: how many there were, at least one.
    """
    total = sum(posts)
    mean = math.fsum(named) / total
    # Between users, weighted by their posts; chance is expected to add the second term.
    spread = math.fsum(
        count * (hits / count - mean) ** 2 for hits, count in zip(named, posts, strict=True)
    ) - (len(posts) - 1) * mean * (1 - mean)
    weight = total - math.fsum(count**2 for count in posts) / total - (len(posts) - 1)
    if spread <= 0 or weight <= 0:
        return [mean] * len(posts)
    variance = min(spread / weight, mean * (1 - mean))
    strength = mean * (1 - mean) / variance - 1
    return [(hits + strength * mean) / (count + strength) for hits, count in zip(named, posts, strict=True)]
