"""Search: a full-text index of what there is to read, in memory.

Not on the disk: an index grows with what the texts say, and the size of the file would tell something of them. It is
filled when the node starts and follows what comes and goes. SQLite's FTS5 does the work; words match whatever their
case and accents, and the last one also as the beginning of a word.
"""

import re
from collections.abc import Iterable
from typing import Final

import apsw

__all__ = ["Search"]

#: Words of a query that count.
WORDS_MAX: Final = 16


class Search:
    """The index of one node."""

    def __init__(self) -> None:
        self._database = apsw.Connection(":memory:")
        self._database.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, text, tokenize = 'unicode61 remove_diacritics 2')"
        )
        self._rows: dict[bytes, int] = {}

    def add(self, texts: Iterable[tuple[bytes, str]]) -> None:
        """Adds texts by the ids of their items; one that is there already is passed over."""
        with self._database:
            for item_id, text in texts:
                if item_id not in self._rows:
                    self._database.execute("INSERT INTO texts VALUES (?, ?)", (item_id, text))
                    self._rows[item_id] = self._database.last_insert_rowid()

    def remove(self, item_id: bytes) -> None:
        """Removes a text, or does nothing."""
        row = self._rows.pop(item_id, None)
        if row is not None:
            self._database.execute("DELETE FROM texts WHERE rowid = ?", (row,))

    def find(self, query: str, count: int) -> list[bytes]:
        """The ids of the newest texts that have all words of the query, the newest first."""
        words = re.findall(r"\w+", query)[:WORDS_MAX]
        if not words:
            return []
        terms = " ".join(f'"{word}"' for word in words) + "*"
        rows = self._database.execute(
            "SELECT id FROM texts WHERE texts MATCH ? ORDER BY rowid DESC LIMIT ?", (terms, count)
        )
        return [item_id for (item_id,) in rows]
