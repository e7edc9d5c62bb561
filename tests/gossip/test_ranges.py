"""The bytes of a session's messages."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rumor.gossip.idset import EPOCH_SIZE, UPPER_MOST
from rumor.gossip.ranges import (
    LISTING_COUNT_MAX,
    MESSAGE_SIZE_MAX,
    Body,
    Message,
    Opening,
    Range,
    ReconciliationError,
    decode_untrusted,
    encode,
    encoded_size,
)

SHORT_IDS = st.sets(st.binary(min_size=8, max_size=8), max_size=LISTING_COUNT_MAX).map(
    lambda found: tuple(sorted(found))
)
OPENINGS = st.builds(Opening, floor=st.integers(0, 2**64 - 1), nonce=st.binary(min_size=16, max_size=16))
UPPERS = st.builds(
    lambda epoch, prefix: epoch.to_bytes(EPOCH_SIZE, "big") + prefix.rstrip(b"\0"),
    st.integers(0, 3) | st.integers(0, 2**64 - 1),
    st.binary(max_size=32),
)


@st.composite
def range_lists(draw: st.DrawFn) -> tuple[Range, ...]:
    uppers = sorted(draw(st.sets(UPPERS, max_size=8)))
    if draw(st.booleans()):
        uppers.append(UPPER_MOST)
    made: list[Range] = []
    for upper in uppers:
        kind = draw(st.integers(0, 2))
        if kind == 0 and upper != uppers[-1] and not (made and made[-1].fingerprint is made[-1].listing):
            made.append(Range(upper=upper))
        elif kind == 1:
            made.append(Range(upper=upper, fingerprint=draw(st.binary(min_size=16, max_size=16))))
        else:
            made.append(Range(upper=upper, listing=draw(SHORT_IDS)))
    return tuple(made)


BODIES = st.builds(
    lambda flag, ranges, held, wanted: Body(
        more_in_flight=flag == 1, more_later=flag == 2, ranges=ranges, held=held, wanted=wanted
    ),
    st.integers(0, 2),
    range_lists(),
    SHORT_IDS,
    SHORT_IDS,
)
MESSAGES = st.one_of(
    st.builds(Message, opening=OPENINGS),
    st.builds(Message, body=BODIES),
    st.builds(Message, opening=OPENINGS, body=BODIES),
)


@given(MESSAGES)
def test_messages_survive_the_wire(message: Message) -> None:
    """Decoding undoes encoding."""
    assert decode_untrusted(encode(message)) == message


@given(range_lists())
def test_the_size_of_ranges_is_known_beforehand(ranges: tuple[Range, ...]) -> None:
    """A flight is cut by sizes that are exact."""
    empty = len(encode(Message(body=Body())))
    assert encoded_size(list(ranges), b"") == len(encode(Message(body=Body(ranges=ranges)))) - empty


@given(
    st.binary(max_size=200)
    | st.tuples(st.sampled_from([1, 2, 3]), st.binary()).map(lambda t: bytes([t[0]]) + t[1])
)
@example(b"")
def test_any_bytes_are_the_one_encoding_of_a_message_or_an_error(data: bytes) -> None:
    """The decoder raises its one error or returns what encodes to the very same bytes."""
    try:
        message = decode_untrusted(data)
    except ReconciliationError:
        return
    assert encode(message) == data


@given(MESSAGES, st.data())
def test_a_changed_byte_is_another_message_or_an_error(message: Message, data: st.DataObject) -> None:
    """Close to valid messages, too, one message has one encoding."""
    encoded = bytearray(encode(message))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode_untrusted(bytes(encoded))
    except ReconciliationError:
        return
    assert decoded != message
    assert encode(decoded) == bytes(encoded)


SHORT = bytes(range(8))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x04", "unknown kind"),
        (b"\x01" + bytes(23), "ends too early"),
        (b"\x01" + bytes(25), "goes on"),
        (b"\x03\x03\x00\x00\x00", "flags"),
        (b"\x03\x00\x80\x00\x00\x00", "shortest form"),
        (b"\x03\x00" + b"\xff" * 9 + b"\x7f", "too large"),
        (b"\x03\x00" + b"\xff" * 10 + b"\x01", "too large"),
        (b"\x03\x00\xff\xff\xff\x7f\x00\x00", "too many ranges"),
        (b"\x03\x00\x00\xff\xff\xff\xff\x0f\x00", "too long"),
        (b"\x03\x00\x00\xff\x1f\x00", "ends too early"),
        (b"\x03\x00\x00\x02" + SHORT + SHORT + b"\x00", "ascending"),
        (b"\x03\x00\x01\x41\x05\x00" + bytes(16) + b"\x00\x00", "bound"),
        (b"\x03\x00\x01" + bytes([0x40 | 33]) + b"\x05" + b"\x01" * 33 + bytes(16) + b"\x00\x00", "bound"),
        (b"\x03\x00\x02\x40\x05" + bytes(16) + b"\x40\x00" + bytes(16) + b"\x00\x00", "ascend"),
        (b"\x03\x00\x02\x7f" + bytes(16) + b"\x7f" + bytes(16) + b"\x00\x00", "ascend"),
        (
            b"\x03\x00\x02\x40" + b"\xff" * 9 + b"\x01" + bytes(16) + b"\x40\x01" + bytes(16) + b"\x00\x00",
            "bound",
        ),
        (b"\x03\x00\x01\xc0\x05\x00\x00", "mode"),
        (b"\x03\x00\x02\x00\x05\x00\x01\x00\x00", "skips twice"),
        (b"\x03\x00\x01\x00\x05\x00\x00", "nothing follows"),
        (
            b"\x03\x00\x01\x80\x05\x41" + b"".join(bytes([0] * 7 + [i]) for i in range(65)) + b"\x00\x00",
            "too long",
        ),
        (b"\x03" + bytes(MESSAGE_SIZE_MAX), "too long"),
    ],
)
def test_each_rule_of_the_format_is_enforced(data: bytes, reason: str) -> None:
    """A second encoding, or a count that promises more than the bytes hold, is refused by name."""
    with pytest.raises(ReconciliationError, match=reason):
        decode_untrusted(data)
