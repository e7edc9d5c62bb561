"""What the node keeps on disk: the interface, its limits and errors, and a fake.

A store is a fixed set of tables of keys and values, changed only in batches: a batch is applied whole or not
at all, and is on the disk when `commit` returns. It knows nothing of what the values mean. The real one is
`database.EncryptedStore`; `MemoryStore` behaves alike and forgets everything, for tests, simulations on trio
and trials.

The outbox and the letters are special. A disk must not grow by a post or a whisper, so their rows exist from the
beginning, have one size, and are only ever overwritten: see `PREALLOCATED`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, Protocol

__all__ = [
    "LETTER_ROW_COUNT",
    "OUTBOX_ROW_COUNT",
    "PAGE_COUNT_MAX",
    "PREALLOCATED",
    "ROW_SIZE",
    "ROW_VALUE_SIZE_MAX",
    "Change",
    "Delete",
    "LogRow",
    "MemoryStore",
    "Put",
    "Store",
    "StoreClosed",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "Table",
    "check",
    "row_key",
]

# By default a member may post 24 secrets and replies an epoch; this is over two epochs' worth.
OUTBOX_ROW_COUNT: Final = 64

# Letters that were whispered, both ways, in all conversations: a megabyte, whether or not there are any.
LETTER_ROW_COUNT: Final = 256

# A preallocated row holds a secret of at most 1.2 kB and 2.4 kB of used slots and seeds, or a letter. Around it stand a
# length and 16 random bytes at each end: a row that is written anew is another one on every page that it lies on,
# whatever it holds.
ROW_SIZE: Final = 4096
ROW_VALUE_SIZE_MAX: Final = ROW_SIZE - 34

# A key is an id or a number; a value is a record, a packet, an item, or a page of the roster.
KEY_SIZE_MAX: Final = 64
VALUE_SIZE_MAX: Final = 64 * 1024

# A page of the feed is 200 items of at most 2.3 kB; one of the packets, 800 kB.
PAGE_COUNT_MAX: Final = 200

EPOCH_MAX: Final = 2**63 - 1
"""SQLite's integers are signed."""

SIZE_MAX_DEFAULT: Final = 2 * 1024**3
"""Bytes. A month of items at the default byte budget takes a quarter of it; a flood ends here."""


class StoreError(Exception):
    """The store cannot do what was asked. Its text is a sentence for the user."""


class StoreFull(StoreError):
    """The disk, or the store's own limit, is full; nothing of the batch was stored."""


class StoreCorrupt(StoreError):
    """The file is damaged."""


class StoreLocked(StoreError):
    """The key does not open the file."""


class StoreTooNew(StoreError):
    """The file was written by a later version."""


class StoreClosed(StoreError):
    """The store was closed before the batch was stored."""


class Table(Enum):
    """The tables; the value is the table's name on disk."""

    PROFILE = "profile"  #: single facts about this node: genesis, identity, settings made at run time
    FRIENDS = "friends"  #: confirmed friends
    INVITATIONS = "invitations"  #: live invitations, ours and those we accepted
    OUTBOX = "outbox"  #: what waits to be published; preallocated rows
    LETTERS = "letters"  #: what was whispered, to this node's person and by it; preallocated rows
    SLOTS = "slots"  #: slots already used, so that a restart does not use them again
    RECORDS = "records"  #: the mesh's own records: admissions, relay keys, revocations
    RINGS = "rings"  #: rings that items name and that do not follow from the records
    RELAY_KEYS = "relay_keys"  #: the secret halves of this node's relay keys
    ONIONS = "onions"  #: replay tags of onions that this node has relayed
    READING = "reading"  #: what this node's person wants to read, and what not
    PACKETS = "packets"  #: packets kept for friends that were away; a log
    ITEMS = "items"  #: accepted items; a log

    @property
    def is_log(self) -> bool:
        """Whether its rows have an epoch and an order of arrival."""
        return self in (Table.PACKETS, Table.ITEMS)


#: How many rows each of the tables has that never get another.
PREALLOCATED: Final[dict[Table, int]] = {
    Table.OUTBOX: OUTBOX_ROW_COUNT,
    Table.LETTERS: LETTER_ROW_COUNT,
}


@dataclass(frozen=True, slots=True)
class Put:
    """Sets the value of a key."""

    table: Table
    """Where."""
    key: bytes
    """1 to KEY_SIZE_MAX bytes; in preallocated tables a `row_key`."""
    value: bytes
    """At most VALUE_SIZE_MAX bytes; in preallocated tables at most ROW_VALUE_SIZE_MAX."""
    epoch: int = 0
    """0 to EPOCH_MAX; only in logs."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes a key, or does nothing if there is none. In preallocated tables it empties the row."""

    table: Table
    """Where."""
    key: bytes
    """As in Put."""


Change = Put | Delete


class LogRow(NamedTuple):
    """A row of a log."""

    seq: int
    """Arrival order: ascending, never used twice, 1 at least."""
    epoch: int
    key: bytes
    value: bytes


class Store(Protocol):
    """Tables of keys and values."""

    async def commit(self, changes: Sequence[Change]) -> None:
        """Applies a batch, all or nothing; it is durable when this returns.

        ValueError for a change that breaks a limit, StoreFull, StoreCorrupt or StoreClosed if it could not be
        stored. If the caller is cancelled meanwhile, the batch may have been stored or not.
        """

    async def load(self, table: Table) -> dict[bytes, bytes]:
        """Returns a whole table; ValueError for a log. Preallocated ones have all rows, empty ones as b""."""

    async def get(self, table: Table, key: bytes) -> bytes | None:
        """Returns one value, or None if there is no such key."""

    async def entries(self, log: Table) -> list[tuple[int, bytes]]:
        """Returns (epoch, key) of all rows of a log in the order of their arrival. ValueError for others."""

    async def page(
        self,
        log: Table,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = PAGE_COUNT_MAX,
    ) -> list[LogRow]:
        """Returns rows of a log with after < seq < before: the newest first, or, given `after`, the oldest.

        `limit` is 1 to PAGE_COUNT_MAX, else ValueError; also for a table that is no log.
        """

    async def size(self) -> int:
        """Returns the bytes that the store takes on disk."""


def row_key(table: Table, row: int) -> bytes:
    """Returns the key of a row of a preallocated table, 0 <= row < PREALLOCATED[table]."""
    if not 0 <= row < PREALLOCATED[table]:
        raise ValueError(f"{table.value} has rows 0 to {PREALLOCATED[table] - 1}")
    return row.to_bytes(2, "big")


def check(change: Change) -> None:
    """Raises ValueError for a change that no store takes."""
    if not 1 <= len(change.key) <= KEY_SIZE_MAX:
        raise ValueError(f"a key has 1 to {KEY_SIZE_MAX} bytes")
    rows = PREALLOCATED.get(change.table)
    if rows is not None and (len(change.key) != 2 or int.from_bytes(change.key, "big") >= rows):
        raise ValueError(f"{change.table.value} has no such row, and never gets another")
    if isinstance(change, Put):
        size_max = VALUE_SIZE_MAX if rows is None else ROW_VALUE_SIZE_MAX
        if len(change.value) > size_max:
            raise ValueError(f"a value in {change.table.value} has at most {size_max} bytes")
        if not 0 <= change.epoch <= (EPOCH_MAX if change.table.is_log else 0):
            raise ValueError("an epoch belongs to logs only and has 63 bits")


def check_log(table: Table, expected: bool) -> None:
    """Raises ValueError for a log where none is expected, or the other way round."""
    if table.is_log != expected:
        raise ValueError(f"{table.value} is {'a' if table.is_log else 'no'} log")


def check_limit(limit: int) -> None:
    """Raises ValueError for a page size out of range."""
    if not 1 <= limit <= PAGE_COUNT_MAX:
        raise ValueError(f"a page has 1 to {PAGE_COUNT_MAX} items")


class MemoryStore:
    """A store that forgets everything at the end; a fake that passes the real one's tests."""

    def __init__(self, *, size_max: int = SIZE_MAX_DEFAULT) -> None:
        self._size_max = size_max
        self._seq = 0
        self._rows: dict[Table, dict[bytes, LogRow]] = {table: {} for table in Table}
        for table, count in PREALLOCATED.items():
            keys = [row_key(table, row) for row in range(count)]
            self._rows[table].update((key, LogRow(0, 0, key, b"")) for key in keys)

    async def commit(self, changes: Sequence[Change]) -> None:
        for change in changes:
            check(change)
        puts = [change for change in changes if isinstance(change, Put) and change.table not in PREALLOCATED]
        growth = sum(len(put.value) for put in puts)
        if await self.size() + growth > self._size_max:
            raise StoreFull(f"The store has reached its limit of {self._size_max:,} bytes.")
        for change in changes:
            rows = self._rows[change.table]
            if isinstance(change, Put):
                self._seq += 1
                seq = rows[change.key].seq if change.key in rows else self._seq
                rows[change.key] = LogRow(seq, change.epoch, change.key, change.value)
            elif change.table in PREALLOCATED:
                rows[change.key] = LogRow(0, 0, change.key, b"")
            else:
                rows.pop(change.key, None)

    async def load(self, table: Table) -> dict[bytes, bytes]:
        check_log(table, expected=False)
        return {key: row.value for key, row in self._rows[table].items()}

    async def get(self, table: Table, key: bytes) -> bytes | None:
        row = self._rows[table].get(key)
        return None if row is None else row.value

    async def entries(self, log: Table) -> list[tuple[int, bytes]]:
        check_log(log, expected=True)
        return [(row.epoch, row.key) for row in sorted(self._rows[log].values())]

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
        found = [
            row
            for row in self._rows[log].values()
            if (before is None or row.seq < before) and (after is None or row.seq > after)
        ]
        found.sort(reverse=after is None)
        return found[:limit]

    async def size(self) -> int:
        others = [rows for table, rows in self._rows.items() if table not in PREALLOCATED]
        stored = sum(len(row.value) for rows in others for row in rows.values())
        return stored + sum(PREALLOCATED.values()) * ROW_SIZE
