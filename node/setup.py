"""Setting up a profile: its folders, configuration, wrapped key and encrypted store, before any node runs."""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import trio

from ..crypto import vault
from ..crypto.errors import CryptoError
from ..gossip.errors import LocalError
from ..gossip.presets import parameters
from .account import Account, AccountError
from .config import Config, ConfigError, new_config, parse, write_config
from .profile import Profile, ProfileError
from .storage.database import open_store
from .storage.store import Store, StoreError

__all__ = [
    "SetupError",
    "build",
    "change_passphrase",
    "check_new",
    "create",
    "found_offline",
    "opened_store",
    "unlock",
]

#: Bytes of the key that opens the store; the passphrase wraps it.
STORE_KEY_SIZE = 32


class SetupError(Exception):
    """The profile cannot be set up or opened; the message says why and what to do."""


def check_new(profile: Profile, listen: str | None) -> None:
    """Looks for what would make ``create`` fail, before a passphrase is chosen. Raises ``SetupError``."""
    if profile.exists:
        raise SetupError(f"Profile '{profile.name}' exists already, in {profile.data_folder}.")
    try:
        _config(profile, listen)
    except ConfigError as error:
        raise SetupError(str(error)) from error


def create(profile: Profile, passphrase: str | None, listen: str | None) -> dict[str, Any]:
    """Makes a profile; ``passphrase`` None keeps its key unprotected. Raises ``SetupError``."""
    return build(profile, passphrase, listen, Account.make)


def build(
    profile: Profile,
    passphrase: str | None,
    listen: str | None,
    fill: Callable[[Store], Awaitable[object]],
) -> dict[str, Any]:
    """As ``create``, with what ``fill`` puts into the new store. Raises ``SetupError``."""
    check_new(profile, listen)
    if passphrase == "":
        raise SetupError("An empty passphrase protects nothing: choose one, or say --no-passphrase.")
    key = os.urandom(STORE_KEY_SIZE)
    try:
        config = _config(profile, listen)
        profile.create()
        with profile.locked():
            if profile.exists:  # Made by another process since we looked.
                raise SetupError(f"Profile '{profile.name}' exists already, in {profile.data_folder}.")
            write_config(profile.config_file, config)
            trio.run(_prepare, profile, key, fill)
            wrapped = (
                vault.lock_without_passphrase(key) if passphrase is None else vault.lock(key, passphrase)
            )
            profile.write_key(wrapped)
    except (ProfileError, ConfigError, StoreError, AccountError) as error:
        raise SetupError(str(error)) from error
    return {"profile": profile.name, "folder": str(profile.data_folder), "listen": list(config.listen)}


def _config(profile: Profile, listen: str | None) -> Config:
    config = new_config()
    if listen is not None:
        config = msgspec.structs.replace(config, listen=(listen,))
    elif not _has_ipv6():
        config = msgspec.structs.replace(config, listen=config.listen[:1])
    # Reading back what is about to be written checks what the person typed.
    return parse(msgspec.toml.encode(config), profile.config_file)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def _prepare(profile: Profile, key: bytes, fill: Callable[[Store], Awaitable[object]]) -> None:
    """A store left behind by an interrupted attempt has a key that nobody knows any more."""
    profile.database_file.unlink(missing_ok=True)
    async with open_store(profile.database_file, key) as store:
        await fill(store)


def unlock(profile: Profile, ask_passphrase: Callable[[], str]) -> bytes:
    """The key of the profile's store. Raises ``SetupError``, for a wrong passphrase too."""
    try:
        wrapped = profile.read_key()
        if vault.needs_passphrase(wrapped):
            return vault.unlock(wrapped, ask_passphrase())
        return vault.unlock_without_passphrase(wrapped)
    except ProfileError as error:
        raise SetupError(str(error)) from error
    except CryptoError as error:
        # The sentence for the person is the error's text or else its docstring.
        raise SetupError(
            f"{profile.key_file}: {error}" if str(error) else str(type(error).__doc__)
        ) from error


def change_passphrase(
    profile: Profile, ask_passphrase: Callable[[], str], ask_new: Callable[[], str]
) -> None:
    """Puts the key of a profile under another passphrase, whether its node runs or not. Raises ``SetupError``."""
    key = unlock(profile, ask_passphrase)
    try:
        before = profile.read_key()
        new = ask_new()
        if not new:
            raise SetupError("An empty passphrase protects nothing: nothing was changed.")
        profile.replace_key(before, vault.lock(key, new))
    except ProfileError as error:
        raise SetupError(str(error)) from error


@asynccontextmanager
async def opened_store(profile: Profile, key: bytes) -> AsyncIterator[Store]:
    """The profile's store, for the length of a block. Raises ``SetupError``."""
    try:
        async with open_store(profile.database_file, key) as store:
            yield store
    except StoreError as error:
        raise SetupError(str(error)) from error


def found_offline(
    profile: Profile,
    ask_passphrase: Callable[[], str],
    name: str,
    *,
    trial: bool,
    preset: str | None = None,
    bytes_per_day: int | None = None,
    route_length: int | None = None,
) -> dict[str, Any]:
    """Founds a mesh while no node runs; for the choices see ``gossip.presets``. Raises ``SetupError``."""
    chosen = None if trial else parameters(preset, bytes_per_day=bytes_per_day, route_length=route_length)

    async def work() -> dict[str, Any]:
        async with opened_store(profile, key) as store:
            genesis = await (await Account.load(store)).found(name, trial=trial, parameters=chosen)
            return {"name": genesis.name, "id": genesis.mesh_id.hex(), "trial": trial}

    try:
        key = unlock(profile, ask_passphrase)
        with profile.locked():
            return trio.run(work)
    except (ProfileError, AccountError, LocalError) as error:
        raise SetupError(str(error)) from error
