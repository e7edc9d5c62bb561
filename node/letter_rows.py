"""The letters' rows: what was whispered, to this node's person and by it, where a disk does not show how much.

As the outbox's, the rows were there before and have one size, and at each tick of the own clock one of them is written
anew, whether or not there is a letter in it. A letter that comes takes an empty row; that it was read is written when
the turn of its row comes, at the next tick if nothing else waits for that: a write of its own would show that somebody
reads. A row's value is empty, or ``format u8 = 1 || CBOR of a letter``. What is forgotten is overwritten at once.

Not a judge of when a letter is one too many: the engine says so.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Annotated, Final

import msgspec

from ..gossip.conversations import LETTERS_MAX
from ..gossip.items import ItemId
from ..gossip.letters import Letter
from ..gossip.wire import Bytes32, Epoch, Message, decode_untrusted, encode
from .storage.store import LETTER_ROW_COUNT, ROW_VALUE_SIZE_MAX, Put, Table, row_key

__all__ = ["LetterRows"]

FORMAT: Final = b"\x01"

assert LETTER_ROW_COUNT >= LETTERS_MAX


class _Row(Message, frozen=True):
    """The fields of a letter, in its order."""

    letter_id: Bytes32
    about: Bytes32
    own_key: Bytes32
    own_secret: Annotated[bytes, msgspec.Meta(max_length=32)]
    other_key: Bytes32
    epoch: Epoch
    place: int
    is_own: int
    is_read: int
    text: str


class LetterRows:
    """All rows, as they stand on the disk once what is returned has been committed, but for what was read."""

    def __init__(self, choose: Callable[[int], int] = secrets.randbelow) -> None:
        """``choose`` draws a number below its argument."""
        self._choose = choose
        self._rows: list[Letter | None] = [None] * LETTER_ROW_COUNT
        self._read: list[int] = []
        """Rows whose letters were read since they were written."""

    def load(self, values: dict[bytes, bytes]) -> None:
        """Takes the rows back as they were read."""
        for key, value in values.items():
            self._rows[int.from_bytes(key, "big")] = _read(value) if value else None

    @property
    def letters(self) -> list[Letter]:
        return [row for row in self._rows if row is not None]

    def keep(self, letter: Letter) -> Put:
        """A letter is to be kept. The engine has made room for it."""
        free = [index for index, row in enumerate(self._rows) if row is None]
        index = free[self._choose(len(free))]
        self._rows[index] = letter
        return self._put(index)

    def read(self, letter_ids: Iterable[ItemId]) -> None:
        """These were read."""
        for index in self._indices(letter_ids):
            row = self._rows[index]
            assert row is not None
            self._rows[index] = replace(row, is_read=True)
            self._read.append(index)

    def forget(self, letter_ids: Iterable[ItemId]) -> list[Put]:
        """These letters are to be overwritten, at once."""
        indices = self._indices(letter_ids)
        for index in indices:
            self._rows[index] = None
        return [self._put(index) for index in indices]

    def turn(self) -> Put:
        """The own clock has ticked: writes a row anew."""
        return self._put(self._read.pop(0) if self._read else self._choose(LETTER_ROW_COUNT))

    def _indices(self, letter_ids: Iterable[ItemId]) -> list[int]:
        wanted = set(letter_ids)
        return [index for index, row in enumerate(self._rows) if row and row.letter_id in wanted]

    def _put(self, index: int) -> Put:
        row = self._rows[index]
        return Put(Table.LETTERS, row_key(Table.LETTERS, index), _encoded(row) if row is not None else b"")


def _encoded(letter: Letter) -> bytes:
    fields = {**asdict(letter), "is_own": int(letter.is_own), "is_read": int(letter.is_read)}
    return FORMAT + encode(_Row(**fields))


def _read(value: bytes) -> Letter:
    assert value[:1] == FORMAT
    row = decode_untrusted(_Row, value[1:], ROW_VALUE_SIZE_MAX)
    fields = msgspec.structs.asdict(row)
    return Letter(**{**fields, "is_own": bool(row.is_own), "is_read": bool(row.is_read)})
