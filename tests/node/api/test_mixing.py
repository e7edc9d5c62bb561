"""Answers about mixing: the outbox says what holds something back, and not only how long a slot takes."""

import msgspec
from fakenet import EASY, small_mesh

from rumor.gossip.drafts import Draft
from rumor.gossip.frames import Digest
from rumor.node.api.mixing import describe_waiting


def test_what_may_not_leave_is_not_said_to_leave_at_the_next_slot() -> None:
    """Until enough friends share one's view again nothing leaves, however often the clock ticks."""
    network, peers = small_mesh(2, msgspec.structs.replace(EASY, epoch_s=3_600), onions=True)
    engine = peers[1].engine
    item_id = engine.publish(Draft(text="soon"), network.now)
    network.drain(peers[1])

    def sentence() -> str:
        row = engine.author.row(item_id)
        assert row is not None
        return str(describe_waiting(engine, row, network.now)["sentence"])

    assert sentence().startswith("Waits for its slot, about")
    puppet = network.add_puppet("puppet", peers[1])
    puppet.say(peers[1], Digest(epoch=engine.calendar.epoch, ring_root=b"r" * 32, relay_root=b"k" * 32))
    assert sentence().startswith("Held back for now. ")
    assert "friend" in sentence()
    assert engine.mixing.outbox.take(network.now, 1.0, secrets=True) is not None
    network.now += 10_000.0
    assert sentence().startswith("Did not come back. Held back for now.")


def test_what_has_its_turn_in_a_later_epoch_waits_for_a_slot_like_all_else() -> None:
    """It is not signed yet, and yet nobody is told that it is being signed."""
    parameters = msgspec.structs.replace(EASY, epoch_s=20, bytes_per_day=500_000_000, secrets_per_epoch=20)
    network, peers = small_mesh(2, parameters, onions=True)
    engine = peers[1].engine
    for number in range(9):
        engine.publish(Draft(text=f"{number}"), network.now)
        network.drain(peers[1])
    rows = engine.author.outbox
    assert rows[-1].item_id not in engine.mixing.outbox
    sentences = [str(describe_waiting(engine, row, network.now)["sentence"]) for row in rows]
    assert all(each.startswith("Waits for its slot") for each in sentences)
    assert len(set(sentences)) > 3
