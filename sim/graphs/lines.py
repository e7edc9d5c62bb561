"""Lines: two numbers each, read in one pass by compiled code.

Numbers are whole and written in digits; between them are spaces, tabs, commas or semicolons. What follows the second is
passed over, and so are empty lines and those that begin with ``#`` or ``%``.
"""

import numpy as np
from numpy.typing import NDArray

from ..spread.compiled import compiled
from .graph import GraphError

__all__ = ["read_pairs"]

_NO_NUMBER, _NO_SECOND, _LOOP, _OUTSIDE = 1, 2, 3, 4
#: Characters of a line that a message shows.
SHOWN_MAX = 40


def read_pairs(text: bytes, where: str, *, first_line: int, low: int, high: int) -> NDArray[np.int64]:
    """Reads all pairs of a text.

    Args:
        text: lines.
        where: the file, for messages.
        first_line: the number of the first line.
        low: the lowest number that a node may have.
        high: the highest.

    Raises:
        GraphError: with the file and the line.
    """
    pairs = np.empty((text.count(b"\n") + 1, 2), dtype=np.int64)
    count, line, flaw = _read(np.frombuffer(text, dtype=np.uint8), pairs, low, high)
    if not flaw:
        return pairs[:count]
    place = f"{where}, line {first_line + line}"
    shown = text.split(b"\n", line + 1)[line].strip()[:SHOWN_MAX].decode("utf-8", "replace")
    raise GraphError(
        {
            _NO_NUMBER: f"{place}: two whole numbers were expected, and not {shown!r}.",
            _NO_SECOND: f"{place}: two whole numbers were expected, and there is one, {shown!r}.",
            _LOOP: f"{place}: node {pairs[count, 0]} is its own friend; remove the line.",
            _OUTSIDE: f"{place}: nodes are numbered from {low} to {high}, and {shown!r} has another.",
        }[flaw]
    )


@compiled
def _read(text: NDArray[np.uint8], pairs: NDArray[np.int64], low: int, high: int) -> tuple[int, int, int]:
    """How many pairs there are; or before which line, counted from 0, there is what flaw."""
    count, line, at, size = 0, 0, 0, len(text)
    while at < size:
        found = 0
        while at < size and text[at] != 10:
            sign = text[at]
            # Space, tab, carriage return, comma, semicolon.
            if sign == 32 or sign == 9 or sign == 13 or sign == 44 or sign == 59:
                at += 1
                continue
            if found == 2 or (found == 0 and (sign == 35 or sign == 37)):
                while at < size and text[at] != 10:
                    at += 1
                break
            number, begin = 0, at
            while at < size and 48 <= text[at] <= 57 and at - begin < 18:
                number = number * 10 + (text[at] - 48)
                at += 1
            if at == begin or (at < size and not (text[at] <= 32 or text[at] == 44 or text[at] == 59)):
                return count, line, _NO_NUMBER
            if number < low or number > high:
                return count, line, _OUTSIDE
            pairs[count, found] = number
            found += 1
        if found == 1:
            return count, line, _NO_SECOND
        if found == 2:
            if pairs[count, 0] == pairs[count, 1]:
                return count, line, _LOOP
            count += 1
        at += 1
        line += 1
    return count, line, 0
