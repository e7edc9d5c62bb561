"""Sealed boxes: what only the holder of one key can read, from a sender that stays unknown.

Not authenticated: anybody who has the key can seal. libsodium's sealed box: a one-time X25519 key, then
XSalsa20-Poly1305 with the nonce BLAKE2b(one-time key || receiver's key). Sealing adds `OVERHEAD` bytes.

    sealed = one-time key (32 B) || tag (16 B) || ciphertext

The box shows its length, and not its receiver. It has no forward secrecy towards the receiver's secret: who
gets that later reads all. Source: libsodium, crypto_box_seal; RFC 7748.
"""

import os
from typing import Final

from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError as SodiumError
from nacl.public import PrivateKey, SealedBox
from nacl.public import PublicKey as SodiumPublicKey

from .errors import InvalidKey, SealBroken
from .keys import PublicKey, SecretKey

#: Bytes by which a sealed box is longer than what is in it.
OVERHEAD: Final = 32 + 16


class SealingKey(PublicKey):
    """The X25519 public key of a receiver: 32 bytes."""

    __slots__ = ()

    def __init__(self, raw: bytes) -> None:
        """Raises `InvalidKey` for another size, and for the few points that every secret agrees on."""
        super().__init__(raw)
        try:
            crypto_scalarmult(bytes([1]) * 32, self.raw)
        except (SodiumError, RuntimeError):
            raise InvalidKey("a point of small order is no sealing key") from None

    def seal(self, plaintext: bytes) -> bytes:
        """Seals for the holder of the secret: `OVERHEAD` bytes longer than `plaintext`."""
        return bytes(SealedBox(SodiumPublicKey(self.raw)).encrypt(plaintext))


class SealingSecret(SecretKey):
    """The X25519 secret of a receiver: 32 bytes."""

    __slots__ = ()

    @classmethod
    def generate(cls) -> "SealingSecret":
        """A new secret from the operating system's generator."""
        return cls(os.urandom(cls.SIZE))

    @property
    def public(self) -> SealingKey:
        """The key to give to those who shall seal."""
        return SealingKey(bytes(PrivateKey(self.raw).public_key))

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises `SealBroken`, and nothing else, whatever the bytes."""
        try:
            return bytes(SealedBox(PrivateKey(self.raw)).decrypt(sealed))
        except (SodiumError, ValueError, RuntimeError):
            raise SealBroken from None
