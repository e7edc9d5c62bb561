"""Carriage: whose packets keep their places when there are too many on their stems."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spreadnet import friend_id, situation

from rumor.gossip import carriage as carriage_module
from rumor.gossip.carriage import Carriage
from rumor.gossip.events import LinkId
from rumor.gossip.packets import PAYLOAD_SIZE, Content, Packet
from rumor.gossip.spreading import Neighbour, Stemming

LIMIT = 12
OURS = 0


def packet(number: int) -> Packet:
    return Packet(Content.ONION, 1, number, bytes(32), bytes(33), bytes(PAYLOAD_SIZE))


def carried(hands: list[tuple[int, int]]) -> Counter[int]:
    """Takes packets by friend and link, in this order; returns how many of each friend are still there."""
    made = Carriage(Stemming(), lambda packet_id: False)
    links = sorted({(friend, link) for friend, link in hands if friend != OURS})
    numbers = {hand: LinkId(number) for number, hand in enumerate(links)}
    now = situation(
        [Neighbour(link=numbers[hand], friend=friend_id(hand[0])) for hand in links], random.Random(1)
    )
    packets = [packet(number) for number in range(len(hands))]
    for each, (friend, link) in zip(packets, hands, strict=True):
        if friend == OURS:
            made.injected(each, False, now)
        else:
            made.stemmed(each, numbers[friend, link], now)
    assert len(made._private) <= LIMIT
    kept = [friend for each, (friend, _) in zip(packets, hands, strict=True) if each.item_id in made._private]
    return Counter(kept)


@pytest.fixture(autouse=True)
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriage_module, "PRIVATE_MAX", LIMIT)


def test_saved_up_packets_of_one_friend_crowd_out_only_each_other() -> None:
    """A spy would else decide when what others handed us, or what we say ourselves, goes no further from here."""
    assert carried([(OURS, 0), (2, 0), (2, 0), *[(1, 0)] * 50]) == {OURS: 1, 2: 2, 1: LIMIT - 3}


def test_a_new_link_gives_a_friend_no_new_share() -> None:
    hands = [(OURS, 0), (2, 0), (2, 0), *[(1, link) for link in range(50)]]
    assert carried(hands) == {OURS: 1, 2: 2, 1: LIMIT - 3}


HANDS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=30, max_size=60)


@given(HANDS)
def test_everybody_keeps_a_fair_share_and_we_keep_all(hands: list[tuple[int, int]]) -> None:
    handed, kept = Counter(friend for friend, _ in hands), carried(hands)
    assert kept[OURS] == min(handed[OURS], LIMIT)
    friends = [friend for friend in handed if friend != OURS]
    for friend in friends:
        assert kept[friend] >= min(handed[friend], (LIMIT - kept[OURS]) // len(friends))
