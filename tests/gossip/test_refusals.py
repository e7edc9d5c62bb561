"""Refusals: for good or for a cause, bounded, and lifted with all that hangs on them."""

from rumor.gossip.items import ItemId
from rumor.gossip.refusals import REFUSED_IDS_MAX, Refusals


def number(value: int) -> ItemId:
    return ItemId(value.to_bytes(32, "big"))


def test_what_is_refused_for_a_cause_is_lifted_with_it_and_nothing_else() -> None:
    refusals = Refusals()
    refusals.add(number(1), b"tag")
    refusals.add(number(2), number(1))
    refusals.add(number(3), b"other tag")
    refusals.add(number(4))
    refusals.lift(b"tag")
    assert [number(each) in refusals for each in (1, 2, 3, 4)] == [False, False, True, True]
    refusals.lift(b"tag")
    assert (len(refusals), len(refusals._under)) == (2, 1)


def test_the_latest_cause_counts() -> None:
    refusals = Refusals()
    refusals.add(number(1), b"tag")
    refusals.add(number(1))
    refusals.lift(b"tag")
    assert number(1) in refusals
    refusals.add(number(1), b"other tag")
    refusals.lift(b"other tag")
    assert (number(1) in refusals, refusals._under) == (False, {})


def test_the_oldest_fall_out_and_leave_nothing_behind() -> None:
    refusals = Refusals()
    for each in range(2 * REFUSED_IDS_MAX):
        refusals.add(number(each), b"tag %d" % each)
    assert len(refusals) == len(refusals._under) == REFUSED_IDS_MAX
    assert number(REFUSED_IDS_MAX - 1) not in refusals


def test_a_long_chain_of_causes_is_lifted_at_once() -> None:
    """A friend may send marks on marks on marks; the last refusal must not end the node."""
    refusals = Refusals()
    refusals.add(number(0), b"tag")
    for each in range(1, 5_000):
        refusals.add(number(each), number(each - 1))
    fork = refusals.fork()
    refusals.lift(b"tag")
    assert (len(refusals), refusals._under, len(fork)) == (0, {}, 5_000)


def test_a_circle_of_causes_ends() -> None:
    refusals = Refusals()
    refusals.add(number(1), number(2))
    refusals.add(number(2), number(1))
    refusals.lift(number(1))
    assert len(refusals) == 0
