"""The group: secp256k1 by way of libsecp256k1, and the only module that calls it.

Not a protocol: it knows points and scalars, no rings and no proofs. libsecp256k1 *aborts the process* when an
argument is illegal (a zeroed point, a wrong length), so everything is validated here first, a `Point` exists
only if it is a valid point other than the identity, and a sum that comes out as the identity is `None`.

Two kinds of multiplication. `public_point` and `multiply_secret` run in constant time, for long-lived
secrets. `multiply` and the sums run in variable time, for public values and for scalars that are used once.

Sums of many multiples are made of `secp256k1_ec_pubkey_combine`, which adds any number of points for 0.2 µs
each, where a multiplication takes 25 µs: every scalar is cut into digits, points with the same digit are
added in one bucket, and the buckets are added by the bits of their digits while the total doubles (Pippenger
1976; Bernstein, Doumen, Lange and Oosterwijk, INDOCRYPT 2012). `PointTable` keeps
the multiples of every point by powers of the digit base, so that digits of different positions share buckets.

Not protected: Python integers and freed memory. Scalars that pass through here may stay in the process's
memory, and the variable-time calls show their scalars to whoever can time them on the same processor.

Source: SEC 1 section 2.3 (encodings), SEC 2 section 2.4.1 (the curve), BIP-340 (signatures), secp256k1.h.
"""

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from coincurve._libsecp256k1 import ffi, lib  # type: ignore[import-not-found]  # compiled, without stubs

from .errors import InvalidKey, InvalidSignature

#: The order of the group.
ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

POINT_SIZE: Final = 33
SCALAR_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
DIGEST_SIZE: Final = 32

#: Bytes of libsecp256k1's own form of a point; secp256k1.h promises the size and that it may be copied.
_RAW_SIZE: Final = 64

#: Rows of tables kept: two full meshes' keys. A row is 1 or 2 kB, so 4 MB at the most.
_ROWS_MAX: Final = 2048

#: Sums of at least so many multiples of passing points go by buckets; below, the buckets stay too empty.
#: Measured.
_BUCKETS_FROM: Final = 400

#: From hexadecimal characters to digits.
_NIBBLES: Final = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


def _must(result: int) -> None:
    """A call whose arguments were validated cannot fail; if it did, its output must not be used."""
    if result != 1:
        raise AssertionError("libsecp256k1 refused validated arguments")


_CONTEXT: Final = ffi.gc(
    lib.secp256k1_context_create(lib.SECP256K1_CONTEXT_NONE), lib.secp256k1_context_destroy
)
# Blinds the constant-time multiplications of the base point. The context is only read from here on, so that
# threads may share it.
_must(lib.secp256k1_context_randomize(_CONTEXT, os.urandom(32)))
assert ffi.sizeof("secp256k1_pubkey") == _RAW_SIZE


class Point:
    """A point of the curve other than the identity. Immutable; only this module makes them."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def encode(self) -> bytes:
        """The 33 bytes of SEC 1's compressed form."""
        out, size = ffi.new("unsigned char[33]"), ffi.new("size_t *", POINT_SIZE)
        lib.secp256k1_ec_pubkey_serialize(_CONTEXT, out, size, self._raw, lib.SECP256K1_EC_COMPRESSED)
        return bytes(out)

    def __repr__(self) -> str:
        return f"Point({self.encode().hex()})"


def parse(encoded: bytes) -> Point:
    """Reads 33 compressed bytes. Raises `InvalidKey` for what is no point; the identity has no encoding."""
    raw = ffi.new("secp256k1_pubkey *")
    # The library itself would also take the uncompressed and hybrid forms, but not in 33 bytes.
    if len(encoded) != POINT_SIZE or not lib.secp256k1_ec_pubkey_parse(_CONTEXT, raw, encoded, POINT_SIZE):
        raise InvalidKey("not a point of secp256k1 in 33 bytes")
    return Point(raw)


def check_secret(secret: bytes) -> None:
    """Raises `InvalidKey` unless `secret` is 32 bytes of a scalar from 1 to `ORDER` - 1."""
    if len(secret) != SCALAR_SIZE or not lib.secp256k1_ec_seckey_verify(_CONTEXT, secret):
        raise InvalidKey("not a secret key of secp256k1")


def public_point(secret: bytes) -> Point:
    """secret·G in constant time. Raises `InvalidKey`."""
    check_secret(secret)
    raw = ffi.new("secp256k1_pubkey *")
    _must(lib.secp256k1_ec_pubkey_create(_CONTEXT, raw, secret))
    return Point(raw)


@ffi.callback("int(unsigned char *, const unsigned char *, const unsigned char *, void *)")  # type: ignore[untyped-decorator]
def _export_coordinates(output: Any, x: Any, y: Any, _data: Any) -> int:
    """Takes the place of the hash in a Diffie–Hellman exchange and hands out the point itself."""
    output[0] = 4
    ffi.memmove(output + 1, x, 32)
    ffi.memmove(output + 33, y, 32)
    return 1


def multiply_secret(point: Point, secret: bytes) -> Point:
    """secret·point in constant time. Raises `InvalidKey`."""
    check_secret(secret)
    encoded = ffi.new("unsigned char[65]")
    _must(lib.secp256k1_ecdh(_CONTEXT, encoded, point._raw, secret, _export_coordinates, ffi.NULL))
    raw = ffi.new("secp256k1_pubkey *")
    _must(lib.secp256k1_ec_pubkey_parse(_CONTEXT, raw, encoded, 65))
    return Point(raw)


def respond(secret: bytes, factor: int, addend: int) -> int:
    """secret·factor + addend modulo the order, in constant time as far as `secret` goes.

    `factor` must not be 0. A result of 0, which libsecp256k1 refuses, comes out as 0.
    """
    check_secret(secret)
    assert 0 < factor < ORDER
    assert 0 <= addend < ORDER
    scalar = ffi.new("unsigned char[32]", secret)
    _must(lib.secp256k1_ec_seckey_tweak_mul(_CONTEXT, scalar, factor.to_bytes(SCALAR_SIZE, "big")))
    if not lib.secp256k1_ec_seckey_tweak_add(_CONTEXT, scalar, addend.to_bytes(SCALAR_SIZE, "big")):
        return 0
    return int.from_bytes(bytes(scalar), "big")


def multiply(point: Point, scalar: int) -> Point | None:
    """scalar·point in variable time; `None` for a scalar of 0."""
    assert 0 <= scalar < ORDER
    if scalar == 0:
        return None
    raw = ffi.new("secp256k1_pubkey *", point._raw[0])
    _must(lib.secp256k1_ec_pubkey_tweak_mul(_CONTEXT, raw, scalar.to_bytes(SCALAR_SIZE, "big")))
    return Point(raw)


def add(points: Iterable[Point | None]) -> Point | None:
    """The sum of all; `None` stands for the identity, in the terms and in the result."""
    raws = [point._raw for point in points if point is not None]
    if not raws:
        return None
    raw = ffi.new("secp256k1_pubkey *")
    terms = ffi.new("secp256k1_pubkey *[]", raws)
    return Point(raw) if lib.secp256k1_ec_pubkey_combine(_CONTEXT, raw, terms, len(raws)) else None


def weighted_sum(terms: Sequence[tuple[int, Point]]) -> Point | None:
    """Σ scalar·point in variable time; scalars from 0 to `ORDER` - 1."""
    if len(terms) < _BUCKETS_FROM:
        return add(multiply(point, scalar) for scalar, point in terms)
    points = ffi.new("secp256k1_pubkey[]", [point._raw[0] for _, point in terms])
    digits = _digits([scalar for scalar, _ in terms], 4)
    places = 2 * SCALAR_SIZE
    total = None
    for place in range(places):
        total = _add_by_digit(digits[place::places], _addresses(points, len(terms)), 4, total)
    return total


class PointTable:
    """Fixed points, ready for many sums of their multiples. Immutable, so threads may share it."""

    __slots__ = ("_columns", "_memory", "_rows", "_width", "size")

    #: Number of points.
    size: int

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Takes points as their 33 bytes. Costs 0.1 to 0.2 ms for each not in the cache.

        Raises `InvalidKey`.
        """
        self.size = len(keys)
        self._width, spacing = _shape(self.size)
        self._columns = spacing // self._width
        places = 8 * SCALAR_SIZE // spacing
        self._memory = ffi.from_buffer(b"".join(_row(key, spacing) for key in keys))
        addresses = list(_addresses(self._memory, self.size * places))
        self._rows = [addresses[start : start + places] for start in range(0, len(addresses), places)]

    def weighted_sum(self, scalars: Sequence[int]) -> Point | None:
        """Σ scalars[i]·points[i] in variable time; scalars from 0 to `ORDER` - 1, one per point."""
        assert len(scalars) == self.size
        digits = _digits([scalar for scalar in scalars if scalar], self._width)
        rows = [row for scalar, row in zip(scalars, self._rows, strict=True) if scalar]
        addresses = list(chain.from_iterable(rows))
        total = None
        for column in range(self._columns):
            total = _add_by_digit(digits[column :: self._columns], addresses, self._width, total)
        return total


def _shape(size: int) -> tuple[int, int]:
    """Bits of a digit, and bits from one entry of a row to the next, for a table of so many points. Measured.

    Wider digits make fewer additions in more buckets. Narrower spacing lets more digits share the buckets,
    but a large table then leaves the processor's cache.
    """
    if size < 64:
        return 4, 8
    return (8, 8) if size < 400 else (8, 16)


@lru_cache(maxsize=_ROWS_MAX)
def _row(key: bytes, spacing: int) -> bytes:
    """The point times each power of 2^spacing below 2^256, highest first, in libsecp256k1's own form."""
    places = 8 * SCALAR_SIZE // spacing
    row = ffi.new("secp256k1_pubkey[]", places)
    row[places - 1] = parse(key)._raw[0]
    base = (1 << spacing).to_bytes(SCALAR_SIZE, "big")
    for place in reversed(range(places - 1)):
        row[place] = row[place + 1]
        _must(lib.secp256k1_ec_pubkey_tweak_mul(_CONTEXT, row + place, base))
    return bytes(ffi.buffer(row))


def _digits(scalars: Sequence[int], width: int) -> bytes:
    """The digits of all scalars one after the other, highest first, a byte for each."""
    encoded = b"".join([scalar.to_bytes(SCALAR_SIZE, "big") for scalar in scalars])
    return encoded if width == 8 else encoded.hex().encode().translate(_NIBBLES)


def _addresses(memory: Any, count: int) -> range:
    start = int(ffi.cast("uintptr_t", memory))
    return range(start, start + count * _RAW_SIZE, _RAW_SIZE)


def _add_by_digit(digits: bytes, addresses: Iterable[int], width: int, total: Point | None) -> Point | None:
    """2^width·total + Σ digits[i]·points[i], at addresses of valid points that the caller keeps."""
    buckets: list[list[int]] = [[] for _ in range(1 << width)]
    for digit, address in zip(digits, addresses, strict=True):
        buckets[digit].append(address)
    sums = ffi.new("secp256k1_pubkey[]", 1 << width)
    filled = []
    for digit, address in enumerate(_addresses(sums, 1 << width)):
        bucket = buckets[digit]
        if digit and bucket and _combine(sums + digit, bucket):
            filled.append((digit, address))
    for bit in reversed(range(width)):
        terms = [address for digit, address in filled if digit >> bit & 1]
        if total is not None:
            terms += 2 * list(_addresses(total._raw, 1))
        raw = ffi.new("secp256k1_pubkey *")
        total = Point(raw) if terms and _combine(raw, terms) else None
    return total


def _combine(output: Any, addresses: list[int]) -> bool:
    """Adds at least one point into `output`; false if the sum is the identity, and `output` then unusable."""
    pointers = ffi.new("uintptr_t[]", addresses)
    terms = ffi.cast("secp256k1_pubkey **", pointers)
    return bool(lib.secp256k1_ec_pubkey_combine(_CONTEXT, output, terms, len(addresses)))


def sign(secret: bytes, digest: bytes, randomness: bytes) -> bytes:
    """BIP-340 over a 32-byte digest: 64 bytes. `randomness`: 32 auxiliary bytes. Raises `InvalidKey`."""
    check_secret(secret)
    if len(digest) != DIGEST_SIZE or len(randomness) != 32:
        raise ValueError("a digest and the randomness have 32 bytes each")
    pair = ffi.new("secp256k1_keypair *")
    _must(lib.secp256k1_keypair_create(_CONTEXT, pair, secret))
    signature = ffi.new("unsigned char[64]")
    _must(lib.secp256k1_schnorrsig_sign32(_CONTEXT, signature, digest, pair, randomness))
    return bytes(signature)


def verify_signature(key: Point, digest: bytes, signature: bytes) -> None:
    """Checks BIP-340 against the x coordinate of `key`; its sign is ignored. Raises `InvalidSignature`."""
    if len(digest) != DIGEST_SIZE:
        raise ValueError("a digest has 32 bytes")
    x_only = ffi.new("secp256k1_xonly_pubkey *")
    _must(lib.secp256k1_xonly_pubkey_from_pubkey(_CONTEXT, x_only, ffi.NULL, key._raw))
    if len(signature) != SIGNATURE_SIZE or not lib.secp256k1_schnorrsig_verify(
        _CONTEXT, signature, digest, DIGEST_SIZE, x_only
    ):
        raise InvalidSignature
