"""Single events as rows: who told whom, and two worlds that differ by a post."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from rumor.sim.graphs.graph import GraphError
from rumor.sim.graphs.spec import read
from rumor.sim.results import scenes
from rumor.sim.results.files import ResultsError
from rumor.sim.results.plots import drawable
from rumor.sim.results.plots.traffic import frames_of, parting
from rumor.sim.results.sweep import Sweep
from rumor.sim.results.tasks import do
from rumor.sim.scenario import Scenario

RING = "watts-strogatz:n=40,degree=4,rewired=0.2"


def test_everybody_was_told_by_a_friend_who_had_it_before(tmp_path: Path) -> None:
    """And the task of a sweep has the same, with a graph from the shelf."""
    sweep = Sweep.read(f'kind = "spreading"\ngraph = "{RING}"\nspies = 0.2\nseed = 2\n')
    row = do(sweep.tasks[0], tmp_path / "campaign" / "graphs")
    assert row == row | scenes.spreading({"graph": RING, "spies": "0.2"}, 2)
    assert [plot.name for plot in drawable(polars.DataFrame([row]))] == ["spreading"]
    times, tellers = row["rumor_times"], row["rumor_tellers"]
    author = int(np.argmin(times))
    assert times[author] == 0
    assert tellers[author] == -1
    links = {
        tuple(sorted(link)) for link in zip(row["rumor_links"][::2], row["rumor_links"][1::2], strict=True)
    }
    graph: Any = read(RING, 2)
    assert len(links) == graph.edge_count
    for node, teller in enumerate(tellers):
        if node != author:
            assert tuple(sorted((node, teller))) in links
            assert times[teller] < times[node]
    assert sum(row["rumor_spies"]) == 8
    assert not row["rumor_spies"][author]


def test_what_does_not_fit_into_a_picture_is_said() -> None:
    with pytest.raises(GraphError, match="does not fit into a picture"):
        scenes.spreading({"graph": "regular-tree:degree=3"}, 1)
    with pytest.raises(GraphError, match="3,000 nodes do not fit into a picture"):
        scenes.spreading({"graph": "cycle:n=3000"}, 1)
    with pytest.raises(ResultsError, match="line 2, graph: There is no graph 'moebius'"):
        Sweep.read('kind = "spreading"\ngraph = "moebius"\n')
    with pytest.raises(ResultsError, match="line 2, posts is no setting of traffic"):
        Sweep.read('kind = "traffic"\nposts = 3\n')


def test_the_author_s_traffic_parts_only_after_a_relay_had_the_post() -> None:
    """Up to then each frame has the same time, size and friend in both worlds; a flood parts at once."""
    words = {"nodes": "9", "graph": "cycle", "hours": "0.3", "seed": "3", "settle_s": "500"}
    onion = scenes.traffic(Scenario.read({**words, "scheme": "onion", "bytes_per_day": "150000000"}))
    flood = scenes.traffic(Scenario.read({**words, "scheme": "flood"}))
    waits = []
    for row in (onion, flood):
        assert [plot.name for plot in drawable(polars.DataFrame([row]))] == ["traffic"]
        parting_s = parting(frames_of(row, "posting"), frames_of(row, "silent"))
        assert parting_s is not None
        waits.append(parting_s - row["posted_s"])
    assert waits[1] < 1 < waits[0] < math.inf
