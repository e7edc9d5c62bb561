"""``rumor sim plot``: pictures of a table of results."""

from pathlib import Path

import click

from .shared import EXIT_FAILED, EXIT_USAGE, Command, fail, json_option, mended, repeats, seed_option, show

__all__ = ["command"]


@click.command("plot", cls=Command)
@click.argument("path", metavar="RESULTS.parquet", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder for the pictures.")
@click.option(
    "--format",
    "ending",
    type=click.Choice(["svg", "png", "pdf"]),
    default="svg",
    show_default=True,
    help="What kind of pictures.",
)
@seed_option
@json_option
@click.pass_context
def command(context: click.Context, path: Path, out: Path, ending: str, seed: int, as_json: bool) -> None:
    """Draw every picture that a table of results has the columns for, and a page with all of them.

    The seed decides where the nodes of a graph are drawn, and nothing else.
    """
    again = repeats(context, {"path": path, "out": out, "ending": ending, "seed": seed})
    with mended(again):
        from ..results.files import ResultsError
        from ..results.gallery import draw_all

        try:
            drawn = draw_all(path, out, ending, seed=seed)
        except ResultsError as error:
            fail(str(error), EXIT_USAGE if not path.exists() else EXIT_FAILED)
        show({"out": str(out), "pictures": [str(each) for each in drawn], "command": again}, as_json)
