"""Differences: what a member can sign to have two nodes disagree, and that they agree once they have talked."""

from collections.abc import Sequence

import pytest
from fakenet import Peer, signed, small_mesh
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.crypto.membership import Ring
from rumor.crypto.seeds import commitment_of
from rumor.gossip.bodies import Body, HeartBody, MarkBody, PollBody, RetractionBody, VoteBody
from rumor.gossip.drafts import Draft
from rumor.gossip.frames import Announce, Items, Want, decode_frame_untrusted
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.holdings import Holdings
from rumor.gossip.items import Item

KEYS = [membership.keypair()[1] for _ in range(2)]
GENESIS = Genesis.found("differences", KEYS[0], Parameters())
RING = Ring(KEYS)
NONCE = b"n" * 32


def item(body: Body, tag: bytes, epoch: int = 9) -> Item:
    """An item of whoever leaves this tag."""
    tags = (tag.ljust(33, b"."), b"p" * 33)[: body.scope_count]
    return Item(body.kind, epoch, body, tags, b"".join(tags).ljust(100, b"#"), RING.root)


def opening(number: int) -> bytes:
    return bytes([number]) * 32


def poll(number: int) -> Item:
    """One of several in the same slot, of an epoch that ends last."""
    body = PollBody(
        slot=0,
        text=f"tea or coffee, {number}?",
        style=0,
        thread_nonce=NONCE,
        reply_key=bytes(32),
        retraction=commitment_of(opening(number)),
        choices=["tea", "coffee"],
    )
    return item(body, b"slot", epoch=12)


POLLS = sorted((poll(number) for number in range(3)), key=lambda each: each.precedence)
#: Of those that stay and the one that goes first.
RETRACTIONS = [
    item(RetractionBody(slot=2, opening=opening(number)), b"slot of %d" % number, epoch)
    for number, epoch in ((0, 9), (1, 9), (2, 11))
]
MARKS = [
    item(HeartBody(target=target.item_id, turn=turn), b"heart" + target.item_id[:8], epoch)
    for target in POLLS[:2]
    for turn, epoch in ((0, 9), (0, 10), (0, 11), (1, 10))
]
VOTES = [
    item(VoteBody(target=target.item_id, turn=0, choice=choice), b"vote" + target.item_id[:8], epoch)
    for target in POLLS[:2]
    for choice, epoch in ((0, 10), (1, 11), (1, 10))
]
ALL = {each.item_id: each for each in (*POLLS, *RETRACTIONS, *MARKS, *VOTES)}


def offer(holdings: Holdings, each: Item) -> bool:
    """What a node does with an item that a friend announces; returns whether it asked for it."""
    if not holdings.lacking([each.item_id]):
        return False
    if holdings.store.is_below_floor(each):
        holdings.refuse(each.item_id)
    elif holdings.is_displaced(each):
        holdings.refuse(each.item_id, holdings.cause(each))
    elif each.mark is not None and not holdings.board.takes(each.mark):
        if each.mark.target in holdings.store:
            holdings.refuse(each.item_id)
        elif holdings.is_refused(each.mark.target):
            holdings.refuse(each.item_id, each.mark.target)
    else:
        holdings.keep(each, RING)
    return True


def held(holdings: Holdings) -> list[Item]:
    return [each for item_id, each in ALL.items() if item_id in holdings.store]


def talk(one: Holdings, other: Holdings) -> int:
    """Two nodes reconcile until neither asks for anything; returns after how many rounds."""
    for rounds in range(20):
        asked = [offer(here, each) for here, there in ((one, other), (other, one)) for each in held(there)]
        if not any(asked):
            return rounds
    raise AssertionError("they go on for ever")


def opinion(holdings: Holdings) -> object:
    """What a reader sees."""
    said = [each for each in held(holdings) if each.mark is None]
    return [(each.item_id, holdings.board.tally(each.item_id)) for each in said]


orders = st.lists(st.sampled_from(list(ALL.values())), max_size=12)


@given(orders, orders, st.booleans())
def test_two_nodes_agree_once_they_have_talked_also_after_some_has_expired(
    first: Sequence[Item], second: Sequence[Item], apart: bool
) -> None:
    """Whatever came to which of them in which order, and whoever let go of what first; and they come to an end."""
    nodes = Holdings(GENESIS), Holdings(GENESIS)
    for holdings, order in zip(nodes, (first, second), strict=True):
        for each in order:
            offer(holdings, each)
    for floor in (10, 11):
        if not apart:
            talk(*nodes)
            assert opinion(nodes[0]) == opinion(nodes[1])
        for holdings in nodes:
            holdings.expire(item_epoch=floor, relay_epoch=0, packet_epoch=0)
    talk(*nodes)
    assert opinion(nodes[0]) == opinion(nodes[1])


@pytest.mark.parametrize("kind", [HeartBody, VoteBody])
def test_two_nodes_with_other_marks_of_one_rank_ask_each_other_once(kind: type[MarkBody]) -> None:
    """A member that signs three hearts of one turn leaves another one at each of two nodes; they count it alike."""
    network, peers = small_mesh(2)
    network.run(50.0)
    poll_id = peers[0].engine.publish(Draft(text="which?", choices=("a", "b")), network.now)
    network.drain(peers[0])
    network.settle()
    network.disconnect(*peers)
    epoch = network.genesis.epoch_at(network.now)
    ring = peers[0].engine.roster.ring_at(epoch)
    assert ring is not None
    more = {"choice": 1} if kind is VoteBody else {}
    body = kind(target=poll_id, turn=0, **more)
    marks = sorted(
        (signed(network, peers[1].secret, ring, kind.kind, epoch - back, body) for back in range(3)),
        key=lambda each: each.precedence,
    )
    for peer, order in ((peers[0], marks[::-1]), (peers[1], marks)):
        puppet = network.add_puppet(f"puppet of {peer.name}", peer)
        for mark in order:
            puppet.say(peer, Announce(item_ids=[mark.item_id]), Items(items=[mark.encoding]))
            network.settle()
        network.disconnect(puppet.peer, peer)
    held = [{mark.item_id for mark in marks if mark.item_id in peer.engine.store} for peer in peers]
    assert (len(held[0]), held[0] & held[1]) == (1, set())
    asked: list[bytes] = []

    def copies(sender: Peer, receiver: Peer, frame: bytes) -> int:
        message = decode_frame_untrusted(frame)
        if isinstance(message, Want):
            asked.extend(message.item_ids)
        return 1

    network.copies = copies
    network.connect(*peers)
    network.run(2_000.0)
    assert len(asked) <= 2
    tallies = [peer.engine.board.tally(poll_id) for peer in peers]
    assert tallies[0] == tallies[1]
    assert tallies[0].hearts + sum(tallies[0].votes) == 1
