"""What every store does: the real one and the fake pass the same tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from rumor.node.storage.database import open_store
from rumor.node.storage.store import (
    LETTER_ROW_COUNT,
    OUTBOX_ROW_COUNT,
    PAGE_COUNT_MAX,
    PREALLOCATED,
    ROW_VALUE_SIZE_MAX,
    Change,
    Delete,
    MemoryStore,
    Put,
    Store,
    StoreFull,
    Table,
    row_key,
)

KEY = bytes(range(32))
SIZE_MAX = 2 * 1024**2


@pytest.fixture(params=["encrypted", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(size_max=SIZE_MAX)
    else:
        async with open_store(tmp_path / "rumor.db", KEY, size_max=SIZE_MAX) as opened:
            yield opened


async def test_a_batch_is_there_when_commit_returns(store: Store) -> None:
    """Puts set and replace, deletes remove, in the order of the batch; other tables stay as they are."""
    await store.commit([Put(Table.FRIENDS, b"a", b"1"), Put(Table.SLOTS, b"a", b"2")])
    await store.commit(
        [Put(Table.FRIENDS, b"a", b"3"), Delete(Table.SLOTS, b"a"), Delete(Table.SLOTS, b"none")]
    )
    await store.commit(
        [Put(Table.RECORDS, b"r", b"1"), Delete(Table.RECORDS, b"r"), Put(Table.RECORDS, b"s", b"")]
    )
    assert await store.load(Table.FRIENDS) == {b"a": b"3"}
    assert await store.load(Table.SLOTS) == {}
    assert await store.load(Table.RECORDS) == {b"s": b""}


async def test_the_feed_is_in_order_of_arrival(store: Store) -> None:
    """Items keep their place when they are replaced, and no place is given twice."""
    for number in range(5):
        await store.commit([Put(Table.ITEMS, bytes([number]), b"v", epoch=100 - number)])
    await store.commit([Put(Table.ITEMS, b"\1", b"again", epoch=7), Delete(Table.ITEMS, b"\4")])
    await store.commit([Put(Table.ITEMS, b"\5", b"v", epoch=1)])
    newest = await store.page(Table.ITEMS, limit=3)
    assert [row.key for row in newest] == [b"\5", b"\3", b"\2"]
    rest = await store.page(Table.ITEMS, before=newest[-1].seq)
    assert [(row.key, row.value, row.epoch) for row in rest] == [(b"\1", b"again", 7), (b"\0", b"v", 100)]
    later = await store.page(Table.ITEMS, after=rest[0].seq, limit=2)
    assert [row.key for row in later] == [b"\2", b"\3"]
    assert [row.key for row in await store.page(Table.ITEMS, after=rest[0].seq, before=newest[0].seq)] == [
        b"\2",
        b"\3",
    ]
    assert newest[0].seq > 5
    entries = await store.entries(Table.ITEMS)
    assert entries == [(100, b"\0"), (7, b"\1"), (98, b"\2"), (97, b"\3"), (1, b"\5")]
    assert await store.entries(Table.PACKETS) == []


async def test_one_value_is_had_by_its_key(store: Store) -> None:
    """From every kind of table; what is not there is None."""
    key = row_key(Table.OUTBOX, 1)
    await store.commit(
        [Put(Table.PACKETS, b"p", b"1"), Put(Table.OUTBOX, key, b"2"), Put(Table.SLOTS, b"s", b"")]
    )
    assert await store.get(Table.PACKETS, b"p") == b"1"
    assert await store.get(Table.OUTBOX, key) == b"2"
    assert await store.get(Table.SLOTS, b"s") == b""
    assert await store.get(Table.SLOTS, b"p") is None
    assert await store.get(Table.ITEMS, b"p") is None


async def test_logs_are_not_loaded_whole(store: Store) -> None:
    """A hundred megabytes of packets are read one by one; other tables have no order of arrival."""
    with pytest.raises(ValueError, match="packets is a log"):
        await store.load(Table.PACKETS)
    with pytest.raises(ValueError, match="slots is no log"):
        await store.entries(Table.SLOTS)


async def test_every_log_is_read_page_by_page(store: Store) -> None:
    """Packets are read like items, each log by itself; what is no log has no pages."""
    await store.commit([Put(Table.PACKETS, bytes([number]), b"p", epoch=number) for number in range(5)])
    await store.commit([Put(Table.ITEMS, b"i", b"v")])
    first = await store.page(Table.PACKETS, after=0, limit=3)
    assert [(row.key, row.epoch) for row in first] == [(bytes([number]), number) for number in range(3)]
    rest = await store.page(Table.PACKETS, after=first[-1].seq)
    assert [row.key for row in rest] == [b"\3", b"\4"]
    assert await store.page(Table.PACKETS, after=rest[-1].seq) == []
    assert [row.key for row in await store.page(Table.ITEMS)] == [b"i"]
    with pytest.raises(ValueError, match="slots is no log"):
        await store.page(Table.SLOTS)


@pytest.mark.parametrize("limit", [0, PAGE_COUNT_MAX + 1])
async def test_a_page_is_bounded(store: Store, limit: int) -> None:
    """Nobody reads the whole feed in one call."""
    with pytest.raises(ValueError, match="a page has"):
        await store.page(Table.ITEMS, limit=limit)


@pytest.mark.parametrize("table", PREALLOCATED)
async def test_preallocated_tables_have_their_rows_from_the_beginning(store: Store, table: Table) -> None:
    """Rows are filled and emptied and are always there."""
    count = PREALLOCATED[table]
    first, last = row_key(table, 0), row_key(table, count - 1)
    assert await store.load(table) == {row_key(table, row): b"" for row in range(count)}
    longest = b"x" * ROW_VALUE_SIZE_MAX
    await store.commit([Put(table, first, longest), Put(table, last, b"\0\0")])
    rows = await store.load(table)
    assert (rows[first], rows[last]) == (longest, b"\0\0")
    await store.commit([Delete(table, first)])
    rows = await store.load(table)
    assert rows[first] == b""
    assert len(rows) == count


@pytest.mark.parametrize(
    "change",
    [
        Put(Table.OUTBOX, b"\0\x40", b""),
        Put(Table.LETTERS, b"\1\0", b""),
        Put(Table.OUTBOX, b"\0", b""),
        Delete(Table.OUTBOX, b"\0\0\0"),
        Put(Table.OUTBOX, b"\0\0", bytes(ROW_VALUE_SIZE_MAX + 1)),
        Put(Table.PROFILE, b"", b""),
        Put(Table.PROFILE, bytes(65), b""),
        Put(Table.PROFILE, b"k", bytes(64 * 1024 + 1)),
        Put(Table.PROFILE, b"k", b"", epoch=1),
        Put(Table.ITEMS, b"k", b"", epoch=2**63),
        Put(Table.ITEMS, b"k", b"", epoch=-1),
    ],
)
async def test_a_batch_with_one_bad_change_changes_nothing(store: Store, change: Change) -> None:
    """Limits are checked before anything is stored."""
    with pytest.raises(ValueError, match=r"outbox|letters|key|value|epoch"):
        await store.commit([Put(Table.FRIENDS, b"a", b"1"), change])
    assert await store.load(Table.FRIENDS) == {}


@pytest.mark.parametrize("row", [-1, OUTBOX_ROW_COUNT])
def test_there_is_no_key_for_a_row_that_does_not_exist(row: int) -> None:
    """The outbox never grows."""
    with pytest.raises(ValueError, match="rows 0 to 63"):
        row_key(Table.OUTBOX, row)


async def test_a_full_store_says_so_and_keeps_what_it_has(store: Store) -> None:
    """The batch that does not fit is refused whole; smaller ones go on."""
    await store.commit([Put(Table.FRIENDS, b"a", b"1")])
    with pytest.raises(StoreFull, match=r"^(There is no room left|The store has reached)"):
        await store.commit(
            [Put(Table.FRIENDS, b"a", b"2")]
            + [Put(Table.PACKETS, bytes([number]), bytes(64_000)) for number in range(40)]
        )
    assert await store.load(Table.FRIENDS) == {b"a": b"1"}
    assert await store.entries(Table.PACKETS) == []
    await store.commit([Put(Table.FRIENDS, b"a", b"3")])
    assert await store.load(Table.FRIENDS) == {b"a": b"3"}


async def test_many_tasks_commit_at_once(store: Store) -> None:
    """Batches that are grouped all arrive, and one that fails takes none of the others with it."""
    failures = []

    async def commit(number: int) -> None:
        try:
            size = 64_000 if number == 50 else 1
            await store.commit([Put(Table.PACKETS, bytes([number, part]), bytes(size)) for part in range(40)])
        except StoreFull:
            failures.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(commit, number)
    assert failures == [50]
    stored = [key for _, key in await store.entries(Table.PACKETS)]
    assert {key[0] for key in stored} == set(range(100)) - {50}
    assert len(stored) == 99 * 40


async def test_the_size_is_told(store: Store) -> None:
    """The outbox alone takes 256 kB, and the letters a megabyte."""
    assert (OUTBOX_ROW_COUNT + LETTER_ROW_COUNT) * 4096 <= await store.size() <= SIZE_MAX
