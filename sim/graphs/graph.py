"""The graph: who is whose friend, as compressed sparse rows.

For graphs of up to some millions of friendships, to be read by compiled code: two flat arrays, and a third that leads
from each direction of a friendship to the other. It never changes. scipy is imported only by what needs it.
"""

import hashlib
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Graph", "GraphError"]


class GraphError(Exception):
    """There is no such graph, or it will not do; the message says why, as a sentence."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Friendships among nodes that are numbered from 0. Without loops and double edges."""

    starts: NDArray[np.int64]
    """Of shape (nodes + 1,): where the friends of each node begin in ``friends``, and where those of the last end."""
    friends: NDArray[np.int32]
    """Of shape (2 · edges,): the friends of each node, ascending."""
    names: "Sequence[Any] | None" = None
    """What nodes are called where the graph is from, in order; None where they are called by their numbers."""

    @classmethod
    def from_edges(cls, node_count: int, edges: ArrayLike, names: "Sequence[Any] | None" = None) -> "Graph":
        """Builds a graph from pairs of nodes, in any order; of repeated ones and of both directions one counts.

        Raises ``GraphError`` if a node is its own friend or not below ``node_count``.
        """
        pairs = np.asarray(edges).reshape(-1, 2)
        if len(pairs):
            if pairs.min() < 0 or pairs.max() >= node_count:
                raise GraphError(f"An edge leads to a node that is not among the {node_count}.")
            if (pairs[:, 0] == pairs[:, 1]).any():
                node = int(pairs[pairs[:, 0] == pairs[:, 1]][0, 0])
                raise GraphError(f"Node {node} is its own friend.")
        one, other = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)
        # Both directions of each edge as one number, sorted once.
        keys = np.concatenate([one * node_count + other, other * node_count + one])
        keys.sort()
        keys = keys[np.diff(keys, prepend=-1) > 0]
        heads = keys // max(1, node_count)
        keys -= heads * node_count
        starts = np.searchsorted(heads, np.arange(node_count + 1))
        return cls(starts.astype(np.int64), keys.astype(np.int32), names)

    @property
    def node_count(self) -> int:
        return len(self.starts) - 1

    @property
    def edge_count(self) -> int:
        """Friendships, each counted once."""
        return len(self.friends) // 2

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """How many friends each node has."""
        return np.diff(self.starts)

    @property
    def mean_degree(self) -> float:
        return 2 * self.edge_count / self.node_count

    @cached_property
    def heads(self) -> NDArray[np.int32]:
        """Of shape (2 · edges,): whose friend each entry of ``friends`` is."""
        return np.repeat(np.arange(self.node_count, dtype=np.int32), self.degrees)

    @cached_property
    def twins(self) -> NDArray[np.int64]:
        """Of shape (2 · edges,): the place in ``friends`` of the same friendship, seen from the friend."""
        # Sorted by (friend, head) the entries are those sorted by (head, friend), seen from the other side.
        places: NDArray[np.int64] = self._matrix(np.arange(len(self.friends))).tocsc().data
        return places

    @property
    def edges(self) -> NDArray[np.int64]:
        """Of shape (edges, 2): each friendship once, the lower number first, in ascending order."""
        heads, tails = self.heads, self.friends
        once = heads < tails
        return np.stack([heads[once], tails[once]], axis=1).astype(np.int64)

    @cached_property
    def digest(self) -> str:
        """64 hexadecimal digits that tell this graph from all others."""
        digest = hashlib.sha256(b"%d %d\n" % (self.node_count, self.edge_count))
        digest.update(np.ascontiguousarray(self.starts).data)
        digest.update(np.ascontiguousarray(self.friends).data)
        return digest.hexdigest()

    def friends_of(self, node: int) -> "Sequence[int]":
        """The friends of one node, ascending."""
        friends: list[int] = self.friends[self.starts[node] : self.starts[node + 1]].tolist()
        return friends

    # Parts.

    @cached_property
    def components(self) -> NDArray[np.int64]:
        """Of shape (nodes,): the lowest number that can be reached from each node."""
        labels = np.arange(self.node_count)
        while True:
            own, friends = labels[self.heads], labels[self.friends]
            lower = friends < own
            if not lower.any():
                return labels
            np.minimum.at(labels, own[lower], friends[lower])
            while (labels[labels] < labels).any():
                labels = labels[labels]

    @property
    def is_connected(self) -> bool:
        return not self.components.any()

    def largest_component(self) -> tuple["Graph", NDArray[np.int64]]:
        """The largest connected part, and the numbers that its nodes have here."""
        kept = np.flatnonzero(self.components == np.bincount(self.components).argmax())
        return self.restricted(kept), kept

    def restricted(self, nodes: NDArray[np.int64]) -> "Graph":
        """The graph among these nodes alone, numbered in this order."""
        places = np.full(self.node_count, -1, dtype=np.int64)
        places[nodes] = np.arange(len(nodes))
        edges = places[self.edges]
        names = None if self.names is None else [self.names[node] for node in nodes]
        return Graph.from_edges(len(nodes), edges[(edges >= 0).all(axis=1)], names)

    def relabelled(self) -> tuple["Graph", NDArray[np.int64]]:
        """The same graph with friends near each other in memory, and the numbers that its nodes have here.

        In the order of Cuthill and McKee (1969): by breadth, so that a walk touches few pages.
        """
        from scipy.sparse import csgraph

        matrix = self._matrix(np.ones(len(self.friends), dtype=np.int8))
        order = csgraph.reverse_cuthill_mckee(matrix, symmetric_mode=True).astype(np.int64)
        return self.restricted(order), order

    def _matrix(self, values: NDArray[Any]) -> Any:
        from scipy import sparse

        return sparse.csr_matrix((values, self.friends, self.starts), shape=(self.node_count,) * 2)

    # Files.

    def save(self, folder: Path) -> Path:
        """Writes the graph into a folder of its own below this one, named by its digest, unless it is there.

        Without names. Raises ``OSError``, and leaves nothing half-written.
        """
        home = folder / self.digest
        if home.exists():
            return home
        folder.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
        try:
            np.save(part / "starts.npy", self.starts)
            np.save(part / "friends.npy", self.friends)
            # Another process may have been quicker: then this fails, and what it wrote is as good.
            with suppress(OSError):
                part.rename(home)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        if not home.exists():
            raise OSError(f"{home} could not be written.")
        return home

    @classmethod
    def load(cls, home: Path) -> "Graph":
        """Maps what ``save`` wrote into memory; processes that load it share it. Raises ``OSError``."""
        return cls(np.load(home / "starts.npy", mmap_mode="r"), np.load(home / "friends.npy", mmap_mode="r"))
