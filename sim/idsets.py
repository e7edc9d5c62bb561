"""Sets of ids that all nodes of a simulation share what they can of: the sort keys, and the hashes of their sums.

A session of reconciliation hashes each id of both sets with a salt of its own. For a thousand nodes that was more than
all the rest of a run. The salt is there against authors who grind ids until sums collide, which is mathematics, and so
ideal cryptography does without it in the sums: each id is hashed once in a run. Fingerprints are still salted, messages
have the same bytes in the same places, and what a session finds is the same.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from ..gossip.idset import IdSet, Snapshot, key_of

__all__ = ["IdealIdSet", "IdealIds"]

#: Ids that are remembered: 50 MB, the packets of two days of a mesh of a thousand. Then all are forgotten at once,
#: since a set still needs each of its ids at every session.
IDS_MAX: Final = 200_000


class IdealIds(dict[bytes, int]):
    """The number that stands for a sort key in every sum: 64 bits, for chance alone makes no two sums alike."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_of: dict[tuple[int, bytes], bytes] = {}
        """The sort keys, so that a thousand sets hold one copy of each."""

    def __missing__(self, key: bytes) -> int:
        if len(self) >= IDS_MAX:
            self.clear()
            self.keys_of.clear()
        number = self[key] = int.from_bytes(sha256(key).digest()[:8], "big")
        return number

    def key_of(self, epoch: int, item_id: bytes) -> bytes:
        """The sort key of an entry. Raises as ``idset.key_of``."""
        key = self.keys_of.get((epoch, item_id))
        if key is None:
            key = self.keys_of[epoch, item_id] = key_of(epoch, item_id)
        return key


class IdealIdSet(IdSet):
    """One node's set of ids."""

    def __init__(self, ids: IdealIds) -> None:
        super().__init__()
        self._ids = ids

    def fork(self) -> "IdealIdSet":
        other = IdealIdSet(self._ids)
        other._keys = self._keys.copy()
        return other

    def _key(self, epoch: int, item_id: bytes) -> bytes:
        return self._ids.key_of(epoch, item_id)

    def _snapshot(self, keys: list[bytes], salt: bytes) -> Snapshot:
        return _IdealSnapshot(keys, salt, self._ids)


class _IdealSnapshot(Snapshot):
    def __init__(self, keys: list[bytes], salt: bytes, ids: IdealIds) -> None:
        self._ids = ids
        super().__init__(keys, salt)

    def _numbers(self, keys: Iterable[bytes]) -> Iterable[int]:
        return map(self._ids.__getitem__, keys)
