"""Friendship messages: what two nodes that have met say to each other besides gossip.

They travel on the same connection as gossip and come before it: a friend's confirmation, and where a friend listens
now. Each is ``0x00`` and a CBOR array. Specified in docs/protocol.md.
"""

from typing import Annotated, Final

import msgspec

from ..crypto.invites import are_addresses
from ..gossip.errors import Malformed
from ..gossip.wire import Bytes32, Message, decode_untrusted, encode
from .friends import words_digest

__all__ = ["Confirmed", "Moved", "decode_untrusted_message", "encode_message"]

_PREFIX: Final = b"\x00"
#: Eight addresses of 128 bytes and their heads.
_SIZE_MAX: Final = 1_200


class Confirmed(Message, frozen=True, tag=0):
    """The sender's person has compared the words."""

    digest: Bytes32

    @classmethod
    def of(cls, words: str) -> "Confirmed":
        return cls(digest=words_digest(words))


class Moved(Message, frozen=True, tag=1):
    """Where the sender listens now."""

    addresses: Annotated[list[Annotated[str, msgspec.Meta(max_length=128)]], msgspec.Meta(max_length=8)]


def encode_message(message: Message) -> bytes:
    return _PREFIX + encode(message)


def decode_untrusted_message(payload: bytes) -> Confirmed | Moved:
    """Reads a friendship message. Raises ``Malformed``."""
    if payload[:1] != _PREFIX:
        raise Malformed("not a friendship message")
    message: Confirmed | Moved = decode_untrusted(Confirmed | Moved, payload[1:], _SIZE_MAX)  # type: ignore[arg-type]
    # What an address says is shown to the person when it does not answer; terminals obey control characters.
    if isinstance(message, Moved) and not are_addresses(message.addresses):
        raise Malformed("an address that is none")
    return message
