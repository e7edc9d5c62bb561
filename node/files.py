"""Small files that only their owner reads, and that are never half written.

A file is written beside its place, flushed, and renamed over it; then the folder is flushed, so that after a
power cut either the old or the new content is there. Folders are 0700, files 0600, and no symbolic link is
followed at the last step.
"""

import contextlib
import os
import secrets
from pathlib import Path

__all__ = ["leftovers", "make_private_folder", "overwrite", "read_private", "write_private"]


def make_private_folder(folder: Path) -> None:
    """Makes a folder and what is missing above it, for the owner only. OSError if that fails."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # `mode` is subject to the umask and is not applied to a folder that is there already.
    folder.chmod(0o700)


def write_private(path: Path, data: bytes) -> None:
    """Replaces a file's content, durably and all at once. OSError if that fails; the old file then stays."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def leftovers(path: Path) -> list[Path]:
    """What ``write_private`` left beside this file when the power went in the middle of it."""
    return sorted(path.parent.glob(f".{path.name}.{'[0-9a-f]' * 16}"))


def overwrite(descriptor: int) -> None:
    """Writes random bytes over an open file's content, as far as the disk obeys. OSError if that fails."""
    size = os.fstat(descriptor).st_size
    os.pwrite(descriptor, secrets.token_bytes(size), 0)
    os.fsync(descriptor)


def read_private(path: Path, *, size_max: int) -> bytes:
    """Returns a file's content; OSError if it cannot be read, ValueError if it is longer than `size_max`."""
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
        data = file.read(size_max + 1)
    if len(data) > size_max:
        raise ValueError(f"{path} is longer than {size_max} bytes")
    return data
