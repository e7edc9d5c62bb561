"""Catch-up: rounds that follow each other, sessions that end, and a friend that cannot make it dear."""

import random

import pytest

from rumor.gossip.bodies import AdmissionBody, Kind, SecretBody
from rumor.gossip.catchup import INTERVAL_S, SESSION_S_MAX, SPACING_S_MIN, CatchUp
from rumor.gossip.errors import Fault, RemoteError
from rumor.gossip.frames import Reconcile
from rumor.gossip.genesis import Parameters
from rumor.gossip.items import Item, ItemId
from rumor.gossip.store import RECORDS, TRANSIENT, ItemStore


def secret(epoch: int, number: int) -> Item:
    nonce = number.to_bytes(32, "big")
    body = SecretBody(slot=0, text="x", style=0, thread_nonce=nonce, reply_key=nonce, retraction=nonce)
    return Item(Kind.SECRET, epoch, body, (bytes(33), bytes(33)), bytes(66), bytes(32))


def record(epoch: int, number: int) -> Item:
    body = AdmissionBody(slot=0, key=number.to_bytes(33, "big"), possession=bytes(64))
    return Item(Kind.ADMISSION, epoch, body, (bytes(33),), b"", bytes(32))


def store_of(*items: Item, floor: int = 0) -> ItemStore:
    store = ItemStore(Parameters())
    for item in items:
        store.add(item)
    store.expire(TRANSIENT, floor)
    return store


def run_round(
    ours: ItemStore, theirs: ItemStore, now: float = 0.0
) -> tuple[list[ItemId], list[ItemId], CatchUp]:
    """Runs one whole round; returns what each side announces, and the side that starts."""
    one, other = CatchUp(ours, random.Random(1), True, now), CatchUp(theirs, random.Random(2), False, now)
    announced: tuple[list[ItemId], list[ItemId]] = [], []
    waiting = [(other, frame) for frame in one.handle_timer(now)]
    while waiting:
        side, frame = waiting.pop(0)
        replies, have = side.receive_untrusted(frame, now)
        announced[side is other].extend(have)
        waiting += [(one if side is other else other, reply) for reply in replies]
    return *announced, one


def test_each_side_announces_what_the_other_lacks_records_first() -> None:
    common = [record(1, 0), secret(2, 0)]
    mine, yours = [record(3, 1), secret(4, 1)], [record(3, 2), secret(4, 2)]
    ours, theirs, _ = run_round(store_of(*common, *mine), store_of(*common, *yours))
    assert ours == [item.item_id for item in mine]
    assert theirs == [item.item_id for item in yours]


def test_records_are_announced_oldest_first() -> None:
    """A newcomer can check a record only after those that its ring is made of."""
    records = [record(epoch, epoch) for epoch in range(60)]
    random.Random(0).shuffle(records)
    _, theirs, _ = run_round(store_of(), store_of(*records))
    assert theirs == [item.item_id for item in sorted(records, key=lambda item: item.epoch)]


def test_what_one_side_has_dropped_is_not_offered_to_it() -> None:
    items = [secret(epoch, epoch) for epoch in range(10)]
    ours, theirs, _ = run_round(store_of(*items, floor=6), store_of(*items))
    assert ours == theirs == []


def test_rounds_follow_each_other() -> None:
    *_, one = run_round(store_of(), store_of(record(1, 1)), now=100.0)
    at = one.timer()
    assert at is not None
    assert 100.0 + INTERVAL_S / 2 <= at <= 100.0 + INTERVAL_S * 1.5
    assert one.handle_timer(at - 1) == []
    assert [frame.collection for frame in one.handle_timer(at)] == [RECORDS]


def test_a_friend_that_falls_silent_ends_the_session_and_another_comes() -> None:
    one = CatchUp(store_of(), random.Random(1), True, 0.0)
    assert one.handle_timer(0.0) != []
    assert one.timer() == SESSION_S_MAX
    assert one.handle_timer(SESSION_S_MAX) == []
    at = one.timer()
    assert at is not None
    assert one.handle_timer(at) != []


def test_who_answers_never_starts_and_gives_a_silent_session_up() -> None:
    *_, one = run_round(store_of(), store_of())
    other = CatchUp(store_of(), random.Random(1), False, 0.0)
    assert other.timer() is None
    opening = CatchUp(store_of(), random.Random(3), True, 0.0).handle_timer(0.0)[0]
    other.receive_untrusted(opening, 0.0)
    assert other.timer() == SESSION_S_MAX
    assert other.handle_timer(SESSION_S_MAX) == []
    assert other.timer() is None
    assert one.timer() is not None


def test_openings_that_follow_too_fast_are_refused() -> None:
    """Each costs a hash for each item held."""
    other = CatchUp(store_of(), random.Random(1), False, 0.0)
    opening = CatchUp(store_of(), random.Random(3), True, 0.0).handle_timer(0.0)[0].message
    other.receive_untrusted(Reconcile(collection=RECORDS, session=1, message=opening), 0.0)
    other.receive_untrusted(Reconcile(collection=TRANSIENT, session=2, message=opening), 0.0)
    with pytest.raises(RemoteError) as caught:
        other.receive_untrusted(Reconcile(collection=RECORDS, session=3, message=opening), 1.0)
    assert caught.value.fault is Fault.UNEXPECTED
    other.receive_untrusted(Reconcile(collection=RECORDS, session=4, message=opening), SPACING_S_MIN)


def test_messages_of_another_session_are_let_pass() -> None:
    """A session that was given up may still be talking."""
    one = CatchUp(store_of(), random.Random(1), True, 0.0)
    one.handle_timer(0.0)
    assert one.receive_untrusted(Reconcile(collection=RECORDS, session=9, message=b"x"), 0.0) == ([], [])
    assert one.receive_untrusted(Reconcile(collection=TRANSIENT, session=1, message=b"x"), 0.0) == ([], [])


def test_a_message_that_is_none_ends_the_session() -> None:
    one = CatchUp(store_of(), random.Random(1), True, 0.0)
    one.handle_timer(0.0)
    with pytest.raises(RemoteError) as caught:
        one.receive_untrusted(Reconcile(collection=RECORDS, session=1, message=b"x"), 0.0)
    assert caught.value.fault is Fault.MALFORMED
    at = one.timer()
    assert at is not None
    assert at >= INTERVAL_S / 2
