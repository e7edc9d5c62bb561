"""The sweeps of talk and of personas: they are run by name, and their tables are read out as the document has them."""

from pathlib import Path

import pytest

from rumor.sim.metrics import wilson
from rumor.sim.report import LINKED
from rumor.sim.results.sweep import Sweep
from rumor.sim.results.talk import COUNTS, Told, markdown
from rumor.sim.results.tasks import Task

#: What a world follows from, besides who says what.
WORLD = ("scheme", "graph", "mean_degree", "nodes", "hours", "warmup_s", "settle_s", "spies")


def worlds(sweep: str) -> set[tuple[object, ...]]:
    return {_world(task) for task in Sweep.load(Path(sweep)).tasks}


def _world(task: Task) -> tuple[object, ...]:
    settings = dict(task.settings)
    return (*(settings[name] for name in WORLD), task.seed)


def test_talk_is_in_the_worlds_in_which_secrets_are_alone() -> None:
    """In all of that size, so that little differs but what is said; and in further ones that differ by their seed."""
    talk, alone = worlds("talk"), worlds("onions-real")
    assert {world[:-1] for world in talk} <= {world[:-1] for world in alone}
    sizes = {world[WORLD.index("nodes")] for world in talk}
    assert {world for world in alone if world[WORLD.index("nodes")] in sizes} <= talk


def test_personas_are_asked_about_as_often_as_tables_and_results_say() -> None:
    tasks = Sweep.load(Path("personas")).tasks
    assert COUNTS == LINKED
    assert {int(dict(task.settings)["linked"]) for task in tasks if task.kind == "spread"} == set(COUNTS)
    assert {dict(task.settings)["replies_each"] for task in tasks if task.kind == "run"} == {str(max(COUNTS))}


ROW = {"kind": "run", "nodes": 50, "spies": "0.2"}
SECRETS = {
    "estimators.onion-flow.p_named": 0.04,
    "estimators.onion-flow.expected_max_posterior": 0.05,
    "posts_published": 100,
}
TALK = {
    "replies": 0.6,
    "hearts": 0.8,
    **{
        f"talk.{kind}.{name}": value
        for kind in ("replies", "hearts")
        for name, value in (
            ("count", 50),
            ("p_named", 0.06),
            ("expected_max_posterior", 0.07),
            ("effective_set", 38.0),
        )
    },
}
LINKED_ROW = {
    "kind": "spread",
    "nodes": 50,
    "spies": "0.2",
    "linked": 5,
    "runs": 300,
    "p_named": 0.08,
    "expected_max_posterior": 0.1,
    "effective_set": 33.0,
}
PERSONAS = {
    "replies_each": 10,
    **{
        f"talk.{way}.5.{name}": value
        for way in ("linked", "lasting")
        for name, value in (("count", 40), ("p_named", 0.1), ("expected_max_posterior", 0.3))
    },
}


def test_worlds_of_a_cell_are_counted_together() -> None:
    rows = [SECRETS, SECRETS | {"estimators.onion-flow.p_named": 0.1, "posts_published": 50}]
    told = Told.of(rows, "estimators.onion-flow.", "posts_published")
    assert told is not None
    assert told.count == 150
    assert told.p_named == pytest.approx(0.06)
    assert told.p_named_ci95 == pytest.approx(wilson(9, 150))
    assert told.sure == pytest.approx(0.05)
    assert told.effective_set is None
    assert Told.of([{"posts_published": 0}], "estimators.onion-flow.", "posts_published") is None


def test_each_table_has_the_rows_that_there_are() -> None:
    alone, amid = ROW | SECRETS, ROW | SECRETS | TALK
    text = markdown([alone, amid, LINKED_ROW, ROW | PERSONAS])
    talk, posts, personas = text.split("\n\n")
    assert talk.splitlines()[2] == (
        "| 50 | 0.2 | 0.04 (0.016–0.098), 100 | 0.04 (0.016–0.098), 100 | 0.06 (0.021–0.16), 50 "
        "| 0.06 (0.021–0.16), 50 | 0.05 / 0.05 / 0.07 / 0.07 |"
    )
    assert posts.splitlines()[2].startswith("| 50 | 0.2 | – | – | 0.08 (0.054–0.12), 300 | – |")
    assert [line.split(" | ")[2] for line in personas.splitlines()[2:]] == ["fresh", "lasting"]
    assert markdown([alone]) == ""
