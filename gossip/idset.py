"""The set of items a node holds, in the order that reconciliation needs: by epoch, then by id.

`IdSet` lives as long as the node and changes all the time. `Snapshot` is what one session sees of it: the
entries from some epoch on, as they were when the session began, with sums of *salted* ids from which the
sum and count of any range follow in two look-ups. Neither holds an item's content, and neither knows how
sessions work (`reconciliation`).

An entry is kept as one byte string, `u64 epoch || id`, so that the order of bytes is the order of entries.
The set is a plain sorted list. At 100,000 entries an insertion at the front moves 800 kB of pointers, about
50 µs; nearly all insertions are at the newest end and all expiry is at the oldest, so blocks or a tree would
cost more code than they save time.

Why a sum and not XOR, and why salted: with XOR anybody who can choose a few hundred ids makes two sets with
one fingerprint by linear algebra. With a sum modulo 2^256 of the plain ids it takes a generalised birthday
search (Wagner, CRYPTO 2002), and that is not hard enough: an author may try as many texts as they like before
posting one, the quota of one member over an item's lifetime is about 2^14 items, and 2^14 lists meet at a
cost of about 2^14 · 2^(256/15) = 2^31 steps. A session salt that only enters the hash *of* the sum does not
change that. So each id is hashed with the session's salt before it is summed. Whoever posts items cannot
know a salt that is drawn later, so a collision is down to luck, 2^-128 for a range. The price is one hash per
entry and session: 0.1 s of CPU for 100,000 entries.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import accumulate
from typing import Final

from ..crypto.labels import RECONCILIATION_FINGERPRINT, RECONCILIATION_ID

__all__ = [
    "EPOCH_MAX",
    "EPOCH_SIZE",
    "FINGERPRINT_SIZE",
    "ID_SIZE",
    "SHORT_ID_SIZE",
    "UPPER_MOST",
    "IdSet",
    "Snapshot",
    "key_of",
]

ID_SIZE: Final = 32
"""Bytes of an item id (a SHA-256 digest)."""
EPOCH_SIZE: Final = 8
EPOCH_MAX: Final = 2 ** (8 * EPOCH_SIZE) - 1
SHORT_ID_SIZE: Final = 8
"""Bytes of an id within one session: the head of its salted hash."""
FINGERPRINT_SIZE: Final = 16

UPPER_MOST: Final = b"\xff" * (EPOCH_SIZE + ID_SIZE + 1)
"""A bound above every entry."""


def key_of(epoch: int, item_id: bytes) -> bytes:
    """Returns an entry as its 40-byte sort key; ValueError if the epoch or the id is out of range."""
    if len(item_id) != ID_SIZE or not 0 <= epoch <= EPOCH_MAX:
        raise ValueError("an entry is an unsigned 64-bit epoch and a 32-byte id")
    return epoch.to_bytes(EPOCH_SIZE, "big") + item_id


class IdSet:
    """A sorted set of (epoch, id) entries."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []

    def fork(self) -> "IdSet":
        """A set with the same entries."""
        other = IdSet()
        other._keys = self._keys.copy()
        return other

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, entry: tuple[int, bytes]) -> bool:
        key = key_of(*entry)
        index = bisect_left(self._keys, key)
        return index < len(self._keys) and self._keys[index] == key

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return self.entries()

    def entries(self, floor: int = 0, ceiling: int = EPOCH_MAX) -> Iterator[tuple[int, bytes]]:
        """Yields (epoch, id) in order, for floor <= epoch <= ceiling, from a copy taken at the first step."""
        first = bisect_left(self._keys, floor.to_bytes(EPOCH_SIZE, "big"))
        last = bisect_left(self._keys, ceiling.to_bytes(EPOCH_SIZE, "big") + b"\xff" * (ID_SIZE + 1))
        for key in self._keys[first:last]:
            yield int.from_bytes(key[:EPOCH_SIZE], "big"), key[EPOCH_SIZE:]

    def insert(self, epoch: int, item_id: bytes) -> bool:
        """Adds an entry and returns whether it was new. ValueError for a bad epoch or id."""
        key = self._key(epoch, item_id)
        index = bisect_left(self._keys, key)
        if index < len(self._keys) and self._keys[index] == key:
            return False
        self._keys.insert(index, key)
        return True

    def remove(self, epoch: int, item_id: bytes) -> bool:
        """Takes an entry out and returns whether it was there. ValueError for a bad epoch or id."""
        key = key_of(epoch, item_id)
        index = bisect_left(self._keys, key)
        if index == len(self._keys) or self._keys[index] != key:
            return False
        del self._keys[index]
        return True

    def expire(self, floor: int) -> int:
        """Drops all entries of epochs before `floor` and returns how many there were."""
        count = bisect_left(self._keys, floor.to_bytes(EPOCH_SIZE, "big"))
        del self._keys[:count]
        return count

    def snapshot(self, floor: int, salt: bytes) -> "Snapshot":
        """Returns the entries of epochs >= floor as they are now, salted. Hashes each of them once."""
        return Snapshot(self._keys[bisect_left(self._keys, floor.to_bytes(EPOCH_SIZE, "big")) :], salt)

    def _key(self, epoch: int, item_id: bytes) -> bytes:
        """The sort key of an entry that is to be kept; a simulator of many nodes keeps one copy of each."""
        return key_of(epoch, item_id)


class Snapshot:
    """Sorted entries that no longer change, with range sums of their salted ids.

    Ranges are half-open intervals of indices into the entries; `index(bound)` turns a bound into an index. A
    bound is a prefix of a sort key (at least its epoch), standing for the first key that begins with it.
    """

    def __init__(self, keys: list[bytes], salt: bytes, sums: list[int] | None = None) -> None:
        """``sums`` are the running sums of ids that are not salted, for a simulator with ideal cryptography."""
        self._keys = keys
        self._id_prefix = RECONCILIATION_ID + salt
        self._fingerprint_prefix = RECONCILIATION_FINGERPRINT + salt
        # Running sums, not reduced: 100,000 digests add 17 bits to 256, and reducing each would cost more.
        self._sums = sums if sums is not None else list(accumulate(self._salted(keys), initial=0))

    def _salted(self, keys: Iterable[bytes]) -> Iterable[int]:
        """The salted ids of these sort keys, as numbers."""
        prefix, from_bytes = self._id_prefix, int.from_bytes
        return (from_bytes(sha256(prefix + key).digest(), "big") for key in keys)

    def __len__(self) -> int:
        return len(self._keys)

    def index(self, bound: bytes) -> int:
        """Returns how many entries lie before the bound."""
        return bisect_left(self._keys, bound)

    def item_id(self, index: int) -> bytes:
        """Returns the full 32-byte id of an entry."""
        return self._keys[index][EPOCH_SIZE:]

    def key(self, index: int) -> bytes:
        """Returns the 40-byte sort key of an entry."""
        return self._keys[index]

    def short_id(self, key: bytes) -> bytes:
        """Returns the 8 bytes that stand for a sort key in this session: the head of its salted hash."""
        return sha256(self._id_prefix + key).digest()[:SHORT_ID_SIZE]

    def fold(self, first: int, last: int) -> tuple[int, int]:
        """Returns the sum of the salted ids modulo 2^256, and the count, of the entries first..last-1."""
        return (self._sums[last] - self._sums[first]) % 2**256, last - first

    def fingerprint(self, first: int, last: int) -> bytes:
        """Returns the 16-byte fingerprint of the entries first..last-1."""
        total, count = self.fold(first, last)
        state = self._fingerprint_prefix + total.to_bytes(32, "big") + count.to_bytes(8, "big")
        return sha256(state).digest()[:FINGERPRINT_SIZE]

    def bound_before(self, index: int) -> bytes:
        """Returns the shortest bound that lies after entry index-1 and not after entry index (0 < index)."""
        left, right = self._keys[index - 1], self._keys[index]
        length = EPOCH_SIZE
        while left[:length] == right[:length]:
            length += 1
        # The byte that tells them apart is larger on the right, hence not zero, so the bound has the one form
        # without trailing zeros that the wire demands.
        return right[:length]
