"""The one-time values of a secret or a reply, all from one seed.

Not the member's keys: a seed belongs to a single post. Whoever holds it can speak as the author (read
whispers, retract), so it stays in the author's outbox; dropping it is "unlink", and no later search of the
disk can tie the post to its author. The values are independent under HKDF-SHA256, so publishing one says
nothing of another:

    reply secret  = HKDF(seed, "rumor/secret/v1/reply")         X25519, its public key published
    retraction    = HKDF(seed, "rumor/secret/v1/retraction")    32 B, published to retract
    commitment    = SHA256("rumor/retraction/v1" || retraction) 32 B, published

Specified in docs/protocol.md, section 6.
"""

import hashlib
import hmac
import os
from typing import Final

from . import labels
from .derivation import hkdf_sha256
from .errors import WrongRetraction
from .keys import PublicKey, SecretKey
from .sealing import SealingSecret

VALUE_SIZE: Final = 32


class PostSeed(SecretKey):
    """32 random bytes from which one post's values come."""

    __slots__ = ()

    @classmethod
    def generate(cls) -> "PostSeed":
        """A new seed from the operating system's generator."""
        return cls(os.urandom(cls.SIZE))

    @property
    def public(self) -> PublicKey:
        """The published reply key, which stands for the seed in `repr`."""
        return self.reply_secret.public

    @property
    def reply_secret(self) -> SealingSecret:
        """Opens the whispers to this post."""
        return SealingSecret(hkdf_sha256(self.raw, labels.POST_REPLY, SealingSecret.SIZE))

    @property
    def retraction(self) -> bytes:
        """The 32 bytes that retract the post when they are published."""
        return hkdf_sha256(self.raw, labels.POST_RETRACTION, VALUE_SIZE)

    @property
    def retraction_commitment(self) -> bytes:
        """What the post says in advance of its retraction: 32 bytes."""
        return commitment_of(self.retraction)


def commitment_of(retraction: bytes) -> bytes:
    """The 32 bytes that commit to a retraction."""
    return hashlib.sha256(labels.RETRACTION + retraction).digest()


def check_retraction(commitment: bytes, retraction: bytes) -> None:
    """Raises `WrongRetraction` unless `retraction` is the 32-byte value committed to."""
    if len(retraction) != VALUE_SIZE or not hmac.compare_digest(commitment_of(retraction), commitment):
        raise WrongRetraction
