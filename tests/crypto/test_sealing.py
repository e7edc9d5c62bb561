"""Sealed boxes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto.errors import InvalidKey, SealBroken
from rumor.crypto.sealing import OVERHEAD, SealingKey, SealingSecret

SECRET = SealingSecret(b"\5" * 32)
KEY = SECRET.public


@given(plaintext=st.binary(max_size=100))
def test_what_is_sealed_opens_for_its_key_only(plaintext: bytes) -> None:
    sealed = KEY.seal(plaintext)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert SECRET.open(sealed) == plaintext
    assert KEY.seal(plaintext) != sealed
    with pytest.raises(SealBroken):
        SealingSecret.generate().open(sealed)


@given(bit=st.integers(0, 8 * (OVERHEAD + 5) - 1))
def test_any_flipped_bit_breaks_the_seal(bit: int) -> None:
    sealed = bytearray(KEY.seal(b"hello"))
    sealed[bit // 8] ^= 1 << bit % 8
    # X25519 ignores the top bit of a key, but the nonce hashes it.
    with pytest.raises(SealBroken):
        SECRET.open(bytes(sealed))


@given(data=st.binary(max_size=100))
def test_whatever_the_bytes_opening_raises_its_one_error(data: bytes) -> None:
    for sealed in (data, bytes(32) + data, b"\1" + bytes(31) + data):
        with pytest.raises(SealBroken):
            SECRET.open(sealed)


@pytest.mark.parametrize(
    "point",
    [
        bytes(32),
        b"\1" + bytes(31),
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    ],
)
def test_a_point_of_small_order_is_no_key(point: bytes) -> None:
    """Everybody would share its secret. Source: RFC 7748 section 6.1; cr.yp.to/ecdh.html."""
    with pytest.raises(InvalidKey):
        SealingKey(point)
