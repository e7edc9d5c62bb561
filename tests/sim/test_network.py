"""The network: real engines converge, through crashes, partitions and every kind of weather."""

import pytest
from worlds import FAULTS, holders, post, view, world

from rumor.gossip.bodies import Kind
from rumor.sim.disks import SimulationError

EVERYBODY = set(range(12))


def test_everybody_starts_as_a_member_with_open_links_and_posts_reach_all() -> None:
    network = world().network
    assert all(friendship.links is not None for friendship in network.friendships)
    item_id = post(network, network.hosts[3], "hello")
    network.run(5.0)
    assert holders(network, item_id) == EVERYBODY
    assert network.complaint_count == network.refused_count == 0


def test_records_that_all_start_with_are_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that starts with nothing takes all of them from a friend, and is complained of by nobody."""
    made = world(crypto="real", scheme="onion", hours="3")
    network, newcomer = made.network, made.network.hosts[5]
    network.crash(newcomer)
    everything = newcomer._build.mesh.holdings
    empty = type(everything)(made.network.build.mesh.genesis)
    monkeypatch.setattr(everything, "fork", lambda: empty)
    network.restart(newcomer)
    network.run(60.0)
    records = [item for item in map(network.hosts[0].engine.store.get, _ids(network.hosts[0])) if item]
    assert {item.kind for item in records} == {Kind.ADMISSION, Kind.RELAY_KEY}
    assert set(_ids(newcomer)) == set(_ids(network.hosts[0]))
    assert view(newcomer)[1:] == view(network.hosts[0])[1:]
    assert network.complaint_count == 0


def _ids(host: object) -> list[bytes]:
    store = host.engine.store  # type: ignore[attr-defined]
    return [item_id for collection in (0, 2) for _, item_id in store.sets[collection]]


def test_forks_of_the_records_are_the_nodes_own() -> None:
    """What one node hears of stays out of the others' holdings until they hear of it."""
    network = world().network
    loner = network.hosts[0]
    for friendship in network.of(loner):
        network.obstruct(friendship)
    item_id = post(network, loner, "alone")
    network.run(30.0)
    assert holders(network, item_id) == {0}


def test_a_node_that_crashes_starts_again_from_what_was_durable() -> None:
    network = world().network
    before = post(network, network.hosts[1], "before")
    network.run(5.0)
    network.crash(network.hosts[2])
    during = post(network, network.hosts[1], "during")
    network.run(5.0)
    assert holders(network, during) == EVERYBODY - {2}
    network.restart(network.hosts[2])
    assert network.hosts[2].engine is not None
    assert before in network.hosts[2].engine.store
    network.run(20.0)
    assert holders(network, during) == EVERYBODY


def test_halves_of_a_partition_hear_of_each_other_when_it_heals() -> None:
    network = world().network
    cut = [each for each in network.friendships if (each.one.index < 6) != (each.other.index < 6)]
    for friendship in cut:
        network.obstruct(friendship)
    item_id = post(network, network.hosts[0], "here")
    network.run(30.0)
    assert holders(network, item_id) <= set(range(6))
    for friendship in cut:
        network.clear(friendship)
    network.run(20.0)
    assert holders(network, item_id) == EVERYBODY


def test_a_link_opens_only_when_its_last_obstacle_is_gone() -> None:
    network = world().network
    friendship = network.friendships[0]
    network.obstruct(friendship)
    network.obstruct(friendship)
    network.clear(friendship)
    network.run(10.0)
    assert friendship.links is None
    network.clear(friendship)
    network.run(10.0)
    assert friendship.links is not None


def test_a_node_that_is_down_posts_nothing() -> None:
    network = world().network
    network.crash(network.hosts[0])
    with pytest.raises(AssertionError):
        post(network, network.hosts[0], "x")


def test_a_promise_that_the_core_breaks_ends_the_run() -> None:
    """Timers must move on, and slots are used once."""
    network = world().network
    host = network.hosts[0]
    assert host.engine is not None
    host.engine.calendar.ends_at = 0.0
    host.engine.handle_timer = lambda now: None  # type: ignore[method-assign]
    with pytest.raises(SimulationError, match="stays in the past"):
        network.run(3_600.0)


@pytest.mark.parametrize("fault", FAULTS)
def test_honest_nodes_converge_after_each_kind_of_fault(fault: str) -> None:
    made = world(**{fault: FAULTS[fault]}, posts="12", settle_s="600", hours="0.75")
    made.network.run(made.scenario.duration_s - 10)
    assert len(made.workload.posts) >= 10
    assert len({view(host) for host in made.network.hosts}) == 1
    assert set(made.workload.posts) <= set(made.network.hosts[0].disk.items)


def test_honest_nodes_converge_after_all_faults_at_once() -> None:
    made = world(**FAULTS, posts="12", settle_s="1200", hours="0.75", seed="3")
    made.network.run(made.scenario.duration_s - 10)
    assert len({view(host) for host in made.network.hosts}) == 1
    assert set(made.workload.posts) <= set(made.network.hosts[0].disk.items)


def test_relay_keys_converge_too_within_two_epochs_of_healing_and_posts_arrive() -> None:
    """With onions and all faults at once: at some moment all agree, though something new is always on its way.

    A post all of whose onions met a fault is nowhere, and its author is told: about one in a hundred of such times.
    """
    made = world(
        **FAULTS,
        scheme="onion",
        bytes_per_day="300000000",
        epoch_s="600",
        relay_day_epochs="4",
        posts="12",
        settle_s="2400",
        hours="1.8",
    )
    made.network.run(made.scenario.duration_s - 2_410)
    agreed = []
    for _ in range(200):
        made.network.run(6.0)
        agreed.append(len({view(host) for host in made.network.hosts}) == 1)
    assert any(agreed)
    # What was posted in bad times may have to leave in further onions.
    made.network.run(1_200.0)
    assert len(made.workload.posts) >= 5
    hosts = made.network.hosts
    lost = [
        item_id for item_id in made.workload.posts if not any(item_id in host.disk.items for host in hosts)
    ]
    assert len(lost) <= 1
    for item_id in lost:
        author = hosts[made.workload.posts[item_id].author].engine
        assert author is not None
        assert author.mixing.outbox[item_id].given_up
    for host in hosts:
        assert set(made.workload.posts) - set(lost) <= set(host.disk.items)
