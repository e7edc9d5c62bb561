"""Sets of ids that all nodes of a simulation share what they can of: the sort keys, and the hashes of their sums.

A session of reconciliation hashes each id of both sets with a salt of its own. For a thousand nodes that was more than
all the rest of a run. The salt is there against authors who grind ids until sums collide, which is mathematics, and so
ideal cryptography does without it in the sums: each id is hashed once in a run, and a set that has not changed since
the last session, or since it was forked, is not summed again. Fingerprints and short ids are salted as ever, messages
have the same bytes in the same places, and what a session finds is the same.
"""

from bisect import bisect_left
from hashlib import sha256
from itertools import accumulate
from typing import Final

from ..gossip.idset import EPOCH_SIZE, IdSet, Snapshot, key_of

__all__ = ["IdealIdSet", "IdealIds"]

#: Ids that are remembered: 50 MB, the packets of two days of a mesh of a thousand. Then all are forgotten at once,
#: since a set still needs each of its ids at every session.
IDS_MAX: Final = 200_000


class IdealIds(dict[bytes, int]):
    """The number that stands for a sort key in every sum: 64 bits, for chance alone makes no two sums alike."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[tuple[int, bytes], bytes] = {}

    def __missing__(self, key: bytes) -> int:
        if len(self) >= IDS_MAX:
            self.clear()
            self._keys.clear()
        number = self[key] = int.from_bytes(sha256(key).digest()[:8], "big")
        return number

    def key_of(self, epoch: int, item_id: bytes) -> bytes:
        """The sort key of an entry, one copy for a thousand sets. Raises as ``idset.key_of``."""
        key = self._keys.get((epoch, item_id))
        if key is None:
            key = self._keys[epoch, item_id] = key_of(epoch, item_id)
        return key


class IdealIdSet(IdSet):
    """One node's set of ids."""

    def __init__(self, ids: IdealIds) -> None:
        super().__init__()
        self._ids = ids
        self._summed: tuple[int, list[bytes], list[int]] | None = None
        """From which index on, the sort keys and their running sums, for as long as the set stays as it is."""

    def fork(self) -> "IdealIdSet":
        other = IdealIdSet(self._ids)
        self._sum(0)
        other._keys, other._summed = self._keys.copy(), self._summed
        return other

    def _key(self, epoch: int, item_id: bytes) -> bytes:
        return self._ids.key_of(epoch, item_id)

    def insert(self, epoch: int, item_id: bytes) -> bool:
        self._summed = None
        return super().insert(epoch, item_id)

    def remove(self, epoch: int, item_id: bytes) -> bool:
        self._summed = None
        return super().remove(epoch, item_id)

    def expire(self, floor: int) -> int:
        self._summed = None
        return super().expire(floor)

    def snapshot(self, floor: int, salt: bytes) -> Snapshot:
        keys, sums = self._sum(bisect_left(self._keys, floor.to_bytes(EPOCH_SIZE, "big")))
        return Snapshot(keys, salt, sums)

    def _sum(self, first: int) -> tuple[list[bytes], list[int]]:
        if self._summed is None or self._summed[0] != first:
            keys = self._keys[first:]
            self._summed = first, keys, list(accumulate(map(self._ids.__getitem__, keys), initial=0))
        return self._summed[1:]
