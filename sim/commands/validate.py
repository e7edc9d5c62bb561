"""``rumor sim validate``: whether the simulator finds what is known from elsewhere."""

import json
import sys

import click

from .progress import Teller
from .shared import EXIT_FAILED, Command, json_option, mended, repeats, seed_option

__all__ = ["command"]


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
            low, high = comparison.interval
            known, measured = comparison.known, comparison.measured
            if not as_json:
                click.echo(
                    f"{known.expected:9.5f}  {measured.value:9.5f}  {low:9.5f} … {high:9.5f}  "
                    f"{comparison.verdict:7}  {known.name}\n{'':56}{known.source}"
                )
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
        click.echo(json.dumps(result))
    if not valid:
        sys.exit(EXIT_FAILED)
