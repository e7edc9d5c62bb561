"""Commands for what one whispers, and for what is whispered to one."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from .completion import conversation_ids, secret_ids
from .talk import id_of, item_argument
from .terminal import ask, json_option, profile_of, read_text, say, show

__all__ = ["answer", "whisper", "whispers"]

F = TypeVar("F", bound=Callable[..., Any])


@click.command()
@item_argument
@click.argument("text", required=False)
@json_option
@click.pass_context
def whisper(context: click.Context, item: str, text: str | None, as_json: bool) -> None:
    """Whisper to the author of ID.

    TEXT is what you say, or standard input. Nobody else learns of it, and neither of you learns who the other is.
    """
    _say(context, f"/secrets/{id_of(item)}/whispers", text, as_json)


@click.command()
@click.argument("conversation", metavar="ID", shell_complete=conversation_ids)
@click.argument("text", required=False)
@json_option
@click.pass_context
def answer(context: click.Context, conversation: str, text: str | None, as_json: bool) -> None:
    """Whisper in the conversation ID.

    TEXT is what you say, or standard input; `rumor whispers` shows the conversations.
    """
    _say(context, f"/whispers/{id_of(conversation, 'whispers')}", text, as_json)


def _conversation_option(name: str, says: str) -> Callable[[F], F]:
    return click.option(name, metavar="ID", help=says, shell_complete=conversation_ids)


def _secret_option(name: str, says: str) -> Callable[[F], F]:
    return click.option(name, metavar="SECRET", help=says, shell_complete=secret_ids)


@click.command()
@_conversation_option("--forget", "Erase this conversation; the other still has it.")
@_conversation_option("--end", "Erase this conversation, and drop unseen what the other still writes.")
@_secret_option("--close", "Let nobody begin to whisper about this secret of yours.")
@_secret_option("--reopen", "Let people whisper about it again.")
@click.option("--whole", is_flag=True, help="Show also what your filters keep from you.")
@json_option
@click.pass_context
def whispers(
    context: click.Context,
    forget: str | None,
    end: str | None,
    close: str | None,
    reopen: str | None,
    whole: bool,
    as_json: bool,
) -> None:
    """Show what was whispered, to you and by you.

    End the conversation with somebody who bothers you. They can begin another under a new key, as nobody knows who
    they are; then close the secret, which keeps out all but those whom you talk with already. Nobody is told.
    """
    from .cards import print_whispers

    for item, method, path, done in (
        (forget, "DELETE", "/whispers/{}", "Erased. If the other writes again, it begins anew."),
        (end, "PUT", "/whispers/{}/ended", "Ended. What the other still writes is dropped unseen."),
        (close, "PUT", "/secrets/{}/closed", "Closed. Nobody new is heard about this secret."),
        (reopen, "DELETE", "/secrets/{}/closed", "Open again to whispers."),
    ):
        if item is not None:
            ask(context, method, path.format(id_of(item, "whispers" if "whispers" in path else "feed")))
            say(done, err=True)
    found = ask(context, "GET", "/whispers", whole=int(whole))
    show(found, as_json, partial(print_whispers, command=profile_of(context).command))
    for conversation in found["conversations"]:
        if conversation["unread"] and not as_json:
            ask(context, "PUT", f"/whispers/{conversation['id']}/read")


def _say(context: click.Context, path: str, text: str | None, as_json: bool) -> None:
    said = read_text() if text is None or text == "-" else text
    show(ask(context, "POST", path, text=said), as_json, _tell)


def _tell(answer: dict[str, Any]) -> None:
    say(answer["sentence"])
    if answer["trial"]:
        say("This is a trial mesh: it hides nobody.", err=True)
