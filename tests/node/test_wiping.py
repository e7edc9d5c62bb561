"""Wiping: the key first and at once, then the node, then the files; in whatever state the profile is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rumor.node import wiping
from rumor.node.profile import HOME_VARIABLE, Profile, ProfileError
from rumor.node.setup import create
from rumor.node.wiping import wipe

LISTEN = "/ip4/127.0.0.1/tcp/14142"

#: Holds the lock of a profile until it is told to end, or, with a second argument, for good.
HOLDER = """
import signal, sys, time
from pathlib import Path
from rumor.node.profile import Profile
folder = Path(sys.argv[1])
if len(sys.argv) > 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with Profile(name="ann", config_folder=folder, data_folder=folder).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    made = Profile.locate("ann", {HOME_VARIABLE: str(tmp_path)})
    create(made, None, LISTEN)
    return made


def hold(profile: Profile, *arguments: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(profile.data_folder), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == "locked\n"
    return process


def never(pid: int, number: int) -> None:
    raise AssertionError(f"signal {number} to {pid}")


def test_nothing_is_left_of_a_profile_but_what_others_put_there(profile: Profile) -> None:
    """Keys that a power cut left behind go, too; a backup that was kept in the folder does not."""
    other = profile.data_folder / "my.bak"
    other.write_bytes(b"backup")
    (profile.data_folder / f".key.{'0' * 16}").write_bytes(b"a key that was being written")
    profile.token_file.write_bytes(b"token")
    done = wipe(profile, send_signal=never)
    assert done["left"] == {}
    assert not done["ended"]
    assert done["key_ms"] < 1_000
    assert list(profile.data_folder.iterdir()) == [other]
    other.unlink()
    assert wipe(profile, send_signal=never)["left"] == {}
    assert not profile.data_folder.exists()
    create(profile, None, LISTEN)


def test_the_key_is_overwritten_before_it_is_removed(profile: Profile) -> None:
    """Who opened the file before finds nothing of the key in it."""
    key = profile.read_key()
    with profile.key_file.open("rb") as open_before:
        wipe(profile, send_signal=never)
        left = open_before.read()
    assert len(left) == len(key)
    assert not any(left[at : at + 8] == key[at : at + 8] for at in range(0, len(key) - 8, 8))


def test_a_crash_in_the_middle_leaves_nothing_that_opens(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes after the key may fail; and wiping again does the rest."""

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(wiping, "_end", crash)
        with pytest.raises(Crash):
            wipe(profile)
    assert profile.database_file.exists()
    with pytest.raises(ProfileError):
        profile.read_key()
    assert not profile.exists
    wipe(profile, send_signal=never)
    assert not profile.data_folder.exists()


@pytest.mark.parametrize("arguments", [(), ("stubborn",)])
def test_a_running_node_is_ended_after_the_key_is_gone(
    profile: Profile, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told to end, and killed if it does not."""
    monkeypatch.setattr(wiping, "END_S_MAX", 0.2 if arguments else 10.0)
    process = hold(profile, *arguments)
    told: list[int] = []

    def tell(pid: int, number: int) -> None:
        assert pid == process.pid
        assert not profile.key_file.exists()
        told.append(number)
        os.kill(pid, number)
        if not arguments or number == signal.SIGKILL:
            process.wait(10)

    done = wipe(profile, send_signal=tell)
    assert done["ended"]
    assert told == [signal.SIGTERM, *([signal.SIGKILL] if arguments else [])]
    assert not profile.data_folder.exists()


def test_a_number_that_a_killed_node_left_behind_is_nobody(profile: Profile) -> None:
    """It may be another process's today. Only who holds the lock is the node."""
    process = hold(profile)
    process.kill()
    process.wait(10)
    assert profile.lock_file.read_text().strip() == str(process.pid)
    assert profile.holder() is None
    assert not wipe(profile, send_signal=never)["ended"]


def test_who_ends_in_order_leaves_no_number(profile: Profile) -> None:
    with profile.locked():
        assert profile.holder() == os.getpid()
    assert profile.lock_file.read_bytes() == b""


def test_it_works_in_any_state(tmp_path: Path) -> None:
    """No folder; no key; a key that is a link, whose target is not ours; a key that nobody may write."""
    profile = Profile.locate("ann", {HOME_VARIABLE: str(tmp_path)})
    nothing = wipe(profile, send_signal=never)
    assert (nothing["found"], nothing["left"]) == (False, {})
    profile.create()
    profile.database_file.write_bytes(b"no database")
    some = wipe(profile, send_signal=never)
    assert (some["found"], some["left"]) == (True, {})
    target = tmp_path / "elsewhere"
    target.write_bytes(b"not ours")
    profile.create()
    profile.key_file.symlink_to(target)
    assert wipe(profile, send_signal=never)["left"] == {}
    assert target.read_bytes() == b"not ours"
    profile.create()
    profile.key_file.write_bytes(b"x" * 102)
    profile.key_file.chmod(0o400)
    assert wipe(profile, send_signal=never)["left"] == {}
    profile.create()
    profile.database_file.mkdir()
    assert list(wipe(profile, send_signal=never)["left"]) == [str(profile.database_file)]


def test_the_number_of_the_one_before_is_told_nothing(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the moment between taking the lock and writing its number a node shows what was there before."""
    shown = iter([1_111, 2_222, 2_222, 2_222])
    told: list[int] = []
    monkeypatch.setattr(Profile, "holder", lambda _: next(shown, None))
    wipe(profile, send_signal=lambda pid, _: told.append(pid), sleep=lambda _: None)
    assert told == [2_222]
