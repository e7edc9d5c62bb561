"""A snapshot: some tables of an encrypted store as they stand at one moment, beside a node that runs or without one.

Reads, and changes nothing, but that it takes back what a node that was killed had begun to write: so a read-only
connection would not do. Holds the node's writes up for the milliseconds that it takes. Synchronous, for a command that
does nothing else; what a running node reads is read through ``database``.
"""

from collections.abc import Collection
from pathlib import Path
from typing import cast

import apsw

from .store import PREALLOCATED, StoreError, StoreTooNew, Table, check_log
from .tables import SCHEMA_VERSION, configure, sql, translated, unpadded

__all__ = ["snapshot"]


def snapshot(path: Path, key: bytes, tables: Collection[Table]) -> dict[Table, dict[bytes, bytes]]:
    """Reads whole tables, no logs. Raises ``StoreError``, also for a store of another version."""
    for table in tables:
        check_log(table, expected=False)
    try:
        # Without the flag to create, a store that is not there is an error.
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            configure(connection, key)
            connection.execute("pragma query_only = ON")
            connection.execute("BEGIN")  # One moment for all tables.
            return _read(connection, path, tables)
        finally:
            connection.close()
    except apsw.Error as error:
        raise translated(error, path) from error


def _read(
    connection: apsw.Connection, path: Path, tables: Collection[Table]
) -> dict[Table, dict[bytes, bytes]]:
    version = cast(int, connection.pragma("user_version"))
    if version > SCHEMA_VERSION:
        raise StoreTooNew(f"{path} was written by a later version of Rumor (schema {version}): update Rumor.")
    if version < SCHEMA_VERSION:
        raise StoreError(f"{path} was written by an earlier version: start the node once, and try again.")
    found: dict[Table, dict[bytes, bytes]] = {}
    for table in tables:
        rows = connection.execute(sql(table, "SELECT key, value FROM TABLE_NAME")).fetchall()
        found[table] = {
            cast(bytes, key): unpadded(cast(bytes, value)) if table in PREALLOCATED else cast(bytes, value)
            for key, value in rows
        }
    return found
