"""The roster: a function of the records, whatever their order; and which rings others may name."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.crypto.membership import Ring
from rumor.gossip import ringbook
from rumor.gossip import roster as roster_module
from rumor.gossip.bodies import AdmissionBody, Kind
from rumor.gossip.errors import Fault, RemoteError
from rumor.gossip.events import RingForgotten, RingKept
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import Item
from rumor.gossip.roster import MATURITY_EPOCHS, RIVALS_MAX, Roster

KEYS = [membership.keypair()[1] for _ in range(12)]
GENESIS = Genesis.found("roster", KEYS[0], Parameters(item_lifetime_epochs=10, founding_size=4))


def record(key: bytes, epoch: int, tag: int, slot: int = 0) -> Item:
    """An admission by proof; the roster is given verified ones, so this has none."""
    body = AdmissionBody(slot=slot, key=key, possession=bytes(64))
    return Item(Kind.ADMISSION, epoch, body, (tag.to_bytes(33, "big"),), bytes(64), bytes(32))


def plain(key: bytes, epoch: int, number: int) -> Item:
    return Item(
        Kind.ADMISSION, epoch, AdmissionBody(slot=number, key=key, possession=bytes(64)), (), bytes(64), b""
    )


def made_of(*records: Item) -> Roster:
    roster = Roster(GENESIS)
    for item in records:
        roster.add(item)
    return roster


def test_the_founder_and_those_it_admits_count_at_once_and_others_later() -> None:
    roster = made_of(plain(KEYS[1], 5, 1), record(KEYS[2], 5, 1))
    assert roster.eligible_at(KEYS[0]) == 0
    assert roster.eligible_at(KEYS[1]) == 5
    assert roster.eligible_at(KEYS[2]) == 5 + MATURITY_EPOCHS
    assert roster.ring_at(4) is None
    assert roster.ring_at(5).size == roster.ring_at(6).size == 2
    assert roster.ring_at(7).keys == tuple(sorted(KEYS[:3]))


def test_a_key_that_two_members_admit_counts_from_the_earlier() -> None:
    records = [record(KEYS[1], 9, 1), record(KEYS[1], 5, 2), record(KEYS[1], 7, 3)]
    assert made_of(*records).eligible_at(KEYS[1]) == 7
    assert len(made_of(*records)) == 2


def test_of_rivals_the_one_with_the_lower_hash_counts() -> None:
    rivals = sorted((record(key, 5, 1) for key in KEYS[1:4]), key=lambda item: item.message_hash)
    for order in (rivals, rivals[::-1]):
        roster = made_of(*order)
        assert [item.body.key in roster for item in rivals] == [True, False, False]
        assert all(roster.knows(item.body.key) for item in rivals)


def test_rivals_are_bounded_and_the_lowest_is_never_the_one_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    rivals = sorted((record(key, 5, 1) for key in KEYS[1:]), key=lambda item: item.message_hash)
    for order in (rivals, rivals[::-1]):
        roster = Roster(GENESIS)
        dropped = [roster.add(item) for item in order]
        assert rivals[0].body.key in roster
        assert sum(roster.knows(key) for key in KEYS[1:]) == RIVALS_MAX
        assert sum(len(gone) for gone in dropped if gone) + dropped.count(None) == len(rivals) - RIVALS_MAX


RECORDS = st.lists(
    st.builds(
        record,
        key=st.sampled_from(KEYS[1:]),
        epoch=st.integers(0, 6),
        tag=st.integers(0, 5),
    ),
    max_size=10,
)


@settings(deadline=None)
@given(RECORDS, st.integers(0, 2**32))
def test_the_order_of_arrival_does_not_matter(records: list[Item], seed: int) -> None:
    """Two rosters with the same records name the same rings at every epoch."""
    shuffled = list(records)
    random.Random(seed).shuffle(shuffled)
    tags = [item.tags for item in records]
    if any(tags.count(tag) > RIVALS_MAX for tag in tags):
        return
    one, other = made_of(*records), Roster(GENESIS)
    for item in shuffled:
        other.add(item)
        for epoch in range(0, 10, 3):
            other.ring_at(epoch)
    assert [one.ring_at(epoch) for epoch in range(10)] == [other.ring_at(epoch) for epoch in range(10)]
    assert set(one) == set(other)


def fault_of(roster: Roster, keys: list[bytes], epoch: int) -> Fault | None:
    try:
        roster.check_ring(keys, epoch)
    except RemoteError as error:
        return error.fault
    return None


def test_a_ring_may_lack_what_its_author_had_not_heard_of() -> None:
    roster = made_of(*(record(key, 20, number) for number, key in enumerate(KEYS[1:6])))
    assert fault_of(roster, KEYS[:3], 23) is None


def test_a_ring_of_ones_own_choosing_is_refused() -> None:
    """It may not leave out most of those who have long been members, nor hold who is none, or none yet."""
    roster = made_of(*(record(key, 20, number) for number, key in enumerate(KEYS[1:8])))
    assert fault_of(roster, KEYS[:3], 40) is Fault.WRONG_RING
    assert fault_of(roster, KEYS[:4], 40) is None
    assert fault_of(roster, KEYS[:9], 40) is Fault.WRONG_RING
    assert fault_of(roster, KEYS[:8], 21) is Fault.WRONG_RING


def test_a_ring_may_not_hold_two_rivals() -> None:
    """However many keys a sponsor admits in one slot, no ring grows by more than one of them."""
    roster = made_of(record(KEYS[1], 5, 1), record(KEYS[2], 5, 1), record(KEYS[3], 5, 2))
    assert fault_of(roster, [KEYS[0], KEYS[1], KEYS[3]], 8) is None
    assert fault_of(roster, [KEYS[0], KEYS[2], KEYS[3]], 8) is None
    assert fault_of(roster, KEYS[:4], 8) is Fault.WRONG_RING


def test_a_ring_is_taken_only_under_its_own_root() -> None:
    roster = made_of(*(record(key, 5, number) for number, key in enumerate(KEYS[1:5])))
    ring = Ring(KEYS[:4])
    with pytest.raises(RemoteError):
        roster.rings.accept(KEYS[:3], ring.root)
    assert roster.ring_by_root(ring.root, 9) is None
    roster.rings.accept(KEYS[:4], ring.root)
    assert roster.ring_by_root(ring.root, 9) == ring
    assert roster.ring_by_root(ring.root, 6) is None, "not one of an epoch before its members counted"


@pytest.mark.parametrize("keys", [[], KEYS[:1], [KEYS[0], KEYS[1][:32]], [KEYS[0], b"\x02" + b"\xff" * 32]])
def test_keys_that_make_no_ring_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(RemoteError):
        made_of().rings.accept(keys, bytes(32))


def test_beyond_the_limit_those_eligible_first_make_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a mesh's limit too the ring is a function of the records."""
    monkeypatch.setattr(roster_module, "MEMBERS_MAX", 4)
    records = [record(key, 20 - number, number) for number, key in enumerate(KEYS[1:8])]
    one, other = made_of(*records), made_of(*records[::-1])
    assert one.full
    assert one.ring_at(30) == other.ring_at(30)
    assert set(one.ring_at(30).keys) == {KEYS[0], *KEYS[5:8]}


def test_records_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_module, "RECORDS_MAX", 3)
    roster = made_of(*(record(key, 5, number) for number, key in enumerate(KEYS[1:5])))
    assert len(roster) == 4
    assert roster.add(record(KEYS[6], 5, 77)) is None


def test_a_ring_that_stops_following_from_the_records_is_kept_while_it_is_named() -> None:
    roster = made_of(record(KEYS[1], 5, 1), record(KEYS[2], 5, 2))
    ring = roster.ring_at(9)
    roster.rings.name(ring.root, 9, ring)
    roster.rings.name(ring.root, 9, ring)
    assert roster.rings.changes() == []
    roster.add(record(KEYS[3], 4, 3))
    assert roster.rings.changes() == [RingKept(ring_root=ring.root, keys=ring.keys)]
    roster.rings.unname(ring.root)
    assert roster.rings.changes() == []
    roster.rings.unname(ring.root)
    assert roster.rings.changes() == [RingForgotten(ring_root=ring.root)]


def test_a_ring_named_before_a_restart_is_kept_when_a_late_record_changes_it() -> None:
    """After a restart rings are made only when asked for; one that is about to stop following is made in time."""
    roster = made_of(record(KEYS[1], 5, 1), record(KEYS[2], 5, 2))
    ring = roster.ring_at(9)
    again = made_of(record(KEYS[1], 5, 1), record(KEYS[2], 5, 2))
    again.rings.name(ring.root, 9)
    again.add(record(KEYS[3], 4, 3))
    assert again.rings.changes() == [RingKept(ring_root=ring.root, keys=ring.keys)]
    assert again.rings.known(ring.root) == ring


def test_a_record_of_a_later_epoch_makes_no_ring_durable() -> None:
    roster = made_of(record(KEYS[1], 5, 1))
    roster.rings.name(roster.ring_at(9).root, 9, roster.ring_at(9))
    roster.add(record(KEYS[2], 9, 2))
    assert roster.rings.changes() == []


def test_the_founders_numbers_run_out() -> None:
    roster = Roster(GENESIS)
    for number in (1, 2, 3):
        assert roster.free_number() == number
        roster.add(plain(KEYS[number], 0, number))
    assert roster.free_number() is None


def test_only_admissions_enter() -> None:
    item = record(KEYS[1], 5, 1)
    with pytest.raises(TypeError):
        Roster(GENESIS).add(msgspec_free(item))


def msgspec_free(item: Item) -> Item:
    """The item with a body of another kind."""
    return Item(Kind.SECRET, item.epoch, msgspec.UNSET, item.tags, item.proof, item.ring_root)  # type: ignore[arg-type]


def odd_rings(count: int) -> list[Ring]:
    """Rings that follow from no records here."""
    return [Ring([KEYS[0], KEYS[number + 2]]) for number in range(count)]


def limit_kept_rings(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(ringbook, "KEPT_RINGS_SIZE_MAX", count * 2 * 33)
    monkeypatch.setattr(ringbook, "RINGS_KEPT_MAX", 0)


def test_durable_rings_have_a_limit_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each item may name a ring of its own; what that costs is bounded, on the disk as in memory."""
    limit_kept_rings(monkeypatch, 2)
    roster = made_of(record(KEYS[1], 5, 1))
    one, two, three, four = odd_rings(4)
    for epoch, ring in ((11, one), (10, two)):
        roster.rings.name(ring.root, epoch, ring)
    roster.rings.changes()
    roster.rings.name(three.root, 12, three)
    assert roster.rings.changes() == [
        RingKept(ring_root=three.root, keys=three.keys),
        RingForgotten(ring_root=two.root),
    ]
    roster.rings.name(four.root, 9, four)
    assert roster.rings.changes() == [
        RingKept(ring_root=four.root, keys=four.keys),
        RingForgotten(ring_root=four.root),
    ]
    assert [roster.rings.known(ring.root) is not None for ring in (one, two, three, four)] == [
        True,
        False,
        True,
        False,
    ]
    roster.rings.unname(two.root)
    assert roster.rings.changes() == []
    roster.rings.unname(one.root)
    assert roster.rings.changes() == [RingForgotten(ring_root=one.root)]


def test_the_rings_of_records_are_the_last_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer without a secret misses a secret; one without a record computes other rings than everybody."""
    limit_kept_rings(monkeypatch, 1)
    roster = made_of(record(KEYS[1], 5, 1))
    one, two = odd_rings(2)
    roster.rings.name(one.root, 6, one, for_record=True)
    roster.rings.name(two.root, 12, two)
    assert roster.rings.known(one.root) == one
    assert roster.rings.known(two.root) is None


def test_a_ring_that_was_restored_counts_towards_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_kept_rings(monkeypatch, 1)
    roster = made_of(record(KEYS[1], 5, 1))
    one, two = odd_rings(2)
    roster.rings.restore(one.keys)
    roster.rings.name(one.root, 8)
    roster.rings.name(two.root, 9, two)
    assert RingForgotten(ring_root=one.root) in roster.rings.changes()


def test_an_item_over_a_ring_that_is_forgotten_may_have_it_kept_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit_kept_rings(monkeypatch, 1)
    roster = made_of(record(KEYS[1], 5, 1))
    one, two = odd_rings(2)
    roster.rings.name(one.root, 8, one)
    roster.rings.name(two.root, 9, two)
    assert roster.rings.known(one.root) is None
    roster.rings.name(one.root, 10, one)
    assert roster.rings.known(one.root) == one
