"""The presets are cells of the sweep that measured them."""

import polars
import pytest

from rumor.sim.results.presets import PRESETS, SWEEP, figures
from rumor.sim.results.sweep import Sweep


def test_every_preset_is_a_cell_of_its_sweep() -> None:
    """Anyone can run it again, by its name."""
    cells = {
        (settings["bytes_per_day"], settings["route_length"])
        for settings in (dict(task.settings) for task in Sweep.load(SWEEP).tasks)
    }
    assert {(str(each.bytes_per_day), str(each.route_length)) for each in PRESETS.values()} <= cells


def test_presets_are_what_a_genesis_may_hold() -> None:
    for preset in PRESETS.values():
        assert preset.parameters.bytes_per_day == preset.bytes_per_day


def test_figures_are_read_from_a_table_of_the_sweep() -> None:
    """Named over all posts of a cell, waits in the mean over its rows."""
    quick = PRESETS["quick"]
    rows = [
        {
            "scheme": "onion",
            "nodes": 150,
            "bytes_per_day": quick.bytes_per_day,
            "route_length": quick.route_length,
            "spies": spies,
            "seed": seed,
            "posts": 100,
            "p_named": spies * seed / 10,
            "latency_p50_s": 60.0 * seed,
            "latency_p95_s": 240.0,
            "bytes_per_node_day": 9e8,
        }
        for spies in (0.1, 0.2)
        for seed in (1, 3)
    ]
    found = figures(polars.DataFrame(rows))["quick"][150]
    assert found.wait_p50_s == 120
    assert found.p_named == pytest.approx({0.1: 0.02, 0.2: 0.04})
