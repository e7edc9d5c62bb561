"""Trials of onions: posts in flows of a whole mesh's packets, and an estimator that is asked who wrote them.

Posts cannot be tried one by one, since each hides among all that is sent at the time. So *flows* are made, each of so
many hours that its posts suffice: clocks tick for as long as an estimator may look back, then posts are made among the
cover, and then clocks go on until nearly all posts are out. Each flow has a seed of its own, on one graph and with the
same spies, and a thread makes it and asks about it; what comes out does not depend on how many threads there are.

Posts may be *linked*: so many of one author, one after the other, are known to be of one, as replies under one persona
are; then a run is such a group, and its posts' posteriors are multiplied.

What is left out stands in ``spread.flow``. A post that waits for its own clock waits for as long as clocks tick in the
mean, since they have no memory; this wait is drawn.
"""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...gossip.genesis import Parameters
from ...gossip.pace import PACKET_SIZE, Pace
from ..estimators import ESTIMATORS, Estimator, Need
from ..estimators.linked import by_thread
from ..estimators.onion_flow import routes_s
from ..estimators.seen import Ground
from ..evidence import posts_of_flow
from ..graphs.graph import Graph
from ..metrics import Verdict, summary
from ..metrics.posteriors import calibrated, verdicts
from ..spread.flow import flow
from ..spread.montecarlo import Spreading
from .figures import coverage
from .flaws import TrialError
from .trial import Trial

__all__ = ["grouped", "measure"]

#: Seconds that a frame takes: the median of ``rumor sim run``.
LATENCY_S: Final = 0.05
#: Posts of a flow, and posts times suspects: 64 MB of weights.
FLOW_POSTS: Final = 1_000
FLOW_WEIGHTS: Final = 8_000_000
#: Standard deviations that a flow is made longer by, so that hardly one has too few posts.
DEVIATIONS: Final = 4.0
#: Packets that coverage is the median of.
COVERAGE_RUNS: Final = 64
_DAY_S: Final = 86_400


def measure(
    trial: Trial,
    graph: Graph,
    spies: NDArray[np.bool_],
    victim: int | None,
    threads: int,
    tell: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """The fields of the result that are measured, with ``named`` runs; for the arguments see ``first_spy``."""
    if victim is not None:
        raise TrialError("--spies: of onions everybody writes; take a share, a count or hubs.")
    if not spies.any():
        raise TrialError(f"--spies: somebody has to be a spy for {trial.asked}.")
    if graph.node_count <= trial.route_length:
        raise TrialError(f"--route-length: {trial.route_length} relays are too many for so few nodes.")
    parameters = Parameters(bytes_per_day=trial.bytes_per_day, route_length=trial.route_length)
    pace = Pace.of(parameters, graph.node_count)
    ground = Ground(
        graph=graph,
        spies=spies,
        scheme=trial.scheme,
        pace=pace,
        latency=LATENCY_S / pace.hop_s,
        route_length=trial.route_length,
    )
    flows = _Flows(
        ground=ground,
        pace=pace,
        estimator=ESTIMATORS[trial.asked],
        post_share=trial.post_share,
        linked=trial.linked,
        seed=trial.seed,
    )
    began = time.process_time()
    asked = flows.ask(trial.runs, threads, tell)
    busy_s = time.process_time() - began
    anonymity = summary([verdict for part in asked for verdict in part.verdicts])
    assert anonymity is not None
    waits_s = np.concatenate([part.waits_s for part in asked])
    rows = Spreading(graph=graph, spies=np.zeros_like(spies), rules=trial.rules).run(
        COVERAGE_RUNS, trial.seed
    )
    covered = coverage(graph, rows)
    return {
        "nodes": graph.node_count,
        "mean_degree": graph.mean_degree,
        "named": anonymity.p_named * trial.runs,
        "spy_count": int(spies.sum()),
        "runs_per_s": trial.runs / max(busy_s, 1e-9),
        "embargo": trial.rules.embargo,
        "own_clock_s": pace.interval_s,
        **anonymity.fields(),
        **covered,
        # The item is flooded, and so is each layer around it.
        "sends_per_node": (trial.route_length + 1) * covered["sends_per_node"],
        "latency_p50_s": float(np.quantile(waits_s, 0.5)),
        "latency_p95_s": float(np.quantile(waits_s, 0.95)),
        "bytes_per_node_day": float(np.mean([part.packets_per_s for part in asked])) * PACKET_SIZE * _DAY_S,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What came of one flow."""

    verdicts: list[Verdict]
    waits_s: NDArray[np.float64]
    """Of each post, from when its author wanted it until it is published."""
    packets_per_s: float
    """What the mesh sends while posts are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flows:
    """Flows of one mesh, by number."""

    ground: Ground
    pace: Pace
    estimator: Estimator
    post_share: float
    linked: int
    seed: int

    def ask(self, runs: int, threads: int, tell: Callable[[int], None] | None) -> list[_Asked]:
        """Asks about so many posts, or groups of linked ones. ``tell`` is told how many are done."""
        if Need.FLOW in self.estimator.needs:
            _ = self.ground.stems  # Made once, before threads ask for it.
        size = max(1, min(FLOW_POSTS, FLOW_WEIGHTS // len(self.ground.suspects) // self.linked))
        firsts = range(0, runs, size)
        asked: dict[int, _Asked] = {}
        with ThreadPoolExecutor(max(1, threads)) as pool:
            futures: dict[Future[_Asked], int] = {
                pool.submit(self._asked, number, min(size, runs - first)): first
                for number, first in enumerate(firsts)
            }
            try:
                done = 0
                for future in as_completed(futures):
                    asked[futures[future]] = future.result()
                    done += len(asked[futures[future]].verdicts)
                    if tell is not None:
                        tell(done)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        return [asked[first] for first in firsts]

    def _asked(self, number: int, runs: int) -> _Asked:
        """Makes the flow of this number and asks about its first posts; again and longer, if it has too few."""
        ground, pace = self.ground, self.pace
        settling_s = routes_s(pace, ground.route_length)
        # Of each author some are left over that make no group.
        posts = runs * self.linked + len(ground.suspects) * (self.linked - 1) / 2
        wanted = posts + DEVIATIONS * math.sqrt(posts) + DEVIATIONS
        while True:
            posting_s = wanted * pace.interval_s / (len(ground.suspects) * self.post_share)
            seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1, np.uint64)[0] >> 1)
            made = flow(
                ground.graph,
                ground.spies,
                pace,
                hours=(2 * settling_s + posting_s) / 3_600,
                post_share=self.post_share,
                seed=seed,
                route_length=ground.route_length,
                latency_s=LATENCY_S,
                posting_s=(settling_s, settling_s + posting_s),
            )
            practice = posts_of_flow(made, ground.spies)
            chosen, groups = grouped(practice.authors, self.linked)
            if len(chosen) >= runs * self.linked:
                break
            wanted *= 2
        chosen, groups = chosen[: runs * self.linked], groups[: runs * self.linked]
        practice = practice.of_runs(chosen)
        weights, authors = self.estimator.ask(practice.observed, ground), practice.authors
        if not self.estimator.is_posterior:
            weights = calibrated(weights, authors, ground.suspects)
        if self.linked > 1:
            weights, _ = by_thread(weights, groups)
            authors = authors[:: self.linked]
        packets = made.packets
        shown = packets[packets["is_post"] & (packets["relay"] < 0)][chosen]
        random = np.random.default_rng(np.random.SeedSequence([self.seed, number, 1]))
        while_posting = packets["injected_at"] - settling_s
        return _Asked(
            verdicts=verdicts(weights, authors, ground.suspects),
            # For the own clock, on the way from relay to relay, and for the first hop of what is published.
            waits_s=random.exponential(pace.interval_s, len(shown))
            + (shown["injected_at"] - packets["injected_at"][shown["tick"]])
            + (random.exponential(pace.hop_s, len(shown)) + LATENCY_S),
            packets_per_s=float(((while_posting >= 0) & (while_posting < posting_s)).sum() / posting_s),
        )


def grouped(authors: NDArray[np.integer], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Groups of so many posts that follow one another among their author's, in the order of their last ones.

    Returns the places of the posts, group by group, and the group of each; posts that are left over are in none.
    """
    order = np.argsort(authors, kind="stable")
    # How many posts of the same author come before each.
    _, firsts, counts = np.unique(authors[order], return_index=True, return_counts=True)
    before = np.arange(len(authors)) - np.repeat(firsts, counts)
    whole = order[before < np.repeat(counts // size * size, counts)].reshape(-1, size)
    places = whole[np.argsort(whole[:, -1])]
    return places.reshape(-1), np.repeat(np.arange(len(places)), size)
