"""A backup: of a profile what no friend can give back, in one file under the passphrase, and a profile made of it.

In it are the keys with the root of the words, the mesh, the guard, the friends, the mesh's records, what one wants to
read, whispers, and the seeds and used slots of what one has published. Not in it are items, packets, rings and onions,
which come back from friends or are worth nothing by then; invitations; relay keys, since a thief of the file could open
with them what was recorded; and what waits in the outbox.

A profile that is restored has a gap in its memory: it does not know what it said after the backup. So it keeps the
moment of the restoring, and says nothing in the epochs up to then and one more (``account``, ``gossip.quota``).

The file is an archive (``crypto.archive``) of the CBOR array ``[version, made_at, tables]``, with each table as
``[name, [[key, value], ...]]``, names and keys ascending.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from ..crypto import archive
from ..crypto.errors import CryptoError, InvalidArchive
from ..crypto.roots import Root
from ..gossip.errors import Malformed
from ..gossip.wire import Message, decode_untrusted, encode
from .account import Account, AccountError
from .files import read_private, write_private
from .outbox_rows import OutboxRows
from .profile import Profile
from .setup import SetupError, build, check_new, unlock
from .storage.snapshot import snapshot
from .storage.store import PREALLOCATED, Put, Store, StoreError, Table, check

__all__ = [
    "BackupError",
    "Content",
    "Sealed",
    "pack",
    "restore",
    "restore_words",
    "root_of",
    "save",
    "seal",
    "unpack",
]

VERSION: Final = 1
KEPT: Final = (
    Table.FRIENDS,
    Table.LETTERS,
    Table.OUTBOX,
    Table.PROFILE,
    Table.READING,
    Table.RECORDS,
    Table.SLOTS,
)
#: Rows in one commit of a restored store.
_BATCH_COUNT: Final = 256


class BackupError(Exception):
    """The backup cannot be made or used; the message says why and what to do."""


class _Row(Message, frozen=True):
    key: bytes
    value: bytes


class _Table(Message, frozen=True):
    name: Annotated[str, msgspec.Meta(max_length=32)]
    rows: list[_Row]


class Content(Message, frozen=True):
    """What is in a backup."""

    version: Annotated[int, msgspec.Meta(ge=VERSION, le=VERSION)]
    made_at: Annotated[int, msgspec.Meta(ge=0, lt=2**48)]
    """Seconds since 1970."""
    tables: list[_Table]


def pack(tables: Mapping[Table, Mapping[bytes, bytes]], made_at: float) -> bytes:
    """Chooses from whole tables what is worth keeping, and writes it down."""
    chosen = {table: dict(tables.get(table, {})) for table in KEPT}
    outbox = OutboxRows()
    outbox.load(chosen[Table.OUTBOX])
    chosen[Table.OUTBOX] = outbox.without_drafts()
    content = Content(
        version=VERSION,
        made_at=int(made_at),
        tables=[
            _Table(
                name=table.value,
                # Empty rows are those of tables that have all their rows from the beginning.
                rows=[
                    _Row(key=key, value=rows[key])
                    for key in sorted(rows)
                    if rows[key] or table not in PREALLOCATED
                ],
            )
            for table, rows in chosen.items()
        ],
    )
    return encode(content)


def unpack(data: bytes) -> tuple[list[Put], int]:
    """The rows of a backup and when it was made. Raises ``BackupError``, and nothing else, whatever the bytes."""
    try:
        content = decode_untrusted(Content, data, archive.ARCHIVE_SIZE_MAX)
        puts = [Put(Table(table.name), row.key, row.value) for table in content.tables for row in table.rows]
        for put in puts:
            check(put)
            if put.table not in KEPT:
                raise ValueError(f"a backup has no {put.table.value}")
    except (Malformed, ValueError) as error:
        raise BackupError(str(InvalidArchive.__doc__)) from error
    return puts, content.made_at


# Making one.


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A backup, ready to be written."""

    data: bytes = field(repr=False)
    """Encrypted under the passphrase."""
    friend_count: int


def seal(profile: Profile, ask_passphrase: Callable[[bool], str], *, now: float) -> Sealed:
    """Makes a backup of a profile, whether its node runs or not. Raises ``BackupError``.

    Args:
        profile: whose.
        ask_passphrase: asks for the profile's passphrase, or, told True, for a new one: a backup has one in any case.
        now: seconds since 1970.
    """
    tables, passphrase = _opened(profile, ask_passphrase)
    try:
        data = archive.seal(pack(tables, now), passphrase or ask_passphrase(True))
    except ValueError as error:
        raise BackupError(f"The backup cannot be made: {error}.") from error
    return Sealed(data=data, friend_count=len(tables[Table.FRIENDS]))


def save(
    profile: Profile,
    ask_passphrase: Callable[[bool], str],
    path: Path,
    *,
    now: float,
    replace: bool,
) -> dict[str, Any]:
    """Writes a backup into a file, made as by ``seal``; ``replace`` allows one that is there to be overwritten."""
    if path.exists() and not replace:
        raise BackupError(f"{path} is there already: choose another name, or say --force.")
    sealed = seal(profile, ask_passphrase, now=now)
    try:
        write_private(path, sealed.data)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    return {"file": str(path), "size": len(sealed.data), "friends": sealed.friend_count}


def root_of(profile: Profile, ask_passphrase: Callable[[bool], str]) -> Root:
    """The root of a profile, for its words. Raises ``BackupError``, also if it has none."""
    tables, _ = _opened(profile, ask_passphrase)
    try:
        root = Account.root_in(tables[Table.PROFILE])
    except (AccountError, Malformed) as error:
        raise BackupError(str(error)) from error
    if root is None:
        raise BackupError(
            "This profile was made before there were words, so it has none: make a backup to a file instead."
        )
    return root


def _opened(
    profile: Profile, ask_passphrase: Callable[[bool], str]
) -> tuple[dict[Table, dict[bytes, bytes]], str | None]:
    """The tables of a profile, and the passphrase that opened it, if one was needed."""
    given: list[str] = []

    def ask() -> str:
        given.append(ask_passphrase(False))
        return given[0]

    try:
        key = unlock(profile, ask)
        return snapshot(profile.database_file, key, KEPT), given[0] if given else None
    except (SetupError, StoreError) as error:
        raise BackupError(str(error)) from error


# Using one.


def restore(
    profile: Profile, path: Path, ask_passphrase: Callable[[], str], listen: str | None, *, now: float
) -> dict[str, Any]:
    """Makes a new profile of a backup, under the backup's passphrase. Raises ``BackupError``."""
    try:
        check_new(profile, listen)
        passphrase = ask_passphrase()
        puts, made_at = unpack(archive.open_untrusted(_read(path), passphrase))
    except SetupError as error:
        raise BackupError(str(error)) from error
    except CryptoError as error:
        raise BackupError(str(error) or str(type(error).__doc__)) from error

    async def fill(store: Store) -> None:
        for start in range(0, len(puts), _BATCH_COUNT):
            await store.commit(puts[start : start + _BATCH_COUNT])
        await _restored(store, max(int(now), made_at))

    made = _build(profile, passphrase, listen, fill)
    return {**made, "friends": sum(put.table is Table.FRIENDS for put in puts), "made_at": made_at}


def restore_words(
    profile: Profile, root: Root, passphrase: str | None, listen: str | None, *, now: float
) -> dict[str, Any]:
    """Makes a new profile of a root: its keys, and nothing else. Raises ``BackupError``."""

    async def fill(store: Store) -> None:
        await Account.make(store, root)
        await _restored(store, int(now))

    return _build(profile, passphrase, listen, fill)


async def _restored(store: Store, at: int) -> None:
    # Reads what a node reads first, so that a backup that will not do is found out here.
    try:
        await (await Account.load(store)).restored(at)
    except Malformed as error:
        raise AccountError("This backup holds a profile that this version cannot read.") from error


def _build(profile: Profile, passphrase: str | None, listen: str | None, fill: Any) -> dict[str, Any]:
    try:
        return build(profile, passphrase, listen, fill)
    except SetupError as error:
        raise BackupError(str(error)) from error


def _read(path: Path) -> bytes:
    try:
        return read_private(path, size_max=archive.ARCHIVE_SIZE_MAX)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {os.strerror(error.errno or 0)}.") from error
    except ValueError as error:
        raise BackupError(str(InvalidArchive.__doc__)) from error
