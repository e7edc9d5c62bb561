"""Intake and the search for rings: fair among friends, bounded, and nothing is lost between the two."""

import random

import pytest

from rumor.crypto import membership
from rumor.crypto.membership import Ring
from rumor.gossip import ringsearch
from rumor.gossip.bodies import Kind, SecretBody
from rumor.gossip.events import LinkId
from rumor.gossip.intake import BATCH_MAX, BATCHES_IN_FLIGHT_MAX, Arrival, Intake
from rumor.gossip.items import Item
from rumor.gossip.ringsearch import (
    ASK_DELAY_S,
    ASK_INTERVAL_S,
    PARKED_BY_LINK_MAX,
    PARKED_S_MAX,
    TRIED_AT_ONCE,
    RingSearch,
)

RINGS = [Ring([membership.keypair()[1] for _ in range(2)]) for _ in range(2)]
A, B, C = LinkId(1), LinkId(2), LinkId(3)


def arrival(number: int, link: LinkId, ring_root: bytes = RINGS[0].root, epoch: int = 5) -> Arrival:
    nonce = number.to_bytes(32, "big")
    body = SecretBody(slot=0, text="x", style=0, thread_nonce=nonce, reply_key=nonce, retraction=nonce)
    return Arrival(Item(Kind.SECRET, epoch, body, (bytes(33), bytes(33)), b"", ring_root), link)


def test_a_batch_is_over_one_ring_and_takes_turns() -> None:
    """A friend with a long queue does not keep another's single item waiting for more than a batch."""
    intake = Intake()
    for number in range(3 * BATCH_MAX):
        intake.enqueue(arrival(number, A), RINGS[0])
    intake.enqueue(arrival(1_000, B), RINGS[0])
    intake.enqueue(arrival(1_001, C), RINGS[1])
    first = intake.next_batch()
    second = intake.next_batch()
    assert first is not None
    assert second is not None
    assert intake.next_batch() is None, f"no more than {BATCHES_IN_FLIGHT_MAX} at once"
    assert len(first[2]) == BATCH_MAX
    assert {item.link for item in second[2]} >= {B}
    intake.finish(first[0])
    third = intake.next_batch()
    assert third is not None
    assert (third[1], [item.link for item in third[2]]) == (RINGS[1], [C])


def test_what_waits_is_counted_by_friend_until_its_verdict() -> None:
    intake = Intake()
    for number in range(3):
        intake.enqueue(arrival(number, A), RINGS[0])
    batch = intake.next_batch()
    assert batch is not None
    assert (intake.count(A), intake.count(B), len(intake)) == (3, 0, 3)
    assert intake.finish(batch[0]) == (RINGS[0], batch[2])
    assert (intake.count(A), len(intake)) == (0, 0)


def test_a_refused_friends_queue_is_dropped_and_others_are_not() -> None:
    intake = Intake()
    for number in range(4):
        intake.enqueue(arrival(number, A if number % 2 else B), RINGS[0])
    assert [dropped.link for dropped in intake.link_refused(A)] == [A, A]
    batch = intake.next_batch()
    assert batch is not None
    assert [left.link for left in batch[2]] == [B, B]


def test_a_friend_fills_only_its_own_places(monkeypatch: pytest.MonkeyPatch) -> None:
    search = RingSearch()
    search.park(arrival(0, B), 0.0)
    for number in range(1, 2 * PARKED_BY_LINK_MAX):
        search.park(arrival(number, A, number.to_bytes(32, "big")), 0.0)
    assert (search.count(A), search.count(B)) == (PARKED_BY_LINK_MAX, 1)
    monkeypatch.setattr(ringsearch, "PARKED_MAX", len(search))
    assert [dropped.link for dropped in search.park(arrival(9_999, C), 0.0)] == [A]


def test_a_ring_that_is_found_frees_all_that_wait_for_it() -> None:
    search = RingSearch()
    waiting = [arrival(number, A) for number in range(3)]
    other = arrival(9, B, RINGS[1].root)
    for each in (*waiting, other):
        search.park(each, 0.0)
    found = list(search.found(lambda item: RINGS[0] if item.ring_root == RINGS[0].root else None))
    assert [each for each, _ in found] == waiting
    assert len(search) == 1
    assert not search.awaits(RINGS[0].root)


def test_an_item_of_a_wrong_epoch_holds_up_no_other_over_its_ring() -> None:
    search = RingSearch()
    search.park(arrival(1, A, epoch=1), 0.0)
    search.park(arrival(2, B, epoch=5), 0.0)
    found = list(search.try_root(RINGS[0].root, lambda item: RINGS[0] if item.epoch >= 5 else None))
    assert [each.link for each, _ in found] == [B]


def test_each_change_of_the_roster_tries_few_rings_oldest_first() -> None:
    search = RingSearch()
    for number in range(20):
        search.park(arrival(number, A, number.to_bytes(32, "big"), epoch=50 - number), 0.0)
    tried: list[int] = []
    list(search.found(lambda item: tried.append(item.epoch)))
    assert tried == [31, 32, 33, 34][:TRIED_AT_ONCE]


def test_the_sender_is_asked_first_and_others_with_it_later() -> None:
    search = RingSearch()
    search.park(arrival(1, A), 0.0)
    root, source = RINGS[0].root, random.Random(0)
    assert search.timer() == ASK_DELAY_S
    assert search.due(ASK_DELAY_S - 0.01) == []
    assert search.due(ASK_DELAY_S) == [root]
    assert search.whom_to_ask(root, [A, B, C], source, ASK_DELAY_S) == [A]
    now, later = ASK_DELAY_S, set()
    for _ in range(20):
        assert search.timer() == now + ASK_INTERVAL_S
        now += ASK_INTERVAL_S
        asked = search.whom_to_ask(root, [A, B, C], source, now)
        assert asked[0] == A
        later.update(asked[1:])
    assert later == {B, C}


def test_nobody_waits_for_ever() -> None:
    search = RingSearch()
    parked = arrival(1, A)
    search.park(parked, 0.0)
    search.park(arrival(2, B), 1.0)
    assert search.handle_timer(PARKED_S_MAX) == [parked]
    assert search.link_closed(B) != []
    assert search.timer() is None
    assert len(search) == 0
