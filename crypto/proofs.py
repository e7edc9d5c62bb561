"""The bytes of a membership proof.

Not its meaning (see `membership`): sizes, reading and writing. For c tags and m digits:

    T_1 … T_c || A || B || X_0 … X_{m-1} || Y_0 … Y_{m-1} || f_{0,1} f_{0,2} f_{0,3} … f_{m-1,3} || z_A || z

Points are 33 bytes and never the identity; scalars are 32 bytes, big-endian, below the group order. One proof
has one encoding, but an author can make many proofs of one statement: never tell proofs apart by their bytes.

Specified in docs/protocol.md, section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .curve import ORDER, POINT_SIZE, SCALAR_SIZE, Point, parse
from .errors import InvalidKey, InvalidProof
from .generators import BASE
from .rings import RING_SIZE_MAX, RING_SIZE_MIN, digit_count
from .scopes import SCOPE_COUNT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof taken apart. Nothing about it is checked but that the points and scalars are ones."""

    tags: Sequence[Point]
    """T_1 … T_c."""
    a: Point
    """A, the commitment to the blinds of the digits."""
    b: Point
    """B, the commitment to the digits themselves."""
    xs: Sequence[Point]
    """X_0 … X_{m-1}, the lower coefficients of the ring's sum."""
    ys: Sequence[Point]
    """Y_0 … Y_{m-1}, the same blinds over the tag base."""
    responses: Sequence[Sequence[int]]
    """f_{j,1}, f_{j,2}, f_{j,3} for each digit j."""
    z_a: int
    """The response for A and B."""
    z: int
    """The response for the secret."""


def proof_size(ring_size: int, scope_count: int) -> int:
    """Bytes of a proof in a ring of `ring_size` members (2 to 1,024) with `scope_count` tags (1 to 4)."""
    assert RING_SIZE_MIN <= ring_size <= RING_SIZE_MAX
    assert 1 <= scope_count <= SCOPE_COUNT_MAX
    digits = digit_count(ring_size)
    return _points_size(digits, scope_count) + SCALAR_SIZE * (digits * (BASE - 1) + 2)


def _points_size(digits: int, scope_count: int) -> int:
    return POINT_SIZE * (scope_count + 2 + 2 * digits)


assert [proof_size(size, 1) for size in (16, 64, 256, 1024)] == [487, 649, 811, 973]


def points_of(proof: bytes, ring_size: int, scope_count: int) -> bytes:
    """The tags and commitments, still joined: what the challenge hashes."""
    return proof[: _points_size(digit_count(ring_size), scope_count)]


def tags_in(proof: bytes, scope_count: int) -> list[bytes]:
    """The tags that a proof claims, *unverified*. Raises `InvalidProof` for a length of no ring."""
    if not 1 <= scope_count <= SCOPE_COUNT_MAX or len(proof) not in _sizes(scope_count):
        raise InvalidProof("no proof has this length")
    return [proof[start : start + POINT_SIZE] for start in range(0, scope_count * POINT_SIZE, POINT_SIZE)]


def _sizes(scope_count: int) -> set[int]:
    most = digit_count(RING_SIZE_MAX)
    return {proof_size(BASE**digits, scope_count) for digits in range(2, most + 1)}


def encode(points: Sequence[bytes], responses: Sequence[Sequence[int]], z_a: int, z: int) -> bytes:
    """Joins a proof; `points` in the order of the format."""
    scalars = [*(response for digit in responses for response in digit), z_a, z]
    return b"".join(points) + b"".join(scalar.to_bytes(SCALAR_SIZE, "big") for scalar in scalars)


def decode_untrusted(proof: bytes, ring_size: int, scope_count: int) -> Proof:
    """Takes a proof apart. Raises `InvalidProof`, and nothing else, whatever the bytes."""
    if len(proof) != proof_size(ring_size, scope_count):
        raise InvalidProof("a proof has another length")
    digits = digit_count(ring_size)
    cut = _points_size(digits, scope_count)
    try:
        points = [parse(proof[start : start + POINT_SIZE]) for start in range(0, cut, POINT_SIZE)]
    except InvalidKey:
        raise InvalidProof("a point of the proof is none") from None
    starts = range(cut, len(proof), SCALAR_SIZE)
    scalars = [int.from_bytes(proof[start : start + SCALAR_SIZE], "big") for start in starts]
    if max(scalars) >= ORDER:
        raise InvalidProof("a scalar of the proof is too large")
    tags, (a, b, *rest) = points[:scope_count], points[scope_count:]
    *flat, z_a, z = scalars
    return Proof(
        tags=tags,
        a=a,
        b=b,
        xs=rest[:digits],
        ys=rest[digits:],
        responses=[flat[start : start + BASE - 1] for start in range(0, len(flat), BASE - 1)],
        z_a=z_a,
        z=z,
    )
