"""Membership proofs: signed by some member of a ring, unlinkably, and countable per scope.

A member with secret x proves over a ring of keys P_0 … P_{N-1}: "I know l and x with P_l = x·G, and for every
scope s that I name, T_s = x·H(s)". The proof binds a message, hides l, and leaves one *tag* T_s per scope:
the same each time that the member uses the scope, unlinkable to the member and to the tags of all other
scopes.

Not a signature that can be traced or revoked, and not quantum-safe: who stores proofs and later computes
discrete logarithms learns every author. Not constant time in the *place* l: the prover's own processor shows
it.

How: a one-out-of-many proof (Groth and Kohlweiss, EUROCRYPT 2015; Bootle et al., ESORICS 2015) over the
base-4 digits of l, joined with an equality of discrete logarithms for the tags as in Triptych (Noether and
Goodell, ePrint 2020/018), made non-interactive by hashing. It rests on the discrete logarithm and DDH in
secp256k1 and on random oracles. Verification checks, for fresh random weights, one sum of

    (E1)  A + xi·B = Σ f_{ji}·H[j][i] + f_{ji}(xi - f_{ji})·K[j][i] + z_A·F
    (E2)  Σ xi^j·X_j = Σ_k F_k·P_k - z·G            with F_k = Π_j f_{j,k_j}
    (E3)  xi^m·T = Σ xi^j·Y_j + z·H                 with T = Σ mu_i·T_i, H = Σ mu_i·H(s_i)

over all proofs of a batch. Detect duplicates by tag, never by the bytes of a proof.

Format: `proofs`; rings: `rings`; scopes: `scopes`. Specified in docs/protocol.md, section 4.
"""

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from . import curve, generators, labels, tensors, transcript
from .curve import ORDER, Point
from .derivation import hkdf_sha256
from .errors import InvalidKey, InvalidProof, InvalidScope
from .generators import BASE
from .proofs import Proof, decode_untrusted, encode, points_of, proof_size, tags_in
from .rings import Ring
from .scopes import Purpose, scope

__all__ = [
    "Claim",
    "Purpose",
    "Ring",
    "keypair",
    "proof_size",
    "prove",
    "public_key",
    "scope",
    "tag",
    "tags_in",
    "verify",
    "verify_batch",
]


#: A proof with its scopes and its message, as it came from a friend.
Claim: TypeAlias = tuple[bytes, Sequence[bytes], bytes]

#: Weights of (E1), (E2), (E3) of one proof.
_Weights: TypeAlias = tuple[int, int, int]

#: A batch of forged and true proofs passes with a probability of 2^-127.
_WEIGHT_BITS: Final = 128


def keypair() -> tuple[bytes, bytes]:
    """A new member key: (32-byte secret, 33-byte public key).

    Always fresh and independent: keys derived from one another additively link the tags of both.
    """
    while True:
        secret = os.urandom(curve.SCALAR_SIZE)
        try:
            return secret, public_key(secret)
        except InvalidKey:  # Once in 2^127 draws.
            continue


def public_key(secret: bytes) -> bytes:
    """The 33-byte key x·G of a 32-byte secret. Raises `InvalidKey`."""
    return curve.public_point(secret).encode()


def tag(secret: bytes, scope: bytes) -> bytes:
    """x·H(scope), the 33-byte tag that proofs of this member carry in this scope; constant time.

    Raises `InvalidKey` and `InvalidScope`.
    """
    transcript.check_scopes([scope])
    return curve.multiply_secret(transcript.tag_base(scope), secret).encode()


def prove(secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
    """Proves membership of the ring, binding the message: `proof_size(ring.size, len(scopes))` bytes.

    Takes 1 to 4 scopes of 1 to 97 bytes; proof and verification must name them in the same order.
    Raises `NotInRing`, `InvalidKey` and `InvalidScope`.
    """
    return _prove(secret, ring, scopes, message, os.urandom(32))


def _prove(secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes, entropy: bytes) -> bytes:
    """`prove` as a pure function. Proofs with one `entropy` are safe because all else is hashed in."""
    transcript.check_scopes(scopes)
    place = ring.index(public_key(secret))
    count = ring.digit_count
    digits = [place // BASE**j % BASE for j in range(count)]

    # Step 1: the tags, and the one base that stands for all of them.
    bases = [transcript.tag_base(scope) for scope in scopes]
    tags = [curve.multiply_secret(base, secret).encode() for base in bases]
    mixers = transcript.mixers(ring.root, scopes, b"".join(tags))
    base = curve.weighted_sum(list(zip(mixers, bases, strict=True)))
    assert base is not None

    # Step 2: everything random.
    nonces = _nonces(secret, ring, scopes, message, entropy)
    free = [nonces[start : start + BASE - 1] for start in range(0, count * (BASE - 1), BASE - 1)]
    blinds = [[-sum(others) % ORDER, *others] for others in free]
    r_a, r_b, *rhos = nonces[count * (BASE - 1) :]

    # Step 3: the commitments to the digits and to their blinds.
    a_scalars, b_scalars = [r_a, 0], [r_b, 0]
    for digit, choices in zip(digits, blinds, strict=True):
        chosen = [int(choice == digit) for choice in range(BASE)]
        a_scalars += choices + [-blind * blind % ORDER for blind in choices]
        b_scalars += chosen + [
            blind * (1 - 2 * bit) % ORDER for blind, bit in zip(choices, chosen, strict=True)
        ]
    table = generators.table(count)
    points: list[Point | None] = [table.weighted_sum(a_scalars), table.weighted_sum(b_scalars)]

    # Step 4: the ring's sum as a polynomial; its top coefficient is the author's key and is not published.
    polynomials = tensors.place_polynomials(digits, blinds)
    blind_secrets = [rho.to_bytes(curve.SCALAR_SIZE, "big") for rho in rhos]
    for power, rho in enumerate(blind_secrets):
        ring_sum = ring.weighted_sum([p[power] if power < len(p) else 0 for p in polynomials])
        points.append(curve.add([ring_sum, curve.public_point(rho)]))
    points += [curve.multiply_secret(base, rho) for rho in blind_secrets]

    # Steps 5 to 7. A commitment to the identity has no encoding; its probability is that of guessing a key.
    assert all(point is not None for point in points)
    encoded = tags + [point.encode() for point in points if point is not None]
    xi = transcript.challenge(ring.root, scopes, message, b"".join(encoded))
    responses = [
        [(xi * (choice == digit) + choices[choice]) % ORDER for choice in range(1, BASE)]
        for digit, choices in zip(digits, blinds, strict=True)
    ]
    powers = tensors.powers(xi, count + 1)
    blind = -sum(rho * power for rho, power in zip(rhos, powers[:count], strict=True)) % ORDER
    return encode(encoded, responses, (r_a + xi * r_b) % ORDER, curve.respond(secret, powers[count], blind))


def _nonces(secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes, entropy: bytes) -> list[int]:
    """All one-time scalars, from 1 to ORDER - 1: a_{j,1..3} digit by digit, r_A, r_B, rho_0 … rho_{m-1}.

    Two challenges on one first message reveal the secret, so the nonces depend on everything that the
    challenge depends on, and on the secret too, should the system's generator fail.
    """
    count = ring.digit_count * BASE + 2
    context = secret + ring.root + transcript.encode_scopes(scopes) + message + entropy
    stream = hkdf_sha256(context, labels.PROVER_NONCES, 64 * count)
    draws = [int.from_bytes(stream[start : start + 64], "big") for start in range(0, len(stream), 64)]
    return [draw % (ORDER - 1) + 1 for draw in draws]


def verify(proof: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> list[bytes]:
    """Checks one proof and returns its tags, 33 bytes each, in the order of the scopes.

    Raises `InvalidProof`, and nothing else, whatever the proof. Whether the scopes are allowed now, the tags
    are new and the ring is the roster's is for the caller to check, and cheaper to check first.
    """
    statement = _read(proof, ring, scopes, message)
    if not _hold(ring, [statement], [_fresh_weights()]):
        raise InvalidProof("the proof does not hold")
    return tags_in(proof, len(scopes))


def verify_batch(ring: Ring, claims: Iterable[Claim]) -> list[list[bytes] | None]:
    """Checks many proofs over one ring, much cheaper than one by one.

    Returns for each claim, in order, its tags or `None` if it does not hold. A batch that fails is halved
    until the wrong proofs are found, so a friend that sends them makes it cost up to twice the single checks.
    """
    claims = list(claims)
    statements: dict[int, _Statement] = {}
    for position, (proof, scopes, message) in enumerate(claims):
        try:
            statements[position] = _read(proof, ring, scopes, message)
        except InvalidProof:
            continue
    holding = _find_holding(ring, statements)
    return [
        tags_in(proof, len(scopes)) if position in holding else None
        for position, (proof, scopes, _) in enumerate(claims)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """A proof with what follows from it and its context, ready for the equations."""

    proof: Proof
    xi: int
    """The challenge."""
    mixers: Sequence[int]
    """mu_1 … mu_c."""
    bases: Sequence[Point]
    """H(s_1) … H(s_c)."""


def _read(proof: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> _Statement:
    try:
        transcript.check_scopes(scopes)
    except InvalidScope as error:
        raise InvalidProof(str(error)) from None
    decoded = decode_untrusted(proof, ring.size, len(scopes))
    points = points_of(proof, ring.size, len(scopes))
    return _Statement(
        proof=decoded,
        xi=transcript.challenge(ring.root, scopes, message, points),
        mixers=transcript.mixers(ring.root, scopes, points[: curve.POINT_SIZE * len(scopes)]),
        bases=[transcript.tag_base(scope) for scope in scopes],
    )


def _find_holding(ring: Ring, statements: dict[int, _Statement]) -> set[int]:
    """The positions whose statements hold, by halving what does not hold together."""
    if not statements:
        return set()
    weights = [_fresh_weights() for _ in statements]
    if _hold(ring, list(statements.values()), weights):
        return set(statements)
    if len(statements) == 1:
        return set()
    positions = list(statements)
    middle = len(positions) // 2
    return set().union(
        *(
            _find_holding(ring, {position: statements[position] for position in half})
            for half in (positions[:middle], positions[middle:])
        )
    )


def _fresh_weights() -> _Weights:
    """Odd, so never 0; unpredictable, or two wrong proofs could cancel."""
    first, second, third = (secrets.randbits(_WEIGHT_BITS) | 1 for _ in range(3))
    return first, second, third


def _hold(ring: Ring, statements: Sequence[_Statement], weights: Sequence[_Weights]) -> bool:
    """Whether the weighted sum of all three equations of all statements holds.

    What proofs bring along stands on the left, what everybody knows (generators and ring) on the right. Both
    sides must exist: that both are the identity is no acceptance.
    """
    count = ring.digit_count
    left: list[tuple[int, Point]] = []
    fixed = [0] * (2 + 2 * BASE * count)
    halves = []
    for statement, (w1, w2, w3) in zip(statements, weights, strict=True):
        proof, xi = statement.proof, statement.xi
        powers = tensors.powers(xi, count + 1)
        factors = [[(xi - sum(others)) % ORDER, *others] for others in proof.responses]

        left += [(w1, proof.a), (w1 * xi % ORDER, proof.b)]
        left += [(w2 * power % ORDER, x) for power, x in zip(powers, proof.xs, strict=False)]
        left += [(w3 * power % ORDER, y) for power, y in zip(powers, proof.ys, strict=False)]
        for mixer, base, tag in zip(statement.mixers, statement.bases, proof.tags, strict=True):
            left.append((w3 * mixer * proof.z % ORDER, base))
            left.append((-w3 * mixer * powers[count] % ORDER, tag))

        fixed[0] += w1 * proof.z_a
        fixed[1] -= w2 * proof.z
        position = 2
        for choices in factors:
            for offset, factor in enumerate(choices):
                fixed[position + offset] += w1 * factor
                fixed[position + BASE + offset] += w1 * factor * (xi - factor)
            position += 2 * BASE
        middle = count // 2
        halves.append(
            (tensors.place_products(factors[:middle], w2), tensors.place_products(factors[middle:]))
        )
    ours = curve.weighted_sum(left)
    scalars = tensors.summed_place_products(halves)
    theirs = ring.weighted_sum(scalars, [scalar % ORDER for scalar in fixed])
    return ours is not None and theirs is not None and ours.encode() == theirs.encode()
