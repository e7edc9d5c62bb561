"""Quotas: no slot twice, in no guessable order; and of two items under one tag the same one everywhere."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto.membership import Purpose
from rumor.gossip.bodies import Kind, SecretBody
from rumor.gossip.items import Item
from rumor.gossip.packets import PAYLOAD_SIZE, Content, Packet
from rumor.gossip.quota import DISPLACED_MAX, PACKETS_DISPLACED_MAX, Displaced, SlotBook, TagIndex


def secret(text: str, tag: bytes = b"t" * 33) -> Item:
    body = SecretBody(
        slot=0, text=text, style=0, thread_nonce=bytes(32), reply_key=bytes(32), retraction=bytes(32)
    )
    return Item(Kind.SECRET, 5, body, (tag, b"u" * 33), b"", bytes(32))


def test_all_slots_are_drawn_once_and_then_none() -> None:
    book = SlotBook()
    source = random.Random(1)
    drawn = [book.draw(Purpose.POST, 5, 4, source) for _ in range(5)]
    assert sorted(drawn[:4]) == [0, 1, 2, 3]
    assert drawn[4] is None
    assert book.left_count(Purpose.POST, 5, 4) == 0
    assert book.left_count(Purpose.ADMIT, 5, 4) == book.left_count(Purpose.POST, 6, 4) == 4


def test_slots_are_not_drawn_in_order() -> None:
    """In order they would tell how much a member has posted."""
    firsts = {SlotBook().draw(Purpose.POST, 5, 8, random.Random(seed)) for seed in range(60)}
    assert firsts == set(range(8))


def test_a_marked_slot_is_never_drawn() -> None:
    book = SlotBook()
    for slot in (0, 1, 3):
        book.mark(Purpose.POST, 5, slot)
    assert book.draw(Purpose.POST, 5, 4, random.Random(0)) == 2


def test_epochs_that_are_over_are_forgotten_and_no_others() -> None:
    book = SlotBook()
    for epoch in (3, 4, 5):
        book.mark(Purpose.POST, epoch, 0)
        book.mark(Purpose.PACKET, epoch, 0)
    assert book.forget_before(4, 5) == [(Purpose.POST, 3), (Purpose.PACKET, 3), (Purpose.PACKET, 4)]
    assert book.left_count(Purpose.POST, 4, 1) == book.left_count(Purpose.POST, 5, 1) == 0
    assert book.left_count(Purpose.PACKET, 4, 1) == 1
    assert book.left_count(Purpose.PACKET, 5, 1) == 0


@given(st.permutations([secret(str(number)) for number in range(5)]))
def test_whatever_the_order_the_lowest_hash_is_left(items: list[Item]) -> None:
    index, held = TagIndex(), {}
    for item in items:
        try:
            loser = index.loser(item)
        except Displaced:
            continue
        held.pop(loser, None)
        index.add(item)
        held[item.item_id] = item
    assert list(held.values()) == [min(items, key=lambda item: item.message_hash)]


def test_a_tag_is_free_again_when_its_item_goes_and_not_when_another_does() -> None:
    one, other = sorted((secret("a"), secret("b")), key=lambda item: item.message_hash)
    index = TagIndex()
    index.add(one)
    index.remove(other)
    with pytest.raises(Displaced):
        index.loser(other)
    index.remove(one)
    assert index.loser(other) is None


def test_an_item_does_not_displace_itself_nor_one_under_another_tag() -> None:
    index = TagIndex()
    index.add(secret("a"))
    assert index.loser(secret("a")) is None
    assert index.loser(secret("b", b"v" * 33)) is None


def packet(number: int, tag: bytes = b"t" * 33) -> Packet:
    payload = number.to_bytes(PAYLOAD_SIZE, "big")
    return Packet(Content.ONION, 5, 0, bytes(32), tag, payload)


@pytest.mark.parametrize(
    ("items", "limit"),
    [
        ([secret(str(number)) for number in range(60)], DISPLACED_MAX),
        ([packet(number) for number in range(60)], PACKETS_DISPLACED_MAX),
    ],
    ids=["secrets", "packets"],
)
def test_one_slot_is_not_a_way_to_publish_without_end(items: list[Item | Packet], limit: int) -> None:
    """Who signs many under one tag, and sends each after one with a higher hash, gets through a few of them."""
    index = TagIndex()
    taken = 0
    for item in sorted(items, key=lambda item: item.message_hash, reverse=True):
        try:
            index.loser(item)
        except Displaced:
            continue
        index.add(item)
        index.add(item)
        taken += 1
    assert taken == limit + 1


@given(st.permutations([packet(number) for number in range(2)]))
def test_of_two_packets_in_one_slot_the_same_is_left_whatever_the_order(packets: list[Packet]) -> None:
    index = TagIndex()
    held = []
    for each in packets:
        try:
            loser = index.loser(each)
        except Displaced:
            continue
        held = [kept for kept in held if kept.item_id != loser] + [each]
        index.add(each)
    assert held == [min(packets, key=lambda each: each.message_hash)]
