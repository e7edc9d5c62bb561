"""Plain signatures by member keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import membership, possession
from rumor.crypto.errors import InvalidKey, InvalidSignature

MESH_ID = bytes(range(32))
SECRET, KEY = membership.keypair()


def test_the_first_vector_of_bip_340() -> None:
    """Source: bips/bip-0340/test-vectors.csv, index 0."""
    signature = possession._sign((3).to_bytes(32, "big"), bytes(32), bytes(32))
    assert signature.hex().upper() == (
        "E907831F80848D1069A5371B402410364BDF1C5F8307B0084C55F1CE2DCA8215"
        "25F66A4A85EA8B71E482A74F382D2CE5EBEEE8FDB2172F477DF4900D310536C0"
    )


def test_possession_holds_for_its_key_and_mesh_only() -> None:
    """Trap 6: a key that nobody holds, or that another mesh admitted, is not admitted."""
    signature = possession.prove_possession(SECRET, MESH_ID)
    possession.verify_possession(KEY, MESH_ID, signature)
    other_secret, other_key = membership.keypair()
    negated = bytes([KEY[0] ^ 1]) + KEY[1:]
    for key, mesh_id, wrong in (
        (KEY, bytes(32), signature),
        (other_key, MESH_ID, signature),
        (negated, MESH_ID, signature),
        (KEY, MESH_ID, possession.prove_possession(other_secret, MESH_ID)),
        (KEY, MESH_ID, signature[:-1]),
        (KEY, MESH_ID, bytes(64)),
        (KEY, MESH_ID, b""),
    ):
        with pytest.raises(InvalidSignature):
            possession.verify_possession(key, mesh_id, wrong)


@given(bit=st.integers(0, 511))
def test_any_flipped_bit_of_a_signature_is_refused(bit: int) -> None:
    signature = bytearray(possession._sign(SECRET, MESH_ID, bytes(32)))
    possession.verify_signature(KEY, MESH_ID, bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        possession.verify_signature(KEY, MESH_ID, bytes(signature))


def test_a_signature_holds_for_the_negated_key_as_well() -> None:
    """BIP-340 knows keys by their x coordinate; what must tell the two apart puts the key into the digest."""
    signature = possession.sign(SECRET, MESH_ID)
    possession.verify_signature(bytes([KEY[0] ^ 1]) + KEY[1:], MESH_ID, signature)


def test_bad_keys_and_digests_are_refused() -> None:
    with pytest.raises(InvalidKey):
        possession.verify_signature(bytes(33), MESH_ID, bytes(64))
    with pytest.raises(InvalidKey):
        possession.sign(bytes(32), MESH_ID)
    with pytest.raises(ValueError, match="32 bytes"):
        possession.sign(SECRET, MESH_ID[:-1])
    with pytest.raises(ValueError, match="32 bytes"):
        possession.verify_signature(KEY, MESH_ID + b"x", bytes(64))
    with pytest.raises(ValueError, match="32 bytes"):
        possession.prove_possession(SECRET, b"")
