"""A node that lost its disk and has an old backup: it says nothing twice, and is the same member to everybody."""

import copy
from dataclasses import dataclass, field

import msgspec
import pytest
from fakenet import EASY, MIXING, FakeNetwork, Peer, Seeded, small_mesh

from rumor.crypto.membership import Purpose
from rumor.gossip.bodies import Kind
from rumor.gossip.drafts import Draft, MarkDraft, ReplyDraft, RetractionDraft
from rumor.gossip.engine import Engine
from rumor.gossip.errors import PostRefused
from rumor.gossip.events import Event, RelayKeyMade
from rumor.gossip.items import Item, ItemId
from rumor.sim.disks import Disk

#: Days of two epochs, and as few packets as will do.
QUIET = msgspec.structs.replace(MIXING, relay_day_epochs=2, relay_keys_min=2, bytes_per_day=400_000_000)
DAY_S = QUIET.relay_day_epochs * QUIET.epoch_s


@dataclass
class Remembering(Disk):
    """A disk that remembers the relay keys that it has forgotten."""

    made: list[RelayKeyMade] = field(default_factory=list)

    def keep(self, event: Event) -> None:
        if isinstance(event, RelayKeyMade):
            self.made.append(event)
        super().keep(event)


def backup_of(peer: Peer) -> Remembering:
    """What a backup keeps of a disk: records, seeds, slots and the guard."""
    disk = copy.deepcopy(peer.disk)
    records = {key: data for key, data in disk.items.items() if not Item.decode_untrusted(data).is_personal}
    return Remembering(items=records, slots=disk.slots, seeds=disk.seeds, guard=disk.guard)


def restore(network: FakeNetwork, peer: Peer, backup: Disk, friends: list[Peer]) -> None:
    """The node comes up again from a backup, at this moment."""
    network.crash(peer)
    peer.disk, peer.up = backup, True
    peer.engine = Engine(
        network.genesis,
        Seeded(f"{peer.name} restored"),
        network.now,
        secret=peer.secret,
        onions=network.onions,
    )
    silent_until = network.genesis.epoch_at(network.now) + 2
    peer.disk.restore(peer.engine, network.now, silent_until)
    for friend in friends:
        peer.engine.friend_added(friend.friend_id)
        network.connect(peer, friend)


def say(network: FakeNetwork, peer: Peer, draft: object) -> ItemId:
    item_id = peer.engine.publish(draft, network.now)  # type: ignore[arg-type]
    network.drain(peer)
    network.settle()
    return item_id


def held(peer: Peer) -> set[ItemId]:
    return set(peer.disk.items)


def test_an_old_backup_uses_no_slot_again_keeps_the_persona_and_goes_on_with_its_marks() -> None:
    """What was said after the backup is not known to the node, and yet it says nothing for the second time."""
    network, peers = small_mesh(3)
    ann, bob = peers[1], peers[2]
    secret = say(network, bob, Draft(text="first"))
    nonce = bob.engine.store.get(secret).secret.thread_nonce  # type: ignore[union-attr]
    say(network, ann, ReplyDraft(thread_nonce=nonce, text="before"))
    own = say(network, ann, Draft(text="mine"))
    backup = backup_of(ann)
    known = set(backup.slots)
    say(network, ann, Draft(text="after"))
    heart = say(network, ann, MarkDraft(kind=Kind.HEART, target=secret))
    say(network, ann, ReplyDraft(thread_nonce=nonce, text="after"))
    since, said = set(ann.disk.slots) - known, held(bob)
    assert since
    restore(network, ann, backup, [peers[0], bob])
    network.settle()
    gate = ann.engine.gate(network.now, None)
    speaks_from = network.genesis.epoch_at(network.now) + 2
    assert gate.open_at == network.genesis.start_of(speaks_from)
    assert len([each for each in gate.obstacles if "restored from a backup" in each]) == 1
    for draft in (Draft(text="too early"), MarkDraft(kind=Kind.HEART, target=secret)):
        with pytest.raises(PostRefused, match="restored from a backup"):
            ann.engine.publish(draft, network.now)
    network.run(gate.open_at - network.now + 0.1)
    assert ann.engine.gate(network.now).obstacles == ()
    assert own in ann.engine.author.seeds
    # The heart that the backup does not know is taken back: its turn follows from what is held.
    say(network, ann, MarkDraft(kind=Kind.HEART, target=secret))
    assert [peer.engine.board.tally(secret).hearts for peer in peers] == [0] * 3
    say(network, ann, Draft(text="again"))
    say(network, ann, ReplyDraft(thread_nonce=nonce, text="the same face"))
    used = set(ann.disk.slots) - known
    assert not used & since
    assert used
    assert min(epoch for _, epoch, _ in used) >= speaks_from
    board, store = bob.engine.board, bob.engine.store
    tags = [store.get(each).tags[1] for each in board.replies(nonce)]  # type: ignore[union-attr]
    assert (len(tags), len(set(tags))) == (3, 1)
    assert said - held(bob) == {heart}, "nothing else of ours gave way"


def test_what_was_taken_back_after_the_backup_is_not_linked_any_more() -> None:
    """The seed that the backup brings goes when friends give back the retraction, though they have no secret to go."""
    network, peers = small_mesh(3)
    ann, bob = peers[1], peers[2]
    gone, stays = (say(network, ann, Draft(text=text)) for text in ("oops", "fine"))
    backup = backup_of(ann)
    say(network, ann, RetractionDraft(seed=ann.engine.author.seeds[gone].seed))
    assert set(ann.engine.author.seeds) == {stays}
    restore(network, ann, backup, [peers[0], bob])
    assert set(ann.engine.author.seeds) == {gone, stays}
    network.settle()
    assert set(ann.engine.author.seeds) == set(backup.seeds) == {stays}
    assert [key.about for key in ann.engine.whispers.keys] == [stays]
    assert gone not in held(ann)


def test_packets_and_relay_keys_are_not_made_again_either() -> None:
    """A packet under a used slot displaces another and links the two; two relay keys of one day are worth none."""
    network, peers = small_mesh(3, QUIET, onions=True, strategy="stem")
    network.run(50.0)
    ann = peers[1]
    backup = backup_of(ann)
    known = set(backup.slots)
    network.run(30.0)
    since, made = set(ann.disk.slots) - known, set(ann.disk.relay_keys)
    assert {purpose for purpose, _, _ in since} == {Purpose.PACKET}
    assert made
    restored_at = network.genesis.epoch_at(network.now)
    restore(network, ann, backup, [peers[0], peers[2]])
    network.run(2 * QUIET.epoch_s - 1.0)
    assert set(ann.disk.slots) <= known | since
    network.run(3 * DAY_S)
    used = set(ann.disk.slots) - known
    assert min(epoch for _, epoch, _ in used) >= restored_at + 2
    days = {key.relay_day for key in ann.disk.made}
    assert days
    assert min(days) > max(made)
    assert min(days) > network.genesis.parameters.relay_day_at(restored_at + 1) + 1
    assert not ann.refused
    assert not ann.complaints


def test_a_restored_founder_gives_no_number_before_it_has_heard() -> None:
    """The number that it gave after the backup would be given to a second newcomer, and both would lose it."""
    network, peers = small_mesh(2)
    founder = peers[0]
    backup = backup_of(founder)
    late = network.add("late")
    network.befriend(founder, late, invited=True)
    network.settle()
    assert late.engine.author.key in peers[1].engine.roster
    restore(network, founder, backup, [])
    later = network.add("later")
    network.befriend(founder, later, invited=True)
    network.settle()
    assert later.engine.author.key not in founder.engine.roster
    network.connect(founder, peers[1])
    founder.engine.friend_added(peers[1].friend_id)
    network.run(4 * EASY.epoch_s)
    for peer in (*peers, later):
        assert {late.engine.author.key, later.engine.author.key} <= set(peer.engine.roster)
