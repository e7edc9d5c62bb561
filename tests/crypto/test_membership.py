"""The membership proof against an independent reference, and against forgers."""

import dataclasses
import hashlib
import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumor.crypto import curve, hashing, membership, rings, transcript
from rumor.crypto.errors import CryptoError, InvalidKey, InvalidProof, InvalidRing, InvalidScope, NotInRing

from . import reference

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "membership.json").read_text())


def make_keys(count: int, seed: str) -> list[tuple[bytes, bytes]]:
    """(secret, key) pairs that are the same in every run, sorted by key."""
    secrets = [hashlib.sha256(f"{seed} {number}".encode()).digest() for number in range(count)]
    return sorted(((secret, membership.public_key(secret)) for secret in secrets), key=lambda pair: pair[1])


PAIRS = make_keys(70, "members")
SECRETS = [secret for secret, _ in PAIRS]
KEYS = [key for _, key in PAIRS]
SMALL = membership.Ring(KEYS[:5])
MESH_ID = bytes(range(32))
SCOPE = membership.scope(MESH_ID, membership.Purpose.THREAD, bytes(32))
OTHER = membership.scope(MESH_ID, membership.Purpose.HEART, bytes(32))
NONCES = [
    int.from_bytes(hashlib.sha512(b"nonce %d" % number).digest(), "big") % curve.ORDER for number in range(30)
]


def as_int(secret: bytes) -> int:
    return int.from_bytes(secret, "big")


def statement(proof: bytes, ring: membership.Ring, scopes: list[bytes], message: bytes) -> Any:
    return membership._read(proof, ring, scopes, message)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 15, 16, 17, 64, 65])
@pytest.mark.parametrize("scope_count", [1, 2])
def test_proofs_hold_for_the_independent_reference(size: int, scope_count: int) -> None:
    ring = membership.Ring(KEYS[:size])
    scopes = [SCOPE, OTHER][:scope_count]
    place = size - 1
    proof = membership.prove(SECRETS[place], ring, scopes, b"message")
    assert len(proof) == membership.proof_size(size, scope_count)
    assert reference.equations(proof, KEYS[:size], scopes, b"message") == (True, True, True)
    tags = [reference.encode(reference.mul(as_int(SECRETS[place]), reference.tag_base(s))) for s in scopes]
    assert (
        membership.verify(proof, ring, scopes, b"message") == tags == membership.tags_in(proof, scope_count)
    )


@pytest.mark.parametrize("place", range(5))
def test_proofs_of_the_reference_hold(place: int) -> None:
    """Every place of a padded ring, the last of which stands for many."""
    parts = reference.prove(as_int(SECRETS[place]), KEYS[:5], [SCOPE, OTHER], b"m", NONCES[:10])
    tags = membership.verify(parts.encode(), SMALL, [SCOPE, OTHER], b"m")
    assert tags == [membership.tag(SECRETS[place], scope) for scope in (SCOPE, OTHER)]


@pytest.mark.parametrize("vector", VECTORS["proofs"], ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    """The prover makes the recorded bytes, and both verifiers accept them."""
    secret, message = bytes.fromhex(vector["secret"]), bytes.fromhex(vector["message"])
    keys = [bytes.fromhex(key) for key in vector["keys"]]
    scopes = [bytes.fromhex(scope) for scope in vector["scopes"]]
    ring = membership.Ring(keys)
    assert ring.root.hex() == vector["root"] == reference.root_of(keys).hex()
    proof = membership._prove(secret, ring, scopes, message, bytes.fromhex(vector["entropy"]))
    assert proof.hex() == vector["proof"]
    assert [tag.hex() for tag in membership.verify(proof, ring, scopes, message)] == vector["tags"]
    assert reference.verify(proof, keys, scopes, message)


@pytest.mark.parametrize("vector", VECTORS["hash_to_group"], ids=lambda vector: vector["message"])
def test_hash_to_group_vectors(vector: dict[str, str]) -> None:
    label, message = vector["label"].encode(), bytes.fromhex(vector["message"])
    assert hashing.hash_to_point(label, message).encode().hex() == vector["point"]
    assert reference.encode(reference.hash_to_group(label, message)).hex() == vector["point"]


# Tags.


def test_tags_are_stable_across_proofs_rings_and_messages() -> None:
    other_ring = membership.Ring(KEYS[:20])
    proofs = [
        (membership.prove(SECRETS[0], ring, [SCOPE], message), ring, message)
        for ring, message in ((SMALL, b"a"), (SMALL, b"b"), (other_ring, b"a"))
    ]
    assert {membership.verify(proof, ring, [SCOPE], message)[0] for proof, ring, message in proofs} == {
        membership.tag(SECRETS[0], SCOPE)
    }


def test_tags_differ_across_scopes_and_members() -> None:
    tags = {membership.tag(secret, scope) for secret in SECRETS[:3] for scope in (SCOPE, OTHER)}
    assert len(tags) == 6


def test_two_proofs_of_one_statement_differ() -> None:
    """Nothing but the tags repeats, so a nonce is never used twice."""
    first, second = (membership.prove(SECRETS[0], SMALL, [SCOPE], b"m") for _ in range(2))
    assert first[:33] == second[:33]
    chunks = [{proof[33 + i : 65 + i] for i in range(len(proof) - 64)} for proof in (first, second)]
    assert not chunks[0] & chunks[1]


def test_the_nonces_depend_on_everything() -> None:
    """Should the system's generator repeat itself, another challenge still meets other nonces."""
    entropy = bytes(32)
    base = (SECRETS[0], SMALL, [SCOPE], b"m")
    ring = membership.Ring(KEYS[:6])
    variants = [
        base,
        (SECRETS[1], *base[1:]),
        (SECRETS[0], ring, *base[2:]),
        (*base[:2], [OTHER], b"m"),
        (*base[:3], b"n"),
    ]
    drawn = [nonce for variant in variants for nonce in membership._nonces(*variant, entropy)]
    assert len(set(drawn)) == len(drawn)


# Refusals.


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0, 8 * membership.proof_size(5, 1) - 1))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    proof = bytearray.fromhex(VECTORS["proofs"][0]["proof"])
    vector = VECTORS["proofs"][0]
    ring = membership.Ring(bytes.fromhex(key) for key in vector["keys"])
    proof[bit % (8 * len(proof)) // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidProof):
        membership.verify(
            bytes(proof), ring, [bytes.fromhex(s) for s in vector["scopes"]], bytes.fromhex(vector["message"])
        )


@given(data=st.one_of(st.binary(max_size=600), st.binary(min_size=487, max_size=487)))
@settings(deadline=None)
def test_whatever_the_bytes_the_verifier_returns_or_raises_its_one_error(data: bytes) -> None:
    with pytest.raises(InvalidProof):
        membership.verify(data, SMALL, [SCOPE], b"")


def test_other_scopes_messages_and_rings_are_refused() -> None:
    proof = membership.prove(SECRETS[0], SMALL, [SCOPE, OTHER], b"m")
    membership.verify(proof, SMALL, [SCOPE, OTHER], b"m")
    for ring, scopes, message in (
        (membership.Ring(KEYS[:6]), [SCOPE, OTHER], b"m"),
        (SMALL, [OTHER, SCOPE], b"m"),
        (SMALL, [SCOPE, SCOPE], b"m"),
        (SMALL, [SCOPE], b"m"),
        (SMALL, [SCOPE, OTHER, OTHER], b"m"),
        (SMALL, [], b"m"),
        (SMALL, [SCOPE, b""], b"m"),
        (SMALL, [SCOPE, bytes(98)], b"m"),
        (SMALL, [SCOPE, OTHER], b"n"),
    ):
        with pytest.raises(InvalidProof):
            membership.verify(proof, ring, scopes, message)


def test_a_scalar_at_or_above_the_order_is_refused() -> None:
    """Each scalar has one encoding, else a relay could change a proof's bytes."""
    parts = reference.prove(as_int(SECRETS[0]), KEYS[:5], [SCOPE], b"m", NONCES[:10])
    proof = bytearray(parts.encode())
    for start in range(33 * (1 + 2 + 4), len(proof), 32):
        for scalar in (curve.ORDER, curve.ORDER + 5, 2**256 - 1):
            bent = proof[:start] + scalar.to_bytes(32, "big") + proof[start + 32 :]
            with pytest.raises(InvalidProof, match="scalar"):
                membership.verify(bytes(bent), SMALL, [SCOPE], b"m")


def test_negated_points_swapped_points_and_zero_scalars_are_refused() -> None:
    """Changes that leave every piece well-formed, so that only the equations can refuse them."""
    proof = membership.prove(SECRETS[0], SMALL, [SCOPE], b"m")
    cut = 33 * (1 + 2 + 4)
    bent = []
    for start in range(0, cut, 33):
        bent.append(proof[:start] + bytes([proof[start] ^ 1]) + proof[start + 1 :])
        bent.append(proof[:start] + KEYS[0] + proof[start + 33 :])
    bent += [
        proof[: start - 33] + proof[start : start + 33] + proof[start - 33 : start] + proof[start + 33 :]
        for start in range(33, cut, 33)
    ]
    bent += [proof[:start] + bytes(32) + proof[start + 32 :] for start in range(cut, len(proof), 32)]
    assert len(set(bent)) == 7 + 7 + 6 + 8
    for data in bent:
        with pytest.raises(InvalidProof):
            membership.verify(data, SMALL, [SCOPE], b"m")


# Trap 1.


def colluders_proof(message: bytes) -> tuple[bytes, list[bytes]]:
    """Two members sign with 2·x_0 - x_1, a key of nobody, by digits that are 2 and -1."""
    keys = KEYS[:2]
    secret = (2 * as_int(SECRETS[0]) - as_int(SECRETS[1])) % curve.ORDER
    cheat = reference.Cheat(selectors=[[2, -1, 0, 0], [1, 0, 0, 0]])
    return reference.prove(secret, keys, [SCOPE], message, NONCES[:10], cheat).encode(), keys


def test_trap_1_colluders_cannot_mint_tags_from_their_keys() -> None:
    """Only (E1) stands against them: without it the forgery passes."""
    proof, keys = colluders_proof(b"m")
    ring = membership.Ring(keys)
    assert membership._hold(ring, [statement(proof, ring, [SCOPE], b"m")], [(0, 3, 5)])
    with pytest.raises(InvalidProof):
        membership.verify(proof, ring, [SCOPE], b"m")
    assert membership.verify_batch(ring, [(proof, [SCOPE], b"m")] * 2) == [None, None]


# Trap 2: each case solves (E3) or (E2) for one piece after the challenge is known. If the challenge did not
# cover that piece, all three equations would hold and the proof would carry a tag of nobody.


def shift(point: reference.Affine, scalar: int = 7) -> reference.Affine:
    return reference.add(point, reference.mul(scalar, reference.G))


def honest_parts(scopes: list[bytes]) -> tuple[reference.Parts, int]:
    parts = reference.prove(as_int(SECRETS[0]), KEYS[:5], scopes, b"m", NONCES[:10])
    xi = reference.challenge(reference.root_of(KEYS[:5]), scopes, b"m", parts.points())
    return parts, xi


@pytest.mark.parametrize("power", [0, 1])
def test_trap_2_a_commitment_over_the_tag_base_cannot_change_after_the_challenge(power: int) -> None:
    """T' = T + D, with Y_j' solved from (E3)."""
    cheat = reference.Cheat(tags=[shift(reference.mul(as_int(SECRETS[0]), reference.tag_base(SCOPE)))])
    parts = reference.prove(as_int(SECRETS[0]), KEYS[:5], [SCOPE], b"m", NONCES[:10], cheat)
    xi = reference.challenge(reference.root_of(KEYS[:5]), [SCOPE], b"m", parts.points())
    # (E3) lacks xi^m·7·G on the right; Y_j carries the weight xi^j.
    parts.ys[power] = shift(parts.ys[power], 7 * pow(xi, 2 - power, curve.ORDER) % curve.ORDER)
    with pytest.raises(InvalidProof):
        membership.verify(parts.encode(), SMALL, [SCOPE], b"m")
    assert equations_hold_for(xi, parts)


def test_trap_2_a_tag_cannot_change_after_the_challenge() -> None:
    """Y_0' is chosen freely, and T' solved from (E3)."""
    cheat = reference.Cheat(shift_y0=reference.mul(7, reference.G))
    parts = reference.prove(as_int(SECRETS[0]), KEYS[:5], [SCOPE], b"m", NONCES[:10], cheat)
    xi = reference.challenge(reference.root_of(KEYS[:5]), [SCOPE], b"m", parts.points())
    parts.tags[0] = shift(parts.tags[0], 7 * pow(xi, -2, curve.ORDER) % curve.ORDER)
    with pytest.raises(InvalidProof):
        membership.verify(parts.encode(), SMALL, [SCOPE], b"m")
    assert equations_hold_for(xi, parts)


def equations_hold_for(xi: int, parts: reference.Parts) -> bool:
    """Whether the forgery would pass if the challenge had not covered what was changed."""
    good = membership._read(parts.encode(), SMALL, [SCOPE], b"m")
    return membership._hold(SMALL, [dataclasses.replace(good, xi=xi)], [(3, 5, 7)])


def test_trap_2_the_scopes_stand_in_the_challenge() -> None:
    """The same points under another scope, message or root make another challenge."""
    points = b"points"
    contexts = [
        (SMALL.root, [SCOPE], b"m"),
        (SMALL.root, [OTHER], b"m"),
        (SMALL.root, [SCOPE, OTHER], b"m"),
        (SMALL.root, [SCOPE, SCOPE], b"m"),
        (SMALL.root, [SCOPE + b"x", OTHER[1:]], b"m"),
        (SMALL.root, [SCOPE], b"n"),
        (membership.Ring(KEYS[:6]).root, [SCOPE], b"m"),
    ]
    challenges = {transcript.challenge(*context, points) for context in contexts}
    assert len(challenges) == len(contexts)
    assert all(
        transcript.challenge(*context, points) == reference.challenge(*context, [points])
        for context in contexts
    )


def test_trap_2_tags_cannot_shift_against_each_other() -> None:
    """The mixers depend on the tags: else T_1 + D and T_2 - D/mu_2 would leave their mixture as it was."""
    scopes = [SCOPE, OTHER]
    secret = as_int(SECRETS[0])
    honest = [reference.mul(secret, reference.tag_base(scope)) for scope in scopes]
    mu = reference.mus(reference.root_of(KEYS[:5]), scopes, [reference.encode(tag) for tag in honest])[1]
    moved = [shift(honest[0]), shift(honest[1], -7 * pow(mu, -1, curve.ORDER) % curve.ORDER)]
    cheat = reference.Cheat(tags=moved, keep_mus_of_honest_tags=True)
    parts = reference.prove(secret, KEYS[:5], scopes, b"m", NONCES[:10], cheat)
    with pytest.raises(InvalidProof):
        membership.verify(parts.encode(), SMALL, scopes, b"m")
    kept = dataclasses.replace(statement(parts.encode(), SMALL, scopes, b"m"), mixers=[1, mu])
    assert membership._hold(SMALL, [kept], [(3, 5, 7)])


# Trap 3.


def test_trap_3_two_wrong_proofs_cannot_cancel() -> None:
    """z_A + 1 in one and z_A - 1 in the other: with unit weights the batch would hold."""
    wrong = []
    for place, change in ((0, 1), (1, -1)):
        parts = reference.prove(as_int(SECRETS[place]), KEYS[:5], [SCOPE], b"m", NONCES[:10])
        parts.z_a += change
        wrong.append((parts.encode(), [SCOPE], b"m"))
    assert membership._hold(SMALL, [statement(p, SMALL, s, m) for p, s, m in wrong], [(1, 1, 1)] * 2)
    assert membership.verify_batch(SMALL, wrong) == [None, None]


def test_trap_3_the_equations_of_one_proof_cannot_cancel() -> None:
    """X_0 + D and Y_0 - D, fixed before the challenge: with unit weights the proof would hold."""
    offset = reference.mul(7, reference.G)
    cheat = reference.Cheat(shift_x0=offset, shift_y0=reference.negate(offset))
    proof = reference.prove(as_int(SECRETS[0]), KEYS[:5], [SCOPE], b"m", NONCES[:10], cheat).encode()
    assert membership._hold(SMALL, [statement(proof, SMALL, [SCOPE], b"m")], [(1, 1, 1)])
    with pytest.raises(InvalidProof):
        membership.verify(proof, SMALL, [SCOPE], b"m")


def test_weights_are_fresh_and_odd() -> None:
    drawn = [weight for _ in range(50) for weight in membership._fresh_weights()]
    assert len(set(drawn)) == 150
    assert all(weight % 2 == 1 and weight < 2**128 for weight in drawn)
    assert max(drawn) > 2**120


# Trap 4.


def test_trap_4_new_keys_are_independent() -> None:
    """No constant difference: the tags of P and of P + d·G would be linked by d·H."""
    secrets = [as_int(membership.keypair()[0]) for _ in range(20)]
    differences = {(left - right) % curve.ORDER for left in secrets for right in secrets if left != right}
    assert len(differences) == 20 * 19
    assert min(differences) > 2**200


# Traps 8 and 11, and the ring.


def test_trap_8_secrets_meet_only_constant_time_multiplications(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the secret nor a rho is ever a scalar of a variable-time call."""
    seen: set[int] = set()
    multiply, table_sum = curve.multiply, curve.PointTable.weighted_sum

    def spy_multiply(point: curve.Point, scalar: int) -> curve.Point | None:
        seen.add(scalar)
        return multiply(point, scalar)

    def spy_sum(table: curve.PointTable, scalars: Any) -> curve.Point | None:
        seen.update(scalars)
        return table_sum(table, scalars)

    monkeypatch.setattr(curve, "multiply", spy_multiply)
    monkeypatch.setattr(curve.PointTable, "weighted_sum", spy_sum)
    membership._prove(SECRETS[0], SMALL, [SCOPE, OTHER], b"m", bytes(32))
    rhos = membership._nonces(SECRETS[0], SMALL, [SCOPE, OTHER], b"m", bytes(32))[8:]
    assert seen
    assert not seen & {as_int(SECRETS[0]), *rhos}


def test_trap_11_a_stranger_gets_a_clear_error() -> None:
    with pytest.raises(NotInRing):
        membership.prove(SECRETS[5], SMALL, [SCOPE], b"m")


def test_trap_11_a_ring_of_one_is_refused() -> None:
    with pytest.raises(InvalidRing):
        membership.Ring(KEYS[:1])
    with pytest.raises(InvalidRing):
        membership.Ring([])


def test_a_ring_refuses_duplicates_and_what_is_no_key() -> None:
    with pytest.raises(InvalidRing):
        membership.Ring([*KEYS[:3], KEYS[0]])
    with pytest.raises(InvalidRing):
        membership.Ring(bytes([2]) + number.to_bytes(32, "big") for number in range(1025))
    for wrong in (
        b"",
        bytes(33),
        KEYS[0][:-1],
        KEYS[0] + b"\0",
        b"\x04" + KEYS[0][1:],
        b"\x02" + b"\xff" * 32,
    ):
        with pytest.raises(InvalidKey):
            membership.Ring([KEYS[1], wrong])


def test_trap_5_a_ring_has_one_order_and_one_root() -> None:
    """Whoever names the same keys gets the same root, and any other set another."""
    shuffled = KEYS[:9]
    random.Random(4).shuffle(shuffled)
    assert membership.Ring(shuffled).keys == tuple(KEYS[:9])
    assert membership.Ring(shuffled).root == membership.Ring(KEYS[:9]).root
    assert membership.Ring(KEYS[:10]).root != membership.Ring(KEYS[:9]).root


def test_a_ring_pickles_as_its_keys_and_comes_back_as_one_object() -> None:
    """Workers get a ring with every batch and must prepare it once."""
    membership.verify(membership.prove(SECRETS[0], SMALL, [SCOPE], b""), SMALL, [SCOPE], b"")
    data = pickle.dumps(SMALL)
    assert len(data) < 33 * 5 + 100
    first, second = pickle.loads(data), pickle.loads(data)
    assert first is second
    assert first == SMALL
    assert hash(first) == hash(SMALL)
    assert first != membership.Ring(KEYS[:6])


def test_keys_whose_multiples_cancel_are_summed_correctly() -> None:
    """A ring of P and -P: sums that pass through the identity neither abort nor change the answer."""
    secret = as_int(SECRETS[0])
    negated = (curve.ORDER - secret).to_bytes(32, "big")
    pairs = [(SECRETS[0], KEYS[0]), (negated, membership.public_key(negated))]
    ring = membership.Ring(key for _, key in pairs)
    for own, _ in pairs:
        membership.verify(membership.prove(own, ring, [SCOPE], b"m"), ring, [SCOPE], b"m")


def test_both_sides_the_identity_is_no_acceptance() -> None:
    """With weights of zero every sum is the identity, and the proof is refused all the same."""
    proof = membership.prove(SECRETS[0], SMALL, [SCOPE], b"m")
    assert not membership._hold(SMALL, [statement(proof, SMALL, [SCOPE], b"m")], [(0, 0, 0)])


# Batches.


@pytest.mark.parametrize("wrong_places", [(), (0,), (6,), (2, 3), (0, 1, 2, 3, 4, 5, 6)])
def test_a_batch_finds_the_wrong_proofs_wherever_they_are(wrong_places: tuple[int, ...]) -> None:
    claims = []
    for place in range(7):
        scopes = [SCOPE, OTHER][: 1 + place % 2]
        proof = membership.prove(SECRETS[place % 5], SMALL, scopes, b"%d" % place)
        claims.append((proof, scopes, b"wrong" if place in wrong_places else b"%d" % place))
    found = membership.verify_batch(SMALL, claims)
    expected = [
        None if place in wrong_places else membership.tags_in(proof, len(scopes))
        for place, (proof, scopes, _) in enumerate(claims)
    ]
    assert found == expected


def test_a_batch_survives_claims_that_are_not_even_proofs() -> None:
    good = (membership.prove(SECRETS[0], SMALL, [SCOPE], b"m"), [SCOPE], b"m")
    claims = [
        (b"", [SCOPE], b""),
        good,
        (bytes(487), [SCOPE], b""),
        (good[0], [], b"m"),
        (good[0], [b""], b"m"),
    ]
    assert membership.verify_batch(SMALL, claims) == [
        None,
        [membership.tag(SECRETS[0], SCOPE)],
        None,
        None,
        None,
    ]
    assert membership.verify_batch(SMALL, []) == []


def test_a_large_batch_takes_the_bucket_path_and_agrees() -> None:
    """Enough proofs for the sums by buckets, with one forger among them."""
    claims = [
        (membership.prove(SECRETS[i % 5], SMALL, [SCOPE], b"%d" % i), [SCOPE], b"%d" % i) for i in range(52)
    ]
    claims[17] = (claims[16][0], [SCOPE], b"17")
    assert [tags is None for tags in membership.verify_batch(SMALL, claims)] == [i == 17 for i in range(52)]


# Sizes, scopes and arguments.


def test_sizes_are_those_of_the_document() -> None:
    sizes = [membership.proof_size(size, 1) for size in (16, 64, 256, 1024)]
    assert sizes == [487, 649, 811, 973]
    assert membership.proof_size(1024, 2) == 1006
    assert rings.digit_count(2) == rings.digit_count(16) == 2
    assert rings.digit_count(17) == 3


def test_tags_are_read_only_from_bytes_of_a_proofs_length() -> None:
    proof = membership.prove(SECRETS[0], SMALL, [SCOPE, OTHER], b"m")
    assert membership.tags_in(proof, 2) == [membership.tag(SECRETS[0], scope) for scope in (SCOPE, OTHER)]
    for data, count in ((proof[:-1], 2), (b"", 1), (proof, 0), (proof, 5), (proof, 1)):
        with pytest.raises(InvalidProof):
            membership.tags_in(data, count)


def test_a_scope_takes_data_of_its_purposes_length_only() -> None:
    for purpose in membership.Purpose:
        lengths = []
        for length in range(65):
            try:
                assert membership.scope(MESH_ID, purpose, bytes(length)) == MESH_ID + bytes(
                    [purpose]
                ) + bytes(length)
            except InvalidScope:
                continue
            lengths.append(length)
        assert len(lengths) == 1
    with pytest.raises(InvalidScope):
        membership.scope(MESH_ID[:-1], membership.Purpose.RENEW, bytes(8))


def test_bad_secrets_and_scopes_are_refused_before_they_reach_the_library() -> None:
    for wrong in (b"", bytes(32), b"\xff" * 32, SECRETS[0] + b"\0", curve.ORDER.to_bytes(32, "big")):
        with pytest.raises(InvalidKey):
            membership.prove(wrong, SMALL, [SCOPE], b"m")
        with pytest.raises(InvalidKey):
            membership.tag(wrong, SCOPE)
    for scopes in ([], [b""], [SCOPE] * 5, [bytes(98)]):
        with pytest.raises(InvalidScope):
            membership.prove(SECRETS[0], SMALL, scopes, b"m")
    assert issubclass(InvalidScope, CryptoError)
