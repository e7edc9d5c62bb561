"""A trial: how often an estimator names the author, over very many runs of ``spread``.

It is a pure function of its fields, but for how long it takes: not of threads, nor of anything random elsewhere. The
graph, the spies, the runs and ties of posteriors are all drawn by the seed.
"""

import re
import shlex
import time
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from .estimators import ESTIMATORS, Estimator, Need
from .estimators.seen import Ground
from .fields import rounded
from .graphs.foreign import as_graph
from .graphs.graph import Graph, GraphError
from .graphs.spies import choose, share_of, victim_of
from .graphs.tree import Tree
from .metrics import wilson
from .metrics.posteriors import entropy_quantiles, named_quantiles
from .spread.montecarlo import ROOM_MAX, Growing, Rules, Spreading, growing_room
from .spread.runs import DELAYS, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TIES", "TREE_SCHEMES", "Trial", "TrialError", "spread"]

TIES: Final = ("random", "lowest")
#: Estimators of single packets; that of onions takes whole flows.
ASKED: Final = tuple(name for name, each in ESTIMATORS.items() if Need.FLOW not in each.needs)
#: What can be grown on infinite trees.
TREE_SCHEMES: Final = ("flood", "diffusion", "stem")
#: Without a private phase: the flood begins at the author.
FIRST_SPY: Final = "first-spy"
OPEN_SCHEMES: Final = ("flood", "diffusion")
RUNS_MAX: Final = 1_000_000_000
#: What each class of runs has seen before it has seen anything, in runs: the rule of Jeffreys.
PRIOR: Final = 0.5


class TrialError(Exception):
    """A trial that will not do; the message is a sentence that names the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is tried."""

    graph: Any
    """In words as ``graphs/spec`` reads them, or a graph: ours, NetworkX's or igraph's."""
    scheme: str = "diffusion"
    """One of ``SCHEMES``."""
    spies: str | float = "0.1"
    """In words as ``graphs/spies`` reads them."""
    estimator: str = "first-spy"
    """One of ``estimators.ESTIMATORS``, but for ``onion-flow``."""
    runs: int = 10_000
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
    seed: int = 1

    def result(self, *, threads: int = 1, tell: "Callable[[int, int], None] | None" = None) -> dict[str, Any]:
        """Makes all runs and judges the estimator. ``tell`` is told how many of how many runs are done.

        Raises:
            TrialError: it will not do.
            GraphError: there is no such graph, or there are no such spies.
        """
        self._check()
        try:
            graph = as_graph(self.graph, self.seed)
        except GraphError as error:
            raise TrialError(f"--graph: {error}") from error
        progress = None if tell is None else lambda done: tell(done, self.runs)
        if isinstance(graph, Tree):
            measured = self._on_tree(graph, threads, progress)
        else:
            measured = self._on_graph(graph, threads, progress)
        named = measured.pop("named")
        result = {
            **{each.name: getattr(self, each.name) for each in fields(self)},
            "graph": self.graph if isinstance(self.graph, str) else graph_name(graph),
            "spies": str(self.spies),
            "spies_iid": self._is_iid(graph),
            "delay": self._delay,
            "p_named": named / self.runs,
            "p_named_ci95": list(wilson(named, self.runs)),
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
    def _delay(self) -> str:
        return self.delay or ("unit" if self.scheme == "flood" else "exponential")

    @property
    def _rules(self) -> Rules:
        return Rules(
            scheme=self.scheme,
            delay=self._delay,
            end=self.end,
            embargo=self.embargo,
            random_ties=self.tie == "random",
        )

    def _is_iid(self, graph: Graph | Tree) -> bool:
        return isinstance(graph, Tree) if self.spies_iid is None else self.spies_iid

    def _check(self) -> None:
        """Raises ``TrialError`` for what is wrong on any graph."""
        choices = {
            "scheme": tuple(SCHEMES),
            "estimator": ASKED,
            "tie": TIES,
            "delay": (*DELAYS, None),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                words = ", ".join(filter(None, known))
                raise TrialError(f"--{name} is one of {words}, and not {getattr(self, name)!r}.")
        if not 1 <= self.runs <= RUNS_MAX:
            raise TrialError(f"--runs is a whole number from 1 to {RUNS_MAX}, and not {self.runs}.")
        if not 0 < self.end <= 1:
            raise TrialError(f"--end is a number above 0 and at most 1, and not {self.end}.")
        if self.embargo < 0:
            raise TrialError(f"--embargo is a number of hops, 0 for none, and not {self.embargo}.")
        if self.practice < 2 or self.snapshot < 0:
            raise TrialError(
                "--practice is at least 2 runs, and --snapshot a number of nodes, 0 for a hundred."
            )
        estimator = ESTIMATORS[self.estimator]
        if estimator.needs & {Need.RELAYS, Need.ROUTES} and not estimator.suits(self.scheme):
            schemes = ", ".join(sorted(estimator.schemes or ()))
            raise TrialError(
                f"--estimator: {self.estimator} can be asked of {schemes}, and not of {self.scheme}."
            )
        if self.first_contact and (self.estimator != FIRST_SPY or self.batches):
            raise TrialError(f"--first-contact: only {FIRST_SPY} wants no more, and no batches.")
        if self.fluff_position_known and self.scheme in OPEN_SCHEMES:
            raise TrialError(
                f"--fluff-position-known: {self.scheme} begins at the author; ask it of a scheme with a stem."
            )

    def _on_tree(self, tree: Tree, threads: int, tell: "Callable[[int], None] | None") -> dict[str, Any]:
        if self.scheme not in TREE_SCHEMES:
            raise TrialError(
                f"--scheme: infinite trees can have {', '.join(TREE_SCHEMES)}, and not {self.scheme}."
            )
        if self.estimator != FIRST_SPY or self.batches:
            raise TrialError(f"--estimator: on infinite trees there is {FIRST_SPY}, without batches.")
        if not self._is_iid(tree):
            raise TrialError("--spies-count: an infinite tree has no count of spies; give a share.")
        if self.embargo:
            raise TrialError("--embargo: infinite trees have none; take a large random-regular graph.")
        chance = self._chance()
        if not chance or growing_room(tree.degree, chance) > ROOM_MAX:
            raise TrialError(f"--spies: on an infinite tree {self.spies} are too few to be met in a run.")
        growing = Growing(tree=tree, spy_chance=chance, rules=self._rules)
        rows, runs_per_s = self._made(growing, threads, tell)
        named = rows["distance"] == 0
        if self.fluff_position_known:
            named = named & rows["on_stem"]
        return {
            "nodes": None,
            "mean_degree": tree.degree,
            "named": int(named.sum()),
            "runs_per_s": runs_per_s,
        }

    def _made(
        self, runs: Growing | Spreading, threads: int, tell: "Callable[[int], None] | None"
    ) -> tuple[NDArray[np.void], float]:
        """The rows of all runs, and how many were made a second of processor time, after a first one for warming up."""
        runs.run(1, self.seed)
        began = time.process_time()
        rows = runs.run(self.runs, self.seed, threads=threads, tell=tell)
        return rows, self.runs / max(time.process_time() - began, 1e-9)

    def _chance(self) -> float:
        try:
            return share_of(str(self.spies))
        except GraphError as error:
            raise TrialError(f"--spies: {error}") from error

    def _on_graph(self, graph: Graph, threads: int, tell: "Callable[[int], None] | None") -> dict[str, Any]:
        self._check_connected(graph)
        iid = self._is_iid(graph)
        spies, victim = np.zeros(graph.node_count, dtype=np.bool_), None
        if not iid:
            try:
                spies = choose(str(self.spies), graph, self.seed)
                victim = victim_of(str(self.spies), graph)
            except GraphError as error:
                raise TrialError(f"--spies: {error}") from error
        estimator = ESTIMATORS[self.estimator]
        if estimator.name != FIRST_SPY or self.batches:
            return self._asked(estimator, graph, spies, victim, threads, tell)
        try:
            spreading = Spreading(
                graph=graph,
                spies=spies,
                rules=self._rules,
                spy_chance=self._chance() if iid else 0.0,
                authors=None if victim is None else np.array([victim], dtype=np.int32),
                first_contact=self.first_contact,
            )
        except ValueError as error:
            raise TrialError(f"--first-contact: {error}") from error
        rows, runs_per_s = self._made(spreading, threads, tell)
        guesses = rows["first_friend"]
        if self.fluff_position_known:
            guesses = np.where(rows["on_stem"], guesses, rows["opener"])
        right = guesses == rows["author"]
        measured: dict[str, Any] = {
            "nodes": graph.node_count,
            "mean_degree": graph.mean_degree,
            "named": int(right.sum()),
            "spy_count": None if iid else int(spies.sum()),
            "runs_per_s": runs_per_s,
        }
        classes = rows["on_stem"] + 2 * (guesses >= 0)
        others = graph.node_count * (1 - self._chance()) if iid else graph.node_count - spies.sum()
        if victim is None and others > 1:
            measured |= sureness(right, classes, float(others) - 1)
            measured["user_named_quantiles"] = named_quantiles(rows["author"], right)
        if not self.first_contact:
            measured |= coverage(graph, rows)
        return measured

    def _asked(
        self,
        estimator: Estimator,
        graph: Graph,
        spies: NDArray[np.bool_],
        victim: int | None,
        threads: int,
        tell: "Callable[[int], None] | None",
    ) -> dict[str, Any]:
        """Asks an estimator that gives each suspect a weight."""
        from .asking import Asking

        if victim is not None:
            raise TrialError(f"--spies: around one victim only {FIRST_SPY} is asked, without batches.")
        if self._is_iid(graph):
            raise TrialError(f"--spies-iid: {self.estimator} has to know the spies; take --spies-count.")
        if Need.SNAPSHOT in estimator.needs:
            spies = np.zeros_like(spies)
        elif not spies.any():
            raise TrialError(f"--spies: somebody has to be a spy for {self.estimator}.")
        if self.snapshot > graph.node_count:
            raise TrialError(
                f"--snapshot: there are no more than {graph.node_count} nodes, and not {self.snapshot}."
            )
        asking = Asking(
            estimator=estimator,
            ground=Ground(
                graph=graph,
                spies=spies,
                scheme=self.scheme,
                delay=self._delay,
                end=self.end,
                embargo=self.embargo,
            ),
            batches=self.batches,
            opener_known=self.fluff_position_known,
            random_ties=self.tie == "random",
            snapshot=self.snapshot,
            practice=self.practice,
        )
        began = time.process_time()
        answer = asking.run(self.runs, self.seed, threads=threads, tell=tell)
        busy_s = time.process_time() - began
        anonymity, guessed = answer.anonymity, answer.guessed
        return {
            "nodes": graph.node_count,
            "mean_degree": graph.mean_degree,
            "named": anonymity.p_named * self.runs,
            "spy_count": int(spies.sum()),
            "runs_per_s": self.runs / max(busy_s, 1e-9),
            "precision": guessed and guessed.precision,
            "recall": guessed and guessed.recall,
            **anonymity.fields(),
            **coverage(graph, answer.rows),
        }

    def _check_connected(self, graph: Graph) -> None:
        if graph.node_count < 2:
            raise TrialError("--graph: It takes at least two nodes to spread anything.")
        if not graph.is_connected:
            largest = int(np.bincount(graph.components).max())
            path = re.sub("^file:", "", self.graph) if isinstance(self.graph, str) else None
            out = f"take largest:{path}" if path else "take graph.largest_component()"
            raise TrialError(
                f"--graph: it is not connected, and its largest part has {largest} of {graph.node_count} nodes; {out}."
            )


def graph_name(graph: Graph | Tree) -> str:
    """A graph that has no words of its own."""
    return f"regular-tree:degree={graph.degree}" if isinstance(graph, Tree) else f"digest:{graph.digest[:16]}"


def sureness(right: NDArray[np.bool_], classes: NDArray[np.integer], others: float) -> dict[str, Any]:
    """How sure the adversary may be of the one that it names, and of all others alike.

    How often it is right in runs of each class is learnt on one half of the runs and applied to the other, both ways
    round.

    Args:
        right: of shape (runs,): whether the author was named.
        classes: of shape (runs,): small numbers; what kind of run spies see that it is.
        others: how many suspects there are besides the one that is named.
    """
    largest = np.empty(len(right))
    for half in (0, 1):
        learnt = right[1 - half :: 2], classes[1 - half :: 2]
        hits = np.bincount(learnt[1], weights=learnt[0], minlength=int(classes.max()) + 1) + PRIOR
        shares = hits / (np.bincount(learnt[1], minlength=len(hits)) + 2 * PRIOR)
        largest[half::2] = shares[classes[half::2]]
    rest = (1 - largest) / others
    entropies = -largest * np.log2(largest) - others * rest * np.log2(rest)
    # Whom it names is not the likeliest where it is hardly ever right.
    peaks = np.maximum(largest, rest)
    return {
        "entropy_bits": float(entropies.mean()),
        "min_entropy_bits": float(-np.log2(peaks.mean())),
        "effective_set": float(2 ** entropies.mean()),
        "expected_max_posterior": float(peaks.mean()),
        "entropy_quantiles": entropy_quantiles(entropies),
    }


def coverage(graph: Graph, rows: NDArray[np.void]) -> dict[str, float]:
    """How quickly packets came to all, in the median, and what it took."""
    # Everybody announces to all friends but the one it has it from.
    sends = 2 * graph.edge_count - (graph.node_count - 1) + rows["hops"].mean()
    return {
        "coverage_t50": float(np.median(rows["opened_at"] + rows["t50"])),
        "coverage_t99": float(np.median(rows["opened_at"] + rows["t99"])),
        "sends_per_node": float(sends / graph.node_count),
    }


def spread(
    graph: Any,
    *,
    threads: int = 1,
    tell: "Callable[[int, int], None] | None" = None,
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
