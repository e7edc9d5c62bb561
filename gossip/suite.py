"""The suite: the cryptography that the engine calls itself, behind one interface.

Proving and verifying are asked of the driver, since they are slow; what is here is quick and done at once. The node
uses ``Real``. The simulator also has an ideal suite with the same sizes, for runs in which not the cryptography but the
network is looked at.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from ..crypto import membership, onion
from ..crypto.onion import Delivered, Forwarded, Payload

__all__ = ["Real", "Suite"]

RandomBytes = Callable[[int], bytes]


class Suite(Protocol):
    """What the engine needs of its cryptography."""

    def tag(self, secret: bytes, scope: bytes) -> bytes:
        """The tag (33 bytes) that a member leaves in a scope."""
        ...

    def relay_keypair(self, randbytes: RandomBytes) -> tuple[bytes, bytes]:
        """A fresh relay key: secret and public half, 32 bytes each."""
        ...

    def relay_public(self, secret: bytes) -> bytes:
        """The public half of a relay key."""
        ...

    def wrap(self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes) -> bytes:
        """An onion over these relay keys."""
        ...

    def wrap_marked(
        self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes
    ) -> tuple[bytes, bytes]:
        """An onion, and the innermost one, by which we know it again."""
        ...

    def open_onion(self, data: bytes, secret: bytes, public: bytes | None = None) -> Forwarded | Delivered:
        """Takes one layer off. Raises ``CryptoError`` if it is not for this key, whose public half may be known."""
        ...


class Real:
    """The cryptography of ``rumor.crypto``."""

    def tag(self, secret: bytes, scope: bytes) -> bytes:
        return membership.tag(secret, scope)

    def relay_keypair(self, randbytes: RandomBytes) -> tuple[bytes, bytes]:
        return onion.relay_keypair(randbytes)

    def relay_public(self, secret: bytes) -> bytes:
        return onion.relay_public(secret)

    def wrap(self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes) -> bytes:
        return onion.wrap(route, payload, randbytes)

    def wrap_marked(
        self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes
    ) -> tuple[bytes, bytes]:
        return onion.wrap_marked(route, payload, randbytes)

    def open_onion(self, data: bytes, secret: bytes, public: bytes | None = None) -> Forwarded | Delivered:
        return onion.open_onion(data, secret, public)
