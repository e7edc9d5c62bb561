"""The sorted set and its salted sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.gossip.idset import EPOCH_MAX, EPOCH_SIZE, UPPER_MOST, IdSet, Snapshot, key_of

IDS = st.binary(min_size=32, max_size=32)
ENTRIES = st.tuples(st.integers(0, 5) | st.integers(0, EPOCH_MAX), IDS)


def idset(entries: set[tuple[int, bytes]]) -> IdSet:
    made = IdSet()
    for epoch, item_id in entries:
        made.insert(epoch, item_id)
    return made


@given(st.lists(st.tuples(st.booleans(), ENTRIES)))
def test_behaves_like_a_plain_set_kept_in_order(steps: list[tuple[bool, tuple[int, bytes]]]) -> None:
    """Insertions and removals return whether they did anything, and the order is by epoch, then id."""
    ours, model = IdSet(), set()
    for adding, entry in steps:
        if adding:
            assert ours.insert(*entry) == (entry not in model)
            model.add(entry)
        else:
            assert ours.remove(*entry) == (entry in model)
            model.discard(entry)
        assert (entry in ours) == (entry in model)
    assert list(ours) == sorted(model)
    assert len(ours) == len(model)


@given(st.sets(ENTRIES), st.integers(0, 6), st.integers(0, 6))
def test_ranges_and_expiry_cut_at_epochs(entries: set[tuple[int, bytes]], floor: int, ceiling: int) -> None:
    """A range of epochs includes both ends; expiry drops exactly what is older."""
    ours = idset(entries)
    assert list(ours.entries(floor, ceiling)) == sorted(e for e in entries if floor <= e[0] <= ceiling)
    assert ours.expire(floor) == sum(e[0] < floor for e in entries)
    assert list(ours) == sorted(e for e in entries if e[0] >= floor)


@pytest.mark.parametrize(
    ("epoch", "item_id"), [(-1, bytes(32)), (EPOCH_MAX + 1, bytes(32)), (0, bytes(31)), (0, bytes(33))]
)
def test_refuses_what_is_no_entry(epoch: int, item_id: bytes) -> None:
    """An epoch beyond 64 bits or an id of another length would break the order."""
    with pytest.raises(ValueError, match="64-bit epoch"):
        IdSet().insert(epoch, item_id)


def test_a_snapshot_does_not_change_with_its_set() -> None:
    """A session sees one state from its beginning to its end."""
    ours = idset({(1, bytes(32)), (2, bytes(32))})
    snapshot = ours.snapshot(2, b"salt")
    ours.insert(3, bytes(32))
    ours.expire(3)
    assert len(snapshot) == 1
    assert snapshot.key(0) == key_of(2, bytes(32))


@given(st.sets(ENTRIES, min_size=2), st.data())
def test_fold_is_the_sum_of_the_parts(entries: set[tuple[int, bytes]], data: st.DataObject) -> None:
    """The sum and count of a range are those of its two halves together, modulo 2^256."""
    snapshot = idset(entries).snapshot(0, b"salt")
    first, middle, last = sorted(data.draw(st.integers(0, len(entries))) for _ in range(3))
    (left, left_count), (right, right_count) = snapshot.fold(first, middle), snapshot.fold(middle, last)
    assert snapshot.fold(first, last) == ((left + right) % 2**256, left_count + right_count)


@given(st.sets(ENTRIES, min_size=2), st.data())
def test_the_bound_before_an_entry_is_short_and_falls_between(
    entries: set[tuple[int, bytes]], data: st.DataObject
) -> None:
    """A split's bound parts exactly the two entries it stands between, and has the wire's one form."""
    snapshot = idset(entries).snapshot(0, b"salt")
    at = data.draw(st.integers(1, len(entries) - 1))
    bound = snapshot.bound_before(at)
    assert snapshot.index(bound) == at
    assert not bound[EPOCH_SIZE:].endswith(b"\0")
    assert snapshot.index(b"") == 0
    assert snapshot.index(UPPER_MOST) == len(entries)


def test_ids_of_equal_sum_have_different_fingerprints() -> None:
    """a + b = (a + 1) + (b - 1) with equal counts: plain sums collide under every salt, salted ids do not."""
    a, b = 2**255 + 12345, 2**254 + 999
    left = sorted(key_of(7, value.to_bytes(32, "big")) for value in (a, b))
    right = sorted(key_of(7, value.to_bytes(32, "big")) for value in (a + 1, b - 1))
    for salt in (b"", b"one", b"another"):
        assert Snapshot(left, salt).fold(0, 2) != Snapshot(right, salt).fold(0, 2)
        assert Snapshot(left, salt).fingerprint(0, 2) != Snapshot(right, salt).fingerprint(0, 2)


def test_the_count_and_the_salt_enter_the_fingerprint() -> None:
    """No entries and no sum still differ from session to session."""
    key = key_of(7, bytes(32))
    assert Snapshot([key], b"one").fingerprint(0, 1) != Snapshot([key], b"two").fingerprint(0, 1)
    assert Snapshot([], b"one").fingerprint(0, 0) != Snapshot([], b"two").fingerprint(0, 0)
    assert Snapshot([key], b"one").short_id(key) != Snapshot([key], b"two").short_id(key)
