"""Files that are whole or not there: how everything that is a result gets onto the disk.

A file is written under a temporary name beside its place, forced to the disk and renamed. So who finds it finds all of
it, whatever happened while it was written: a kill, a power cut, a full disk.
"""

import contextlib
import errno
import os
from pathlib import Path

__all__ = ["ResultsError", "put"]


class ResultsError(Exception):
    """A sweep, a table or a place for them that will not do; the message is the sentence for the user."""


def put(path: Path, data: bytes) -> None:
    """Writes a file as a whole, in place of one of its name. Raises ``ResultsError``, and then changes nothing."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(part, data)
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ResultsError(_sentence(path, error)) from error


def _write(part: Path, data: bytes) -> None:
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes a renaming last. Where folders cannot be opened, as on Windows, the system sees to it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{path}: the disk is full; make room and give the same command again, which keeps what is done."
        )
    return f"{path} cannot be written: {error.strerror}; name another place with `--out`."
