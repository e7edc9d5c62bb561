"""Asking: what an estimator makes of many runs on one ground, as metrics.

Runs are observed, the estimator is asked, and its answers are compared with the truth, block by block so that a table
of runs and suspects never gets large. What it needs to have been recorded it gets, and practice runs of its own if it
wants any. Pure: the same for any number of threads, since blocks are cut by the numbers of runs alone.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from .estimators import Estimator, Need
from .estimators.matching import Guessed, judge_guesses, matched
from .estimators.onion_flow import posterior as ask_flow
from .estimators.seen import Array, Ground, Practice
from .evidence import posts_of_flow
from .metrics.anonymity import Anonymity, Verdict, summary
from .metrics.posteriors import calibrated, verdicts
from .spread.flow import flow
from .spread.observations import observe

__all__ = ["Answers", "ask", "ask_onions"]

#: What became of a block: run by run, and batch by batch for guesses and for matches.
Judged = tuple[list[Verdict], list[Guessed], list[Guessed]]

#: Entries of a block's table of posteriors: 32 MB.
BLOCK_SIZE: Final = 4_000_000
#: Runs to practise on, unless it is said how many.
PRACTICE_RUNS: Final = 2_000
#: Numbers of practice runs begin here, so that no run is practised on and asked about.
PRACTICE_FIRST: Final = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How an estimator did."""

    anonymity: Anonymity
    guessed: Guessed | None = None
    """Precision and recall of its first guesses, if every honest node sent one message an epoch."""
    matched: Guessed | None = None
    """The same if messages are matched to nodes one to one."""


def ask(
    estimator: Estimator,
    ground: Ground,
    *,
    runs: int,
    seed: int,
    practice_runs: int = PRACTICE_RUNS,
    snapshot: int = 100,
    in_batches: bool = False,
    openers: bool = False,
    threads: int = 1,
    tell: Callable[[int], None] | None = None,
) -> Answers:
    """Asks about runs of ``spread``.

    Args:
        estimator: one that does not need a flow; for that see ``ask_onions``.
        ground: where and by what rules.
        runs: how many, at least 1; in batches they are rounded up to whole ones.
        seed: decides all.
        practice_runs: how many runs it may practise on, if it does.
        snapshot: how many have the packet when a snapshot is taken.
        in_batches: whether every honest node sends one message in each epoch, as it also is if epochs are needed.
        openers: whether it is known where floods begin.
        threads: how many work on it.
        tell: told how many runs are done.
    """
    count = len(ground.suspects)
    needs_epochs = bool({Need.RELAYS, Need.ROUTES} & estimator.needs)
    epoch = count if in_batches or needs_epochs else 0
    block = max(1, BLOCK_SIZE // max(1, count))
    if epoch:
        runs = -(-runs // epoch) * epoch
        block = max(epoch, block // epoch * epoch)

    def make(first: int, made: int) -> Practice:
        practice, _ = observe(
            ground,
            runs=made,
            seed=seed,
            first_run=first,
            authors=np.resize(ground.suspects, made) if epoch else None,
            epoch_runs=epoch,
            snapshot=snapshot if Need.SNAPSHOT in estimator.needs else 0,
            spy_times=Need.TIMES in estimator.needs,
            openers=openers,
        )
        return practice

    practised = make(PRACTICE_FIRST, practice_runs) if Need.PRACTICE in estimator.needs else None

    def judge(first: int) -> Judged:
        asked = make(first, min(block, runs - first))
        answer = estimator.ask(asked.observed, ground, practised)
        if not estimator.is_posterior:
            answer = calibrated(answer, asked.authors, ground.suspects)
        guesses, matches = _batches(answer, asked, ground, epoch) if epoch else ([], [])
        return verdicts(answer, asked.authors, ground.suspects), guesses, matches

    parts = list(_spread_out(judge, range(0, runs, block), threads, block, runs, tell))
    found = summary([verdict for part, _, _ in parts for verdict in part])
    assert found is not None
    return Answers(
        anonymity=found,
        guessed=Guessed.mean([batch for _, part, _ in parts for batch in part]) if epoch else None,
        matched=Guessed.mean([batch for _, _, part in parts for batch in part]) if epoch else None,
    )


def ask_onions(
    ground: Ground, *, hours: float, post_share: float, seed: int, threads: int = 1
) -> Anonymity | None:
    """Asks about all posts of a flow of onions; None if there are none. ``ground`` must have a pace."""
    assert ground.pace is not None
    made = flow(
        ground.graph,
        ground.spies,
        ground.pace,
        hours=hours,
        post_share=post_share,
        seed=seed,
        route_length=ground.route_length,
        latency_s=ground.latency * ground.pace.hop_s,
        threads=threads,
    )
    posts = posts_of_flow(made, ground.spies)
    return summary(verdicts(ask_flow(posts.observed, ground), posts.authors, ground.suspects))


def _batches(
    answer: Array, asked: Practice, ground: Ground, epoch: int
) -> tuple[list[Guessed], list[Guessed]]:
    guesses, matches = [], []
    for first in range(0, len(answer), epoch):
        part = slice(first, first + epoch)
        best = ground.suspects[answer[part].argmax(axis=1)]
        # Whoever nobody was told of is nobody's guess.
        named = np.where(asked.observed.first_friend[part] >= 0, best, -1)
        guesses.append(judge_guesses(named, asked.authors[part]))
        matches.append(judge_guesses(matched(answer[part], ground.suspects), asked.authors[part]))
    return guesses, matches


def _spread_out(
    judge: Callable[[int], Judged],
    firsts: Iterable[int],
    threads: int,
    block: int,
    runs: int,
    tell: Callable[[int], None] | None,
) -> Iterable[Judged]:
    """The first block alone, which makes what all share; then the others beside each other."""
    places = list(firsts)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for place, part in zip(places, chain([judge(places[0])], pool.map(judge, places[1:])), strict=True):
            if tell is not None:
                tell(min(place + block, runs))
            yield part
