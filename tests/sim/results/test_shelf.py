"""A graph is made once for all workers, and one that comes from a file reaches those that do not have the file."""

from pathlib import Path

import numpy as np
import pytest

from rumor.sim.graphs import spec
from rumor.sim.graphs.graph import Graph
from rumor.sim.results import cluster, shelf

WORDS = "watts-strogatz:n=40,degree=4,rewired=0.2"


def test_a_graph_is_made_once_and_mapped_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "out.parts" / "graphs"
    (tmp_path / "out.parts").mkdir()
    first = shelf.take(place, WORDS, 1)
    monkeypatch.setattr(spec, "read", None)
    again = shelf.take(place, WORDS, 1)
    assert isinstance(first, Graph)
    assert isinstance(again, Graph)
    assert again.digest == first.digest
    assert isinstance(again.friends, np.memmap)
    assert (place / first.digest).is_dir()


def test_another_seed_is_another_graph_but_not_of_a_file(tmp_path: Path) -> None:
    assert shelf.name_of(WORDS, 1) != shelf.name_of(WORDS, 2)
    assert shelf.name_of("friends.txt", 1) == shelf.name_of("friends.txt", 2)


def test_a_file_that_changes_makes_other_tasks_of_the_same_words(tmp_path: Path) -> None:
    path = tmp_path / "friends.txt"
    path.write_text("0 1\n")
    before = shelf.stamp_of(f"file:{path}")
    path.write_text("0 1\n1 2\n")
    assert before != shelf.stamp_of(f"file:{path}") == shelf.stamp_of(str(path)) != ""
    assert shelf.stamp_of(WORDS) == ""


def test_a_damaged_shelf_is_as_good_as_an_empty_one(tmp_path: Path) -> None:
    place = tmp_path / "out.parts" / "graphs"
    (tmp_path / "out.parts").mkdir()
    first = shelf.take(place, WORDS, 1)
    assert isinstance(first, Graph)
    (place / first.digest / "friends.npy").write_bytes(b"")
    again = shelf.take(place, WORDS, 1)
    assert isinstance(again, Graph)
    assert again.digest == first.digest


def test_a_worker_without_the_folder_has_a_shelf_of_its_own(tmp_path: Path) -> None:
    graph = shelf.take(tmp_path / "no" / "such" / "graphs", WORDS, 1)
    assert isinstance(graph, Graph)
    assert not (tmp_path / "no").exists()


def test_a_worker_without_the_file_gets_the_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on its shelf before the task asks for it."""
    monkeypatch.setattr(cluster, "perform", lambda text: text)
    graph = Graph.from_edges(3, [(0, 1), (1, 2)], ["ann", "bob", "cy"])
    text, place = "file:/nowhere/friends.txt", tmp_path / "no" / "such" / "graphs"
    sent = {shelf.name_of(text, 1): (graph.starts, graph.friends, graph.names)}
    assert cluster._perform("order", sent, str(place)) == "order"
    found = shelf.take(place, text, 1)
    assert isinstance(found, Graph)
    assert found.digest == graph.digest
    assert found.names == graph.names
