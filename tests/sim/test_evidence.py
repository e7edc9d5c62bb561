"""Evidence: what the spies' ledger tells estimators is what happened, and no more than spies could know."""

import math
from collections import defaultdict
from typing import Any

import pytest
from worlds import PLAIN, world

from rumor.gossip.packets import Packet
from rumor.gossip.spreading import Situation
from rumor.sim import evidence, experiment, report
from rumor.sim.estimators.observations import SeenPacket, Setting
from rumor.sim.experiment import Run, prepare
from rumor.sim.metrics import judge
from rumor.sim.network import Network
from rumor.sim.scenario import Scenario
from rumor.sim.workload import Workload

#: A tick in half a minute for each of sixteen members, a quarter of them spies.
MIXING = {
    "scheme": "onion",
    "nodes": "16",
    "spies": "0.25",
    "bytes_per_day": "300000000",
    "posts": "12",
    "hours": "0.6",
    "settle_s": "1200",
}


def setting_of(run: Run) -> Setting:
    return Setting(
        friends=[run.graph.friends_of(node) for node in range(run.graph.node_count)],
        spies=run.ledger.spies,
        pace=run.scenario.pace,
        route_length=run.scenario.route_length,
        latency_s=0.05,
    )


class Mixed:
    """A run of onions with the truth beside it: who injected each packet."""

    def __init__(self) -> None:
        self.run = prepare(Scenario.read(PLAIN | MIXING))
        self.injectors: dict[bytes, int] = {}
        for host in self.run.network.hosts:
            self._watch(host.index)
        self.run.network.run(self.run.scenario.duration_s)
        self.seen = {packet.packet_id: packet for packet in evidence.seen_packets(self.run.ledger)}

    def _watch(self, index: int) -> None:
        engine = self.run.network.hosts[index].engine
        assert engine is not None
        injected = engine._carriage.injected

        def watching(packet: Packet, bare: bool, situation: Situation) -> None:
            self.injectors[packet.item_id] = index
            injected(packet, bare, situation)

        engine._carriage.injected = watching  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def mixed() -> Mixed:
    return Mixed()


def test_spies_tell_their_own_packets_from_all_others(mixed: Mixed) -> None:
    """What is theirs is theirs, and they miss none that went to a friend."""
    spies = mixed.run.ledger.spies
    ours = {packet.packet_id for packet in mixed.seen.values() if packet.is_ours}
    assert ours
    assert {mixed.injectors[packet_id] for packet_id in ours} == spies
    missed = {packet_id for packet_id in set(mixed.seen) - ours if mixed.injectors.get(packet_id) in spies}
    assert len(missed) <= 0.02 * len(ours)


def test_only_honest_friends_of_spies_are_seen(mixed: Mixed) -> None:
    run = mixed.run
    around = {friend for spy in run.ledger.spies for friend in run.graph.friends_of(spy)} - run.ledger.spies
    told = {friend for packet in mixed.seen.values() for friend in packet.announced}
    handed = {packet.stemmed.friend for packet in mixed.seen.values() if packet.stemmed is not None}
    assert told | handed <= around
    assert told
    assert handed


def test_an_opened_onion_leads_to_what_its_relay_injected(mixed: Mixed) -> None:
    """A child comes after its parent, which spies opened, and a spy injected it."""
    children = [packet for packet in mixed.seen.values() if packet.parent is not None]
    assert len(children) > 20
    for child in children:
        assert child.parent is not None
        parent = mixed.seen.get(child.parent)
        assert child.is_ours
        if parent is not None:
            assert parent.is_opened
            assert parent.first_seen_at < child.first_seen_at
    opened = sum(packet.is_opened for packet in mixed.seen.values()) / len(mixed.seen)
    assert (
        0.1 < opened < 0.35
    )  # A quarter of the relay keys open a quarter of the onions; the rest are items.


def test_a_posterior_for_each_post(mixed: Mixed) -> None:
    posts = list(mixed.run.workload.posts)
    posteriors = evidence.authors(setting_of(mixed.run), mixed.run.ledger, posts)
    assert len(posteriors) == len(posts) > 10
    for posterior in posteriors:
        assert set(posterior) == set(setting_of(mixed.run).honest)
        assert sum(posterior.values()) == pytest.approx(1)


@pytest.mark.slow
def test_the_stem_is_named_as_often_as_its_posterior_says() -> None:
    """Bare stems of real engines: what the exact posterior expects is what happens, within three standard errors.

    An author's posts all go by one guard, so that they count together.
    """
    run = world(
        scheme="stem",
        nodes="60",
        graph="powerlaw-cluster",
        mean_degree="8",
        spies="0.2",
        posts="400",
        hours="2",
    )
    run.network.run(run.scenario.duration_s - 10)
    posts = list(run.workload.posts.values())
    posteriors = evidence.injectors(setting_of(run), run.ledger, [post.item_id for post in posts])
    judged = judge(posteriors, [post.author for post in posts])
    assert judged is not None
    gap = judged.p_named - judged.expected_max_posterior
    by_author: dict[int, float] = defaultdict(float)
    for post, posterior in zip(posts, posteriors, strict=True):
        named = max(posterior, key=posterior.__getitem__)
        by_author[post.author] += (named == post.author) - posterior[named] - gap
    error = math.sqrt(sum(excess**2 for excess in by_author.values())) / len(posts)
    assert abs(gap) < 3 * error < 0.2
    assert judged.p_named > 0.2  # A stem names at least as many as there are spies.


def test_each_share_of_spies_has_what_it_would_have_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spies who look change nothing: the trace, and what the spies of each share make of it, are those of a run with
    that share alone, if the same members write."""
    small = PLAIN | MIXING | {"nodes": "10", "hours": "0.15", "settle_s": "240", "warmup_s": "60"}
    together = experiment.run(Scenario.read(small | {"spies": "0.1,0.4"}))
    authors = [host.index for host in together.network.hosts if host.is_honest]

    def written(network: Network, _: list[int], *rest: Any) -> Workload:
        return Workload(network, authors, *rest)

    monkeypatch.setattr(experiment, "Workload", written)
    told = report.result(together)
    assert [group["spies"] for group in told["by_spies"]] == [0.1, 0.4]
    assert told["posts_published"] > 5
    for group, known in zip(told["by_spies"], together.ledgers, strict=True):
        alone = experiment.run(Scenario.read(small | {"spies": str(group["spies"])}))
        assert alone.network.trace.digest() == together.network.trace.digest()
        for name in ("spies", "first_heard", "stemmed", "carriers", "onions", "openings", "ours"):
            assert getattr(alone.ledger, name) == getattr(known, name)
        assert {name: report.result(alone)[name] for name in group} == group
    assert {name: told[name] for name in group} == group


def test_a_post_that_spies_never_saw_says_nothing(mixed: Mixed) -> None:
    posterior = evidence.injectors(setting_of(mixed.run), mixed.run.ledger, [bytes(32)])[0]
    assert len(set(posterior.values())) == 1
    assert not SeenPacket(packet_id=b"", is_item=True, stemmed=None, announced={}).is_seen
