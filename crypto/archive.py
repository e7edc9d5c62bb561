"""An archive: data of any length under a passphrase, in one piece that is changed in no bit unnoticed.

Not a backup's content, which is the node's affair. A random key seals the data, and `vault` wraps the key:

    header  = magic (8 B) || version u8 = 1 || vault blob (102 B) || nonce (24 B)
    archive = header || XChaCha20-Poly1305(size u32 || data || zeros, nonce, associated data = label || header)

Zeros fill up to a multiple of 64 KiB, since the length of a backup would tell about how many friends somebody has. An
archive always has a passphrase: it is made to be carried away.

Not protected: a short passphrase (see `vault`). Source: draft-irtf-cfrg-xchacha.
"""

import os
import struct
from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError as SodiumError

from . import labels, vault
from .errors import CryptoError, InvalidArchive, WrongPassphrase

_MAGIC: Final = b"rumor-bk"
_VERSION: Final = 1
_NONCE_SIZE: Final = 24
_HEADER: Final = struct.Struct(f">{len(_MAGIC)}sB{vault.BLOB_SIZE}s{_NONCE_SIZE}s")
_TAG_SIZE: Final = 16
_LENGTH_SIZE: Final = 4
_BLOCK_SIZE: Final = 65_536

#: The records of a full mesh are 5 MB, and two decades of preferences less.
ARCHIVE_SIZE_MAX: Final = 64 * 1024 * 1024


def seal(data: bytes, passphrase: str) -> bytes:
    """Seals data. Takes about a second and 256 MiB, for the passphrase.

    Raises `ValueError` for an empty passphrase, and for data of more than `ARCHIVE_SIZE_MAX` bytes.
    """
    key = os.urandom(vault.KEY_SIZE)
    return _seal(data, key, vault.lock(key, passphrase), os.urandom(_NONCE_SIZE))


def _seal(data: bytes, key: bytes, wrapped: bytes, nonce: bytes) -> bytes:
    """`seal` with given randomness."""
    padding = -(_LENGTH_SIZE + len(data)) % _BLOCK_SIZE
    if _HEADER.size + _LENGTH_SIZE + len(data) + padding + _TAG_SIZE > ARCHIVE_SIZE_MAX:
        raise ValueError(f"an archive has at most {ARCHIVE_SIZE_MAX} bytes")
    header = _HEADER.pack(_MAGIC, _VERSION, wrapped, nonce)
    content = len(data).to_bytes(_LENGTH_SIZE, "big") + data + bytes(padding)
    return header + crypto_aead_xchacha20poly1305_ietf_encrypt(content, labels.ARCHIVE + header, nonce, key)


def open_untrusted(archive: bytes, passphrase: str) -> bytes:
    """The data of an archive.

    Raises `WrongPassphrase`, also if the vault in it was changed, and `InvalidArchive` for everything else that `seal`
    did not write.
    """
    if not _HEADER.size + _TAG_SIZE <= len(archive) <= ARCHIVE_SIZE_MAX:
        raise InvalidArchive
    magic, version, wrapped, nonce = _HEADER.unpack_from(archive)
    if magic != _MAGIC:
        raise InvalidArchive
    if version != _VERSION:
        raise InvalidArchive(f"This backup is of version {version}, which is not known here: update Rumor.")
    try:
        key = vault.unlock(wrapped, passphrase)
    except WrongPassphrase:
        raise
    except CryptoError:
        raise InvalidArchive from None
    header, sealed = archive[: _HEADER.size], archive[_HEADER.size :]
    try:
        content = crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, labels.ARCHIVE + header, nonce, key)
    except SodiumError:
        raise InvalidArchive from None
    size = int.from_bytes(content[:_LENGTH_SIZE], "big")
    if len(content) % _BLOCK_SIZE or size > len(content) - _LENGTH_SIZE:
        raise InvalidArchive
    return content[_LENGTH_SIZE : _LENGTH_SIZE + size]
