"""Keeping a profile, as it is typed: with a node that runs, with one that was killed, and with none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl import pwhash
from processes import LIMIT_S, PASSPHRASE, Household, Profile, free_port

from rumor.crypto import vault
from rumor.crypto.errors import WrongPassphrase
from rumor.node import profile as profiles
from rumor.node.setup import SetupError, change_passphrase, unlock


@pytest.fixture
def household(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Household]:
    """Passphrases take no second to stretch here; a node in a process of its own finds that in the vault."""
    monkeypatch.setattr(pwhash.argon2id, "OPSLIMIT_MODERATE", pwhash.argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(pwhash.argon2id, "MEMLIMIT_MODERATE", pwhash.argon2id.MEMLIMIT_MIN)
    made = Household(tmp_path)
    yield made
    made.close()


def make(household: Household, name: str = "ann") -> Profile:
    person = household.profile(name)
    done = person.ask("init", "--listen", f"/ip4/127.0.0.1/tcp/{free_port()}")
    assert done.returncode == 0, done.stderr
    return person


def located(person: Profile) -> profiles.Profile:
    return profiles.Profile.locate(person.name, {profiles.HOME_VARIABLE: str(person.home)})


def test_a_profile_is_saved_wiped_and_restored(household: Household, tmp_path: Path) -> None:
    """As a person would, beside a node that runs; wiping ends it."""
    ann = make(household)
    assert ann.ask("found", "town", "--trial").returncode == 0
    ann.start()
    file = str(tmp_path / "ann.bak")
    saved = ann.ask("backup", file)
    assert saved.returncode == 0, saved.stderr
    assert "what waits in your outbox" in saved.stdout
    again = ann.ask("backup", file)
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    exported = ann.json("export", str(tmp_path / "copy.md"))
    assert (exported["secrets"], exported["left_out"]) == (0, 0)
    words = ann.json("backup", "--words")["words"]
    assert len(words.split()) == 24

    wiped = ann.json("wipe", "--yes")
    assert wiped["key_ms"] < 1_000
    assert wiped["ended"]
    assert ann.node is not None
    _, said = ann.node.communicate(timeout=LIMIT_S)
    assert (ann.node.returncode, said.splitlines()[-1]) == (0, "Ending.")
    ann.node = None
    assert not ann.folder.exists()
    again = ann.ask("wipe", "--yes")
    assert (again.returncode, "nothing was wiped" in again.stderr) == (1, True)

    restored = ann.ask("restore", file)
    assert restored.returncode == 0, restored.stderr
    assert "Never let the old profile run again" in restored.stdout
    assert ann.json("backup", "--words")["words"] == words
    assert ann.ask("restore", file).returncode == 1


def test_words_make_a_profile_that_says_what_to_do(household: Household) -> None:
    ann = make(household)
    shown = ann.ask("backup", "--words")
    assert "Write these down on paper" in shown.stderr
    words = ann.json("backup", "--words")["words"]
    assert [word for word in shown.stdout.split() if not word.isdigit()] == words.split()
    bob = household.profile("bob")
    wrong = bob.ask("restore", "--words", stdin=words.replace(words.split()[0], "zoo", 1).encode())
    done = bob.ask("restore", "--words", stdin=words.upper().encode())
    assert done.returncode == 0, done.stderr
    assert "have yourself invited again" in done.stdout
    assert bob.json("backup", "--words")["words"] == words
    assert wrong.returncode == 1
    assert "not the 24 words" in wrong.stderr
    few = household.profile("eve").ask("restore", "--words", stdin=b"one two")
    assert (few.returncode, "these are 2" in few.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("backup",), "Name a file"),
        (("backup", "file", "--words"), "Name a file"),
        (("restore",), "Name a file"),
        (("restore", "file", "--no-passphrase"), "keeps the passphrase of the file"),
        (("wipe",), "say --yes"),
    ],
)
def test_what_is_typed_wrong_does_nothing(
    household: Household, arguments: tuple[str, ...], sentence: str
) -> None:
    ann = make(household)
    done = ann.ask(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert located(ann).exists


def test_a_name_that_is_typed_wrong_wipes_nothing(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal, the name of the profile has to be typed."""
    from rumor.node.commands import keep

    monkeypatch.setattr(keep.click, "prompt", lambda *_, **__: "bob")
    monkeypatch.setattr(keep, "fail", lambda message, code=1: (_ for _ in ()).throw(SystemExit(message)))
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _: True})())
    with pytest.raises(SystemExit, match="another name"):
        keep._confirm_wipe("ann")
    monkeypatch.setattr(keep.click, "prompt", lambda *_, **__: " ann ")
    keep._confirm_wipe("ann")


def test_the_passphrase_is_changed_and_the_old_one_opens_nothing(household: Household) -> None:
    """Neither what is there now nor what lay there before."""
    ann = make(household)
    profile = located(ann)
    key = unlock(profile, lambda: PASSPHRASE)
    with profile.key_file.open("rb") as open_before:
        ann.environment["RUMOR_NEW_PASSPHRASE"] = "a new one"
        done = ann.ask("passphrase")
        assert done.returncode == 0, done.stderr
        left = open_before.read()
    assert unlock(profile, lambda: "a new one") == key
    with pytest.raises(SetupError, match="passphrase is wrong"):
        unlock(profile, lambda: PASSPHRASE)
    with pytest.raises((vault.InvalidVault, WrongPassphrase)):
        vault.unlock(left, PASSPHRASE)
    assert profile.key_file.stat().st_mode & 0o077 == 0


def test_a_wrong_or_empty_passphrase_changes_nothing(household: Household) -> None:
    profile = located(make(household))
    before = profile.read_key()
    with pytest.raises(SetupError, match="passphrase is wrong"):
        change_passphrase(profile, lambda: "wrong", lambda: "new")
    with pytest.raises(SetupError, match="empty"):
        change_passphrase(profile, lambda: PASSPHRASE, str)
    assert profile.read_key() == before


def test_a_profile_without_passphrase_is_given_one(household: Household) -> None:
    ann = household.profile("ann")
    ann.init()
    profile = located(ann)

    def never() -> str:
        raise AssertionError("there is nothing to ask for")

    key = unlock(profile, never)
    change_passphrase(profile, never, lambda: "new")
    assert unlock(profile, lambda: "new") == key


def test_a_profile_that_is_wiped_meanwhile_does_not_come_back(household: Household) -> None:
    """Stretching a passphrase takes seconds; who wipes within them means it."""
    ann = make(household)
    profile = located(ann)

    def wipe_first() -> str:
        assert ann.json("wipe", "--yes")["left"] == {}
        return "new"

    with pytest.raises(SetupError, match="cannot be opened"):
        change_passphrase(profile, lambda: PASSPHRASE, wipe_first)
    assert not profile.exists


def test_of_two_who_change_the_passphrase_at_once_one_is_told_that_nothing_was_done(
    household: Household,
) -> None:
    """Its new passphrase would otherwise be forgotten without a word, or the other's."""
    profile = located(make(household))

    def other_first() -> str:
        change_passphrase(profile, lambda: PASSPHRASE, lambda: "theirs")
        return "ours"

    with pytest.raises(SetupError, match="changed meanwhile"):
        change_passphrase(profile, lambda: PASSPHRASE, other_first)
    unlock(profile, lambda: "theirs")
