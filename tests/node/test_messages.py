"""Friendship messages from the wire: read strictly, or refused with the one error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.gossip.errors import Malformed
from rumor.node.friends import words_digest
from rumor.node.messages import Confirmed, Moved, decode_untrusted_message, encode_message

ADDRESSES = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=127)
    .map("/x".__add__)
    .map(lambda a: a[:128]),
    max_size=8,
)


@given(
    st.one_of(
        st.binary(min_size=32, max_size=32).map(lambda d: Confirmed(digest=d)),
        ADDRESSES.map(lambda a: Moved(addresses=a)),
    )
)
def test_messages_survive_the_wire(message: Confirmed | Moved) -> None:
    """What is encoded is decoded to the same, at any size that is allowed."""
    assert decode_untrusted_message(encode_message(message)) == message


@given(st.binary(max_size=1_500))
def test_other_bytes_are_refused_with_one_error(data: bytes) -> None:
    """A decoder returns a message or raises Malformed, whatever the bytes."""
    for payload in (data, b"\x00" + data):
        try:
            decode_untrusted_message(payload)
        except Malformed:
            continue


@pytest.mark.parametrize(
    "addresses",
    [["no slash"], ["/a b"], ["/\x1b[2J"], ["/\n"], ["/ü"], ["/"], ["/" + "x" * 128], ["/x"] * 9],
)
def test_addresses_that_are_none_are_refused(addresses: list[str]) -> None:
    """What a terminal would obey, and what no node listens on, goes no further."""
    with pytest.raises(Malformed):
        decode_untrusted_message(encode_message(Moved(addresses=addresses)))


def test_words_have_digests_of_their_own() -> None:
    """A confirmation names the words that were compared."""
    assert words_digest("a b c d") != words_digest("a b c e")
    assert len(Confirmed.of("a b c d").digest) == 32
