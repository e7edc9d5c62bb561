"""Roots: 24 words stand for both keys of a profile, and for nothing that another profile has."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.crypto import labels
from rumor.crypto.curve import ORDER
from rumor.crypto.errors import InvalidKey, InvalidWords
from rumor.crypto.roots import Root

#: BIP-39's own test vectors for 256 bits.
VECTORS = [
    (bytes(32), "abandon " * 23 + "art"),
    (
        b"\x80" * 32,
        "letter advice cage absurd amount doctor acoustic avoid " * 2 + "letter advice cage absurd "
        "amount doctor acoustic bless",
    ),
    (b"\xff" * 32, "zoo " * 23 + "vote"),
]


@pytest.mark.parametrize(("raw", "words"), VECTORS)
def test_the_words_are_those_of_bip_39(raw: bytes, words: str) -> None:
    assert Root(raw).words == words
    assert Root.from_words_untrusted(words).raw == raw


def test_the_keys_are_those_of_the_specification() -> None:
    """Computed again from RFC 5869 alone: a profile must come out of its words in every version."""
    raw = bytes(range(32))
    key = hmac.digest(bytes(32), raw, hashlib.sha256)
    node = hmac.digest(key, b"rumor/root/v1/node\x01", hashlib.sha256)
    first = hmac.digest(key, b"rumor/root/v1/member\x01", hashlib.sha256)
    second = hmac.digest(key, first + b"rumor/root/v1/member\x02", hashlib.sha256)
    root = Root(raw)
    assert (labels.ROOT_NODE, labels.ROOT_MEMBER) == (b"rumor/root/v1/node", b"rumor/root/v1/member")
    assert root.node_secret.seed == node
    member = int.from_bytes(first + second, "big") % (ORDER - 1) + 1
    assert root.member_secret.raw == member.to_bytes(32, "big")


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.data())
def test_words_come_back_and_a_wrong_one_is_noticed(raw: bytes, data: st.DataObject) -> None:
    """However they are typed; two words that changed places are found out, too, but for one case in 256."""
    words = Root(raw).words.split()
    typed = "".join(word.upper() + data.draw(st.sampled_from([" ", "\n", "\t "])) for word in words)
    assert Root.from_words_untrusted(typed).raw == raw
    at = data.draw(st.integers(0, 23))
    for wrong in ("rumorr", ""):
        with pytest.raises(InvalidWords):
            Root.from_words_untrusted(" ".join([*words[:at], wrong, *words[at + 1 :]]))


def test_a_word_that_does_not_fit_is_noticed() -> None:
    with pytest.raises(InvalidWords):
        Root.from_words_untrusted("abandon " * 23 + "zoo")


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_any_other_text_is_no_words(text: str) -> None:
    with pytest.raises(InvalidWords):
        Root.from_words_untrusted(text)


def test_a_root_has_one_size_and_does_not_show_itself() -> None:
    with pytest.raises(InvalidKey):
        Root(bytes(31))
    assert repr(Root(bytes(32))) == "<Root>"
    assert Root.generate().raw != Root.generate().raw
