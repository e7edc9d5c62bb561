"""rdata: a graph of R's igraph in a file that ``save`` wrote, as far as it is needed for one.

R's external format (R Internals, 1.8 "Serialization Formats"), version 2: a list of tagged values. Here the first
value is an igraph object as igraph had them until 1.5: a list that begins with the count of nodes, whether it is
directed, and the two ends of all edges.
"""

import lzma
import struct

import numpy as np
from numpy.typing import NDArray

from .graph import Graph, GraphError

__all__ = ["parse"]

_SYMBOL, _PAIRLIST, _STRING, _LOGICALS, _INTEGERS, _REALS, _LIST = 1, 2, 9, 10, 13, 14, 19


def parse(data: bytes, where: str) -> Graph:
    """Reads the first graph of a file. Raises ``GraphError``."""
    try:
        raw = lzma.decompress(data)
        if not raw.startswith(b"RDX2\nX\n\0\0\0\2"):
            raise ValueError("another version")
        at = 19
        at = _begin(raw, at, _PAIRLIST)
        at = _begin(raw, _begin(raw, at, _SYMBOL), _STRING)
        at += 4 + _whole(raw, at)
        at = _begin(raw, at, _LIST) + 4
        node_counts, at = _numbers(raw, at)
        _, at = _numbers(raw, at)
        ones, at = _numbers(raw, at)
        others, at = _numbers(raw, at)
        if len(node_counts) != 1 or len(ones) != len(others):
            raise ValueError("other lengths")
    except (ValueError, lzma.LZMAError, struct.error) as error:
        raise GraphError(f"{where} is no graph of R's igraph: {error}.") from error
    return Graph.from_edges(int(node_counts[0]), np.stack([ones, others], axis=1).astype(np.int64))


def _whole(raw: bytes, at: int) -> int:
    number: int = struct.unpack_from(">i", raw, at)[0]
    return number


def _begin(raw: bytes, at: int, kind: int) -> int:
    if _whole(raw, at) & 0xFF != kind:
        raise ValueError(f"another value at byte {at}")
    return at + 4


def _numbers(raw: bytes, at: int) -> tuple[NDArray[np.float64], int]:
    """A vector of numbers, and where the next value begins."""
    kind, count = _whole(raw, at) & 0xFF, _whole(raw, at + 4)
    if kind not in (_LOGICALS, _INTEGERS, _REALS):
        raise ValueError(f"another value at byte {at}")
    form = ">f8" if kind == _REALS else ">i4"
    values = np.frombuffer(raw, form, count, at + 8)
    if not np.isfinite(values).all():
        raise ValueError(f"a number is missing at byte {at}")
    return values.astype(np.float64), at + 8 + values.nbytes
