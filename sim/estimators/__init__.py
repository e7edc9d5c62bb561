"""Estimators: who wrote it, from what an adversary knows. Pure functions; none sees the truth.

``ESTIMATORS`` has by name all that can be asked of many runs at once. To add one: a module here with a function of
what was observed and the ground it was observed on, and an entry below. Beside them stand what is made of their
posteriors: ``matching`` for a batch, ``linked`` and ``lasting`` for several posts of one author, ``intersection`` for
who was online.

Modules are loaded when they are asked, since most of them compile something.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..arrays import Array
    from .seen import Ground, Observed, Practice

__all__ = ["ESTIMATORS", "Estimator", "Need"]


class Need(StrEnum):
    """What must have been recorded of each run, besides the first sighting, which always is."""

    #: ``spy_times`` and ``spy_tellers``.
    TIMES = "times"
    #: ``infected``.
    SNAPSHOT = "snapshot"
    #: ``relays`` and ``epochs``: several runs in an epoch.
    RELAYS = "relays"
    #: ``routes`` and ``epochs``.
    ROUTES = "routes"
    #: ``sightings`` and ``carriers``: a flow of onions.
    FLOW = "flow"
    #: Runs of known authors, on the same ground and with the same recorded.
    PRACTICE = "practice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """One way to guess authors, and how it is asked."""

    name: str
    knows: str
    """One sentence: from what it concludes."""
    needs: frozenset[Need] = frozenset()
    schemes: frozenset[str] | None = None
    """The schemes for which its model is meant; None if it has no model of any."""
    is_posterior: bool = True
    """Whether it gives posteriors; else scores that only rank, for ``metrics.posteriors.calibrated``."""
    module: str
    function: str

    def suits(self, scheme: str) -> bool:
        """Whether it is worth asking about runs of this scheme."""
        return self.schemes is None or scheme in self.schemes

    def ask(self, observed: "Observed", ground: "Ground", practice: "Practice | None" = None) -> "Array":
        """Posteriors or scores of shape (runs, suspects), in the order of ``ground.suspects``.

        Raises ``ValueError`` if it needs practice and got none.
        """
        function = getattr(import_module(f".{self.module}", __name__), self.function)
        if Need.PRACTICE not in self.needs:
            asked: Array = function(observed, ground)
        elif practice is None:
            raise ValueError(f"The estimator {self.name} needs runs to practise on.")
        else:
            asked = function(observed, ground, practice)
        return asked


_FLOODS: Final = frozenset({"flood", "diffusion"})
_ROUTED: Final = frozenset(
    {"dandelion", "dandelion-one-to-one", "dandelion-per-edge", "dandelion-all-to-one"}
)

ESTIMATORS: Final = {
    each.name: each
    for each in (
        Estimator(
            name="first-spy",
            knows="Who was the first to tell a spy.",
            is_posterior=False,
            module="first_spy",
            function="scores",
        ),
        Estimator(
            name="stem",
            knows="Who was the first to tell a spy, whether on a stem, and the law of stems with private successors.",
            schemes=frozenset({"stem"}),
            module="stem",
            function="posterior",
        ),
        Estimator(
            name="epoch-graph",
            knows="Who was the first to tell a spy, and which two relays every node has in this epoch.",
            needs=frozenset({Need.RELAYS}),
            schemes=_ROUTED | {"dandelion-per-transaction"},
            module="epoch_graph",
            function="posterior",
        ),
        Estimator(
            name="epoch-routes",
            knows="Who was the first to tell a spy, and the way of every node's stems in this epoch.",
            needs=frozenset({Need.ROUTES}),
            schemes=_ROUTED,
            module="epoch_graph",
            function="by_routes",
        ),
        Estimator(
            name="trained",
            knows="Who told which spy first and in which order, and runs of the same scheme with known authors.",
            needs=frozenset({Need.TIMES, Need.PRACTICE}),
            module="trained",
            function="posterior",
        ),
        Estimator(
            name="timestamps",
            knows="When each spy was first told.",
            needs=frozenset({Need.TIMES, Need.PRACTICE}),
            schemes=_FLOODS,
            module="timestamps",
            function="posterior",
        ),
        Estimator(
            name="rumor-centrality",
            knows="Who has it at one moment.",
            needs=frozenset({Need.SNAPSHOT}),
            schemes=_FLOODS,
            is_posterior=False,
            module="rumor_centrality",
            function="scores",
        ),
        Estimator(
            name="jordan",
            knows="Who has it at one moment.",
            needs=frozenset({Need.SNAPSHOT}),
            schemes=_FLOODS,
            is_posterior=False,
            module="jordan",
            function="scores",
        ),
        Estimator(
            name="onion-flow",
            knows="The first sighting of every packet, and what spies' relay keys opened.",
            needs=frozenset({Need.FLOW}),
            schemes=frozenset({"onion"}),
            module="onion_flow",
            function="posterior",
        ),
    )
}
