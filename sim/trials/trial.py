"""A trial: how often an estimator names the author, over very many runs of ``spread``.

It is a pure function of its fields, but for how long it takes: not of threads, nor of anything random elsewhere. The
graph, the spies, the runs and ties of posteriors are all drawn by the seed.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

import numpy as np

from ...gossip.genesis import Parameters
from ...gossip.pace import HOPS_PER_EMBARGO, STEM_END
from ..fields import rounded
from ..graphs.foreign import as_graph
from ..graphs.graph import Graph, GraphError
from ..graphs.spies import choose, share_of, victim_of
from ..graphs.tree import Tree
from ..metrics import wilson
from ..spread.montecarlo import Rules
from .flaws import FIRST_SPY, ONION, ONION_FLOW, ONION_OPTIONS, TrialError, check, check_connected

__all__ = ["Trial", "TrialError", "spread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is tried."""

    graph: Any
    """In words as ``graphs/spec`` reads them, or a graph: ours, NetworkX's or igraph's."""
    scheme: str = "diffusion"
    """One of ``spread.runs.SCHEMES``, or ``onion``."""
    spies: str | float = "0.1"
    """In words as ``graphs/spies`` reads them."""
    estimator: str | None = None
    """One of ``estimators.ESTIMATORS``; by default ``onion-flow`` of onions, and ``first-spy`` of all others."""
    runs: int = 10_000
    """Of onions, posts or groups of linked ones."""
    delay: str | None = None
    """One of ``DELAYS``; by default what the scheme does: unit for ``flood``, exponential for all others."""
    tie: str = "random"
    """Of several who told spies first, at one time: one is drawn, or the lowest spy's lowest friend is taken."""
    fluff_position_known: bool = False
    """Whether spies know where a stem ended, if none of them was on it."""
    spies_iid: bool | None = None
    """Whether each node but the author is a spy by itself, drawn in each run; otherwise they are so many, and the
    same in all runs. By default on infinite trees only."""
    end: float = 0.1
    """The chance that a stem ends at a hop."""
    embargo: float = 0.0
    """Mean of the timers of those on a stem, in hops; 0 for none."""
    first_contact: bool = False
    """Whether runs end when the first spy is told: much quicker, and without coverage. For ``first-spy``."""
    batches: bool = False
    """Whether every honest node writes once in an epoch, and what is fixed for an epoch is: then there are precision
    and recall."""
    snapshot: int = 0
    """For estimators that see who has a packet at one moment: how many have it then; 0 for a hundred, or for half of
    all nodes if they are fewer. There are no spies then."""
    practice: int = 5_000
    """For estimators that learn from runs of known authors: how many."""
    bytes_per_day: int = Parameters().bytes_per_day
    """Of onions: the budget of a node."""
    route_length: int = Parameters().route_length
    """Of onions: the relays of each."""
    post_share: float = 0.5
    """Of onions: the share of honest nodes' ticks that are posts; all others are cover."""
    linked: int = 1
    """Of onions: so many posts of one author are known to be of one, and a run is such a group."""
    seed: int = 1

    def result(self, *, threads: int = 1, tell: Callable[[int, int], None] | None = None) -> dict[str, Any]:
        """Makes all runs and judges the estimator. ``tell`` is told how many of how many runs are done.

        Raises:
            TrialError: it will not do.
            GraphError: there is no such graph, or there are no such spies.
        """
        check(self)
        try:
            graph = as_graph(self.graph, self.seed)
        except GraphError as error:
            raise TrialError(f"--graph: {error}") from error
        progress = None if tell is None else lambda done: tell(done, self.runs)
        measured = self._measured(graph, threads, progress)
        named = measured.pop("named")
        result = {
            **{each.name: getattr(self, each.name) for each in fields(self)},
            "graph": self.graph if isinstance(self.graph, str) else graph_name(graph),
            "spies": str(self.spies),
            "spies_iid": self.is_iid(graph),
            "estimator": self.asked,
            "delay": self.hop_delay,
            "p_named": named / self.runs,
            "p_named_ci95": list(wilson(named, self.runs)),
            **(dict.fromkeys(ONION_OPTIONS) if self.scheme != ONION else {}),
            **measured,
            "version": version("rumor"),
            "command": self.command(),
        }
        return {name: rounded(value) for name, value in result.items()}

    def command(self) -> str | None:
        """The one command that repeats it; None if the graph is not in words."""
        if not isinstance(self.graph, str):
            return None
        words = ["rumor", "sim", "spread"]
        for each in fields(self):
            value, option = getattr(self, each.name), "--" + each.name.replace("_", "-")
            if value == each.default and each.name != "seed":
                continue
            if each.name == "spies_iid":
                words.append("--spies-iid" if value else "--spies-count")
            else:
                words += [option] if value is True else [option, str(value)]
        return shlex.join(words)

    @property
    def hop_delay(self) -> str:
        """One of ``DELAYS``."""
        return self.delay or ("unit" if self.scheme == "flood" else "exponential")

    @property
    def asked(self) -> str:
        """The estimator."""
        return self.estimator or (ONION_FLOW if self.scheme == ONION else FIRST_SPY)

    @property
    def rules(self) -> Rules:
        """How packets spread; of onions, all of them."""
        if self.scheme == ONION:
            return Rules(scheme="stem", end=STEM_END, embargo=HOPS_PER_EMBARGO)
        return Rules(
            scheme=self.scheme,
            delay=self.hop_delay,
            end=self.end,
            embargo=self.embargo,
            random_ties=self.tie == "random",
        )

    @property
    def spy_chance(self) -> float:
        """Of a node to be a spy, where it is one by chance. Raises ``TrialError``."""
        try:
            return share_of(str(self.spies))
        except GraphError as error:
            raise TrialError(f"--spies: {error}") from error

    def is_iid(self, graph: Graph | Tree) -> bool:
        """Whether spies are drawn in each run."""
        return isinstance(graph, Tree) if self.spies_iid is None else self.spies_iid

    def _measured(
        self, graph: Graph | Tree, threads: int, tell: Callable[[int], None] | None
    ) -> dict[str, Any]:
        # Each module is loaded when it is wanted, since each compiles something else.
        if isinstance(graph, Tree):
            from . import trees

            return trees.measure(self, graph, threads, tell)
        check_connected(self, graph)
        spies, victim = np.zeros(graph.node_count, dtype=np.bool_), None
        if not self.is_iid(graph):
            try:
                spies = choose(str(self.spies), graph, self.seed)
                victim = victim_of(str(self.spies), graph)
            except GraphError as error:
                raise TrialError(f"--spies: {error}") from error
        if self.scheme == ONION:
            from . import onions

            return onions.measure(self, graph, spies, victim, threads, tell)
        if self.asked == FIRST_SPY and not self.batches:
            from . import first_spy

            return first_spy.measure(self, graph, spies, victim, threads, tell)
        from . import asked

        return asked.measure(self, graph, spies, victim, threads, tell)


def graph_name(graph: Graph | Tree) -> str:
    """A graph that has no words of its own."""
    return f"regular-tree:degree={graph.degree}" if isinstance(graph, Tree) else f"digest:{graph.digest[:16]}"


def spread(
    graph: Any,
    *,
    threads: int = 1,
    tell: Callable[[int, int], None] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Spreads many rumors and says how often the adversary names the author.

    Args:
        graph: in words, as on the command line; the path of a file; or a graph of ours, of NetworkX or of igraph.
        threads: how many work on it; the result does not depend on it.
        tell: told how many of how many runs are done.
        options: the other fields of ``Trial``: ``scheme``, ``spies``, ``estimator``, ``runs``, ``seed`` …

    Returns:
        The fields that ``rumor sim spread --json`` prints.

    Raises:
        TrialError: with a sentence.

    >>> from rumor.sim import spread
    >>> answer = spread("regular-tree:degree=4", scheme="flood", spies=0.07, runs=20_000)
    >>> abs(answer["p_named"] - (1 - 0.93**4)) < 0.01
    True
    """
    return Trial(graph=graph, **options).result(threads=threads, tell=tell)
