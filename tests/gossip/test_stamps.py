"""Stamps: the epochs that a member's items show say nothing of how much was said with them."""

import msgspec
import pytest
from fakenet import EASY, MIXING, FakeNetwork, Peer, small_mesh

from rumor.crypto.membership import Purpose
from rumor.gossip.bodies import Kind
from rumor.gossip.drafts import Draft, MarkDraft, ReplyDraft
from rumor.gossip.events import OutboxTurned

#: With three members a tick in eight seconds, and an epoch in twenty.
BUSY = msgspec.structs.replace(MIXING, relay_keys_min=0, bytes_per_day=500_000_000, secrets_per_epoch=20)


def stamps(peer: Peer) -> list[int]:
    return [row.epoch for row in peer.engine.author.outbox]


def sitting(network: FakeNetwork, peer: Peer, count: int) -> None:
    """A person says much at once."""
    for number in range(count):
        peer.engine.publish(Draft(text=f"{number}"), network.now)
        network.drain(peer)


def test_what_waits_shows_the_epoch_in_which_its_turn_comes() -> None:
    """And not the one of the sitting, in which all would come late together. Slots are of the same epochs."""
    network, peers = small_mesh(3, BUSY, onions=True)
    engine = peers[1].engine
    interval_s = engine.mixing.pace(network.now).interval_s
    sitting(network, peers[1], 12)
    expected = [network.genesis.epoch_at(network.now + place * interval_s) for place in range(12)]
    assert stamps(peers[1]) == expected
    assert len(set(expected)) > 3
    used = [epoch for purpose, epoch, _ in peers[1].disk.slots if purpose is Purpose.POST]
    assert sorted(used) == expected


def test_nothing_leaves_before_the_epoch_that_it_shows_and_all_of_it_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also if the node ends in between: the ring is that of the time then, which friends have confirmed."""
    network, peers = small_mesh(3, BUSY, onions=True)
    network.run(120.0)
    early: list[int] = []
    kept = peers[1].disk.keep

    def keep(event: object) -> None:
        if isinstance(event, OutboxTurned) and event.item_id is not None:
            row = peers[1].disk.outbox[event.item_id]
            early.append(row.epoch - network.genesis.epoch_at(network.now))
        kept(event)  # type: ignore[arg-type]

    monkeypatch.setattr(peers[1].disk, "keep", keep)
    sitting(network, peers[1], 8)
    network.crash(peers[1])
    network.restart(peers[1])
    for other in (peers[0], peers[2]):
        peers[1].engine.friend_added(other.friend_id)
        network.connect(peers[1], other)
    network.run(400.0)
    assert early
    assert max(early) <= 0
    assert {f"{number}" for number in range(8)} <= peers[2].texts()
    assert peers[1].disk.outbox == {}


def test_what_waits_is_signed_in_its_epoch_over_the_ring_of_that_time() -> None:
    """Over the ring of the sitting it would show, in a mesh that grows, what else was said in it."""
    network, peers = small_mesh(3, BUSY, onions=True)
    network.run(120.0)
    sitting(network, peers[1], 8)
    present = network.genesis.epoch_at(network.now)
    assert max(stamps(peers[1])) > present
    assert {item.epoch for item in peers[1].engine.mixing.outbox.items()} == {present}
    network.befriend(peers[0], network.add("newcomer"), invited=True)
    network.run(400.0)
    reader = peers[2].engine
    said = [reader.store.get(item_id) for item_id in reader.board.secrets]
    items = sorted((item for item in said if item is not None), key=lambda item: item.epoch)
    assert len(items) == 8
    ring = reader.roster.ring_at(items[-1].epoch)
    assert ring is not None
    assert ring.size == 4
    assert items[-1].ring_root == ring.root != items[0].ring_root


def test_an_epoch_whose_slots_are_used_up_is_passed_over() -> None:
    network, peers = small_mesh(2, msgspec.structs.replace(BUSY, replies_per_epoch=1), onions=True)
    engine = peers[1].engine
    interval_s, epoch_s = engine.mixing.pace(network.now).interval_s, network.genesis.parameters.epoch_s
    assert interval_s < epoch_s
    network.now = network.genesis.start_of(network.genesis.epoch_at(network.now) + 1)
    engine.handle_timer(network.now)
    network.drain(peers[1])
    sitting(network, peers[1], int(epoch_s / interval_s) + 1)
    first = stamps(peers[1])[-1]
    for _ in range(3):
        engine.publish(ReplyDraft(thread_nonce=b"n" * 32, text="me"), network.now)
        network.drain(peers[1])
    replies = stamps(peers[1])[-3:]
    assert replies[0] >= first
    assert len(set(replies)) == 3


def test_marks_wait_for_their_turn_like_all_else_and_without_onions_nothing_does() -> None:
    network, peers = small_mesh(2, BUSY, onions=True)
    secret = peers[0].engine.publish(Draft(text="love me"), network.now)
    network.drain(peers[0])
    network.run(120.0)
    assert secret in peers[1].engine.store
    sitting(network, peers[1], 15)
    peers[1].engine.publish(MarkDraft(kind=Kind.HEART, target=secret), network.now)
    assert stamps(peers[1])[-1] > network.genesis.epoch_at(network.now)
    plain, others = small_mesh(2, EASY)
    plain.proving = False
    sitting(plain, others[1], 4)
    assert set(stamps(others[1])) == {plain.genesis.epoch_at(plain.now)}
