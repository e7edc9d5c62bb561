"""Authoring: our slots, our outbox, and those we sponsor; before anybody else sees any of it."""

import msgspec
import pytest
from fakenet import EASY, Seeded, admission_item, small_mesh

from rumor.crypto import membership
from rumor.crypto.membership import Purpose
from rumor.gossip.drafts import Draft
from rumor.gossip.engine import Engine
from rumor.gossip.errors import LocalError
from rumor.gossip.events import Event, OutboxAdded, OutboxRemoved, ProofWanted, SlotUsed
from rumor.gossip.items import Item


def events_of(engine: Engine) -> list[Event]:
    events = []
    while (event := engine.next_event()) is not None:
        events.append(event)
    return events


def test_a_post_is_durable_before_anything_of_it_can_leave() -> None:
    """Slot and outbox row come before the question for the proof, in one step, and no frame tells of it."""
    network, peers = small_mesh(3)
    engine = peers[1].engine
    engine.frames_to_send()
    item_id = engine.publish(Draft(text=" one \r\n"), network.now)
    events = events_of(engine)
    assert [type(event) for event in events] == [SlotUsed, OutboxAdded, ProofWanted]
    assert engine.frames_to_send() == []
    assert events[1].item_id == events[2].item_id == item_id
    assert events[1].body.text == "one"
    assert events[1].body.slot == events[0].slot
    assert events[1].seed.hex() not in repr(events[1])


@pytest.mark.parametrize("text", ["", " ", "\x00", "a" * 1_001])
def test_a_text_that_will_not_do_spends_no_slot(text: str) -> None:
    network, peers = small_mesh(2)
    with pytest.raises(LocalError, match="1 to 1,000 bytes"):
        peers[0].engine.publish(Draft(text=text), network.now)
    assert events_of(peers[0].engine) == []


def test_a_post_that_waited_too_long_is_given_up() -> None:
    """After an item's lifetime nobody would take it; the row with its seed goes."""
    network, peers = small_mesh(2, msgspec.structs.replace(EASY, item_lifetime_epochs=3))
    network.proving = False
    peers[0].engine.publish(Draft(text="never"), network.now)
    network.drain(peers[0])
    network.crash(peers[0])
    assert len(peers[0].disk.outbox) == 1
    network.run(60.0)
    network.restart(peers[0])
    assert peers[0].disk.outbox == {}
    assert peers[0].texts() == set()


def test_a_post_whose_author_lost_its_place_waits_instead_of_failing() -> None:
    """A rival of our admission won while we were down: there is no ring to prove over, and starting must not fail."""
    network, peers = small_mesh(3)
    rivals = [membership.keypair()[0] for _ in range(2)]
    records = sorted(
        (admission_item(network, peers[1], secret) for secret in rivals), key=lambda item: item.message_hash
    )
    loser = next(secret for secret in rivals if membership.public_key(secret) == records[1].body.key)
    peer = network.add("loser")
    network.restart(peer)
    peer.secret = loser
    peer.disk.items = {
        item.item_id: item.encoding for item in (*peers[0].engine.store.records(), *records[1:])
    }
    network.run(30.0)
    network.restart(peer)
    network.befriend(peers[0], peer)
    network.befriend(peers[2], peer)
    network.proving = False
    peers[0].engine.roster.add(records[1])
    ring = peer.engine.roster.ring_at(network.genesis.epoch_at(network.now))
    peer.engine.author.write(Draft(text="am I"), ring, network.genesis.epoch_at(network.now))
    row = peer.engine.author.outbox[0]
    network.crash(peer)
    peer.disk.outbox[row.item_id] = row
    peer.disk.items[records[0].item_id] = records[0].encoding
    network.proving = True
    network.restart(peer)
    assert peer.engine.author.key not in peer.engine.roster
    assert len(peer.engine.author.outbox) == 1


def test_an_item_that_was_kept_before_the_crash_is_not_proved_again() -> None:
    network, peers = small_mesh(2)
    item_id = peers[0].engine.publish(Draft(text="kept"), network.now)
    rows = [event for event in events_of(peers[0].engine) if isinstance(event, OutboxAdded)]
    network.disconnect(peers[0], peers[1])
    ring = peers[0].engine.roster.ring_at(network.genesis.epoch_at(network.now))
    unproved = peers[0].engine.author._unproved[item_id]
    unsigned = Item(unproved.body.kind, unproved.epoch, unproved.body, (), b"", b"")
    scopes = unsigned.scopes(network.genesis.mesh_id)
    proof = membership.prove(peers[0].secret, ring, scopes, unsigned.message)
    peers[0].engine.proof_made(item_id, proof, network.now)
    network.drain(peers[0])
    item = peers[0].engine.store.get(item_id)
    engine = Engine(network.genesis, Seeded("again"), network.now, secret=peers[0].secret)
    records = list(peers[0].engine.store.records())
    engine.restore(items=[*records, item], slots=[], outbox=rows, now=network.now)
    events = events_of(engine)
    assert OutboxRemoved(item_id=item_id) in events
    assert not any(isinstance(event, ProofWanted) for event in events)


def test_slots_are_used_by_admissions_too_and_before_the_proof() -> None:
    network, peers = small_mesh(3, msgspec.structs.replace(EASY, founding_size=3))
    network.proving = False
    newcomer = network.add("newcomer")
    network.befriend(peers[2], newcomer, invited=True)
    network.settle()
    assert [slot[0] for slot in peers[2].disk.slots] == [Purpose.ADMIT]
    assert peers[2].engine.author.petition_count == 1
    network.crash(peers[2])
    network.proving = True
    network.restart(peers[2])
    for friend in (peers[1], newcomer):
        peers[2].engine.friend_added(friend.friend_id)
        network.connect(peers[2], friend)
    peers[2].engine.sponsor(newcomer.friend_id)
    network.run(40.0)
    assert newcomer.engine.author.key in peers[1].engine.roster, (
        "the petition came again, in a slot of its own"
    )


def test_removing_a_friend_takes_its_admission_back_while_it_is_being_proved() -> None:
    network, peers = small_mesh(3, msgspec.structs.replace(EASY, founding_size=3))
    network.proving = False
    newcomer = network.add("newcomer")
    network.befriend(peers[2], newcomer, invited=True)
    network.settle()
    (item_id,) = peers[2].engine.author._unproved
    peers[2].engine.friend_removed(newcomer.friend_id)
    assert peers[2].engine.author.finish(item_id, b"") is None


def test_a_founder_asked_by_two_at_once_signs_for_both() -> None:
    network, peers = small_mesh(2)
    network.disconnect(peers[0], peers[1])
    newcomers = [network.add(f"newcomer {number}") for number in range(2)]
    for newcomer in newcomers:
        peers[0].engine.sponsor(newcomer.friend_id)
        key, proof = newcomer.engine.author.petition()
        peers[0].engine.author.petitioned(newcomer.friend_id, key, proof)
    network.run(15.0)
    assert all(newcomer.engine.author.key in peers[0].engine.roster for newcomer in newcomers)
    assert peers[0].disk.slots == {}


def test_who_has_no_key_has_no_petition() -> None:
    network, _ = small_mesh(2)
    with pytest.raises(LocalError):
        Engine(network.genesis, Seeded("nobody"), network.now).author.petition()
