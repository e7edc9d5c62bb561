"""`sweep`, `plot` and `compare`: one JSON line, one sentence for what is wrong, and the command that repeats."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rumor.sim import compare as compare_in_python
from rumor.sim import plot as plot_in_python
from rumor.sim import spread as spread_in_python
from rumor.sim import sweep as sweep_in_python
from rumor.sim.commands import main
from rumor.sim.results import engines
from rumor.sim.results.compare import estimators_of
from rumor.sim.results.files import ResultsError
from rumor.sim.results.sweep import Sweep
from rumor.sim.results.table import read

RING = "watts-strogatz:n=40,degree=4,rewired=0.2"
SMALL = f"""
graph = "{RING}"
scheme = ["diffusion", "stem"]
spies = [0.1, 0.3]
runs = 300
repeat = 2
"""


def ran(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are done in this process; that the others do the same is proved elsewhere."""
    monkeypatch.setattr(engines, "open_engine", lambda *words: engines.Here(words[-1]))


@pytest.mark.usefixtures("here")
def test_a_sweep_from_the_file_to_the_pictures(tmp_path: Path) -> None:
    source, out = tmp_path / "s.toml", tmp_path / "results.parquet"
    source.write_text(SMALL)
    done = ran("sweep", str(source), "--out", str(out), "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["tasks"], told["seed"]) == (8, 1)
    assert told["command"] == f"rumor sim sweep {source} --out {out}"
    assert "8 of 8 tasks" in done.stderr
    assert f"this repeats it: {told['command']}" in done.stderr
    frame = read(out)
    assert frame["seed"].to_list() == [1, 2] * 4
    assert frame["graph"].unique().to_list() == [RING]
    again = ran("sweep", str(source), "--out", str(out))
    assert "was done before" in again.stderr
    pictures = tmp_path / "pictures"
    drawn = ran("plot", str(out), "--out", str(pictures), "--format", "png")
    assert drawn.exit_code == 0
    assert json.loads(drawn.stdout.splitlines()[-1])["pictures"] == [
        str(pictures / "named.png"),
        str(pictures / "estimators.png"),
        str(pictures / "entropy.png"),
        str(pictures / "index.html"),
    ]


@pytest.mark.usefixtures("here")
def test_a_row_is_what_the_command_of_its_task_says(tmp_path: Path) -> None:
    """The graph from the shelf is the one that the words make."""
    source, out = tmp_path / "s.toml", tmp_path / "results.parquet"
    source.write_text(SMALL)
    assert ran("sweep", str(source), "--out", str(out), "--seed", "5").exit_code == 0
    sweep = Sweep.load(source, 5)
    for row, task in list(zip(read(out).iter_rows(named=True), sweep.tasks, strict=True))[::3]:
        words = task.command.split()[2:]
        alone = json.loads(ran(*words, "--json").stdout)
        assert (row["p_named"], row["coverage_t99"]) == (alone["p_named"], alone["coverage_t99"])
        assert row["seed"] == alone["seed"] >= 5


@pytest.mark.usefixtures("here")
def test_a_comparison_is_a_folder_with_everything_in_it(tmp_path: Path) -> None:
    """The sweep in it makes the same rows again."""
    out = tmp_path / "report"
    words = ["compare", "--graph", RING, "--spies", "0.2", "--scheme", "stem,flood", "--runs", "200"]
    words.append("--no-traffic")
    done = ran(*words, "--out", str(out), "--json")
    assert done.exit_code == 0, done.stderr
    pictures = ["named.svg", "estimators.svg", "coverage.svg", "entropy.svg", "spreading.svg"]
    names = ["sweep.toml", "results.parquet", *pictures, "index.html"]
    assert json.loads(done.stdout)["files"] == names
    assert sorted(each.name for each in out.iterdir()) == sorted(names)
    curves = read(out / "results.parquet").filter(kind="coverage")["coverage_curve"].to_list()
    assert [len(curve) for curve in curves] == [50, 50]
    assert all(sorted(curve) == curve for curve in curves)
    assert ran("sweep", str(out / "sweep.toml"), "--out", str(tmp_path / "again.parquet")).exit_code == 0
    assert read(tmp_path / "again.parquet").equals(read(out / "results.parquet"))


@pytest.mark.parametrize(
    ("more", "line", "sentence"),
    [
        ('scheme = "smoke"', 3, "scheme: is one of flood"),
        ('estimator = "guess"', 3, "estimator"),
        ("spies = 1.5", 3, "spies"),
        ("spies = -0.1", 3, "spies is a share from 0.0 to 1.0, a count"),
        ('spies = ["0.1", "hubs:x"]', 3, "spies is a share from 0.0 to 1.0, a count"),
        ("spies = 40", 3, "spies is 40 of 40 nodes"),
        ("runs = 0", 3, "runs"),
        ('runs = "many"', 3, "runs is a whole number, and not 'many'."),
        ("first_contact = 1", 3, "first_contact is true or false, and not '1'."),
        ("end = 2", 3, "end"),
        ("hours = 1", 3, "hours is no setting of spread"),
        ("", 2, "graph: There is no graph"),
    ],
)
def test_a_wrong_setting_of_spread_is_named_with_its_line(
    tmp_path: Path, more: str, line: int, sentence: str
) -> None:
    source = tmp_path / "wrong.toml"
    source.write_text(f'\ngraph = "{RING}"\n{more}\n' if more else '\ngraph = "moebius:n=3"\n')
    done = ran("sweep", str(source), "--out", str(tmp_path / "x.parquet"))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"rumor: {source}, line {line}, ")
    assert sentence.split(":")[0] in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("edges", "sentence"),
    [
        ("0 1\n2 3\n", "edges.txt is not connected; take largest:"),
        ("", "edges.txt is empty"),
        ("0 1\n1 1\n", "edges.txt, line 2: node 1 is its own friend"),
        ("0 1\n1 two\n", "edges.txt, line 2: two whole numbers were expected"),
        ("0 1\n1 2\n", "is 4 of 3 nodes; leave at least one"),
    ],
)
def test_a_file_that_will_not_do_is_named_with_the_line_that_asks_for_it(
    tmp_path: Path, edges: str, sentence: str
) -> None:
    """Before anything runs; and nothing is left behind."""
    path, source = tmp_path / "edges.txt", tmp_path / "s.toml"
    path.write_text(edges)
    source.write_text(f'runs = 10\ngraph = "{path}"\nspies = 4\n')
    done = ran("sweep", str(source), "--out", str(tmp_path / "x.parquet"))
    assert done.exit_code == 2
    assert done.stderr.startswith(f"rumor: {source}, line {3 if 'nodes' in sentence else 2}, ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("here")
def test_a_task_that_fails_is_one_sentence_with_its_command(tmp_path: Path) -> None:
    source = tmp_path / "s.toml"
    source.write_text(f'graph = "{RING}"\nruns = 10\nspies = "friends-of:77"\n')
    done = ran("sweep", str(source), "--out", str(tmp_path / "x.parquet"))
    assert done.exit_code == 1
    assert "no node '77'" in done.stderr
    assert f"This task fails: rumor sim spread --graph {RING} --runs 10 --spies friends-of:77" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "x.parquet").exists()


def test_wrong_usage_is_one_sentence(tmp_path: Path) -> None:
    out = str(tmp_path / "x")
    for words, sentence in {
        ("plot", "none.parquet", "--out", out): "none.parquet cannot be read",
        ("sweep", "none.toml", "--out", out): "none.toml cannot be read",
        ("compare", "--graph", "moebius", "--out", out): "There is no graph 'moebius'",
        ("compare", "--spies", "0.1,1.5", "--out", out): "--spies is a share from 0.0 to 1.0, a count",
        ("compare", "--scheme", "smoke", "--out", out): "--scheme is one of flood",
        ("compare", "--runs", "0", "--out", out): "Invalid value for '--runs'",
        ("plot", "a", "b", "--out", out): "unexpected extra argument",
        ("sweep", "--out", out): "Missing argument",
        ("sweep", "presets", "--out", out, "--engine", "ray"): "--engine is local or dask",
    }.items():
        done = ran(*words)
        assert done.exit_code in (1, 2)
        assert done.stderr.startswith("rumor: ")
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_graph_that_cannot_be_compared_on_is_told_before_anything_runs(tmp_path: Path) -> None:
    """With the file and its line, where there is one, and what to do."""
    texts = {
        "parts.txt": ("0 1\n2 3\n", "parts.txt is not connected; take largest:"),
        "words.txt": ("0 1\n1 two\n", "words.txt, line 2"),
        "none.txt": ("", "none.txt"),
        "self.txt": ("0 1\n1 1\n", "self.txt, line 2"),
        'a"b.txt': ("0 1\n", "cannot stand in a sweep file; give the file another name"),
    }
    for name, (text, sentence) in texts.items():
        path, out = tmp_path / name, tmp_path / "report"
        path.write_text(text)
        done = ran("compare", "--graph", str(path), "--out", str(out))
        assert done.exit_code == 2
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert not out.exists()
    done = ran("compare", "--graph", "regular-tree:degree=3", "--out", str(tmp_path / "x"))
    assert "cannot be grown on an infinite tree; take random-regular" in done.stderr


def test_of_each_scheme_all_estimators_are_asked_that_are_worth_it() -> None:
    assert estimators_of("flood", 300) == ["first-spy", "trained", "timestamps"]
    assert estimators_of("flood", 1_001) == ["first-spy", "trained"]
    assert estimators_of("dandelion", 300) == ["first-spy", "epoch-graph", "epoch-routes", "trained"]
    assert estimators_of("stem", 300) == ["first-spy", "stem", "trained"]
    assert estimators_of("onion", 300) == ["onion-flow"]


def test_a_notebook_has_the_same(tmp_path: Path) -> None:
    """Without a file, and with settings that are no text."""
    table = sweep_in_python(
        {"graph": RING, "scheme": "diffusion", "spies": [0.1, 0.3], "runs": 300}, workers=0
    )
    alone = spread_in_python(RING, scheme="diffusion", spies="0.3", runs=300)
    assert table["p_named"].to_list()[1] == alone["p_named"]
    picture = plot_in_python(table)
    assert picture._repr_svg_().startswith("<?xml")
    picture.save(tmp_path / "named.png")
    with pytest.raises(ResultsError, match="what can be drawn is: named"):
        plot_in_python(table, "traffic")
    both = compare_in_python(RING, [0.1], ["flood"], runs=100, workers=0)
    assert both.select("kind", "estimator").rows() == [
        ("spread", "first-spy"),
        ("spread", "trained"),
        ("spread", "timestamps"),
        ("coverage", None),
        ("spreading", None),
    ]
