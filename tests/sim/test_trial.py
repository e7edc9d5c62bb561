"""Trials: closed forms come out, whatever the threads, and what cannot be asked is said in one sentence."""

import doctest
import json
import math
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
from click.testing import CliRunner, Result

import rumor.sim
from rumor.node.cli import main
from rumor.sim import Graph, Trial, TrialError, asking
from rumor.sim.commands.spread import command as spread_command
from rumor.sim.graphs.spec import read
from rumor.sim.graphs.spies import choose
from rumor.sim.graphs.tree import Tree
from rumor.sim.spread import montecarlo
from rumor.sim.spread.montecarlo import Growing, Rules, Spreading
from rumor.sim.trials import trial
from rumor.sim.trials.figures import sureness
from rumor.sim.trials.trial import spread

GRAPH = "powerlaw-cluster:n=200,mean_degree=8"
RUNS = 20_000


def near(got: float, expected: float, runs: int = RUNS) -> bool:
    return abs(got - expected) < 3.5 * math.sqrt(expected * (1 - expected) / runs)


def built(text: str = GRAPH) -> Graph:
    graph = read(text)
    assert isinstance(graph, Graph)
    return graph


@pytest.mark.parametrize("p", [0.05, 0.2])
def test_first_spy_on_infinite_trees_is_as_the_closed_forms_say(p: float) -> None:
    """Exponential delays for two and three friends, unit delays for four, and a stem."""
    three = 3 * p * (1 - p**2 + 2 * p * math.log(p)) / (1 - p) ** 3
    for degree, scheme, expected in (
        (2, "diffusion", 2 * p / (1 + p)),
        (3, "diffusion", three),
        (4, "flood", 1 - (1 - p) ** 4),
    ):
        got = spread(f"regular-tree:degree={degree}", scheme=scheme, spies=p, runs=RUNS)
        assert near(got["p_named"], expected)
        assert got["p_named_ci95"][0] < got["p_named"] < got["p_named_ci95"][1]
    # The author's own hop meets a spy, if nothing is known of stems that met none.
    stem = spread("regular-tree:degree=4", scheme="stem", spies=p, runs=RUNS, fluff_position_known=True)
    assert near(stem["p_named"], p)


def test_a_large_regular_graph_is_like_the_tree() -> None:
    got = spread("random-regular:n=2000,degree=4", scheme="flood", spies=0.1, runs=4_000, spies_iid=True)
    assert near(got["p_named"], 1 - 0.9**4, 4_000)
    assert abs(got["expected_max_posterior"] - got["p_named"]) < 0.03
    assert 1 < got["coverage_t50"] < got["coverage_t99"] < 12


@pytest.mark.parametrize(
    ("scheme", "delay"),
    [
        ("flood", "unit"),
        ("diffusion", "uniform"),
        ("stem", "exponential"),
        ("dandelion", "exponential"),
        ("adaptive", "exponential"),
    ],
)
def test_threads_and_blocks_change_nothing(scheme: str, delay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = built()
    spreading = Spreading(graph=graph, spies=choose("0.1", graph, 1), rules=Rules(scheme=scheme, delay=delay))
    one = spreading.run(60, seed=3)
    monkeypatch.setattr(montecarlo, "BLOCK_LINKS", 5 * len(graph.friends))
    assert (spreading.run(60, seed=3, threads=3) == one).all()
    assert (spreading.run(20, seed=3, first_run=40) == one[40:]).all()
    assert (spreading.run(60, seed=4) != one).any()


def test_runs_that_end_at_the_first_contact_have_the_same_first_spy() -> None:
    graph = built()
    spies = choose("0.1", graph, 1)
    for scheme in ("diffusion", "stem"):
        rules = Rules(scheme=scheme)
        long = Spreading(graph=graph, spies=spies, rules=rules).run(300, seed=1)
        short = Spreading(graph=graph, spies=spies, rules=rules, first_contact=True).run(
            300, seed=1, threads=2
        )
        for name in ("author", "first_friend", "on_stem"):
            assert (long[name] == short[name]).all()


def test_threads_make_the_same_trees() -> None:
    growing = Growing(tree=Tree(4), spy_chance=0.07)
    assert (growing.run(30_000, seed=1) == growing.run(30_000, seed=1, threads=3)).all()


def test_an_interrupt_stops_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is told of progress may raise, as Ctrl-C does; then no block is begun any more."""
    monkeypatch.setattr(montecarlo, "TOLD_S", 0.01)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Growing(tree=Tree(4), spy_chance=0.01).run(50_000_000, seed=1, threads=2, tell=stop)
    assert threading.active_count() == before
    assert time.monotonic() - began < 30


def test_ties_are_drawn_or_the_lowest() -> None:
    """Two friends are told by node 0 at one time and tell the one spy at one time; neither is the author."""
    square = Graph.from_edges(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    spies, only = np.array([False, False, False, True]), np.array([0], dtype=np.int32)
    found = {}
    for random_ties in (False, True):
        rules = Rules(scheme="flood", delay="unit", random_ties=random_ties)
        rows = Spreading(graph=square, spies=spies, rules=rules, authors=only).run(1_000, seed=1)
        found[random_ties] = np.bincount(rows["first_friend"], minlength=4).tolist()
    assert found[False] == [0, 1_000, 0, 0]
    assert found[True][1] + found[True][2] == 1_000
    assert 400 < found[True][1] < 600


def test_a_victim_among_spies_is_the_author_and_named() -> None:
    got = spread(GRAPH, scheme="flood", spies="friends-of:7", runs=100)
    assert got["p_named"] == 1
    assert got["spy_count"] == built().degrees[7]


def test_knowing_where_a_stem_ended_helps_only_where_nobody_was_on_it() -> None:
    unknown, known = (
        spread(GRAPH, scheme="stem", runs=5_000, fluff_position_known=each) for each in (False, True)
    )
    # A stem of one hop ends at a friend, never at the author.
    assert known["p_named"] <= unknown["p_named"]


def test_the_posterior_of_who_is_named_is_as_sure_as_it_is_right() -> None:
    random = np.random.default_rng(1)
    classes = random.integers(2, size=20_000)
    right = random.random(20_000) < np.where(classes == 0, 0.5, 0.0)
    found = sureness(right, classes, 16.0)
    assert found["expected_max_posterior"] == pytest.approx((0.5 + 1 / 16) / 2, abs=0.01)
    assert found["entropy_bits"] == pytest.approx((1 + 0.5 * 4 + 4) / 2, abs=0.03)
    assert found["effective_set"] == pytest.approx(2 ** found["entropy_bits"])


def test_graphs_come_in_words_as_ours_or_from_others() -> None:
    theirs = networkx.cycle_graph(50)
    results = [spread(each, runs=500, spies=5) for each in ("cycle:n=50", built("cycle:n=50"), theirs)]
    assert len({each["p_named"] for each in results}) == 1
    assert [each["command"] is None for each in results] == [False, True, True]
    with pytest.raises(TrialError, match="int is no graph"):
        spread(5)


@pytest.mark.parametrize(
    ("estimator", "scheme", "more"),
    [
        ("trained", "diffusion", {"practice": 1_000}),
        ("timestamps", "flood", {"practice": 200}),
        ("stem", "stem", {}),
        ("epoch-graph", "dandelion", {}),
        ("epoch-routes", "dandelion-per-edge", {"fluff_position_known": True}),
        ("rumor-centrality", "diffusion", {"snapshot": 20}),
        ("jordan", "flood", {}),
        ("first-spy", "dandelion", {"batches": True, "fluff_position_known": True}),
    ],
)
def test_every_estimator_can_be_asked_by_any_number_of_threads(
    estimator: str, scheme: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "BLOCK_RUNS_MAX", 100)
    told: list[int] = []
    graph = "powerlaw-cluster:n=60,mean_degree=6"
    options = {"scheme": scheme, "estimator": estimator, "runs": 270, "spies": 0.15} | more
    one = spread(graph, **options, tell=lambda done, _: told.append(done))
    other = spread(graph, **options, threads=3)
    del one["runs_per_s"], other["runs_per_s"]
    assert one == other
    assert told[-1] == 270
    assert 0 < one["p_named"] <= one["top5"] <= 1
    assert 0 <= one["entropy_bits"] <= math.log2(60)
    assert (one["precision"] is None) == (estimator not in ("epoch-graph", "epoch-routes", "first-spy"))


def test_first_spy_in_batches_is_the_same_as_one_by_one() -> None:
    """The quick way and the one by weights agree, and many messages that are mapped to one node cost precision."""
    alone = spread("random-regular:n=100,degree=4", scheme="dandelion", spies=0.2, runs=4_000)
    batches = spread("random-regular:n=100,degree=4", scheme="dandelion", spies=0.2, runs=4_000, batches=True)
    error = math.sqrt(0.25 / 4_000)
    assert abs(alone["p_named"] - batches["p_named"]) < 5 * error
    assert batches["recall"] == batches["p_named"]
    assert batches["precision"] < batches["recall"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"graph": "star:n=5"}, "--graph: There is no graph 'star'"),
        ({"graph": "line:n=1"}, "--graph: It takes at least two nodes"),
        (
            {"graph": Graph.from_edges(5, [(0, 1), (2, 3), (3, 4)])},
            "its largest part has 3 of 5 nodes; take graph",
        ),
        ({"scheme": "snail"}, "--scheme is one of flood, diffusion"),
        ({"estimator": "oracle"}, "--estimator is one of first-spy"),
        ({"estimator": "onion-flow"}, "--estimator is one of first-spy"),
        ({"estimator": "epoch-graph"}, "--estimator: epoch-graph can be asked of dandelion"),
        ({"estimator": "trained", "spies_iid": True}, "--spies-iid: trained has to know the spies"),
        ({"estimator": "trained", "spies": "0"}, "--spies: somebody has to be a spy"),
        ({"estimator": "trained", "spies": "friends-of:1"}, "--spies: around one victim"),
        ({"estimator": "jordan", "snapshot": 201}, "--snapshot: there are no more than 200"),
        ({"graph": "regular-tree:degree=3", "estimator": "jordan"}, "--estimator: on infinite trees"),
        ({"first_contact": True, "batches": True}, "--first-contact: only first-spy"),
        ({"practice": 1}, "--practice is at least 2"),
        ({"tie": "coin"}, "--tie is one of random, lowest"),
        ({"delay": "long"}, "--delay is one of exponential, unit, uniform"),
        ({"runs": 0}, "--runs is a whole number"),
        ({"end": 0.0}, "--end is a number above 0"),
        ({"embargo": -1.0}, "--embargo is a number of hops"),
        ({"spies": "1.5"}, "--spies: Spies are"),
        ({"spies": "12", "spies_iid": True}, "--spies: Where each node is a spy by chance"),
        ({"fluff_position_known": True}, "--fluff-position-known: diffusion begins at the author"),
        ({"first_contact": True, "delay": "unit"}, "--first-contact: Runs end"),
        ({"graph": "regular-tree:degree=3", "scheme": "dandelion"}, "--scheme: infinite trees can have"),
        ({"graph": "regular-tree:degree=3", "spies_iid": False}, "--spies-count: an infinite tree"),
        ({"graph": "regular-tree:degree=3", "spies": "0.0"}, "are too few to be met"),
        ({"graph": "regular-tree:degree=3", "embargo": 3.0}, "--embargo: infinite trees have none"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_sentence(options: dict[str, object], says: str) -> None:
    with pytest.raises(TrialError, match=r"^[^\n]*$") as refused:
        spread(**({"graph": GRAPH, "runs": 10} | options))  # type: ignore[arg-type]
    assert says in str(refused.value)


def ran(*words: str) -> Result:
    return CliRunner().invoke(main, ["sim", "spread", *words])


def test_the_last_line_is_the_result_and_its_command_repeats_it() -> None:
    done = ran(
        "--graph", GRAPH, "--scheme", "stem", "--spies", "hubs:0.1", "--runs", "300", "--fluff-position-known"
    )
    assert done.exit_code == 0, done.stderr
    first = json.loads(done.stdout.splitlines()[-1])
    words = shlex.split(first["command"])
    assert words[:3] == ["rumor", "sim", "spread"]
    again = json.loads(ran(*words[3:], "--json", "--threads", "2").stdout)
    del first["runs_per_s"], again["runs_per_s"]
    assert first == again
    assert "300 of 300 runs" in done.stderr
    assert ran("--graph", GRAPH, "--runs", "9", "--spies-iid", "--json").stdout.count("--spies-iid") == 1


def test_every_field_of_a_trial_is_an_option() -> None:
    known = {parameter.name for parameter in spread_command.params}
    assert {each.name for each in fields(Trial)} == known - {"threads", "as_json"}


def test_wrong_usage_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("0 1\n2 3\n3 4\n")
    for words, says in (
        ([], "Missing option '--graph'"),
        (["--graph", GRAPH, "--runs", "many"], "'--runs': 'many' is not a valid integer"),
        (["--graph", GRAPH, "--seed", "-1"], "'--seed'"),
        (["--graph", GRAPH, "--shape", "1"], "No such option"),
    ):
        done = ran(*words)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert says in done.stderr
    for words in (["--graph", "cycle:n=two"], ["--graph", str(tmp_path / "g.txt")]):
        done = ran(*words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith("rumor: --graph: ")
        assert done.stderr.count("\n") == 1
    assert f"take largest:{tmp_path / 'g.txt'}" in done.stderr
    assert ran("--graph", f"largest:{tmp_path / 'g.txt'}", "--runs", "10").exit_code == 0


def test_an_interrupted_command_says_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trial.Trial, "result", interrupted)
    done = ran("--graph", GRAPH, "--runs", "10")
    assert done.exit_code == 1
    assert "stopped; this repeats it: rumor sim spread --graph" in done.stderr


def test_help_imports_no_compiler() -> None:
    code = (
        "import sys; from rumor.node.cli import main\n"
        "for words in (['--help'], ['sim', '--help'], ['sim', 'spread', '--help']):\n"
        "    main(words, standalone_mode=False)\n"
        "assert not {'numba', 'numpy', 'scipy', 'networkx', 'matplotlib'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)


def test_the_package_of_kernels_is_called_like_the_function() -> None:
    """Also if a module of `rumor.sim.spread` was imported before, which makes the package an attribute."""
    code = (
        "import rumor.sim.spread.counter\nfrom rumor.sim import TrialError, spread\nimport rumor.sim.spread.runs\n"
        "for each in (spread, rumor.sim.spread):\n"
        "    try: each('cycle:n=9', runs=0)\n"
        "    except TrialError: pass\n"
        "    else: raise AssertionError"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_examples_in_docstrings_hold() -> None:
    for module in (rumor.sim, trial):
        assert doctest.testmod(module).failed == 0
    assert set(rumor.sim.__all__) <= set(dir(rumor.sim))
    assert Trial(graph=GRAPH).scheme == "diffusion"
    with pytest.raises(AttributeError):
        _ = rumor.sim.nothing
