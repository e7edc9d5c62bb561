"""What reaches the terminal: everything that others chose is shown as it is, and rearranges nothing."""

import pytest

from rumor.node.commands.cards import print_outbox, print_secret, print_thread, print_whispers
from rumor.node.printing import print_friends, print_status, safe

CARD = {
    "id": "ab" * 32,
    "text": "hm",
    "about": "2026-01-01T00:00:00+00:00",
    "mine": False,
    "hearts": 0,
    "hearted": None,
    "flags": 0,
    "flagged": None,
    "folded": False,
    "hidden": False,
    "replies": 0,
    "subscribed": False,
    "unread": 0,
    "muted": False,
    "closed": False,
    "poll": None,
}
HOSTILE = "[/red] [bold]:smile: \u202egnp.exe\u200b"
SHOWN = "[/red] [bold]:smile: gnp.exe"
NO_FACE = {"said": 0, "warning": None}


def status(name: str) -> dict[str, object]:
    return {
        "mesh": {"name": name, "trial": False, "members": 1, "ring_size": 1, "items": 0},
        "friends": 1,
        "connected": [name],
        "disk_bytes": 1,
        "addresses": ["/ip6/::1/tcp/1"],
        "pending": [name],
        "post": {"allowed": False, "obstacles": ["wait"], "open_at": None},
        "mixing": None,
        "meter": None,
        "outbox": [],
    }


def test_markup_and_invisible_characters_of_others_do_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brackets and colons are no markup in any answer, and a secret cannot turn the line around."""
    item = {**CARD, "text": HOSTILE, "hearts": 1, "hearted": "given"}
    poll = {"choices": [{"text": HOSTILE, "votes": 1}], "voted": 0, "voted_state": "given"}
    card = {**item, "replies": 1, "subscribed": True, "unread": 1, "closed": True, "poll": poll}
    reply = {**item, "persona": {"icon": "🦊", "colour": "red", "name": "red fox", "op": True, "you": False}}
    print_thread({"secret": card, "replies": [reply], "left_out": 1, "face": NO_FACE})
    print_outbox({"waiting": [{"id": "cd" * 32, "kind": "reply", "text": HOSTILE, "sentence": "Waits."}]})
    letter = {"mine": False, "text": HOSTILE, "filtered": False, "sentence": None}
    shown = {"id": "ab" * 32, "text": HOSTILE}
    about = {"id": "ab" * 32, "mine": True, "unread": 1, "secret": shown, "letters": [letter]}
    print_whispers({"conversations": [about]})
    print_status(status(SHOWN))
    friend = {"id": "abcdefgh", "name": SHOWN, "state": SHOWN, "words": "a b c d"}
    print_friends({"friends": [friend], "joining": [{"name": SHOWN, "state": SHOWN}], "invitations": 0})
    out = capsys.readouterr().out
    assert out.count("[/red]") >= 10
    assert "\u202e" not in out
    assert "\u200b" not in out


def test_nobody_can_make_up_what_somebody_else_has_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Only our own lines begin at the margin, however a text breaks: else it could bring a reply by the author."""
    forged = "— abcdef, 🦊 red fox (OP), 01 Jan about 00:00"
    text = "\n".join([f"hm\n\n{forged}", "x" * 79 + " " + forged, "\u2028" + forged, "you: yes"])
    item = {**CARD, "text": text}
    poll = {"choices": [{"text": "y" * 76 + forged, "votes": 1}], "voted": 0, "voted_state": "given"}
    card = {**item, "replies": 1, "poll": poll}
    reply = {
        **item,
        "persona": {"icon": "🐰", "colour": "red", "name": "a rabbit", "op": False, "you": False},
    }
    print_thread({"secret": card, "replies": [reply], "left_out": 0, "face": NO_FACE})
    letter = {"mine": False, "text": text, "filtered": False, "sentence": None}
    folded = {"mine": False, "text": "", "filtered": True, "sentence": None}
    about = {
        "id": "cd" * 32,
        "mine": True,
        "unread": 0,
        "secret": {"id": "ab" * 32, "text": text},
        "letters": [letter, folded],
    }
    print_whispers({"conversations": [about]})
    out = capsys.readouterr().out
    assert [line[:12] for line in out.splitlines() if line.strip() and not line.startswith("  ")] == [
        "— ababababab",
        "— ababababab",
        "— cdcdcdcdcd",
        "the other:",
        "the other:",
    ]
    assert "a word that you do not want to see" in out


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({"hearts": 2, "hearted": "given"}, ", 2 hearts, one of them yours"),
        ({"hearts": 1, "hearted": "given"}, ", 1 heart, yours"),
        ({"hearted": "on_its_way"}, ", your heart is on its way"),
        ({"hearts": 1, "hearted": "being_taken_back"}, ", 1 heart, your heart is being taken back"),
        ({"flags": 1, "flagged": "given"}, ", flagged by you"),
        ({"hidden": True, "muted": True}, ", muted, hidden"),
    ],
)
def test_marks_are_told_in_words(
    capsys: pytest.CaptureFixture[str], marks: dict[str, object], words: str
) -> None:
    """One's own with what becomes of them; flags of others only where there are enough."""
    print_secret({**CARD, **marks})
    assert f"{words} hm" in " ".join(capsys.readouterr().out.split())
    print_secret({**CARD, "flags": 1})
    assert "flag" not in capsys.readouterr().out


def test_what_is_folded_says_how_it_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """By how many it was flagged, and the whole command, for this profile."""
    print_secret({**CARD, "folded": True, "flags": 5}, "rumor --profile bob")
    out = " ".join(capsys.readouterr().out.split())
    assert out.endswith(
        "Flagged by 5 members. Read it with `rumor --profile bob thread ababababab --unfold`."
    )
    assert "hm" not in out


def test_a_vote_that_is_on_its_way_is_not_yet_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """And says so, since nobody sees it yet."""
    choices = [{"text": "tea", "votes": 0}, {"text": "coffee", "votes": 0}]
    print_secret({**CARD, "poll": {"choices": choices, "voted": 1, "voted_state": "on_its_way"}})
    assert "2. coffee  0  ← your vote, on its way" in capsys.readouterr().out


def test_ordinary_text_is_left_alone() -> None:
    """Other scripts, line breaks and emoji are text."""
    for text in ("Grüße\nan alle", "שלום", "👩‍👩‍👧"):
        assert safe(text).replace("\u200d", "") == text.replace("\u200d", "")


def test_marks_do_not_pile_up() -> None:
    """They would cover what others have said above; words of scripts that need a few stay whole."""
    assert safe("a" + "\u0301" * 1_000 + "b" + "\u0301") == "a" + "\u0301" * 6 + "b\u0301"
    for text in ("Việt Nam", "שָׁלוֹם", "क्षत्रिय", "ภาษาไทย", "e\u0301\u0323"):
        assert safe(text) == text


def test_an_open_invitation_is_shown_and_the_next_step_names_the_profile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who has invited somebody sees that it is pending, and is not told to begin again."""
    print_friends({"friends": [], "joining": [], "invitations": 1}, "rumor --profile bob")
    assert capsys.readouterr().out == "Invitations that nobody has taken up yet: 1.\n"
    friend = {"id": "abcdefgh", "name": "ann", "state": "compare", "words": "a b c d"}
    print_friends({"friends": [friend], "joining": [], "invitations": 0}, "rumor --profile bob")
    assert "rumor --profile bob friends confirm" in capsys.readouterr().out


def test_the_status_shows_what_a_post_would_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Waits, cover and relay keys in words; of a clock that does not run, only why."""
    clock = {
        "running": True,
        "since": 0.0,
        "waits_for": None,
        "interval_s": 353.9,
        "bytes_per_day": 200_000_000,
    }
    mixing = {
        "own_clock": clock,
        "slot_wait_s": 353.9,
        "relaying_s": 212.0,
        "relay_keys": 40,
        "relay_keys_min": 8,
        "hides_if": "Among 50 members if none of them spies.",
        "ticks": 10,
        "cover_packets": 9,
        "relayed": 31,
        "loops_returned": 4,
        "loops_lost": 1,
        "packets_in": 520,
        "packets_out": 510,
        "copies_per_packet": 1.04,
    }
    allowed = {"allowed": True, "ring_size": 50}
    shown = {**status("town"), "post": allowed, "mixing": mixing, "outbox": [{"sentence": "Waits to leave."}]}
    print_status(shown)
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "about 6 minutes for a slot",
        "about 4 minutes on its way",
        "40 may be used",
        "Waits to leave.",
    ):
        assert words in out
    clock.update(running=False, since=None, waits_for="It starts once you count.")
    print_status({**shown, "post": {"allowed": False, "obstacles": ["You are new."], "open_at": None}})
    out = " ".join(capsys.readouterr().out.split())
    assert "does not run yet. It starts once you count." in out
    assert "for a slot" not in out
