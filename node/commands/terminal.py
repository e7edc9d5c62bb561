"""The terminal: how commands ask the node, print answers and end.

Answers go to standard output, everything else to standard error; ``--json`` prints what the API answered. Exit codes:
0 done, 1 could not be done (the message says what to do), 2 wrong usage, 3 no node is running, 4 refused for now (try
later). libp2p, trio and the store are imported only by the commands that need them, so that help is quick.
"""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from ..client import Client
    from ..profile import Profile

__all__ = [
    "EXIT_NOT_RUNNING",
    "InOrder",
    "ask",
    "client_of",
    "fail",
    "friend_path",
    "json_option",
    "make_sure",
    "profile_of",
    "qr_code",
    "read_passphrase",
    "read_text",
    "say",
    "show",
    "wrapped",
]

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
    from ...crypto.invites import qr_terminal

    return "\n".join(click.style(line, fg=QR_LIGHT, bg=QR_DARK) for line in qr_terminal(uri).splitlines())


class InOrder(click.Group):
    """A group that lists its commands in the order in which a person meets them."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Ends the program with one clear sentence."""
    say(f"rumor: {message}", err=True)
    sys.exit(code)


def make_sure(question: str) -> None:
    """Asks whether to go on; ends the program if not, or if there is nobody to ask."""
    if not sys.stdin.isatty():
        fail("There is no terminal to ask on; say --yes.", 2)
    click.confirm(question, abort=True, err=True)


def show(answer: dict[str, Any], as_json: bool, text: Callable[[dict[str, Any]], None]) -> None:
    """Prints an answer for a program or for a person."""
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        text(answer)


def profile_of(context: click.Context) -> "Profile":
    from ..profile import Profile, ProfileError

    try:
        return Profile.locate(context.obj)
    except ProfileError as error:
        fail(str(error), 2)


def client_of(context: click.Context) -> "Client":
    from ..client import Client, NotRunning

    try:
        return Client(profile_of(context))
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)


def ask(context: click.Context, method: str, path: str, **fields: object) -> dict[str, Any]:
    """Asks the running node; ends the program if it refuses."""
    from ..client import ClientError, NotNow, NotRunning

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


def read_text() -> str:
    """Reads from standard input what is to be said. Far more than may be said is not read to its end."""
    if sys.stdin.isatty():
        click.echo("Type what you want to say, then Ctrl-D on a line of its own.", err=True)
    data = sys.stdin.buffer.read(STDIN_SIZE_MAX + 1)
    if len(data) > STDIN_SIZE_MAX:
        fail("That is far too long: what is said has at most 1,000 bytes.")
    return data.decode(errors="surrogateescape")  # The client refuses what is not UTF-8.


def read_passphrase(*, confirm: bool, variable: str = "RUMOR_PASSPHRASE") -> str:
    """Asks for the passphrase, or takes it from an environment variable."""
    import os

    given = os.environ.get(variable)
    if given is not None:
        if not given.isprintable():  # Bytes that are not UTF-8 arrive as lone surrogates.
            fail(f"{variable} is not one line of text in UTF-8.", 2)
        return given
    if not sys.stdin.isatty():
        fail(f"There is no terminal to ask for the passphrase on; set {variable}.", 2)
    if confirm:
        say("Choose a passphrase for this profile: it opens everything, and nobody can restore it.", err=True)
    answer: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return answer
