"""Archives: what was sealed comes back whole or not at all, and its length tells little."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import pwhash

from rumor.crypto import archive, vault
from rumor.crypto.errors import InvalidArchive, WrongPassphrase

KEY = bytes(range(32))
NONCE = b"n" * 24
MINIMAL = (pwhash.argon2id.OPSLIMIT_MIN, pwhash.argon2id.MEMLIMIT_MIN)
WRAPPED = vault._lock(KEY, "correct horse", b"s" * 16, NONCE, *MINIMAL)
#: Magic, version, vault, nonce.
HEADER_SIZE = 8 + 1 + 102 + 24


def sealed(data: bytes = b"the data") -> bytes:
    return archive._seal(data, KEY, WRAPPED, NONCE)


def test_an_archive_opens_with_its_passphrase_only() -> None:
    assert archive.open_untrusted(sealed(), "correct horse") == b"the data"
    with pytest.raises(WrongPassphrase):
        archive.open_untrusted(sealed(), "correct  horse")
    assert b"the data" not in sealed()
    assert KEY not in sealed()


@pytest.mark.parametrize(("size", "blocks"), [(0, 1), (65_532, 1), (65_533, 2), (200_000, 4)])
def test_the_length_is_a_multiple_of_a_block(size: int, blocks: int) -> None:
    data = b"x" * size
    made = sealed(data)
    assert len(made) == HEADER_SIZE + blocks * 65_536 + 16
    assert archive.open_untrusted(made, "correct horse") == data


@pytest.mark.parametrize("at", [0, 8, 9 + 102, HEADER_SIZE - 1, HEADER_SIZE, -1])
def test_a_changed_bit_is_noticed(at: int) -> None:
    """In the magic, the version, the nonce and everything that is sealed."""
    made = bytearray(sealed())
    made[at] ^= 1
    with pytest.raises(InvalidArchive):
        archive.open_untrusted(bytes(made), "correct horse")


@pytest.mark.parametrize("at", [9 + 2, 9 + 14, 9 + 101])
def test_a_changed_vault_opens_nothing(at: int) -> None:
    made = bytearray(sealed())
    made[at] ^= 1
    with pytest.raises((InvalidArchive, WrongPassphrase)):
        archive.open_untrusted(bytes(made), "correct horse")


def test_an_archive_without_a_passphrase_is_none() -> None:
    """An open vault in the header would make everybody able to write a backup that opens."""
    made = archive._seal(b"data", KEY, vault.lock_without_passphrase(KEY), NONCE)
    with pytest.raises(InvalidArchive):
        archive.open_untrusted(made, "correct horse")
    with pytest.raises(ValueError, match="empty passphrase"):
        archive.seal(b"data", "")


def test_a_later_version_is_named() -> None:
    made = bytearray(sealed())
    made[8] = 2
    with pytest.raises(InvalidArchive, match="version 2"):
        archive.open_untrusted(bytes(made), "correct horse")


def test_too_much_is_not_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ARCHIVE_SIZE_MAX", 65_536)
    with pytest.raises(ValueError, match="at most"):
        sealed()


@settings(max_examples=50)
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda end: sealed()[:HEADER_SIZE] + end))
def test_any_other_bytes_are_none(data: bytes) -> None:
    with pytest.raises(InvalidArchive):
        archive.open_untrusted(data, "correct horse")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An archive with bytes changed, cut off, cut out, added or doubled, anywhere."""
    made = sealed()
    for _ in range(draw(st.integers(1, 3))):
        # As often in the header as in all the rest.
        at = draw(st.integers(0, min(HEADER_SIZE + 20, len(made))) | st.integers(0, len(made)))
        new = draw(st.binary(max_size=40) | st.just(made))
        cut = draw(st.integers(0, 40) | st.just(len(made)))
        made = made[:at] + new + made[at + cut :]
    return made


@settings(max_examples=100, deadline=None)
@given(damaged())
def test_a_damaged_archive_opens_whole_or_not_at_all(made: bytes) -> None:
    """And raises what it says, whatever the vault in it asks for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vault, "OPERATIONS_MAX", MINIMAL[0])
        patch.setattr(vault, "MEMORY_MAX", MINIMAL[1])
        try:
            opened = archive.open_untrusted(made, "correct horse")
        except (InvalidArchive, WrongPassphrase):
            opened = b""
        assert opened == (b"the data" if made == sealed() else b"")
