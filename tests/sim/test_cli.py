"""The command line of the simulator: one JSON line, one sentence for what is wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rumor.node.cli import main
from rumor.sim import experiment
from rumor.sim.disks import SimulationError

SMALL = [
    "--nodes",
    "10",
    "--graph",
    "cycle",
    "--hours",
    "0.3",
    "--scheme",
    "flood",
    "--posts",
    "9",
    "--spies",
    "0.2",
]
FIELDS = {
    "scheme",
    "graph",
    "nodes",
    "spies",
    "posts",
    "seed",
    "p_named",
    "p_named_ci95",
    "entropy_bits",
    "expected_max_posterior",
    "coverage_t50_s",
    "coverage_t99_s",
    "latency_p50_s",
    "latency_p95_s",
    "copies_per_node",
    "bytes_per_node_day",
    "delivered_fraction",
    "events_per_s",
}


def ran(*words: str) -> Result:
    return CliRunner().invoke(main, ["sim", "run", *words])


def test_the_last_line_is_the_result_and_progress_goes_elsewhere() -> None:
    done = ran(*SMALL)
    assert done.exit_code == 0
    result = json.loads(done.stdout.splitlines()[-1])
    assert result.keys() >= FIELDS
    assert result["posts"] == 9
    assert result["delivered_fraction"] == 1
    assert 0.9 <= result["copies_per_node"] <= 1.2
    assert result["p_named_ci95"][0] <= result["p_named"] <= result["p_named_ci95"][1]
    assert "events a second" in done.stderr
    assert len(ran(*SMALL, "--json").stdout.splitlines()) == 1


def test_the_command_in_the_result_repeats_it() -> None:
    first = json.loads(ran(*SMALL, "--json").stdout)
    again = json.loads(ran(*first["command"].split()[3:], "--json").stdout)
    assert again["trace"] == first["trace"]


def test_talk_is_told_of_for_people_and_for_programs() -> None:
    """Sent, published and how long it took; nothing of what nobody was to say."""
    done = ran(*SMALL, "--replies", "1", "--hearts", "2", "--later-s", "20")
    fields = json.loads(done.stdout.splitlines()[-1])
    assert fields["replies"]["published"] == fields["replies"]["sent"] > 2
    assert fields["hearts"]["delivered_fraction"] == 1
    assert fields["hearts"]["latency_p50_s"] > 0
    assert fields["whispers"]["sent"] == 0
    assert "replies.sent" in done.stdout
    assert "--replies 1 --hearts 2 --later-s 20" in fields["command"]


def test_without_spies_and_posts_there_is_nothing_to_measure() -> None:
    result = json.loads(
        ran(
            "--nodes", "4", "--graph", "cycle", "--hours", "0.3", "--posts", "0", "--scheme", "flood"
        ).stdout.splitlines()[-1]
    )
    assert [result[name] for name in ("p_named", "latency_p50_s", "delivered_fraction")] == [None] * 3


def test_wrong_usage_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("nodes = 9\nmean_degree = 9\n")
    for words in (["--nodes", "none"], ["--scenario", str(path)]):
        done = ran(*words)
        assert done.exit_code == 2
        assert done.stdout == ""
        assert done.stderr.startswith("rumor: ")
        assert len(done.stderr.splitlines()) == 1


def test_a_run_that_fails_says_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SimulationError("The core broke a promise: it did.")

    monkeypatch.setattr(experiment, "run", fail)
    done = ran(*SMALL, "--seed", "5")
    assert done.exit_code == 1
    repeat = (
        "rumor sim run --nodes 10 --graph cycle --scheme flood --hours 0.3 --posts 9 --spies 0.2 --seed 5"
    )
    assert repeat in done.stderr


def test_help_shows_every_default() -> None:
    done = CliRunner().invoke(main, ["sim", "run", "--help"], terminal_width=200)
    assert done.exit_code == 0
    assert "--mean-degree" in done.stdout
    assert "[default: powerlaw-cluster]" in done.stdout
