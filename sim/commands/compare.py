"""``rumor sim compare``: all schemes on one graph, as a page with pictures."""

from pathlib import Path

import click

from .progress import Teller
from .shared import EXIT_FAILED, EXIT_USAGE, Command, fail, json_option, mended, repeats, seed_option, show

__all__ = ["command"]


@click.command("compare", cls=Command)
@click.option(
    "--graph",
    default="powerlaw-cluster:n=1000,mean_degree=8",
    show_default=True,
    metavar="KIND:NAME=NUMBER,…|PATH",
    help="Who is whose friend.",
)
@click.option(
    "--spies", default="0.05,0.1,0.2,0.3", show_default=True, metavar="SHARE,…", help="Shares of spies."
)
@click.option(
    "--scheme",
    "schemes",
    default="flood,diffusion,adaptive,dandelion,stem,onion",
    show_default=True,
    metavar="NAME,…",
    help="What is compared.",
)
@click.option(
    "--runs",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Packets for each scheme, share and estimator.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Graphs and spies, with a seed each.",
)
@click.option(
    "--traffic/--no-traffic",
    default=True,
    show_default=True,
    help="Also the traffic of a node that posts and of one that does not, in a small mesh of onions.",
)
@click.option("--workers", type=int, help="Processes at the same time.  [default: one for each core]")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder of the report.")
@seed_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    graph: str,
    spies: str,
    schemes: str,
    runs: int,
    repeat: int,
    traffic: bool,
    workers: int | None,
    out: Path,
    seed: int,
    as_json: bool,
) -> None:
    """Compare schemes on one graph against several shares of spies, and write a page with pictures.

    Of each scheme all estimators are asked that are worth it; the one that names most counts, and the page says which.

    The folder gets the page (index.html), its pictures, the table (results.parquet) and the sweep that makes it.
    """
    given = {name: value for name, value in context.params.items() if value is not None and name != "as_json"}
    again = repeats(context, given)
    with mended(again):
        from ..results.compare import check, compare, sweep_text
        from ..results.engines import open_engine
        from ..results.files import ResultsError

        try:
            text = sweep_text(
                graph,
                spies.split(","),
                schemes.split(","),
                runs=runs,
                seed=seed,
                repeat=repeat,
                traffic=traffic,
            )
            check(text)
        except ResultsError as error:
            fail(str(error), EXIT_USAGE)
        try:
            made = compare(
                text,
                out,
                lambda graphs: open_engine("local", workers, None, graphs),
                again,
                heading=f"Anonymity on {graph}",
                seed=seed,
                tell=Teller().tell,
            )
        except ResultsError as error:
            fail(f"{error} To go on: {again}", EXIT_FAILED)
        except KeyboardInterrupt:
            fail(f"stopped; this goes on: {again}", EXIT_FAILED)
        show(
            {"out": str(out), "files": [each.name for each in made], "seed": seed, "command": again}, as_json
        )
