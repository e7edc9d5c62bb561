"""The one-time values of a post."""

import pytest

from rumor.crypto.errors import WrongRetraction
from rumor.crypto.seeds import PostSeed, check_retraction, commitment_of


def test_one_seed_gives_the_same_independent_values_each_time() -> None:
    first, again, other = PostSeed(b"\1" * 32), PostSeed(b"\1" * 32), PostSeed(b"\2" * 32)
    values = [
        value
        for seed in (first, other)
        for value in (
            seed.raw,
            seed.reply_secret.raw,
            seed.reply_secret.public.raw,
            seed.retraction,
            seed.retraction_commitment,
        )
    ]
    assert len(set(values)) == 10
    assert all(len(value) == 32 for value in values)
    assert again.reply_secret == first.reply_secret
    assert again.retraction == first.retraction
    assert PostSeed.generate() != PostSeed.generate()


def test_only_the_committed_value_retracts() -> None:
    seed = PostSeed(b"\1" * 32)
    check_retraction(seed.retraction_commitment, seed.retraction)
    for wrong in (PostSeed(b"\2" * 32).retraction, seed.retraction_commitment, b"", seed.retraction + b"\0"):
        with pytest.raises(WrongRetraction):
            check_retraction(seed.retraction_commitment, wrong)
    with pytest.raises(WrongRetraction):
        check_retraction(commitment_of(b"short"), b"short")


def test_the_values_are_those_of_the_first_version() -> None:
    """Own vector: a change here would orphan every post in every outbox."""
    seed = PostSeed(bytes(range(32)))
    assert (
        seed.retraction_commitment.hex() == "885a55fbfbc40cc989e64d66225b45b02d46661380776cfec6adffd617dd1242"
    )
