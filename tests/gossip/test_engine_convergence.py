"""Whatever came in whatever order, honest nodes that are connected end with the same items, members and rings."""

import random

import msgspec
import pytest
from fakenet import EASY, FakeNetwork, Peer, admission_item, secret_item, small_mesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.gossip import reception, ringsearch
from rumor.gossip.drafts import Draft
from rumor.gossip.errors import PostRefused
from rumor.gossip.frames import Announce, Items
from rumor.gossip.items import Item


def hand_over(network: FakeNetwork, victim: Peer, *items: Item) -> None:
    """Gives items to a node by a friend of its own that says nothing else."""
    friend = network.add_puppet(f"giver {len(network.peers)}", victim)
    for item in items:
        friend.say(victim, Announce(item_ids=[item.item_id]))
        friend.say(victim, Items(items=[item.encoding]))
    network.disconnect(friend.peer, victim)
    victim.engine.friend_removed(friend.peer.friend_id)


def newcomer(network: FakeNetwork, friend: Peer, name: str = "newcomer") -> Peer:
    peer = network.add(name)
    network.befriend(friend, peer)
    return peer


def state(network: FakeNetwork, peer: Peer) -> tuple[object, ...]:
    """What all nodes are to agree on."""
    epoch = network.genesis.epoch_at(network.now)
    ring = peer.engine.roster.ring_at(epoch)
    *items, packets = (frozenset(item_id for _, item_id in kept) for kept in peer.engine.store.sets)
    return (
        frozenset().union(*items),
        packets,
        frozenset(peer.engine.roster),
        ring.root if ring is not None else b"",
        peer.engine.relay_book.root(epoch),
    )


def assert_agreed(network: FakeNetwork, peers: list[Peer]) -> None:
    states = [state(network, peer) for peer in peers]
    assert all(other == states[0] for other in states[1:])
    assert all(peer.disk.items.keys() == states[0][0] for peer in peers)
    assert all(peer.disk.packets.keys() == states[0][1] for peer in peers)


def test_of_two_secrets_in_one_slot_all_keep_the_same() -> None:
    """Two halves of the mesh hear of different ones first; the one with the lower hash is left, everywhere."""
    network, peers = small_mesh(4)
    network.disconnect(peers[1], peers[2])
    one, other = (secret_item(network, peers[0], text) for text in ("yes", "no"))
    hand_over(network, peers[0], one)
    hand_over(network, peers[3], other)
    network.settle()
    assert one.item_id in peers[1].engine.store
    assert other.item_id in peers[2].engine.store
    network.connect(peers[1], peers[2])
    network.settle()
    assert_agreed(network, peers)
    winner = min(one, other, key=lambda item: item.message_hash)
    assert all(peer.disk.items.keys() >= {winner.item_id} for peer in peers)
    assert len(peers[0].texts()) == 1


def test_two_admissions_in_one_slot_cost_nobody_a_secret() -> None:
    """Each half posts over a ring with another rival in it; afterwards all read both, and one rival counts."""
    network, peers = small_mesh(4)
    network.disconnect(peers[1], peers[2])
    secrets = [membership.keypair()[0] for _ in range(2)]
    records = [admission_item(network, peers[0], secret) for secret in secrets]
    hand_over(network, peers[0], records[0])
    hand_over(network, peers[3], records[1])
    network.run(35.0)
    for peer, text in ((peers[0], "left"), (peers[3], "right")):
        epoch = network.genesis.epoch_at(network.now)
        hand_over(network, peer, secret_item(network, peer, text, epoch=epoch))
    network.settle()
    network.connect(peers[1], peers[2])
    network.run(20.0)
    assert_agreed(network, peers)
    assert [peer.texts() for peer in peers] == [{"left", "right"}] * 4
    keys = {membership.public_key(secret) for secret in secrets}
    assert len(keys & set(peers[0].engine.roster)) == 1
    late = newcomer(network, peers[2])
    network.run(30.0)
    assert_agreed(network, [*peers, late])


def test_a_record_dated_back_takes_no_secret_from_its_readers() -> None:
    """A member uses a slot of long ago; rings named before stay right, for newcomers too."""
    network, peers = small_mesh(4, msgspec.structs.replace(EASY, item_lifetime_epochs=6))
    network.run(200.0)
    now = network.genesis.epoch_at(network.now)
    secret = secret_item(network, peers[1], "before")
    hand_over(network, peers[1], secret)
    network.settle()
    for back in (12, 13):
        record = admission_item(network, peers[2], membership.keypair()[0], epoch=now - back)
        hand_over(network, peers[2], record)
    network.settle()
    assert len(peers[0].engine.roster) == 6
    assert_agreed(network, peers)
    late = newcomer(network, peers[3])
    network.settle()
    assert late.texts() == {"before"}
    assert_agreed(network, [*peers, late])


def test_a_ring_that_follows_from_no_roster_outlives_restarts() -> None:
    """A secret over a ring that lacks a record can be checked by newcomers although all nodes were restarted."""
    network, peers = small_mesh(4)
    network.run(40.0)
    epoch = network.genesis.epoch_at(network.now)
    secret = secret_item(network, peers[1], "without you", epoch=epoch)
    hand_over(network, peers[1], secret)
    record = admission_item(network, peers[2], membership.keypair()[0], epoch=epoch - 3)
    hand_over(network, peers[2], record)
    network.settle()
    for peer in peers:
        network.crash(peer)
    for peer in peers:
        network.restart(peer)
    late = newcomer(network, peers[3])
    network.run(30.0)
    assert late.texts() == {"without you"}


def test_rings_are_forgotten_with_the_items_that_name_them() -> None:
    network, peers = small_mesh(3, msgspec.structs.replace(EASY, item_lifetime_epochs=6))
    network.run(60.0)
    hand_over(network, peers[1], admission_item(network, peers[2], membership.keypair()[0]))
    network.run(40.0)
    epoch = network.genesis.epoch_at(network.now)
    hand_over(network, peers[1], secret_item(network, peers[1], "without you", epoch=epoch))
    late = admission_item(network, peers[2], membership.keypair()[0], epoch=epoch - 5)
    hand_over(network, peers[1], late)
    assert len(peers[1].disk.rings) == 1
    network.run(100.0)
    assert peers[1].disk.rings == {}


def test_a_newcomer_learns_a_roster_larger_than_what_is_asked_for_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Records build upon each other; however few are asked for at once, the catch-up does not get stuck."""
    monkeypatch.setattr(reception, "ITEMS_IN_FLIGHT_MAX", 8)
    monkeypatch.setattr(ringsearch, "PARKED_BY_LINK_MAX", 6)
    network, peers = small_mesh(3)
    for _ in range(24):
        network.run(10.0)
        hand_over(network, peers[0], admission_item(network, peers[0], membership.keypair()[0]))
    network.run(30.0)
    for slot in range(4):
        hand_over(network, peers[0], secret_item(network, peers[0], str(slot), slot=slot))
    network.settle()
    late = newcomer(network, peers[2])
    network.run(8.0)
    assert_agreed(network, [*peers, late])


@pytest.mark.parametrize("place", ["first", "last"])
def test_an_item_over_an_unknown_ring_waits_for_the_record_it_lacks(place: str) -> None:
    """A secret that overtakes the record of a ring's youngest member is kept as soon as the record is there."""
    network, peers = small_mesh(3)
    network.disconnect(peers[1], peers[2])
    record = admission_item(network, peers[0], membership.keypair()[0])
    hand_over(network, peers[0], record)
    network.run(30.0)
    secret = secret_item(network, peers[0], "ahead")
    hand_over(network, peers[2], *((secret, record) if place == "first" else (record, secret)))
    network.settle()
    assert secret.item_id in peers[2].engine.store


class Chaos:
    """A mesh in which everything happens: what a test draws, it does."""

    def __init__(self, seed: int) -> None:
        self.network, self.peers = small_mesh(4, msgspec.structs.replace(EASY, founding_size=5))
        self.random = random.Random(seed)
        self.network.copies = lambda sender, receiver, frame: self.random.choices((0, 1, 2), (1, 8, 1))[0]
        self.network.latency_s = lambda: self.random.expovariate(20.0)
        self.count = 0

    def post(self, who: int) -> None:
        peer = self.peers[who]
        self.count += 1
        if peer.up:
            try:
                peer.engine.publish(Draft(text=f"{self.count}"), self.network.now)
            except PostRefused:
                return
            self.network.drain(peer)

    def cheat(self, who: int, slot: int) -> None:
        """The member signs another item in a slot, and hands it to somebody."""
        self.count += 1
        peer = self.peers[who]
        item = secret_item(self.network, peer, f"cheat {self.count}", slot=slot % 4)
        hand_over(self.network, self.peers[slot % len(self.peers)], item)

    def admit(self, who: int, back: int) -> None:
        """The member admits somebody, now or in an epoch that is over, perhaps in a slot that it has used."""
        sponsor = self.peers[who]
        epoch = self.network.genesis.epoch_at(self.network.now) - back
        ring = sponsor.engine.roster.ring_at(epoch)
        if ring is None or membership.public_key(sponsor.secret) not in ring.keys:
            return
        record = admission_item(self.network, sponsor, membership.keypair()[0], epoch=epoch)
        hand_over(self.network, sponsor, record)

    def crash(self, who: int) -> None:
        if self.peers[who].up:
            self.network.crash(self.peers[who])

    def restart(self, who: int) -> None:
        peer = self.peers[who]
        if not peer.up:
            self.network.restart(peer)
            for friend in self.peers:
                if abs(self.peers.index(friend) - who) == 1:
                    peer.engine.friend_added(friend.friend_id)

    def link(self, who: int, on: int) -> None:
        one, other = self.peers[who], self.peers[(who + 1) % len(self.peers)]
        self.network.disconnect(one, other)
        if on % 2 and one.up and other.up and who + 1 < len(self.peers):
            self.network.connect(one, other)

    def wait(self, seconds: int, _: int = 0) -> None:
        self.network.run(float(seconds))

    def heal(self) -> None:
        self.network.copies = lambda sender, receiver, frame: 1
        self.network.latency_s = lambda: 0.02
        for who in range(len(self.peers)):
            self.restart(who)
        for who in range(len(self.peers) - 1):
            self.link(who, 1)
        self.network.run(60.0)


WHO = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), WHO),
        st.tuples(st.just("cheat"), WHO, st.integers(0, 7)),
        st.tuples(st.just("admit"), WHO, st.integers(0, 4)),
        st.tuples(st.just("crash"), WHO),
        st.tuples(st.just("restart"), WHO),
        st.tuples(st.just("link"), st.integers(0, 2), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(1, 30)),
    ),
    min_size=5,
    max_size=25,
)


def converges(seed: int, steps: list[tuple[object, ...]]) -> None:
    chaos = Chaos(seed)
    for name, *arguments in steps:
        getattr(chaos, str(name))(*arguments)
    chaos.heal()
    assert_agreed(chaos.network, chaos.peers)
    assert all(peer.disk.outbox == {} for peer in chaos.peers)


CHAOTIC = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "derandomize": False}


@settings(max_examples=40, **CHAOTIC)
@given(seed=st.integers(0, 2**32), steps=STEPS)
def test_honest_nodes_converge_after_any_history(seed: int, steps: list[tuple[object, ...]]) -> None:
    """Lost, repeated and reordered frames, partitions, crashes, cheats in used slots and records dated back."""
    converges(seed, steps)


@pytest.mark.slow
@settings(max_examples=300, **CHAOTIC)
@given(seed=st.integers(0, 2**32), steps=STEPS)
def test_honest_nodes_converge_after_any_history_at_length(
    seed: int, steps: list[tuple[object, ...]]
) -> None:
    converges(seed, steps)
