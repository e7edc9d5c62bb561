"""Commands for friendships: inviting, joining, confirming."""

import sys
from typing import Any

import click

from .completion import friend_names
from .terminal import InOrder, ask, fail, friend_path, json_option, make_sure, profile_of, qr_code, say, show

__all__ = ["friends", "invite", "join"]

friend_argument = click.argument("friend", shell_complete=friend_names)


@click.command()
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


@click.command()
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


@click.group(cls=InOrder, invoke_without_command=True)
@json_option
@click.pass_context
def friends(context: click.Context, as_json: bool) -> None:
    """List friends and what each waits for; confirm or remove one."""
    if context.invoked_subcommand is None:
        from ..printing import print_friends

        command = profile_of(context).command
        show(ask(context, "GET", "/friends"), as_json, lambda answer: print_friends(answer, command))


@friends.command()
@friend_argument
@click.argument("words", nargs=-1)
@json_option
@click.pass_context
def confirm(context: click.Context, friend: str, words: tuple[str, ...], as_json: bool) -> None:
    """Confirm FRIEND by the four WORDS on their screen.

    Have them read to you over a channel where you know each other's voice. Without WORDS you are asked for them.
    """
    if not words and not sys.stdin.isatty():
        fail("There is no terminal to ask for the words on: give them after the name.", 2)
    spoken = " ".join(words) or click.prompt("Type the words that your friend reads to you", err=True)
    answer = ask(context, "PUT", friend_path(friend, "/confirmation"), words=spoken)
    show(answer, as_json, lambda answer: click.echo(f"{answer['name']}: {answer['state']}"))


@friends.command()
@friend_argument
@click.argument("name")
@json_option
@click.pass_context
def rename(context: click.Context, friend: str, name: str, as_json: bool) -> None:
    """Call FRIEND by another NAME on this node."""
    answer = ask(context, "PATCH", friend_path(friend), name=name)
    show(answer, as_json, lambda answer: click.echo(f"Renamed to {answer['name']}."))


@friends.command()
@friend_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def remove(context: click.Context, friend: str, yes: bool, as_json: bool) -> None:
    """End the friendship with FRIEND."""
    if not yes:
        make_sure(f"End the friendship with {friend}?")
    answer = ask(context, "DELETE", friend_path(friend))
    show(answer, as_json, lambda answer: click.echo(f"{answer['removed']} is no friend any more."))
