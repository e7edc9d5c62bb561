"""The strict decoder: one message, one encoding."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import canonical
from rumor.crypto.errors import NotCanonical

values = st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=20), st.text(max_size=10))
messages = st.lists(st.one_of(values, st.lists(values, max_size=4)), max_size=6)


@given(message=messages)
def test_what_is_encoded_decodes_to_itself(message: list[object]) -> None:
    data = canonical.encode(message)
    assert canonical.decode_untrusted(data, len(data)) == message
    with pytest.raises(NotCanonical):
        canonical.decode_untrusted(data, len(data) - 1)
    with pytest.raises(NotCanonical):
        canonical.decode_untrusted(data + b"\0", 1000)


@given(message=messages, cut=st.integers(0, 200))
def test_a_beginning_is_told_from_nonsense(message: list[object], cut: int) -> None:
    data = canonical.encode(message)
    with pytest.raises(NotCanonical) as caught:
        canonical.decode_untrusted(data[: cut % len(data)], 1000)
    assert caught.value.is_cut_short


@given(data=st.binary(max_size=60))
def test_whatever_the_bytes_it_returns_their_message_or_raises_its_one_error(data: bytes) -> None:
    with contextlib.suppress(NotCanonical):
        assert canonical.encode(canonical.decode_untrusted(data, 60)) == data


@pytest.mark.parametrize(
    "data",
    [
        "00",  # not an array
        "811801",  # a longer way to say 1
        "9f01ff",  # indefinite array
        "815f4101ff",  # indefinite bytes
        "81f5",  # true
        "81f6",  # null
        "81f7",  # undefined
        "81fb3ff0000000000000",  # float
        "8120",  # -1
        "81a0",  # map
        "81a201020103",  # map with a key twice
        "81c100",  # a tag: time
        "81c24101",  # a tag: big number
        "81c249010000000000000000",  # a tag: 2^64
        "81c5821b00ffffffffffffff01",  # a tag: 2^(2^56)
        "81d82361",  # a tag: regular expression
        "d81c81d81d00",  # tags: an array that contains itself
        "d9d9f78101",  # a tag: this is CBOR
        "8181818101",  # too deep
        "8162ffff",  # not UTF-8
        "8101" * 2,  # two messages
    ],
)
def test_everything_but_the_one_encoding_is_refused(data: str) -> None:
    with pytest.raises(NotCanonical):
        canonical.decode_untrusted(bytes.fromhex(data), 100)


def test_a_length_beyond_the_data_allocates_nothing() -> None:
    for head in (b"\x9b", b"\x5b", b"\x7b", b"\xbb"):
        with pytest.raises(NotCanonical):
            canonical.decode_untrusted(b"\x81" + head + b"\x7f" + b"\xff" * 7, 100)


@pytest.mark.parametrize(
    "data",
    [
        "c100",  # a tag whose decoder makes a time
        "c24101",  # one that makes a big number
        "d8236161",  # one that compiles a regular expression
        "d9ffff00",  # one that nobody knows
        "9f01ff",  # an indefinite array
        "a201020103",  # a map with a key twice
        "a10100",  # a map by integers, whose hashes can be made to collide
        "a2616101616102",  # a map with a text key twice
        "818181",  # cut short
        "8181818101",  # too deep
    ],
)
def test_strict_reading_leaves_nothing_dangerous_for_its_callers_types(data: str) -> None:
    """The gossip reads by the same function, and looks at types only afterwards."""
    with pytest.raises(NotCanonical):
        canonical.read_untrusted(bytes.fromhex(data), 100, 3)
