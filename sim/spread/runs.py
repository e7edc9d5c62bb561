"""Runs: many packets, each from its author to everybody, and what spies see of them.

A run is a function of the seed and its number, so that blocks of runs can be made by any threads, in any order. Per
run the author is drawn among the honest, a walk is made (``stems``), the packet is opened where the walk says and
carried on by announcements over all links (``arrivals``). Spies do what everybody does and compare what they were told.

Times are in mean delays of a hop.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .adaptive import Ball, grow_ball
from .arrivals import Front
from .compiled import compiled, inlined
from .counter import Key, derived, exponential, uniform, whole
from .heap import Heap
from .opening import open_packet
from .stems import Walk, private_stem, relay_stem

__all__ = ["DELAYS", "SCHEMES", "SEEN", "link_delay", "make_run", "make_runs"]

#: The schemes, and for those with a stem which kind: −1 private, otherwise the variant of Dandelion++.
SCHEMES: Final = {
    "flood": 0,
    "diffusion": 1,
    "stem": 2,
    "dandelion": 3,
    "dandelion-one-to-one": 3,
    "dandelion-per-edge": 4,
    "dandelion-per-transaction": 5,
    "dandelion-all-to-one": 6,
    "adaptive": 7,
}
#: How long an announcement takes, in its mean.
DELAYS: Final = {"exponential": 0, "unit": 1, "uniform": 2}
STEM, DANDELION, ADAPTIVE = 2, 3, 7
EXPONENTIAL, UNIT = 0, 1
#: An exponential draw is longer once in 10^12.
LONGEST: Final = 28.0
#: Purposes of the keys under a run's own.
AUTHOR, CHOICES, WALK, LINKS, SPIES, TIES = range(6)

#: What is known of each run. ``first_friend``: the honest node that was the first to tell a spy, −1 if none did;
#: ``on_stem``: whether it handed the packet over. ``opened_at``: when the packet was first opened anywhere; ``t50`` and
#: ``t99``: when half and 99 % of the honest nodes but the author had it, from then on; infinite if they never had.
SEEN: Final = np.dtype(
    [
        ("author", np.int32),
        ("first_friend", np.int32),
        ("first_at", np.float32),
        ("on_stem", np.bool_),
        ("opened_at", np.float32),
        ("opener", np.int32),
        ("hops", np.int32),
        ("t50", np.float32),
        ("t99", np.float32),
    ]
)


@inlined
def link_delay(key: Key, link: int, kind: int) -> float:
    if kind == EXPONENTIAL:
        return exponential(key, link)
    if kind == UNIT:
        return 1.0
    return 2.0 * uniform(key, link)


@compiled
def make_runs(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    spies: NDArray[np.bool_],
    authors: NDArray[np.int32],
    spy_chance: float,
    seed: Key,
    first_run: int,
    scheme: int,
    delay_kind: int,
    end: float,
    embargo: float,
    bare: bool,
    latency: float,
    work: Front,
    step: float,
    room: Walk,
    balls: tuple[Ball, Heap],
    random_ties: bool,
    seen: NDArray[np.void],
    curves: NDArray[np.float32],
) -> None:
    """Makes as many runs as ``seen`` has places, from the number ``first_run`` on.

    ``spies`` are fixed, and ``authors`` are those who may write; if ``spy_chance`` is above 0 spies are drawn in each
    run instead, each node but the author's with that chance. ``step`` must suit the longest delay that may be drawn;
    ``balls`` is for adaptive diffusion, and may be of an empty graph for all others. ``curves``, of shape (runs, n),
    gets when which share of those that ``t50`` is of had the packet, from the author on: entry i when (i + 1)/n had it.
    """
    node_count = len(starts) - 1
    times = np.empty(node_count, dtype=np.float32)
    tellers = np.empty(node_count, dtype=np.int32)
    delays = np.empty(len(friends), dtype=np.float32)
    is_spy = spies.copy()
    reached = np.empty(node_count, dtype=np.float32)
    for number in range(len(seen)):
        key = derived(seed, first_run + number)
        author = authors[whole(key, AUTHOR, len(authors))]
        if spy_chance > 0:
            chance_key = derived(key, SPIES)
            for node in range(node_count):
                is_spy[node] = node != author and uniform(chance_key, node) < spy_chance
        make_run(
            starts,
            friends,
            twins,
            is_spy,
            key,
            derived(key, CHOICES),
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
            seen,
            number,
        )
        if curves.shape[1]:
            _draw_curve(reached, int(np.count_nonzero(~is_spy)) - (not is_spy[author]), curves[number])


@compiled
def make_run(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    is_spy: NDArray[np.bool_],
    key: Key,
    choices: Key,
    author: int,
    scheme: int,
    delay_kind: int,
    end: float,
    embargo: float,
    bare: bool,
    latency: float,
    work: Front,
    step: float,
    room: Walk,
    balls: tuple[Ball, Heap],
    random_ties: bool,
    times: NDArray[np.float32],
    tellers: NDArray[np.int32],
    delays: NDArray[np.float32],
    reached: NDArray[np.float32],
    seen: NDArray[np.void],
    number: int,
) -> int:
    """Makes one run, of this author, and writes it into ``seen[number]``.

    Of the run ``key`` decides all but what is fixed for an epoch, which ``choices`` does. ``times``, ``tellers``,
    ``delays`` and ``room`` hold afterwards how it went. Returns how many hops the stem made.
    """
    state, entries = balls
    _, _, _, _, flood_node, flood_at, counts = room
    walk_key, links = derived(key, WALK), derived(key, LINKS)
    handed = -1
    if scheme == STEM:
        private_stem(starts, friends, choices, walk_key, author, end, embargo, bare, latency, room)
    elif scheme == ADAPTIVE:
        handed = grow_ball(
            starts, friends, twins, is_spy, walk_key, number, author, latency, state, entries, room
        )
    elif scheme >= DANDELION:
        alone = choices == derived(key, CHOICES)
        relay_stem(
            starts, friends, choices, walk_key, author, end, embargo, scheme - DANDELION, latency, alone, room
        )
    else:
        flood_node[0], flood_at[0] = author, 0.0
        counts[0], counts[1] = 0, 1
    for link in range(len(delays)):
        delays[link] = link_delay(links, link, delay_kind) + 3 * latency
    hops = open_packet(starts, friends, delays, times, tellers, work, step, room)
    lots = derived(key, TIES) if random_ties else Key(0)
    note(
        starts,
        friends,
        twins,
        delays,
        is_spy,
        author,
        hops,
        latency,
        times,
        reached,
        room,
        seen,
        number,
        lots,
    )
    if handed >= 0:
        seen[number]["hops"] = handed
    return hops


@compiled
def note(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    twins: NDArray[np.int64],
    delays: NDArray[np.float32],
    is_spy: NDArray[np.bool_],
    author: int,
    hops: int,
    latency: float,
    times: NDArray[np.float32],
    reached: NDArray[np.float32],
    room: Walk,
    seen: NDArray[np.void],
    number: int,
    lots: Key,
) -> None:
    """Writes down what spies were told and how the packet spread.

    Of friends who told spies first at one time one is drawn by ``lots``; if they are 0 it is the lowest spy's lowest.
    """
    hop_at, hop_from, hop_to, _, _, _, _ = room
    first_friend, first_at, on_stem, equals = -1, np.float32(np.inf), False, 1
    for hop in range(hops):
        if is_spy[hop_to[hop]] and not is_spy[hop_from[hop]]:
            first_friend, first_at, on_stem = hop_from[hop], hop_at[hop], True
            break
    # An announcement arrives a question and an answer before its packet does.
    early = np.float32(2 * latency)
    count, opened_at, opener = 0, np.float32(np.inf), -1
    for node in range(len(times)):
        if times[node] < opened_at:
            opened_at, opener = times[node], node
        if not is_spy[node]:
            if node != author:
                reached[count] = times[node]
                count += 1
            continue
        for link in range(starts[node], starts[node + 1]):
            friend = friends[link]
            if not is_spy[friend]:
                heard = times[friend] + delays[twins[link]] - early
                if heard < first_at:
                    first_friend, first_at, on_stem, equals = friend, heard, False, 1
                elif heard == first_at and lots and friend != first_friend and not on_stem:
                    # The n-th of equal ones takes the place with the chance 1/n.
                    equals += 1
                    if whole(lots, equals, equals) == 0:
                        first_friend = friend
    row = seen[number]
    row["author"], row["first_friend"], row["first_at"], row["on_stem"] = (
        author,
        first_friend,
        first_at,
        on_stem,
    )
    row["opened_at"], row["opener"], row["hops"] = opened_at, opener, hops
    if count:
        sooner = np.sort(reached[:count])
        row["t50"] = sooner[(count + 1) // 2 - 1] - opened_at
        row["t99"] = sooner[min(count - 1, int(np.ceil(0.99 * count)) - 1)] - opened_at
    else:
        row["t50"], row["t99"] = 0.0, 0.0


@compiled
def _draw_curve(reached: NDArray[np.float32], count: int, curve: NDArray[np.float32]) -> None:
    """Writes down when which share of them was reached."""
    sooner = np.sort(reached[:count])
    for point in range(len(curve)):
        # The first of them that are at least this share.
        place = -(-count * (point + 1) // len(curve)) - 1
        curve[point] = sooner[place] if count else 0.0
