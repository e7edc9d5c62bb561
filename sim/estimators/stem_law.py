"""The law of stems: what is known of every hop of a packet's stem among honest nodes, before any is counted out.

Of which ``stem`` makes tables of all pairs of nodes, and ``wide_stem`` what is asked for on graphs where these would
not fit. It says for each hop from the injector on how likely a stem that is at a node ends there, and how likely it
goes on to any one of its friends; where it comes from is left out of these.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...gossip.pace import STEM_END
from ..arrays import Array
from .observations import Setting

__all__ = ["HOPS_MAX", "LONGEST", "StemLaw", "normed"]

#: Stems that reach so many hops do so once in 10,000.
HOPS_MAX: Final = 40
#: An exponential draw is longer once in 10^12.
LONGEST: Final = 28.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StemLaw:
    """The honest nodes by their places, the links among them, and the law of each hop."""

    index: dict[int, int]
    """The place of each honest node, ascending."""
    starts: NDArray[np.int64]
    """Of shape (honest + 1,): where each node's links begin."""
    friends: NDArray[np.int32]
    """By link: the place of the friend."""
    twins: NDArray[np.int64]
    """By link: the same friendship seen from the friend."""
    spy_counts: Array
    """By place: how many friends are spies."""
    first: Array
    """By place: the chance of each first hop, to one friend."""
    ending: Array
    """[hops, place]: of a stem that came there to end there, by its coin or somebody's embargo."""
    onward: Array
    """[hops, place]: of a stem that came there to go on to one of the other friends."""
    fires: float
    """That an injector's packet is flooded from there, because an embargo ended before the first hop."""

    @classmethod
    def of(cls, setting: Setting, *, bare: bool) -> "StemLaw":
        """``bare``: the packets say who wrote them, and their injectors hold no embargo of their own."""
        honest = setting.honest
        index = {node: place for place, node in enumerate(honest)}
        degrees = np.array([len(setting.friends[node]) for node in honest], dtype=np.float64)
        rows = [
            sorted(index[friend] for friend in setting.friends[node] if friend in index) for node in honest
        ]
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        friends = np.array([friend for row in rows for friend in row], dtype=np.int32)
        heads = np.repeat(np.arange(len(honest), dtype=np.int32), np.diff(starts))
        twins = np.empty(len(friends), dtype=np.int64)
        twins[np.lexsort((heads, friends))] = np.arange(len(friends))
        spy_counts = degrees - np.diff(starts)
        embargo_hops = setting.pace.embargo_s / (setting.pace.hop_s + setting.latency_s)
        holders: Array = np.arange(HOPS_MAX + 1, dtype=np.float64) + (0.0 if bare else 1.0)
        goes_on: Array = embargo_hops / (embargo_hops + holders)
        spied = float(spy_counts.sum()) / max(1.0, float(degrees.sum()))
        fires = _embargo_shares(goes_on, spied, holders)
        # Whoever has no other friend than the one it came from can only end the stem.
        ends = np.where(degrees > 1, STEM_END, 1.0)
        return cls(
            index=index,
            starts=starts,
            friends=friends,
            twins=twins,
            spy_counts=spy_counts,
            first=goes_on[0] / np.maximum(1.0, degrees),
            ending=ends + np.outer(fires, 1 - ends),
            onward=np.outer(goes_on, (1 - ends) / np.maximum(1.0, degrees - 1)),
            fires=0.0 if bare else float(fires[0]),
        )

    def columns(self, first_friends: NDArray[np.integer], on_stem: NDArray[np.bool_]) -> NDArray[np.intp]:
        """A number for each first sighting: the place of who told first, and as many more if that was in a flood."""
        places = np.full(max(self.index, default=0) + 1, -1, dtype=np.intp)
        places[list(self.index)] = np.arange(len(self.index))
        return np.asarray(places[first_friends] + np.where(on_stem, 0, len(self.index)))


def _embargo_shares(goes_on: Array, spied: float, holders: Array) -> Array:
    """By hops from the injector: that a holder's own embargo is the first to end, given that its coin went on.

    Where the stem is by then is left to the mean: each further hop meets a spy or ends as the average one does.
    """
    shares = np.zeros(HOPS_MAX + 1)
    for hop in range(HOPS_MAX - 1, -1, -1):
        further = goes_on[hop] * (1 - spied) * (1 - STEM_END)
        fires = (1 - goes_on[hop]) / max(1.0, holders[hop])
        shares[hop] = fires + further * shares[hop + 1]
    return shares


def normed(weights: Array) -> Array:
    """Weights as shares; all 0 if there are none."""
    return np.asarray(weights / max(float(weights.sum()), 1e-300))
