"""Files: graphs as others write them.

| ending | form |
|---|---|
| ``.txt``, ``.edges``, ``.csv``, ``.tsv`` | two numbers a line (``lines``); a heading in .csv and .tsv |
| ``.mtx`` | Matrix Market, coordinates of a square matrix (Boisvert, Pozo and Remington, 1996) |
| ``.graphml`` | GraphML (``graphml``) |
| ``.gt`` | graph-tool's own (``gt``) |
| ``.rdata`` | the first igraph object that R saved (``rdata``) |

Each may be compressed, with ``.gz`` after it. Directions and weights are passed over: who can tell is a friend. Nodes
are numbered anew from 0 in the order of their numbers or of the file; what they were called is in ``Graph.names``.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .graph import Graph, GraphError

__all__ = ["FORMS", "load"]

#: Bytes of a file, uncompressed; ten times those of a graph with ten million friendships.
SIZE_MAX: Final = 2_000_000_000
#: Numbers of nodes in a list of edges; they need not be dense.
NUMBER_MAX: Final = 10**17
#: Nodes of a matrix: what numbers of 32 bits can count.
NODES_MAX: Final = 2**31 - 1


def load(path: Path) -> Graph:
    """Reads a graph. Raises ``GraphError`` with the file, the line where there is one, and the way out."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    is_zipped = suffixes[-1:] == [".gz"]
    suffix = (suffixes[:-1] if is_zipped else suffixes)[-1:]
    form = FORMS.get(suffix[0]) if suffix else None
    if form is None:
        raise GraphError(
            f"{path} is no graph by its ending: take {', '.join(FORMS)}, each perhaps with .gz after it."
        )
    try:
        with gzip.open(path) if is_zipped else path.open("rb") as file:
            data = file.read(SIZE_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise GraphError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if len(data) > SIZE_MAX:
        raise GraphError(f"{path} is larger than {SIZE_MAX // 10**9} GB; take a smaller graph.")
    try:
        graph = form(data, str(path))
    except GraphError as error:  # Some know nothing of files.
        raise error if str(path) in str(error) else GraphError(f"{path}: {error}") from error
    if not graph.edge_count:
        raise GraphError(f"{path} is empty: it has no friendship.")
    return graph


def _edge_list(data: bytes, where: str) -> Graph:
    return _numbered(data, where, 1)


def _table(data: bytes, where: str) -> Graph:
    """A list of edges that may begin with a heading."""
    heading, newline, rest = data.partition(b"\n")
    return (
        _numbered(rest, where, 2)
        if newline and not re.match(rb"[\s\d#%]", heading)
        else _numbered(data, where, 1)
    )


def _numbered(data: bytes, where: str, first_line: int) -> Graph:
    from .lines import read_pairs

    pairs = read_pairs(data, where, first_line=first_line, low=0, high=NUMBER_MAX)
    if not len(pairs):
        return Graph.from_edges(0, pairs)
    # Numbers that are nearly dense are looked up in a table, and others are sorted.
    if pairs.max() < 4 * len(pairs):
        is_there = np.zeros(pairs.max() + 1, dtype=np.bool_)
        is_there[pairs[:, 0]] = is_there[pairs[:, 1]] = True
        names: NDArray[np.int64] = np.flatnonzero(is_there)
        if len(names) < len(is_there):
            pairs = (np.cumsum(is_there) - 1)[pairs]
    else:
        names, pairs = np.unique(pairs, return_inverse=True)
    is_plain = len(names) == names[-1] + 1
    return Graph.from_edges(len(names), pairs, None if is_plain else names.tolist())


def _matrix_market(data: bytes, where: str) -> Graph:
    from .lines import read_pairs

    heading, _, _ = data.partition(b"\n")
    if not heading.lower().startswith(b"%%matrixmarket matrix coordinate"):
        raise GraphError(f"{where}, line 1: '%%MatrixMarket matrix coordinate …' was expected.")
    begin, line = 0, 1
    while data[begin : begin + 1] == b"%" or data[begin : begin + 1].isspace():
        end = data.find(b"\n", begin)
        if end < 0:
            break
        begin, line = end + 1, line + 1
    sizes, _, rest = data[begin:].partition(b"\n")
    words = sizes.split()
    if len(words) != 3 or not all(word.isdigit() and len(word) < 12 for word in words):
        raise GraphError(f"{where}, line {line}: rows, columns and entries of the matrix were expected.")
    rows, columns, entries = map(int, words)
    if rows != columns or rows > NODES_MAX:
        raise GraphError(
            f"{where}, line {line}: a graph is a square matrix, and this one has {rows} rows of {columns}."
        )
    pairs = read_pairs(rest, where, first_line=line + 1, low=1, high=rows)
    if len(pairs) != entries:
        raise GraphError(f"{where} has {len(pairs)} of the {entries} entries that its line {line} promises.")
    return Graph.from_edges(rows, pairs - 1, range(1, rows + 1))


def _graphml(data: bytes, where: str) -> Graph:
    from .graphml import parse

    return parse(data, where)


def _gt(data: bytes, where: str) -> Graph:
    from .gt import parse

    return parse(data, where)


def _rdata(data: bytes, where: str) -> Graph:
    from .rdata import parse

    return parse(data, where)


#: By ending.
FORMS: Final[Mapping[str, Callable[[bytes, str], Graph]]] = {
    ".txt": _edge_list,
    ".edges": _edge_list,
    ".csv": _table,
    ".tsv": _table,
    ".mtx": _matrix_market,
    ".graphml": _graphml,
    ".gt": _gt,
    ".rdata": _rdata,
}
