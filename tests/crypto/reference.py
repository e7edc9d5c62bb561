"""The membership proof once more: slow, plain, and from the document alone.

An independent implementation of docs/protocol.md, section 4, in pure Python integers, which shares no line with
`rumor.crypto`: its own curve, hashing, prover and verifier. The verifier checks the three equations one by
one, without weights, tables or tensors. The prover takes a step aside where a test wants to cheat.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

P = 2**256 - 2**32 - 977
Q = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
N_ARY = 4

Affine = tuple[int, int] | None


def add(left: Affine, right: Affine) -> Affine:
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = 3 * x1 * x1 * pow(2 * y1, -1, P) if x1 == x2 else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def _double(point: tuple[int, int, int]) -> tuple[int, int, int]:
    x, y, z = point
    s = 4 * x * y * y % P
    m = 3 * x * x % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * pow(y, 4, P)) % P, 2 * y * z % P


def _add_jacobian(left: tuple[int, int, int], right: tuple[int, int, int]) -> tuple[int, int, int]:
    (x1, y1, z1), (x2, y2, z2) = left, right
    if z1 == 0:
        return right
    if z2 == 0:
        return left
    u1, u2 = x1 * z2 * z2 % P, x2 * z1 * z1 % P
    s1, s2 = y1 * pow(z2, 3, P) % P, y2 * pow(z1, 3, P) % P
    if u1 == u2:
        return _double(left) if s1 == s2 else (1, 1, 0)
    h, r = u2 - u1, s2 - s1
    h2, h3 = h * h % P, h * h * h % P
    x3 = (r * r - h3 - 2 * u1 * h2) % P
    return x3, (r * (u1 * h2 - x3) - s1 * h3) % P, h * z1 * z2 % P


def msm(terms: Sequence[tuple[int, Affine]]) -> Affine:
    """Σ scalar·point, bit by bit over all terms at once."""
    points = [(scalar % Q, (*point, 1)) for scalar, point in terms if point is not None]
    total = (1, 1, 0)
    for bit in reversed(range(256)):
        total = _double(total) if total[2] else total
        for scalar, point in points:
            if scalar >> bit & 1:
                total = _add_jacobian(total, point)
    if total[2] == 0:
        return None
    inverse = pow(total[2], -1, P)
    return total[0] * inverse**2 % P, total[1] * inverse**3 % P


def mul(scalar: int, point: Affine) -> Affine:
    return msm([(scalar, point)])


def negate(point: Affine) -> Affine:
    return None if point is None else (point[0], -point[1] % P)


def encode(point: Affine) -> bytes:
    assert point is not None
    return bytes([2 + (point[1] & 1)]) + point[0].to_bytes(32, "big")


def decode(data: bytes) -> Affine:
    x = int.from_bytes(data[1:], "big")
    y2 = (x**3 + 7) % P
    y = pow(y2, (P + 1) // 4, P)
    if len(data) != 33 or data[0] not in (2, 3) or x >= P or y * y % P != y2:
        raise ValueError("not a point")
    return x, y if y & 1 == data[0] & 1 else P - y


def hash_to_group(dst: bytes, msg: bytes) -> Affine:
    for i in range(1000):
        digest = hashlib.sha256(bytes([len(dst)]) + dst + i.to_bytes(4, "big") + msg).digest()
        try:
            return decode(b"\x02" + digest)
        except ValueError:
            continue
    raise AssertionError


def generator(kind: str, *numbers: int) -> Affine:
    return hash_to_group(b"rumor/membership/v1/gen", kind.encode() + bytes(numbers))


def tag_base(scope: bytes) -> Affine:
    return hash_to_group(b"rumor/membership/v1/tag", scope)


def public(secret: int) -> bytes:
    return encode(mul(secret, G))


def digits_of(size: int) -> int:
    m = 2
    while N_ARY**m < size:
        m += 1
    return m


def root_of(keys: Sequence[bytes]) -> bytes:
    m = digits_of(len(keys))
    header = len(keys).to_bytes(4, "big") + bytes([N_ARY, m])
    return hashlib.sha256(b"rumor/membership/v1/root" + header + b"".join(sorted(keys))).digest()


def _scopes(scopes: Sequence[bytes]) -> bytes:
    return bytes([len(scopes)]) + b"".join(bytes([len(s)]) + s for s in scopes)


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "big") % Q


def mus(root: bytes, scopes: Sequence[bytes], tags: Sequence[bytes]) -> list[int]:
    tail = root + _scopes(scopes) + b"".join(tags)
    return [1] + [_hash(b"rumor/membership/v1/mu" + bytes([i]) + tail) for i in range(2, len(scopes) + 1)]


def challenge(root: bytes, scopes: Sequence[bytes], message: bytes, points: Sequence[bytes]) -> int:
    head = b"rumor/membership/v1/xi" + root + _scopes(scopes) + hashlib.sha256(message).digest()
    return _hash(head + b"".join(points))


@dataclass
class Parts:
    """A proof in pieces that a test may bend."""

    tags: list[Affine]
    a: Affine
    b: Affine
    xs: list[Affine]
    ys: list[Affine]
    f: list[list[int]]
    z_a: int
    z: int

    def points(self) -> list[bytes]:
        return [encode(point) for point in (*self.tags, self.a, self.b, *self.xs, *self.ys)]

    def encode(self) -> bytes:
        scalars = [*(f for row in self.f for f in row), self.z_a, self.z]
        return b"".join(self.points()) + b"".join((s % Q).to_bytes(32, "big") for s in scalars)


def take_apart(proof: bytes, m: int, c: int) -> Parts:
    cut = 33 * (c + 2 + 2 * m)
    assert len(proof) == cut + 32 * (3 * m + 2)
    points = [decode(proof[i : i + 33]) for i in range(0, cut, 33)]
    scalars = [int.from_bytes(proof[i : i + 32], "big") for i in range(cut, len(proof), 32)]
    assert max(scalars) < Q
    return Parts(
        tags=points[:c],
        a=points[c],
        b=points[c + 1],
        xs=points[c + 2 : c + 2 + m],
        ys=points[c + 2 + m :],
        f=[scalars[3 * j : 3 * j + 3] for j in range(m)],
        z_a=scalars[-2],
        z=scalars[-1],
    )


def places(m: int) -> list[tuple[int, ...]]:
    """The digits of each place, least significant first, in the order of the places."""
    return [digits[::-1] for digits in product(range(N_ARY), repeat=m)]


def equations(
    proof: bytes, keys: Sequence[bytes], scopes: Sequence[bytes], message: bytes
) -> tuple[bool, bool, bool]:
    """Which of (E1), (E2), (E3) hold."""
    keys = sorted(keys)
    m, root = digits_of(len(keys)), root_of(keys)
    parts = take_apart(proof, m, len(scopes))
    xi = challenge(root, scopes, message, parts.points())
    f = [[(xi - sum(row)) % Q, *row] for row in parts.f]

    e1: list[tuple[int, Affine]] = [(1, parts.a), (xi, parts.b), (-parts.z_a, generator("F"))]
    for j in range(m):
        for i in range(N_ARY):
            e1.append((-f[j][i], generator("H", j, i)))
            e1.append((-f[j][i] * (xi - f[j][i]), generator("K", j, i)))

    e2: list[tuple[int, Affine]] = [(-parts.z, G)]
    for k, digits in enumerate(places(m)):
        key = keys[min(k, len(keys) - 1)]
        e2.append((prod(f[j][digit] for j, digit in enumerate(digits)), decode(key)))
    e2 += [(-pow(xi, j, Q), parts.xs[j]) for j in range(m)]

    weights = mus(root, scopes, [encode(tag) for tag in parts.tags])
    e3: list[tuple[int, Affine]] = [(-pow(xi, j, Q), parts.ys[j]) for j in range(m)]
    for mu, tag, scope in zip(weights, parts.tags, scopes, strict=True):
        e3 += [(mu * pow(xi, m, Q), tag), (-mu * parts.z, tag_base(scope))]
    return msm(e1) is None, msm(e2) is None, msm(e3) is None


def verify(proof: bytes, keys: Sequence[bytes], scopes: Sequence[bytes], message: bytes) -> bool:
    return all(equations(proof, keys, scopes, message))


@dataclass
class Cheat:
    """Where a dishonest prover leaves the path. Everything at its default is the honest proof."""

    selectors: list[list[int]] | None = None
    """s_{j,i} in place of the digits' one-hot vectors."""
    tags: list[Affine] | None = None
    """Tags in place of x·H(s)."""
    keep_mus_of_honest_tags: bool = False
    """Mix by the weights that the honest tags give."""
    shift_x0: Affine = None
    """Added to X_0 before the challenge."""
    shift_y0: Affine = None
    """Added to Y_0 before the challenge."""


def prove(
    secret: int,
    keys: Sequence[bytes],
    scopes: Sequence[bytes],
    message: bytes,
    nonces: Sequence[int],
    cheat: Cheat | None = None,
) -> Parts:
    """Proves with 4m + 2 given nonces: a_{j,1..3} digit by digit, r_A, r_B, rho_0 … rho_{m-1}."""
    cheat = cheat or Cheat()
    keys = sorted(keys)
    m, root = digits_of(len(keys)), root_of(keys)
    a = [[-sum(nonces[3 * j : 3 * j + 3]) % Q, *nonces[3 * j : 3 * j + 3]] for j in range(m)]
    r_a, r_b, *rho = nonces[3 * m :]
    assert len(rho) == m
    if cheat.selectors is None:
        place = keys.index(public(secret))
        s = [[int(i == place // N_ARY**j % N_ARY) for i in range(N_ARY)] for j in range(m)]
    else:
        s = cheat.selectors
    bases = [tag_base(scope) for scope in scopes]
    honest = [mul(secret, base) for base in bases]
    tags = honest if cheat.tags is None else cheat.tags
    mixed = honest if cheat.keep_mus_of_honest_tags else tags
    h = msm(list(zip(mus(root, scopes, [encode(t) for t in mixed]), bases, strict=True)))

    big_a: list[tuple[int, Affine]] = [(r_a, generator("F"))]
    big_b: list[tuple[int, Affine]] = [(r_b, generator("F"))]
    for j, i in product(range(m), range(N_ARY)):
        big_a += [(a[j][i], generator("H", j, i)), (-(a[j][i] ** 2), generator("K", j, i))]
        big_b += [(s[j][i], generator("H", j, i)), (a[j][i] * (1 - 2 * s[j][i]), generator("K", j, i))]

    xs: list[list[tuple[int, Affine]]] = [[(rho[j], G)] for j in range(m)]
    for k, digits in enumerate(places(m)):
        polynomial = [1] + [0] * m
        for j, digit in enumerate(digits):
            constant, linear = a[j][digit], s[j][digit]
            polynomial = [
                (constant * polynomial[d] + (linear * polynomial[d - 1] if d else 0)) % Q
                for d in range(m + 1)
            ]
        for j in range(m):
            xs[j].append((polynomial[j], decode(keys[min(k, len(keys) - 1)])))

    parts = Parts(
        tags=tags,
        a=msm(big_a),
        b=msm(big_b),
        xs=[msm(terms) for terms in xs],
        ys=[mul(rho[j], h) for j in range(m)],
        f=[],
        z_a=0,
        z=0,
    )
    parts.xs[0] = add(parts.xs[0], cheat.shift_x0)
    parts.ys[0] = add(parts.ys[0], cheat.shift_y0)
    xi = challenge(root, scopes, message, parts.points())
    parts.f = [[(s[j][i] * xi + a[j][i]) % Q for i in range(1, N_ARY)] for j in range(m)]
    parts.z_a = (r_a + xi * r_b) % Q
    parts.z = (secret * pow(xi, m, Q) - sum(rho[j] * pow(xi, j, Q) for j in range(m))) % Q
    return parts
