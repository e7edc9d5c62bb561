"""A key under a passphrase: how 32 bytes rest on a disk.

Not the storage itself: the database is encrypted by the key that is locked here. argon2id stretches the
passphrase into a key for XChaCha20-Poly1305, which wraps the 32 bytes and authenticates the header. One blob
of 102 bytes:

    version u8 = 1 || mode u8 || operations u32 || memory u64, bytes || salt (16 B) || nonce (24 B)
    || wrapped key (32 B) || tag (16 B)         all integers big-endian

Mode 1 is locked by a passphrase. Mode 2 is not locked at all, and the blob says so: operations, memory, salt
and nonce are 0, the key lies open, and the tag is the start of a hash against damage. A thief of such a blob
has the key.

Not protected: a short passphrase. argon2id at the "moderate" setting (3 passes over 256 MiB) makes each guess
cost about a second, no more. Source: RFC 9106; libsodium, crypto_pwhash; draft-irtf-cfrg-xchacha.
"""

import hashlib
import hmac
import os
import struct
import unicodedata
from enum import IntEnum
from typing import Final

from nacl import pwhash
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError as SodiumError

from . import labels
from .errors import InvalidVault, WrongPassphrase

KEY_SIZE: Final = 32
_SALT_SIZE: Final = 16
_NONCE_SIZE: Final = 24
_TAG_SIZE: Final = 16
_VERSION: Final = 1
_HEADER: Final = struct.Struct(f">BBIQ{_SALT_SIZE}s{_NONCE_SIZE}s")
#: Bytes of every blob.
BLOB_SIZE: Final = _HEADER.size + KEY_SIZE + _TAG_SIZE
assert BLOB_SIZE == 102

#: Bounds on what a blob may ask for, so that a hostile file cannot take the machine's memory or an hour: four
#: times what `lock` itself asks for.
OPERATIONS_MAX: Final = 4 * pwhash.argon2id.OPSLIMIT_MODERATE
MEMORY_MAX: Final = 4 * pwhash.argon2id.MEMLIMIT_MODERATE


class _Mode(IntEnum):
    #: Wrapped by the passphrase.
    PASSPHRASE = 1
    #: Not wrapped: chosen by the caller by name.
    OPEN = 2


def lock(key: bytes, passphrase: str) -> bytes:
    """Wraps a 32-byte key: `BLOB_SIZE` bytes. Takes about a second and 256 MiB.

    Raises `ValueError` for an empty passphrase; `lock_without_passphrase` is the way to say that.
    """
    limits = pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE
    return _lock(key, passphrase, os.urandom(_SALT_SIZE), os.urandom(_NONCE_SIZE), *limits)


def _lock(key: bytes, passphrase: str, salt: bytes, nonce: bytes, operations: int, memory: int) -> bytes:
    """`lock` with given randomness and limits."""
    if len(key) != KEY_SIZE:
        raise ValueError(f"a vault holds {KEY_SIZE} bytes")
    if not passphrase:
        raise ValueError("an empty passphrase locks nothing")
    header = _HEADER.pack(_VERSION, _Mode.PASSPHRASE, operations, memory, salt, nonce)
    wrapping = _stretch(passphrase, salt, operations, memory)
    return header + crypto_aead_xchacha20poly1305_ietf_encrypt(key, labels.VAULT + header, nonce, wrapping)


def lock_without_passphrase(key: bytes) -> bytes:
    """Writes a 32-byte key into a blob that anybody can open, and that says so: `BLOB_SIZE` bytes."""
    if len(key) != KEY_SIZE:
        raise ValueError(f"a vault holds {KEY_SIZE} bytes")
    header = _HEADER.pack(_VERSION, _Mode.OPEN, 0, 0, bytes(_SALT_SIZE), bytes(_NONCE_SIZE))
    return header + key + _damage_check(header, key)


def needs_passphrase(blob: bytes) -> bool:
    """Whether the blob is locked at all. Raises `InvalidVault`."""
    return _read(blob)[0] is _Mode.PASSPHRASE


def unlock(blob: bytes, passphrase: str) -> bytes:
    """The 32-byte key of a locked blob.

    Raises `WrongPassphrase`, also if the blob was changed since; and `InvalidVault` for what `lock` did not
    write.
    """
    mode, operations, memory, salt, nonce = _read(blob)
    if mode is not _Mode.PASSPHRASE:
        raise InvalidVault("this vault has no passphrase")
    header, wrapped = blob[: _HEADER.size], blob[_HEADER.size :]
    wrapping = _stretch(passphrase, salt, operations, memory)
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(wrapped, labels.VAULT + header, nonce, wrapping)
    except SodiumError:
        raise WrongPassphrase from None


def unlock_without_passphrase(blob: bytes) -> bytes:
    """The 32-byte key of a blob that was never locked. Raises `InvalidVault`."""
    mode, *_ = _read(blob)
    if mode is not _Mode.OPEN:
        raise InvalidVault("this vault has a passphrase")
    header, key, check = blob[: _HEADER.size], blob[_HEADER.size : -_TAG_SIZE], blob[-_TAG_SIZE:]
    if not hmac.compare_digest(check, _damage_check(header, key)):
        raise InvalidVault("this vault is damaged")
    return key


def _read(blob: bytes) -> tuple[_Mode, int, int, bytes, bytes]:
    """Takes the header apart and holds it against the bounds, before any memory is asked for."""
    if len(blob) != BLOB_SIZE:
        raise InvalidVault(f"a vault has {BLOB_SIZE} bytes, not {len(blob)}")
    version, mode, operations, memory, salt, nonce = _HEADER.unpack_from(blob)
    if version != _VERSION:
        raise InvalidVault(f"a vault of version {version} is not known here")
    if mode == _Mode.OPEN:
        if blob[2 : _HEADER.size].strip(b"\0"):
            raise InvalidVault("an open vault has no settings")
        return _Mode.OPEN, 0, 0, salt, nonce
    if mode != _Mode.PASSPHRASE:
        raise InvalidVault(f"a vault of mode {mode} is not known here")
    if not pwhash.argon2id.OPSLIMIT_MIN <= operations <= OPERATIONS_MAX:
        raise InvalidVault("the vault asks for too much or too little work")
    if not pwhash.argon2id.MEMLIMIT_MIN <= memory <= MEMORY_MAX:
        raise InvalidVault("the vault asks for too much or too little memory")
    return _Mode.PASSPHRASE, operations, memory, salt, nonce


def _stretch(passphrase: str, salt: bytes, operations: int, memory: int) -> bytes:
    # NFC, so that one passphrase has the same bytes from every keyboard.
    encoded = unicodedata.normalize("NFC", passphrase).encode(errors="surrogatepass")
    return pwhash.argon2id.kdf(KEY_SIZE, encoded, salt, opslimit=operations, memlimit=memory)


def _damage_check(header: bytes, key: bytes) -> bytes:
    return hashlib.sha256(labels.VAULT + header + key).digest()[:_TAG_SIZE]
