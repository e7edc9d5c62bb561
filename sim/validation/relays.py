"""Relays: the model in which the authors of Dandelion++ measured the precision of first spies.

From their simulator (github.com/gfanti/dandelion-simulations, figure 6 of the paper): the graph of relays is directed,
two random Hamiltonian cycles through 100 nodes, so that everybody has exactly two edges out and two in. Every honest
node sends one message, stems never end but at a spy, and who handed a message to the first spy is taken for its author.
*Precision* counts a node that is rightly named once, divided by the messages that it is named for. Diffusion runs on
the same edges in both directions.

Their program as published takes means over twenty graphs with twenty batches each. Graphs differ so much that such a
mean has a standard error of 3 %; it is measured on ours, and stands with each value. Two things are not theirs: where
both cycles have the same edge another cycle is drawn, and nobody hands back to whom a message comes from.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..estimators.matching import judge_guesses
from ..estimators.seen import Ground
from ..graphs.graph import Graph
from ..spread.compiled import compiled
from ..spread.counter import Key, derived, key_of
from ..spread.observations import observe
from ..spread.stems import Walk, relay_walk, walk

__all__ = ["DIFFUSION", "PRECISIONS", "SOURCE", "precisions"]

SOURCE: Final = (
    "Fanti and others, Dandelion++, 2018, figure 6, by the authors' program: a mean over 20 graphs"
)
NODES: Final = 100
SPIES: Final = 20
#: Batches of a graph; of diffusion fewer, which differ less than graphs do.
BATCHES: Final = 20
DIFFUSED: Final = 5
#: By name: the variant of ``stems.relay_walk``, the published precision and its standard error.
PRECISIONS: Final = {
    "per-transaction": (2, 0.0883, 0.0028),
    "one-to-one": (0, 0.1001, 0.0029),
    "per-edge": (4, 0.1083, 0.0028),
    "all-to-one": (3, 0.1091, 0.0027),
}
DIFFUSION: Final = (0.2336, 0.0054)


def precisions(name: str, graphs: int, seed: int) -> NDArray[np.float64]:
    """The mean precision on each of so many graphs, of a variant or of ``diffusion``."""
    random = np.random.default_rng(seed)
    found = np.empty(graphs)
    play = _diffuse if name == "diffusion" else _hand
    for number in range(graphs):
        first, second = _cycles(random)
        is_spy = np.zeros(NODES, dtype=np.bool_)
        is_spy[random.choice(NODES, SPIES, replace=False)] = True
        authors = np.flatnonzero(~is_spy).astype(np.int32)
        batches = play(name, first, second, is_spy, authors, (seed << 16) + number)
        found[number] = np.mean([judge_guesses(guesses, authors).precision for guesses in batches])
    return found


def _cycles(random: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Who follows each node on two cycles that share no edge."""
    first = ((np.arange(NODES) + 1) % NODES).astype(np.int32)
    while True:
        order = random.permutation(NODES).astype(np.int32)
        second = np.empty(NODES, dtype=np.int32)
        second[order] = np.roll(order, -1)
        if (second != first).all():
            return first, second


def _hand(
    name: str,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    is_spy: NDArray[np.bool_],
    authors: NDArray[np.int32],
    seed: int,
) -> NDArray[np.int32]:
    """Whom spies name for each author's message, batch by batch."""
    starts = 2 * np.arange(NODES + 1, dtype=np.int64)
    friends = np.sort(np.stack([first, second], axis=1)).reshape(-1)
    before = np.sort(np.stack([np.argsort(first), np.argsort(second)], axis=1)).reshape(-1).astype(np.int32)
    guesses = np.empty((BATCHES, len(authors)), dtype=np.int32)
    _walk_batches(
        starts, friends, before, is_spy, authors, key_of(seed), PRECISIONS[name][0], walk(), guesses
    )
    return guesses


@compiled
def _walk_batches(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    before: NDArray[np.int32],
    is_spy: NDArray[np.bool_],
    authors: NDArray[np.int32],
    seed: Key,
    variant: int,
    room: Walk,
    guesses: NDArray[np.int32],
) -> None:
    for batch in range(len(guesses)):
        key = derived(seed, batch)
        for place in range(len(authors)):
            relay_walk(
                starts,
                friends,
                (starts, before),
                is_spy,
                derived(key, 0),
                derived(key, 1 + place),
                authors[place],
                0.0,
                0.0,
                variant,
                0.0,
                False,
                room,
            )
            guesses[batch, place] = room[1][room[6][0] - 1]


def _diffuse(
    name: str,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    is_spy: NDArray[np.bool_],
    authors: NDArray[np.int32],
    seed: int,
) -> NDArray[np.int32]:
    nodes = np.arange(NODES)
    edges = np.concatenate([np.stack([nodes, first], axis=1), np.stack([nodes, second], axis=1)])
    ground = Ground(graph=Graph.from_edges(NODES, edges), spies=is_spy, scheme=name)
    sent = np.tile(authors, DIFFUSED)
    _, rows = observe(ground, runs=len(sent), seed=seed, authors=sent, spy_times=False)
    return np.asarray(rows["first_friend"].reshape(DIFFUSED, len(authors)))
