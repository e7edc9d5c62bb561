"""Observations: runs with all that an adversary may see of each, for estimators that want more than the first spy.

The same runs as those of ``montecarlo`` under the same seed and numbers, and the same rows for them; besides when each
spy was first told and by whom, a snapshot of who had the packet when so many had it, and the graph of relays if it is
learnt. Authors may be given, and epochs: runs of one epoch share what is fixed in it, as in a batch in which everybody
sends a message.
"""

import numpy as np
from numpy.typing import NDArray

from ..estimators.seen import Ground, Observed, Practice
from .adaptive import Ball, ball
from .arrivals import Front, front
from .compiled import compiled
from .counter import Key, derived, key_of, whole
from .heap import Heap
from .runs import (
    AUTHOR,
    CHOICES,
    DANDELION,
    DELAYS,
    LONGEST,
    SCHEMES,
    SEEN,
    make_run,
)
from .stems import Walk, relay_of, relay_stem, walk

__all__ = ["observe"]

#: The number under the seed's key that keys of epochs are under; runs have those from 0 on.
_EPOCHS = -1
#: Hops of a route that are told. One stem in 200 is longer.
ROUTE_MAX = 50
#: What of Dandelion++ goes another way with each packet.
_ROUTELESS = ("dandelion-per-transaction",)


def observe(
    ground: Ground,
    *,
    runs: int,
    seed: int,
    first_run: int = 0,
    authors: NDArray[np.int32] | None = None,
    epoch_runs: int = 0,
    snapshot: int = 0,
    spy_times: bool = True,
    openers: bool = False,
    told_at: bool = False,
    random_ties: bool = False,
) -> tuple[Practice, NDArray[np.void]]:
    """Makes runs. Returns what spies have of them with the authors, and the rows of ``SEEN``.

    Args:
        ground: graph, spies and scheme.
        runs: how many.
        seed: decides all, with the number of the run.
        first_run: the number of the first.
        authors: of shape (runs,), honest nodes; drawn if not given.
        epoch_runs: of how many runs an epoch is; 0 for none, and choices of its own for each run. With them the graph
            of relays of each epoch is given too.
        snapshot: how many nodes have the packet when the snapshot is taken; 0 for none.
        spy_times: whether spies' times are wanted.
        openers: whether spies are to know where each flood began.
        told_at: whether it is wanted when each friend of spies first told one.
        random_ties: as for ``runs.make_runs``.
    """
    graph = ground.graph
    shape = runs, len(ground.spy_nodes) if spy_times else 0
    times, tellers = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int32)
    told = np.empty((runs, len(ground.tellers) if told_at else 0), dtype=np.float32)
    infected = np.zeros((runs, graph.node_count if snapshot else 0), dtype=np.bool_)
    rows = np.zeros(runs, dtype=SEEN)
    work, step = front(graph.node_count, len(graph.friends), 1.0, LONGEST + 3 * ground.latency)
    _observe(
        graph.starts,
        graph.friends,
        graph.twins,
        ground.spies,
        ground.spy_nodes if spy_times else ground.spy_nodes[:0],
        np.full(runs, -1, dtype=np.int32) if authors is None else authors,
        key_of(seed),
        first_run,
        epoch_runs,
        SCHEMES[ground.scheme],
        DELAYS[ground.delay],
        ground.end,
        ground.embargo,
        ground.bare,
        ground.latency,
        snapshot,
        work,
        step,
        walk(),
        ball(graph.node_count, len(graph.friends)) if ground.scheme == "adaptive" else ball(0, 0),
        random_ties,
        rows,
        times,
        tellers,
        ground.tellers if told_at else ground.tellers[:0],
        told,
        infected,
    )
    epochs = first = None
    if epoch_runs:
        numbers = (np.arange(runs, dtype=np.int64) + first_run) // epoch_runs
        first = int(numbers[0]) if runs else 0
        epochs = numbers - first
    count = 0 if epochs is None else int(epochs.max(initial=-1)) + 1
    # A fresh choice for each packet is no route.
    has_routes = bool(count) and ground.scheme.startswith("dandelion") and ground.scheme not in _ROUTELESS
    fixed = graph.starts, graph.friends, key_of(seed), first or 0, count
    observed = Observed(
        first_friend=rows["first_friend"],
        first_at=rows["first_at"],
        on_stem=rows["on_stem"],
        spy_times=times if spy_times else None,
        spy_tellers=tellers if spy_times else None,
        told_at=told if told_at else None,
        infected=infected if snapshot else None,
        openers=rows["opener"] if openers else None,
        relays=_relays(*fixed) if count else None,
        routes=_routes(*fixed, ground.end, SCHEMES[ground.scheme] - DANDELION, ground.spies, walk())
        if has_routes
        else None,
        epochs=epochs,
    )
    return Practice(observed=observed, authors=rows["author"]), rows


@compiled
def _relays(
    starts: NDArray[np.int64], friends: NDArray[np.int32], seed: Key, first: int, count: int
) -> NDArray[np.int32]:
    """The two relays of each node in so many epochs."""
    nodes = len(starts) - 1
    found = np.full((count, nodes, 2), -1, dtype=np.int32)
    for epoch in range(count):
        choices = derived(derived(seed, _EPOCHS), first + epoch)
        for node in range(nodes):
            if starts[node + 1] > starts[node]:
                key = derived(choices, node)
                for slot in range(2):
                    found[epoch, node, slot] = relay_of(starts, friends, key, node, slot)
    return found


@compiled
def _routes(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    seed: Key,
    first: int,
    count: int,
    end: float,
    variant: int,
    spies: NDArray[np.bool_],
    room: Walk,
) -> NDArray[np.int32]:
    """The way of each node's own stems in so many epochs, up to who diffuses or the first spy."""
    nodes = len(starts) - 1
    found = np.full((count, nodes, ROUTE_MAX), -1, dtype=np.int32)
    hop_to, counts = room[2], room[6]
    for epoch in range(count):
        choices = derived(derived(seed, _EPOCHS), first + epoch)
        for node in range(nodes):
            if starts[node + 1] > starts[node]:
                relay_stem(starts, friends, choices, seed, node, end, 0.0, variant, 0.0, False, room)
                for hop in range(min(counts[0], ROUTE_MAX)):
                    found[epoch, node, hop] = hop_to[hop]
                    if spies[hop_to[hop]]:
                        break
    return found


@compiled
def _observe(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    spies: NDArray[np.bool_],
    spy_nodes: NDArray[np.int32],
    authors: NDArray[np.int32],
    seed: Key,
    first_run: int,
    epoch_runs: int,
    scheme: int,
    delay_kind: int,
    end: float,
    embargo: float,
    bare: bool,
    latency: float,
    snapshot: int,
    work: Front,
    step: float,
    room: Walk,
    balls: tuple[Ball, Heap],
    random_ties: bool,
    rows: NDArray[np.void],
    spy_times: NDArray[np.float32],
    spy_tellers: NDArray[np.int32],
    told_by: NDArray[np.int32],
    told_at: NDArray[np.float32],
    infected: NDArray[np.bool_],
) -> None:
    node_count = len(starts) - 1
    times = np.empty(node_count, dtype=np.float32)
    tellers = np.empty(node_count, dtype=np.int32)
    reached = np.empty(node_count, dtype=np.float32)
    delays = np.empty(len(friends), dtype=np.float32)
    honest = np.flatnonzero(~spies).astype(np.int32)
    hop_at, hop_from, hop_to, _, _, _, _ = room
    early = np.float32(2 * latency)
    for number in range(len(rows)):
        run = first_run + number
        key = derived(seed, run)
        author = authors[number] if authors[number] >= 0 else honest[whole(key, AUTHOR, len(honest))]
        choices = derived(derived(seed, _EPOCHS), run // epoch_runs) if epoch_runs else derived(key, CHOICES)
        hops = make_run(
            starts,
            friends,
            twins,
            spies,
            key,
            choices,
            author,
            scheme,
            delay_kind,
            end,
            embargo,
            bare,
            latency,
            work,
            step,
            room,
            balls,
            random_ties,
            times,
            tellers,
            delays,
            reached,
            rows,
            number,
        )
        for column in range(len(spy_nodes)):
            spy = spy_nodes[column]
            at, teller = np.float32(np.inf), -1
            for hop in range(hops):
                if hop_to[hop] == spy and hop_at[hop] < at:
                    at, teller = hop_at[hop], hop_from[hop]
            for link in range(starts[spy], starts[spy + 1]):
                told = times[friends[link]] + delays[twins[link]] - early
                if told < at:
                    at, teller = told, friends[link]
            spy_times[number, column], spy_tellers[number, column] = at, teller
        for column in range(len(told_by)):
            teller = told_by[column]
            at = np.float32(np.inf)
            for hop in range(hops):
                if hop_from[hop] == teller and spies[hop_to[hop]] and hop_at[hop] < at:
                    at = hop_at[hop]
            for link in range(starts[teller], starts[teller + 1]):
                if spies[friends[link]]:
                    at = min(at, times[teller] + delays[link] - early)
            told_at[number, column] = at
        if snapshot:
            last = np.sort(times)[min(snapshot, node_count) - 1]
            count = 0
            # Of equal times the lower numbers, so that there are as many as were asked for.
            for node in range(node_count):
                if times[node] < last:
                    infected[number, node] = True
                    count += 1
            for node in range(node_count):
                if times[node] == last and count < snapshot:
                    infected[number, node] = True
                    count += 1
