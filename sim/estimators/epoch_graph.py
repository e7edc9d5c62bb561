"""The learnt epoch graph: Dandelion++ against spies who know which two relays everybody has in this epoch.

Dandelion++ keeps its graph of relays for an epoch, and every stem runs on it; who watches for a while learns it. What
stays unknown is which of the two relays a node takes for what, and who diffuses. So a stem is a walk on this graph that
takes either relay of each node with probability ½, and goes on with probability ``1 − q`` after the first hop. All stems
that end in what was seen are enumerated, backwards from there and all of one length at a time, with P for the
honest steps of the walk and p_uv for those to spies: a stem is first handed to a spy by u with probability

    ``P(u → spy | v) = (Σ_n ((1−q) P)^n)_vu · σ_u``,   ``σ_u`` the share of u's relays that are spies,

and its flood starts at w with ``q · (P · Σ_n ((1−q) P)^n)_vw``, of which spies first hear from u with the chance that
``stem`` draws by simulation. With a uniform prior these are posteriors, when they are made to sum to 1.

Assumed: every node has learnt relays, as the adversary's best case; fresh choices of each packet among the two relays (in
the variants with a fixed map of edges, those who know more of the map than the graph can do better); walks that come by
the same node twice do not take the other relay then; fail-safe timers do not end (they take 427 hops).

Cost: ``O(hops · n)`` for each different sighting of an epoch; the table of floods as in ``stem``, once for a ground.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..spread.compiled import compiled
from .seen import Array, Ground, Observed
from .stem import StemModel

__all__ = ["posterior", "walks"]

#: Stems that go on for so many hops do so once in 40,000.
HOPS_MAX: Final = 100


def posterior(observed: Observed, ground: Ground, stems: StemModel | None = None) -> Array:
    """Of shape (runs, suspects). ``stems``: that of the same ground, for its floods, if it is at hand."""
    assert observed.relays is not None
    assert observed.epochs is not None
    model = stems or StemModel(ground.setting(), bare=ground.bare)
    count = len(ground.suspects)
    found = np.full((len(observed), count), 1 / count)
    sightings = np.stack([observed.epochs, observed.first_friend, observed.on_stem], axis=1)
    asked, which = np.unique(sightings[observed.first_friend >= 0], axis=0, return_inverse=True)
    answers = np.empty((len(asked), count))
    for place, (epoch, friend, on_stem) in enumerate(asked.tolist()):
        relays = observed.relays[epoch]
        ends = np.zeros(ground.graph.node_count)
        if on_stem:
            ends[friend] = 1.0
        else:
            ends[ground.suspects] = model.announces[:, model.index[friend]]
        reached = walks(relays, ground.spies, ground.end, ends)
        if not on_stem:
            reached = _before(relays, ground.spies, reached)
        weights = reached[ground.suspects]
        total = weights.sum()
        answers[place] = weights / total if total > 0 else 1 / count
    found[observed.first_friend >= 0] = answers[which.reshape(-1)]
    return found


def walks(relays: NDArray[np.int32], spies: NDArray[np.bool_], end: float, ends: Array) -> Array:
    """By node v: ``Σ_n ((1−q) P)^n · ends``, the weight of all honest walks from v.

    Args:
        relays: of shape (nodes, 2); −1 for none.
        spies: of shape (nodes,).
        end: q, the chance to end at a hop.
        ends: of shape (nodes,), the weight of each end.
    """
    return _walks(relays, spies, end, ends.astype(np.float64))


@compiled
def _before(relays: NDArray[np.int32], spies: NDArray[np.bool_], ends: Array) -> Array:
    """One honest hop earlier."""
    found = np.zeros(len(ends))
    for node in range(len(relays)):
        if not spies[node]:
            for slot in range(2):
                relay = relays[node, slot]
                if relay >= 0 and not spies[relay]:
                    found[node] += 0.5 * ends[relay]
    return found


@compiled
def _walks(relays: NDArray[np.int32], spies: NDArray[np.bool_], end: float, ends: Array) -> Array:
    total, latest = ends.copy(), ends
    for _ in range(HOPS_MAX):
        latest = (1.0 - end) * _before(relays, spies, latest)
        total += latest
        if latest.max() < 1e-12:
            break
    return total
