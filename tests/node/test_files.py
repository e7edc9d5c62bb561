"""Small private files."""

import os
from pathlib import Path

import pytest

from rumor.node.files import make_private_folder, read_private, write_private


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    """Whatever the umask and what was there before."""
    old = os.umask(0)
    try:
        folder = tmp_path / "a" / "b"
        folder.mkdir(parents=True, mode=0o777)
        make_private_folder(folder)
        write_private(folder / "file", b"one")
        write_private(folder / "file", b"two")
    finally:
        os.umask(old)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "file").stat().st_mode & 0o777 == 0o600
    assert read_private(folder / "file", size_max=3) == b"two"
    assert os.listdir(folder) == ["file"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the middle does not eat the key."""

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_private(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_private(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_content_is_flushed_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content, then name, then folder: any other order loses the file in a power cut."""
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("flush"), fsync(descriptor))[1])
    monkeypatch.setattr(os, "replace", lambda old, new: (steps.append("rename"), replace(old, new))[1])
    write_private(tmp_path / "file", b"data")
    assert steps == ["flush", "rename", "flush"]


def test_a_file_that_is_too_long_or_a_link_is_not_read(tmp_path: Path) -> None:
    """Reading is bounded, and stays in the folder."""
    write_private(tmp_path / "file", b"1234")
    with pytest.raises(ValueError, match="longer than 3"):
        read_private(tmp_path / "file", size_max=3)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="link"):
        read_private(tmp_path / "link", size_max=10)
