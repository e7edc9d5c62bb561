"""The onions' pictures and table show what the tables of results say, on light paper and on dark."""

from collections.abc import Callable

import polars
import pytest
from matplotlib.figure import Figure

from rumor.sim.results.plots.onions import draw, draw_why, joined, markdown, of_both_inks
from rumor.sim.results.plots.style import INK, picture


def compiled() -> polars.DataFrame:
    """A table of a sweep of compiled code, with two seeds a cell."""
    named = {"flood": 1.0, "dandelion": 1.4, "stem": 1.1, "onion": 0.05}
    return polars.DataFrame(
        [
            {
                "kind": "spread",
                "graph": f"powerlaw-cluster:n={nodes},mean_degree=8",
                "nodes": nodes,
                "scheme": scheme,
                "estimator": "strongest",
                "spies": spies,
                "seed": seed,
                "runs": 1_000,
                "p_named": min(1.0, share * spies),
                "expected_max_posterior": min(1.0, share * spies),
            }
            for nodes in (50, 1_000)
            for scheme, share in named.items()
            for spies in (0.05, 0.1, 0.2, 0.3)
            for seed in (1, 2)
        ]
    )


def real() -> polars.DataFrame:
    """A table of a sweep of runs, in which first spies were luckier than the flow."""
    return polars.DataFrame(
        [
            {
                "kind": "run",
                "graph": "powerlaw-cluster",
                "nodes": 50,
                "scheme": "onion",
                "estimator": "first-spy",
                "spies": spies,
                "seed": 1,
                "posts": 300,
                "posts_published": 200,
                "p_named": 0.5,
                "expected_max_posterior": 0.5,
                "estimators.onion-flow.p_named": 0.04,
                "estimators.onion-flow.expected_max_posterior": 0.03,
            }
            for spies in (0.1, 0.2)
        ]
    )


def test_the_estimator_of_the_flow_counts_and_posts_that_were_published() -> None:
    runs = joined([compiled(), real()]).filter(polars.col("kind") == "run")
    assert runs["p_named"].to_list() == [0.04, 0.04]
    assert runs["sure"].to_list() == [0.03, 0.03]
    assert runs["count"].to_list() == [200, 200]


def test_the_table_has_both_sides_in_a_row() -> None:
    rows = markdown(joined([compiled(), real()])).splitlines()
    assert len(rows) == 8
    assert rows[2] == (
        "| 50 | 0.2 | 0.025 | 0.026 | 0.04 (0.02–0.077), 200 | 0.01 (0.0065–0.015), 2,000 | 0.03 | 0.01 | 0.22 |"
    )
    assert rows[0].split(" | ")[4] == ""


@pytest.mark.parametrize("draw_one", [draw, draw_why])
def test_pictures_are_small_and_change_their_inks_with_the_paper(
    draw_one: Callable[[polars.DataFrame], Figure],
) -> None:
    svg = of_both_inks(picture(draw_one(joined([compiled(), real()])), "svg").decode())
    assert len(svg) < 150_000
    assert b"prefers-color-scheme: dark" in svg
    assert f'[style*="fill: {INK}"]'.encode() in svg
