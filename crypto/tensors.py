"""Products over the digits of a place: the arithmetic between a proof's digits and the ring's places.

Not cryptography by itself: plain integers modulo the group order, no points. A place k of the ring has m
digits in base 4, k = Σ k_j 4^j. A proof says something about each digit, and these functions say what follows
for each place: a product of one factor per digit.

Specified in docs/protocol.md, section 4.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from operator import mul

from .curve import ORDER


def place_products(factors: Sequence[Sequence[int]], weight: int = 1) -> list[int]:
    """Π_j factors[j][k_j] · weight modulo the order, for every place k of len(factors) digits."""
    products = [weight]
    for choices in factors:
        products = [choice * lower % ORDER for choice in choices for lower in products]
    return products


def summed_place_products(halves: Iterable[tuple[Sequence[int], Sequence[int]]]) -> list[int]:
    """Σ over all proofs of low[k mod len(low)] · high[k div len(low)] modulo the order, for every place k.

    Each proof comes as the products of its lower and of its upper digits; that the whole is a sum of outer
    products of short vectors is what makes a batch cheap.
    """
    lows, highs = zip(*halves, strict=True)
    low_columns, high_columns = list(zip(*lows, strict=True)), list(zip(*highs, strict=True))
    return [sum(map(mul, low, high)) % ORDER for high, low in product(high_columns, low_columns)]


def place_polynomials(digits: Sequence[int], blinds: Sequence[Sequence[int]]) -> list[list[int]]:
    """p_k(X) = Π_j (X·[k_j = digits[j]] + blinds[j][k_j]) as its coefficients, lowest first, for every place
    k.

    Its degree is the number of digits that k shares with the author's place, so the lists differ in length.
    """
    polynomials = [[1]]
    for digit, choices in zip(digits, blinds, strict=True):
        polynomials = [
            _times_binomial(lower, blind, choice == digit)
            for choice, blind in enumerate(choices)
            for lower in polynomials
        ]
    return polynomials


def _times_binomial(polynomial: list[int], constant: int, is_linear: bool) -> list[int]:
    """polynomial · (X + constant), or polynomial · constant."""
    scaled = [constant * coefficient % ORDER for coefficient in polynomial]
    if not is_linear:
        return scaled
    return [(low + high) % ORDER for low, high in zip([*scaled, 0], [0, *polynomial], strict=True)]


def powers(base: int, count: int) -> list[int]:
    """1, base, base² … modulo the order: `count` of them."""
    result = [1]
    while len(result) < count:
        result.append(result[-1] * base % ORDER)
    return result
