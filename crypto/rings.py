"""A ring: the set of member keys among which a proof hides its author.

Not the roster, which decides who belongs: a ring is whatever keys it is given, sorted. Nobody may choose one;
it is the deterministic snapshot of the roster at an epoch, and a verifier takes only such rings.

The N keys stand for M = 4^m places, the last key for all places from N - 1 on, and a place is known by its m
digits in base 4. `Ring.root` names the ring in 32 bytes:

    root = SHA256("rumor/membership/v1/root" || u32(N) || u8(4) || u8(m) || P_0 || … || P_{N-1})

Specified in docs/protocol.md, section 4.3.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Final

from . import generators, labels
from .curve import ORDER, POINT_SIZE, Point, PointTable, parse
from .errors import InvalidKey, InvalidRing, NotInRing
from .generators import BASE

#: A ring of one hides nobody.
RING_SIZE_MIN: Final = 2
#: A mesh has at most so many members; beyond, floods and rosters cost more than a node's budget.
RING_SIZE_MAX: Final = 1024
ROOT_SIZE: Final = 32
#: Rings a worker keeps ready. A table is under 2 MB, and items of a few recent epochs arrive mixed.
_RINGS_MAX: Final = 6


def digit_count(ring_size: int) -> int:
    """m: the smallest integer of at least 2 with 4^m >= `ring_size`."""
    count = 2
    while BASE**count < ring_size:
        count += 1
    return count


class Ring:
    """A set of 2 to 1,024 member keys in their one order. Immutable; pickles as its keys alone."""

    #: The keys, 33 bytes each, sorted bytewise.
    keys: tuple[bytes, ...]
    #: N, the number of keys.
    size: int
    #: m, the number of base-4 digits of a place.
    digit_count: int
    #: SHA-256 of it all: 32 bytes.
    root: bytes

    def __init__(self, keys: Iterable[bytes]) -> None:
        """Sorts and checks the keys.

        Raises `InvalidRing` for too few, too many or repeated keys, and `InvalidKey` for what is not a key.
        """
        self.keys = tuple(sorted(keys))
        self.size = len(self.keys)
        if not RING_SIZE_MIN <= self.size <= RING_SIZE_MAX:
            raise InvalidRing(f"a ring has {RING_SIZE_MIN} to {RING_SIZE_MAX} keys, not {self.size}")
        if len(set(self.keys)) != self.size:
            raise InvalidRing("a key stands twice in the ring")
        for key in self.keys:
            parse(key)
        self.digit_count = digit_count(self.size)
        shape = self.size.to_bytes(4, "big") + bytes([BASE, self.digit_count])
        self.root = hashlib.sha256(labels.RING_ROOT + shape + b"".join(self.keys)).digest()

    @cached_property
    def _table(self) -> PointTable:
        return PointTable([*generators.keys(self.digit_count), *self.keys])

    def index(self, key: bytes) -> int:
        """The place of a key. Raises `NotInRing`."""
        try:
            return self.keys.index(key)
        except ValueError:
            raise NotInRing("this member key is not in the ring") from None

    def weighted_sum(self, scalars: Sequence[int], fixed: Sequence[int] = ()) -> Point | None:
        """Σ scalars[k]·P_k over all 4^m places k, plus Σ fixed[i]·(generator i), in variable time.

        In one sum, because two cost more. Without `fixed`, the generators are left out.
        """
        assert len(scalars) == BASE**self.digit_count
        last = sum(scalars[self.size - 1 :]) % ORDER
        front = fixed or [0] * (self._table.size - self.size)
        return self._table.weighted_sum([*front, *scalars[: self.size - 1], last])

    def __eq__(self, other: object) -> bool:
        return self.root == other.root if isinstance(other, Ring) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.root)

    def __repr__(self) -> str:
        return f"Ring(size={self.size}, root={self.root.hex()[:16]}…)"

    def __reduce__(self) -> tuple[object, tuple[bytes]]:
        return _from_joined_keys, (b"".join(self.keys),)


@lru_cache(maxsize=_RINGS_MAX)
def _from_joined_keys(joined: bytes) -> Ring:
    """The unpickled ring, the same object each time, so that a worker prepares a ring's table once."""
    if len(joined) % POINT_SIZE:
        raise InvalidKey("keys have 33 bytes")
    return Ring(joined[start : start + POINT_SIZE] for start in range(0, len(joined), POINT_SIZE))
