"""The loopback JSON API: what the command line, and later the page, ask of a running node.

Routes and shapes, nothing else: every answer is made by ``Node``, and who may ask is the guard's affair. Errors are
``{"error": sentence}`` with a status that scripts can use: 400 for a request that makes no sense, 404 for a friend that
is not there, 409 for what the state of things does not allow, 425 for what may be tried again later, 503 for a node
that is ending, 507 for a disk that is full or broken: then nothing was done.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ...crypto.errors import CryptoError
from ...gossip.errors import LocalError, PostRefused
from ...gossip.genesis import Parameters
from ...gossip.presets import BYTES_PER_DAY_RANGE, PRESETS, ROUTE_LENGTH_RANGE, parameters
from ..account import AccountError
from ..driver import DriverEnded
from ..friends import FriendError, FriendUnknown
from ..node import Node
from ..storage.store import PAGE_COUNT_MAX, StoreError
from ..workers import WorkerError

__all__ = ["make_app"]

#: A page of the feed, if not said otherwise.
PAGE_COUNT: Final = 50
#: Items that a follower of the feed may fall behind before it is cut off.
FOLLOWER_WAITING_MAX: Final = 256


class BadRequest(Exception):
    """The request makes no sense."""


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.")
    return body


def _text(body: dict[str, Any], key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if not isinstance(value, str):
        raise BadRequest(f"'{key}' is to be a string.")
    return value


def _flag(body: dict[str, Any], key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise BadRequest(f"'{key}' is to be true or false.")
    return value


def _whole(value: object, key: str, low: int, high: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= high:
        raise BadRequest(f"'{key}' is to be a whole number from {low} to {high}.")
    return number


def _parameters(body: dict[str, Any]) -> Parameters:
    """A preset, and what is given beside it; null is as good as nothing."""
    preset = body.get("preset")
    if preset is not None and (not isinstance(preset, str) or preset not in PRESETS):
        raise BadRequest(f"'preset' is to be one of {', '.join(PRESETS)}.")
    limits = {"bytes_per_day": BYTES_PER_DAY_RANGE, "route_length": ROUTE_LENGTH_RANGE}
    given = {
        key: _whole(body[key], key, *limit) for key, limit in limits.items() if body.get(key) is not None
    }
    return parameters(preset, **given)


def _query(request: Request, key: str, low: int, high: int) -> int | None:
    value = request.query_params.get(key)
    return None if value is None else _whole(value, key, low, high)


def make_app(node: Node) -> Starlette:
    """The application, without its guard."""

    async def status(_: Request) -> Response:
        return JSONResponse(await node.status())

    async def found(request: Request) -> Response:
        body = await _body(request)
        trial = _flag(body, "trial")
        chosen = None if trial else _parameters(body)
        return JSONResponse(await node.found(_text(body, "name"), trial=trial, parameters=chosen), 201)

    async def invite(request: Request) -> Response:
        body = await _body(request)
        name, sponsor = _text(body, "name", ""), _flag(body, "sponsor")
        return JSONResponse(await node.invite(name, sponsor=sponsor), 201)

    async def join(request: Request) -> Response:
        body = await _body(request)
        return JSONResponse(await node.join(_text(body, "uri"), _text(body, "name", "")), 202)

    async def friends(_: Request) -> Response:
        return JSONResponse(node.friends())

    async def confirm(request: Request) -> Response:
        words = _text(await _body(request), "words")
        return JSONResponse(await node.confirm(request.path_params["friend"], words))

    async def rename(request: Request) -> Response:
        name = _text(await _body(request), "name")
        return JSONResponse(await node.rename(request.path_params["friend"], name))

    async def remove(request: Request) -> Response:
        return JSONResponse(await node.remove(request.path_params["friend"]))

    async def post(request: Request) -> Response:
        body = await _body(request)
        style = _whole(body.get("style", 0), "style", 0, 63)
        return JSONResponse(await node.post(_text(body, "text"), style), 201)

    async def feed(request: Request) -> Response:
        count = _query(request, "count", 1, PAGE_COUNT_MAX) or PAGE_COUNT
        return JSONResponse(await node.feed(before=_query(request, "before", 0, 2**62), count=count))

    async def follow(request: Request) -> Response:
        count = _query(request, "count", 0, PAGE_COUNT_MAX) or 0

        async def lines() -> AsyncIterator[str]:
            yield ": following\n\n"
            with suppress(DriverEnded, StoreError, WorkerError):  # The node ends, and with it the stream.
                async for secret in node.follow(count=count, waiting_max=FOLLOWER_WAITING_MAX):
                    yield f"event: secret\ndata: {json.dumps(secret)}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    routes = [
        ("/status", status, "GET"),
        ("/mesh", found, "POST"),
        ("/invitations", invite, "POST"),
        ("/friends", friends, "GET"),
        ("/friends", join, "POST"),
        ("/friends/{friend:path}/confirmation", confirm, "PUT"),
        ("/friends/{friend:path}", rename, "PATCH"),
        ("/friends/{friend:path}", remove, "DELETE"),
        ("/secrets", feed, "GET"),
        ("/secrets", post, "POST"),
        ("/secrets/following", follow, "GET"),
    ]
    return Starlette(
        routes=[Route(f"/api{path}", endpoint, methods=[method]) for path, endpoint, method in routes],
        exception_handlers={
            BadRequest: _answer(400),
            CryptoError: _answer(400),
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
