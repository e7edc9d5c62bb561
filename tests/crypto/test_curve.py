"""The group against the independent reference, at its edges, and against what would abort the process."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.crypto import curve, hashing
from rumor.crypto.errors import InvalidKey

from . import reference

POINTS = [hashing.hash_to_point(b"test", bytes([number])) for number in range(250)]
scalars = st.one_of(st.integers(0, curve.ORDER - 1), st.integers(0, 300), st.sampled_from([curve.ORDER - 1]))


def theirs(point: curve.Point) -> reference.Affine:
    return reference.decode(point.encode())


def encoded(point: curve.Point | None) -> bytes | None:
    return None if point is None else point.encode()


@given(scalar=scalars)
@settings(deadline=None, max_examples=20)
def test_multiplications_agree_with_the_reference(scalar: int) -> None:
    expected = reference.mul(scalar, theirs(POINTS[0]))
    product = curve.multiply(POINTS[0], scalar)
    assert encoded(product) == (None if expected is None else reference.encode(expected))
    if scalar:
        secret = scalar.to_bytes(32, "big")
        assert encoded(curve.multiply_secret(POINTS[0], secret)) == encoded(product)
        assert curve.public_point(secret).encode() == reference.public(scalar)


@given(terms=st.lists(scalars, min_size=1, max_size=6))
@settings(deadline=None, max_examples=15)
def test_small_sums_agree_with_the_reference(terms: list[int]) -> None:
    points = POINTS[: len(terms)]
    expected = reference.msm([(s, theirs(p)) for s, p in zip(terms, points, strict=True)])
    wanted = None if expected is None else reference.encode(expected)
    assert encoded(curve.weighted_sum(list(zip(terms, points, strict=True)))) == wanted
    table = curve.PointTable([point.encode() for point in points])
    assert encoded(table.weighted_sum(terms)) == wanted


@given(seed=st.randoms(use_true_random=False), size=st.sampled_from([63, 64, 399, 400, 420]))
@settings(deadline=None, max_examples=10)
def test_sums_by_buckets_agree_with_single_multiplications(seed: random.Random, size: int) -> None:
    """Both table widths and both ways for passing points, with repeated points and zeros among them."""
    points = [seed.choice(POINTS) for _ in range(size)]
    terms = [seed.choice([0, 1, seed.randrange(curve.ORDER)]) for _ in range(size)]
    pairs = list(zip(terms, points, strict=True))
    expected = encoded(curve.add(curve.multiply(point, scalar) for scalar, point in pairs))
    assert encoded(curve.weighted_sum(pairs)) == expected
    assert encoded(curve.PointTable([point.encode() for point in points]).weighted_sum(terms)) == expected


@pytest.mark.parametrize("size", [2, 100, 420])
def test_a_sum_that_is_the_identity_is_none(size: int) -> None:
    """The library has no identity; every way to reach it must come out as None and not as an abort."""
    point = POINTS[0]
    negated = curve.multiply(point, curve.ORDER - 1)
    assert negated is not None
    points = [point, negated] * (size // 2)
    assert curve.add(points) is None
    assert curve.weighted_sum([(9, each) for each in points]) is None
    assert curve.PointTable([each.encode() for each in points]).weighted_sum([9] * size) is None
    assert curve.weighted_sum([(0, each) for each in points]) is None
    assert curve.PointTable([each.encode() for each in points]).weighted_sum([0] * size) is None
    assert curve.add([]) is None
    assert curve.add([None, None]) is None
    assert encoded(curve.add([None, point])) == point.encode()


@given(st.binary(max_size=70))
def test_parsing_returns_a_point_or_raises_its_one_error(data: bytes) -> None:
    try:
        assert curve.parse(data).encode() == data
    except InvalidKey:
        assert len(data) != 33 or data[0] not in (2, 3) or not is_point(data)


def is_point(data: bytes) -> bool:
    try:
        reference.decode(data)
    except ValueError:
        return False
    return True


def test_what_is_not_a_compressed_point_is_refused() -> None:
    """Among them the uncompressed and hybrid forms that the library itself would take."""
    good = POINTS[0].encode()
    x, y = reference.decode(good)  # type: ignore[misc]
    long = x.to_bytes(32, "big") + y.to_bytes(32, "big")
    wrong = [
        b"",
        good[:-1],
        good + b"\0",
        bytes(33),
        b"\x04" + long,
        bytes([6 + y % 2]) + long,
        b"\x02" + b"\xff" * 32,
    ]
    for data in wrong:
        with pytest.raises(InvalidKey):
            curve.parse(data)


def test_scalars_out_of_range_never_reach_the_library() -> None:
    for scalar in (-1, curve.ORDER, 2**256):
        with pytest.raises((AssertionError, OverflowError)):
            curve.multiply(POINTS[0], scalar)
    for secret in (b"", bytes(32), curve.ORDER.to_bytes(32, "big"), bytes(31), b"\1" * 33):
        for call in (curve.public_point, curve.check_secret, lambda s: curve.multiply_secret(POINTS[0], s)):
            with pytest.raises(InvalidKey):
                call(secret)


@given(secret=st.integers(1, curve.ORDER - 1), factor=st.integers(1, curve.ORDER - 1), addend=scalars)
def test_responses_are_secret_times_factor_plus_addend(secret: int, factor: int, addend: int) -> None:
    expected = (secret * factor + addend) % curve.ORDER
    assert curve.respond(secret.to_bytes(32, "big"), factor, addend) == expected
    zero = -secret * factor % curve.ORDER
    assert curve.respond(secret.to_bytes(32, "big"), factor, zero) == 0
