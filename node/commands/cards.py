"""How secrets, threads, whispers and the outbox look on a terminal. Nothing here decides anything.

Lines of ours begin at the margin, those of what people say do not.
"""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..printing import safe

__all__ = ["SHORT_ID_SIZE", "print_outbox", "print_secret", "print_thread", "print_whispers"]

#: Hexadecimal digits of an id: two of a million items begin alike once in thirty.
SHORT_ID_SIZE = 10
#: What is said of one's own mark that is on its way or taken back, before what it is.
_ON_THE_WAY = {"on_its_way": "is on its way", "being_taken_back": "is being taken back"}
_console = Console(highlight=False, markup=False, emoji=False)


def print_secret(secret: dict[str, Any], command: str = "rumor") -> None:
    """A secret, or a poll with its choices; ``command`` starts the program for this profile."""
    said = [] if secret["replies"] == 0 else [_count(secret["replies"], "reply", "replies")]
    said += ["subscribed"] if secret["subscribed"] else []
    said += [f"{secret['unread']} unread"] if secret["unread"] else []
    said += ["muted"] if secret["muted"] else []
    said += ["closed to new whispers"] if secret["closed"] else []
    _print_item(secret, "a member", said, command)
    poll = secret["poll"]
    if poll is not None and not secret["folded"]:
        waits = ", on its way" if poll["voted_state"] == "on_its_way" else ""
        for number, choice in enumerate(poll["choices"], 1):
            chosen = f"  ← your vote{waits}" if poll["voted"] == number - 1 else ""
            _print_indented(f"{number}. {safe(choice['text'])}  {choice['votes']}{chosen}")
    _console.print()


def print_thread(thread: dict[str, Any], command: str = "rumor") -> None:
    """A secret and its replies; ``command`` as for ``print_secret``."""
    print_secret(thread["secret"], command)
    for reply in thread["replies"]:
        face = reply["persona"]
        who = (
            f"{face['icon']} {face['name']}"
            + (" (OP)" if face["op"] else "")
            + (" (you)" if face["you"] else "")
        )
        _print_item(reply, who, [], command)
        _console.print()
    if thread["left_out"]:
        _console.print(
            Text(f"{thread['left_out']} left out, as you wanted; --whole shows them.", style="dim")
        )
    if thread["face"]["warning"]:
        _console.print(thread["face"]["warning"])


def print_outbox(outbox: dict[str, Any]) -> None:
    """What waits, and why."""
    if not outbox["waiting"]:
        _console.print("Nothing of yours is waiting.")
    for entry in outbox["waiting"]:
        what = entry.get("text") or entry.get("target", "")[:SHORT_ID_SIZE]
        kind = entry["kind"] if entry.get("on", True) else f"{entry['kind']} taken back"
        _console.print(Text(f"{entry['id'][:SHORT_ID_SIZE]}  {kind}  {safe(what)}"))
        _console.print(Text(f"  {entry['sentence']}", style="dim"))


def print_whispers(whispers: dict[str, Any], command: str = "rumor") -> None:
    """All conversations, with their letters; ``command`` as for ``print_secret``."""
    if not whispers["conversations"]:
        _console.print("There are no whispers here.")
    for conversation in whispers["conversations"]:
        secret = conversation["secret"]
        whose = ", a secret of yours" if conversation["mine"] else ""
        unread = f", {conversation['unread']} unread" if conversation["unread"] else ""
        ids = f"{conversation['id'][:SHORT_ID_SIZE]}, about {secret['id'][:SHORT_ID_SIZE]}"
        _console.print(Text(f"— {ids}{whose}{unread}", style="dim"))
        _print_indented(safe(secret["text"] or "The secret is gone."), "dim")
        for letter in conversation["letters"]:
            who = "you" if letter["mine"] else "the other"
            _console.print(Text(f"{who}:", style="dim"))
            if letter["filtered"] and not letter["text"]:
                _print_indented(
                    f"Has a word that you do not want to see. `{command} whispers --whole` shows it.", "dim"
                )
            else:
                _print_indented(safe(letter["text"]))
            if letter["sentence"] is not None:
                _print_indented(letter["sentence"], "dim")
        _console.print()


def _print_item(item: dict[str, Any], who: str, said: list[str], command: str) -> None:
    when = datetime.fromisoformat(item["about"]).astimezone()
    short = item["id"][:SHORT_ID_SIZE]
    parts = [short, who, f"{when:%d %b about %H:%M}"]
    parts += _hearts(item) + said + _flag(item)
    parts += ["hidden"] if item["hidden"] else []
    parts += ["yours, and still linked to you"] if item["mine"] else []
    _console.print(Text(f"— {', '.join(parts)}", style="dim"))
    if item["folded"]:
        by = _count(item["flags"], "member", "members")
        _print_indented(f"Flagged by {by}. Read it with `{command} thread {short} --unfold`.", "dim")
    else:
        _print_indented(safe(item["text"]))


def _hearts(item: dict[str, Any]) -> list[str]:
    number, own = item["hearts"], item["hearted"]
    said = [_count(number, "heart", "hearts")] if number else []
    if own == "given":
        said.append("yours" if number == 1 else "one of them yours")
    elif own is not None:
        said.append(f"your heart {_ON_THE_WAY[own]}")
    return said


def _flag(item: dict[str, Any]) -> list[str]:
    """Our own flag: those of others are told where there are enough of them."""
    own = item["flagged"]
    if own is None:
        return []
    return ["flagged by you" if own == "given" else f"your flag {_ON_THE_WAY[own]}"]


def _print_indented(text: str, style: str = "") -> None:
    """What somebody says never begins a line: else it could look as if somebody else had said the rest of it."""
    _console.print(Padding(Text(text, style=style), (0, 0, 0, 2), expand=False))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
