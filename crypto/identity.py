"""Who a node is to its friends, and who a member is to nobody in particular.

Two identities that never meet. `NodeSecret` and `NodeKey` (Ed25519) are the node's: friends know them, libp2p
makes its peer id of them. `MemberSecret` and `MemberKey` (secp256k1) are a place in the mesh's roster: only
the friend who invited a member may know whose key it is. Nothing derives one from the other.

Peer id: base58btc of the identity multihash of libp2p's protobuf public key,
`00 24 || 08 01 12 20 || key (32 B)`, which reads 12D3KooW….

Source: RFC 8032 (Ed25519), libp2p's peer-ids specification; docs/protocol.md, section 3.
"""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Final

from nacl.exceptions import BadSignatureError
from nacl.exceptions import CryptoError as SodiumError
from nacl.signing import SigningKey, VerifyKey

from . import membership, possession
from .curve import POINT_SIZE, parse
from .errors import InvalidSignature
from .keys import PublicKey, SecretKey

NODE_SIGNATURE_SIZE: Final = 64

#: Identity multihash of 36 bytes; protobuf: key type Ed25519, 32 bytes of data.
_PEER_ID_PREFIX: Final = bytes.fromhex("0024 08011220")
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class NodeKey(PublicKey):
    """The Ed25519 public key of a node: 32 bytes.

    Any 32 bytes construct one; if they are no point of the curve, no signature and no handshake holds for
    them.
    """

    __slots__ = ()

    @property
    def peer_id(self) -> str:
        """libp2p's name for the node, 12D3KooW…, as an invitation's addresses and the transport use it."""
        return _base58(_PEER_ID_PREFIX + self.raw)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Checks an Ed25519 signature. Raises `InvalidSignature`, and nothing else, whatever the bytes."""
        try:
            if len(signature) != NODE_SIGNATURE_SIZE:
                raise InvalidSignature
            VerifyKey(self.raw).verify(message, signature)
        except (BadSignatureError, SodiumError):
            raise InvalidSignature from None


def _base58(data: bytes) -> str:
    """Base58btc: a number in base 58, and a 1 for each leading zero byte."""
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


class NodeSecret(SecretKey):
    """The Ed25519 seed of a node: 32 bytes."""

    __slots__ = ()

    @classmethod
    def generate(cls) -> "NodeSecret":
        """A new identity from the operating system's generator."""
        return cls(os.urandom(cls.SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> "NodeSecret":
        """The identity of a 32-byte seed. Raises `InvalidKey`."""
        return cls(seed)

    @property
    def seed(self) -> bytes:
        """The 32 bytes from which `from_seed` makes the same identity."""
        return self.raw

    @property
    def public(self) -> NodeKey:
        """The node's public key."""
        return NodeKey(bytes(SigningKey(self.raw).verify_key))

    def sign(self, message: bytes) -> bytes:
        """Ed25519 over the message: 64 bytes."""
        return SigningKey(self.raw).sign(message).signature


class MemberKey(PublicKey):
    """The secp256k1 public key of a member: 33 bytes, always a point of the curve."""

    __slots__ = ()
    SIZE: ClassVar[int] = POINT_SIZE

    def __init__(self, raw: bytes) -> None:
        """Raises `InvalidKey` unless `raw` is a point."""
        super().__init__(raw)
        parse(self.raw)

    def verify_possession(self, mesh_id: bytes, signature: bytes) -> None:
        """Checks that the key's holder wants into this mesh. Raises `InvalidSignature`."""
        possession.verify_possession(self.raw, mesh_id, signature)

    def verify(self, digest: bytes, signature: bytes) -> None:
        """Checks a BIP-340 signature over a 32-byte digest, by x coordinate. Raises `InvalidSignature`."""
        possession.verify_signature(self.raw, digest, signature)


class MemberSecret(SecretKey):
    """The secp256k1 secret of a member: 32 bytes, a scalar from 1 to the group order less 1."""

    __slots__ = ("__dict__",)

    def __init__(self, raw: bytes) -> None:
        """Raises `InvalidKey` unless `raw` is such a scalar."""
        super().__init__(raw)
        assert self.key

    @classmethod
    def generate(cls) -> "MemberSecret":
        """A new, independent member key; never derive one from another."""
        return cls(membership.keypair()[0])

    @cached_property
    def key(self) -> MemberKey:
        """The member's public key."""
        return MemberKey(membership.public_key(self.raw))

    @property
    def public(self) -> MemberKey:
        """The same as `key`."""
        return self.key

    def prove_possession(self, mesh_id: bytes) -> bytes:
        """The newcomer's 64-byte signature over its own key, for one mesh."""
        return possession.prove_possession(self.raw, mesh_id)

    def sign(self, digest: bytes) -> bytes:
        """A plain BIP-340 signature over a 32-byte digest, 64 bytes: it names its signer."""
        return possession.sign(self.raw, digest)

    def tag(self, scope: bytes) -> bytes:
        """The 33-byte tag of this member in a scope. Raises `InvalidScope`."""
        return membership.tag(self.raw, scope)

    def prove(self, ring: membership.Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        """A membership proof; see `membership.prove`. Raises `NotInRing` and `InvalidScope`."""
        return membership.prove(self.raw, ring, scopes, message)
