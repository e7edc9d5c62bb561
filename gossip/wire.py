"""The wire codec: messages with types, as deterministic CBOR arrays that are decoded strictly.

A message is an array of integers, byte strings, text strings and arrays. How CBOR is read and written is the affair of
``crypto.canonical``, which lets no tag, indefinite length or deep nesting come as far as the types. What is read is
typed, encoded again and compared, so that a message has one encoding and a decoder accepts nothing else.
"""

from typing import Annotated, TypeVar, cast

import msgspec

from ..crypto import canonical
from ..crypto.errors import NotCanonical
from .errors import Malformed

__all__ = ["Bytes32", "Bytes33", "Count", "Epoch", "Message", "Slot", "decode_untrusted", "encode"]

#: The deepest message is an item inside a list inside a frame: frame, list, item, body.
DEPTH_MAX = 8

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes33 = Annotated[bytes, msgspec.Meta(min_length=33, max_length=33)]
#: Epochs fit a u64 on the wire; 2^48 is beyond any clock and keeps sums of epochs exact everywhere.
Epoch = Annotated[int, msgspec.Meta(ge=0, lt=2**48)]
#: A u32.
Slot = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
Count = Slot


class Message(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The base of everything that is encoded: fields in order, as a CBOR array."""


M = TypeVar("M")


def encode(message: Message) -> bytes:
    """Encodes a message deterministically."""
    return canonical.encode(msgspec.to_builtins(message, builtin_types=(bytes,)))


def decode_untrusted(kind: type[M], data: bytes, size_max: int) -> M:
    """Decodes ``data`` as a message of type ``kind``.

    Args:
        kind: a subclass of ``Message``, or a union of subclasses with integer tags.
        data: whatever came.
        size_max: the most bytes that such a message may have.

    Raises:
        Malformed: the bytes are anything but the one encoding of such a message.
    """
    try:
        tree = canonical.read_untrusted(data, size_max, DEPTH_MAX)
        message = msgspec.convert(tree, kind, builtin_types=(bytes,), strict=True)
        again = encode(cast(Message, message))
    except (NotCanonical, msgspec.ValidationError, ValueError, TypeError, OverflowError) as error:
        raise Malformed(f"not a message: {error}") from error
    if again != data:
        raise Malformed("not the one encoding of this message")
    return message
