"""The fixed points that proofs commit with. Nobody knows a relation between any two of them.

Not the tag bases, which depend on scopes (see `transcript`). Digits are in base 4; for m of them there are 8m
+ 2 points, in this order: F, G (the group's own), then for each digit j: H[j][0] … H[j][3], K[j][0] …
K[j][3].

Specified in docs/protocol.md, section 4.2.
"""

from functools import lru_cache
from typing import Final

from . import labels
from .curve import PointTable, public_point
from .hashing import hash_to_point

#: Choices per digit. 4 gives the shortest proofs together with 3, and the faster ones.
BASE: Final = 4


@lru_cache(maxsize=8)
def keys(digit_count: int) -> tuple[bytes, ...]:
    """The points as 33 bytes each."""
    names = [
        kind + bytes([digit, choice])
        for digit in range(digit_count)
        for kind in (b"H", b"K")
        for choice in range(BASE)
    ]
    base_point = public_point((1).to_bytes(32, "big"))
    first, *others = [hash_to_point(labels.GENERATORS, name) for name in (b"F", *names)]
    return tuple(point.encode() for point in (first, base_point, *others))


@lru_cache(maxsize=8)
def table(digit_count: int) -> PointTable:
    """The points, ready for sums."""
    return PointTable(keys(digit_count))
