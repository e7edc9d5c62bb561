"""Scenes: single events as tables, for the pictures that show one rumor or one node rather than many.

``spreading`` follows one packet over a graph, and ``traffic`` runs two worlds of one seed, of which one has a post
more. Both are functions of their arguments and give tables as ``plots.spreading`` and ``plots.traffic`` need them.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars

from .. import experiment
from ..graphs.graph import Graph, GraphError
from ..graphs.spec import read
from ..graphs.spies import choose
from ..loop import TICKS_PER_S
from ..scenario import Scenario
from ..spread.arrivals import arrival_times
from .plots.spreading import layout

__all__ = ["spreading", "traffic"]


def spreading(graph: str, *, spies: str = "0.1", seed: int = 1) -> polars.DataFrame:
    """One packet by diffusion, with exponential delays, over a graph in words.

    Raises ``GraphError`` if there is no such graph, or it has no end.
    """
    made = read(graph, seed)
    if not isinstance(made, Graph):
        raise GraphError("An infinite tree does not fit into a picture; take a graph with an end.")
    random = np.random.default_rng(seed)
    is_spy = choose(spies, made, seed)
    author = int(random.choice(np.flatnonzero(~is_spy)))
    delays = random.exponential(size=len(made.friends)).astype(np.float32)
    times = arrival_times(made, delays, author)
    places = layout(made.edges, made.node_count, seed)
    # Who told a node first: the friend whose time and delay together come first.
    told_at = times[made.friends] + delays[made.twins]
    firsts = [
        int(made.friends[start + int(told_at[start:end].argmin())])
        if end > start and node != author
        else None
        for node, (start, end) in enumerate(zip(made.starts[:-1], made.starts[1:], strict=True))
    ]
    return polars.DataFrame(
        {
            "x": places[:, 0],
            "y": places[:, 1],
            "friends": [list(made.friends_of(node)) for node in range(made.node_count)],
            "time": [float(time) if np.isfinite(time) else None for time in times],
            "teller": firsts,
            "is_spy": is_spy,
        }
    )


def traffic(scenario: Scenario) -> polars.DataFrame:
    """What the author of one post sends, and what it sends in the world without that post: a row a frame.

    Raises ``ScenarioError``.
    """
    posting = experiment.run(replace(scenario, posts=1, observed=1.0))
    (post,) = posting.workload.posts.values()
    silent = experiment.run(replace(scenario, posts=0, observed=1.0))
    posted_s = post.asked_tick / TICKS_PER_S
    rows: list[dict[str, Any]] = [
        {"world": world, "time_s": tick / TICKS_PER_S, "size": size, "friend": receiver, "posted_s": posted_s}
        for world, run in (("posting", posting), ("silent", silent))
        for tick, sender, receiver, size in run.bystander.seen
        if sender == post.author
    ]
    return polars.DataFrame(rows)
