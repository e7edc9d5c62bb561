"""Every picture is drawn from a table's columns alone, says what is in them, and is the same each time."""

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.sim.metrics import wilson
from rumor.sim.results.files import ResultsError
from rumor.sim.results.page import baseline, page
from rumor.sim.results.plots import all_plots, drawable, style
from rumor.sim.results.plots.cells import cells, strongest, surest
from rumor.sim.results.plots.frontier import _front
from rumor.sim.results.plots.named import bound_of_onions
from rumor.sim.results.plots.style import _apart, in_words, inline, picture, save
from rumor.sim.results.table import Origin

ORIGIN = Origin(
    scenario="spies = [0.1, 0.2] # <&>\n", seed=7, program="0.1.0+abc", command="rumor sim sweep <s>.toml"
)
QUANTILES = [each / 20 for each in range(20)]


def sweep() -> polars.DataFrame:
    """A table as a sweep leaves it, with two seeds a cell."""
    named = {"flood": 0.9, "stem": 0.22, "onion": 0.01}
    return polars.DataFrame(
        [
            {
                "kind": "run",
                "scheme": scheme,
                "graph": "powerlaw-cluster",
                "nodes": 150,
                "spies": spies,
                "seed": seed,
                "posts": 500,
                "p_named": share * spies * 5,
                "p_named_ci95": [share * spies * 4, share * spies * 6],
                "latency_p50_s": 600.0 if scheme == "onion" else 0.1,
                "bytes_per_node_day": 2e8 if scheme == "onion" else 1e6,
                "coverage_curve": [5 * each for each in QUANTILES],
                "entropy_bits": 4.0,
                "entropy_quantiles": [7 * each for each in QUANTILES],
                "user_named_quantiles": QUANTILES,
            }
            for scheme, share in named.items()
            for spies in (0.1, 0.2)
            for seed in (1, 2)
        ]
    )


def traffic(more: int = 0) -> polars.DataFrame:
    """Two worlds; ``more`` bytes in one frame of the second."""
    times, sizes, friends = (
        [7.0 * each for each in range(100)],
        [100.0 + each for each in range(100)],
        [1.0] * 100,
    )
    other = [size + more * (place == 5) for place, size in enumerate(sizes)]
    row = {f"{world}_times_s": times for world in ("posting", "silent")}
    row |= {f"{world}_friends": friends for world in ("posting", "silent")}
    return polars.DataFrame(
        [{"kind": "traffic", **row, "posting_sizes": sizes, "silent_sizes": other, "posted_s": 60.0}]
    )


def spreading() -> polars.DataFrame:
    count = 30
    return polars.DataFrame(
        [
            {
                "rumor_times": [math.nan if each == 9 else float(each) for each in range(count)],
                "rumor_tellers": [-1.0, *(float(each) for each in range(count - 1))],
                "rumor_spies": [float(each % 5 == 0) for each in range(count)],
                "rumor_links": [float(end) for each in range(count) for end in (each, (each + 1) % count)],
            }
        ]
    )


def compared(flood: dict[str, float]) -> polars.DataFrame:
    """A comparison where these estimators name so many of the authors of flooding."""
    rows = [("flood", name, share) for name, share in flood.items()] + [("stem", "stem", 0.1)]
    return polars.DataFrame(
        [
            {
                "kind": "spread",
                "scheme": scheme,
                "estimator": name,
                "spies": "0.1",
                "p_named": share,
                "runs": 100,
            }
            for scheme, name, share in rows
        ]
    )


TABLES = {"sweep": sweep, "traffic": traffic, "spreading": spreading}
PICTURES = {
    "named": sweep,
    "frontier": sweep,
    "coverage": sweep,
    "entropy": sweep,
    "estimators": lambda: compared({"first-spy": 0.43, "timestamps": 0.99, "trained": 0.44}),
    "traffic": traffic,
    "spreading": spreading,
}


@cache
def the_page() -> str:
    return page(sweep(), ORIGIN, "Results of <x>")


def words(svg: bytes | str) -> str:
    return " ".join(text for text in ET.fromstring(svg).itertext() if text.strip())


def test_each_table_gets_the_pictures_that_it_has_the_columns_for() -> None:
    found = {name: [plot.name for plot in drawable(table())] for name, table in TABLES.items()}
    assert found == {
        "sweep": ["named", "frontier", "coverage", "entropy"],
        "traffic": ["traffic"],
        "spreading": ["spreading"],
    }
    assert {plot.name for plot in all_plots()} == set(PICTURES)
    without = sweep().with_columns(polars.lit(None).alias("latency_p50_s"))
    assert [plot.name for plot in drawable(compared({"first-spy": 0.4}))] == ["named", "estimators"]
    assert "frontier" not in [plot.name for plot in drawable(without)]
    # With one scheme that is measured in seconds there is nothing to choose from.
    single = sweep().filter(polars.col("scheme") == "onion")
    assert "frontier" not in [plot.name for plot in drawable(single)]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_each_time_and_names_what_it_shows(name: str) -> None:
    (plot,) = [plot for plot in all_plots() if plot.name == name]
    frame = PICTURES[name]()
    svg = picture(plot.draw(frame), "svg")
    assert svg == picture(plot.draw(frame), "svg")
    said = words(svg)
    for scheme in frame["scheme"].unique() if "scheme" in frame.columns else []:
        assert scheme in said


def test_the_traffic_of_two_worlds_is_called_the_same_only_if_every_frame_is() -> None:
    """One byte more in one frame of one world, and it is not."""
    (plot,) = [plot for plot in all_plots() if plot.name == "traffic"]
    assert ": the same" in words(picture(plot.draw(traffic()), "svg"))
    said = words(picture(plot.draw(traffic(1)), "svg"))
    assert ": the same" not in said
    assert "equal to here, frame by frame" in said


def test_posts_of_a_cell_are_counted_together() -> None:
    """Two seeds with 1 of 10 and 9 of 30 named are 10 of 40, with the interval of so many."""
    frame = polars.DataFrame(
        {
            "scheme": ["stem"] * 3,
            "spies": ["0.1", "0.1", "hubs:0.1"],
            "p_named": [0.1, 0.3, 1],
            "runs": [10, 30, 5],
        }
    )
    (row,) = cells(frame).iter_rows(named=True)
    assert (row["p_named"], row["count"], row["spies"]) == (0.25, 40, 0.1)
    assert (row["low"], row["high"]) == pytest.approx(wilson(10, 40))


def test_spies_in_words_are_shares_where_they_have_a_point() -> None:
    frame = polars.DataFrame(
        {
            "scheme": ["stem"] * 4,
            "spies": ["1", "0.25", "hubs:0.1", "1.0"],
            "p_named": [0.1] * 4,
            "spy_count": [1, 25, 10, 100],
            "nodes": [100] * 4,
        }
    )
    assert cells(frame)["spies"].to_list() == [0.01, 0.25, 1.0]


def test_of_several_estimators_the_strongest_counts_and_runs_name_their_own() -> None:
    """Rows of `run` with different ones are of one cell all the same."""
    frame = polars.DataFrame(
        {
            "kind": ["spread", "spread", "run", "run"],
            "scheme": ["flood", "flood", "onion", "onion"],
            "estimator": ["first-spy", "timestamps", "first-spy", "onion-flow"],
            "spies": [0.1] * 4,
            "p_named": [0.4, 0.9, 0.1, 0.3],
            "runs": [100, 100, None, None],
            "posts": [None, None, 50, 50],
        }
    )
    assert cells(frame).select("scheme", "asked", "p_named", "count").rows() == [
        ("flood", "timestamps", 0.9, 100),
        ("onion", "first-spy, onion-flow", 0.2, 100),
    ]
    assert strongest(frame)["p_named"].to_list() == [0.9, 0.1, 0.3]


def test_the_surest_estimator_is_none_that_is_too_sure() -> None:
    """Of flooding the second has the least entropy, but says more than it knows; of a stem there is but one."""
    frame = polars.DataFrame(
        {
            "scheme": ["flood", "flood", "flood", "stem"],
            "estimator": ["first-spy", "timestamps", "trained", "stem"],
            "spies": [0.1] * 4,
            "p_named": [0.4, 0.1, 0.3, 0.1],
            "entropy_bits": [5.0, 1.0, 4.0, 6.0],
            "calibrated": [True, False, True, False],
        }
    )
    assert surest(frame)["estimator"].to_list() == ["trained", "stem"]


def test_an_estimator_that_cannot_break_flooding_is_said_to_prove_nothing() -> None:
    broken, weak, apart = baseline(compared({"first-spy": 0.43, "timestamps": 0.99}))
    assert "over half of the authors are named by timestamps (99 %)" in broken
    assert "first-spy (43 %) cannot break even the undefended flood" in weak
    assert "not asked of flood: stem." in apart
    assert "cannot break" not in " ".join(baseline(compared({"timestamps": 0.99})))
    assert baseline(compared({})) == []
    said = page(compared({"first-spy": 0.43}), ORIGIN, "x")
    assert "first-spy (43 %) cannot break" in said
    assert "<br>stem</small>" in said


def test_the_seed_of_a_plot_moves_the_nodes_of_a_graph_and_nothing_else() -> None:
    for plot in all_plots():
        if plot.name not in ("spreading", "traffic"):
            continue
        assert plot.takes_seed is (plot.name == "spreading")
        one, other = (picture(plot.figure(PICTURES[plot.name](), seed), "svg") for seed in (1, 2))
        assert (one == other) is (plot.name != "spreading")
        assert words(one) == words(other)


def test_the_bound_of_onions() -> None:
    """With all keys in the spies' hands it is p; with none of the relays it is one among the honest."""
    assert bound_of_onions(1 - 1e-12, 1e30, 3) == pytest.approx(1)
    assert bound_of_onions(0.0, 100, 3) == 0.01
    assert bound_of_onions(0.2, 1000, 3) == pytest.approx(0.008 * 0.2 + 0.992 / 800)


def test_the_frontier_is_what_nothing_else_beats() -> None:
    assert _front([(1, 0.5), (2, 0.6), (3, 0.1), (4, 0.1), (5, 0.05)]) == [(1, 0.5), (3, 0.1), (5, 0.05)]


@given(st.lists(st.floats(0, 400), min_size=1, max_size=8))
def test_labels_never_overlap(points: list[float]) -> None:
    """And who had room stays where it was."""
    gaps = np.full(len(points), 12.5)
    places = _apart(np.array(points), gaps)
    assert all(np.diff(np.sort(places)) > 12)
    if len(points) == 1 or min(np.diff(sorted(points))) > 12.5:
        assert places == pytest.approx(points)


def test_times_in_words() -> None:
    assert [in_words(each) for each in (0.05, 1, 90, 7_200, 86_400)] == [
        "50 ms",
        "1 s",
        "1.5 min",
        "2 h",
        "1 d",
    ]


def test_pictures_are_files_of_three_kinds(tmp_path: Path) -> None:
    (plot,) = drawable(traffic())
    for ending, start in {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}.items():
        save(plot.draw(traffic()), tmp_path / f"x.{ending}")
        assert (tmp_path / f"x.{ending}").read_bytes().startswith(start)
    with pytest.raises(ResultsError, match="pictures are"):
        save(plot.draw(traffic()), tmp_path / "x.jpeg")


def test_colours_can_be_told_apart_by_those_who_see_two_of_three() -> None:
    """Simulated without green and without red cones (Viénot, Brettel and Mollon, 1999), in the light of the screen."""
    kinds = {
        "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
        "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    }
    names = ["flood", "diffusion", "adaptive", "dandelion", "stem", "onion"]

    def linear(name: str) -> Any:
        ink = style.COLOURS[name]
        parts = np.array([int(ink[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)

    for matrix in kinds.values():
        seen = [np.cbrt(np.clip(np.array(matrix) @ linear(name), 0, 1)) for name in names]
        apart = [np.abs(one - other).max() for at, one in enumerate(seen) for other in seen[:at]]
        assert min(apart) > 0.08


def test_the_page_asks_nobody_for_anything() -> None:
    """No address but the names of XML, nothing that loads, and a policy that forbids it all the same."""
    text = the_page()
    assert "default-src 'none'" in text
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(
        r"<(script|link|img|iframe|object|image|use [^>]*href=\"[^#])|@import|url\((?!#)", text
    )


def test_the_page_has_everything_and_escapes_what_it_was_given() -> None:
    text = the_page()
    assert "Results of &lt;x&gt;" in text
    assert "rumor sim sweep &lt;s&gt;.toml" in text
    assert "# &lt;&amp;&gt;" in text
    assert text.count("<figure") == text.count("</svg>") == 4
    assert "90 %" in text
    assert "<x>" not in text


def test_a_picture_on_a_page_has_the_page_s_ink_and_ids_of_its_own() -> None:
    """So a dark page has light letters, and two pictures never share an id."""
    plots = drawable(sweep())
    pictures = [inline(plot.draw(sweep()), plot.name) for plot in plots]
    for svg in pictures:
        ET.fromstring(svg)
        for ink in (style.INK, style.PAPER, style.FAINT, style.QUIET):
            assert ink not in svg
        ids = set(re.findall(r'\bid="([^"]+)"', svg))
        assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg)) <= ids
    every = [found for svg in pictures for found in set(re.findall(r'\bid="([^"]+)"', svg))]
    assert len(every) == len(set(every))


def test_help_needs_none_of_the_libraries() -> None:
    """`rumor --help` and the help of each command are quick: they import neither Arrow nor matplotlib nor numpy."""
    code = (
        "import sys; from click.testing import CliRunner; from rumor.sim.commands import main\n"
        "for name in ('sweep', 'plot', 'compare'):\n"
        "    assert CliRunner().invoke(main, [name, '--help']).exit_code == 0\n"
        "heavy = {'pyarrow', 'polars', 'matplotlib', 'numpy', 'numba', 'distributed'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
