"""A run is a function of its scenario: the same in every repetition and under every hash seed of Python."""

import json
import os
import subprocess
import sys

import pytest

from rumor.sim import experiment
from rumor.sim.scenario import Scenario

#: Everything that can happen, in a world of sixteen.
WILD = {
    "nodes": "16",
    "hours": "0.1",
    "settle_s": "120",
    "posts": "12",
    "graph": "powerlaw-cluster",
    "mean_degree": "4",
    "latency": "exponential:0.05",
    "loss": "0.05",
    "duplication": "0.05",
    "reordering": "0.1",
    "churn": "0.1:60",
    "crash": "0.1:30",
    "partition": "0.2:60",
    "slow": "0.1:60",
    "skew": "0.2:120",
    "spies": "0.25",
    "droppers": "0.06",
    "delayers": "0.06",
    "replayers": "0.06",
    "flooders": "0.06",
    "observed": "0.2",
}
#: Few members and much money: many onions in little time.
RUSHED = {"bytes_per_day": "300000000", "epoch_s": "60", "relay_day_epochs": "10"}
VARYING = ("events_per_s", "virtual_s_per_s", "setup_s")


def traced(**options: str) -> str:
    return experiment.run(Scenario.read(WILD | options)).network.trace.digest()


@pytest.mark.parametrize("scheme", ["onion", "flood"])
def test_no_hash_seed_changes_anything(scheme: str) -> None:
    """The whole result is the same, but for how long it took; sets of bytes are what differs by default."""
    options = WILD | RUSHED | {"scheme": scheme}
    words = [word for name, text in options.items() for word in (f"--{name.replace('_', '-')}", text)]
    command = [sys.executable, "-m", "rumor.sim.commands", "run", *words, "--json"]
    runs = [
        subprocess.Popen(
            command, env=os.environ | {"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for seed in ("0", "1", "20")
    ]
    results = [json.loads(run.communicate(timeout=120)[0].splitlines()[-1]) for run in runs]
    for result in results:
        for name in VARYING:
            del result[name]
    assert results[0]["frames"] > 2_000
    assert results[0] == results[1] == results[2]


def test_repetitions_are_equal_and_other_seeds_are_not() -> None:
    assert traced() == traced()
    assert traced() != traced(seed="2")


#: Real cryptography is slow, and spells need no test of their own here.
CALM = dict.fromkeys(("churn", "crash", "partition", "replayers", "flooders"), "0")


def test_real_cryptography_repeats_itself_too() -> None:
    """Proofs and onions draw from the run's seed."""
    options = {"crypto": "real", "nodes": "8", "graph": "cycle", "hours": "0.12", "settle_s": "60"}
    assert traced(**options, **CALM) == traced(**options, **CALM)


def test_a_post_moves_no_other_draw() -> None:
    """One member more who posts changes nothing about the graph, the latencies, the weather and the spies."""
    one, other = (experiment.prepare(Scenario.read(WILD | {"posts": posts})) for posts in ("1", "12"))
    assert one.graph.digest == other.graph.digest
    assert one.ledger.spies == other.ledger.spies
    for ours, theirs in zip(one.network.friendships, other.network.friendships, strict=True):
        assert ours.latency_s == theirs.latency_s
