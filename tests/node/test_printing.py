"""What reaches the terminal: everything that others chose is shown as it is, and rearranges nothing."""

import pytest

from rumor.node.printing import print_friends, print_secret, print_status, safe

HOSTILE = "[/red] [bold]:smile: \u202egnp.exe\u200b"
SHOWN = "[/red] [bold]:smile: gnp.exe"


def status(name: str) -> dict[str, object]:
    return {
        "mesh": {"name": name, "trial": False, "members": 1, "ring_size": 1, "items": 0},
        "friends": 1,
        "connected": [name],
        "disk_bytes": 1,
        "addresses": ["/ip6/::1/tcp/1"],
        "pending": [name],
        "post": {"allowed": False, "obstacles": ["wait"], "open_at": None},
    }


def test_markup_and_invisible_characters_of_others_do_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brackets and colons are no markup in any answer, and a secret cannot turn the line around."""
    print_secret({"text": HOSTILE, "about": "2026-01-01T00:00:00+00:00"})
    print_status(status(SHOWN))
    friend = {"id": "abcdefgh", "name": SHOWN, "state": SHOWN, "words": "a b c d"}
    print_friends({"friends": [friend], "joining": [{"name": SHOWN, "state": SHOWN}]})
    out = capsys.readouterr().out
    assert out.count("[/red]") >= 5
    assert "\u202e" not in out
    assert "\u200b" not in out


def test_ordinary_text_is_left_alone() -> None:
    """Other scripts, line breaks and emoji are text."""
    for text in ("Grüße\nan alle", "שלום", "👩‍👩‍👧"):
        assert safe(text).replace("\u200d", "") == text.replace("\u200d", "")
