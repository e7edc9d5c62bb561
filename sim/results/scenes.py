"""Scenes: single events as rows, for the pictures that show one rumor or one node rather than many.

The kinds of tasks ``spreading``, which follows one packet over a graph, and ``traffic``, which runs two worlds of one
seed, of which one has a post more. Their rows hold lists, as ``plots.spreading`` and ``plots.traffic`` draw them.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from .. import experiment
from ..graphs.graph import Graph, GraphError
from ..graphs.spec import parse, read
from ..graphs.spies import choose
from ..loop import TICKS_PER_S
from ..scenario import Scenario
from ..spread.arrivals import arrival_times
from . import shelf
from .flaws import Flaw

__all__ = ["PICTURED_MAX", "check_spreading", "spreading", "spreading_settings", "traffic"]

#: Nodes that a picture of a graph is drawn of at the most; laying out more takes minutes, and shows a blot.
PICTURED_MAX: Final = 2_000
#: Spies in the picture, unless said otherwise.
SPIES: Final = "0.1"


def spreading_settings() -> Collection[str]:
    return ("graph", "spies")


def check_spreading(settings: Mapping[str, str]) -> None:
    """Raises ``Flaw`` for what is wrong before the graph is made."""
    if "graph" not in settings:
        raise Flaw("graph", 'Say which; for example `graph = "powerlaw-cluster:n=200,mean_degree=8"`.')
    try:
        parse(settings["graph"])
    except GraphError as error:
        raise Flaw("graph", str(error)) from error


def spreading(settings: Mapping[str, str], seed: int, graphs: Path | None = None) -> dict[str, Any]:
    """One packet by diffusion, with exponential delays, over a graph in words.

    Lists by node: ``rumor_times`` in mean delays of a hop, None if never; ``rumor_tellers`` who told it, −1 for nobody;
    ``rumor_spies`` 1 for a spy. ``rumor_links`` has the two ends of every friendship, one after the other.

    Raises ``GraphError`` if there is no such graph, or it is too large for a picture.
    """
    words = settings["graph"]
    made = read(words, seed) if graphs is None else shelf.take(graphs, words, seed)
    if not isinstance(made, Graph):
        raise GraphError("An infinite tree does not fit into a picture; take a graph with an end.")
    if made.node_count > PICTURED_MAX:
        raise GraphError(f"{made.node_count:,} nodes do not fit into a picture; {PICTURED_MAX:,} do.")
    random = np.random.default_rng(seed)
    is_spy = choose(settings.get("spies", SPIES), made, seed)
    author = int(random.choice(np.flatnonzero(~is_spy)))
    delays = random.exponential(size=len(made.friends)).astype(np.float32)
    times = arrival_times(made, delays, author)
    # Who told a node first: the friend whose time and delay together come first.
    told_at = times[made.friends] + delays[made.twins]
    firsts = [
        int(made.friends[start + int(told_at[start:end].argmin())])
        if end > start and node != author and np.isfinite(times[node])
        else -1
        for node, (start, end) in enumerate(zip(made.starts[:-1], made.starts[1:], strict=True))
    ]
    return {
        "graph": words,
        "nodes": made.node_count,
        "scheme": "diffusion",
        "rumor_times": [float(f"{time:.4g}") if np.isfinite(time) else None for time in times],
        "rumor_tellers": firsts,
        "rumor_spies": is_spy.astype(int).tolist(),
        "rumor_links": made.edges.reshape(-1).tolist(),
    }


def traffic(scenario: Scenario) -> dict[str, Any]:
    """What the author of one post sends, and what the same node sends in the world without that post.

    Lists by frame, of both worlds: ``posting_times_s``, ``posting_sizes`` in bytes and ``posting_friends``, who gets
    it; ``silent_…`` likewise. ``posted_s`` is when the author wanted to post.

    Raises ``ScenarioError``; ``ValueError`` if nobody could post.
    """
    posting = experiment.run(replace(scenario, posts=1, observed=1.0))
    if not posting.workload.posts:
        raise ValueError("Nobody could post in so short a time; take more `hours`.")
    (post,) = posting.workload.posts.values()
    silent = experiment.run(replace(scenario, posts=0, observed=1.0))
    row: dict[str, Any] = {
        "scheme": scenario.scheme,
        "nodes": scenario.nodes,
        "posted_s": post.asked_tick / TICKS_PER_S,
    }
    for world, run in (("posting", posting), ("silent", silent)):
        seen = [each for each in run.bystander.seen if each[1] == post.author]
        row[f"{world}_times_s"] = [tick / TICKS_PER_S for tick, *_ in seen]
        row[f"{world}_sizes"] = [size for *_, size in seen]
        row[f"{world}_friends"] = [friend for _, _, friend, _ in seen]
    return row
