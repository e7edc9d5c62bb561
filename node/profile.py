"""A profile: the two folders in which one node keeps its files, and the lock that makes it the only one.

    configuration folder   config.toml
    data folder            key (opaque, wrapped by the passphrase), rumor.db, token, lock

Both are where the platform wants them (platformdirs); the environment variable RUMOR_HOME puts all profiles
below one folder instead, for tests and for carrying a node about. This module knows where files are and who
may touch them, not what is in them.

The lock is `flock` on a file that stays there: the system releases it when the process ends, however it ends.
libp2p listens with SO_REUSEPORT, so without it two processes could share a port and a key unseen.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from .files import make_private_folder, overwrite, read_private, write_private

__all__ = ["DEFAULT_NAME", "Profile", "ProfileError", "ProfileLocked", "names"]

DEFAULT_NAME: Final = "default"

HOME_VARIABLE: Final = "RUMOR_HOME"

# A name becomes a folder's name, a cookie's and a log field. No dots or slashes, so it cannot lead elsewhere.
NAME_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")

# A wrapped key with its salt and parameters takes about a hundred bytes.
KEY_FILE_SIZE_MAX: Final = 4096


class ProfileError(Exception):
    """The profile cannot be used. Its text is a sentence for the user."""


class ProfileLocked(ProfileError):
    """Another process uses the profile."""


def _home(environment: Mapping[str, str]) -> Path | None:
    home = environment.get(HOME_VARIABLE)
    return Path(home).absolute() if home else None


def names(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The profiles that exist, in order of the alphabet."""
    folder = _home(environment) or platformdirs.user_data_path("rumor", appauthor=False)
    found = (each.name for each in folder.glob("*") if NAME_PATTERN.fullmatch(each.name))
    return sorted(name for name in found if Profile.locate(name, environment).exists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One node's folders. Made by `locate`; nothing need exist yet."""

    name: str
    """1 to 32 letters, digits and dashes."""
    config_folder: Path
    """Holds config.toml."""
    data_folder: Path
    """Holds everything else."""

    @classmethod
    def locate(cls, name: str = DEFAULT_NAME, environment: Mapping[str, str] = os.environ) -> "Profile":
        """Returns the profile of a name. ProfileError if it is not a name."""
        if not NAME_PATTERN.fullmatch(name):
            raise ProfileError(
                f"{name!r} cannot name a profile: use 1 to 32 letters, digits and dashes, a dash not first."
            )
        home = _home(environment)
        if home is not None:
            folder = home / name
            return cls(name=name, config_folder=folder, data_folder=folder)
        return cls(
            name=name,
            config_folder=platformdirs.user_config_path("rumor", appauthor=False) / name,
            data_folder=platformdirs.user_data_path("rumor", appauthor=False) / name,
        )

    @property
    def config_file(self) -> Path:
        return self.config_folder / "config.toml"

    @property
    def key_file(self) -> Path:
        return self.data_folder / "key"

    @property
    def database_file(self) -> Path:
        return self.data_folder / "rumor.db"

    @property
    def token_file(self) -> Path:
        return self.data_folder / "token"

    @property
    def lock_file(self) -> Path:
        return self.data_folder / "lock"

    @property
    def command(self) -> str:
        """How a person starts the program for this profile."""
        return "rumor" if self.name == DEFAULT_NAME else f"rumor --profile {self.name}"

    @property
    def exists(self) -> bool:
        """Whether a node was made here."""
        return self.key_file.exists()

    def create(self) -> None:
        """Makes the folders, or closes them to others if they are there. ProfileError if that fails."""
        try:
            make_private_folder(self.config_folder)
            make_private_folder(self.data_folder)
        except OSError as error:
            raise ProfileError(f"{error.filename} cannot be made: {error.strerror}.") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps every other process out for the length of a block.

        Raises ProfileLocked if one is in already, ProfileError if there is no folder.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(self.lock_file, flags, 0o600)
        except OSError as error:
            raise ProfileError(f"{self.lock_file} cannot be opened: {error.strerror}.") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise ProfileLocked(
                    f"Profile {self.name!r} is in use by another process (pid {holder})."
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
            try:
                yield
            finally:
                # A number that stays behind could be another process's by the time somebody reads it.
                os.ftruncate(descriptor, 0)
        finally:
            # Closing releases the lock; removing the file would let two processes lock two files.
            os.close(descriptor)

    def holder(self) -> int | None:
        """The process that has the profile locked; None if nobody has, 0 if it has not said yet who it is."""
        try:
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.pread(descriptor, 20, 0).strip()
            return int(said) if said.isdigit() else 0
        finally:
            os.close(descriptor)
        return None

    def read_key(self) -> bytes:
        """Returns the wrapped key. ProfileError if there is none, or it is not one."""
        try:
            return read_private(self.key_file, size_max=KEY_FILE_SIZE_MAX)
        except FileNotFoundError:
            raise ProfileError(
                f"There is no profile '{self.name}' yet: make it with `{self.command} init`."
            ) from None
        except OSError as error:
            raise ProfileError(f"{self.key_file} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise ProfileError(f"{self.key_file} is not a key file: it is too long.") from error

    def replace_key(self, before: bytes, wrapped: bytes) -> None:
        """Replaces a wrapped key by the same under another passphrase, and overwrites the one before.

        Raises ProfileError if that fails, or if the key is not ``before`` any more: it was replaced, or wiped.
        """
        try:
            descriptor = os.open(self.key_file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise ProfileError(f"{self.key_file} cannot be opened: {error.strerror}.") from error
        try:
            if os.pread(descriptor, KEY_FILE_SIZE_MAX, 0) != before:
                raise ProfileError(f"{self.key_file} was changed meanwhile; nothing was done.")
            self.write_key(wrapped)
            with contextlib.suppress(OSError):  # The new one is there, and that is what counts.
                overwrite(descriptor)
        finally:
            os.close(descriptor)

    def write_key(self, wrapped: bytes) -> None:
        """Replaces the wrapped key, durably and all at once. ProfileError if that fails."""
        assert len(wrapped) <= KEY_FILE_SIZE_MAX
        try:
            write_private(self.key_file, wrapped)
        except OSError as error:
            raise ProfileError(f"{self.key_file} cannot be written: {error.strerror}.") from error
