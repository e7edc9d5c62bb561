"""gt: the binary files of graph-tool, of which only who is linked with whom is read.

A magic number, the order of bytes, a comment, whether it is directed, the count of nodes; then for each node how many
links lead out, and where to, in the smallest whole numbers that can count the nodes. Specified in
https://graph-tool.skewed.de/static/doc/gt_format.html. Links of a node to itself are left out: keys sign themselves.
"""

import numpy as np

from .graph import Graph, GraphError

__all__ = ["parse"]

MAGIC = "⛾ gt".encode()


def parse(data: bytes, where: str) -> Graph:
    """Reads a graph. Raises ``GraphError``."""
    if not data.startswith(MAGIC + b"\x01") or data[7:8] not in (b"\0", b"\1"):
        raise GraphError(f"{where} is no file of graph-tool, of version 1.")
    order = "<" if data[7] == 0 else ">"
    try:
        (comment_size,) = np.frombuffer(data, order + "u8", 1, 8)
        at = 16 + int(comment_size) + 1
        (node_count,) = map(int, np.frombuffer(data, order + "u8", 1, at))
        at += 8
        width = next(size for size in (1, 2, 4, 8) if node_count < 1 << 8 * size)
        edges = []
        for node in range(node_count):
            count = int.from_bytes(data[at : at + 8], "little" if order == "<" else "big")
            friends = np.frombuffer(data, f"{order}u{width}", count, at + 8).astype(np.int64)
            edges.append(np.stack([np.full(count, node), friends], axis=1))
            at += 8 + count * width
    except (ValueError, OverflowError) as error:  # Of numpy, where the data end.
        raise GraphError(f"{where} ends too early; fetch it again.") from error
    pairs = np.concatenate(edges or [np.empty((0, 2), dtype=np.int64)])
    return Graph.from_edges(node_count, pairs[pairs[:, 0] != pairs[:, 1]])
