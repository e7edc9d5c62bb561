"""Preferences: what this node's person wants to read, and what not.

What is hidden, which threads are muted or subscribed to and how far they were read, which words nobody wants to see,
and how long one's own posts stay linked. All of it is local, works at once, lies in the encrypted store and is told to
nobody. Bounded; what is about expired items is forgotten with them.

A row of the store is a byte for what it is, with 32 bytes of what it is about, and a value: nothing, or the number of
replies that were read (u32).
"""

import enum
import unicodedata
from collections.abc import Collection
from typing import Annotated, Final

import msgspec

from ..gossip.board import Board
from ..gossip.errors import LocalError
from ..gossip.wire import Message, decode_untrusted, encode
from .filtering import Filter
from .storage.store import Change, Delete, Put, Store, Table

__all__ = ["THEMES", "Preferences", "Settings", "Sort"]

#: Things of each sort that are remembered. A person makes a handful a day.
ENTRIES_MAX: Final = 4_096
FILTERS_MAX: Final = 100
FILTER_SIZE_MAX: Final = 64
SETTINGS_SIZE_MAX: Final = 16_384
#: As the system has it, light, or dark.
THEMES: Final = ("auto", "light", "dark")
_SETTINGS: Final = b"settings"


class Sort(enum.IntEnum):
    """What a row is; the value is its first byte on the disk."""

    #: An item that is not to be shown.
    HIDDEN = 1
    #: An item that is to be shown although it was flagged.
    UNFOLDED = 2
    #: A thread that is not to be shown.
    MUTED = 3
    #: A thread that is followed, with the number of replies that were read.
    SUBSCRIBED = 4


class Settings(Message, frozen=True):
    """What is set once."""

    filters: Annotated[tuple[str, ...], msgspec.Meta(max_length=FILTERS_MAX)] = ()
    """Words and phrases; what has one of them is not shown."""
    link_hours: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 168
    """How long one's own posts stay linked once they are published; 0 unlinks them at once."""
    lock_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    """Minutes without use after which the page asks for the passphrase; 0 for never."""
    theme: str = THEMES[0]
    """How the page looks; one of ``THEMES``."""


class Preferences:
    """The preferences of one profile."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: dict[Sort, dict[bytes, int]] = {sort: {} for sort in Sort}
        self.settings = Settings()
        self._filter = Filter(())

    async def load(self) -> None:
        """Reads them. Raises ``StoreError``."""
        for key, value in (await self._store.load(Table.READING)).items():
            if key == _SETTINGS:
                self.settings = decode_untrusted(Settings, value, SETTINGS_SIZE_MAX)
            else:
                self._entries[Sort(key[0])][key[1:]] = int.from_bytes(value, "big")
        self._filter = Filter(self.settings.filters)

    def has(self, sort: Sort, about: bytes) -> bool:
        return about in self._entries[sort]

    def all(self, sort: Sort) -> Collection[bytes]:
        return self._entries[sort].keys()

    def read_count(self, thread_nonce: bytes) -> int | None:
        """How many replies of a thread were read; None for one that is not subscribed to."""
        return self._entries[Sort.SUBSCRIBED].get(thread_nonce)

    def is_filtered(self, text: str) -> bool:
        """Whether a text has a word that is not wanted."""
        return self._filter.matches(text)

    async def put(self, sort: Sort, about: bytes, count: int = 0) -> None:
        """Remembers something. Raises ``LocalError`` for one too many, ``StoreError``."""
        entries = self._entries[sort]
        if about not in entries and len(entries) >= ENTRIES_MAX:
            raise LocalError(f"{ENTRIES_MAX:,} are remembered already; take some back first.")
        await self._store.commit([Put(Table.READING, bytes([sort]) + about, count.to_bytes(4, "big"))])
        entries[about] = count

    async def remove(self, sort: Sort, about: bytes) -> None:
        """Forgets something, or does nothing. Raises ``StoreError``."""
        if self._entries[sort].pop(about, None) is not None:
            await self._store.commit([Delete(Table.READING, bytes([sort]) + about)])

    async def keep_only(self, board: Board) -> None:
        """Forgets what is about items and threads that are gone. Raises ``StoreError``."""
        changes: list[Change] = []
        for sort, entries in self._entries.items():
            holds = board.has_thread if sort in (Sort.MUTED, Sort.SUBSCRIBED) else board.has
            for about in [about for about in entries if not holds(about)]:
                del entries[about]
                changes.append(Delete(Table.READING, bytes([sort]) + about))
        if changes:
            await self._store.commit(changes)

    async def set(self, settings: Settings) -> None:
        """Changes the settings. Raises ``LocalError`` for filters that will not do, ``StoreError``."""
        filters = tuple(dict.fromkeys(_tidied(each) for each in settings.filters))
        filters = tuple(each for each in filters if each)
        if len(filters) > FILTERS_MAX or any(len(each) > FILTER_SIZE_MAX for each in filters):
            raise LocalError(
                f"There can be {FILTERS_MAX} filters, of {FILTER_SIZE_MAX} characters each at the most."
            )
        settings = msgspec.structs.replace(settings, filters=filters)
        await self._store.commit([Put(Table.READING, _SETTINGS, encode(settings))])
        self.settings, self._filter = settings, Filter(filters)


def _tidied(phrase: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", phrase).casefold().split())
