"""Asking: an estimator's answers to many runs on a graph, block by block, and how good they were.

Blocks are made and asked by threads; what comes out does not depend on how many. In *batches* every honest node writes
once in an epoch, in a random order, and what is fixed for an epoch is: then guesses have a precision and a recall, and
estimators that learn an epoch's graph can be asked.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .estimators import Estimator, Need
from .estimators.matching import Guessed, judge_guesses, matched
from .estimators.seen import Ground, Observed, Practice
from .graphs.draws import key_of, uniforms
from .metrics import Anonymity, Verdict, summary
from .metrics.posteriors import calibrated, verdicts
from .spread.observations import observe

__all__ = ["Answer", "Asking"]

#: Runs times suspects of a block: 64 MB of weights.
BLOCK_WEIGHTS: Final = 8_000_000
BLOCK_RUNS_MAX: Final = 2_000
#: Nodes in a snapshot, where it is not said, and their share at the most.
SNAPSHOT: Final = 100
#: Half of what a seed is, so that practice never repeats a run that is asked about.
_SEEDS: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How well authors are hidden from an estimator."""

    anonymity: Anonymity
    guessed: Guessed | None
    """Of a matching in each whole batch, or of first spies; None without batches."""
    rows: NDArray[np.void]
    """Of ``spread.runs.SEEN``, a row a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """An estimator and what it is asked about."""

    estimator: Estimator
    ground: Ground
    batches: bool = False
    opener_known: bool = False
    """Whether spies know where a stem ended that none of them was on."""
    random_ties: bool = True
    snapshot: int = 0
    """Nodes that have the packet when a snapshot is taken; 0 for a hundred, or half of all if they are fewer."""
    practice: int = 5_000
    """Runs of known authors, for an estimator that learns from them."""

    def run(
        self, runs: int, seed: int, *, threads: int = 1, tell: Callable[[int], None] | None = None
    ) -> Answer:
        """Makes runs and asks. ``tell`` is told how many are done."""
        practice = None
        if Need.PRACTICE in self.estimator.needs:
            practice = self._observed(0, self.practice, key_of(seed, "practice") % _SEEDS)[0]
        size = max(1, min(BLOCK_RUNS_MAX, BLOCK_WEIGHTS // len(self.ground.suspects)))
        if self._epoch_runs:
            # Whole epochs.
            size = max(1, size // self._epoch_runs) * self._epoch_runs
        firsts = range(0, runs, size)

        def block(first: int) -> tuple[list[Verdict], list[Guessed], NDArray[np.void]]:
            return self._block(first, min(size, runs - first), seed, practice)

        # What is made once for all blocks is made with the first.
        blocks = {0: block(0)}
        with ThreadPoolExecutor(max(1, threads)) as pool:
            futures: dict[Future[Any], int] = {pool.submit(block, first): first for first in firsts[1:]}
            try:
                done = min(size, runs)
                for future in as_completed(futures):
                    blocks[futures[future]] = future.result()
                    done += min(size, runs - futures[future])
                    if tell is not None:
                        tell(done)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        if tell is not None:
            tell(runs)
        ordered = [blocks[first] for first in firsts]
        anonymity = summary([verdict for found, _, _ in ordered for verdict in found])
        assert anonymity is not None
        guesses = [guessed for _, found, _ in ordered for guessed in found]
        return Answer(
            anonymity=anonymity,
            guessed=Guessed.mean(guesses) if guesses else None,
            rows=np.concatenate([rows for _, _, rows in ordered]),
        )

    @property
    def _epoch_runs(self) -> int:
        learns = self.estimator.needs & {Need.RELAYS, Need.ROUTES}
        return len(self.ground.suspects) if self.batches or learns else 0

    def _block(
        self, first: int, count: int, seed: int, practice: Practice | None
    ) -> tuple[list[Verdict], list[Guessed], NDArray[np.void]]:
        asked, rows = self._observed(first, count, seed)
        suspects = self.ground.suspects
        weights = self.estimator.ask(asked.observed, self.ground, practice)
        if not self.estimator.is_posterior:
            weights = calibrated(weights, asked.authors, suspects)
        found: list[Guessed] = []
        if self._epoch_runs:
            for begin in range(0, count - self._epoch_runs + 1, self._epoch_runs):
                part = slice(begin, begin + self._epoch_runs)
                if self.estimator.name == "first-spy":
                    guesses = asked.observed.first_friend[part]
                else:
                    guesses = matched(weights[part], suspects)
                found.append(judge_guesses(guesses, asked.authors[part]))
        return verdicts(weights, asked.authors, suspects), found, rows

    def _observed(self, first: int, count: int, seed: int) -> tuple[Practice, NDArray[np.void]]:
        needs, ground = self.estimator.needs, self.ground
        nodes = ground.graph.node_count
        practice, rows = observe(
            ground,
            runs=count,
            seed=seed,
            first_run=first,
            authors=self._authors(first, count, seed) if self._epoch_runs else None,
            epoch_runs=self._epoch_runs,
            snapshot=(self.snapshot or min(SNAPSHOT, nodes // 2)) if Need.SNAPSHOT in needs else 0,
            spy_times=Need.TIMES in needs,
            openers=self.opener_known,
            told_at=self.estimator.name == "first-spy",
            random_ties=self.random_ties,
        )
        if self.opener_known and self.estimator.name == "first-spy":
            practice = replace(practice, observed=self._with_openers(practice.observed))
        return practice, rows

    def _with_openers(self, observed: Observed) -> Observed:
        """First spies who know where a stem ended name that node, if none of them was on it."""
        openers = observed.openers
        assert openers is not None
        known = ~observed.on_stem & ~self.ground.spies[openers]
        return replace(
            observed, first_friend=np.where(known, openers, observed.first_friend).astype(np.int32)
        )

    def _authors(self, first: int, count: int, seed: int) -> NDArray[np.int32]:
        """Each suspect once in an epoch."""
        size = self._epoch_runs
        orders = [
            np.argsort(uniforms(key_of(seed, "batch", epoch), size), kind="stable")
            for epoch in range(first // size, (first + count - 1) // size + 1)
        ]
        authors: NDArray[np.int32] = self.ground.suspects[np.concatenate(orders)[:count]]
        return authors
