"""The presets are cells of the sweep that measured them, and their figures are what it measured."""

import polars
import pytest

from rumor.gossip.presets import PRESETS
from rumor.sim import spread
from rumor.sim.results.presets import SWEEP, figures
from rumor.sim.results.sweep import Sweep


def test_every_preset_is_a_cell_of_its_sweep() -> None:
    """Anyone can run it again, by its name."""
    tasks = [dict(task.settings) for task in Sweep.load(SWEEP).tasks]
    cells = {(settings["bytes_per_day"], settings["route_length"]) for settings in tasks}
    assert {(str(each.bytes_per_day), str(each.route_length)) for each in PRESETS.values()} <= cells
    measured = {settings["graph"] for settings in tasks}
    for preset in PRESETS.values():
        assert {f"powerlaw-cluster:n={members},mean_degree=8" for members in preset.figures} == measured


def test_figures_are_read_from_a_table_of_the_sweep() -> None:
    """The mean over a cell's rows, to two digits; waits also over the shares of spies."""
    quick = PRESETS["quick"]
    rows = [
        {
            "kind": "spread",
            "scheme": "onion",
            "nodes": 150,
            "bytes_per_day": quick.bytes_per_day,
            "route_length": quick.route_length,
            "spies": spies,
            "seed": seed,
            "runs": 100,
            "p_named": 0.01,
            "expected_max_posterior": spies * seed / 10,
            "latency_p50_s": 61.0 * seed,
            "latency_p95_s": 240.0,
        }
        for spies in (0.1, 0.2)
        for seed in (1, 3)
    ]
    found = figures(polars.DataFrame(rows))["quick"][150]
    assert found.wait_p50_s == 120
    assert found.p_named == pytest.approx({0.1: 0.02, 0.2: 0.04})


@pytest.mark.parametrize("name", PRESETS)
def test_figures_are_what_is_measured_again(name: str) -> None:
    """One cell of each preset, on another world: as the figures say, within what so few posts and worlds allow."""
    preset = PRESETS[name]
    measured = spread(
        "powerlaw-cluster:n=50,mean_degree=8",
        scheme="onion",
        spies=0.2,
        runs=300,
        seed=7,
        bytes_per_day=preset.bytes_per_day,
        route_length=preset.route_length,
    )
    told = preset.figures[50]
    assert measured["latency_p50_s"] == pytest.approx(told.wait_p50_s, rel=0.2)
    assert measured["latency_p95_s"] == pytest.approx(told.wait_p95_s, rel=0.2)
    assert measured["calibrated"]
    assert measured["expected_max_posterior"] == pytest.approx(told.p_named[0.2], rel=0.3)
