"""Trials on infinite regular trees: runs up to the first spy, with closed forms to compare them with."""

from collections.abc import Callable
from typing import Any, Final

from ..graphs.tree import Tree
from ..spread.montecarlo import ROOM_MAX, Growing, growing_room
from .figures import made
from .flaws import FIRST_SPY, TrialError
from .trial import Trial

__all__ = ["TREE_SCHEMES", "measure"]

#: What can be grown on infinite trees.
TREE_SCHEMES: Final = ("flood", "diffusion", "stem")


def measure(
    trial: Trial, tree: Tree, threads: int, tell: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """The fields of the result that are measured, with ``named`` runs. Raises ``TrialError``."""
    if trial.scheme not in TREE_SCHEMES:
        raise TrialError(
            f"--scheme: infinite trees can have {', '.join(TREE_SCHEMES)}, and not {trial.scheme}."
        )
    if trial.asked != FIRST_SPY or trial.batches:
        raise TrialError(f"--estimator: on infinite trees there is {FIRST_SPY}, without batches.")
    if not trial.is_iid(tree):
        raise TrialError("--spies-count: an infinite tree has no count of spies; give a share.")
    if trial.embargo:
        raise TrialError("--embargo: infinite trees have none; take a large random-regular graph.")
    chance = trial.spy_chance
    if not chance or growing_room(tree.degree, chance) > ROOM_MAX:
        raise TrialError(f"--spies: on an infinite tree {trial.spies} are too few to be met in a run.")
    growing = Growing(tree=tree, spy_chance=chance, rules=trial.rules)
    rows, runs_per_s = made(growing, trial.runs, trial.seed, threads, tell)
    named = rows["distance"] == 0
    if trial.fluff_position_known:
        named = named & rows["on_stem"]
    return {
        "nodes": None,
        "mean_degree": tree.degree,
        "named": int(named.sum()),
        "runs_per_s": runs_per_s,
    }
