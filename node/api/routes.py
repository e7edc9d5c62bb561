"""The loopback JSON API: what the command line, and later the page, ask of a running node.

Routes and shapes, nothing else: every answer is made by ``Node``, and who may ask is the guard's affair. Errors are
``{"error": sentence}`` with a status that scripts can use: 400 for a request that makes no sense, 404 for what is not
there, 409 for what the state of things does not allow, 425 for what may be tried again later, 503 for a node that is
ending, 507 for a disk that is full or broken: then nothing was done.
"""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ...crypto.errors import CryptoError
from ...gossip.errors import LocalError, PostRefused
from ...gossip.genesis import Parameters
from ...gossip.presets import BYTES_PER_DAY_RANGE, PRESETS, ROUTE_LENGTH_RANGE, parameters
from ..account import AccountError
from ..driver import DriverEnded
from ..friends import FriendError, FriendUnknown
from ..node import Node
from ..profile import Profile
from ..reading import Unknown
from ..speaking import TooLate
from ..storage.store import StoreError
from ..workers import WorkerError
from .keeping import keeping_routes
from .locking import PageLock, lock_routes
from .requests import BadRequest, body_of, flag, text, whole
from .talk import talk_routes
from .whispers import whisper_routes

__all__ = ["make_app"]


def _parameters(body: dict[str, Any]) -> Parameters:
    """A preset, and what is given beside it; null is as good as nothing."""
    preset = body.get("preset")
    if preset is not None and (not isinstance(preset, str) or preset not in PRESETS):
        raise BadRequest(f"'preset' is to be one of {', '.join(PRESETS)}.")
    limits = {"bytes_per_day": BYTES_PER_DAY_RANGE, "route_length": ROUTE_LENGTH_RANGE}
    given = {key: whole(body[key], key, *limit) for key, limit in limits.items() if body.get(key) is not None}
    return parameters(preset, **given)


def make_app(
    node: Node,
    page: Sequence[BaseRoute] = (),
    lock: PageLock | None = None,
    profile: Profile | None = None,
) -> Starlette:
    """The application, without its guard.

    Args:
        node: who answers.
        page: the routes of what a browser shows.
        lock: locks the page.
        profile: whose files are kept; only with a lock.
    """

    async def status(_: Request) -> Response:
        return JSONResponse(await node.status())

    async def found(request: Request) -> Response:
        body = await body_of(request)
        trial = flag(body, "trial")
        chosen = None if trial else _parameters(body)
        return JSONResponse(await node.found(text(body, "name"), trial=trial, parameters=chosen), 201)

    async def invite(request: Request) -> Response:
        body = await body_of(request)
        name, sponsor = text(body, "name", ""), flag(body, "sponsor")
        return JSONResponse(await node.invite(name, sponsor=sponsor), 201)

    async def join(request: Request) -> Response:
        body = await body_of(request)
        return JSONResponse(await node.join(text(body, "uri"), text(body, "name", "")), 202)

    async def friends(_: Request) -> Response:
        return JSONResponse(node.friends())

    async def confirm(request: Request) -> Response:
        words = text(await body_of(request), "words")
        return JSONResponse(await node.confirm(request.path_params["friend"], words))

    async def rename(request: Request) -> Response:
        name = text(await body_of(request), "name")
        return JSONResponse(await node.rename(request.path_params["friend"], name))

    async def remove(request: Request) -> Response:
        return JSONResponse(await node.remove(request.path_params["friend"]))

    routes = [
        ("/status", status, "GET"),
        ("/mesh", found, "POST"),
        ("/invitations", invite, "POST"),
        ("/friends", friends, "GET"),
        ("/friends", join, "POST"),
        ("/friends/{friend:path}/confirmation", confirm, "PUT"),
        ("/friends/{friend:path}", rename, "PATCH"),
        ("/friends/{friend:path}", remove, "DELETE"),
        *talk_routes(node, lock),
        *whisper_routes(node),
        *(lock_routes(lock) if lock is not None else ()),
        *(keeping_routes(node, profile, lock) if profile is not None and lock is not None else ()),
    ]
    return Starlette(
        routes=[
            *page,
            *(Route(f"/api{path}", endpoint, methods=[method]) for path, endpoint, method in routes),
        ],
        exception_handlers={
            BadRequest: _answer(400),
            CryptoError: _answer(400),
            Unknown: _answer(404),
            TooLate: _answer(409),
            LocalError: _answer(400),
            FriendUnknown: _answer(404),
            FriendError: _answer(409),
            AccountError: _answer(409),
            PostRefused: _refused,
            DriverEnded: _answer(503),
            WorkerError: _answer(503),
            StoreError: _answer(507),
            HTTPException: _no_such_thing,
        },
    )


def _answer(status: int) -> Callable[[Request, Exception], Response]:
    return lambda _, error: JSONResponse({"error": str(error)}, status)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, PostRefused)
    return JSONResponse({"error": str(error), "obstacles": list(error.obstacles)}, 425)


def _no_such_thing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": f"There is nothing like that here: {error.detail}."}, error.status_code)
