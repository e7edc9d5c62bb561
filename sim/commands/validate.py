"""``rumor sim validate``: whether the simulator finds what is known from elsewhere."""

import json
import shutil
import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from .progress import Teller
from .shared import EXIT_FAILED, Command, json_option, mended, repeats, seed_option

if TYPE_CHECKING:
    from ..validation.validate import Comparison

__all__ = ["command"]

#: Columns for what a value is, on terminals that are too narrow for the table.
SOURCE_WIDTH_MIN: Final = 40


@click.command("validate", cls=Command)
@click.option(
    "--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="How many work on it."
)
@seed_option
@json_option
@click.pass_context
def command(context: click.Context, threads: int, seed: int, as_json: bool) -> None:
    """Measure every known value anew; exit status 1 if one fails.

    All must be within three standard errors, and nine in ten within two.
    """
    repeat = repeats(context, {"threads": threads, "seed": seed})
    with mended(repeat):
        from ..validation.known import KNOWN
        from ..validation.validate import compare_all, is_valid

        teller, done = Teller(), []
        if not as_json:
            click.echo(
                f"{'expected':>9}  {'got':>9}  {'3 standard errors':^21}  {'':7}  what, and where from"
            )
        for comparison in compare_all(KNOWN, seed, threads):
            done.append(comparison)
            if not as_json:
                click.echo(_line(comparison))
            teller.tell(len(done) / len(KNOWN), f"{len(done)} of {len(KNOWN)} values")
        valid = is_valid(done)
        result = {
            "valid": valid,
            "values": [
                {
                    "name": each.known.name,
                    "source": each.known.source,
                    "expected": each.known.expected,
                    "got": each.measured.value,
                    "interval": list(each.interval),
                    "standard_errors_off": each.errors_off,
                    "runs": each.measured.runs,
                    "verdict": str(each.verdict),
                }
                for each in done
            ],
            "seed": seed,
            "command": repeat,
        }
        click.echo(json.dumps(result) if as_json else _summary(done, valid, repeat))
    if not valid:
        sys.exit(EXIT_FAILED)


def _line(comparison: "Comparison") -> str:
    """A value, and below it where it is from, as wide as the terminal."""
    low, high = comparison.interval
    known, measured = comparison.known, comparison.measured
    columns = (
        f"{known.expected:9.5f}  {measured.value:9.5f}  {low:9.5f} … {high:9.5f}  {comparison.verdict:7}  "
    )
    width = max(SOURCE_WIDTH_MIN, shutil.get_terminal_size().columns - len(columns))
    margin = " " * len(columns)
    said = [line for text in (known.name, known.source) for line in textwrap.wrap(text, width)]
    return columns + f"\n{margin}".join(said)


def _summary(done: "list[Comparison]", valid: bool, repeat: str) -> str:
    verdicts = Counter(str(each.verdict) for each in done)
    counted = ", ".join(
        f"{count} {verdict if count == 1 else verdict.removesuffix('s')}"
        for verdict, count in verdicts.most_common()
    )
    judged = "What is known is found." if valid else "The simulator is not to be believed as it is."
    return f"\n{len(done)} values: {counted}. {judged}\nTo repeat: {repeat}"
