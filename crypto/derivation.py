"""HKDF-SHA256: one secret in, independent values out.

Not a password hash (see `vault`). Extract-then-expand with HMAC-SHA256, from the standard library.
Source: RFC 5869; its test vectors are in the tests.
"""

import hashlib
import hmac
from typing import Final

_HASH_SIZE: Final = 32

#: RFC 5869 section 2.3: the block counter is one byte.
OUTPUT_SIZE_MAX: Final = 255 * _HASH_SIZE


def hkdf_sha256(secret: bytes, label: bytes, size: int, *, salt: bytes = b"") -> bytes:
    """Derives `size` bytes (at most 8,160) from `secret`; `label` is RFC 5869's info, from `labels`."""
    assert 0 < size <= OUTPUT_SIZE_MAX
    key = hmac.digest(salt or bytes(_HASH_SIZE), secret, hashlib.sha256)
    block, output = b"", b""
    for counter in range(1, -(-size // _HASH_SIZE) + 1):
        block = hmac.digest(key, block + label + bytes([counter]), hashlib.sha256)
        output += block
    return output[:size]
