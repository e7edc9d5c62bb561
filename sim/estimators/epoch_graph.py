"""The learnt epoch graph: Dandelion++ against spies who know which two relays everybody has in this epoch.

Dandelion++ keeps its graph of relays for an epoch, and every stem runs on it; who watches for a while learns it. What
then stays unknown is which of the two relays a node takes for what, and who diffuses. So a stem is a walk on this graph
that takes either relay with probability ½, or the other one where that is the node it came from, and goes on with
probability ``1 − q`` after the first hop. All stems that end in what was seen are enumerated, backwards from there
and all of one length at a time: from each edge of the graph the chance to be first handed to a spy by u, or to flood
at w, is made of the chances from the edges that follow. From whom spies then hear first of a flood at w is drawn by
``stem``; or they know where the flood began, if ``Observed.openers`` says so, which is where papers differ. With a
uniform prior these chances are posteriors when they are made to sum to 1.

Where the map of edges is fixed, as in all variants but per-transaction, an epoch has one way for the stems of each
node, with one end. Who has learnt these *routes* too is left with those whose stems leave the same node for a spy, or
end at the same diffuser: all as likely.

Assumed: every node's relays (and routes) have been learnt, as the adversary's best case. Of the graph alone: fresh
choices of each packet among the two relays, none that come by the same node twice, and no fail-safe timers, which take
427 hops; of routes, timers are a rare exception that may open a packet anywhere on its way.

Cost: ``O(hops · n)`` for each different sighting of an epoch, either way; the table of floods as in ``stem``, once for
a ground.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..spread.compiled import compiled
from .seen import Ground, Observed

__all__ = ["by_routes", "chances", "posterior"]

#: Stems that go on for so many hops do so once in 40,000.
HOPS_MAX: Final = 100


def posterior(observed: Observed, ground: Ground) -> Array:
    """Of shape (runs, suspects), from the graph of relays."""
    relays = observed.relays
    assert relays is not None

    def weigh(epoch: int, ends: Array, on_stem: bool) -> Array:
        return chances(relays[epoch], ground.spies, ground.end, on_stem, ends)

    return _ask(observed, ground, weigh)


def by_routes(observed: Observed, ground: Ground) -> Array:
    """Of shape (runs, suspects), from the routes of stems."""
    routes = observed.routes
    assert routes is not None

    def weigh(epoch: int, ends: Array, on_stem: bool) -> Array:
        return _along(
            routes[epoch], ground.spies, on_stem, 1 / ground.embargo if ground.embargo else 0.0, ends
        )

    return _ask(observed, ground, weigh)


def _ask(
    observed: Observed,
    ground: Ground,
    weigh: Callable[[int, Array, bool], Array],
) -> Array:
    """Asks once for each different sighting of an epoch."""
    assert observed.epochs is not None
    model = ground.stems
    count = len(ground.suspects)
    found = np.full((len(observed), count), 1 / count)
    told = observed.first_friend >= 0
    openers = np.full(len(observed), -1) if observed.openers is None else observed.openers
    openers = np.where(observed.on_stem, -1, openers)
    sightings = np.stack([observed.epochs, observed.first_friend, observed.on_stem, openers], axis=1)
    asked, which = np.unique(sightings[told], axis=0, return_inverse=True)
    answers = np.empty((len(asked), count))
    for place, (epoch, friend, on_stem, opener) in enumerate(asked.tolist()):
        ends = np.zeros(ground.graph.node_count)
        if on_stem or opener >= 0:
            ends[friend if on_stem else opener] = 1.0
        else:
            ends[ground.suspects] = model.announces[:, model.index[friend]]
        weights = weigh(epoch, ends, bool(on_stem))[ground.suspects]
        total = weights.sum()
        answers[place] = weights / total if total > 0 else 1 / count
    found[told] = answers[which.reshape(-1)]
    return found


@compiled
def chances(
    relays: NDArray[np.int32], spies: NDArray[np.bool_], end: float, on_stem: bool, ends: Array
) -> Array:
    """By node: how likely its stem ends as was seen; 0 for spies.

    Args:
        relays: of shape (nodes, 2); twice the same where there is but one friend, −1 for none.
        spies: of shape (nodes,).
        end: q, the chance to end at a hop.
        on_stem: whether it was seen leaving a node for a spy, and not flooded.
        ends: of shape (nodes,): the weight of each node that it may have left, or have been flooded by.
    """
    count = len(relays)
    # By edge of the graph of relays: from the moment that a packet is over it.
    after, before = np.zeros((count, 2)), np.zeros((count, 2))
    for _ in range(HOPS_MAX):
        after, before = before, after
        most = 0.0
        for source in range(count):
            for slot in range(2):
                node = relays[source, slot]
                if spies[source] or node < 0 or spies[node]:
                    continue
                alone = relays[node, 0] == relays[node, 1]
                stops = 1.0 if alone else end
                chance = 0.0 if on_stem else stops * ends[node]
                for drawn in range(2):
                    onward = drawn
                    if relays[node, drawn] == source:
                        onward = 1 - drawn
                    step = 0.5 * (1.0 - stops)
                    if not spies[relays[node, onward]]:
                        chance += step * before[node, onward]
                    elif on_stem:
                        chance += step * ends[node]
                after[source, slot] = chance
                most = max(most, abs(chance - before[source, slot]))
        if most < 1e-12:
            break
    found = np.zeros(count)
    for author in range(count):
        for slot in range(2):
            relay = relays[author, slot]
            if spies[author] or relay < 0:
                continue
            if not spies[relay]:
                found[author] += 0.5 * after[author, slot]
            elif on_stem:
                found[author] += 0.5 * ends[author]
    return found


@compiled
def _along(
    routes: NDArray[np.int32], spies: NDArray[np.bool_], on_stem: bool, fails: float, ends: Array
) -> Array:
    """By node: the weight in ``ends`` of where its stem leaves for a spy, or of where its flood starts.

    ``fails`` is the chance that a fail-safe timer on the way makes it start there, for each hop.
    """
    count, hops = routes.shape
    found = np.zeros(count)
    for author in range(count):
        if spies[author]:
            continue
        here, meets, passed = author, False, ends[author]
        for hop in range(hops):
            following = routes[author, hop]
            if following < 0:
                break
            meets = spies[following]
            if meets:
                break
            here = following
            passed += ends[here]
        if meets == on_stem:
            found[author] = ends[here]
        if not on_stem:
            found[author] += fails * passed
    return found
