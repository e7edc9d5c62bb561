"""The folders of a node, and who may use them."""

import subprocess
import sys
from pathlib import Path

import pytest

from rumor.node.profile import KEY_FILE_SIZE_MAX, Profile, ProfileError, ProfileLocked


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    made = Profile.locate("bob", {"RUMOR_HOME": str(tmp_path)})
    made.create()
    return made


def test_a_home_of_its_own_holds_everything(tmp_path: Path, profile: Profile) -> None:
    """RUMOR_HOME moves both folders, and they are the owner's only."""
    assert profile.config_folder == profile.data_folder == tmp_path / "bob"
    assert profile.data_folder.stat().st_mode & 0o777 == 0o700
    assert not profile.exists


def test_the_platform_says_where_files_belong() -> None:
    """Without RUMOR_HOME, or with an empty one, each profile has its place among the user's own files."""
    for environment in ({}, {"RUMOR_HOME": ""}):
        found = Profile.locate("bob", environment)
        assert found.config_file.parts[-3:] == ("rumor", "bob", "config.toml")
        assert found.database_file.parts[-3:] == ("rumor", "bob", "rumor.db")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "a.b", "a b", "-a", "ä", "a\n", "a\0", "a" * 33]
)
def test_a_name_cannot_lead_elsewhere(name: str) -> None:
    """Letters, digits and dashes, and nothing that a path or an option could be made of."""
    with pytest.raises(ProfileError, match="cannot name a profile"):
        Profile.locate(name, {})


HOLD = """
import sys
from rumor.node.profile import Profile
with Profile.locate("bob", {"RUMOR_HOME": sys.argv[1]}).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time(tmp_path: Path, profile: Profile) -> None:
    """The second is told who the first is, and gets in once that one is gone, even if it was killed."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        sentence = rf"^Profile 'bob' is in use by another process \(pid {child.pid}\)\.$"
        with pytest.raises(ProfileLocked, match=sentence), profile.locked():
            pass
        child.kill()
    with profile.locked(), pytest.raises(ProfileLocked), profile.locked():
        pass
    with profile.locked():
        assert profile.lock_file.stat().st_mode & 0o777 == 0o600


def test_there_is_nothing_to_lock_before_it_is_made(tmp_path: Path) -> None:
    """A sentence, not a traceback."""
    profile = Profile.locate("x", {"RUMOR_HOME": str(tmp_path)})
    with pytest.raises(ProfileError, match="No such file"), profile.locked():
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The user learns which and why."""
    (tmp_path / "file").touch()
    with pytest.raises(ProfileError, match="cannot be made: Not a directory"):
        Profile.locate("bob", {"RUMOR_HOME": str(tmp_path / "file")}).create()


def test_the_key_is_kept(profile: Profile) -> None:
    """Written at once and whole, replaced likewise, readable by the owner only."""
    with pytest.raises(ProfileError, match="no profile 'bob' yet"):
        profile.read_key()
    profile.write_key(b"wrapped")
    profile.write_key(b"wrapped again")
    assert profile.read_key() == b"wrapped again"
    assert profile.exists
    assert profile.key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_file_that_is_none_is_refused(profile: Profile) -> None:
    """Too long, a folder, or a folder gone: one sentence each."""
    profile.key_file.write_bytes(bytes(KEY_FILE_SIZE_MAX + 1))
    with pytest.raises(ProfileError, match="is not a key file"):
        profile.read_key()
    profile.key_file.unlink()
    profile.key_file.mkdir()
    with pytest.raises(ProfileError, match="cannot be read"):
        profile.read_key()
    with pytest.raises(ProfileError, match="cannot be written"):
        profile.write_key(b"wrapped")
