"""Commands for what one says: secrets, replies, marks, and taking them back."""

from typing import Any

import click

from .completion import secret_ids
from .terminal import ask, fail, json_option, make_sure, read_text, say, show

__all__ = [
    "flag",
    "heart",
    "id_of",
    "item_argument",
    "outbox",
    "poll",
    "post",
    "reply",
    "retract",
    "undo_option",
    "unlink",
    "vote",
]

item_argument = click.argument("item", metavar="ID", shell_complete=secret_ids)
undo_option = click.option("--undo", is_flag=True, help="Take it back.")


@click.command()
@click.argument("text", required=False)
@click.option("--style", type=click.IntRange(0, 63), default=0, help="A colour, for programs that show one.")
@json_option
@click.pass_context
def post(context: click.Context, text: str | None, style: int, as_json: bool) -> None:
    """Post a secret: TEXT, or standard input.

    It leaves when your node's own clock says so, and not when you post: so nobody learns when you posted.
    """
    show(ask(context, "POST", "/secrets", text=_text(text), style=style), as_json, _tell_queued)


@click.command()
@click.argument("question")
@click.argument("choices", nargs=-1, required=True)
@click.option("--style", type=click.IntRange(0, 63), default=0, help="A colour, for programs that show one.")
@json_option
@click.pass_context
def poll(context: click.Context, question: str, choices: tuple[str, ...], style: int, as_json: bool) -> None:
    """Post a secret that asks QUESTION, with two to six CHOICES."""
    answer = ask(context, "POST", "/secrets", text=question, choices=list(choices), style=style)
    show(answer, as_json, _tell_queued)


@click.command()
@item_argument
@click.argument("text", required=False)
@json_option
@click.pass_context
def reply(context: click.Context, item: str, text: str | None, as_json: bool) -> None:
    """Answer in the thread of ID with TEXT, or standard input.

    You have one face in this thread and another in every other. In your own thread everybody sees that it is you.
    """
    answer = ask(context, "POST", f"/secrets/{id_of(item)}/replies", text=_text(text))

    def tell(answer: dict[str, Any]) -> None:
        _tell_queued(answer)
        if answer["face"]["warning"]:
            click.echo(answer["face"]["warning"])

    show(answer, as_json, tell)


@click.command()
@item_argument
@undo_option
@json_option
@click.pass_context
def heart(context: click.Context, item: str, undo: bool, as_json: bool) -> None:
    """Give a heart to ID."""
    _mark(context, item, "heart", undo, as_json)


@click.command()
@item_argument
@undo_option
@json_option
@click.pass_context
def flag(context: click.Context, item: str, undo: bool, as_json: bool) -> None:
    """Warn others of ID. If enough members do, it is folded behind a notice."""
    _mark(context, item, "flag", undo, as_json)


def _mark(context: click.Context, item: str, what: str, undo: bool, as_json: bool) -> None:
    answer = ask(context, "DELETE" if undo else "PUT", f"/items/{id_of(item)}/{what}")

    def tell(answer: dict[str, Any]) -> None:
        state = answer[f"{what}ed" if what == "heart" else "flagged"]
        sentences = {
            "given": f"Your {what} is there.",
            "on_its_way": f"Your {what} is on its way.",
            "being_taken_back": f"Your {what} is being taken back.",
            None: f"There is no {what} of yours.",
        }
        say(sentences[state])

    show(answer, as_json, tell)


@click.command()
@item_argument
@click.argument("choice", type=click.IntRange(1, 6))
@json_option
@click.pass_context
def vote(context: click.Context, item: str, choice: int, as_json: bool) -> None:
    """Vote for CHOICE, a number from 1, in the poll ID. You may change your mind."""
    answer = ask(context, "PUT", f"/secrets/{id_of(item)}/vote", choice=choice - 1)

    def tell(answer: dict[str, Any]) -> None:
        is_there = answer["poll"]["voted_state"] == "given"
        say(f"Your vote for {choice} is {'there' if is_there else 'on its way'}.")

    show(answer, as_json, tell)


@click.command()
@item_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def retract(context: click.Context, item: str, yes: bool, as_json: bool) -> None:
    """Take back ID, a secret or a reply of yours.

    It is to be linked to you still, or on its way: `rumor outbox` shows the ID then. It goes from every node that hears
    of it. Who has copied it keeps the copy.
    """
    if not yes:
        make_sure(f"Take {item} back?")
    show(ask(context, "DELETE", f"/items/{id_of(item)}"), as_json, _tell_queued)


@click.command()
@click.argument("item", metavar="[ID]", required=False, shell_complete=secret_ids)
@click.option("--all", "everything", is_flag=True, help="All that you have published, and what waits.")
@json_option
@click.pass_context
def unlink(context: click.Context, item: str | None, everything: bool, as_json: bool) -> None:
    """Forget that ID is yours. You cannot take it back then, nor read whispers to it.

    What waits in your outbox can be unlinked, too, and goes on its way all the same. Your key stays, and whoever has it
    can recognise what you wrote, as long as anybody keeps that.
    """
    if (item is None) != everything:
        raise click.UsageError("Name one ID, or say --all.")
    answer = ask(context, "DELETE", "/links" if item is None else f"/items/{id_of(item)}/link")

    def tell(answer: dict[str, Any]) -> None:
        nothing = "Nothing was linked to you." if everything else "That was not linked to you."
        say(f"Unlinked: {answer['unlinked']}." if answer["unlinked"] else nothing)

    show(answer, as_json, tell)


@click.command()
@click.option("--withdraw", metavar="ID", help="Take this out; only what has not left yet, or is given up.")
@json_option
@click.pass_context
def outbox(context: click.Context, withdraw: str | None, as_json: bool) -> None:
    """Show what of yours waits, and for what."""
    from .cards import print_outbox

    if withdraw is not None:
        ask(context, "DELETE", f"/outbox/{id_of(withdraw, 'outbox')}")
        say("Gone from your outbox.", err=True)
    show(ask(context, "GET", "/outbox"), as_json, print_outbox)


def id_of(text: str, shown_by: str = "feed") -> str:
    """An id, or the first digits of one, as part of a path; ``shown_by`` is the command that shows such ids."""
    if not text or not all(digit in "0123456789abcdef" for digit in text.lower()):
        fail(f"'{text}' is no id: copy the digits that begin a line of `rumor {shown_by}`.", 2)
    return text.lower()


def _text(text: str | None) -> str:
    return read_text() if text is None or text == "-" else text


def _tell_queued(answer: dict[str, Any]) -> None:
    say(f"Queued, signed by one of {answer['ring_size']} members. {answer['sentence']}")
    if answer["trial"]:
        say("This is a trial mesh: it hides nobody.", err=True)
