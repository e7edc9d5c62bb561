"""Monte Carlo: many runs on a graph or an infinite tree, by threads, with the same result for any number of them.

A run is keyed by the seed and its number. Runs are made in blocks; each thread has a workspace of its own, takes the
next block that nobody has, and writes into its place. The kernels let go of Python's lock.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ..graphs.graph import Graph
from ..graphs.tree import Tree
from .adaptive import ball
from .arrivals import front
from .contact import make_contacts
from .counter import key_of
from .heap import heap
from .runs import ADAPTIVE, DELAYS, LONGEST, SCHEMES, SEEN, make_runs
from .stems import walk
from .trees import CONTACT, first_contacts

__all__ = ["Growing", "Rules", "Spreading", "Tell", "growing_room"]

#: Schemes whose first contact ``contact`` knows how to find; of any other it would make something else.
CONTACTED: Final = frozenset(
    {
        "flood",
        "diffusion",
        "stem",
        "dandelion",
        "dandelion-one-to-one",
        "dandelion-per-edge",
        "dandelion-per-transaction",
        "dandelion-all-to-one",
    }
)
#: Links that a block looks at, about, so that it takes a tenth of a second and a stop is soon heeded.
BLOCK_LINKS: Final = 4_000_000
BLOCK_RUNS_MAX: Final = 8_192
#: Seconds between two words on how far it is.
TOLD_S: Final = 0.25
#: Nodes of a tree that a run may reach: 200 MB a thread.
ROOM_MAX: Final = 10_000_000
#: A run looks at no more nodes than so many times those that it takes to meet a spy in the mean: e^-30 are left out.
PATIENCE: Final = 30

#: Told how many runs are done.
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a packet spreads, in mean delays of a hop."""

    scheme: str = "diffusion"
    """One of ``runs.SCHEMES``."""
    delay: str = "exponential"
    """One of ``runs.DELAYS``: how long a hop takes."""
    end: float = 0.1
    """The chance that a stem ends at a hop."""
    embargo: float = 0.0
    """Mean of the timers on a stem, 0 for none. The author has none: its packet is bare."""
    random_ties: bool = True
    """Whether one of several that told spies first, at one time, is drawn; otherwise it is the lowest spy's lowest."""


class _Blocks(Protocol):
    """Makes blocks of runs in a workspace of its own."""

    def __call__(self, first: int, rows: NDArray[np.void]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Spreading:
    """Runs on a graph."""

    graph: Graph
    spies: NDArray[np.bool_]
    """Of shape (nodes,): the same in all runs; all False if they are drawn in each."""
    rules: Rules = Rules()
    spy_chance: float = 0.0
    """If it is above 0, every node but the author is a spy in a run with this chance."""
    authors: NDArray[np.int32] | None = None
    """Who may be the author: by default all who are no spies."""
    first_contact: bool = False
    """Whether runs end when the first spy is told: quicker, without ``opened_at``, ``t50`` and ``t99``. For
    exponential delays and fixed spies, without embargoes."""

    def __post_init__(self) -> None:
        quick = self.rules.delay == "exponential" and not self.rules.embargo and not self.spy_chance
        if self.first_contact and (not quick or self.rules.scheme not in CONTACTED):
            raise ValueError(
                "Runs end at the first contact only with exponential delays, fixed spies, no embargo, and stems or "
                "floods that it knows."
            )

    def run(
        self,
        runs: int,
        seed: int,
        first_run: int = 0,
        *,
        threads: int = 1,
        tell: Tell | None = None,
    ) -> NDArray[np.void]:
        """Makes runs, and returns a row of ``runs.SEEN`` for each.

        Args:
            runs: how many.
            seed: decides all, together with the number of a run.
            first_run: the number of the first.
            threads: how many work on it.
            tell: told how far it is, from this thread.
        """
        return self._run(runs, seed, first_run, threads, tell, 0)[0]

    def curves(self, runs: int, seed: int, points: int, *, threads: int = 1) -> NDArray[np.float32]:
        """When a packet had reached which share of the others, since its author sent it, of shape (runs, points)."""
        return self._run(runs, seed, 0, threads, None, points)[1]

    def _run(
        self, runs: int, seed: int, first_run: int, threads: int, tell: Tell | None, points: int
    ) -> tuple[NDArray[np.void], NDArray[np.float32]]:
        rows, curves = np.zeros(runs, dtype=SEEN), np.zeros((runs, points), dtype=np.float32)
        block = max(1, min(BLOCK_RUNS_MAX, BLOCK_LINKS // max(1, len(self.graph.friends))))
        if self.first_contact:
            block = BLOCK_RUNS_MAX
        _ = self._twins  # Made once, before threads ask for them.

        def worker() -> _Blocks:
            return self._worker(seed, first_run, curves)

        _spread_out(worker, rows, block, threads, tell)
        return rows, curves

    @cached_property
    def _twins(self) -> NDArray[np.int64]:
        return self.graph.twins

    def _worker(self, seed: int, first_run: int, curves: NDArray[np.float32]) -> _Blocks:
        graph, rules, scheme = self.graph, self.rules, SCHEMES[self.rules.scheme]
        authors = np.flatnonzero(~self.spies).astype(np.int32) if self.authors is None else self.authors
        room = walk()
        if self.first_contact:
            entries = heap(len(graph.friends) + 2)

            def make_short(first: int, rows: NDArray[np.void]) -> None:
                make_contacts(
                    graph.starts,
                    graph.friends,
                    self.spies,
                    authors,
                    key_of(seed),
                    first_run + first,
                    scheme,
                    rules.end,
                    entries,
                    room,
                    rows,
                )

            return make_short
        longest = {"exponential": LONGEST, "unit": 1.0, "uniform": 2.0}[rules.delay]
        work, step = front(graph.node_count, len(graph.friends), 1.0, longest)
        balls = ball(graph.node_count, len(graph.friends)) if scheme == ADAPTIVE else ball(0, 0)

        def make(first: int, rows: NDArray[np.void]) -> None:
            make_runs(
                graph.starts,
                graph.friends,
                self._twins,
                self.spies,
                authors,
                self.spy_chance,
                key_of(seed),
                first_run + first,
                scheme,
                DELAYS[rules.delay],
                rules.end,
                rules.embargo,
                True,
                0.0,
                work,
                step,
                room,
                balls,
                rules.random_ties,
                rows,
                curves[first : first + len(rows)],
            )

        return make


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """Runs on an infinite regular tree, each up to the first spy. The author is never one, all others by chance."""

    tree: Tree
    spy_chance: float
    """Above 0."""
    rules: Rules = Rules()
    """Of the scheme ``flood``, ``diffusion`` or ``stem``, with private successors; without embargoes and ties."""

    def run(
        self, runs: int, seed: int, first_run: int = 0, *, threads: int = 1, tell: Tell | None = None
    ) -> NDArray[np.void]:
        """Makes runs, as ``Spreading.run`` does, and returns a row of ``trees.CONTACT`` for each."""
        rows = np.zeros(runs, dtype=CONTACT)

        def worker() -> _Blocks:
            entries = heap(growing_room(self.tree.degree, self.spy_chance))

            def make(first: int, rows: NDArray[np.void]) -> None:
                first_contacts(
                    self.tree.degree,
                    self.spy_chance,
                    DELAYS[self.rules.delay],
                    self.rules.end if self.rules.scheme == "stem" else 0.0,
                    key_of(seed),
                    first_run + first,
                    entries,
                    rows,
                )

            return make

        _spread_out(worker, rows, BLOCK_RUNS_MAX, threads, tell)
        return rows


def growing_room(degree: int, spy_chance: float) -> int:
    """How many nodes of a tree a run may have to look at; above ``ROOM_MAX`` it is too many."""
    return int(PATIENCE * degree / spy_chance) + 64 * degree


def _spread_out(
    worker: Callable[[], _Blocks], rows: NDArray[np.void], block: int, threads: int, tell: Tell | None
) -> None:
    """Makes all blocks. An interrupt is heeded when the blocks that are under way are done."""
    count = len(rows)
    blocks: Iterator[int] = iter(range(0, count, block))
    done: list[int] = []

    def work() -> None:
        make = worker()
        # Two threads never get the same from the iterator of a range.
        for first in blocks:
            part = slice(first, min(first + block, count))
            make(first, rows[part])
            done.append(part.stop - part.start)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        left = {pool.submit(work) for _ in range(max(1, threads))}
        try:
            while left:
                finished, left = wait(left, TOLD_S, FIRST_EXCEPTION)
                for each in finished:
                    each.result()
                if tell is not None:
                    tell(sum(done))
        finally:
            for _ in blocks:  # Nobody takes another one.
                pass
