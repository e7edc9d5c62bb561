"""Commands for reading: the feed, threads, and what one wants to see of them."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from .talk import id_of, item_argument, undo_option
from .terminal import EXIT_NOT_RUNNING, ask, client_of, fail, json_option, profile_of, say, show

if TYPE_CHECKING:
    from ..client import Client

__all__ = ["feed", "filters", "hide", "mute", "subscribe", "thread"]


@click.command()
@click.option("--follow", is_flag=True, help="Go on with new secrets as they come.")
@click.option("--count", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option(
    "--order",
    type=click.Choice(["new", "loved", "subscribed", "mine", "hidden"]),
    default="new",
    show_default=True,
    help="Which, and in what order; mine are those that are still linked to you.",
)
@click.option("--search", "query", default="", help="Only those with these words.")
@json_option
@click.pass_context
def feed(context: click.Context, follow: bool, count: int, order: str, query: str, as_json: bool) -> None:
    """Read the newest secrets, the latest last.

    They stand in the order in which they reached this node; with --order loved, the most loved last. With --json each
    is one line.
    """
    from .cards import print_secret

    if follow and (order != "new" or query):
        raise click.UsageError("--follow shows all that comes: leave out --order and --search.")
    printed = partial(print_secret, command=profile_of(context).command)
    if follow:
        follow_feed(client_of(context), count, lambda secret: show(secret, as_json, printed))
        return
    page = ask(context, "GET", "/secrets", count=count, order=order, query=query)
    for secret in reversed(page["secrets"]):
        show(secret, as_json, printed)
    if page["left_out"] and not as_json:
        say(f"{page['left_out']} left out, as you wanted.", err=True)
    elif not page["secrets"] and not as_json:
        nothing = "Nothing here yet. Secrets appear once your node is connected to a friend."
        say(nothing if order == "new" and not query else "There is nothing like that here.", err=True)


def follow_feed(client: "Client", count: int, tell: Callable[[dict[str, Any]], None]) -> None:
    """Prints secrets until Ctrl-C, which is how this is meant to end, or until the node ends."""
    from ..client import ClientError, NotRunning

    try:
        for news in client.follow("/news", count=count):
            if news.pop("news") == "secret":
                tell(news)
    except KeyboardInterrupt:
        return
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)
    except ClientError as error:
        fail(str(error))
    fail("The node has ended, or you were reading too slowly.", EXIT_NOT_RUNNING)


@click.command()
@item_argument
@click.option("--unfold", is_flag=True, help="Show it although it was flagged, from now on.")
@click.option("--whole", is_flag=True, help="Show also replies that you have hidden or filtered.")
@json_option
@click.pass_context
def thread(context: click.Context, item: str, unfold: bool, whole: bool, as_json: bool) -> None:
    """Read the secret ID with its replies."""
    from .cards import print_thread

    if unfold:
        ask(context, "PUT", f"/items/{id_of(item)}/unfolded")
    answer = ask(context, "GET", f"/secrets/{id_of(item)}", whole=int(whole))
    if answer["secret"]["subscribed"]:
        ask(context, "PUT", f"/secrets/{id_of(item)}/subscribed")
    show(answer, as_json, partial(print_thread, command=profile_of(context).command))


@click.command()
@item_argument
@undo_option
@json_option
@click.pass_context
def hide(context: click.Context, item: str, undo: bool, as_json: bool) -> None:
    """Do not show ID any more. Nobody learns of it."""
    _note(context, f"/items/{id_of(item)}/hidden", undo, as_json, "Hidden." if not undo else "Shown again.")


@click.command()
@item_argument
@undo_option
@json_option
@click.pass_context
def mute(context: click.Context, item: str, undo: bool, as_json: bool) -> None:
    """Do not show the thread of ID any more. Nobody learns of it."""
    _note(context, f"/secrets/{id_of(item)}/muted", undo, as_json, "Muted." if not undo else "Shown again.")


@click.command()
@item_argument
@undo_option
@json_option
@click.pass_context
def subscribe(context: click.Context, item: str, undo: bool, as_json: bool) -> None:
    """Follow the thread of ID.

    `rumor feed --order subscribed` counts what you have not read.
    """
    done = "Subscribed." if not undo else "Not subscribed any more."
    _note(context, f"/secrets/{id_of(item)}/subscribed", undo, as_json, done)


def _note(context: click.Context, path: str, undo: bool, as_json: bool, done: str) -> None:
    show(ask(context, "DELETE" if undo else "PUT", path), as_json, lambda _: say(done))


@click.command()
@click.argument("words", nargs=-1)
@click.option("--clear", is_flag=True, help="Filter nothing any more.")
@json_option
@click.pass_context
def filters(context: click.Context, words: tuple[str, ...], clear: bool, as_json: bool) -> None:
    """Show nothing that has any of these WORDS.

    They take the place of those before; without any, these are listed. A phrase of several words is one argument, in
    quotation marks.
    """
    if words or clear:
        answer = ask(context, "PATCH", "/settings", filters=list(words))
    else:
        answer = ask(context, "GET", "/settings")
    show(answer, as_json, lambda answer: say("\n".join(answer["filters"]) or "Nothing is filtered."))
