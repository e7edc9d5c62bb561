"""Exporting: a reading copy of all secrets and threads that a node holds, as Markdown or JSON.

Asks a running node page by page, as any reader does. Not a backup: nothing is made of it again. What tells one's own
secrets, hearts, flags and votes from others' is left out, so that the file shows no more of its owner than that it was
made; it is not encrypted, and holds what others have said, too, beyond the day on which it expires in the mesh.

Texts are other people's and stand in Markdown as indented code, where no picture is loaded and no tag is obeyed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .files import write_private

__all__ = ["FORMATS", "Copy", "ExportError", "copy", "export"]

FORMATS: Final = ("markdown", "json")
_PAGE_COUNT: Final = 200

#: Asks the node for a path with a query.
Get = Callable[..., dict[str, Any]]


class ExportError(Exception):
    """The copy cannot be made; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A reading copy."""

    text: str = field(repr=False)
    secret_count: int
    reply_count: int
    left_out_count: int
    """Secrets that the reader does not want to see."""


def copy(get: Get, form: str) -> Copy:
    """Puts a reading copy together, in one of ``FORMATS``. Raises what ``get`` raises."""
    mesh = (get("/status")["mesh"] or {}).get("name", "")
    secrets, left_out = _secrets(get)
    return Copy(
        text=_markdown(mesh, secrets) if form == "markdown" else _json(mesh, secrets),
        secret_count=len(secrets),
        reply_count=sum(len(secret["replies"]) for secret in secrets),
        left_out_count=left_out,
    )


def export(get: Get, path: Path, form: str, *, replace: bool) -> dict[str, Any]:
    """Writes a reading copy into a file. Raises ``ExportError``, and what ``get`` raises."""
    if path.exists() and not replace:
        raise ExportError(f"{path} is there already: choose another name, or say --force.")
    made = copy(get, form)
    try:
        write_private(path, made.text.encode())
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}.") from error
    return {
        "file": str(path),
        "secrets": made.secret_count,
        "replies": made.reply_count,
        "left_out": made.left_out_count,
    }


def _secrets(get: Get) -> tuple[list[dict[str, Any]], int]:
    """All secrets with their replies, the oldest first, and how many their reader does not want to see."""
    found: dict[str, dict[str, Any]] = {}
    left_out, before = 0, None
    while True:
        page = get("/secrets", count=_PAGE_COUNT, before=before)
        # If the secret before which we ask has expired meanwhile, the pages begin anew.
        new = [card for card in page["secrets"] if card["id"] not in found]
        found.update((card["id"], card) for card in new)
        left_out += page["left_out"]
        if not page["more"] or not new:
            break
        before = new[-1]["id"]
    return [_secret(get, card) for card in reversed(found.values())], left_out


def _secret(get: Get, card: dict[str, Any]) -> dict[str, Any]:
    replies = get(f"/secrets/{card['id']}")["replies"] if card["replies"] else []
    poll = card["poll"]
    return {
        **_said(card),
        "choices": [{"text": each["text"], "votes": each["votes"]} for each in poll["choices"]]
        if poll
        else [],
        "replies": [
            {**_said(reply), "persona": reply["persona"]["name"], "op": reply["persona"]["op"]}
            for reply in replies
        ],
    }


def _said(card: dict[str, Any]) -> dict[str, Any]:
    return {key: card[key] for key in ("id", "about", "text", "hearts")}


def _json(mesh: str, secrets: list[dict[str, Any]]) -> str:
    return json.dumps({"mesh": mesh, "secrets": secrets}, ensure_ascii=False, indent=1) + "\n"


def _markdown(mesh: str, secrets: list[dict[str, Any]]) -> str:
    parts = ["# A reading copy\n", _code(mesh)]
    for secret in secrets:
        parts += [f"## About {secret['about']}\n", _code(secret["text"])]
        parts += [_code(f"{choice['votes']:>4}  {choice['text']}") for choice in secret["choices"]]
        parts.append(_hearts(secret))
        for reply in secret["replies"]:
            author = ", who wrote the secret" if reply["op"] else ""
            parts += [f"**{reply['persona']}**{author}:\n", _code(reply["text"]), _hearts(reply)]
    return "\n".join(part for part in parts if part)


def _code(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _hearts(said: dict[str, Any]) -> str:
    count = said["hearts"]
    return f"{count} heart{'' if count == 1 else 's'}\n" if count else ""
