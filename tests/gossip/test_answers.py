"""Answers: a friend that asks without end gets so much and no more; one that catches up gets all of it."""

from collections import Counter

from fakenet import fill, secret_item, small_mesh

from rumor.gossip.answers import (
    ITEMS_BURST_SIZE,
    ITEMS_RATE,
    RINGS_BURST_COUNT,
    RINGS_RATE,
    WAITING_MAX,
    Allowance,
    Answers,
)
from rumor.gossip.frames import (
    ITEMS_FRAME_SIZE,
    WANT_IDS_MAX,
    Announce,
    Items,
    RingDifference,
    RingWanted,
    Want,
)
from rumor.gossip.items import Item, ItemId
from rumor.gossip.links import RING_QUESTIONS_BURST_COUNT

MARGIN = ITEMS_FRAME_SIZE + 1_000


def test_an_allowance_is_spent_and_grows_back() -> None:
    allowance = Allowance(burst=10, rate=2)
    assert allowance.free_at() <= 100.0
    allowance.spend(10, 100.0)
    assert allowance.free_at() == 100.0
    allowance.spend(4, 100.0)
    assert allowance.free_at() == 102.0
    allowance.spend(1, 200.0)
    assert allowance.free_at() == 195.5


def test_waiting_ids_are_bounded_and_wait_once() -> None:
    answers = Answers()
    for _ in range(2):
        answers.want(ItemId(number.to_bytes(32, "big")) for number in range(10))
    assert len(answers) == 10
    answers.want(ItemId(number.to_bytes(32, "big")) for number in range(2 * WAITING_MAX))
    assert len(answers) == WAITING_MAX


def test_a_friend_that_wants_without_end_gets_no_more_than_its_allowance() -> None:
    network, peers = small_mesh(2)
    held = [ItemId(item_id) for item_id in sorted(fill(peers[0], network, 1_000))]
    greedy = network.add_puppet("greedy", peers[0])
    network.settle()
    greedy.heard.clear()
    seconds = 3
    for _ in range(10 * seconds):
        for _ in range(5):
            for start in range(0, len(held), WANT_IDS_MAX):
                greedy.say(peers[0], Want(item_ids=held[start : start + WANT_IDS_MAX]))
        network.run(0.1)
    size = sum(len(item) for frame in greedy.heard_of(Items) for item in frame.items)
    assert ITEMS_RATE < size <= ITEMS_BURST_SIZE + seconds * ITEMS_RATE + MARGIN
    assert peers[0].complaints == []


def test_what_a_friend_may_have_in_flight_is_answered_whole() -> None:
    """Whatever waits for the allowance is sent long before the friend's patience ends, each item once."""
    network, peers = small_mesh(2)
    held = sorted(fill(peers[0], network, WAITING_MAX))
    friend = network.add_puppet("friend", peers[0])
    network.settle()
    friend.heard.clear()
    for _ in range(2):
        for start in range(0, WAITING_MAX, WANT_IDS_MAX):
            friend.say(peers[0], Want(item_ids=held[start : start + WANT_IDS_MAX]))
    network.run(2.0)
    sent = Counter(item for frame in friend.heard_of(Items) for item in frame.items)
    assert len(sent) == WAITING_MAX


def test_rings_are_sent_a_few_at_once_and_then_one_a_second() -> None:
    network, peers = small_mesh(2)
    friend = network.add_puppet("friend", peers[0])
    ring = peers[0].engine.roster.ring_at(network.genesis.epoch_at(network.now))
    assert ring is not None
    network.settle()
    for _ in range(50):
        friend.say(peers[0], RingWanted(root=ring.root, base_root=b""))
    network.run(0.1)
    assert len(friend.heard_of(RingDifference)) == RINGS_BURST_COUNT
    for _ in range(100):
        friend.say(peers[0], RingWanted(root=ring.root, base_root=b""))
        network.run(0.1)
    assert len(friend.heard_of(RingDifference)) <= RINGS_BURST_COUNT + 11 * RINGS_RATE
    assert peers[0].complaints == []


def test_we_ask_for_no_more_rings_than_a_friend_answers() -> None:
    """Many items over as many unknown rings: each ring is asked for in its turn, and the friend answers all of it."""
    network, peers = small_mesh(3)
    friend = network.add_puppet("friend", peers[1])
    network.settle()
    items = [
        Item(own.kind, own.epoch, own.body, own.tags, own.proof, bytes([slot]) * 32)
        for slot in range(1, 4)
        for own in [secret_item(network, peers[0], f"{slot}", slot=slot)]
    ]
    items += [
        Item(own.kind, own.epoch, own.body, own.tags, own.proof, bytes([16 + slot]) * 32)
        for slot in range(4)
        for own in [secret_item(network, peers[2], f"{slot}", slot=slot)]
    ]
    friend.say(peers[1], Announce(item_ids=[item.item_id for item in items]))
    friend.say(peers[1], Items(items=[item.encoding for item in items]))
    network.run(1.5)
    assert len(friend.heard_of(RingWanted)) == RING_QUESTIONS_BURST_COUNT
    network.run(9.0)
    assert {frame.root for frame in friend.heard_of(RingWanted)} == {item.ring_root for item in items}
