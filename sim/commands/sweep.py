"""``rumor sim sweep``: all tasks of a sweep file, on this machine or on a cluster."""

from pathlib import Path

import click

from .progress import Teller
from .shared import EXIT_FAILED, EXIT_USAGE, Command, fail, json_option, mended, repeats, show

__all__ = ["command"]


@click.command("sweep", cls=Command)
@click.argument("path", metavar="SWEEP.toml", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Where the table goes, as Parquet."
)
@click.option("--workers", type=int, help="Processes at the same time.  [default: one for each core]")
@click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar="local|dask",
    help="Processes of this machine, or a Dask cluster.",
)
@click.option(
    "--address", help="The scheduler of the cluster, such as tcp://HOST:8786; without it, one on loopback."
)
@click.option("--seed", type=click.IntRange(0), help="The first seed.  [default: the file's]")
@json_option
@click.pass_context
def command(
    context: click.Context,
    path: Path,
    out: Path,
    workers: int | None,
    engine: str,
    address: str | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Do all tasks of a sweep file and write one table.

    A sweep that was stopped goes on where it was when the same command is given again. The table does not depend on
    the engine or the workers.
    """
    given = {name: value for name, value in context.params.items() if value is not None and name != "as_json"}
    told = repeats(context, given)
    # In the table goes what decides it.
    again = repeats(context, {name: given[name] for name in ("path", "out", "seed") if name in given})
    with mended(told):
        from ..results.campaign import carry_out
        from ..results.engines import open_engine
        from ..results.files import ResultsError
        from ..results.sweep import Sweep

        try:
            sweep = Sweep.load(path, seed)
        except ResultsError as error:
            fail(str(error), EXIT_USAGE)
        try:
            has_worked = carry_out(
                sweep,
                out,
                lambda graphs: open_engine(engine, workers, address, graphs),
                again,
                Teller().tell,
            )
        except ResultsError as error:
            fail(f"{error} To go on: {told}", EXIT_FAILED)
        except KeyboardInterrupt:
            fail(f"stopped; this goes on: {told}", EXIT_FAILED)
        from ..results.table import origin_of

        origin = origin_of(out)
        click.echo(
            f"rumor: {out} {'is done' if has_worked else 'was done before'}; this repeats it: {again}",
            err=True,
        )
        show(
            {
                "out": str(out),
                "tasks": len(sweep.tasks),
                "seed": sweep.seed,
                "program": origin.program,
                "command": again,
            },
            as_json,
        )
