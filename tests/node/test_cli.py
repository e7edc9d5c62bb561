"""The command line in real processes: the main flow, and the sentence and exit code of each failure."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from processes import Household, Profile, until

from rumor.node.cli import main
from rumor.node.commands.terminal import qr_code, wrapped

HEAVY = ("libp2p", "trio", "starlette", "hypercorn", "apsw", "numpy", "httpx", "rich", "nacl", "coincurve")


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    made = Household(tmp_path)
    yield made
    made.close()


def failed(profile: Profile, code: int, *arguments: str, stdin: bytes | None = None) -> str:
    """Runs a command that must fail so, with one sentence and no traceback; returns what it said."""
    done = profile.ask(*arguments, stdin=stdin)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("rumor: ")]
    assert len(lines) == 1
    assert len(lines[0]) > len("rumor: ")
    return lines[0]


def test_help_imports_nothing_heavy() -> None:
    """`rumor --help` stays quick because the command line imports its libraries where it needs them."""
    code = f"import sys, rumor.node.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_lists_the_commands_in_the_order_of_use_and_whole() -> None:
    """A newcomer reads the list from the top; no line of it ends in the middle of a sentence."""
    listed = CliRunner().invoke(main, ["--help"], terminal_width=80).stdout.split("Commands:")[1]
    assert [line.split()[0] for line in listed.splitlines() if line][:4] == ["init", "found", "run", "invite"]
    assert "..." not in listed


def test_the_readme_names_only_commands_and_options_that_are_there() -> None:
    """Each line that a reader is told to type is understood."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    typed = [line for line in readme.splitlines() if line.startswith("uv run rumor ")]
    assert len(typed) > 10
    for line in typed:
        arguments = shlex.split(line, comments=True)[3:]
        understood = CliRunner().invoke(main, [*arguments, "--help"])
        assert understood.exit_code == 0, line


def test_lines_break_between_words_and_never_in_a_command() -> None:
    """What is printed in a narrow terminal can be read and copied."""
    text = "No node is running. Start it in another terminal: `rumor --profile bob run`.\nNext."
    lines = wrapped(text, 30).splitlines()
    assert max(map(len, lines)) <= 30
    assert any("`rumor --profile bob run`" in line for line in lines)
    assert lines[-1] == "Next."


def test_the_qr_code_is_dark_on_light_whatever_the_terminal() -> None:
    """Each line sets both colours, from the part of the palette that no theme changes, and puts them back."""
    lines = qr_code("rumor:abc").splitlines()
    assert len(lines) > 10
    for line in lines:
        assert line.startswith("\x1b[38;5;231m\x1b[48;5;16m")
        assert line.endswith("\x1b[0m")


def test_no_passphrase_is_asked_for_a_profile_that_cannot_be_made(household: Household) -> None:
    """Who would choose one in vain hears of it first: this passphrase would be refused for another reason."""
    ann = household.profile("ann")
    ann.environment = {"RUMOR_PASSPHRASE": "\udcff"}
    assert "listen must be" in failed(ann, 1, "init", "--listen", "127.0.0.1:1")
    ann.init("--no-passphrase")
    assert "exists already" in failed(ann, 1, "init")


def test_two_people_befriend_post_read_and_end(household: Household) -> None:
    """The main flow of the README, with every command; nothing is said on standard error that is not meant."""
    ann, bob = household.profile("ann"), household.profile("bob")
    ann.init("--json")  # with a passphrase
    bob.init()
    assert ann.ask("found", "our [/circle]", "--trial").returncode == 0
    for person in (ann, bob):
        person.launch()
    for person in (ann, bob):
        person.wait_up()
    assert "no mesh yet" in failed(bob, 1, "invite")
    household.befriend(ann, bob)
    until(lambda: bob.json("status")["post"]["allowed"])

    assert "our [/circle]" in ann.ask("status").stdout
    assert ann.ask("friends", "rename", "bob", "Bob / [b] ?#").returncode == 0
    assert "Bob / [b] ?#" in ann.ask("friends").stdout
    assert completed(bob, "friends", "rename", "a") == ["ann"]
    assert completed(ann, "friends", "rename", "") == [ann.json("friends")["friends"][0]["id"]]
    assert "nobody" in failed(ann, 1, "friends", "confirm", "nobody", "a", "b")
    assert "not the words" in failed(bob, 1, "friends", "confirm", "ann", "a", "b")
    assert "of your own" in failed(bob, 1, "join", bob.ask("invite").stdout.strip())
    assert "in the mesh" in failed(ann, 1, "found", "another")
    assert "in use" in failed(ann, 1, "run")

    follower = bob.spawn("feed", "--follow", "--json")
    assert ann.ask("post", stdin="  Grüße\n".encode()).returncode == 0
    assert follower.stdout is not None
    assert json.loads(follower.stdout.readline())["text"] == "Grüße"
    assert [secret["text"] for secret in json_lines(bob, "feed")] == ["Grüße"]
    for wrong in ("", "x" * 1_001, "a\x1b[31m"):
        assert "1 to 1,000 bytes" in failed(ann, 1, "post", stdin=wrong.encode())
    assert "UTF-8" in failed(ann, 1, "post", stdin=b"\xff\xfe")
    assert "too long" in failed(ann, 1, "post", stdin=b"x" * 100_000)

    talk(ann, bob)

    assert bob.end(signal.SIGINT)[0] == 0
    _, said = follower.communicate(timeout=30)
    assert follower.returncode == 3
    assert "has ended" in said
    failed(bob, 3, "feed")
    code, said = ann.end(signal.SIGTERM)
    assert (code, "Traceback" in said) == (0, False)
    assert not (ann.folder / "token").exists()


def talk(ann: Profile, bob: Profile) -> None:
    """What can be done about secrets, as a script would: each answer is JSON, each refusal a sentence and a status."""
    secret = str(json_lines(ann, "feed")[0]["id"])[:10]
    poll = ann.json("poll", "tea?", "yes", "no")["id"]
    assert "2 to 6 choices" in failed(ann, 1, "poll", "tea?", "yes")
    until(lambda: len(json_lines(bob, "feed")) == 2)
    assert bob.json("reply", secret, "hm")["state"] == "queued"
    assert bob.json("heart", secret)["hearted"] in {"on_its_way", "given"}
    assert bob.json("flag", secret)["flagged"] in {"on_its_way", "given"}
    assert bob.json("vote", poll, "2")["poll"]["voted"] == 1
    assert "no such choice" in failed(bob, 1, "vote", poll, "3")
    assert "no poll" in failed(bob, 1, "vote", secret, "1")
    assert "is no id" in failed(bob, 2, "heart", "x")
    assert "too short" in failed(bob, 1, "heart", "abc")
    assert "nothing like that" in failed(bob, 1, "reply", "abcdef", "x")
    assert bob.json("whisper", secret, "psst")["state"] == "queued"
    assert "yours" in failed(ann, 1, "whisper", secret, "psst")
    until(lambda: ann.json("whispers")["unread"] == 1)
    [conversation] = ann.json("whispers")["conversations"]
    assert completed(ann, "answer", "") == [conversation["id"][:10]]
    assert completed(bob, "heart", secret[:3].upper()) == [secret]
    assert ann.json("answer", conversation["id"][:6], "yes?")["conversation"] == conversation["id"]
    assert ann.json("whispers", "--close", secret)["conversations"][0]["closed"]
    ended = ann.ask("whispers", "--end", conversation["id"], "--reopen", secret)
    assert (ended.stdout, ended.stderr.count("\n")) == ("There are no whispers here.\n", 2)
    for command in ("subscribe", "mute", "hide"):
        assert bob.json(command, secret) == bob.json(command, secret, "--undo") == {}
    assert bob.json("filters", "TEA")["filters"] == ["tea"]
    assert bob.json("filters", "--clear")["filters"] == []
    until(lambda: len(ann.json("thread", secret)["replies"]) == 1)
    [reply] = ann.json("thread", secret)["replies"]
    assert "--yes" in failed(bob, 2, "retract", reply["id"])
    assert "yours" in failed(ann, 1, "retract", reply["id"], "--yes")
    assert bob.json("retract", reply["id"], "--yes")["state"] == "queued"
    until(lambda: ann.json("thread", secret)["replies"] == [])
    assert ann.json("unlink", secret) == {"unlinked": 1}
    assert "not linked" in ann.ask("unlink", secret).stdout
    until(lambda: bob.json("outbox")["waiting"] == [])
    assert "left already" in failed(bob, 1, "outbox", "--withdraw", "ab")
    assert "http://127.0.0.1:" in bob.json("open")["link"]
    opened: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webbrowser.open", lambda link: opened.append(link) or True)
        done = bob.ask("open")
    assert (len(opened), done.stdout, "--print" in done.stderr) == (1, "", True)
    assert "--yes" in failed(ann, 2, "friends", "remove", "Bob / [b] ?#")


def test_every_command_that_prints_data_prints_json_if_told() -> None:
    """But for the node itself, which prints none."""
    ours = {name: command for name, command in main.commands.items() if name != "run"}
    assert len(ours) > 30
    for name, command in ours.items():
        assert any("--json" in option.opts for option in command.params), name


def json_lines(profile: Profile, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in profile.ask(*arguments, "--json").stdout.splitlines()]


def completed(profile: Profile, *typed: str) -> list[str]:
    """What a shell offers for the last of these words."""
    shell = ShellComplete(main, {}, "rumor", "_RUMOR_COMPLETE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUMOR_HOME", str(profile.home))
        found = shell.get_completions(["--profile", profile.name, *typed[:-1]], typed[-1])
    return [each.value for each in found]


def test_profiles_are_completed_and_nothing_else_without_a_node(household: Household) -> None:
    """Folders that are no profiles are not offered; where there is no node to ask, nothing is, and nothing is said."""
    ann, bob = household.profile("ann"), household.profile("bob")
    assert completed(ann, "--profile", "") == []
    for person in (ann, bob):
        person.init()
    (ann.home / "bin").mkdir()
    assert completed(ann, "--profile", "") == ["ann", "bob"]
    assert completed(ann, "--profile", "b") == ["bob"]
    assert completed(ann, "he") == ["heart"]
    assert completed(ann, "heart", "") == completed(ann, "friends", "remove", "") == []


def test_failures_before_there_is_a_node(household: Household) -> None:
    """Each failure is one sentence that says what to do, with its exit code."""
    ann = household.profile("ann")
    assert "rumor --profile ann init" in failed(ann, 1, "run")
    assert "rumor --profile ann init" in failed(ann, 3, "status")
    assert "rumor --profile ann init" in failed(ann, 1, "found", "x")
    assert "listen must be" in failed(ann, 1, "init", "--listen", "127.0.0.1:1")
    ann.init("--json")  # with a passphrase
    assert "exists already" in failed(ann, 1, "init")
    ann.environment = {"RUMOR_PASSPHRASE": "wrong"}
    assert "passphrase is wrong" in failed(ann, 1, "run")
    ann.environment = {"RUMOR_PASSPHRASE": "\udcff"}
    assert "UTF-8" in failed(ann, 2, "run")
    ann = household.profile("bob")
    ann.init()
    assert "rumor --profile bob run" in failed(ann, 3, "post", "x")
    assert "1 to 64 bytes" in failed(ann, 1, "found", "x" * 65)
    settings = ann.folder / "config.toml"
    before = settings.read_text()
    settings.write_text(before + "lisen = 3\n")
    assert "lisen is not a setting" in failed(ann, 1, "run")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings.write_text(f'listen = ["/ip4/127.0.0.1/tcp/{port}"]\n')
        assert f"port {port}" in failed(ann, 1, "run")
        settings.write_text(before)
        assert f"port {port}" in failed(ann, 1, "run", "--port", str(port))
    (ann.folder / "rumor.db").write_bytes(os.urandom(8_192))
    assert "rumor.db" in failed(ann, 1, "run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("wait_s", [0.6, 1.2, 2.0])
@pytest.mark.slow
def test_signals_while_it_starts(household: Household, number: int, wait_s: float) -> None:
    """A signal at any moment of the start ends the node without a traceback."""
    ann = household.profile("ann")
    ann.init()
    ann.launch()
    assert ann.node is not None
    with pytest.raises(subprocess.TimeoutExpired):
        ann.node.wait(wait_s)
    code, said = ann.end(number)
    assert "Traceback" not in said
    assert code in (0, 1, -signal.SIGTERM)
