"""The messages of a reconciliation session, byte by byte.

This module turns messages into bytes and back and knows nothing of sets. One message has exactly one
encoding: whatever `decode_untrusted` accepts, `encode` gives back unchanged. It is a binary format of its own
and not CBOR, because most of a session is short byte strings of known length, where CBOR's heads would add a
tenth to it.

    message  = opening | answer | section
    opening  = 0x01 || u64 floor || nonce (16 B)
    answer   = 0x02 || u64 floor || nonce (16 B) || body
    section  = 0x03 || body
    body     = u8 flags || varint n || n * range || short-ids (held) || short-ids (wanted)
    flags    = 1 MORE_IN_FLIGHT: another message follows before the other side has its turn
             | 2 MORE_LATER: the flight was full; the sender needs another turn
    range    = u8 (mode << 6 | length) || varint epoch-delta || prefix (length B) || payload
    mode     = 0 SKIP: no payload | 1 FINGERPRINT: 16 bytes | 2 LISTING: short-ids
    short-ids = varint n || n * 8 bytes, strictly ascending

A range reaches from the upper bound of the range before it (the first one: from wherever the session stands)
up to its own upper bound, which it excludes. A bound is an epoch, given as the difference from the bound
before it, and the first `length` (0 to 32) bytes of an id, the last of them not zero. `length` 63 stands for
the bound above everything and has neither epoch nor prefix. Bounds strictly ascend. A skip is followed by a
range that is none. varint is LEB128, at most 64 bits, in its shortest form. u64 is big-endian.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .idset import EPOCH_MAX, EPOCH_SIZE, FINGERPRINT_SIZE, ID_SIZE, SHORT_ID_SIZE, UPPER_MOST

__all__ = [
    "LISTING_COUNT_MAX",
    "MESSAGE_SIZE_MAX",
    "NONCE_SIZE",
    "Body",
    "Message",
    "Opening",
    "Range",
    "ReconciliationError",
    "decode_untrusted",
    "encode",
    "encoded_size",
]

NONCE_SIZE: Final = 16
"""Bytes that each side gives to the session's salt."""

# A message must fit into one frame of a link, whose length stays below 64 KiB with its head.
MESSAGE_SIZE_MAX: Final = 60 * 1024

# A range of at most this many entries is listed instead of split: 64 short ids take as many bytes as a split
# and its listings would, and save a round.
LISTING_COUNT_MAX: Final = 64

KIND_OPENING, KIND_ANSWER, KIND_SECTION = 1, 2, 3
FLAG_MORE_IN_FLIGHT, FLAG_MORE_LATER = 1, 2
MODE_SKIP, MODE_FINGERPRINT, MODE_LISTING = 0, 1, 2
LENGTH_UPPER_MOST: Final = 63
VARINT_SIZE_MAX: Final = 10


class ReconciliationError(Exception):
    """The friend sent a reconciliation message that is malformed, unexpected or too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What one side says of the entries below `upper` (and from the range before on).

    With neither fingerprint nor listing it is a skip: nothing to say.
    """

    upper: bytes
    """The exclusive upper bound: epoch (8 bytes) and id prefix, or `UPPER_MOST`."""
    fingerprint: bytes | None = None
    """16 bytes over the sender's entries."""
    listing: tuple[bytes, ...] | None = None
    """All the sender's short ids, ascending; 0 to LISTING_COUNT_MAX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One message's part of a flight."""

    more_in_flight: bool = False
    """Another message of the same flight follows."""
    more_later: bool = False
    """The sender has more to say than fits into this flight; only in a flight's last message."""
    ranges: tuple[Range, ...] = ()
    """Ascending."""
    held: tuple[bytes, ...] = ()
    """Short ids that the sender holds and the receiver lacks, ascending."""
    wanted: tuple[bytes, ...] = ()
    """Short ids that the receiver listed and the sender lacks, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What each side says first; the answering side's comes with its first body."""

    floor: int
    """The lowest epoch that the sender still keeps, 0 to 2^64 - 1."""
    nonce: bytes
    """16 fresh random bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An opening (no body), an answer (both) or a section (body only)."""

    opening: Opening | None = None
    """The sender's opening, in its first message."""
    body: Body | None = None
    """The ranges; absent only in the very first message."""


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _encode_short_ids(short_ids: tuple[bytes, ...]) -> bytes:
    return _varint(len(short_ids)) + b"".join(short_ids)


def _encode_range(entry: Range, epoch_before: int) -> bytes:
    mode, payload = MODE_SKIP, b""
    if entry.fingerprint is not None:
        mode, payload = MODE_FINGERPRINT, entry.fingerprint
    elif entry.listing is not None:
        mode, payload = MODE_LISTING, _encode_short_ids(entry.listing)
    if entry.upper == UPPER_MOST:
        return bytes([mode << 6 | LENGTH_UPPER_MOST]) + payload
    epoch, prefix = int.from_bytes(entry.upper[:EPOCH_SIZE], "big"), entry.upper[EPOCH_SIZE:]
    return bytes([mode << 6 | len(prefix)]) + _varint(epoch - epoch_before) + prefix + payload


def encoded_size(ranges: list[Range], upper_before: bytes) -> int:
    """Returns the bytes that ranges take after a range that ends at `upper_before` (empty: at the start)."""
    size = 0
    for entry in ranges:
        size += len(_encode_range(entry, int.from_bytes(upper_before[:EPOCH_SIZE], "big")))
        upper_before = entry.upper
    return size


def encode(message: Message) -> bytes:
    """Returns the one encoding of a message. The caller keeps it below MESSAGE_SIZE_MAX."""
    out = bytearray()
    if message.opening is not None:
        out.append(KIND_OPENING if message.body is None else KIND_ANSWER)
        out += message.opening.floor.to_bytes(8, "big") + message.opening.nonce
    else:
        out.append(KIND_SECTION)
    body = message.body
    if body is not None:
        out.append(FLAG_MORE_IN_FLIGHT * body.more_in_flight | FLAG_MORE_LATER * body.more_later)
        out += _varint(len(body.ranges))
        epoch_before = 0
        for entry in body.ranges:
            out += _encode_range(entry, epoch_before)
            epoch_before = int.from_bytes(entry.upper[:EPOCH_SIZE], "big")
        out += _encode_short_ids(body.held) + _encode_short_ids(body.wanted)
    return bytes(out)


class _Reader:
    """Takes a message apart from the front; every method raises ReconciliationError when it cannot."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ReconciliationError("the message ends too early")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value = 0
        for position in range(VARINT_SIZE_MAX):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * position
            if byte < 0x80:
                if value > EPOCH_MAX or (byte == 0 and position > 0):
                    break
                return value
        raise ReconciliationError("a number is too large or not in its shortest form")

    def short_ids(self, count_max: int) -> tuple[bytes, ...]:
        count = self.varint()
        if count > count_max:
            raise ReconciliationError("a list is too long")
        # One look at the size before anything is cut: a huge count costs nothing.
        joined = self.take(count * SHORT_ID_SIZE)
        found = [joined[at : at + SHORT_ID_SIZE] for at in range(0, len(joined), SHORT_ID_SIZE)]
        if any(left >= right for left, right in pairwise(found)):
            raise ReconciliationError("a list is not in strictly ascending order")
        return tuple(found)

    def ranges(self) -> tuple[Range, ...]:
        count = self.varint()
        if count > MESSAGE_SIZE_MAX:
            raise ReconciliationError("the message has too many ranges")
        found: list[Range] = []
        upper_before, epoch_before, skipped = b"", 0, False
        for _ in range(count):
            mode, length = divmod(self.byte(), 64)
            if length == LENGTH_UPPER_MOST:
                upper = UPPER_MOST
            else:
                epoch = epoch_before + self.varint()
                prefix = self.take(length)
                if epoch > EPOCH_MAX or length > ID_SIZE or prefix.endswith(b"\0"):
                    raise ReconciliationError("a bound is out of range or not in its shortest form")
                upper, epoch_before = epoch.to_bytes(EPOCH_SIZE, "big") + prefix, epoch
            if upper <= upper_before:
                raise ReconciliationError("bounds do not ascend")
            if mode == MODE_FINGERPRINT:
                found.append(Range(upper=upper, fingerprint=self.take(FINGERPRINT_SIZE)))
            elif mode == MODE_LISTING:
                found.append(Range(upper=upper, listing=self.short_ids(LISTING_COUNT_MAX)))
            elif mode == MODE_SKIP and not skipped:
                found.append(Range(upper=upper))
            else:
                raise ReconciliationError("a range has an unknown mode or skips twice")
            upper_before, skipped = upper, mode == MODE_SKIP
        if skipped:
            raise ReconciliationError("nothing follows a skip")
        return tuple(found)

    def body(self) -> Body:
        flags = self.byte()
        if flags > FLAG_MORE_LATER:
            raise ReconciliationError("unknown or contradictory flags")
        return Body(
            more_in_flight=flags == FLAG_MORE_IN_FLIGHT,
            more_later=flags == FLAG_MORE_LATER,
            ranges=self.ranges(),
            held=self.short_ids(MESSAGE_SIZE_MAX),
            wanted=self.short_ids(MESSAGE_SIZE_MAX),
        )

    def message(self) -> Message:
        kind = self.byte()
        opening = None
        if kind in (KIND_OPENING, KIND_ANSWER):
            floor = int.from_bytes(self.take(8), "big")
            opening = Opening(floor=floor, nonce=self.take(NONCE_SIZE))
        elif kind != KIND_SECTION:
            raise ReconciliationError("unknown kind of message")
        message = Message(opening=opening, body=None if kind == KIND_OPENING else self.body())
        if self._at != len(self._data):
            raise ReconciliationError("the message goes on after its end")
        return message


def decode_untrusted(data: bytes) -> Message:
    """Returns the message that the bytes encode; ReconciliationError if they are not the encoding of one."""
    if len(data) > MESSAGE_SIZE_MAX:
        raise ReconciliationError("the message is too long")
    return _Reader(data).message()
