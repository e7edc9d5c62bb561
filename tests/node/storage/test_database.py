"""What only the encrypted store can do: be encrypted, durable, and found damaged."""

import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest
import trio
import trio.testing

from rumor.node.storage.database import open_store
from rumor.node.storage.store import (
    ROW_VALUE_SIZE_MAX,
    Delete,
    Put,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreLocked,
    StoreTooNew,
    Table,
    row_key,
)
from rumor.node.storage.tables import configure

KEY = bytes(range(32))


def shape(folder: Path) -> list[tuple[str, int, int]]:
    """Returns name, size and permissions of each file."""
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    return [(name, stat.st_size, stat.st_mode & 0o777) for name, stat in stats]


def disk_image(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


async def test_the_disk_shows_nothing(tmp_path: Path) -> None:
    """No key, value, table name or SQL is found in any file, open or closed, and only the owner may look."""
    secret = b"the butler did it" * 20
    known = [
        secret[:17],
        b"friend-of-mine",
        b"outbox",
        b"CREATE TABLE",
        b"SQLite format",
        KEY,
        KEY.hex().encode(),
    ]
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        await store.commit(
            [Put(Table.ITEMS, b"friend-of-mine", secret), Put(Table.OUTBOX, row_key(Table.OUTBOX, 3), secret)]
        )
        image = disk_image(tmp_path)
        assert {mode for _, _, mode in shape(tmp_path)} == {0o600}
    assert [word for word in known if word in image + disk_image(tmp_path)] == []


async def test_a_file_left_readable_is_closed_to_others(tmp_path: Path) -> None:
    """Opening mends the permissions of a file that was copied carelessly."""
    path = tmp_path / "rumor.db"
    path.touch(mode=0o644)
    async with open_store(path, KEY):
        assert path.stat().st_mode & 0o777 == 0o600


async def test_a_store_opens_again(tmp_path: Path) -> None:
    """What was committed is there after closing."""
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        await store.commit([Put(Table.FRIENDS, b"a", b"1"), Put(Table.ITEMS, b"i", b"2", epoch=3)])
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        assert await store.load(Table.FRIENDS) == {b"a": b"1"}
        assert await store.entries(Table.ITEMS) == [(3, b"i")]


async def test_a_wrong_key_is_one_clear_sentence(tmp_path: Path) -> None:
    """Nothing is said of SQLite, and the file is untouched."""
    async with open_store(tmp_path / "rumor.db", KEY):
        pass
    before = disk_image(tmp_path)
    with pytest.raises(StoreLocked, match=r"^The key does not open .*rumor.db: .*\.$"):
        async with open_store(tmp_path / "rumor.db", bytes(32)):
            pass
    assert disk_image(tmp_path) == before


async def test_a_key_has_one_length(tmp_path: Path) -> None:
    """A short key is our mistake, not the user's."""
    with pytest.raises(ValueError, match="32 bytes"):
        async with open_store(tmp_path / "rumor.db", b"short"):
            pass


async def test_a_missing_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    """The system's reason is named."""
    with pytest.raises(StoreError, match="No such file or directory"):
        async with open_store(tmp_path / "nowhere" / "rumor.db", KEY):
            pass


def plain_connection(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("pragma cipher = 'chacha20'").fetchall()
    connection.execute(f"pragma key = 'raw:{KEY.hex()}'").fetchall()
    return connection


async def test_a_later_version_s_file_is_refused(tmp_path: Path) -> None:
    """An old program does not guess at a new schema."""
    async with open_store(tmp_path / "rumor.db", KEY):
        pass
    connection = plain_connection(tmp_path / "rumor.db")
    connection.execute("pragma user_version = 4")
    connection.close()
    with pytest.raises(StoreTooNew, match=r"schema 4.*update Rumor"):
        async with open_store(tmp_path / "rumor.db", KEY):
            pass


async def test_a_damaged_page_is_one_clear_sentence(tmp_path: Path) -> None:
    """Pages are authenticated: with a flipped bit in each page but the first, nothing is read as if whole."""
    path = tmp_path / "rumor.db"
    async with open_store(path, KEY) as store:
        await store.commit([Put(Table.RECORDS, bytes([number]), bytes(1000)) for number in range(50)])
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 + 1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreCorrupt, match=r"is damaged: restore it from a backup\.$"):
        async with open_store(path, KEY) as store:
            await store.load(Table.RECORDS)


async def test_a_post_does_not_show_in_sizes(tmp_path: Path) -> None:
    """Filling and emptying the outbox changes neither the files nor their sizes nor the number of pages."""
    shapes = []
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        await store.commit([Put(Table.ITEMS, b"i", b"x" * 3000)])
        for value in (None, b"short", b"x" * ROW_VALUE_SIZE_MAX, None):
            for row in (0, 5, 63):
                key = row_key(Table.OUTBOX, row)
                await store.commit(
                    [Delete(Table.OUTBOX, key) if value is None else Put(Table.OUTBOX, key, value)]
                )
            shapes.append(shape(tmp_path))
        connection = plain_connection(tmp_path / "rumor.db")
        assert connection.pragma("page_count") * 4096 == (tmp_path / "rumor.db").stat().st_size
        assert connection.pragma("integrity_check") == "ok"
        connection.close()
    assert shapes == [shapes[0]] * 4
    assert shapes[0][1] == ("rumor.db-journal", 0, 0o600)


async def test_rows_are_overwritten_when_they_are_deleted(tmp_path: Path) -> None:
    """With the key in hand, too, a deleted row is not found in the file's free space."""
    secret = b"the butler did it" * 20
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        await store.commit(
            [Put(Table.RECORDS, b"k", secret), Put(Table.OUTBOX, row_key(Table.OUTBOX, 1), secret)]
        )
        await store.commit([Delete(Table.RECORDS, b"k"), Delete(Table.OUTBOX, row_key(Table.OUTBOX, 1))])
    connection = plain_connection(tmp_path / "rumor.db")
    pages = connection.serialize("main")
    connection.close()
    assert b"CREATE TABLE" in pages
    assert secret[:17] not in pages


@pytest.mark.parametrize(("pragma", "value"), [("synchronous", 2), ("cipher", "chacha20"), ("temp_store", 2)])
def test_connections_are_set_to_be_durable_and_quiet(tmp_path: Path, pragma: str, value: object) -> None:
    """What no test can see from outside: the disk is flushed, and nothing spills into temporary files."""
    connection = apsw.Connection(str(tmp_path / "rumor.db"))
    configure(connection, KEY)
    assert connection.pragma(pragma) == value
    connection.close()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """A batch that comes too late is refused, one that waits at the end is stored."""
    async with open_store(tmp_path / "rumor.db", KEY) as store, trio.open_nursery() as nursery:
        nursery.start_soon(store.commit, [Put(Table.FRIENDS, b"a", b"1")])
        await trio.testing.wait_all_tasks_blocked()
        await store.close()
        with pytest.raises(StoreClosed, match="is closed"):
            await store.commit([Put(Table.FRIENDS, b"b", b"1")])
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        assert await store.load(Table.FRIENDS) == {b"a": b"1"}


async def test_a_cancelled_caller_takes_its_batch_along(tmp_path: Path) -> None:
    """A batch whose turn had not come is not stored later by others; the rest goes on."""
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.commit, [Put(Table.FRIENDS, b"first", b"1")])
            await trio.testing.wait_all_tasks_blocked(0)
            with trio.CancelScope() as scope:
                scope.cancel()
                await store.commit([Put(Table.FRIENDS, b"cancelled", b"1")])
            await store.commit([Put(Table.FRIENDS, b"last", b"1")])
        assert set(await store.load(Table.FRIENDS)) == {b"first", b"last"}


async def test_a_cancelled_leader_finishes_its_group(tmp_path: Path) -> None:
    """The caller that happens to write for others cannot be stopped in the middle of their transaction."""
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        for number in range(10):
            prefix = bytes([number])
            leader = trio.CancelScope()

            async def first(prefix: bytes = prefix, leader: trio.CancelScope = leader) -> None:
                await store.commit([Put(Table.SLOTS, prefix + b"first", b"")])
                # Now the second writes for itself and the third.
                await trio.testing.wait_all_tasks_blocked()
                leader.cancel()

            async def second(prefix: bytes = prefix, leader: trio.CancelScope = leader) -> None:
                with leader:
                    await store.commit([Put(Table.SLOTS, prefix + b"second", bytes(60_000))])

            async with trio.open_nursery() as nursery:
                for task in (first, second):
                    nursery.start_soon(task)
                    await trio.testing.wait_all_tasks_blocked(0)
                nursery.start_soon(store.commit, [Put(Table.SLOTS, prefix + b"third", b"")])
        keys = await store.load(Table.SLOTS)
        assert {bytes([number]) + b"third" for number in range(10)} <= keys.keys()


def database_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "apsw" in thread.name]


async def test_a_cancelled_block_leaves_no_thread(tmp_path: Path) -> None:
    """Leaving by cancellation, even of the opening, closes both connections, and the file is whole."""
    with trio.CancelScope() as scope:
        scope.cancel()
        async with open_store(tmp_path / "rumor.db", KEY):
            await trio.sleep_forever()
    with trio.CancelScope() as scope:
        async with open_store(tmp_path / "rumor.db", KEY) as store:
            await store.commit([Put(Table.FRIENDS, b"a", b"1")])
            scope.cancel()
            await trio.sleep_forever()
    for thread in database_threads():
        thread.join(10)
    assert database_threads() == []
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        assert await store.load(Table.FRIENDS) == {b"a": b"1"}


async def test_a_cancelled_reader_harms_nobody(tmp_path: Path) -> None:
    """The next one reads as if nothing had been."""
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        await store.commit([Put(Table.FRIENDS, b"a", b"1")])
        for _ in range(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(store.load, Table.FRIENDS)
                await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            assert await store.load(Table.FRIENDS) == {b"a": b"1"}


CHILD = """
import sys, trio
from pathlib import Path
from rumor.node.storage.database import open_store
from rumor.node.storage.store import Put, Table

async def commit_for_ever(store, lane):
    number = 0
    while True:
        number += 1
        change = Put(Table.SLOTS, bytes([lane]), number.to_bytes(8, "big"))
        packet = Put(Table.PACKETS, bytes([lane]) + number.to_bytes(8, "big"), bytes(3000))
        await store.commit([change, packet])
        # The parent reads the acknowledgement; only what it has read counts.
        print(lane, number, flush=True)

async def main():
    async with open_store(Path(sys.argv[1]), bytes(range(32))) as store, trio.open_nursery() as nursery:
        for lane in range(3):
            nursery.start_soon(commit_for_ever, store, lane)

trio.run(main)
"""


def acknowledged_before_kill(path: Path, count: int) -> dict[int, int]:
    """Starts a child that commits, kills it after `count` acknowledgements, returns the last of each lane."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(count)]
        child.kill()
        # A last line may have been cut short.
        lines += [line for line in child.stdout if line.endswith("\n")]
    return {int(lane): int(number) for lane, number in (line.split() for line in lines)}


async def kill_and_look(path: Path, count: int) -> None:
    acknowledged = acknowledged_before_kill(path, count)
    async with open_store(path, KEY) as store:
        slots = await store.load(Table.SLOTS)
        packets = await store.entries(Table.PACKETS)
        for lane, number in acknowledged.items():
            stored = int.from_bytes(slots[bytes([lane])], "big")
            # The next one may have been stored without the word of it reaching us.
            assert stored in (number, number + 1)
            # A batch is whole: the packet of the same number is there, and none beyond it.
            numbers = {int.from_bytes(key[1:], "big") for _, key in packets if key[0] == lane}
            assert numbers == set(range(1, stored + 1))


@pytest.mark.parametrize("acknowledgements", [1, 40])
async def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, acknowledgements: int) -> None:
    """SIGKILL in the middle of commits: every acknowledged batch is there, every batch is whole."""
    await kill_and_look(tmp_path / "rumor.db", acknowledgements)


@pytest.mark.slow
async def test_many_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """The same, at fifty different moments."""
    for acknowledgements in range(1, 201, 4):
        await kill_and_look(tmp_path / f"{acknowledgements}.db", acknowledgements)
