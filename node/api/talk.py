"""The routes of what people say: secrets, threads, marks, the outbox, and what one wants to read.

Routes and shapes, nothing else: ``reading`` and ``speaking`` do it.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ...gossip.bodies import STYLE_MAX, Kind
from ...gossip.items import ItemId
from ...gossip.text import CHOICES_MAX
from ..driver import DriverEnded
from ..node import Node
from ..preferences import THEMES, Settings, Sort
from ..storage.store import StoreError
from ..workers import WorkerError
from .locking import PageLock
from .requests import BadRequest, body_of, choice, query, text, texts, whole

__all__ = ["talk_routes"]

#: A page of the feed, if not said otherwise, and at most.
PAGE_COUNT: Final = 50
PAGE_COUNT_MAX: Final = 200
#: Events that a follower may fall behind before it is cut off.
FOLLOWER_WAITING_MAX: Final = 256

Endpoint = Callable[[Request], Awaitable[Response]]


def talk_routes(node: Node, lock: PageLock | None = None) -> list[tuple[str, Endpoint, str]]:
    """Paths, endpoints and methods."""

    def item_of(request: Request) -> ItemId:
        return node.reader.find(request.path_params["item"])

    def own_item_of(request: Request) -> ItemId:
        return node.speaker.find_own(request.path_params["item"])

    def thread_of(request: Request) -> bytes:
        body: Any = node.reader.get(item_of(request)).body
        return bytes(body.thread_nonce)

    async def feed(request: Request) -> Response:
        count = query(request, "count", 1, PAGE_COUNT_MAX) or PAGE_COUNT
        asked = request.query_params
        if not re.fullmatch("[0-9a-f]{64}|", asked.get("before", "")):
            raise BadRequest("'before' is to be the id of a secret.")
        page = node.reader.feed(
            asked.get("order", "new"), before=asked.get("before"), count=count, query=asked.get("query", "")
        )
        return JSONResponse(page)

    async def post(request: Request) -> Response:
        body = await body_of(request)
        style = whole(body.get("style", 0), "style", 0, STYLE_MAX)
        return JSONResponse(await node.speaker.post(text(body, "text"), style, texts(body, "choices")), 201)

    async def thread(request: Request) -> Response:
        everything = query(request, "whole", 0, 1) == 1
        item_id = item_of(request)
        thread = node.reader.thread(item_id, whole=everything)
        return JSONResponse({**thread, "face": node.speaker.face(item_id)})

    async def reply(request: Request) -> Response:
        said = text(await body_of(request), "text")
        return JSONResponse(await node.speaker.reply(item_of(request), said), 201)

    async def vote(request: Request) -> Response:
        choice = whole((await body_of(request)).get("choice"), "choice", 0, CHOICES_MAX - 1)
        return JSONResponse(await node.speaker.vote(item_of(request), choice))

    def marking(kind: Kind, *, on: bool) -> Endpoint:
        async def mark(request: Request) -> Response:
            return JSONResponse(await node.speaker.mark(kind, item_of(request), on=on))

        return mark

    async def retract(request: Request) -> Response:
        return JSONResponse(await node.speaker.retract(own_item_of(request)), 202)

    async def unlink(request: Request) -> Response:
        return JSONResponse(await node.speaker.unlink(own_item_of(request)))

    async def unlink_all(_: Request) -> Response:
        return JSONResponse(await node.speaker.unlink(None))

    async def outbox(_: Request) -> Response:
        return JSONResponse(node.speaker.outbox())

    async def withdraw(request: Request) -> Response:
        speaker = node.speaker
        return JSONResponse(await speaker.withdraw(speaker.find_waiting(request.path_params["item"])))

    def noting(sort: Sort, *, on: bool) -> Endpoint:
        async def note(request: Request) -> Response:
            about = item_of(request) if sort in (Sort.HIDDEN, Sort.UNFOLDED) else thread_of(request)
            if on:
                await node.preferences.put(sort, about)
            else:
                await node.preferences.remove(sort, about)
            return JSONResponse({})

        return note

    async def subscribe(request: Request) -> Response:
        """Also says that all replies so far were read."""
        nonce = thread_of(request)
        # Also those that are not shown: else they would count as unread for ever.
        replies = len(node.reader.thread(item_of(request), whole=True)["replies"])
        await node.preferences.put(Sort.SUBSCRIBED, nonce, replies)
        return JSONResponse({})

    async def settings(_: Request) -> Response:
        return JSONResponse(msgspec.structs.asdict(node.preferences.settings))

    async def set_settings(request: Request) -> Response:
        body = await body_of(request)
        known = msgspec.structs.asdict(node.preferences.settings)
        if unknown := body.keys() - known.keys():
            raise BadRequest(f"There is no setting '{min(unknown)}'.")
        if "filters" in body:
            body["filters"] = texts(body, "filters")
        for key in ("link_hours", "lock_minutes"):
            if key in body:
                body[key] = whole(body[key], key, 0, 10_000)
        if body.get("lock_minutes") and lock is not None:
            lock.check_lockable()
        if "theme" in body:
            body["theme"] = choice(body["theme"], "theme", THEMES)
        await node.preferences.set(Settings(**{**known, **body}))
        return await settings(request)

    async def news(request: Request) -> Response:
        count = query(request, "count", 0, PAGE_COUNT_MAX) or 0

        async def lines() -> AsyncIterator[str]:
            yield ": following\n\n"
            with suppress(DriverEnded, StoreError, WorkerError):  # The node ends, and with it the stream.
                async for each in node.news(count=count, waiting_max=FOLLOWER_WAITING_MAX):
                    yield f"event: {each['news']}\ndata: {json.dumps(each)}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    return [
        ("/secrets", feed, "GET"),
        ("/secrets", post, "POST"),
        ("/secrets/{item}", thread, "GET"),
        ("/secrets/{item}/replies", reply, "POST"),
        ("/secrets/{item}/vote", vote, "PUT"),
        ("/items/{item}/heart", marking(Kind.HEART, on=True), "PUT"),
        ("/items/{item}/heart", marking(Kind.HEART, on=False), "DELETE"),
        ("/items/{item}/flag", marking(Kind.FLAG, on=True), "PUT"),
        ("/items/{item}/flag", marking(Kind.FLAG, on=False), "DELETE"),
        ("/items/{item}", retract, "DELETE"),
        ("/items/{item}/link", unlink, "DELETE"),
        ("/links", unlink_all, "DELETE"),
        ("/items/{item}/hidden", noting(Sort.HIDDEN, on=True), "PUT"),
        ("/items/{item}/hidden", noting(Sort.HIDDEN, on=False), "DELETE"),
        ("/items/{item}/unfolded", noting(Sort.UNFOLDED, on=True), "PUT"),
        ("/items/{item}/unfolded", noting(Sort.UNFOLDED, on=False), "DELETE"),
        ("/secrets/{item}/muted", noting(Sort.MUTED, on=True), "PUT"),
        ("/secrets/{item}/muted", noting(Sort.MUTED, on=False), "DELETE"),
        ("/secrets/{item}/subscribed", subscribe, "PUT"),
        ("/secrets/{item}/subscribed", noting(Sort.SUBSCRIBED, on=False), "DELETE"),
        ("/outbox", outbox, "GET"),
        ("/outbox/{item}", withdraw, "DELETE"),
        ("/settings", settings, "GET"),
        ("/settings", set_settings, "PATCH"),
        ("/news", news, "GET"),
    ]
