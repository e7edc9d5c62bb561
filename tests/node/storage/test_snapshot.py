"""Snapshots: whole tables of one moment, beside a node that writes, and of a store that was left in the middle."""

import subprocess
import sys
from pathlib import Path

import apsw
import pytest
import trio

from rumor.node.storage.database import open_store
from rumor.node.storage.snapshot import snapshot
from rumor.node.storage.store import Put, StoreError, StoreLocked, StoreTooNew, Table, row_key
from rumor.node.storage.tables import SCHEMA_VERSION, configure

KEY = bytes(range(32))

#: Writes a page into the file and is killed before the transaction ends.
KILLED = """
import os, sys, apsw
from rumor.node.storage.tables import configure
connection = apsw.Connection(sys.argv[1], flags=apsw.SQLITE_OPEN_READWRITE)
configure(connection, bytes(range(32)))
connection.execute("pragma cache_size = 1; pragma cache_spill = 1; BEGIN IMMEDIATE; DELETE FROM friends")
connection.execute("INSERT INTO friends SELECT key, zeroblob(60000) FROM outbox")
os.kill(os.getpid(), 9)
"""


async def test_it_reads_beside_an_open_store(tmp_path: Path) -> None:
    path = tmp_path / "rumor.db"
    async with open_store(path, KEY) as store:
        await store.commit(
            [Put(Table.FRIENDS, b"bob", b"x"), Put(Table.OUTBOX, row_key(Table.OUTBOX, 3), b"seed")]
        )
        tables = snapshot(path, KEY, [Table.FRIENDS, Table.OUTBOX])
        assert tables[Table.FRIENDS] == {b"bob": b"x"}
        assert tables == {table: await store.load(table) for table in tables}
        await store.commit([Put(Table.FRIENDS, b"eve", b"y")])
    assert set(snapshot(path, KEY, [Table.FRIENDS])[Table.FRIENDS]) == {b"bob", b"eve"}


def test_it_takes_back_what_a_killed_node_had_begun(tmp_path: Path) -> None:
    """The journal is hot: a read-only connection could not read at all."""
    path = tmp_path / "rumor.db"

    async def make() -> None:
        async with open_store(path, KEY) as store:
            await store.commit([Put(Table.FRIENDS, b"bob", b"x")])

    trio.run(make)
    before = path.read_bytes()
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60)
    assert path.read_bytes() != before, "nothing was begun"
    assert snapshot(path, KEY, [Table.FRIENDS])[Table.FRIENDS] == {b"bob": b"x"}


async def test_it_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    """No file, which it does not make; another key; a store of another version."""
    path = tmp_path / "rumor.db"
    with pytest.raises(StoreError):
        snapshot(path, KEY, [Table.FRIENDS])
    assert not path.exists()
    async with open_store(path, KEY):
        pass
    with pytest.raises(StoreLocked):
        snapshot(path, bytes(32), [Table.FRIENDS])
    for version, error in ((SCHEMA_VERSION - 1, "earlier version"), (SCHEMA_VERSION + 1, "later version")):
        connection = apsw.Connection(str(path))
        configure(connection, KEY)
        connection.execute(f"pragma user_version = {version}")
        connection.close()
        with pytest.raises(StoreTooNew if version > SCHEMA_VERSION else StoreError, match=error):
            snapshot(path, KEY, [Table.FRIENDS])
    with pytest.raises(ValueError, match="log"):
        snapshot(path, KEY, [Table.ITEMS])
