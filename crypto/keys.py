"""Keys as types: bytes that know what they are for.

Not the keys themselves, which stand where they are used (`identity`, `sealing`); these are their two common
shapes. A public key compares, hashes and shows a fingerprint. A secret compares in constant time, does not
hash, and never shows more than its public key's fingerprint, so that neither lands in a log or a set by
accident. Keys of different classes are never equal, even with the same bytes.

Not protected: memory. Python copies bytes as it likes, so a secret cannot be wiped.
"""

import hashlib
import hmac
from abc import ABC, abstractmethod
from typing import ClassVar

from . import labels
from .errors import InvalidKey

#: Enough to tell a handful of friends apart at a glance; not enough to identify a key to an enemy.
_FINGERPRINT_SIZE = 4


class PublicKey:
    """Public key bytes of one kind. Immutable."""

    __slots__ = ("_raw",)

    #: Bytes of a key of this kind.
    SIZE: ClassVar[int] = 32

    def __init__(self, raw: bytes) -> None:
        """Raises `InvalidKey` for another size, and in some kinds for what cannot be a key."""
        if len(raw) != self.SIZE:
            raise InvalidKey(f"a {type(self).__name__} has {self.SIZE} bytes, not {len(raw)}")
        self._raw = bytes(raw)

    @property
    def raw(self) -> bytes:
        """The key as `SIZE` bytes."""
        return self._raw

    @property
    def fingerprint(self) -> str:
        """8 hexadecimal digits for people and logs; never compare keys by it."""
        return hashlib.sha256(labels.FINGERPRINT + self._raw).hexdigest()[: 2 * _FINGERPRINT_SIZE]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._raw, other._raw)

    def __hash__(self) -> int:
        return hash((type(self), self._raw))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.fingerprint}>"


class SecretKey(ABC):
    """Secret key bytes of one kind, with a public key that `repr` may show. Immutable, and not hashable."""

    __slots__ = ("_raw",)
    __hash__ = None  # type: ignore[assignment]  # a set of secrets is a mistake

    #: Bytes of a secret of this kind.
    SIZE: ClassVar[int] = 32

    def __init__(self, raw: bytes) -> None:
        """Raises `InvalidKey` for another size, and in some kinds for what cannot be a secret."""
        if len(raw) != self.SIZE:
            raise InvalidKey(f"a {type(self).__name__} has {self.SIZE} bytes, not {len(raw)}")
        self._raw = bytes(raw)

    @property
    def raw(self) -> bytes:
        """The secret as `SIZE` bytes, for the vault and for worker processes alone."""
        return self._raw

    @property
    @abstractmethod
    def public(self) -> PublicKey:
        """The public key of this secret."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self._raw, other._raw)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.public.fingerprint}>"
