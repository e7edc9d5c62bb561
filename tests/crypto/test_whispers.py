"""What is inside a whisper: only the one whom it was sealed for, about this secret, can tell that it holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.crypto import canonical, onion
from rumor.crypto.errors import CryptoError, InvalidKey, WhisperBroken
from rumor.crypto.whispers import CONTENT_SIZE_MAX, NUMBER_END, open_untrusted, seal

OURS, THEIRS, OTHER = b"o" * 32, b"t" * 32, b"x" * 32
ABOUT = b"a" * 32
CONTENT, MAC = seal(OURS, onion.relay_public(THEIRS), ABOUT, number=7, text="hm")


@given(st.integers(0, NUMBER_END - 1), st.text(max_size=250))
@settings(max_examples=20)
def test_what_was_sealed_opens(number: int, text: str) -> None:
    content, mac = seal(OURS, onion.relay_public(THEIRS), ABOUT, number=number, text=text)
    whisper = open_untrusted(content, THEIRS, ABOUT)
    assert (whisper.sender, whisper.number) == (onion.relay_public(OURS), number)
    assert (whisper.text, whisper.mac) == (text, mac)


def test_the_longest_fits() -> None:
    """A text of 1,000 bytes, the longest that may be whispered, with the largest number."""
    text = "é" * 500
    content, _ = seal(OURS, onion.relay_public(THEIRS), ABOUT, number=NUMBER_END - 1, text=text)
    assert len(content) == CONTENT_SIZE_MAX
    assert open_untrusted(content, THEIRS, ABOUT).text == text


@pytest.mark.parametrize(("secret", "about"), [(OTHER, ABOUT), (THEIRS, b"b" * 32), (OURS, ABOUT)])
def test_it_holds_for_one_key_and_one_secret(secret: bytes, about: bytes) -> None:
    """Not for another reader, not about another secret, and not for its own sender, to whom it might be reflected."""
    with pytest.raises(WhisperBroken):
        open_untrusted(CONTENT, secret, about)


def test_the_two_directions_have_keys_of_their_own() -> None:
    """The other's words cannot be given back to them as an answer, with the keys exchanged."""
    _, number, text, mac = canonical.decode_untrusted(CONTENT, CONTENT_SIZE_MAX)
    reflected = canonical.encode([onion.relay_public(THEIRS), number, text, mac])
    with pytest.raises(WhisperBroken):
        open_untrusted(reflected, OURS, ABOUT)


def test_nothing_of_it_can_be_changed() -> None:
    """Each part belongs to the MAC: another number, text, sender or MAC, and each single byte."""
    sender, number, text, mac = canonical.decode_untrusted(CONTENT, CONTENT_SIZE_MAX)
    for changed in (
        [onion.relay_public(OTHER), number, text, mac],
        [sender, number + 1, text, mac],
        [sender, number, text + "!", mac],
        [sender, number, text, bytes(32)],
        [sender, number, text, b""],
        [sender, number, text],
        [sender, number, text, mac, mac],
        [sender, mac, text, number],
        [bytes(32), number, text, mac],
        [b"\xff" * 32, number, text, mac],
        [sender[:31], number, text, mac],
    ):
        with pytest.raises(WhisperBroken):
            open_untrusted(canonical.encode(changed), THEIRS, ABOUT)
    for at in range(len(CONTENT)):
        with pytest.raises(WhisperBroken):
            open_untrusted(CONTENT[:at] + bytes([CONTENT[at] ^ 1]) + CONTENT[at + 1 :], THEIRS, ABOUT)


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_whatever_comes_nothing_else_is_raised(data: bytes) -> None:
    for content in (data, CONTENT[: len(data)] + data, bytes(CONTENT_SIZE_MAX + 1)):
        with pytest.raises(WhisperBroken):
            open_untrusted(content, THEIRS, ABOUT)


def test_nothing_is_sealed_for_what_is_no_key() -> None:
    for key in (bytes(32), b"\xff" * 32, b"short"):
        with pytest.raises(InvalidKey):
            seal(OURS, key, ABOUT, number=0, text="x")
    assert issubclass(WhisperBroken, CryptoError)
