"""Hashing to the group: points whose logarithms nobody knows.

Not constant time, so only for public inputs. Try and increment: for i = 0, 1, 2 … let
X = SHA256(u8(len label) || label || u32(i) || message); the result is the first 0x02 || X that is a point.
Every second X is one.

Specified in docs/protocol.md, section 4.2.
"""

import hashlib
from itertools import count

from .curve import Point, parse
from .errors import InvalidKey


def hash_to_point(label: bytes, message: bytes) -> Point:
    """The point of a message under a label of at most 255 bytes."""
    prefix = bytes([len(label)]) + label
    for attempt in count():
        digest = hashlib.sha256(prefix + attempt.to_bytes(4, "big") + message).digest()
        try:
            return parse(b"\x02" + digest)
        except InvalidKey:
            continue
    raise AssertionError
