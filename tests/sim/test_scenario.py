"""Scenarios: options and files mean the same, and what is wrong is said in one sentence that names its place."""

import shlex
from pathlib import Path

import pytest

from rumor.sim.faults import Fault
from rumor.sim.scenario import SCHEMES, SETTINGS, Scenario, ScenarioError


def read(**options: str) -> Scenario:
    return Scenario.read(options)


def test_options_and_files_are_read_alike_and_options_come_first(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text('nodes = 30\ngraph = "cycle"\nspies = 0.2\nloss = "0.02:60"\nsurround = true\n')
    given = Scenario.read({"nodes": "40"}, path)
    assert given == read(nodes="40", graph="cycle", spies="0.2", loss="0.02:60", surround="true")
    assert given.loss == Fault(0.02, 60.0)


def test_the_command_of_a_run_repeats_it() -> None:
    scenario = read(
        nodes="30", latency="exponential:0.1", churn="0.1", surround="true", spies="0.3,0.05", seed="7"
    )
    assert scenario.spies == (0.05, 0.3)
    words = shlex.split(scenario.command())
    assert words[:3] == ["rumor", "sim", "run"]
    options = {name[2:].replace("-", "_"): text for name, text in zip(words[3::2], words[4::2], strict=True)}
    assert Scenario.read(options) == scenario


def test_every_default_is_read_as_it_is_written() -> None:
    for setting in SETTINGS.values():
        assert setting.parse(setting.default_text) == setting.default


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"nodes": "x"}, "--nodes is a whole number"),
        ({"nodes": "1025"}, "--nodes is a whole number from 2 to 1024"),
        ({"spies": "1.5"}, "--spies is a number from 0 to 1"),
        ({"spies": "0.1,"}, "--spies is a number from 0 to 1, and not ''"),
        ({"spies": "0.1,1.5"}, "--spies is a number from 0 to 1, and not '1.5'"),
        ({"spies": "0.1,0.2", "droppers": "0.1"}, "--spies: Several shares are for spies who only look"),
        ({"spies": "0.1,1"}, "--spies: Somebody must be left"),
        ({"graph": "star"}, "--graph is one of complete"),
        ({"surround": "yes"}, "--surround is true or false"),
        ({"mean_degree": "7"}, "--mean-degree: The mean degree of this kind"),
        ({"graph": "cycle", "nodes": "2"}, "--nodes: A cycle takes"),
        ({"hours": "0.1"}, "--hours: 0.1 hours are too few"),
        ({"surround": "true"}, "--surround: Without spies"),
        ({"spies": "1"}, "--spies: Somebody must be left"),
        ({"replies": "some"}, "--replies is a number from 0 to 1000, and not 'some'"),
        ({"replies_each": "0"}, "--replies-each is a whole number from 1 to 100"),
        ({"answers": "2"}, "--answers is a number from 0 to 1"),
        ({"hearts": "1", "posts": "0"}, "--hearts: There is nothing to talk about without posts"),
        ({"whispers": "1", "scheme": "stem"}, "--whispers: Only an onion can carry a whisper"),
    ],
)
def test_wrong_options_are_named(options: dict[str, str], says: str) -> None:
    with pytest.raises(ScenarioError, match=says) as refused:
        Scenario.read(options)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nodes = 20\ngraf = 1\n", "line 2, graf: there is no such setting"),
        ("\nnodes = 20.5", "line 2, nodes is a whole number"),
        ("nodes = [1]", "line 1, nodes is one value"),
        ("[nodes]\nx = 1", "line 1, nodes is one value"),
        ("nodes = 20\nmean_degree = 21\n", "line 2, mean_degree: The mean degree"),
        ("nodes == 20", r"no TOML file: .*line 1"),
    ],
)
def test_wrong_files_are_named_with_the_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=says) as refused:
        Scenario.read({}, path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        Scenario.read({}, tmp_path / "none.toml")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_only_onions_ask_for_relay_keys(scheme: str) -> None:
    scenario = read(scheme=scheme)
    assert (scenario.parameters.relay_keys_min > 0) == scenario.onions == (scheme == "onion")
