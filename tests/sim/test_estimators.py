"""Estimators: each answers by name, is as sure as it is right, and agrees with counting by hand."""

import itertools
import json

import numpy as np
import pytest
from flowmodel import setting_of
from grounds import ground_of
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.gossip.genesis import Parameters
from rumor.gossip.pace import Pace
from rumor.sim.estimators import (
    ESTIMATORS,
    Need,
    adaptive,
    epoch_graph,
    intersection,
    linked,
    matching,
    trained,
)
from rumor.sim.estimators.observations import Handed, SeenPacket
from rumor.sim.estimators.seen import Ground
from rumor.sim.evidence import posts_of_flow
from rumor.sim.metrics.posteriors import calibrated, judge_posteriors
from rumor.sim.spread.flow import flow
from rumor.sim.spread.observations import observe


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "onion-flow"])
def test_every_estimator_can_be_asked_by_its_name(name: str) -> None:
    """Rows are distributions over the honest, or scores that can be made so; and better than guessing."""
    estimator = ESTIMATORS[name]
    scheme = "diffusion" if estimator.suits("diffusion") else sorted(estimator.schemes or ())[0]
    ground = ground_of(60, 0.2, scheme=scheme)
    epochs, snapshot = (
        (60 if scheme.startswith("dandelion") else 0),
        20 if Need.SNAPSHOT in estimator.needs else 0,
    )
    if snapshot:
        ground = Ground(graph=ground.graph, spies=np.zeros(60, dtype=bool))
    asked, _ = observe(ground, runs=240, seed=1, epoch_runs=epochs, snapshot=snapshot)
    practice, _ = observe(ground, runs=240, seed=2, epoch_runs=epochs, snapshot=snapshot)
    answer = estimator.ask(asked.observed, ground, practice)
    assert answer.shape == (240, len(ground.suspects))
    if not estimator.is_posterior:
        answer = calibrated(answer, asked.authors, ground.suspects)
    assert answer.sum(axis=1) == pytest.approx(np.ones(240))
    truth = answer[np.arange(240), ground.columns[asked.authors]]
    assert truth.mean() > 1.2 / len(ground.suspects)
    if Need.PRACTICE in estimator.needs:
        with pytest.raises(ValueError, match="needs runs to practise on"):
            estimator.ask(asked.observed, ground)


@pytest.mark.parametrize("scheme", ["diffusion", "stem", "dandelion"])
def test_training_makes_a_posterior_that_is_as_sure_as_it_is_right(scheme: str) -> None:
    """Whatever the scheme, nothing of which it is told; and it names no fewer than the first spy."""
    ground = ground_of(200, 0.2, scheme=scheme)
    practice, _ = observe(ground, runs=3_000, seed=1)
    judged = judge_posteriors(trained.crossed(practice, ground), practice.authors, ground.suspects)
    assert judged is not None
    assert judged.calibration.holds
    first = (practice.observed.first_friend == practice.authors).mean()
    assert judged.p_named > first - 0.02


@pytest.mark.parametrize("known", [False, True])
def test_a_learnt_epoch_names_more_than_the_first_spy_does(known: bool) -> None:
    """The routes more than the graph, both more if it is known where floods begin; and as many as they say."""
    ground = ground_of(200, 0.2, scheme="dandelion")
    asked, _ = observe(ground, runs=2_400, seed=1, epoch_runs=160, openers=known)
    first = (asked.observed.first_friend == asked.authors).mean()
    graph, routes = (
        judge_posteriors(ask(asked.observed, ground), asked.authors, ground.suspects)
        for ask in (epoch_graph.posterior, epoch_graph.by_routes)
    )
    assert graph is not None
    assert routes is not None
    assert routes.p_named > graph.p_named + 0.02 > first + 0.02
    assert routes.entropy_bits < graph.entropy_bits - 1
    assert abs(routes.expected_max_posterior - routes.p_named) < 0.03


def test_stems_on_a_graph_of_relays_are_counted_as_if_one_by_one() -> None:
    """Against a recursion over every walk of up to twelve hops, of which all end in some way."""
    random = np.random.default_rng(3)
    relays = np.stack([random.choice(np.delete(np.arange(12), node), 2, replace=False) for node in range(12)])
    relays = relays.astype(np.int32)
    spies, end = np.arange(12) < 3, 0.4

    def walk(node: int, source: int, chance: float, ended: dict[tuple[int, bool], float], hops: int) -> None:
        if source >= 0:
            ended[node, False] = ended.get((node, False), 0.0) + end * chance
            chance *= 1 - end
        if hops == 12:
            return
        for drawn in range(2):
            onward = relays[node, drawn]
            if onward == source:
                onward = relays[node, 1 - drawn]
            if spies[onward]:
                ended[node, True] = ended.get((node, True), 0.0) + chance / 2
            else:
                walk(int(onward), node, chance / 2, ended, hops + 1)

    laws: list[dict[tuple[int, bool], float]] = [{} for _ in range(12)]
    for author in range(3, 12):
        walk(author, -1, 1.0, laws[author], 0)
    for node, on_stem in itertools.product(range(3, 12), (True, False)):
        ends = (np.arange(12) == node).astype(float)
        exact = [law.get((node, on_stem), 0.0) for law in laws]
        assert epoch_graph.chances(relays, spies, end, on_stem, ends) == pytest.approx(exact, abs=2e-3)


def test_stem_bayes_in_arrays_is_that_of_single_packets() -> None:
    ground = ground_of(60, 0.2, scheme="stem")
    asked, _ = observe(ground, runs=20, seed=1)
    found = ESTIMATORS["stem"].ask(asked.observed, ground)
    for run, posterior in enumerate(found):
        friend, on_stem = int(asked.observed.first_friend[run]), bool(asked.observed.on_stem[run])
        packet = SeenPacket(
            packet_id=b"",
            is_item=True,
            stemmed=Handed(at_s=1.0, friend=friend) if on_stem else None,
            announced={} if on_stem else {friend: 1.0},
        )
        assert list(ground.stems.injector(packet).values()) == pytest.approx(posterior.tolist())


# Batches, threads and presence.


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(0, 10**6))
def test_a_matching_has_the_largest_sum_of_posteriors(size: int, seed: int) -> None:
    """Against all matchings."""
    posteriors = np.random.default_rng(seed).dirichlet(np.ones(size), size)
    guesses = matching.matched(posteriors, np.arange(10, 10 + size, dtype=np.int32))
    best = max(
        sum(posteriors[message, node] for message, node in enumerate(order))
        for order in itertools.permutations(range(size))
    )
    assert posteriors[np.arange(size), guesses - 10].sum() == pytest.approx(best)
    assert len(set(guesses.tolist())) == size


def test_precision_counts_how_many_messages_share_a_name() -> None:
    """As the papers define both; a node that is named for all has a precision of 1/n² of n messages, times n."""
    authors = np.array([4, 5, 6, 7])
    assert matching.judge_guesses(np.array([4, 4, 6, -1]), authors) == matching.Guessed(
        precision=(1 / 2 + 1) / 4, recall=2 / 4
    )
    assert matching.judge_guesses(np.full(4, 5), authors) == matching.Guessed(precision=1 / 16, recall=1 / 4)
    both = matching.Guessed.mean(
        [matching.judge_guesses(authors, authors), matching.judge_guesses(authors[::-1], authors)]
    )
    assert both == matching.Guessed(precision=0.5, recall=0.5)


def test_a_matching_is_more_precise_than_the_first_spy() -> None:
    """In batches in which everybody sends one message."""
    ground = ground_of(100, 0.2, scheme="diffusion")
    spy, best = [], []
    for batch in range(12):
        asked, _ = observe(
            ground, runs=len(ground.suspects), seed=batch, authors=ground.suspects, spy_times=False
        )
        practice, _ = observe(ground, runs=800, seed=100, spy_times=False)
        posterior = trained.posterior(asked.observed, ground, practice)
        spy.append(matching.judge_guesses(asked.observed.first_friend, asked.authors))
        best.append(matching.judge_guesses(matching.matched(posterior, ground.suspects), asked.authors))
    assert matching.Guessed.mean(best).precision > matching.Guessed.mean(spy).precision


def test_linked_posts_multiply() -> None:
    """Two posts that each leave two suspects leave one; thread by thread as one by one; nothing of no posts."""
    posteriors = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.2, 0.3, 0.5]])
    assert linked.posterior(posteriors[:2]) == pytest.approx([0, 1, 0])
    assert linked.posterior(posteriors[2:]) == pytest.approx(posteriors[2])
    assert linked.posterior(posteriors[:0]) == pytest.approx(np.full(3, 1 / 3))
    found, names = linked.by_thread(posteriors, np.array([7, 7, 3]))
    assert names.tolist() == [3, 7]
    assert found == pytest.approx(np.array([posteriors[2], [0, 1, 0]]))


def test_linked_posts_are_as_telling_as_bayes_says() -> None:
    """Independent posts of one author: calibrated, and surer with each."""
    ground = ground_of(80, 0.1, scheme="stem")
    authors = np.repeat(ground.suspects, 8)
    asked, _ = observe(ground, runs=len(authors), seed=5, authors=authors)
    single = ESTIMATORS["stem"].ask(asked.observed, ground)
    named = []
    for posts in (1, 2, 4, 8):
        chosen = np.arange(len(authors)) % 8 < posts
        found, nodes = linked.by_thread(single[chosen], authors[chosen])
        judged = judge_posteriors(found, nodes, ground.suspects)
        assert judged is not None
        assert judged.p_named - 0.15 < judged.expected_max_posterior < judged.p_named + 0.2
        named.append(judged.p_named)
    assert named[3] > named[1] > named[0]


def test_who_was_online_at_every_post_is_left_and_the_rarely_online_most_of_all() -> None:
    """Exact: 1/s for each post, and nobody is acquitted for good by a post that may have waited."""
    online = np.array([[True, True, False], [True, True, True]])
    shares = np.array([1.0, 0.5, 0.5])
    assert intersection.posterior(online, shares) == pytest.approx([1 / 5, 4 / 5, 0])
    waited = intersection.posterior(online, shares, waits=0.5)
    assert waited == pytest.approx(np.array([1.0, 1.5**2, 0.5 * 1.5]) / 4.0)
    assert intersection.posterior(online & False, shares) == pytest.approx(np.full(3, 1 / 3))
    assert intersection.posterior(online, shares, waits=1.0) == pytest.approx(np.full(3, 1 / 3))


def test_intersection_is_as_sure_as_it_is_right() -> None:
    random = np.random.default_rng(2)
    shares = random.uniform(0.1, 0.9, 30)
    hits = largest = 0.0
    for _ in range(2_000):
        author = random.integers(30)
        online = random.random((3, 30)) < shares
        online[:, author] = True
        # Everybody posts as often, so those who are rarely online do so whenever they are.
        posterior = intersection.posterior(online, shares)
        hits += posterior.argmax() == author
        largest += posterior.max()
    assert hits / 2_000 == pytest.approx(largest / 2_000, abs=0.035)


def test_the_flow_of_the_compiled_simulator_is_asked_like_everything_else() -> None:
    """Onions at a fifth of spies: near the uniform floor, and the answer fits in JSON."""
    setting = setting_of(50, 0.2, 1)
    base = ground_of(50, 0.2)
    pace = Pace.of(Parameters(), 50)
    ground = Ground(graph=base.graph, spies=base.spies, scheme="onion", pace=pace, latency=0.05 / pace.hop_s)
    made = flow(ground.graph, ground.spies, pace, hours=2, post_share=0.5, seed=1, latency_s=0.05)
    practice = posts_of_flow(made, ground.spies)
    judged = judge_posteriors(
        ESTIMATORS["onion-flow"].ask(practice.observed, ground), practice.authors, ground.suspects
    )
    assert judged is not None
    assert setting.pace == pace
    assert judged.posts > 50
    assert 1 / 40 < judged.expected_max_posterior < 0.07
    assert judged.p_named < 0.12
    assert json.loads(json.dumps(judged.as_json()))["calibrated"] is judged.calibration.holds


@pytest.mark.parametrize("degree", [2, 3, 4, 7])
def test_a_snapshot_of_adaptive_diffusion_leaves_all_holders_as_likely(degree: int) -> None:
    """But for the virtual source; by the rule that the strategy itself follows, at every even time."""
    for step in range(2, 22, 2):
        count = adaptive.holders(degree, step).sum()
        expected = np.full(step // 2 + 1, 1 / (count - 1))
        expected[0] = 0
        assert adaptive.by_distance(degree, step) == pytest.approx(expected)
    if degree == 3:
        assert [adaptive.by_distance(3, step)[1] for step in (2, 4, 6, 8)] == pytest.approx(
            [1 / 3, 1 / 9, 1 / 21, 1 / 45]
        )
