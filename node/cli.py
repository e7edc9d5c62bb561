"""The command line: ``rumor``.

Each command parses, asks the running node or the profile folder, and prints. Answers go to standard output, everything
else to standard error; ``--json`` prints what the API answered. Exit codes: 0 done, 1 could not be done (the message
says what to do), 2 wrong usage, 3 no node is running, 4 refused for now (try later).

libp2p, trio and the store are imported only by the commands that need them, so that help is quick.
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from .client import Client
    from .profile import Profile

__all__ = ["main"]

EXIT_FAILED = 1
EXIT_NOT_RUNNING = 3
EXIT_REFUSED = 4


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Ends the program with one clear sentence."""
    click.echo(f"rumor: {message}", err=True)
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
        return Profile(context.obj)
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
    from .client import ClientError, NotRunning

    client = client_of(context)
    try:
        return client.get(path, **fields) if method == "GET" else client.send(method, path, **fields)
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)
    except ClientError as error:
        fail(str(error), EXIT_REFUSED)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--profile", default="default", show_default=True, envvar="RUMOR_PROFILE", help="Which of your profiles."
)
@click.version_option(version("rumor"), prog_name="rumor")
@click.pass_context
def main(context: click.Context, profile: str) -> None:
    """Rumor: secrets among friends, signed by a member and by nobody in particular.

    Start with `rumor init`, then `rumor found NAME` or `rumor join URI`, and keep `rumor run` going.
    """
    context.obj = profile
