"""Epochs, lifetimes and limits at their edges, and clocks that disagree."""

import random

import msgspec
import pytest
from fakenet import EASY, FakeNetwork, Peer, secret_item, small_mesh

from rumor.gossip.drafts import Draft
from rumor.gossip.errors import PostRefused
from rumor.gossip.frames import Announce, Digest, Items
from rumor.gossip.genesis import BYTES_PER_EPOCH_MAX, Parameters
from rumor.gossip.store import PACKET_EPOCHS, TRANSIENT

QUICKEST = Parameters(
    epoch_s=1, item_lifetime_epochs=1, friends_min=1, members_min=2, relay_keys_min=0, founding_size=8
)


def test_the_quickest_mesh_still_spreads_and_forgets() -> None:
    """An epoch of a second and a lifetime of one epoch: a secret arrives, and is gone two seconds later."""
    network, peers = small_mesh(4, QUICKEST)
    network.run(1.0 - network.now % 1.0 + 0.01)
    peers[0].engine.publish(Draft(text="blink"), network.now)
    network.drain(peers[0])
    network.run(0.8)
    assert [peer.texts() for peer in peers] == [{"blink"}] * 4
    network.run(2.0)
    assert [peer.texts() for peer in peers] == [set()] * 4
    assert all(len(peer.engine.roster) == 4 for peer in peers)
    network.run(PACKET_EPOCHS)
    assert all(peer.disk.slots == {} for peer in peers)


def test_the_extreme_parameters_neither_spin_nor_grow() -> None:
    for parameters in (
        msgspec.structs.replace(
            QUICKEST, secrets_per_epoch=1_000, admissions_per_epoch=1_000, founding_size=64
        ),
        msgspec.structs.replace(
            EASY,
            epoch_s=86_400,
            bytes_per_day=BYTES_PER_EPOCH_MAX,
            item_lifetime_epochs=100_000,
            replies_per_epoch=0,
        ),
        msgspec.structs.replace(EASY, founding_size=2, members_min=1_024),
    ):
        network, peers = small_mesh(2, parameters)
        timer = peers[0].engine.timer()
        assert timer is not None
        assert timer >= network.now
        network.run(100.0)
        assert sum(peer.sent["frames"] for peer in peers) < 1_000


def test_a_second_member_is_enough_to_grow_a_mesh_that_the_founder_no_longer_signs_for() -> None:
    network, peers = small_mesh(2, msgspec.structs.replace(EASY, founding_size=2))
    third = network.add("third")
    network.befriend(peers[1], third, invited=True)
    network.run(30.0)
    assert all(len(peer.engine.roster) == 3 for peer in (*peers, third))


def test_an_engine_that_slept_for_a_week_wakes_in_one_step() -> None:
    network, peers = small_mesh(2, msgspec.structs.replace(EASY, item_lifetime_epochs=5))
    peers[0].engine.publish(Draft(text="old"), network.now)
    network.drain(peers[0])
    network.settle()
    network.now += 7 * 86_400
    peers[0].engine.handle_timer(network.now)
    network.drain(peers[0])
    timer = peers[0].engine.timer()
    assert timer is not None
    assert timer > network.now
    assert peers[0].texts() == set()


def test_clocks_an_epoch_apart_do_not_matter() -> None:
    """Who is ahead by less than an epoch posts under the next one, and is read."""
    network, peers = small_mesh(3)
    network.run(10.0 - network.now % 10.0 - 1.0)
    ahead = network.now + 5.0
    peers[0].engine.handle_timer(ahead)
    peers[0].engine.publish(Draft(text="from tomorrow"), ahead)
    network.drain(peers[0])
    network.settle()
    assert [peer.texts() for peer in peers] == [{"from tomorrow"}] * 3
    assert not any(peer.complaints for peer in peers)


@pytest.mark.parametrize(("ahead", "words"), [(20, "4 minutes ahead of"), (-20, "4 minutes behind")])
def test_who_has_another_time_than_all_friends_is_told_and_posts_nothing(ahead: int, words: str) -> None:
    """Nobody would take it, and it would be sent again and again without a word."""
    network, peers = small_mesh(2)
    engine = peers[1].engine
    engine.friend_removed(peers[0].friend_id)
    friend = network.add_puppet("friend", peers[1])
    epoch = network.genesis.epoch_at(network.now)
    ring = engine.roster.ring_at(epoch)
    assert ring is not None
    for off in (ahead, 0):
        friend.say(
            peers[1],
            Digest(epoch=epoch + off, ring_root=ring.root, relay_root=engine.relay_book.root(epoch)),
        )
        if off:
            with pytest.raises(PostRefused, match=f"The clock of a friend is {words} yours"):
                engine.publish(Draft(text="from elsewhen"), network.now)
    engine.publish(Draft(text="from now"), network.now)


def test_a_smaller_store_is_not_offered_again_what_it_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node short of memory keeps the newest epochs and agrees with a larger one about the rest."""
    network, peers = small_mesh(2)
    size = 0
    for number in range(12):
        network.run(10.0)
        item_id = peers[0].engine.publish(Draft(text=f"{number}"), network.now)
        network.drain(peers[0])
        size = len(peers[0].engine.store.get(item_id).encoding)
    network.settle()
    small = network.add("small")
    small.engine.store._shelves[TRANSIENT]._size_max = 6 * size
    network.befriend(peers[1], small)
    network.settle()
    kept = small.texts()
    assert 0 < len(kept) <= 6
    assert kept == {f"{number}" for number in range(12 - len(kept), 12)}
    before = small.sent["bytes"]
    network.run(900.0)
    assert small.sent["bytes"] - before < 20_000, "only reconciliations of what is the same"
    assert small.texts() == kept


def test_an_item_that_expires_while_it_is_verified_is_not_kept() -> None:
    network, peers = small_mesh(2, msgspec.structs.replace(EASY, item_lifetime_epochs=1))
    friend = network.add_puppet("friend", peers[1])
    item = secret_item(network, peers[0], "too late")
    verdicts = []
    monkey = peers[1].engine.verified
    peers[1].engine.verified = lambda *verdict: verdicts.append(verdict)  # type: ignore[method-assign]
    friend.say(peers[1], Announce(item_ids=[item.item_id]))
    friend.say(peers[1], Items(items=[item.encoding]))
    network.run(30.0)
    (batch, held, _) = verdicts[0]
    monkey(batch, held, network.now)
    network.drain(peers[1])
    assert held == [True]
    assert peers[1].texts() == set()
    assert item.item_id not in peers[1].engine.store


def flood_of(network: FakeNetwork, peer: Peer, count: int) -> None:
    """So many secrets by hand, all over this ring and in one epoch, in the memory of one node."""
    for slot in range(count):
        peer.engine.accept(secret_item(network, peer, f"{slot}", slot=slot), None, network.now, None)
    network.drain(peer)


def test_a_flood_in_one_epoch_evicts_that_epoch_and_the_node_goes_on() -> None:
    network, peers = small_mesh(2, msgspec.structs.replace(EASY, secrets_per_epoch=1_000))
    store = peers[0].engine.store
    store._shelves[TRANSIENT]._size_max = 20_000
    flood_of(network, peers[0], 40)
    assert store.size <= 20_000
    network.run(40.0)
    flood_of(network, peers[0], 3)
    assert len(store) == len(list(store.records())) + 3


def test_timers_are_due_after_every_kind_of_call() -> None:
    """Whatever has just happened, the next moment to wake up is known and lies ahead once it was handled."""
    network, peers = small_mesh(3)
    source = random.Random(1)
    for _ in range(200):
        network.run(source.random() * 3)
        for peer in peers:
            timer = peer.engine.timer()
            assert timer is not None
            assert timer >= network.now - 0.001
            assert timer <= network.now + 10.0
        if source.random() < 0.2:
            try:
                peers[0].engine.publish(Draft(text=str(network.now)), network.now)
            except PostRefused:
                continue
            network.drain(peers[0])
