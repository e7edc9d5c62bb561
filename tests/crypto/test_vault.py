"""Keys under a passphrase."""

import struct
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import pwhash

from rumor.crypto import vault
from rumor.crypto.errors import InvalidVault, WrongPassphrase

KEY = bytes(range(32))
SALT, NONCE = b"s" * 16, b"n" * 24
MINIMAL = (pwhash.argon2id.OPSLIMIT_MIN, pwhash.argon2id.MEMLIMIT_MIN)


def locked(passphrase: str = "correct horse") -> bytes:
    return vault._lock(KEY, passphrase, SALT, NONCE, *MINIMAL)


def test_a_vault_opens_with_its_passphrase_only() -> None:
    blob = locked()
    assert len(blob) == vault.BLOB_SIZE
    assert vault.needs_passphrase(blob)
    assert vault.unlock(blob, "correct horse") == KEY
    assert KEY not in blob
    for wrong in ("correct  horse", "", "Correct horse"):
        with pytest.raises(WrongPassphrase):
            vault.unlock(blob, wrong)
    with pytest.raises(InvalidVault):
        vault.unlock_without_passphrase(blob)


def test_one_passphrase_from_two_keyboards_is_one() -> None:
    """é as one character and as two."""
    assert vault.unlock(locked("caf\u00e9"), "cafe\u0301") == KEY


@given(bit=st.integers(0, 8 * vault.BLOB_SIZE - 1))
@settings(deadline=None)
def test_any_flipped_bit_is_refused(bit: int) -> None:
    """In the header too: settings are part of what is authenticated."""
    blob = bytearray(locked())
    blob[bit // 8] ^= 1 << bit % 8
    # A flip that asks for up to a gigabyte within the bounds is left out for time alone.
    operations, memory = struct.unpack_from(">IQ", blob, 2)
    if operations <= vault.OPERATIONS_MAX and memory <= vault.MEMORY_MAX and operations * memory > 2**21:
        return
    with pytest.raises((WrongPassphrase, InvalidVault)):
        vault.unlock(bytes(blob), "correct horse")
    with pytest.raises(InvalidVault):
        vault.unlock_without_passphrase(bytes(blob))


@pytest.mark.parametrize(
    ("operations", "memory"),
    [
        (vault.OPERATIONS_MAX + 1, 8192),
        (0, 8192),
        (1, vault.MEMORY_MAX + 1),
        (1, 8191),
        (2**32 - 1, 2**64 - 1),
    ],
)
def test_a_hostile_file_cannot_ask_for_more_than_the_bounds(operations: int, memory: int) -> None:
    """The bounds are checked before anything is allocated."""
    blob = struct.pack(">BBIQ", 1, 1, operations, memory) + bytes(16 + 24 + 48)
    with (
        patch.object(vault, "_stretch", side_effect=AssertionError("asked for memory")),
        pytest.raises(InvalidVault),
    ):
        vault.unlock(blob, "any")


@given(blob=st.one_of(st.binary(max_size=110), st.binary(min_size=102, max_size=102)))
def test_whatever_the_bytes_reading_raises_its_one_error(blob: bytes) -> None:
    for data in (blob, b"\1\2" + blob[2:], b"\1\3" + blob[2:]):
        with pytest.raises(InvalidVault):
            vault.unlock_without_passphrase(data)
    with pytest.raises(InvalidVault):
        vault.needs_passphrase(b"\2" + blob[1:])


def test_a_vault_without_passphrase_says_so() -> None:
    blob = vault.lock_without_passphrase(KEY)
    assert len(blob) == vault.BLOB_SIZE
    assert not vault.needs_passphrase(blob)
    assert vault.unlock_without_passphrase(blob) == KEY
    with pytest.raises(InvalidVault):
        vault.unlock(blob, "")
    for position in range(len(blob)):
        damaged = bytearray(blob)
        damaged[position] ^= 1
        with pytest.raises(InvalidVault):
            vault.unlock_without_passphrase(bytes(damaged))


def test_an_open_vault_has_one_form() -> None:
    """Settings that mean nothing are refused, even with a right check, so that one key has one open blob."""
    header = struct.pack(">BBIQ", 1, 2, 1, 0) + bytes(40)
    with pytest.raises(InvalidVault, match="no settings"):
        vault.unlock_without_passphrase(header + KEY + vault._damage_check(header, KEY))


def test_an_empty_passphrase_is_chosen_by_name_only() -> None:
    with pytest.raises(ValueError, match="empty"):
        vault.lock(KEY, "")
    with pytest.raises(ValueError, match="32"):
        vault.lock_without_passphrase(KEY[:-1])
    with pytest.raises(ValueError, match="32"):
        vault.lock(KEY + b"\0", "passphrase")


@pytest.mark.slow
def test_the_real_settings_lock_and_unlock() -> None:
    """256 MiB and about a second each way."""
    blob = vault.lock(KEY, "passphrase")
    assert vault.lock(KEY, "passphrase") != blob
    assert vault.unlock(blob, "passphrase") == KEY
