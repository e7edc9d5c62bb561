"""Lasting routes: what several posts of one author say together where guards and successors last.

``linked`` multiplies posteriors, as if each packet's stem were drawn anew. In a mesh it is not: a guard stays for
weeks and a successor for a relay day, so that all that one node injects takes one way, and differs only in where it
ends. Then ten posts that all seem to come from one friend of a spy say hardly more than one: that the author's way
leads there. And a friend to whom many ways lead is seen with every post, whoever wrote it.

So ways are drawn for each honest node, each a walk that ends at the first spy, and each has a law of what spies see
first of a packet that takes it (``stem_law``, and ``stem`` for the floods). Spies count what they see of all packets;
by this the ways are weighed (expectation maximisation: every node injects as many), and by this it is known how often
a sighting comes about by chance. The posterior is the mean over a node's ways of the product over the posts.

Assumed: as for ``stem``, but for what lasts; that all posts fall into one relay day; that of each post what the flow of
onions says of the packet that the author sent is independent of others, given the way.

Cost: ``O(honest · ways · (honest + posts))``.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from .observations import Setting
from .stem import StemModel
from .stem_law import HOPS_MAX, StemLaw
from .wide_stem import WideStemModel

__all__ = ["LastingModel"]

#: Ways that are drawn for each node: some nodes are at the end of one in a hundred.
WAYS: Final = 200
#: Steps by which ways are weighed; after that hardly anything moves.
STEPS: Final = 30
#: Packets that what is expected of a sighting counts for, beside those that were seen.
PRIOR: Final = 5.0


class LastingModel:
    """What the spies of one relay day know of the ways of its packets."""

    def __init__(
        self, setting: Setting, stems: StemModel | WideStemModel, seen: NDArray[np.intp], *, seed: int = 0
    ) -> None:
        """``seen``: by ``stems.columns``, the first sighting of each packet that is no spy's."""
        law = StemLaw.of(setting, bare=False)
        count = len(law.index)
        self._count = count
        ended, exits, left = _ways(setting, law, np.random.default_rng(seed))
        self._laws = np.hstack([np.zeros((len(exits), count)), ended @ stems.announces])
        reached = exits >= 0
        self._laws[np.flatnonzero(reached), exits[reached]] = left[reached]
        self._laws /= np.maximum(self._laws.sum(axis=1, keepdims=True), 1e-300)
        expected = self._laws.mean(axis=0)
        counts = np.bincount(seen, minlength=2 * count) + PRIOR * expected
        self._shares = counts / counts.sum()
        self._weights = self._weighed()

    def _weighed(self) -> Array:
        """The weights of ways, of shape (honest, ways), by which all nodes together make what was seen."""
        weights = np.full((self._count, WAYS), 1 / WAYS)
        for _ in range(STEPS):
            made = weights.reshape(-1) @ self._laws / self._count
            ratio = self._laws @ (self._shares / np.maximum(made, 1e-300))
            weights = weights * ratio.reshape(weights.shape)
            weights /= weights.sum(axis=1, keepdims=True)
        return weights

    def together(self, walks: Array) -> Array:
        """The posterior over the honest nodes, from what each column weighs for each post: (posts, columns)."""
        chances = walks / np.maximum(self._shares, 1e-300)
        logs = np.zeros(len(self._laws))
        for post in chances:
            logs += np.log(np.maximum(self._laws @ post, 1e-300))
        likely = np.exp(logs - logs.max()).reshape(self._weights.shape)
        weights = (likely * self._weights).sum(axis=1)
        return np.asarray(weights / weights.sum())


def _ways(
    setting: Setting, law: StemLaw, random: np.random.Generator
) -> tuple[Array, NDArray[np.intp], Array]:
    """Draws ways: by way how likely its packet's flood starts where, from whom a spy gets it (−1 from nobody), and how
    likely it comes so far."""
    starts, friends = _links([setting.friends[node] for node in range(len(setting.friends))])
    place = np.full(len(setting.friends), -1, dtype=np.intp)
    place[list(law.index)] = np.arange(len(law.index))
    honest = np.array(list(law.index), dtype=np.intp)
    at = np.repeat(honest, WAYS)
    before, alive = np.full(len(at), -1, dtype=np.intp), np.ones(len(at))
    ended = np.zeros((len(at), len(honest)))
    exits, left = np.full(len(at), -1, dtype=np.intp), np.zeros(len(at))
    for hop in range(HOPS_MAX):
        walking = np.flatnonzero(alive > 0)
        if not len(walking):
            break
        nodes = at[walking]
        degrees = (starts[nodes + 1] - starts[nodes]).astype(np.float64)
        if hop:
            ends = law.ending[hop, place[nodes]]
            goes = law.onward[hop, place[nodes]] * np.maximum(degrees - 1, 0)
        else:
            ends = np.full(len(walking), law.fires)
            goes = law.first[place[nodes]] * degrees
        ended[walking, place[nodes]] += alive[walking] * ends
        onward = _drawn(starts, friends, nodes, before[walking], random)
        alive[walking] *= np.where(onward >= 0, goes, 0.0)
        told = (onward >= 0) & (place[onward] < 0)
        exits[walking[told]] = place[nodes[told]]
        left[walking[told]] = alive[walking[told]]
        alive[walking[told]] = 0.0
        before[walking], at[walking] = nodes, onward
    return ended, exits, left


def _drawn(
    starts: NDArray[np.int64],
    friends: NDArray[np.int64],
    nodes: NDArray[np.intp],
    before: NDArray[np.intp],
    random: np.random.Generator,
) -> NDArray[np.intp]:
    """A friend of each node, but not the one before; −1 if there is no other."""
    degrees = starts[nodes + 1] - starts[nodes]
    drawn = friends[starts[nodes] + random.integers(degrees)]
    while len(again := np.flatnonzero((drawn == before) & (degrees > 1))):
        drawn[again] = friends[starts[nodes[again]] + random.integers(degrees[again])]
    return np.where(drawn == before, -1, drawn)


def _links(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return starts, np.array([friend for row in rows for friend in row], dtype=np.int64)
