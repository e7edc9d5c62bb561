"""The encrypted store: SQLite with every page sealed (SQLite3 Multiple Ciphers, ChaCha20-Poly1305).

The key is 32 raw bytes; what wraps it under a passphrase is not here. Each page has its own nonce and tag, so
the file shows its size, and nothing of its content, and a changed byte is an error. Pages are overwritten
when rows are deleted (`secure_delete`), as far as a disk obeys.

Writing is one at a time and by the group. Callers of `commit` queue their batches and then queue for a lock;
whoever holds it takes all batches that wait, up to a limit, into one transaction, so a burst costs one flush
of the disk. (Two tasks inside one connection's transaction would share it, and the rollback of one drops the
rows of the other.) If a group fails, each of its batches is tried again in a transaction of its own, so
one batch's failure is never another's. There is no writer task, hence no nursery, and errors arrive bare.
Readers use a second connection.

The journal is a rollback journal, truncated after each commit, and not a write-ahead log: a log keeps the
numbers of the pages last written in clear and grows by each commit, so it would tell a post, which writes the
outbox, from cover, which does not. `synchronous=FULL` flushes the truncation, too.

On trio by `apsw.Connection.as_async`, which gives a connection a thread. Whole transactions run there in one
call (`async_run`), shielded: its calls obey the caller's deadline and would stop in the middle of a
transaction. Its threads outlive the event loop unless their connections are closed, hence `open_store` is the
only way to a store.
"""

import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import apsw
import trio

from .store import (
    PAGE_COUNT_MAX,
    PREALLOCATED,
    SIZE_MAX_DEFAULT,
    Change,
    LogRow,
    StoreClosed,
    StoreError,
    Table,
    check,
    check_limit,
    check_log,
)
from .tables import KEY_SIZE, apply_group, configure, prepare, sql, translated, unpadded

__all__ = ["KEY_SIZE", "EncryptedStore", "open_store"]

# Batches in one transaction: bounds how long the first of a burst waits for its answer.
GROUP_LENGTH_MAX: Final = 64


@dataclass(slots=True, eq=False)
class _Pending:
    """A batch on its way to the disk."""

    changes: tuple[Change, ...]
    taken: bool = False
    """Out of the queue, and in or behind a transaction."""
    error: StoreError | None = None
    """Why it was not stored."""


class EncryptedStore:
    """A `storage.Store` in one encrypted file. Made by `open_store`."""

    # `apsw.AsyncConnection` exists in type stubs only, hence its quotes.
    def __init__(self, path: Path, writer: "apsw.AsyncConnection", reader: "apsw.AsyncConnection") -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._queue: deque[_Pending] = deque()
        self._writing = trio.Lock()
        self._closed = False

    async def commit(self, changes: Sequence[Change]) -> None:
        pending = _Pending(tuple(changes))
        for change in pending.changes:
            check(change)
        self._queue.append(pending)
        try:
            # The lock is fair, so a batch that is not taken yet when its turn comes heads the queue.
            async with self._writing:
                if not pending.taken:
                    await self._write_group()
        finally:
            # A caller that was cancelled before its turn takes its batch along.
            if not pending.taken:
                self._queue.remove(pending)
        if pending.error is not None:
            raise pending.error

    async def _write_group(self) -> None:
        """Stores the batches at the head of the queue. Runs under the lock, to its end."""
        if self._closed:
            raise StoreClosed(f"{self._path} is closed.")
        group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_LENGTH_MAX))]
        for pending in group:
            pending.taken = True
            # Stands only if what follows fails in a way that is not foreseen.
            pending.error = StoreError(f"{self._path} was not written.")
        connection = _synchronous(self._writer)
        with trio.CancelScope(shield=True):
            errors: list[apsw.Error | None] = await self._writer.async_run(
                lambda: apply_group(connection, [pending.changes for pending in group])
            )
        for pending, error in zip(group, errors, strict=True):
            pending.error = None if error is None else translated(error, self._path)

    async def close(self) -> None:
        """Takes no more batches, once those that wait are stored."""
        with trio.CancelScope(shield=True):
            async with self._writing:
                self._closed = True

    async def load(self, table: Table) -> dict[bytes, bytes]:
        check_log(table, expected=False)
        rows = await self._read(sql(table, "SELECT key, value FROM TABLE_NAME"))
        return {key: unpadded(value) if table in PREALLOCATED else value for key, value in rows}

    async def get(self, table: Table, key: bytes) -> bytes | None:
        rows = await self._read(sql(table, "SELECT value FROM TABLE_NAME WHERE key = ?"), (key,))
        if not rows:
            return None
        value: bytes = rows[0][0]
        return unpadded(value) if table in PREALLOCATED else value

    async def entries(self, log: Table) -> list[tuple[int, bytes]]:
        check_log(log, expected=True)
        return await self._read(sql(log, "SELECT epoch, key FROM TABLE_NAME ORDER BY seq"))

    async def page(
        self,
        log: Table,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = PAGE_COUNT_MAX,
    ) -> list[LogRow]:
        check_log(log, expected=True)
        check_limit(limit)
        statement = sql(
            log, "SELECT seq, epoch, key, value FROM TABLE_NAME WHERE seq < ? AND seq > ? ORDER BY seq"
        )
        bounds = (2**63 - 1 if before is None else before, 0 if after is None else after, limit)
        rows = await self._read(statement + (" DESC LIMIT ?" if after is None else " LIMIT ?"), bounds)
        return [LogRow(*row) for row in rows]

    async def size(self) -> int:
        def measure() -> int:
            files = (self._path, self._path.with_name(self._path.name + "-journal"))
            return sum(file.stat().st_size for file in files if file.exists())

        return await trio.to_thread.run_sync(measure)

    async def _read(self, statement: str, bindings: tuple[Any, ...] = ()) -> list[Any]:
        connection = _synchronous(self._reader)
        try:
            rows = await self._reader.async_run(lambda: connection.execute(statement, bindings).fetchall())
            return cast(list[Any], rows)
        except apsw.Error as error:
            raise translated(error, self._path) from error


def _synchronous(connection: "apsw.AsyncConnection") -> apsw.Connection:
    """Says that inside `async_run`, on its own thread, a connection's methods are ordinary ones."""
    return cast(apsw.Connection, connection)


def _create(path: Path) -> None:
    """Makes an empty file that only its owner reads, or sees that the one that is there is such a file.

    SQLite gives its journal the same permissions.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _connect(
    path: Path, prepare: Callable[[apsw.Connection], None]
) -> AsyncIterator["apsw.AsyncConnection"]:
    # Cancelled in the middle, the thread would be there and nobody would know its connection.
    with trio.CancelScope(shield=True):
        connection = await apsw.Connection.as_async(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        try:
            await connection.async_run(lambda: prepare(_synchronous(connection)))
        except apsw.Error as error:
            raise translated(error, path) from error
        yield connection
    finally:
        # Without this its thread would outlive the program's last task and keep the process alive.
        with trio.CancelScope(shield=True):
            await connection.aclose()


@asynccontextmanager
async def open_store(
    path: Path, key: bytes, *, size_max: int = SIZE_MAX_DEFAULT
) -> AsyncIterator[EncryptedStore]:
    """Opens the store in a file, or makes it, for the length of a block.

    `key` is 32 secret bytes (ValueError otherwise), `size_max` bounds the file in bytes. Batches that wait
    when the block ends are stored before this returns. Raises StoreLocked for a wrong key, StoreTooNew,
    StoreCorrupt, or StoreError with the system's reason.
    """
    if len(key) != KEY_SIZE:
        raise ValueError(f"the key has {KEY_SIZE} bytes")
    try:
        _create(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}.") from error
    async with (
        _connect(path, lambda connection: prepare(connection, key, size_max, path)) as writer,
        _connect(path, lambda connection: configure(connection, key)) as reader,
    ):
        store = EncryptedStore(path, writer, reader)
        try:
            yield store
        finally:
            await store.close()
