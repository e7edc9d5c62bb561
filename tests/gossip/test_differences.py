"""Differences: what a member can sign to have two nodes disagree, and that they agree once they have talked."""

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.crypto.membership import Ring
from rumor.crypto.seeds import commitment_of
from rumor.gossip.bodies import Body, HeartBody, PollBody, RetractionBody, VoteBody
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
@example([], [], False)
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
