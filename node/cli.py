"""The command line: ``rumor``.

Each command parses, asks the running node or the profile folder, and prints. Answers go to standard output, everything
else to standard error; ``--json`` prints what the API answered. Exit codes: 0 done, 1 could not be done (the message
says what to do), 2 wrong usage, 3 no node is running, 4 refused for now (try later).

libp2p, trio and the store are imported only by the commands that need them, so that help is quick.
"""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..gossip.presets import BYTES_PER_DAY_RANGE, DEFAULT, PRESETS, ROUTE_LENGTH_RANGE

if TYPE_CHECKING:
    from .client import Client
    from .profile import Profile

__all__ = ["main"]

EXIT_FAILED = 1
EXIT_NOT_RUNNING = 3
EXIT_REFUSED = 4

#: Bytes of standard input; a secret of 1,000 bytes may come with white space around it.
STDIN_SIZE_MAX = 16_384

#: Columns of a sentence on a wide terminal; longer lines are hard to read.
SENTENCE_WIDTH_MAX = 100
#: White and black of the 256 colours, which no theme changes: a code in inverse colours is not read by every camera.
QR_LIGHT, QR_DARK = 231, 16


def wrapped(text: str, width: int) -> str:
    """Breaks lines between words, and never inside a `command`, so that it can be copied."""
    kept = re.sub("`[^`]*`", lambda command: command[0].replace(" ", "\xa0"), text)
    lines = [
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in kept.splitlines()
    ]
    return "\n".join(lines).replace("\xa0", " ")


def say(text: str, *, err: bool = False) -> None:
    """Prints sentences: wrapped on a terminal, as they are elsewhere."""
    if (sys.stderr if err else sys.stdout).isatty():
        text = wrapped(text, min(shutil.get_terminal_size().columns, SENTENCE_WIDTH_MAX))
    click.echo(text, err=err)


def qr_code(uri: str) -> str:
    """An invitation as a QR code that cameras read on dark and on light terminals."""
    from ..crypto.invites import qr_terminal

    return "\n".join(click.style(line, fg=QR_LIGHT, bg=QR_DARK) for line in qr_terminal(uri).splitlines())


class InOrder(click.Group):
    """A group that lists its commands in the order in which a person meets them."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)


class Program(InOrder):
    """The whole program: our commands first, then those that other packages register as ``rumor.commands``.

    So `rumor sim` is found, and the two packages know nothing of each other.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        from importlib.metadata import entry_points

        return [*super().list_commands(context), *sorted(entry_points(group="rumor.commands").names)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        from importlib.metadata import entry_points

        command = super().get_command(context, name)
        for entry in entry_points(group="rumor.commands", name=name) if command is None else ():
            command = entry.load()
        return command


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Ends the program with one clear sentence."""
    say(f"rumor: {message}", err=True)
    sys.exit(code)


def show(answer: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], None]) -> None:
    """Prints an answer for a program or for a person."""
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        text(answer)


def profile_of(context: click.Context) -> "Profile":
    from .profile import Profile, ProfileError

    try:
        return Profile.locate(context.obj)
    except ProfileError as error:
        fail(str(error), 2)


def client_of(context: click.Context) -> "Client":
    from .client import Client, NotRunning

    try:
        return Client(profile_of(context))
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)


def ask(context: click.Context, method: str, path: str, **fields: object) -> dict[str, Any]:
    """Asks the running node; ends the program if it refuses."""
    from .client import ClientError, NotNow, NotRunning

    client = client_of(context)
    try:
        return client.get(path, **fields) if method == "GET" else client.send(method, path, **fields)
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)
    except NotNow as error:
        fail(str(error), EXIT_REFUSED)
    except ClientError as error:
        fail(str(error))


def friend_path(friend: str, rest: str = "") -> str:
    """The API's path of a friend, whatever it is called."""
    from urllib.parse import quote

    return f"/friends/{quote(friend, safe='', errors='replace')}{rest}"


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--profile",
    metavar="NAME",
    default="default",
    show_default=True,
    envvar="RUMOR_PROFILE",
    help="Which of your profiles; each is a node of its own.",
)
@click.version_option(version("rumor"), prog_name="rumor")
@click.pass_context
def main(context: click.Context, profile: str) -> None:
    """Rumor: secrets among friends, signed by a member and by nobody in particular.

    Start with `rumor init`. Keep `rumor run` going in a terminal of its own; in another one, found a mesh with
    `rumor found NAME` or take up an invitation with `rumor join URI`.
    """
    context.obj = profile


@main.command()
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
    from .setup import SetupError, check_new, create

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


@main.command(epilog="\n\n".join(f"{name}: {preset.says}" for name, preset in PRESETS.items()))
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
    from .client import Client, ClientError, NotRunning
    from .setup import SetupError, found_offline

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


@main.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=None, help="Port of the local API.")
@click.pass_context
def run(context: click.Context, port: int | None) -> None:
    """Run the node until Ctrl-C or SIGTERM."""
    from .service import ServiceError, serve

    profile = profile_of(context)
    try:
        serve(profile, lambda: read_passphrase(confirm=False), port)
    except ServiceError as error:
        fail(str(error))


@main.command()
@click.option("--name", default="", help="Your own name for the friend that you will give this to.")
@click.option(
    "--member", is_flag=True, help="For somebody who is in the mesh already: befriends, admits nobody."
)
@json_option
@click.pass_context
def invite(context: click.Context, name: str, member: bool, as_json: bool) -> None:
    """Print a one-time invitation and its QR code."""
    answer = ask(context, "POST", "/invitations", name=name, sponsor=not member)

    def text(answer: dict[str, Any]) -> None:
        if sys.stdout.isatty():
            click.echo(qr_code(answer["uri"]), err=True)
        click.echo(answer["uri"])
        say(
            "Give this to one friend, over a channel that you trust. It works once, for two to three days, while your "
            f"node runs. When your friend has joined, compare words: `{profile_of(context).command} friends`.",
            err=True,
        )

    show(answer, as_json, text)


@main.command()
@click.argument("uri")
@click.option("--name", default="", help="Your own name for the friend who invited you.")
@json_option
@click.pass_context
def join(context: click.Context, uri: str, name: str, as_json: bool) -> None:
    """Take up the invitation URI.

    It brings you into its mesh, or, if you are in that mesh already, makes one more friend there.
    """
    answer = ask(context, "POST", "/friends", uri=uri, name=name)
    show(
        answer,
        as_json,
        lambda answer: say(
            f"{answer['name']}: {answer['state']}. Next: `{profile_of(context).command} friends`."
        ),
    )


@main.group(cls=InOrder, invoke_without_command=True)
@json_option
@click.pass_context
def friends(context: click.Context, as_json: bool) -> None:
    """List friends and what each waits for; confirm or remove one."""
    if context.invoked_subcommand is None:
        from .printing import print_friends

        command = profile_of(context).command
        show(ask(context, "GET", "/friends"), as_json, lambda answer: print_friends(answer, command))


@friends.command()
@click.argument("friend")
@click.argument("words", nargs=-1)
@json_option
@click.pass_context
def confirm(context: click.Context, friend: str, words: tuple[str, ...], as_json: bool) -> None:
    """Confirm FRIEND by the four WORDS on their screen.

    Have them read to you over a channel where you know each other's voice. Without WORDS you are asked for them.
    """
    spoken = " ".join(words) or click.prompt("Type the words that your friend reads to you", err=True)
    answer = ask(context, "PUT", friend_path(friend, "/confirmation"), words=spoken)
    show(answer, as_json, lambda answer: click.echo(f"{answer['name']}: {answer['state']}"))


@friends.command()
@click.argument("friend")
@click.argument("name")
@json_option
@click.pass_context
def rename(context: click.Context, friend: str, name: str, as_json: bool) -> None:
    """Call FRIEND by another NAME on this node."""
    answer = ask(context, "PATCH", friend_path(friend), name=name)
    show(answer, as_json, lambda answer: click.echo(f"Renamed to {answer['name']}."))


@friends.command()
@click.argument("friend")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def remove(context: click.Context, friend: str, yes: bool, as_json: bool) -> None:
    """End the friendship with FRIEND."""
    if not yes:
        click.confirm(f"End the friendship with {friend}?", abort=True, err=True)
    answer = ask(context, "DELETE", friend_path(friend))
    show(answer, as_json, lambda answer: click.echo(f"{answer['removed']} is no friend any more."))


@main.command()
@click.argument("text", required=False)
@click.option("--style", type=click.IntRange(0, 63), default=0, help="A colour, for programs that show one.")
@json_option
@click.pass_context
def post(context: click.Context, text: str | None, style: int, as_json: bool) -> None:
    """Post a secret: TEXT, or standard input.

    It leaves when your node's own clock says so, and not when you post: so nobody learns when you posted.
    """
    if text is None or text == "-":
        text = read_secret()
    answer = ask(context, "POST", "/secrets", text=text, style=style)

    def tell(answer: dict[str, Any]) -> None:
        say(f"Queued, signed by one of {answer['ring_size']} members. {answer['sentence']}")
        if answer["trial"]:
            say("This is a trial mesh: it hides nobody.", err=True)

    show(answer, as_json, tell)


@main.command()
@click.option("--follow", is_flag=True, help="Go on with new secrets as they come.")
@click.option("--count", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
@click.pass_context
def feed(context: click.Context, follow: bool, count: int, as_json: bool) -> None:
    """Read the newest secrets, the latest last.

    They stand in the order in which they reached this node. With --json each is one line.
    """
    from .printing import print_secret

    if follow:
        follow_feed(client_of(context), count, lambda secret: show(secret, as_json, print_secret))
        return
    page = ask(context, "GET", "/secrets", count=count)["secrets"]
    for secret in reversed(page):
        show(secret, as_json, print_secret)
    if not page and not as_json:
        say("Nothing here yet. Secrets appear once your node is connected to a friend.", err=True)


def follow_feed(client: "Client", count: int, tell: Callable[[dict[str, Any]], None]) -> None:
    """Prints secrets until Ctrl-C, which is how this is meant to end, or until the node ends."""
    from .client import ClientError, NotRunning

    try:
        for secret in client.follow("/secrets/following", count=count):
            tell(secret)
    except KeyboardInterrupt:
        return
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)
    except ClientError as error:
        fail(str(error))
    fail("The node has ended, or you were reading too slowly.", EXIT_NOT_RUNNING)


@main.command()
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Show how the node is, and when you may post.

    Connections, members, what is pending, and what posting waits for.
    """
    from .printing import print_status

    show(ask(context, "GET", "/status"), as_json, print_status)


@main.command()
@click.option("--nodes", type=click.IntRange(3, 32), default=8, show_default=True)
@click.option("--seconds", type=click.IntRange(10, 3_600), default=60, show_default=True, help="At the most.")
@json_option
def demo(nodes: int, seconds: int, as_json: bool) -> None:
    """Show a whole mesh at work on this machine.

    Starts real nodes on loopback, befriends them, posts, and reports what happened. Needs no profile.
    """
    from .demo import DemoError, run_demo
    from .printing import print_report

    try:
        report = run_demo(nodes, seconds, lambda line: click.echo(line, err=True))
    except DemoError as error:
        fail(str(error))
    show(report, as_json, print_report)


def read_secret() -> str:
    """Reads a secret's text from standard input. Far more than a secret may have is not read to its end."""
    if sys.stdin.isatty():
        click.echo("Type the secret, then Ctrl-D on a line of its own.", err=True)
    data = sys.stdin.buffer.read(STDIN_SIZE_MAX + 1)
    if len(data) > STDIN_SIZE_MAX:
        fail("That is far too long for a secret, which has at most 1,000 bytes.")
    return data.decode(errors="surrogateescape")  # The client refuses what is not UTF-8.


def read_passphrase(*, confirm: bool) -> str:
    """Asks for the passphrase, or takes it from RUMOR_PASSPHRASE."""
    import os

    given = os.environ.get("RUMOR_PASSPHRASE")
    if given is not None:
        if not given.isprintable():  # Bytes that are not UTF-8 arrive as lone surrogates.
            fail("RUMOR_PASSPHRASE is not one line of text in UTF-8.", 2)
        return given
    if not sys.stdin.isatty():
        fail("There is no terminal to ask for the passphrase on; set RUMOR_PASSPHRASE.", 2)
    if confirm:
        say("Choose a passphrase for this profile: it opens everything, and nobody can restore it.", err=True)
    answer: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return answer
