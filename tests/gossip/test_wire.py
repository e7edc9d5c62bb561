"""The wire codec: one message has one encoding, and every other string of bytes is refused by one error."""

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.gossip import wire
from rumor.gossip.errors import GossipError, Malformed
from rumor.gossip.frames import FRAME_SIZE_MAX, Announce, Complaint, Hello, Items, decode_frame_untrusted
from rumor.gossip.wire import Message, decode_untrusted, encode

FRAMES = st.one_of(
    st.builds(
        Hello,
        versions=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=16),
        mesh_id=st.binary(min_size=32, max_size=32),
        nonce=st.binary(min_size=32, max_size=32),
    ),
    st.builds(Announce, item_ids=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20)),
    st.builds(Items, items=st.lists(st.binary(max_size=200), min_size=1, max_size=5)),
    st.builds(Complaint, fault=st.integers(1, 8)),
)
ANNOUNCE = encode(Announce(item_ids=[b"a" * 32]))


@given(FRAMES)
def test_a_frame_survives_the_wire(frame: msgspec.Struct) -> None:
    assert decode_frame_untrusted(encode(frame)) == frame


@given(st.binary(max_size=300))
def test_a_decoder_returns_or_raises_its_one_error(data: bytes) -> None:
    """Whatever the bytes: either it is a frame whose encoding they are, or Malformed."""
    try:
        frame = decode_frame_untrusted(data)
    except Malformed:
        return
    assert encode(frame) == data


@given(FRAMES, st.data())
def test_changed_cut_and_lengthened_frames_never_pass_for_the_same(
    frame: msgspec.Struct, data: st.DataObject
) -> None:
    encoding = encode(frame)
    cut = encoding[: data.draw(st.integers(0, len(encoding) - 1))]
    longer = encoding + data.draw(st.binary(min_size=1, max_size=4))
    for other in (cut, longer):
        with pytest.raises(Malformed):
            decode_frame_untrusted(other)


FORGERIES = {
    "an indefinite array": b"\x9f\x02\x81" + b"\x58\x20" + b"a" * 32 + b"\xff",
    "an integer that is longer than it need be": b"\x82\x18\x02" + ANNOUNCE[2:],
    "a length that is longer than it need be": ANNOUNCE.replace(b"\x58\x20", b"\x59\x00\x20"),
    "a tag on the outside": b"\xd9\xd9\xf7" + ANNOUNCE,
    "a tag inside": b"\x82\x02\x81\xc2\x58\x20" + b"a" * 32,
    "a float for an integer": b"\x82\xf9\x40\x00" + ANNOUNCE[2:],
    "a map": b"\xa1\x61a\x01",
    "a map in a list": b"\x82\x02\x81\xa0",
    "a text for bytes": b"\x82\x02\x81\x78\x20" + b"a" * 32,
    "a boolean for an integer": b"\x82\xf5\x01",
    "null": b"\xf6",
    "nothing": b"",
    "an unknown type": b"\x82\x18\x63\x01",
    "a field too many": b"\x83\x02\x81\x58\x20" + b"a" * 32 + b"\x00",
    "a field too few": b"\x81\x02",
    "an id too short": b"\x82\x02\x81\x58\x1f" + b"a" * 31,
    "an array that claims 2^60 elements": b"\x9b\x10\x00\x00\x00\x00\x00\x00\x00",
    "a byte string that claims 2^60 bytes": b"\x5b\x10\x00\x00\x00\x00\x00\x00\x00",
    "bad UTF-8": b"\x82\x02\x81\x61\xff",
    "a regular expression": b"\xd8\x23\x78\x08(a+)+$!!",
    "a reference to itself": b"\xd8\x1c\x81\xd8\x1d\x00",
    "arrays in arrays": b"\x81" * 5_000 + b"\x00",
}


@pytest.mark.parametrize("data", FORGERIES.values(), ids=FORGERIES.keys())
def test_what_is_not_the_one_encoding_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode_frame_untrusted(data)


def test_a_frame_above_the_limit_is_not_even_parsed() -> None:
    with pytest.raises(Malformed, match="at most"):
        decode_frame_untrusted(b"\x00" * (FRAME_SIZE_MAX + 1))


def test_colliding_map_keys_cost_nothing() -> None:
    """A map of a friend's choosing is refused at its first integer key, before anything is hashed against it."""
    colliding = {number * (2**61 - 1): 0 for number in range(8_000)}
    data = cbor2.dumps(colliding)
    with pytest.raises(Malformed):
        decode_frame_untrusted(data)


def test_every_protocol_error_has_one_root() -> None:
    assert issubclass(Malformed, GossipError)


class _Flag(Message, frozen=True):
    flag: bool


def test_a_record_on_the_disk_may_hold_a_flag() -> None:
    """Not on the wire, where no message has such a field; what a node keeps of a friend does."""
    for flag in (True, False):
        assert decode_untrusted(_Flag, encode(_Flag(flag=flag)), 10) == _Flag(flag=flag)
    with pytest.raises(Malformed):
        decode_untrusted(_Flag, b"\x81\x01", 10)


def test_there_is_one_strict_reader() -> None:
    """Two tables of refused tags would be one too many to keep complete."""
    assert not hasattr(wire, "cbor2")
