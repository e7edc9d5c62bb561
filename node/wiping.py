"""Wiping: a profile is made unreadable at once, and then removed.

The order is the point. First the wrapped key is overwritten and removed, which takes milliseconds and after which
nothing on the disk opens any more, whatever happens next. Then a node that still runs with the key in its memory is
told to end, and is killed if it takes too long; then the files go. Nothing of it needs the profile to be whole: what is
not there is passed over, what cannot be removed is named in the end.

A running node is found by the lock on the profile, and by nothing else: a number that a node left behind when it was
killed may be another process's today. Only files that Rumor made are removed.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from .files import leftovers, overwrite
from .profile import Profile

__all__ = ["wipe"]

#: A node ends within two seconds, if its disk obeys; then it is killed, and the system needs a moment for that.
END_S_MAX: Final = 4.0
KILL_S_MAX: Final = 2.0
_LOOK_S: Final = 0.02


def wipe(
    profile: Profile,
    *,
    send_signal: Callable[[int, int], None] = os.kill,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Wipes a profile. Never raises.

    Returns:
        ``found``, whether there was anything to wipe; ``key_ms``, after how many milliseconds the key was gone;
        ``ended``, whether a node was running; ``left``, what could not be removed, and why.
    """
    found = any(map(os.path.lexists, (profile.key_file, *_files(profile))))
    began = time.perf_counter()
    left: dict[str, str] = {}
    _destroy_keys(profile, left)
    key_ms = 1_000 * (time.perf_counter() - began)
    ended = _end(profile, send_signal, sleep)
    # Whoever was ended may have been about to write a key.
    _destroy_keys(profile, left)
    for path in _files(profile):
        _remove(path, left)
    for folder in {profile.data_folder, profile.config_folder}:
        # Somebody else's files may be there, too.
        with suppress(OSError):
            folder.rmdir()
    return {
        "profile": profile.name,
        "found": found,
        "key_ms": round(key_ms, 1),
        "ended": ended,
        "left": left,
    }


def _destroy_keys(profile: Profile, left: dict[str, str]) -> None:
    for path in (profile.key_file, *leftovers(profile.key_file)):
        _destroy(path, left)
    _flush(profile.data_folder)


def _destroy(path: Path, left: dict[str, str]) -> None:
    """Overwrites a file and removes it; one that cannot be overwritten is removed all the same."""
    with suppress(OSError):
        if not path.is_symlink():
            path.chmod(0o600)
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            overwrite(descriptor)
        finally:
            os.close(descriptor)
    _remove(path, left)


def _remove(path: Path, left: dict[str, str]) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        left[str(path)] = error.strerror or "it cannot be removed"


def _flush(folder: Path) -> None:
    """Sees to it that what was removed stays removed when the power goes."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _end(profile: Profile, send_signal: Callable[[int, int], None], sleep: Callable[[float], None]) -> bool:
    """Ends the process that has the profile locked; returns whether there was one."""
    was_running = False
    for number, seconds in ((signal.SIGTERM, END_S_MAX), (signal.SIGKILL, KILL_S_MAX)):
        told: int | None = None
        for _ in range(int(seconds / _LOOK_S)):
            holder = profile.holder()
            if holder is None:
                return was_running
            was_running = True
            # Twice the same, so that it is not what the one before left, read in the moment before it was written over.
            if holder and holder != told and holder != os.getpid() and _still(profile, holder, sleep):
                with suppress(ProcessLookupError, PermissionError):
                    send_signal(holder, number)
                told = holder
            sleep(_LOOK_S)
    return was_running


def _still(profile: Profile, holder: int, sleep: Callable[[float], None]) -> bool:
    sleep(_LOOK_S)
    return profile.holder() == holder


def _files(profile: Profile) -> Iterator[Path]:
    """Everything that is Rumor's; the lock last, so that no other node starts meanwhile."""
    database = profile.database_file
    yield from (database, database.with_name(database.name + "-journal"))
    for path in (profile.token_file, profile.config_file):
        yield from (path, *leftovers(path))
    yield profile.lock_file
