"""What spies saw of many runs, as arrays, and what they knew before any of them.

For estimators that are asked of thousands of runs of ``sim.spread`` at once; ``observations`` has the same for the
packets of a mesh of engines. The truth is in neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...gossip.pace import STEM_END, Pace
from ..graphs.graph import Graph
from .observations import Setting

if TYPE_CHECKING:
    from .sightings import Sightings
    from .stem import StemModel
    from .wide_stem import WideStemModel

__all__ = ["Ground", "Observed", "Practice"]


#: The fields of ``Observed`` that are not by run.
_SHARED = ("relays", "routes", "sightings")
#: Suspects times links up to which all pairs are counted out: 3,000 nodes with eight friends each, in half a minute.
TABLES_MAX = 50_000_000
#: An embargo that never ends, in hops.
NEVER = 1e12


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """What spies know before they see anything: the graph, the rules, and which nodes are theirs."""

    graph: Graph
    spies: NDArray[np.bool_]
    """Of shape (nodes,). None are in it for an adversary who sees a snapshot instead."""
    scheme: str = "diffusion"
    """One of ``spread.runs.SCHEMES``."""
    delay: str = "exponential"
    """One of ``spread.runs.DELAYS``: how long an announcement takes, in mean delays of a hop."""
    end: float = STEM_END
    """The chance that a stem ends at a hop."""
    embargo: float = 0.0
    """Mean of the timers on a stem, in hops; 0 if there are none."""
    bare: bool = True
    """Whether the author of a packet holds no embargo of its own."""
    latency: float = 0.0
    """What a frame takes, in hops."""
    pace: Pace | None = None
    """Of the mesh, where there are onions: its embargo is then the one that counts, and injectors hold it too."""
    route_length: int = 3
    """Relays of an onion."""

    @cached_property
    def suspects(self) -> NDArray[np.int32]:
        """All who are no spies, ascending: the columns of every posterior."""
        return np.flatnonzero(~self.spies).astype(np.int32)

    @cached_property
    def spy_nodes(self) -> NDArray[np.int32]:
        """The spies, ascending: the columns of ``Observed.spy_times``."""
        return np.flatnonzero(self.spies).astype(np.int32)

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """By node: its column in a posterior, −1 for a spy."""
        columns = np.full(self.graph.node_count, -1, dtype=np.int64)
        columns[self.suspects] = np.arange(len(self.suspects))
        return columns

    @cached_property
    def spy_counts(self) -> NDArray[np.int64]:
        """By node: how many of its friends are spies."""
        spied = self.spies[self.graph.friends].astype(np.int64)
        sums = np.concatenate([[0], np.cumsum(spied)])
        return np.asarray(sums[self.graph.starts[1:]] - sums[self.graph.starts[:-1]])

    @cached_property
    def tellers(self) -> NDArray[np.int32]:
        """The honest nodes that have a spy for a friend, ascending: the columns of ``Observed.told_at``."""
        return np.flatnonzero(~self.spies & (self.spy_counts > 0)).astype(np.int32)

    @cached_property
    def stems(self) -> "StemModel | WideStemModel":
        """What first sightings say about stems and floods on this ground; made once."""
        bare = self.bare and self.pace is None
        # Only who asks needs what they compile.
        if len(self.suspects) * len(self.graph.friends) > TABLES_MAX:
            from .wide_stem import WideStemModel

            return WideStemModel(self.setting, bare=bare)
        from .stem import StemModel

        return StemModel(self.setting, bare=bare)

    @cached_property
    def setting(self) -> Setting:
        """The same for the estimators of single packets; without a pace a hop is a second."""
        pace = self.pace or Pace(
            interval_s=NEVER,
            relay_delay_s=NEVER,
            hop_s=1.0,
            embargo_s=self.embargo or NEVER,
            retry_s=NEVER,
            ticks_per_epoch=1,
            relayed_per_epoch=1,
        )
        return Setting(
            friends=[self.graph.friends_of(node) for node in range(self.graph.node_count)],
            spies=frozenset(self.spy_nodes.tolist()),
            pace=pace,
            latency_s=self.latency * pace.hop_s,
            route_length=self.route_length,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What spies have of each run. What was not recorded is None."""

    first_friend: NDArray[np.int32]
    """Of shape (runs,): the honest node that was the first to tell a spy; −1 if none did."""
    first_at: NDArray[np.float32]
    """Of shape (runs,): when."""
    on_stem: NDArray[np.bool_]
    """Of shape (runs,): whether it handed the packet over on its stem."""
    spy_times: NDArray[np.float32] | None = None
    """Of shape (runs, spies): when each spy was first told by any friend; infinite if never."""
    spy_tellers: NDArray[np.int32] | None = None
    """Of shape (runs, spies): by whom; −1 if never."""
    told_at: NDArray[np.float32] | None = None
    """Of shape (runs, tellers): when each honest node that has a spy for a friend first told one; infinite if never."""
    infected: NDArray[np.bool_] | None = None
    """Of shape (runs, nodes): a snapshot of who has the packet."""
    openers: NDArray[np.int32] | None = None
    """Of shape (runs,): where the flood began, if that is known and not only guessed at."""
    relays: NDArray[np.int32] | None = None
    """Of shape (epochs, nodes, 2): the graph of relays of each epoch, if it was learnt."""
    routes: NDArray[np.int32] | None = None
    """Of shape (epochs, nodes, hops): the way that stems of each node take in each epoch, up to its end or the first
    spy, if that was learnt too; −1 after it."""
    epochs: NDArray[np.int64] | None = None
    """Of shape (runs,): the epoch of each run."""
    sightings: "Sightings | None" = None
    """All packets of a mesh, of which the runs are those that showed an item first."""
    carriers: NDArray[np.intp] | None = None
    """Of shape (runs,): the place of each in ``sightings``; −1 if no spy was told."""

    @classmethod
    def of(cls, rows: NDArray[np.void]) -> "Observed":
        """From rows of ``spread.runs.SEEN``."""
        return cls(first_friend=rows["first_friend"], first_at=rows["first_at"], on_stem=rows["on_stem"])

    def __len__(self) -> int:
        return len(self.first_friend)

    def of_runs(self, chosen: Any) -> "Observed":
        """The same of some runs: a slice, a mask or places."""
        by_run: dict[str, Any] = {
            each.name: value if each.name in _SHARED or value is None else value[chosen]
            for each in fields(self)
            for value in [getattr(self, each.name)]
        }
        return Observed(**by_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """Runs of the same rules on the same ground that the adversary made itself, and so knows the authors of."""

    observed: Observed
    authors: NDArray[np.int32]

    def of_runs(self, chosen: Any) -> "Practice":
        return Practice(observed=self.observed.of_runs(chosen), authors=self.authors[chosen])

    @classmethod
    def joined(cls, parts: Sequence["Practice"]) -> "Practice":
        """Several as one; all must have recorded the same, and no epochs."""
        columns: dict[str, Any] = {}
        for each in fields(Observed):
            values = [getattr(part.observed, each.name) for part in parts]
            columns[each.name] = None if values[0] is None else np.concatenate(values)
        return cls(observed=Observed(**columns), authors=np.concatenate([part.authors for part in parts]))
