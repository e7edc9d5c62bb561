"""The store's tables in SQL: the part of the encrypted store that runs on a connection's own thread.

Every function here is synchronous and works on one `apsw.Connection`; `database` says who calls it when.

Schema 3: a table per `storage.Table` with `key BLOB PRIMARY KEY, value BLOB`, and for logs
`seq INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB UNIQUE, epoch INTEGER, value BLOB`. A value of a preallocated table is
`16 random bytes || u16 length || value || random bytes`, 4,096 bytes in all; all its rows are made with the file.
Written twice, a row differs at both ends, and so on each of the two pages that it takes: SQLite would leave a page
alone whose bytes do not change.

Schema 2 had no tables of letters and of what a person wants to read; schema 1 also none of onions, and outbox values of
`u16 length || value || zeros`. They are brought up to date when they are opened.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import apsw

from .store import (
    PREALLOCATED,
    ROW_SIZE,
    Change,
    Put,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    Table,
    row_key,
)

__all__ = ["KEY_SIZE", "apply_group", "configure", "prepare", "sql", "translated", "unpadded"]

KEY_SIZE: Final = 32
"""Bytes of the key."""

SCHEMA_VERSION: Final = 3
PAGE_SIZE: Final = 4096
_SALT_SIZE: Final = 16

# The two connections wait for each other at most this long; each holds its lock for milliseconds.
BUSY_MS_MAX: Final = 10_000


def sql(table: Table, statement: str) -> str:
    """Returns a statement with TABLE_NAME replaced. Names come from the enum and from nowhere else."""
    return statement.replace("TABLE_NAME", table.value)


def _padded(value: bytes) -> bytes:
    """Returns a preallocated row, another one each time."""
    noise = os.urandom(ROW_SIZE - len(value) - 2)
    return noise[:_SALT_SIZE] + len(value).to_bytes(2, "big") + value + noise[_SALT_SIZE:]


def unpadded(row: bytes) -> bytes:
    """Returns the value in a preallocated row."""
    return _unpadded_first(row[_SALT_SIZE:])


def _unpadded_first(row: bytes) -> bytes:
    """As `unpadded`, for a row of schema 1."""
    return row[2 : 2 + int.from_bytes(row[:2], "big")]


def translated(error: apsw.Error, path: Path) -> StoreError:
    """Returns the sentence for an error of SQLite."""
    if isinstance(error, apsw.FullError):
        return StoreFull(f"There is no room left for {path}: free some disk space, or raise its limit.")
    if isinstance(error, apsw.NotADBError):
        return StoreLocked(f"The key does not open {path}: it is another profile's, or the file is damaged.")
    if isinstance(error, apsw.CorruptError):
        return StoreCorrupt(f"{path} is damaged: restore it from a backup.")
    return StoreError(f"{path} cannot be used: {error}.")


def configure(connection: apsw.Connection, key: bytes) -> None:
    """Unlocks a connection and sets how it writes."""
    for pragma in (
        "cipher = 'chacha20'",
        f"key = 'raw:{key.hex()}'",
        f"busy_timeout = {BUSY_MS_MAX}",
        "secure_delete = ON",
        "synchronous = FULL",
        "temp_store = MEMORY",
        "trusted_schema = OFF",
        "journal_mode = TRUNCATE",
    ):
        connection.execute(f"pragma {pragma}").fetchall()


def prepare(connection: apsw.Connection, key: bytes, size_max: int, path: Path) -> None:
    """Configures the writing connection and makes the tables if the file is new."""
    configure(connection, key)
    version = cast(int, connection.pragma("user_version"))
    if version > SCHEMA_VERSION:
        raise StoreTooNew(f"{path} was written by a later version of Rumor (schema {version}): update Rumor.")
    if version < SCHEMA_VERSION:
        with _transaction(connection):
            if version == 0:
                _make(connection)
            else:
                _upgrade(connection, version)
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
    connection.execute(f"pragma max_page_count = {size_max // PAGE_SIZE}").fetchall()


def _make(connection: apsw.Connection) -> None:
    for table in Table:
        _make_table(connection, table)


def _make_table(connection: apsw.Connection, table: Table) -> None:
    connection.execute(
        sql(
            table,
            "CREATE TABLE TABLE_NAME (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
            " key BLOB NOT NULL UNIQUE, epoch INTEGER NOT NULL, value BLOB NOT NULL) STRICT"
            if table.is_log
            else "CREATE TABLE TABLE_NAME (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
        )
    )
    connection.executemany(
        sql(table, "INSERT INTO TABLE_NAME VALUES (?, ?)"),
        [(row_key(table, row), _padded(b"")) for row in range(PREALLOCATED.get(table, 0))],
    )


def _upgrade(connection: apsw.Connection, version: int) -> None:
    """Brings an earlier schema up to date."""
    _make_table(connection, Table.READING)
    _make_table(connection, Table.LETTERS)
    if version == 1:
        _make_table(connection, Table.ONIONS)
        rows = connection.execute("SELECT key, value FROM outbox").fetchall()
        connection.executemany(
            "UPDATE outbox SET value = ? WHERE key = ?",
            [(_padded(_unpadded_first(cast(bytes, value))), key) for key, value in rows],
        )


@contextmanager
def _transaction(connection: apsw.Connection) -> Iterator[None]:
    """Commits at the end of the block, or rolls everything back and lets the error pass."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After a full disk or an input error SQLite may have rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _apply(connection: apsw.Connection, changes: Sequence[Change]) -> None:
    for change in changes:
        table = change.table
        if table in PREALLOCATED:
            value = change.value if isinstance(change, Put) else b""
            connection.execute(
                sql(table, "UPDATE TABLE_NAME SET value = ? WHERE key = ?"), (_padded(value), change.key)
            )
            assert connection.changes() == 1, "a preallocated row is gone"
        elif not isinstance(change, Put):
            connection.execute(sql(table, "DELETE FROM TABLE_NAME WHERE key = ?"), (change.key,))
        elif table.is_log:
            connection.execute(
                sql(
                    table,
                    "INSERT INTO TABLE_NAME (key, epoch, value) VALUES (?, ?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET epoch = excluded.epoch, value = excluded.value",
                ),
                (change.key, change.epoch, change.value),
            )
        else:
            connection.execute(
                sql(
                    table,
                    "INSERT INTO TABLE_NAME VALUES (?, ?)"
                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                ),
                (change.key, change.value),
            )


def apply_group(connection: apsw.Connection, batches: Sequence[Sequence[Change]]) -> list[apsw.Error | None]:
    """Stores batches together, or each by itself if that fails. Returns each one's error."""
    try:
        with _transaction(connection):
            for changes in batches:
                _apply(connection, changes)
    except apsw.Error as error:
        if len(batches) == 1:
            return [error]
        return [apply_group(connection, [changes])[0] for changes in batches]
    return [None] * len(batches)
