"""The routes of whispers. Routes and shapes, nothing else: ``whispering`` does it."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..node import Node
from .requests import body_of, query, text

__all__ = ["whisper_routes"]

Endpoint = Callable[[Request], Awaitable[Response]]


def whisper_routes(node: Node) -> list[tuple[str, Endpoint, str]]:
    """Paths, endpoints and methods."""

    def conversation_of(request: Request) -> bytes:
        return node.whisperer.find(request.path_params["conversation"])

    async def conversations(request: Request) -> Response:
        everything = query(request, "whole", 0, 1) == 1
        return JSONResponse(node.whisperer.conversations(whole=everything))

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

    async def end(request: Request) -> Response:
        return JSONResponse(await node.whisperer.end(conversation_of(request)))

    def closing(*, on: bool) -> Endpoint:
        async def close(request: Request) -> Response:
            # Whoever wants no whispers may say so before it has left.
            item_id = node.speaker.find_own(request.path_params["item"])
            return JSONResponse(await node.whisperer.close(item_id, on=on))

        return close

    return [
        ("/whispers", conversations, "GET"),
        ("/secrets/{item}/whispers", whisper, "POST"),
        ("/whispers/{conversation}", answer, "POST"),
        ("/whispers/{conversation}", forget, "DELETE"),
        ("/whispers/{conversation}/ended", end, "PUT"),
        ("/whispers/{conversation}/read", read, "PUT"),
        ("/secrets/{item}/closed", closing(on=True), "PUT"),
        ("/secrets/{item}/closed", closing(on=False), "DELETE"),
    ]
