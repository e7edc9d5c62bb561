"""Hopeless: what of ours waits, and will be held nowhere, does not leave again, and the outbox does not show it."""

import pytest
from fakenet import FakeNetwork, Peer, Puppet, signed, small_mesh

from rumor.gossip.bodies import HeartBody, Kind, MarkBody
from rumor.gossip.drafts import Draft, MarkDraft, ReplyDraft, RetractionDraft
from rumor.gossip.errors import LocalError
from rumor.gossip.frames import Announce, Items
from rumor.gossip.items import Item, ItemId


def say(network: FakeNetwork, peer: Peer, draft: object) -> ItemId:
    item_id = peer.engine.publish(draft, network.now)  # type: ignore[arg-type]
    network.drain(peer)
    network.settle()
    return item_id


def tell(network: FakeNetwork, puppet: Puppet, peer: Peer, item: Item) -> None:
    """A friend brings this."""
    puppet.say(peer, Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
    network.settle()


def waiting(peer: Peer) -> list[int]:
    """The turns of the marks that wait, in memory; the disk must have the same."""
    assert set(peer.disk.outbox) == {row.item_id for row in peer.engine.author.outbox}
    return [row.body.turn for row in peer.engine.author.outbox if isinstance(row.body, MarkBody)]


def heart(network: FakeNetwork, peer: Peer, target: ItemId, turn: int) -> Item:
    """As this member signs it."""
    epoch = network.genesis.epoch_at(network.now)
    ring = peer.engine.roster.ring_at(epoch)
    assert ring is not None
    return signed(network, peer.secret, ring, Kind.HEART, epoch, HeartBody(target=target, turn=turn))


@pytest.mark.parametrize("restarts", [False, True])
def test_a_heart_that_was_overtaken_by_its_taking_back_is_given_up(restarts: bool) -> None:
    """Everybody holds the later turn and drops the earlier one; and the next change of mind goes on from there."""
    network, peers = small_mesh(3)
    secret = say(network, peers[0], Draft(text="love me"))
    puppet = network.add_puppet("puppet", peers[1])
    network.proving = False
    for _ in range(2):
        say(network, peers[1], MarkDraft(kind=Kind.HEART, target=secret))
    assert sorted(waiting(peers[1])) == [0, 1]
    later = next(row for row in peers[1].engine.author.outbox if row.body.turn == 1)  # type: ignore[union-attr]
    ring = peers[1].engine.roster.ring_at(later.epoch)
    assert ring is not None
    tell(
        network, puppet, peers[1], signed(network, peers[1].secret, ring, Kind.HEART, later.epoch, later.body)
    )  # type: ignore[arg-type]
    if restarts:
        network.crash(peers[1])
        network.restart(peers[1])
    assert waiting(peers[1]) == []
    own = peers[1].engine.own_mark(Kind.HEART, secret)
    assert own is not None
    assert own.turn == 1


def test_our_latest_mark_is_the_latest_of_those_that_wait_and_that_is_held() -> None:
    """A turn must not be given twice: of two hearts of one turn only one would count."""
    network, peers = small_mesh(3)
    secret = say(network, peers[0], Draft(text="love me"))
    puppet = network.add_puppet("puppet", peers[1])
    tell(network, puppet, peers[1], heart(network, peers[1], secret, 4))
    network.proving = False
    say(network, peers[1], MarkDraft(kind=Kind.HEART, target=secret))
    assert waiting(peers[1]) == [5]
    tell(network, puppet, peers[1], heart(network, peers[1], secret, 6))
    assert waiting(peers[1]) == []
    say(network, peers[1], MarkDraft(kind=Kind.HEART, target=secret))
    assert waiting(peers[1]) == [7]


@pytest.mark.parametrize("why", ["taken back", "expired"])
def test_a_heart_for_what_is_gone_is_given_up(why: str) -> None:
    """Nobody holds a mark on nothing, so it would never come back."""
    network, peers = small_mesh(3)
    secret, other = (say(network, peers[0], Draft(text=text)) for text in ("love me", "me, too"))
    network.proving = False
    say(network, peers[1], MarkDraft(kind=Kind.HEART, target=secret))
    network.run(20.0)
    say(network, peers[1], MarkDraft(kind=Kind.HEART, target=other))
    assert waiting(peers[1]) == [0, 0]
    network.proving = True
    if why == "taken back":
        say(network, peers[0], RetractionDraft(seed=peers[0].engine.author.seeds[secret].seed))
        assert waiting(peers[1]) == [0]
    else:
        epoch = peers[1].engine.store.epoch(secret)
        assert epoch is not None
        network.now = network.genesis.start_of(epoch + network.genesis.parameters.item_lifetime_epochs + 1)
        peers[1].engine.handle_timer(network.now)
        network.drain(peers[1])
        assert waiting(peers[1]) == []


def test_what_we_take_back_does_not_leave_again() -> None:
    """Whether or not the node ended between taking it back and letting go of it."""
    network, peers = small_mesh(3)
    secret = say(network, peers[0], Draft(text="about this"))
    item = peers[0].engine.store.get(secret)
    assert item is not None
    assert item.secret is not None
    network.proving = False
    reply = say(network, peers[1], ReplyDraft(thread_nonce=item.secret.thread_nonce, text="oh no"))
    row = peers[1].engine.author.row(reply)
    assert row is not None
    retraction = say(network, peers[1], RetractionDraft(seed=row.seed))
    assert set(peers[1].disk.outbox) == {reply, retraction}
    gone = peers[1].engine.author.row(retraction)
    assert gone is not None
    ring = peers[1].engine.roster.ring_at(gone.epoch)
    assert ring is not None
    puppet = network.add_puppet("puppet", peers[1])
    opened = signed(network, peers[1].secret, ring, Kind.RETRACTION, gone.epoch, gone.body)  # type: ignore[arg-type]
    tell(network, puppet, peers[1], opened)
    assert peers[1].disk.outbox == {}
    assert peers[1].engine.author.linked == []


def test_a_vote_that_nobody_would_count_is_refused_here() -> None:
    network, peers = small_mesh(2)
    secret = say(network, peers[0], Draft(text="no poll"))
    poll = say(network, peers[0], Draft(text="which?", choices=("a", "b")))
    for target, choice in ((secret, 0), (poll, 2), (poll, -1), (poll, 6)):
        with pytest.raises(LocalError, match="choice"):
            peers[1].engine.publish(MarkDraft(kind=Kind.VOTE, target=target, choice=choice), network.now)
    assert peers[1].engine.author.outbox == []
