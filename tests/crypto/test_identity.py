"""Identities of nodes and members."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.crypto.errors import InvalidKey, InvalidSignature
from rumor.crypto.identity import MemberKey, MemberSecret, NodeKey, NodeSecret
from rumor.crypto.sealing import SealingSecret
from rumor.crypto.seeds import PostSeed

MESH_ID = bytes(range(32))


def test_the_first_vector_of_rfc_8032() -> None:
    """Source: RFC 8032, section 7.1, test 1."""
    secret = NodeSecret.from_seed(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    expected_key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert secret.public.raw.hex() == expected_key
    assert secret.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert secret.seed == secret.raw


@pytest.mark.parametrize("seed", [bytes(32), b"\1" * 32, b"\xff" * 32])
def test_peer_ids_are_those_of_libp2p(seed: bytes) -> None:
    """Ours are computed without importing libp2p, which takes seconds."""
    from libp2p.crypto.ed25519 import Ed25519PublicKey
    from libp2p.peer.id import ID

    key = NodeSecret.from_seed(seed).public
    assert key.peer_id == str(ID.from_pubkey(Ed25519PublicKey.from_bytes(key.raw)))
    assert key.peer_id.startswith("12D3KooW")


@given(message=st.binary(max_size=60), bit=st.integers(0, 511))
def test_node_signatures_hold_until_a_bit_flips(message: bytes, bit: int) -> None:
    secret = NodeSecret.from_seed(b"\7" * 32)
    signature = bytearray(secret.sign(message))
    secret.public.verify(message, bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        secret.public.verify(message, bytes(signature))


@given(key=st.binary(min_size=32, max_size=32), signature=st.binary(max_size=70))
def test_a_node_key_of_any_bytes_raises_its_one_error(key: bytes, signature: bytes) -> None:
    with pytest.raises(InvalidSignature):
        NodeKey(key).verify(b"message", signature)


def test_a_member_does_all_that_a_bare_secret_does() -> None:
    member, stranger = MemberSecret.generate(), MemberSecret.generate()
    member.key.verify_possession(MESH_ID, member.prove_possession(MESH_ID))
    with pytest.raises(InvalidSignature):
        stranger.key.verify_possession(MESH_ID, member.prove_possession(MESH_ID))
    member.key.verify(MESH_ID, member.sign(MESH_ID))
    ring = membership.Ring([member.key.raw, stranger.key.raw])
    proof = member.prove(ring, [b"scope"], b"message")
    assert membership.verify(proof, ring, [b"scope"], b"message") == [member.tag(b"scope")]


@pytest.mark.parametrize("kind", [NodeSecret, MemberSecret, SealingSecret, PostSeed])
def test_secrets_are_seen_only_by_their_fingerprint(kind: type) -> None:
    """A secret in a log line, an f-string or a set would be a leak."""
    secret = kind(b"\x11" * 32)
    for text in (repr(secret), str(secret), f"{secret}"):
        assert "1111" not in text
        assert secret.public.fingerprint in text
    with pytest.raises(TypeError):
        hash(secret)
    assert secret == kind(b"\x11" * 32)
    assert secret != kind(b"\x12" * 32)
    assert pickle.loads(pickle.dumps(secret)) == secret


@pytest.mark.parametrize("kind", [NodeSecret, MemberSecret, SealingSecret, PostSeed])
def test_public_keys_compare_and_hash_by_kind_and_bytes(kind: type) -> None:
    key, same, other = kind(b"\x11" * 32).public, kind(b"\x11" * 32).public, kind(b"\x12" * 32).public
    assert key == same
    assert hash(key) == hash(same)
    assert key != other
    assert len({key, same, other}) == 2
    assert key.raw.hex() not in repr(key)
    assert repr(key) != repr(other)


def test_keys_of_different_kinds_are_never_equal() -> None:
    raw = b"\x09" + bytes(31)
    assert NodeSecret(b"\1" * 32) != SealingSecret(b"\1" * 32)
    assert NodeKey(raw) != SealingSecret(b"\1" * 32).public
    assert NodeKey(raw) != raw


def test_wrong_bytes_are_no_keys() -> None:
    for kind, wrong in (
        (NodeKey, bytes(31)),
        (NodeSecret, bytes(33)),
        (MemberKey, bytes(33)),
        (MemberKey, bytes(32)),
        (MemberSecret, bytes(32)),
        (MemberSecret, b"\xff" * 32),
        (PostSeed, b""),
    ):
        with pytest.raises(InvalidKey):
            kind(wrong)
