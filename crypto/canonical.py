"""Deterministic CBOR for the few messages of this package: one message, one encoding.

A message is an array of unsigned integers, byte strings, text and arrays of those; nothing else decodes. Tags,
maps, floats, indefinite lengths, deep nesting and every longer way to say the same are refused. Decoding is
strict reading, then encoding again and comparing. The gossip has types of its own for its messages; it uses
the strict reading and the encoding, and compares by itself.

Source: RFC 8949, section 4.2.1.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Never

import cbor2

from .errors import NotCanonical

#: An array of arrays of texts is the deepest there is.
_DEPTH_MAX: Final = 3


def encode(message: list[Any]) -> bytes:
    """The one encoding of a message."""
    return cbor2.dumps(message, canonical=True)


def decode_untrusted(data: bytes, size_max: int) -> list[Any]:
    """Reads an array of integers from 0 to 2^64 - 1, bytes, texts and arrays of those.

    Raises `NotCanonical`, and nothing else, whatever the bytes; its `is_cut_short` tells whether more might
    help.
    """
    message = read_untrusted(data, size_max, _DEPTH_MAX)
    if not isinstance(message, list) or not all(map(_is_plain, message)) or encode(message) != data:
        raise NotCanonical("the data is not a message in its one encoding")
    return message


def read_untrusted(data: bytes, size_max: int, depth_max: int) -> Any:
    """Reads CBOR at no cost that its sender could choose: no tags, no indefinite lengths, no deep nesting.

    What comes back is of any other type, and may have had another encoding: the caller looks at the types and
    compares with what `encode` makes of it. Raises `NotCanonical`, and nothing else, whatever the bytes.
    """
    if len(data) > size_max:
        raise NotCanonical(f"{len(data)} bytes where at most {size_max} may come")
    try:
        return cbor2.loads(
            data,
            semantic_decoders=_EVERY_TAG,
            max_depth=depth_max,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except cbor2.CBORDecodeEOF:
        raise NotCanonical("the data ends too early", is_cut_short=True) from None
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError, RecursionError):
        raise NotCanonical("the data is not CBOR") from None


def _is_plain(value: object) -> bool:
    """Whether the type is one that messages have; `True` and `False` are not integers here."""
    if type(value) is list:
        return all(map(_is_plain, value))
    if type(value) is int:
        return 0 <= value < 2**64
    return type(value) in (bytes, str)


class _RefuseEveryTag(Mapping[int, Any]):
    """In place of the decoder's own table of tags, some of which compute for minutes on a few bytes."""

    def __getitem__(self, tag: int) -> Any:
        return _refuse

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __contains__(self, tag: object) -> bool:
        return True


def _refuse(_value: object, _immutable: bool) -> Never:
    raise ValueError("no message has tags")


_EVERY_TAG: Final = _RefuseEveryTag()
