"""Completion: what the shell offers where a person would have to copy a name or an id.

Profiles are read off the disk; friends, secrets and conversations are asked of the running node. Whatever goes wrong,
nothing is offered: a shell has no place for sentences.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..client import Client

__all__ = ["conversation_ids", "friend_names", "profile_names", "secret_ids"]

#: The newest secrets; who wants to name an older one has to copy it.
SECRETS_MAX = 200


def profile_names(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    from ..profile import names

    return [each for each in names() if each.startswith(begun)]


def friend_names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Nicknames; where one has spaces, which shells take for several words, the id."""

    def of(client: "Client") -> Iterable[str]:
        found: list[dict[str, Any]] = client.get("/friends")["friends"]
        return (each["name"] if each["name"].split() == [each["name"]] else each["id"] for each in found)

    return _offered(context, begun, of)


def secret_ids(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    return _offered(context, begun, lambda client: _ids(client.get("/secrets", count=SECRETS_MAX)["secrets"]))


def conversation_ids(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    return _offered(context, begun, lambda client: _ids(client.get("/whispers")["conversations"]))


def _ids(found: list[dict[str, Any]]) -> Iterable[str]:
    from .cards import SHORT_ID_SIZE

    return (each["id"][:SHORT_ID_SIZE] for each in found)


def _offered(context: click.Context, begun: str, of: Callable[["Client"], Iterable[str]]) -> list[str]:
    from ..client import Client, ClientError
    from ..profile import Profile, ProfileError

    try:
        # No command has run, so the context of the program has nothing but what was typed.
        client = Client(Profile.locate(context.find_root().params["profile"]))
        return [each for each in of(client) if each.lower().startswith(begun.lower())]
    except (ClientError, ProfileError):
        return []
