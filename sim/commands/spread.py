"""``rumor sim spread``: how often an estimator names the author, over very many runs in compiled code."""

from typing import Any

import click

from ...gossip.genesis import Parameters
from .progress import Teller
from .shared import EXIT_USAGE, Command, fail, json_option, mended, needing_extra, seed_option, show

__all__ = ["command"]


@click.command("spread", cls=Command)
@click.option(
    "--graph",
    required=True,
    metavar="KIND:NAME=NUMBER,…|PATH",
    help="powerlaw-cluster:n=1000,mean_degree=8, regular-tree:degree=4, debian:pgp, a file …",
)
@click.option(
    "--scheme", default="diffusion", show_default=True, metavar="NAME", help="How packets spread; onion too."
)
@click.option(
    "--spies",
    default="0.1",
    show_default=True,
    metavar="SHARE|COUNT|hubs:SHARE|friends-of:NODE",
    help="Who works for the adversary.",
)
@click.option(
    "--estimator",
    metavar="NAME",
    help="first-spy, trained, timestamps, stem, epoch-graph …  [default: onion-flow of onions, else first-spy]",
)
@click.option("--runs", type=int, default=10_000, show_default=True, help="How many packets or posts.")
@click.option(
    "--delay",
    metavar="exponential|unit|uniform",
    help="How long a hop takes, with a mean of 1.  [default: unit for flood, else exponential]",
)
@click.option(
    "--tie",
    default="random",
    show_default=True,
    metavar="random|lowest",
    help="Who is taken of those who told spies first at one time.",
)
@click.option(
    "--fluff-position-known", is_flag=True, help="Spies know where a stem ended that none of them was on."
)
@click.option(
    "--spies-iid/--spies-count",
    "spies_iid",
    default=None,
    help="Each node is a spy by chance in each run, or so many are, the same in all.  [default: count; iid on trees]",
)
@click.option("--end", type=float, default=0.1, show_default=True, help="Chance that a stem ends at a hop.")
@click.option(
    "--embargo",
    type=float,
    default=0.0,
    show_default=True,
    metavar="HOPS",
    help="Mean of timers on a stem; 0: none.",
)
@click.option("--first-contact", is_flag=True, help="End runs when a spy is told: quicker, without coverage.")
@click.option("--batches", is_flag=True, help="Each node writes once an epoch: then precision and recall.")
@click.option(
    "--snapshot",
    type=int,
    default=0,
    metavar="NODES",
    help="Who has it when so many do, for estimators of snapshots.  [default: 100]",
)
@click.option(
    "--practice",
    type=int,
    default=5_000,
    show_default=True,
    help="Runs to learn from, for estimators that do.",
)
@click.option(
    "--bytes-per-day",
    type=int,
    default=Parameters().bytes_per_day,
    show_default=True,
    help="Of onions: the budget of a node, from which all delays follow.",
)
@click.option(
    "--route-length",
    type=int,
    default=Parameters().route_length,
    show_default=True,
    help="Of onions: relays of each.",
)
@click.option(
    "--post-share",
    type=float,
    default=0.5,
    show_default=True,
    help="Of onions: the share of what honest nodes send of their own accord that is a post, and not cover.",
)
@click.option(
    "--linked",
    type=int,
    default=1,
    show_default=True,
    help="Of onions: posts of one author that are known to be of one, as replies under one persona are.",
)
@click.option(
    "--threads", type=click.IntRange(1, 1_024), default=1, show_default=True, help="Changes no result."
)
@seed_option
@json_option
def command(as_json: bool, threads: int, **options: Any) -> None:
    """Spread many packets in compiled code and print how often the adversary names the author.

    Times are in mean delays of a hop. Of the options, those that papers differ in are said in docs/simulator.md.
    """
    teller = Teller()
    with needing_extra():
        from ..trials.trial import Trial, TrialError
    trial = Trial(**options)
    with mended(str(trial.command())):
        try:
            fields = trial.result(
                threads=threads,
                tell=lambda done, runs: teller.tell(done / runs, f"{done:,} of {runs:,} runs"),
            )
        except TrialError as error:
            fail(str(error), EXIT_USAGE)
    show(fields, as_json)
