"""The routes of whispers. Routes and shapes, nothing else: ``whispering`` does it."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..node import Node
from .requests import body_of, text

__all__ = ["whisper_routes"]

Endpoint = Callable[[Request], Awaitable[Response]]


def whisper_routes(node: Node) -> list[tuple[str, Endpoint, str]]:
    """Paths, endpoints and methods."""

    def conversation_of(request: Request) -> bytes:
        return node.whisperer.find(request.path_params["conversation"])

    async def conversations(_: Request) -> Response:
        return JSONResponse(node.whisperer.conversations())

    async def whisper(request: Request) -> Response:
        item_id = node.reader.find(request.path_params["item"])
        return JSONResponse(await node.whisperer.whisper(item_id, text(await body_of(request), "text")), 201)

    async def answer(request: Request) -> Response:
        said = text(await body_of(request), "text")
        return JSONResponse(await node.whisperer.answer(conversation_of(request), said), 201)

    async def read(request: Request) -> Response:
        return JSONResponse(await node.whisperer.read(conversation_of(request)))

    async def forget(request: Request) -> Response:
        return JSONResponse(await node.whisperer.forget(conversation_of(request)))

    return [
        ("/whispers", conversations, "GET"),
        ("/secrets/{item}/whispers", whisper, "POST"),
        ("/whispers/{conversation}", answer, "POST"),
        ("/whispers/{conversation}", forget, "DELETE"),
        ("/whispers/{conversation}/read", read, "PUT"),
    ]
