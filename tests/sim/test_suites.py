"""Suites: the ideal one has the sizes and rules of the real one."""

import pytest

from rumor.crypto import membership, onion
from rumor.crypto.errors import CryptoError
from rumor.crypto.membership import Ring
from rumor.crypto.onion import Command, Delivered, Forwarded, Payload
from rumor.gossip.events import Job
from rumor.sim.seeds import Stream
from rumor.sim.suites import SUITES, Cryptography

PAIRS = [membership.keypair() for _ in range(5)]
SECRETS = [secret for secret, _ in PAIRS]
RING, OTHER = Ring([key for _, key in PAIRS[:4]]), Ring([key for _, key in PAIRS[1:4]])
SCOPES = [b"one", b"two"]


@pytest.fixture(params=SUITES)
def suite(request: pytest.FixtureRequest) -> Cryptography:
    return SUITES[request.param](Stream(1))


def holds(suite: Cryptography, proof: bytes, ring: Ring, scopes: list[bytes], message: bytes) -> bool:
    return suite.verify(ring, [Job(proof=proof, scopes=scopes, message=message)])[0]


def test_proofs_have_the_real_size_begin_with_their_tags_and_hold(suite: Cryptography) -> None:
    proof = suite.prove(SECRETS[0], RING, SCOPES, b"message")
    assert len(proof) == membership.proof_size(4, 2)
    assert membership.tags_in(proof, 2) == [suite.tag(SECRETS[0], scope) for scope in SCOPES]
    assert suite.verify(RING, [Job(proof=proof, scopes=SCOPES, message=b"message")] * 2) == [True, True]


def test_proofs_hold_for_nothing_else(suite: Cryptography) -> None:
    proof = suite.prove(SECRETS[1], RING, SCOPES, b"message")
    assert not holds(suite, proof, OTHER, SCOPES, b"message")
    assert not holds(suite, proof, RING, SCOPES[::-1], b"message")
    assert not holds(suite, proof, RING, SCOPES, b"massage")
    for place in (0, 33, 70, len(proof) - 1):
        forged = proof[:place] + bytes([proof[place] ^ 1]) + proof[place + 1 :]
        assert not holds(suite, forged, RING, SCOPES, b"message")
    assert holds(suite, proof, RING, SCOPES, b"message")


def test_a_proof_that_is_forgotten_still_holds(suite: Cryptography, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rumor.sim.suites.VERDICTS_MAX", 1)
    proof = suite.prove(SECRETS[0], RING, SCOPES, b"message")
    suite.prove(SECRETS[0], RING, SCOPES, b"another")
    assert holds(suite, proof, RING, SCOPES, b"message")


def test_only_members_prove(suite: Cryptography) -> None:
    with pytest.raises(CryptoError):
        suite.prove(SECRETS[4], RING, SCOPES, b"message")


def test_tags_are_of_a_member_and_a_scope(suite: Cryptography) -> None:
    tags = {suite.tag(secret, scope) for secret in SECRETS for scope in SCOPES}
    assert len(tags) == 10
    assert {len(tag) for tag in tags} == {33}


def test_onions_open_layer_by_layer_for_their_relays_alone(suite: Cryptography) -> None:
    random = Stream(2)
    keys = [suite.relay_keypair(random.randbytes) for _ in range(3)]
    assert all(suite.relay_public(secret) == public for secret, public in keys)
    payload = Payload(command=Command.ITEM, content=b"secret")
    data = suite.wrap([public for _, public in keys], payload, random.randbytes)
    tags = set()
    for place, (secret, _) in enumerate(keys):
        assert len(data) == onion.ONION_SIZE
        for other, _ in keys[:place] + keys[place + 1 :]:
            with pytest.raises(CryptoError):
                suite.open_onion(data, other)
        with pytest.raises(CryptoError):
            suite.open_onion(data[:-1] + bytes([data[-1] ^ 1]), secret)
        layer = suite.open_onion(data, secret)
        assert layer == suite.open_onion(data, secret)
        tags.add(layer.replay_tag)
        if isinstance(layer, Forwarded):
            data = layer.onion
    assert isinstance(layer, Delivered)
    assert layer.payload == payload
    assert {len(tag) for tag in tags} == {onion.REPLAY_TAG_SIZE}
    assert len(tags) == 3


def test_every_relay_key_is_one_that_engines_take(suite: Cryptography) -> None:
    random = Stream(4)
    for _ in range(32):
        _, public = suite.relay_keypair(random.randbytes)
        onion.check_relay_key(public)


def test_an_onion_may_end_with_a_letter_key(suite: Cryptography) -> None:
    """A real key of X25519 whatever the suite, whose public half is known; the sender knows the last onion again."""
    random = Stream(3)
    relay, relay_key = suite.relay_keypair(random.randbytes)
    reader = b"r" * 32
    reply_key = onion.relay_public(reader)
    payload = Payload(command=Command.WHISPER, content=b"psst")
    data, mark = suite.wrap_marked([relay_key, reply_key], payload, random.randbytes)
    layer = suite.open_onion(data, relay)
    assert isinstance(layer, Forwarded)
    assert layer.onion.startswith(mark)
    assert not data.startswith(mark)
    last = suite.open_onion(layer.onion, reader, reply_key)
    assert isinstance(last, Delivered)
    assert last.payload == payload
    with pytest.raises(CryptoError):
        suite.open_onion(layer.onion, b"s" * 32, onion.relay_public(b"s" * 32))
