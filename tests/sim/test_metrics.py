"""Metrics: closed forms and known values."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.sim.metrics import (
    Ranking,
    Verdict,
    calibrate,
    entropy_bits,
    judge,
    quantile,
    quantiles,
    summary,
    user_shares,
    wilson,
)
from rumor.sim.metrics.posteriors import calibrated, judge_posteriors, named_quantiles
from rumor.sim.seeds import Stream


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_has_the_published_values(count: int, total: int, low: float, high: float) -> None:
    assert wilson(count, total) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilsons_interval_holds_the_share(count: int, more: int) -> None:
    low, high = wilson(count, count + more)
    share = count / (count + more) if count + more else 0.5
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


def test_entropy_of_known_distributions() -> None:
    assert entropy_bits([1.0, 0.0]) == 0
    assert entropy_bits(dict.fromkeys(range(8), 1 / 8)) == pytest.approx(3)
    assert entropy_bits([0.5, 0.25, 0.25]) == pytest.approx(1.5)


def test_quantiles_count_what_never_happened() -> None:
    values = [1.0, 2.0, 3.0, math.inf]
    assert [quantile(values, share) for share in (0.25, 0.5, 0.75, 1.0)] == [1, 2, 3, None]
    assert quantile([], 0.5) is None


def rankings(count: int, hit: float, honest: int, random: Stream) -> list[Ranking]:
    """An estimator that ranks three suspects, and the author first with this probability, else nowhere."""
    made = []
    for _ in range(count):
        author, *others = random.sample(range(honest), 4)
        first = author if random.random() < hit else others[2]
        made.append(Ranking(suspects=[first, *others[:2]], author=author))
    return made


def test_calibration_finds_how_sure_one_may_be() -> None:
    """Of a suspect that is right with probability h, the posterior is h, and the rest is spread evenly."""
    hit, honest = 0.4, 100
    judged = calibrate(rankings(4_000, hit, honest, Stream(1)), range(honest))
    assert judged is not None
    assert judged.p_named == pytest.approx(hit, abs=0.02)
    assert judged.p_named_ci95[0] < hit < judged.p_named_ci95[1]
    assert judged.expected_max_posterior == pytest.approx(hit, abs=0.02)
    exact = entropy_bits([hit] + [(1 - hit) / (honest - 3)] * (honest - 3))
    assert judged.entropy_bits == pytest.approx(exact, abs=0.1)


def test_an_estimator_that_knows_nothing_leaves_all_bits() -> None:
    honest = 64
    judged = calibrate([Ranking(suspects=[], author=number % honest) for number in range(640)], range(honest))
    assert judged is not None
    assert judged.p_named == 0
    assert judged.entropy_bits == pytest.approx(6)
    assert judged.expected_max_posterior == pytest.approx(1 / honest)


def test_no_posts_no_judgement() -> None:
    assert calibrate([], range(3)) is None


def test_arrays_and_mappings_are_judged_alike() -> None:
    """Field by field, where nothing is tied."""
    random = np.random.default_rng(1)
    suspects = np.array([2, 3, 5, 7, 11, 13, 17])
    posteriors = random.dirichlet(np.full(7, 0.5), 200)
    authors = random.choice(suspects, 200)
    mappings = [dict(zip(suspects.tolist(), row.tolist(), strict=True)) for row in posteriors]
    one, other = judge_posteriors(posteriors, authors, suspects), judge(mappings, authors.tolist())
    assert one is not None
    assert other is not None
    assert (one.p_named, one.top5, one.expected_max_posterior) == pytest.approx(
        (other.p_named, other.top5, other.expected_max_posterior)
    )
    assert one.entropy_bits == pytest.approx(other.entropy_bits)
    assert one.worst_off is not None
    assert other.worst_off is not None
    assert one.worst_off.node == other.worst_off.node
    assert json.loads(json.dumps(one.as_json()))["posts"] == 200


def test_of_suspects_who_are_equally_likely_the_author_is_any() -> None:
    """A tie of n counts 1/n, and all of them are among the first five if that many have room."""
    posteriors = np.array([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.4, 0.3, 0.2, 0.1]])
    judged = judge_posteriors(posteriors, np.array([1, 2, 3]), np.arange(4))
    assert judged is not None
    assert judged.p_named == pytest.approx((1 / 2 + 1 / 4 + 0) / 3)
    assert judged.top5 == 1
    ten = judge_posteriors(np.full((1, 10), 0.1), np.array([3]), np.arange(10))
    assert ten is not None
    assert (ten.p_named, ten.top5) == pytest.approx((0.1, 0.5))


def test_entropies_of_known_posteriors() -> None:
    """A half and two quarters: 1½ bits, as good as 2.8 suspects; in one try a half is guessed, one bit."""
    judged = judge_posteriors(np.array([[0.5, 0.25, 0.25]] * 4), np.array([0, 0, 1, 2]), np.arange(3))
    assert judged is not None
    assert judged.entropy_bits == pytest.approx(1.5)
    assert judged.effective_set == pytest.approx(2**1.5)
    assert judged.min_entropy_bits == pytest.approx(1)
    assert judged.p_named == 0.5
    assert judged.calibration.gap == pytest.approx(0)
    assert judged.worst_off is None  # Nobody wrote often enough.


def verdict(author: int, named: float, largest: float, bits: float = 1.0) -> Verdict:
    return Verdict(author=author, named=named, in_top5=named, entropy_bits=bits, largest=largest)


def test_the_worst_off_are_found() -> None:
    """By entropy, and by how often they are named; two lucky guesses make nobody the worst off."""
    posts = [verdict(1, 0.0, 0.3, bits=2.0)] * 50 + [verdict(2, 1.0, 0.3, bits=3.0)] * 50
    posts += [verdict(3, 1.0, 0.9, bits=0.1)] * 2
    found = summary(posts)
    assert found is not None
    assert found.worst_off is not None
    assert found.most_named is not None
    assert (found.worst_off.node, found.worst_off.entropy_bits) == (1, 2.0)
    assert (found.most_named.node, found.most_named.p_named) == (2, 1.0)


def test_calibration_tells_who_is_surer_than_right() -> None:
    """Of a fair coin that says 0.5 it holds, of one that says 0.9 it does not; bins have the posts of their range."""
    fair = summary([verdict(0, number % 2, 0.5) for number in range(400)])
    vain = summary([verdict(0, number % 2, 0.9) for number in range(400)])
    assert fair is not None
    assert vain is not None
    assert fair.calibration.holds
    assert fair.calibration.gap == 0
    assert not vain.calibration.holds
    assert vain.calibration.errors > 10
    assert [(each.low, each.high, each.posts) for each in vain.calibration.bins] == [(0.9, 1.0, 400)]
    assert vain.calibration.bins[0].p_named == 0.5


def test_scores_that_only_rank_become_posteriors() -> None:
    """A first that is right with probability h gets h, ties share, and who is no suspect gets the rest."""
    random = np.random.default_rng(3)
    runs, suspects = 4_000, np.arange(50)
    authors = random.choice(suspects, runs)
    scores = np.full((runs, 50), -np.inf)
    first = np.where(random.random(runs) < 0.4, authors, random.choice(suspects, runs))
    scores[np.arange(runs), first] = 1.0
    found = calibrated(scores, authors, suspects)
    assert found.sum(axis=1) == pytest.approx(np.ones(runs))
    assert found[np.arange(runs), first].mean() == pytest.approx(0.4 + 0.6 / 50, abs=0.02)
    tied = np.zeros((runs, 50))
    assert calibrated(tied, authors, suspects) == pytest.approx(np.full((runs, 50), 1 / 50))


def test_quantiles_have_the_least_and_the_largest() -> None:
    assert quantiles([]) == []
    assert quantiles([3.0]) == [3.0] * 21
    assert quantiles([each / 100 for each in range(100, -1, -1)]) == [each / 20 for each in range(21)]


def test_users_who_differ_by_chance_alone_are_equally_well_off() -> None:
    """Of coins with ten throws each some show nine heads; none of them is called the worse coin."""
    random = np.random.default_rng(1)
    named = random.binomial(10, 0.3, 400).astype(float)
    shares = user_shares(named.tolist(), [10] * 400)
    assert named.max() >= 8
    assert max(shares) - min(shares) < 0.12
    assert user_shares([0.0, 1.0, 1.0], [1, 1, 1]) == pytest.approx([2 / 3] * 3)  # Nothing can be told.
    assert user_shares([0.0, 0.0], [5, 7]) == [0.0, 0.0]


def test_users_who_are_unlike_are_told_apart() -> None:
    """A tenth is named eight times in ten, and nine tenths one time in ten; and many posts are believed."""
    random = np.random.default_rng(2)
    truth = np.where(np.arange(500) % 10 == 0, 0.8, 0.1)
    posts = random.integers(5, 60, 500)
    named = random.binomial(posts, truth)
    shares = np.array(user_shares(named.tolist(), posts.tolist()))
    raw = named / posts
    assert np.abs(shares - truth).mean() < np.abs(raw - truth).mean()
    assert shares.max() == pytest.approx(0.85, abs=0.1)
    authors, right = np.repeat(np.arange(2), 1_000), np.repeat([True, False], 1_000)
    assert named_quantiles(authors, right)[::20] == pytest.approx([0.0, 1.0], abs=0.002)
