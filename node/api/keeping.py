"""The routes of keeping: a reading copy and a backup, as files, and how the command line is called for this profile.

Routes and shapes, nothing else: ``exporting`` and ``backup`` do it, each in a thread, since both take a second and
more. A backup is asked for with the profile's passphrase, which costs as much to guess here as at the lock; a profile
that has none gets its backup under the one that is given. Restoring, wiping and changing the passphrase are for the
command line: a page that could would be worth too much to whoever sits down before it.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import trio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...crypto.errors import CryptoError, WrongPassphrase
from ..backup import BackupError, seal
from ..exporting import FORMATS, copy
from ..node import Node
from ..profile import Profile, ProfileError
from ..reading import Unknown
from .locking import PageLock, TooSoon
from .requests import BadRequest, body_of, choice, text

__all__ = ["keeping_routes"]

Endpoint = Callable[[Request], Awaitable[Response]]

#: Whatever is in it: a browser is to save it and not to show it.
_MEDIA_TYPE: Final = "application/octet-stream"
_ENDINGS: Final = {"markdown": "md", "json": "json"}


def keeping_routes(node: Node, profile: Profile, lock: PageLock) -> list[tuple[str, Endpoint, str]]:
    """Paths, endpoints and methods."""

    async def described(_: Request) -> Response:
        return JSONResponse({"name": profile.name, "command": profile.command})

    def answer(path: str, **query: Any) -> dict[str, Any]:
        """What ``GET`` would, for the few paths that a reading copy is made of."""
        if path == "/status":
            return {"mesh": {"name": node.reader.mesh_name}}
        if path == "/secrets":
            return node.reader.feed("new", **query)
        try:
            return node.reader.thread(node.reader.find(path.removeprefix("/secrets/")))
        except Unknown:  # It has expired, or was taken back, since its page was asked for.
            return {"replies": []}

    def get(path: str, **query: Any) -> dict[str, Any]:
        return trio.from_thread.run_sync(partial(answer, path, **query))

    async def export(request: Request) -> Response:
        form = choice(request.query_params.get("format", FORMATS[0]), "format", FORMATS)
        answer("/status")  # Without a mesh it is refused before a thread begins.
        copied = await trio.to_thread.run_sync(copy, get, form)
        return _file(copied.text.encode(), f"rumor-{profile.name}.{_ENDINGS[form]}")

    async def save(request: Request) -> Response:
        passphrase = text(await body_of(request), "passphrase")
        if not passphrase:
            raise BadRequest("A backup has a passphrase, as it is made to be carried away.")
        try:
            if lock.is_lockable:
                await lock.check(passphrase)
            sealed = await trio.to_thread.run_sync(
                partial(seal, profile, lambda _: passphrase, now=time.time())
            )
        except TooSoon as error:
            return JSONResponse({"error": str(error)}, 429, {"Retry-After": str(error.seconds)})
        except WrongPassphrase:
            return JSONResponse({"error": "That is not the passphrase."}, 403)
        except (ProfileError, CryptoError, BackupError) as error:
            return JSONResponse({"error": str(error)}, 409)
        return _file(sealed.data, f"rumor-{profile.name}.backup")

    return [("/profile", described, "GET"), ("/export", export, "GET"), ("/backup", save, "POST")]


def _file(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_MEDIA_TYPE, headers=headers)
