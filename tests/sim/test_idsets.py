"""The shared sets of ids: what sessions find is what they find with sets of the core's own."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.gossip.idset import IdSet, key_of
from rumor.gossip.reconciliation import Session
from rumor.sim import idsets
from rumor.sim.idsets import IdealIds, IdealIdSet

NUMBERS = st.sets(st.integers(0, 400))


def item_id(number: int) -> bytes:
    return sha256(number.to_bytes(4, "big")).digest()


def filled(made: IdSet, numbers: set[int]) -> IdSet:
    for number in sorted(numbers):
        made.insert(number // 100, item_id(number))
    return made


def find(one: IdSet, other: IdSet, floor: int) -> tuple[set[bytes], set[bytes]]:
    """What each side of a session learns that the other lacks."""
    initiator, message = Session.open(one, floor, b"1" * 16)
    responder, step = Session.accept_untrusted(other, 0, b"2" * 16, message)
    have: tuple[set[bytes], set[bytes]] = set(), set()
    turn = 0
    while step.messages:
        session, said = (initiator, responder)[turn], step.messages
        for message in said:
            step = session.receive_untrusted(message)
            have[turn].update(step.have)
        turn = 1 - turn
    return have


@given(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 3))
def test_a_session_finds_what_it_would_find_with_salted_sums(
    common: set[int], left: set[int], right: set[int], floor: int
) -> None:
    """Also with forks of a set that has been summed, each of which then went its own way."""

    def session(make: Callable[[], IdSet]) -> tuple[set[bytes], set[bytes]]:
        first = filled(make(), common)
        first.snapshot(0, b"")
        second = first.fork()
        for each, changes in ((first, left), (second, right)):
            filled(each, changes)
            each.snapshot(0, b"")
            for number in changes:
                if number % 3 == 0:
                    each.remove(number // 100, item_id(number))
        return find(first, second, floor)

    ids = IdealIds()
    assert session(lambda: IdealIdSet(ids)) == session(IdSet)


def test_expiry_shows_in_the_next_snapshot() -> None:
    made = filled(IdealIdSet(IdealIds()), {1, 101, 201})
    assert len(made.snapshot(0, b"")) == 3
    assert made.expire(2) == 2
    assert len(made.snapshot(0, b"")) == 1
    assert made.snapshot(0, b"").fold(0, 1)[1] == 1


def test_forgetting_ids_changes_no_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few are remembered."""
    whole = filled(IdealIdSet(IdealIds()), set(range(50))).snapshot(0, b"salt")
    monkeypatch.setattr(idsets, "IDS_MAX", 3)
    ids = IdealIds()
    small = filled(IdealIdSet(ids), set(range(50))).snapshot(0, b"salt")
    assert small.fingerprint(0, 50) == whole.fingerprint(0, 50)
    assert len(ids) <= 3


def test_all_sets_keep_one_copy_of_a_key() -> None:
    ids = IdealIds()
    one, other = (filled(IdealIdSet(ids), {7}) for _ in range(2))
    assert one.snapshot(0, b"").key(0) is other.snapshot(0, b"").key(0)
    assert one.snapshot(0, b"").key(0) == key_of(0, item_id(7))


def test_an_impossible_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="32-byte id"):
        IdealIdSet(IdealIds()).insert(0, b"short")
