"""Spies: as many as were asked for, where they were asked for, and somebody is none."""

from pathlib import Path

import numpy as np
import pytest

from rumor.sim.graphs.graph import Graph, GraphError
from rumor.sim.graphs.spec import read
from rumor.sim.graphs.spies import choose, share_of

STAR = Graph.from_edges(10, [(0, other) for other in range(1, 10)])


@pytest.mark.parametrize(
    ("text", "count"), [("0.2", 2), ("0.25", 2), ("0.0", 0), ("7", 7), ("hubs:3", 3), ("hubs:.1", 1)]
)
def test_counts_and_shares(text: str, count: int) -> None:
    spies = choose(text, STAR, 1)
    assert spies.sum() == count
    assert (spies == choose(text, STAR, 1)).all()
    assert bool(spies[0]) or "hubs" not in text


def test_other_seeds_make_other_spies_and_all_are_as_likely() -> None:
    counts = sum(choose("3", STAR, seed).astype(np.int64) for seed in range(1_000))
    assert counts == pytest.approx(np.full(10, 300), abs=75)
    # Of equal hubs too.
    assert len({tuple(np.flatnonzero(choose("hubs:2", STAR, seed))) for seed in range(50)}) > 5


def test_friends_of_a_victim_by_the_name_it_has_in_its_file(tmp_path: Path) -> None:
    assert np.flatnonzero(choose("friends-of:3", STAR, 1)).tolist() == [0]
    (tmp_path / "g.txt").write_text("1 2\n2 30\n")
    graph = read(str(tmp_path / "g.txt"))
    assert isinstance(graph, Graph)
    assert choose("friends-of:30", graph, 1).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "text", ["10", "1.0", "1.5", "-1", "x", "hubs", "hubs:", "hub:0.1", "friends-of:10", "friends-of:x"]
)
def test_impossible_spies_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(GraphError, match=r"^[^\n]*$"):
        choose(text, STAR, 1)


def test_the_chance_of_being_a_spy_is_a_share_below_1() -> None:
    assert share_of("0.07") == 0.07
    for text in ("1", "1.0", "12", "hubs:0.1"):
        with pytest.raises(GraphError, match="share below 1"):
            share_of(text)
