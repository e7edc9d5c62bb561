"""Exports: everything that is held, once, harmless to look at, and the same from whoever's node it comes."""

import json
from pathlib import Path
from typing import Any

import pytest

from rumor.node.exporting import ExportError, export

HOSTILE = "![x](http://evil.example/pixel.png)\n<script>alert(1)</script>\u2028# not a heading"


def said(number: int, text: str = "text", **more: Any) -> dict[str, Any]:
    own = {"mine": True, "hearted": "given", "flagged": "given", "hidden": False}
    return {
        "id": f"{number:064x}",
        "about": "2027-01-15T08:00:00+00:00",
        "text": text,
        "hearts": number,
        **own,
        **more,
    }


def card(number: int, text: str = "text", **more: Any) -> dict[str, Any]:
    return {**said(number, text), "replies": 0, "poll": None, **more}


class Node:
    """Answers as the API does."""

    def __init__(
        self, cards: list[dict[str, Any]], replies: dict[str, list[dict[str, Any]]] | None = None
    ) -> None:
        self.cards = cards
        self.replies = replies or {}

    def get(self, path: str, *, count: int = 0, before: str | None = None) -> dict[str, Any]:
        if path == "/status":
            return {"mesh": {"name": "Night owls"}}
        if path == "/secrets":
            ids = [each["id"] for each in self.cards]
            start = ids.index(before) + 1 if before in ids else 0
            more = start + count < len(ids)
            return {
                "secrets": self.cards[start : start + count],
                "more": more,
                "left_out": 0 if before else 3,
            }
        return {"replies": self.replies[path.removeprefix("/secrets/")]}


def test_all_pages_are_written_the_oldest_first(tmp_path: Path) -> None:
    cards = [card(number) for number in range(450)]
    file = tmp_path / "copy.json"
    made = export(Node(cards).get, file, "json", replace=False)
    assert (made["secrets"], made["left_out"]) == (450, 3)
    written = json.loads(file.read_text())
    assert written["mesh"] == "Night owls"
    assert [each["id"] for each in written["secrets"]] == [each["id"] for each in reversed(cards)]
    assert file.stat().st_mode & 0o077 == 0


def test_pages_that_begin_anew_end_and_nothing_stands_twice(tmp_path: Path) -> None:
    """The secret before which was asked has expired meanwhile."""
    node = Node([card(number) for number in range(450)])

    def get(path: str, **query: Any) -> dict[str, Any]:
        if query.get("before"):
            query["before"] = "f" * 64
        return node.get(path, **query)

    assert export(get, tmp_path / "copy.json", "json", replace=False)["secrets"] == 200


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_the_copy_does_not_tell_own_from_others(tmp_path: Path, form: str) -> None:
    """A file that lies about shows what was said, and not by whom."""
    one, other = tmp_path / "one", tmp_path / "other"
    persona = {"name": "red fox", "op": True}
    for file, own in ((one, True), (other, False)):
        face = {**persona, "you": own}
        poll = {"choices": [{"text": "sea", "votes": 2}], "voted": 0 if own else None}
        mine = {"mine": own, "hearted": "given" if own else None, "flagged": None, "voted": own}
        cards = [card(1, poll=poll, replies=1, **mine)]
        replies = {cards[0]["id"]: [said(2, "hm", persona=face, **mine)]}
        made = export(Node(cards, replies).get, file, form, replace=False)
        assert (made["secrets"], made["replies"]) == (1, 1)
    assert one.read_bytes() == other.read_bytes()
    assert "red fox" in one.read_text()
    assert "sea" in one.read_text()


def test_what_others_said_does_nothing_in_markdown(tmp_path: Path) -> None:
    """Each of its lines is code: no picture is loaded, no tag obeyed, no heading made."""
    file = tmp_path / "copy.md"
    persona = {"name": "red fox", "op": False}
    cards = [card(1, HOSTILE, replies=1, poll={"choices": [{"text": HOSTILE, "votes": 1}]})]
    replies = {cards[0]["id"]: [said(2, HOSTILE, persona=persona)]}
    export(Node(cards, replies).get, file, "markdown", replace=False)
    lines = file.read_text().splitlines()
    hostile = [line for line in lines if any(sign in line for sign in ("evil", "<script>", "# not"))]
    assert len(hostile) == 9
    assert all(line.startswith("    ") for line in hostile)
    for at, line in enumerate(lines):
        if line.startswith("    "):
            assert lines[at - 1].startswith("    ") or not lines[at - 1], "code needs an empty line before it"


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "copy.md"
    file.write_text("precious")
    with pytest.raises(ExportError, match="--force"):
        export(Node([]).get, file, "markdown", replace=False)
    export(Node([]).get, file, "markdown", replace=True)
    with pytest.raises(ExportError, match="cannot be written"):
        export(Node([]).get, tmp_path / "none" / "copy.md", "markdown", replace=False)
