"""The wire codec: deterministic CBOR arrays, decoded strictly.

A message is an array of integers, byte strings, text strings and arrays. It is written in the deterministic
encoding of RFC 8949 §4.2.1, and what is read is typed, encoded again and compared, so that a message has one
encoding and a decoder accepts nothing else. Maps, tags, floats, indefinite lengths and deep nesting never get as
far as the types: tags because their decoders run code of their own (regular expressions, big numbers), maps because
colliding keys cost quadratic time.
"""

from collections.abc import Callable
from typing import Annotated, Any, NoReturn, TypeVar, cast

import cbor2
import msgspec

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


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("a tag")


class _EveryTag(dict[int, Callable[..., Any]]):
    """A table of semantic decoders that has an entry for every tag, and it refuses."""

    def get(self, key: object, default: object = None) -> Any:  # noqa: ARG002
        return _refuse_tag

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: int) -> Callable[..., Any]:
        return _refuse_tag


_EVERY_TAG = _EveryTag()


def encode(message: Message) -> bytes:
    """Encodes a message deterministically."""
    return cbor2.dumps(msgspec.to_builtins(message, builtin_types=(bytes,)), canonical=True)


def decode_untrusted(kind: type[M], data: bytes, size_max: int) -> M:
    """Decodes ``data`` as a message of type ``kind``.

    Args:
        kind: a subclass of ``Message``, or a union of subclasses with integer tags.
        data: whatever came.
        size_max: the most bytes that such a message may have.

    Raises:
        Malformed: the bytes are anything but the one encoding of such a message.
    """
    if len(data) > size_max:
        raise Malformed(f"{len(data)} bytes where at most {size_max} may come")
    try:
        tree = cbor2.loads(
            data,
            tag_hook=_refuse_tag,
            semantic_decoders=_EVERY_TAG,
            max_depth=DEPTH_MAX,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        message = msgspec.convert(tree, kind, builtin_types=(bytes,), strict=True)
        again = encode(cast(Message, message))
    except (cbor2.CBORError, msgspec.ValidationError, ValueError, TypeError, OverflowError) as error:
        raise Malformed(f"not a message: {type(error).__name__}") from error
    except (RecursionError, MemoryError) as error:
        raise Malformed("not a message: too deep or too long") from error
    if again != data:
        raise Malformed("not the one encoding of this message")
    return message
