"""Adversaries: each does what it says, and knows what a node in its place could know."""

from dataclasses import fields

import pytest
from worlds import holders, post, world

from rumor.gossip.frames import Announce, decode_frame_untrusted
from rumor.sim.adversaries import Delay, Drop, Junk, Replay
from rumor.sim.estimators import first_spy
from rumor.sim.experiment import DELAYED_S, Run
from rumor.sim.seeds import Stream


def honest(run: Run) -> list[int]:
    return [host.index for host in run.network.hosts if host.is_honest]


def test_a_share_of_the_members_are_spies_and_they_run_ordinary_nodes() -> None:
    run = world(spies="0.25")
    assert len(run.ledger.spies) == 3
    item_id = post(run.network, run.network.hosts[honest(run)[0]], "hello")
    run.network.run(5.0)
    assert len(holders(run.network, item_id)) == 12


def test_those_who_do_more_are_taken_from_the_spies() -> None:
    run = world(spies="0.34", droppers="0.09", delayers="0.09", replayers="0.09", flooders="0.09")
    actions = [host.adversary.action for host in run.network.hosts if host.adversary is not None]
    assert [sum(type(action) is kind for action in actions) for kind in (Drop, Delay, Replay, Junk)] == [
        1
    ] * 4
    assert len(run.ledger.spies) == 4
    assert len(world(spies="0", droppers="0.25").ledger.spies) == 3


def test_all_friends_of_a_victim_are_spies_and_the_victim_is_not() -> None:
    run = world(spies="0.34", surround="true")
    victims = [node for node in honest(run) if set(run.graph.friends_of(node)) <= run.ledger.spies]
    assert len(victims) >= 1
    assert len(run.ledger.spies) == 4


@pytest.mark.parametrize("graph", ["line", "cycle", "random-regular", "powerlaw-cluster"])
def test_first_spy_names_whoever_floods_next_to_a_spy(graph: str) -> None:
    """With equal latencies it is right if and only if a friend of the author is a spy: what flooding gives away."""
    run = world(nodes="30", graph=graph, spies="0.2", latency="constant:0.05", jitter="0")
    posts = {author: post(run.network, run.network.hosts[author], f"post {author}") for author in honest(run)}
    run.network.run(10.0)
    for author, item_id in posts.items():
        suspects = first_spy.rank(run.ledger.heard_of(item_id))
        named = bool(suspects) and suspects[0] == author
        assert named == bool(set(run.graph.friends_of(author)) & run.ledger.spies)


def test_the_ledger_has_what_spies_heard_and_nothing_of_the_honest_among_themselves() -> None:
    """A spy at one end of a line hears of its neighbour alone."""
    run = world(graph="line", spies="0.09")
    (spy,) = run.ledger.spies
    author = next(node for node in honest(run) if node not in run.graph.friends_of(spy))
    item_id = post(run.network, run.network.hosts[author], "x")
    run.network.run(10.0)
    assert set(run.ledger.heard_of(item_id)) <= set(run.graph.friends_of(spy))
    assert run.ledger.heard_of(item_id)
    assert not {"author", "posts", "network", "hosts"} & {each.name for each in fields(run.ledger)}


def test_every_frame_of_a_spy_can_be_kept() -> None:
    run = world(spies="0.09")
    run.ledger.keeps_all = True
    (spy,) = run.ledger.spies
    post(run.network, run.network.hosts[honest(run)[0]], "x")
    run.network.run(5.0)
    assert {sighting.spy for sighting in run.ledger.sightings} == {spy}
    assert {sighting.friend for sighting in run.ledger.sightings} <= set(run.graph.friends_of(spy))
    assert {sighting.heard for sighting in run.ledger.sightings} == {True, False}
    assert all(decode_frame_untrusted(sighting.frame) for sighting in run.ledger.sightings)


def three_in_a_row(**role: str) -> tuple[Run, int, int, int]:
    """A line of three with an adversary in the middle: the run, one end, the middle and the other end."""
    runs = (world(nodes="3", graph="line", seed=str(seed), **role) for seed in range(20))
    run = next(run for run in runs if run.ledger.spies == {1})
    return run, 0, 1, 2


def test_droppers_take_and_do_not_give() -> None:
    """What must pass one stays on its side; the dropper itself has it."""
    run, one, dropper, _ = three_in_a_row(droppers="0.34")
    item_id = post(run.network, run.network.hosts[one], "x")
    run.network.run(60.0)
    assert holders(run.network, item_id) == {one, dropper}


def test_delayers_pass_on_late() -> None:
    run, one, _, other = three_in_a_row(delayers="0.34")
    run.network.run(DELAYED_S)
    item_id = post(run.network, run.network.hosts[one], "x")
    run.network.run(DELAYED_S - 1)
    assert other not in holders(run.network, item_id)
    run.network.run(3 * DELAYED_S)
    assert other in holders(run.network, item_id)


def test_replayers_repeat_what_they_heard() -> None:
    action = Replay(Stream(1))
    assert list(action.impulse()) == []
    action.hears(b"frame")
    assert action.impulse() == [b"frame"]


def test_junk_is_blamed_and_harms_nobody_else() -> None:
    """A node that sends junk is refused by its friends; posts of the others arrive everywhere."""
    run = world(flooders="0.09")
    run.network.run(30.0)
    assert run.network.refused_count > 0
    (flooder,) = run.ledger.spies
    item_id = post(run.network, run.network.hosts[honest(run)[0]], "x")
    run.network.run(5.0)
    assert holders(run.network, item_id) >= set(honest(run))
    _, announcement = Junk(Stream(1)).impulse()
    assert isinstance(decode_frame_untrusted(announcement), Announce)
    assert flooder not in honest(run)


def test_bystanders_see_sizes_and_times_of_their_links_alone() -> None:
    run = world(observed="0.1")
    watched = [friendship for friendship in run.network.friendships if friendship.bystander]
    assert len(watched) == round(0.1 * len(run.network.friendships))
    ends = {frozenset((each.one.index, each.other.index)) for each in watched}
    assert {frozenset(seen[1:3]) for seen in run.bystander.seen} == ends
    assert all(isinstance(value, int) for seen in run.bystander.seen for value in seen)


def test_spies_open_onions_with_the_relay_keys_that_they_hold() -> None:
    """What opens is written down with the packet around it and what was inside: links of a chain."""
    run = world(
        scheme="onion", spies="0.5", bytes_per_day="300000000", hours="0.25", settle_s="120", posts="20"
    )
    run.network.run(run.scenario.duration_s - 10)
    openings = run.ledger.openings
    assert {opening.spy for opening in openings} == run.ledger.spies
    assert all(opening.onion in run.ledger.onions for opening in openings)
    followed = [opening for opening in openings if opening.inner in run.ledger.onions]
    assert len(followed) > len(openings) // 4
    published = {opening.item_id for opening in openings if opening.item_id is not None}
    assert published & set(run.workload.posts)
