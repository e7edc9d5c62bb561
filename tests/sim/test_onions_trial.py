"""Trials of onions: the whole way from a graph in words to how often authors are named, and the short cuts on it."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from rumor.gossip.genesis import Parameters
from rumor.gossip.pace import Pace
from rumor.node.cli import main
from rumor.sim import TrialError, spread
from rumor.sim.estimators import onion_flow
from rumor.sim.estimators.seen import Ground
from rumor.sim.estimators.stem import StemModel
from rumor.sim.estimators.wide_stem import WideStemModel
from rumor.sim.evidence import posts_of_flow
from rumor.sim.graphs.graph import Graph
from rumor.sim.graphs.spec import read
from rumor.sim.graphs.spies import choose
from rumor.sim.results.compare import SCHEMES, sweep_text
from rumor.sim.results.notebook import sweep
from rumor.sim.results.sweep import Sweep
from rumor.sim.spread.flow import flow
from rumor.sim.trials import onions

GRAPH = "powerlaw-cluster:n=60,mean_degree=6"


def ground_of(nodes: int = 150, share: str = "0.2", **pace: Any) -> Ground:
    graph = read(f"powerlaw-cluster:n={nodes},mean_degree=8", 1)
    assert isinstance(graph, Graph)
    made = replace(Pace.of(Parameters(), nodes), **pace)
    return Ground(
        graph=graph, spies=choose(share, graph, 1), scheme="onion", pace=made, latency=0.05 / made.hop_s
    )


def test_authors_are_named_a_little_more_often_than_by_guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the estimator is as sure as it is right; one who names who first showed the item learns nothing at all.
    The same by any number of threads."""
    monkeypatch.setattr(onions, "FLOW_POSTS", 100)
    told: list[int] = []
    asked = spread(GRAPH, scheme="onion", spies=0.2, runs=300, tell=lambda done, _: told.append(done))
    again = spread(GRAPH, scheme="onion", spies=0.2, runs=300, threads=3)
    assert {**asked, "runs_per_s": 0} == {**again, "runs_per_s": 0}
    assert sorted(told) == [100, 200, 300]
    assert (asked["estimator"], asked["spy_count"], asked["calibrated"]) == ("onion-flow", 12, True)
    assert 1 / 48 < asked["expected_max_posterior"] < 0.07
    assert 5 < asked["entropy_bits"] < np.log2(48)
    assert asked["min_entropy_bits"] < asked["entropy_bits"]
    assert 5 < asked["worst_off_entropy_bits"] < np.log2(48)
    naive = spread(GRAPH, scheme="onion", estimator="first-spy", spies=0.2, runs=300)
    assert naive["p_named"] < 0.06
    assert naive["p_named"] < spread(GRAPH, scheme="stem", spies=0.2, runs=300)["p_named"] / 3


def test_a_post_waits_for_its_clock_and_its_relays_and_costs_the_budget() -> None:
    """Two exponential draws and more, by the numbers of the pace; the budget is kept, and nearly used up."""
    for route_length, budget in ((1, 400_000_000), (4, 100_000_000)):
        asked = spread(
            GRAPH, scheme="onion", spies=0.1, runs=300, bytes_per_day=budget, route_length=route_length
        )
        pace = Pace.of(Parameters(bytes_per_day=budget, route_length=route_length), 60)
        random = np.random.default_rng(1)
        waits = random.exponential(pace.interval_s, 100_000)
        waits += random.gamma(route_length, pace.relay_delay_s, 100_000)
        assert asked["own_clock_s"] == pytest.approx(pace.interval_s, rel=0.001)
        # Stems and floods of as many packets take some ten hops each.
        hops_s = 12 * (route_length + 1) * pace.hop_s
        assert np.quantile(waits, 0.4) < asked["latency_p50_s"] < np.quantile(waits, 0.6) + hops_s
        assert np.quantile(waits, 0.9) < asked["latency_p95_s"] < np.quantile(waits, 0.98) + hops_s
        assert 0.75 * budget < asked["bytes_per_node_day"] < 1.05 * budget
        assert asked["sends_per_node"] == pytest.approx((route_length + 1) * 5.1, rel=0.1)


def test_more_relays_and_fewer_spies_hide_better() -> None:
    """With one relay a fifth of the onions is opened by spies, and of these the stem tells."""
    one, three = (
        spread(GRAPH, scheme="onion", spies=0.2, runs=400, route_length=length)["expected_max_posterior"]
        for length in (1, 3)
    )
    assert one > 1.3 * three


def test_posts_that_are_known_to_be_of_one_author_tell_more() -> None:
    """The more, the more; of one post it is what it was, and threads change nothing."""
    one, five, ten = (
        spread(GRAPH, scheme="onion", spies=0.3, runs=250, linked=linked) for linked in (1, 5, 10)
    )
    assert one["expected_max_posterior"] < five["expected_max_posterior"] < ten["expected_max_posterior"]
    assert 1.5 * one["p_named"] < five["p_named"]
    assert one["effective_set"] > five["effective_set"] > ten["effective_set"]
    single = spread(GRAPH, scheme="onion", spies=0.3, runs=250)
    assert single["p_named"] == one["p_named"]
    again = spread(GRAPH, scheme="onion", spies=0.3, runs=250, linked=5, threads=2)
    assert {**again, "runs_per_s": 0} == {**five, "runs_per_s": 0}


@settings(deadline=None)
@given(authors=st.lists(st.integers(0, 5), max_size=60), size=st.integers(1, 7))
def test_groups_are_of_one_author_and_follow_one_another(authors: list[int], size: int) -> None:
    """Nobody's post is in two, none is left out between two of a group, and as many are made as can be."""
    places, groups = onions.grouped(np.array(authors, dtype=np.int64), size)
    assert (
        len(places)
        == len(set(places.tolist()))
        == sum(count // size * size for count in Counter(authors).values())
    )
    by_author = {author: [at for at, each in enumerate(authors) if each == author] for author in set(authors)}
    lasts = []
    for group in range(len(places) // size):
        within = places[groups == group].tolist()
        own = by_author[authors[within[0]]]
        first = own.index(within[0])
        assert first % size == 0
        assert within == own[first : first + size]
        lasts.append(within[-1])
    assert lasts == sorted(lasts)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"graph": "regular-tree:degree=4"}, "--scheme: infinite trees can have flood"),
        ({"estimator": "stem"}, "--estimator is one of first-spy, onion-flow of onions, and not 'stem'"),
        ({"spies_iid": True}, "--spies-iid: of onions the spies are the same"),
        ({"batches": True}, "--batches: onions do not have it"),
        ({"first_contact": True}, "--first-contact: onions do not have it"),
        ({"embargo": 3.0}, "--embargo: onions do not have it"),
        ({"delay": "unit"}, "--delay: onions do not have it"),
        ({"spies": "friends-of:3"}, "--spies: of onions everybody writes"),
        ({"spies": "0"}, "--spies: somebody has to be a spy"),
        ({"route_length": 6}, "--route-length is a whole number from 1 to 5"),
        ({"bytes_per_day": 1}, "--bytes-per-day is a whole number from 1000000"),
        ({"linked": 0}, "--linked is a whole number from 1 to 100, and not 0"),
        ({"scheme": "stem", "linked": 2}, "--linked: only onions have it, and not stem"),
        ({"post_share": 0.0}, "--post-share is a number above 0"),
        ({"graph": "complete:n=3", "spies": "1"}, "--route-length: 3 relays are too many"),
        ({"scheme": "stem", "route_length": 2}, "--route-length: only onions have it, and not stem"),
    ],
)
def test_what_cannot_be_asked_of_onions_is_said_in_one_sentence(options: dict[str, Any], says: str) -> None:
    with pytest.raises(TrialError, match=r"^[^\n]*$") as refused:
        spread(**({"graph": GRAPH, "scheme": "onion", "runs": 10} | options))
    assert says in str(refused.value)


def test_the_command_repeats_it() -> None:
    words = ["sim", "spread", "--graph", GRAPH, "--scheme", "onion", "--spies", "0.2", "--runs", "50"]
    done = CliRunner().invoke(main, [*words, "--route-length", "2", "--json"])
    assert done.exit_code == 0, done.stderr
    fields = json.loads(done.stdout)
    assert fields["command"].endswith("--scheme onion --spies 0.2 --runs 50 --route-length 2 --seed 1")
    assert fields["runs"] == 50
    assert fields["embargo"] == 100
    plain = spread(GRAPH, runs=50)
    assert (plain["route_length"], plain["bytes_per_day"], plain["post_share"]) == (None, None, None)


def test_sweeps_and_comparisons_have_onions() -> None:
    """Beside all other schemes, and with a curve of how the packet that shows the item spreads."""
    assert "onion" in SCHEMES
    text = sweep_text(GRAPH, ["0.2"], ["stem", "onion"], runs=40)
    tasks = Sweep.read(text).tasks
    assert {task.kind for task in tasks if dict(task.settings).get("scheme") == "onion"} == {
        "spread",
        "coverage",
    }
    table = sweep(
        {
            "graph": GRAPH,
            "runs": 40,
            "cells": [
                {"scheme": "onion", "spies": 0.2, "route_length": [2, 3]},
                {"kind": "coverage", "scheme": ["onion", "stem"]},
            ],
        },
        workers=0,
    )
    assert table["route_length"].to_list()[:2] == [2, 3]
    assert table["latency_p50_s"].null_count() == 2
    onion, stem = table["coverage_curve"].to_list()[2:]
    assert onion[-1] == pytest.approx(stem[-1], rel=0.3)


def test_posts_are_made_while_they_are_wanted() -> None:
    ground = ground_of(60)
    assert ground.pace is not None
    made = flow(
        ground.graph, ground.spies, ground.pace, hours=3, post_share=0.5, seed=1, posting_s=(3_600, 5_400)
    )
    own = made.packets[made.packets["parent"] < 0]
    posted = own[own["is_post"]]["injected_at"]
    assert len(posted) > 20
    assert 3_600 < posted.min() < posted.max() <= 5_400
    assert own["injected_at"].max() > 10_000
    relays = np.sort(made.packets["relay"][made.packets["parent"] < 0])
    assert np.bincount(relays, minlength=60).min() > 0


@pytest.mark.parametrize("latency_s", [0.0, 0.05])
def test_near_journeys_are_the_whole_ones_as_far_as_spies_see(latency_s: float) -> None:
    """Draw for draw: the same first sighting of every packet, on its stem or not, from the same friend at the same
    time. Relays have it as long after as they would."""
    ground = ground_of(200, "0.1")
    assert ground.pace is not None
    seen = {}
    for near in (False, True):
        packets = flow(
            ground.graph,
            ground.spies,
            ground.pace,
            hours=1.5,
            post_share=0.5,
            seed=1,
            latency_s=latency_s,
            near=near,
            threads=1 + near,
        ).packets
        # What own clocks injected; relays inject when they have opened, which is drawn otherwise.
        seen[near] = packets[packets["parent"] < 0]
    whole, near_ones = seen[False], seen[True]
    assert len(whole) > 500
    on_stem = whole["stem_at"] <= whole["flood_at"]
    assert 0.3 < on_stem.mean() < 0.8
    assert (on_stem == (near_ones["stem_at"] <= near_ones["flood_at"])).all()
    firsts, times = [], []
    for rows in (whole, near_ones):
        firsts.append(np.where(on_stem, rows["stem_friend"], rows["flood_friend"]))
        times.append(np.minimum(rows["stem_at"], rows["flood_at"]))
    assert (firsts[0] == firsts[1]).all()
    assert times[0] == pytest.approx(times[1], abs=1e-4)
    for name in ("opened_at", "relay_at"):
        middles = [np.median(rows[name] - rows["injected_at"]) for rows in (whole, near_ones)]
        assert middles[0] == pytest.approx(middles[1], rel=0.1)


@pytest.mark.parametrize("bare", [False, True])
def test_a_wide_model_of_stems_says_what_the_tables_say(bare: bool) -> None:
    """Mixtures of columns are carried back to the same injectors, and floods are the same draws, but not smoothed."""
    setting = ground_of(100).setting
    tables, wide = StemModel(setting, bare=bare), WideStemModel(setting, bare=bare)
    assert wide.seen_hops == pytest.approx(tables.seen_hops)
    assert wide.start_hops == pytest.approx(tables.start_hops)
    assert np.sort(wide.hearing_s) == pytest.approx(np.sort(tables.hearing_s.ravel()), abs=1e-5)
    assert np.abs(wide.announces.toarray() - tables.announces).max() < 0.05
    # With the same floods it is the same to the last digits.
    wide.announces = sparse.csr_array(tables.announces)
    honest = len(tables.index)
    wide._sums = np.concatenate([tables.seen.sum(axis=0), tables.announces.T @ tables.starts.sum(axis=0)])
    mixtures = np.random.default_rng(1).random((4, 2 * honest))
    mixtures /= mixtures.sum(axis=1, keepdims=True)
    assert wide.injectors(mixtures) == pytest.approx(tables.injectors(mixtures), rel=1e-9)
    friends, on_stem = np.array(setting.honest)[[3, 3, 5]], np.array([True, False, True])
    assert wide.posteriors(friends, on_stem) == pytest.approx(tables.posteriors(friends, on_stem), rel=1e-9)
    assert wide.posteriors(np.array([-1]), np.array([False]))[0] == pytest.approx(1 / honest)


def test_large_graphs_get_the_wide_model(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(ground_of(60).stems, StemModel)
    monkeypatch.setattr("rumor.sim.estimators.seen.TABLES_MAX", 1_000)
    assert isinstance(ground_of(60).stems, WideStemModel)


def test_a_coarser_grid_says_the_same_where_relays_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step may be a thousandth of a relay's delay: posteriors move by a thousandth of what they are."""
    ground = ground_of(60, relay_delay_s=600.0)
    assert ground.pace is not None
    made = flow(ground.graph, ground.spies, ground.pace, hours=6, post_share=0.5, seed=1, latency_s=0.05)
    posts = posts_of_flow(made, ground.spies).of_runs(slice(40))
    fine = onion_flow.posterior(posts.observed, ground)
    monkeypatch.setattr(onion_flow, "STEPS_PER_DELAY_MAX", 100)
    coarse = onion_flow.posterior(posts.observed, ground)
    assert np.abs(coarse - fine).max() < 0.01
    assert not np.array_equal(coarse, fine)
