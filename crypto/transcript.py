"""What prover and verifier compute alike: tag bases and the two challenges.

Not the proof itself (see `membership`). Both challenges hash everything that the prover must have fixed
before: a tag, a scope, a root or a commitment that were left out could be changed afterwards, and a member
would mint tags. Nothing here is secret.

Specified in docs/protocol.md, sections 4.4 and 4.5.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from . import labels
from .curve import ORDER, Point
from .errors import InvalidScope
from .hashing import hash_to_point
from .scopes import SCOPE_COUNT_MAX, SCOPE_SIZE_MAX

#: Tag bases kept: packets of an epoch share their slots' scopes, hearts their targets. 0.4 kB each.
_TAG_BASES_MAX: Final = 4096


def check_scopes(scopes: Sequence[bytes]) -> None:
    """Raises `InvalidScope` unless there are 1 to 4 scopes of 1 to 97 bytes."""
    if not 1 <= len(scopes) <= SCOPE_COUNT_MAX:
        raise InvalidScope(f"a proof takes 1 to {SCOPE_COUNT_MAX} scopes, not {len(scopes)}")
    if not all(1 <= len(scope) <= SCOPE_SIZE_MAX for scope in scopes):
        raise InvalidScope(f"a scope has 1 to {SCOPE_SIZE_MAX} bytes")


@lru_cache(maxsize=_TAG_BASES_MAX)
def tag_base(scope: bytes) -> Point:
    """H(s), the point that tags of this scope are multiples of."""
    return hash_to_point(labels.TAG_BASE, scope)


def encode_scopes(scopes: Sequence[bytes]) -> bytes:
    """u8(c) || u8(len s_1) || s_1 || …"""
    return bytes([len(scopes)]) + b"".join(bytes([len(scope)]) + scope for scope in scopes)


def mixers(root: bytes, scopes: Sequence[bytes], tags: bytes) -> list[int]:
    """mu_1 = 1, mu_2 … mu_c: the weights by which one equality proves all tags (given joined)."""
    context = root + encode_scopes(scopes) + tags
    return [1] + [
        _to_scalar(labels.TAG_MIX + bytes([number]) + context) for number in range(2, len(scopes) + 1)
    ]


def challenge(root: bytes, scopes: Sequence[bytes], message: bytes, points: bytes) -> int:
    """xi. `points` are the joined bytes of all tags and commitments in the order of the proof."""
    digest = hashlib.sha256(message).digest()
    return _to_scalar(labels.CHALLENGE + root + encode_scopes(scopes) + digest + points)


def _to_scalar(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "big") % ORDER
