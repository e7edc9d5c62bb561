"""The relay book: which keys may be used follows from the records alone, in whatever order they came."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import labels
from rumor.gossip.bodies import Kind, RelayKeyBody
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.holdings import Holdings
from rumor.gossip.items import Item
from rumor.gossip.relay_book import RIVALS_MAX, RelayBook

DAY = 24
PARAMETERS = Parameters(relay_day_epochs=DAY)
GENESIS = Genesis.found(
    "relays",
    bytes.fromhex("02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    PARAMETERS,
)


def record(key: int, epoch: int, *, day: int = 2, tag: int | None = None) -> Item:
    body = RelayKeyBody(relay_day=day, key=key.to_bytes(32, "big"))
    tags = ((key if tag is None else tag).to_bytes(33, "big"),)
    return Item(Kind.RELAY_KEY, epoch, body, tags, b"".join(tags).ljust(64, b"\0"), bytes(32))


def book(*records: Item) -> RelayBook:
    made = RelayBook(PARAMETERS)
    for item in records:
        made.add(item)
    return made


records = st.lists(
    st.builds(record, st.integers(1, 9), st.integers(24, 71), day=st.integers(1, 3), tag=st.integers(1, 4)),
    max_size=8,
)


@given(records, st.data())
def test_the_order_of_arrival_changes_nothing(items: list[Item], data: st.DataObject) -> None:
    """Nor does it matter whether what has gone was ever there."""
    one = book(*items)
    other = RelayBook(PARAMETERS)
    gone = record(99, 30, tag=99)
    for item in data.draw(st.permutations([*items, gone])):
        other.eligible(60)
        other.add(item)
    other.remove(gone)
    for epoch in range(24, 96, 7):
        assert one.eligible(epoch) == other.eligible(epoch)
        assert one.root(epoch) == other.root(epoch)


def test_a_key_counts_on_its_day_once_its_record_is_half_a_day_old() -> None:
    made = book(record(1, 24), record(2, 36), record(3, 37), record(4, 48), record(5, 60))
    first, second, third, fourth = (number.to_bytes(32, "big") for number in range(1, 5))
    assert made.eligible(47) == ()
    assert made.eligible(48) == (first, second)
    assert made.eligible(49) == (first, second, third)
    assert made.eligible(60) == made.eligible(71) == (first, second, third, fourth)
    assert made.eligible(72) == ()


def test_the_digest_names_the_day_and_the_keys_in_order() -> None:
    made = book(record(2, 24), record(1, 24))
    keys = b"".join(number.to_bytes(32, "big") for number in (1, 2))
    expected = hashlib.sha256(labels.RELAY_ROOT + (2).to_bytes(8, "big") + keys).digest()
    assert made.root(50) == expected
    assert made.root(72) != RelayBook(PARAMETERS).root(48), "no keys of one day are not no keys of another"


def test_of_a_member_with_two_keys_neither_counts() -> None:
    """Else one of them would have to give way, and a thousand prepared ones would change the digest all day long."""
    one, two = record(1, 24, tag=7), record(2, 24, tag=7)
    honest = record(3, 24)
    for items in ([one, two, honest], [two, honest, one]):
        assert book(*items).eligible(50) == (honest.relay_key.key,)
    made = book(one, two, honest)
    made.remove(two)
    assert made.eligible(50) == tuple(sorted((one.relay_key.key, honest.relay_key.key)))


def test_two_members_may_name_one_key_and_it_counts_once() -> None:
    made = book(record(1, 24, tag=1), record(1, 30, tag=2))
    assert len(made.eligible(50)) == 1
    assert made.knows(2, (1).to_bytes(32, "big"))
    assert not made.knows(1, (1).to_bytes(32, "big"))


def test_other_items_are_passed_over() -> None:
    made = RelayBook(PARAMETERS)
    item = record(1, 24)
    made.remove(item)
    assert made.eligible(50) == ()


def test_a_third_record_of_a_member_is_refused_and_the_digest_stays() -> None:
    """However many a member has signed: two show what it is, and the rest are kept by nobody."""
    holdings = Holdings(GENESIS)
    items = sorted((record(number, 24, tag=7) for number in range(1, 20)), key=lambda item: item.message_hash)
    roots = []
    for item in reversed(items):
        holdings.keep(item, None)
        roots.append(holdings.relay_book.root(50))
    assert len(set(roots[1:])) == 1
    assert len(holdings.store.sets[2]) == RIVALS_MAX
    assert all(holdings.is_displaced(item) for item in items[:-RIVALS_MAX])
    assert holdings.lacking([item.item_id for item in items]) == []


@given(st.permutations([record(1, 24, tag=7), record(2, 24, tag=7), record(3, 24)]), st.integers(0, 2))
def test_nodes_that_have_heard_of_two_agree_whatever_came_first(items: list[Item], lost: int) -> None:
    """Whoever holds one of two rivals takes the other, so in the end all know both; also after a restart."""
    holdings = Holdings(GENESIS)
    for item in items[:lost]:
        holdings.keep(item, None)
    again = Holdings(GENESIS)
    again.restore(items[:lost], [], [])
    for each in (holdings, again):
        for item in items[lost:]:
            each.keep(item, None)
        assert each.relay_book.eligible(50) == ((3).to_bytes(32, "big"),)
        assert len(each.store.sets[2]) == 3


@pytest.mark.parametrize("epoch", [71, 72])
def test_what_its_day_is_over_for_is_forgotten(epoch: int) -> None:
    holdings = Holdings(GENESIS)
    holdings.keep(record(1, 24), None)
    today = PARAMETERS.relay_day_at(epoch)
    holdings.expire(item_epoch=0, relay_epoch=today * DAY, packet_epoch=0)
    assert (len(holdings.store) == 1) is (epoch < 72)
    assert holdings.relay_book.knows(2, (1).to_bytes(32, "big")) is (epoch < 72)
