"""The gate: a node posts only as a member, in a large enough ring that enough friends see alike."""

from typing import Any

import pytest

from rumor.crypto import membership
from rumor.crypto.membership import Purpose, Ring
from rumor.gossip.gate import Gate, in_words, inspect
from rumor.gossip.genesis import Genesis, Parameters

KEYS = [membership.keypair()[1] for _ in range(4)]
RING = Ring(KEYS)
RELAYS = b"relay keys"
VIEW = (RING.root, RELAYS)
GENESIS = Genesis.found("gate", KEYS[0], Parameters(epoch_s=10, friends_min=3, members_min=4))
OPEN: dict[str, Any] = {
    "genesis": GENESIS,
    "now": 1_000.0,
    "eligible_at": 100,
    "ring": RING,
    "friend_count": 3,
    "relay_keys": [bytes([number]) for number in range(8)],
    "relay_root": RELAYS,
    "views": [VIEW, VIEW, (b"other", RELAYS), (RING.root, b"other")],
    "purpose": Purpose.POST,
    "slots_left": 1,
}


def test_what_takes_no_slot_is_not_held_up_for_one() -> None:
    assert gate(purpose=None, slots_left=0).obstacles == ()


def gate(**changes: Any) -> Gate:
    return inspect(**{**OPEN, **changes})


def test_it_is_open_when_all_is_well() -> None:
    assert gate() == Gate(
        obstacles=(), open_at=None, ring_size=4, agreeing_count=2, agreed=True, relay_key_count=8
    )


@pytest.mark.parametrize(
    ("changes", "sentence", "open_at"),
    [
        ({"eligible_at": None}, "can admit one newcomer in 10 seconds", None),
        ({"eligible_at": 102}, "It counts in 20 seconds", 1_020.0),
        ({"silent_until": 102}, "restored from a backup. It is silent for 20 seconds", 1_020.0),
        ({"friend_count": 2}, "3 confirmed friends", None),
        ({"ring": Ring(KEYS[:3]), "views": [(Ring(KEYS[:3]).root, RELAYS)] * 3}, "4 members", None),
        ({"ring": None}, "4 members", None),
        ({"views": [VIEW]}, "1 friend of the 2 it takes has the same lists", None),
        ({"views": [(RING.root, b"other")]}, "0 friends of the 2 it takes have", None),
        ({"views": []}, "No friend of yours has shown", None),
        ({"views": [VIEW], "clocks": [3]}, "The clock of a friend is 30 seconds ahead of yours", None),
        ({"views": [], "clocks": [-720, 9, -720]}, "The clocks of 3 friends are 2 hours behind yours", None),
        ({"relay_keys": [b"k"] * 7}, "8 relay keys before anybody posts; by now 7 may", None),
        ({"slots_left": 0}, "posted 4 times in this epoch, which is all that anybody may", 1_010.0),
        ({"purpose": Purpose.REPLY, "slots_left": 0}, "replied 20 times in this epoch", 1_010.0),
    ],
)
def test_each_rule_closes_it_and_says_so(
    changes: dict[str, Any], sentence: str, open_at: float | None
) -> None:
    found = gate(**changes)
    assert any(sentence in obstacle for obstacle in found.obstacles)
    assert found.open_at == open_at


def test_who_has_fewer_than_three_friends_needs_all_of_them() -> None:
    easy = Genesis.found("gate", KEYS[0], Parameters(epoch_s=10, friends_min=1, members_min=4))
    for friend_count, agreeing, is_open in ((1, 0, False), (1, 1, True), (2, 1, False), (2, 2, True)):
        found = gate(genesis=easy, friend_count=friend_count, views=[VIEW] * agreeing)
        assert (found.obstacles == ()) is is_open


def test_waiting_helps_only_if_it_helps_with_everything() -> None:
    assert gate(eligible_at=102, slots_left=0).open_at == 1_020.0
    assert gate(eligible_at=102, friend_count=0).open_at is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "a second"),
        (10, "10 seconds"),
        (19.2, "20 seconds"),
        (60, "a minute"),
        (61, "61 seconds"),
        (3_600, "an hour"),
        (3_601, "61 minutes"),
        (7_200, "2 hours"),
        (86_400, "a day"),
        (172_800, "2 days"),
    ],
)
def test_a_wait_is_told_in_words_and_never_too_short(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_who_is_not_admitted_learns_what_waiting_will_take() -> None:
    """How many newcomers in which time, and how long it takes from then on."""
    hourly = Genesis.found("gate", KEYS[0], Parameters(admissions_per_epoch=3))
    (sentence, *_) = gate(genesis=hourly, eligible_at=None).obstacles
    assert "3 newcomers in an hour" in sentence
    assert "2 hours" in sentence
