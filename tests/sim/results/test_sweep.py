"""A sweep file is all combinations of its values; what is wrong in it is one sentence with file, line and way out."""

from pathlib import Path

import pytest

from rumor.sim.results.files import ResultsError
from rumor.sim.results.sweep import Sweep

SMALL = 'kind = "run"\nnodes = 10\ngraph = "cycle"\nhours = 0.3\nscheme = "flood"\n'


def test_lists_make_all_combinations_with_each_seed() -> None:
    """The order is that of the file, seeds last."""
    sweep = Sweep.read(SMALL + "seed = 5\nrepeat = 2\nspies = [0.1, 0.2]\nposts = [1, 2]\n")
    assert [
        (dict(task.settings)["spies"], dict(task.settings)["posts"], task.seed) for task in sweep.tasks
    ] == [(spies, posts, seed) for spies in ("0.1", "0.2") for posts in ("1", "2") for seed in (5, 6)]
    assert sweep.seed == 5
    assert len({task.key for task in sweep.tasks}) == 8


def test_a_number_is_written_as_on_the_command_line() -> None:
    """A float keeps its point: 1.0 is all and 1 is one."""
    (task,) = Sweep.read(SMALL + "spies = 1.0\nposts = 0\nloss = 1e-5\nsurround = true").tasks
    settings = dict(task.settings)
    assert [settings[name] for name in ("spies", "posts", "loss", "surround")] == [
        "1.0",
        "0",
        "0.00001",
        "true",
    ]


def test_cells_go_before_the_settings_at_the_top() -> None:
    sweep = Sweep.read(
        SMALL
        + 'spies = [0.1, 0.2]\n[[cells]]\nscheme = "diffusion"\n[[cells]]\nspies = 0.3\nscheme = ["stem", "flood"]'
    )
    cells = [
        (settings["scheme"], settings["spies"]) for settings in (dict(task.settings) for task in sweep.tasks)
    ]
    assert cells == [("diffusion", "0.1"), ("diffusion", "0.2"), ("stem", "0.3"), ("flood", "0.3")]


def test_cells_may_have_seeds_of_their_own() -> None:
    sweep = Sweep.read(SMALL + "repeat = 2\n[[cells]]\nposts = 1\nrepeat = 3\n[[cells]]\nposts = 2")
    cells = [(dict(task.settings)["posts"], task.seed) for task in sweep.tasks]
    assert cells == [("1", 1), ("1", 2), ("1", 3), ("2", 1), ("2", 2)]


def test_several_shares_in_a_text_are_one_run_and_in_a_list_several() -> None:
    assert len(Sweep.read(SMALL + 'spies = "0.1,0.2"').tasks) == 1
    assert len(Sweep.read(SMALL + "spies = [0.1, 0.2]").tasks) == 2


def test_the_command_of_a_task_repeats_it() -> None:
    (task,) = Sweep.read(SMALL + "spies = 0.1\n").tasks
    assert (
        task.command
        == "rumor sim run --nodes 10 --graph cycle --scheme flood --hours 0.3 --spies 0.1 --seed 1"
    )


@pytest.mark.parametrize(
    ("more", "line", "sentence"),
    [
        ("spise = 0.1", 6, "spise is no setting of run; did you mean `spies`?"),
        ("\nxyzzy = 0.1", 7, "xyzzy is no setting of run; `rumor sim run --help` has them all."),
        ("spies = 1.5", 6, "spies is a number from 0 to 1, and not '1.5'."),
        ("spies = [0.1, -1]", 6, "spies is a number from 0 to 1, and not '-1'."),
        ("# comment\n[[cells]]\nscheme = 'chalk'", 8, "scheme is one of onion, flood"),
        ("[[cells]]\nspies = 0\n[[cells]]\nspies = 2\n", 9, "spies is a number from 0 to 1, and not '2'."),
        ("mean_degree = [[1]]", 6, "mean_degree is a text, a number, or a list of them, and not [1]."),
        ("[[cells]]\nrepeat = 0", 7, "repeat is a whole number from 1 to 1000000, and not 0."),
        ("repeat = 0", 6, "repeat is a whole number from 1 to 1000000, and not 0."),
        ("seed = true", 6, "seed is a whole number from 0 to"),
        ("cells = 3", 6, "cells is a list of tables; write `[[cells]]` above each."),
        (
            "[[cells]]\nkind = 'walk'",
            7,
            "kind is one of coverage, run, spread, spreading, traffic, and not 'walk'.",
        ),
        ("[[cells]]\nnodes = 2", 7, "nodes: A cycle takes at least 3 nodes, and not 2."),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, more: str, line: int, sentence: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(SMALL + more)
    with pytest.raises(ResultsError) as caught:
        Sweep.load(path)
    assert str(caught.value).startswith(f"{path}, line {line}, {sentence}")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_sweep_are_refused(tmp_path: Path) -> None:
    (tmp_path / "toml").write_text("nodes = = 3")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "empty").write_text(SMALL + "spies = []")
    for name, words in {
        "toml": "line 1",
        "bytes": "UTF-8",
        "empty": "empty list",
        "none": "cannot be read",
    }.items():
        with pytest.raises(ResultsError, match=words) as caught:
            Sweep.load(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_a_sweep_that_nobody_can_mean_is_refused_at_once() -> None:
    many = ", ".join(map(str, range(1, 1001)))
    with pytest.raises(ResultsError, match="over 1,000,000 tasks"):
        Sweep.read(SMALL.replace("nodes = 10\n", "") + f"nodes = 10\nposts = [{many}]\nrepeat = 1001\n")
