"""Single events as tables: who told whom, and two worlds that differ by a post."""

import numpy as np
import pytest

from rumor.sim.graphs.graph import GraphError
from rumor.sim.results import scenes
from rumor.sim.results.plots import drawable
from rumor.sim.results.plots.traffic import _parting_s
from rumor.sim.scenario import Scenario


def test_everybody_was_told_by_a_friend_who_had_it_before() -> None:
    frame = scenes.spreading("watts-strogatz:n=40,degree=4,rewired=0.2", spies="0.2", seed=2)
    assert [plot.name for plot in drawable(frame)] == ["spreading"]
    times, tellers, friends = (frame[name].to_list() for name in ("time", "teller", "friends"))
    author = int(np.argmin(times))
    assert times[author] == 0
    assert tellers[author] is None
    for node, teller in enumerate(tellers):
        if node != author:
            assert teller in friends[node]
            assert times[teller] < times[node]
    assert frame["is_spy"].sum() == 8
    assert not frame["is_spy"][author]
    assert frame.equals(scenes.spreading("watts-strogatz:n=40,degree=4,rewired=0.2", spies="0.2", seed=2))


def test_a_tree_without_end_is_no_picture() -> None:
    with pytest.raises(GraphError, match="does not fit into a picture"):
        scenes.spreading("regular-tree:degree=3")


def test_the_author_s_traffic_parts_only_after_a_relay_had_the_post() -> None:
    """Up to then each frame has the same time, size and friend in both worlds; a flood parts at once."""
    words = {"nodes": "9", "graph": "cycle", "hours": "0.3", "seed": "3", "settle_s": "500"}
    onion = scenes.traffic(Scenario.read({**words, "scheme": "onion", "bytes_per_day": "150000000"}))
    flood = scenes.traffic(Scenario.read({**words, "scheme": "flood"}))
    for frame in (onion, flood):
        assert [plot.name for plot in drawable(frame)] == ["traffic"]
    waits = []
    for frame in (onion, flood):
        parting_s = _parting_s(frame, ["posting", "silent"])
        assert parting_s is not None
        waits.append(parting_s - float(frame["posted_s"].drop_nulls()[0]))
    assert waits[1] < 1 < waits[0]
