"""Commands for a profile: making it, founding a mesh, running the node, its status, a demonstration."""

from typing import Any

import click

from ...gossip.presets import BYTES_PER_DAY_RANGE, DEFAULT, PRESETS, ROUTE_LENGTH_RANGE
from .terminal import ask, fail, json_option, profile_of, read_passphrase, say, show

__all__ = ["demo", "found", "init", "open_page", "run", "status"]


@click.command()
@click.option("--no-passphrase", is_flag=True, help="Keep the keys unprotected on this disk.")
@click.option(
    "--listen",
    metavar="ADDRESS",
    help="Where this node listens for friends, such as /ip4/0.0.0.0/tcp/14142; "
    "default: everywhere, on a port drawn once.",
)
@json_option
@click.pass_context
def init(context: click.Context, no_passphrase: bool, listen: str | None, as_json: bool) -> None:
    """Create a profile: keys, configuration, an encrypted store."""
    from ..setup import SetupError, check_new, create

    profile = profile_of(context)
    try:
        check_new(profile, listen)
        passphrase = None if no_passphrase else read_passphrase(confirm=True)
        created = create(profile, passphrase, listen)
    except SetupError as error:
        fail(str(error))
    if no_passphrase:
        say("Warning: whoever reads this disk can read your keys, friends and secrets.", err=True)
    show(
        created,
        as_json,
        lambda answer: say(
            f"Your profile is in {answer['folder']}.\n"
            f"Next, to found a mesh: `{profile.command} found NAME`.\n"
            f"Or, with an invitation: `{profile.command} run`, and in another terminal "
            f"`{profile.command} join URI`."
        ),
    )


@click.command(epilog="\n\n".join(f"{name}: {preset.says}" for name, preset in PRESETS.items()))
@click.argument("name")
@click.option("--trial", is_flag=True, help="For trying things out: short epochs, no minimums, hides nobody.")
@click.option(
    "--preset",
    type=click.Choice(tuple(PRESETS)),
    help=f"How long posts wait, and how well they are hidden.  [default: {DEFAULT}]",
)
@click.option(
    "--bytes-per-day",
    type=click.IntRange(*BYTES_PER_DAY_RANGE),
    help="Traffic of each node, from which all waits follow.  [default: the preset's]",
)
@click.option(
    "--route-length",
    type=click.IntRange(*ROUTE_LENGTH_RANGE),
    help="Members that pass a post on before it is published.  [default: the preset's]",
)
@json_option
@click.pass_context
def found(context: click.Context, /, name: str, as_json: bool, **choices: Any) -> None:
    """Found a mesh called NAME.

    Its pace is fixed for good: everybody who joins has it. docs/simulator.md has what was measured of each preset.
    """
    from ..client import Client, ClientError, NotRunning
    from ..setup import SetupError, found_offline

    pace = [key for key, value in choices.items() if key != "trial" and value is not None]
    if choices["trial"] and pace:
        raise click.UsageError(
            f"A trial mesh has a pace of its own; leave out --{pace[0].replace('_', '-')}."
        )
    profile = profile_of(context)
    try:
        answer = Client(profile).send("POST", "/mesh", name=name, **choices)
    except NotRunning:
        try:
            answer = found_offline(profile, lambda: read_passphrase(confirm=False), name, **choices)
        except SetupError as error:
            fail(str(error))
    except ClientError as error:
        fail(str(error))
    show(
        answer,
        as_json,
        lambda mesh: say(
            f"You have founded '{mesh['name']}'.\n"
            f"Next: `{profile.command} run`, and in another terminal `{profile.command} invite`."
        ),
    )


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=None, help="Port of the local API.")
@click.pass_context
def run(context: click.Context, port: int | None) -> None:
    """Run the node until Ctrl-C or SIGTERM."""
    from ..service import ServiceError, serve

    profile = profile_of(context)
    try:
        serve(profile, lambda: read_passphrase(confirm=False), port)
    except ServiceError as error:
        fail(str(error))


@click.command()
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Show how the node is, and when you may post.

    Connections, members, what is pending, and what posting waits for.
    """
    from ..printing import print_status

    show(ask(context, "GET", "/status"), as_json, print_status)


@click.command("open")
@click.option("--print", "printed", is_flag=True, help="Print the link, and open nothing.")
@json_option
@click.pass_context
def open_page(context: click.Context, printed: bool, as_json: bool) -> None:
    """Open the page of the running node in your browser.

    The link works once, within five minutes: show it to nobody.
    """
    import webbrowser

    answer = ask(context, "POST", "/logins")
    if as_json or printed or not webbrowser.open(answer["link"]):
        show(answer, as_json, lambda answer: click.echo(answer["link"]))
    else:
        command = profile_of(context).command
        say(f"Your browser was told to open it. If nothing happens: `{command} open --print`.", err=True)


@click.command()
@click.option("--nodes", type=click.IntRange(3, 32), default=8, show_default=True)
@click.option("--seconds", type=click.IntRange(10, 3_600), default=60, show_default=True, help="At the most.")
@json_option
def demo(nodes: int, seconds: int, as_json: bool) -> None:
    """Show a whole mesh at work on this machine.

    Starts real nodes on loopback, befriends them, posts, and reports what happened. Needs no profile.
    """
    from ..demo import DemoError, run_demo
    from ..printing import print_report

    try:
        report = run_demo(nodes, seconds, lambda line: click.echo(line, err=True))
    except DemoError as error:
        fail(str(error))
    show(report, as_json, print_report)
