"""Flaws: what is wrong with a trial, each in one sentence that names the option."""

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Final

import numpy as np

from ...gossip.presets import BYTES_PER_DAY_RANGE, ROUTE_LENGTH_RANGE
from ..estimators import ESTIMATORS, Need
from ..graphs.graph import Graph
from ..spread.runs import DELAYS, SCHEMES

if TYPE_CHECKING:
    from .trial import Trial

__all__ = ["FIRST_SPY", "TrialError", "check", "check_connected"]

TIES: Final = ("random", "lowest")
#: Estimators of single packets; that of onions takes whole flows.
ASKED: Final = tuple(name for name, each in ESTIMATORS.items() if Need.FLOW not in each.needs)
FIRST_SPY: Final = "first-spy"
#: What the node does: no way for single packets to spread, and so none of ``SCHEMES``.
ONION: Final = "onion"
ONION_FLOW: Final = "onion-flow"
#: Estimators that can be asked of onions. First spies take the packet that shows the item.
ONION_ASKED: Final = (FIRST_SPY, *(name for name, each in ESTIMATORS.items() if Need.FLOW in each.needs))
#: Options that only onions have.
ONION_OPTIONS: Final = ("bytes_per_day", "route_length", "post_share", "linked")
#: Options that onions do not have.
PACKET_OPTIONS: Final = (
    "delay", "tie", "fluff_position_known", "end", "embargo", "first_contact", "batches", "snapshot", "practice",
)  # fmt: skip
#: Without a private phase: the flood begins at the author.
OPEN_SCHEMES: Final = ("flood", "diffusion")
RUNS_MAX: Final = 1_000_000_000
#: Posts of one author that are known to be of one. More take hours to be written.
LINKED_MAX: Final = 100


class TrialError(Exception):
    """A trial that will not do; the message is a sentence that names the option."""


def check(trial: "Trial") -> None:
    """Raises ``TrialError`` for what is wrong on any graph."""
    choices = {
        "scheme": (*SCHEMES, ONION),
        "tie": TIES,
        "delay": (*DELAYS, None),
    }
    for name, known in choices.items():
        if getattr(trial, name) not in known:
            words = ", ".join(filter(None, known))
            raise TrialError(f"--{name} is one of {words}, and not {getattr(trial, name)!r}.")
    asked = ONION_ASKED if trial.scheme == ONION else ASKED
    if trial.asked not in asked:
        of = " of onions" if trial.scheme == ONION else ""
        raise TrialError(f"--estimator is one of {', '.join(asked)}{of}, and not {trial.asked!r}.")
    if trial.scheme == ONION:
        _check_onions(trial)
    if not 1 <= trial.runs <= RUNS_MAX:
        raise TrialError(f"--runs is a whole number from 1 to {RUNS_MAX}, and not {trial.runs}.")
    if not 0 < trial.end <= 1:
        raise TrialError(f"--end is a number above 0 and at most 1, and not {trial.end}.")
    if trial.embargo < 0:
        raise TrialError(f"--embargo is a number of hops, 0 for none, and not {trial.embargo}.")
    if trial.practice < 2 or trial.snapshot < 0:
        raise TrialError("--practice is at least 2 runs, and --snapshot a number of nodes, 0 for a hundred.")
    estimator = ESTIMATORS[trial.asked]
    if estimator.needs & {Need.RELAYS, Need.ROUTES} and not estimator.suits(trial.scheme):
        schemes = ", ".join(sorted(estimator.schemes or ()))
        raise TrialError(f"--estimator: {trial.asked} can be asked of {schemes}, and not of {trial.scheme}.")
    if trial.first_contact and (trial.asked != FIRST_SPY or trial.batches):
        raise TrialError(f"--first-contact: only {FIRST_SPY} wants no more, and no batches.")
    if trial.fluff_position_known and trial.scheme in OPEN_SCHEMES:
        raise TrialError(
            f"--fluff-position-known: {trial.scheme} begins at the author; ask it of a scheme with a stem."
        )

    if trial.scheme != ONION and (given := _not_defaults(trial, ONION_OPTIONS)):
        raise TrialError(f"{given[0]}: only onions have it, and not {trial.scheme}.")


def _check_onions(trial: "Trial") -> None:
    if given := _not_defaults(trial, PACKET_OPTIONS):
        raise TrialError(f"{given[0]}: onions do not have it; all follows from their budget.")
    if trial.spies_iid:
        raise TrialError("--spies-iid: of onions the spies are the same in all runs; take --spies-count.")
    ranges = {"bytes_per_day": BYTES_PER_DAY_RANGE, "route_length": ROUTE_LENGTH_RANGE}
    for name, (low, high) in ranges.items():
        if not low <= getattr(trial, name) <= high:
            option = "--" + name.replace("_", "-")
            raise TrialError(
                f"{option} is a whole number from {low} to {high}, and not {getattr(trial, name)}."
            )
    if not 1 <= trial.linked <= LINKED_MAX:
        raise TrialError(f"--linked is a whole number from 1 to {LINKED_MAX}, and not {trial.linked}.")
    if not 0 < trial.post_share <= 1:
        raise TrialError(f"--post-share is a number above 0 and at most 1, and not {trial.post_share}.")


def _not_defaults(trial: "Trial", names: tuple[str, ...]) -> list[str]:
    """The options among these that somebody has given."""
    defaults = {each.name: each.default for each in fields(trial)}
    return ["--" + name.replace("_", "-") for name in names if getattr(trial, name) != defaults[name]]


def check_connected(trial: "Trial", graph: Graph) -> None:
    """Raises ``TrialError`` for a graph on which not everybody is reached."""
    if graph.node_count < 2:
        raise TrialError("--graph: It takes at least two nodes to spread anything.")
    if not graph.is_connected:
        largest = int(np.bincount(graph.components).max())
        path = re.sub("^file:", "", trial.graph) if isinstance(trial.graph, str) else None
        out = f"take largest:{path}" if path else "take graph.largest_component()"
        raise TrialError(
            f"--graph: it is not connected, and its largest part has {largest} of {graph.node_count} nodes; {out}."
        )
