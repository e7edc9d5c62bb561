"""The guard in front of the loopback interface: one ASGI middleware that every request passes.

What it defends against is the browser, which lets any page send requests to loopback. In this order:

    421  the Host is not ours: DNS rebinding, where a page's own name resolves to 127.0.0.1
    403  Sec-Fetch-Site or Origin say that another site's page asks, or a changing request with a cookie has
         neither
    405  a method that we have no use for, OPTIONS among them: there is no CORS here
    401  neither the bearer token nor a session's cookie
    415  a body that is not JSON: forms and text need no preflight
    413  a body that is too long
    423  a session that is locked: see `locking`; the page's own files, which hold nothing of anybody, are let through

and each answer, ours or the application's, gets the headers of `SECURITY_HEADERS`. It reads a request's body
whole before the application sees anything of it. Websockets are refused. What it does not do: authorise
single actions, limit rates, or encrypt; an attacker with the owner's or the system's rights is out of scope.

Semantics: RFC 9110 (421, 415, 413), Fetch Metadata (W3C), CSP Level 3, ASGI 3.
"""

import json
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .credentials import AccessDenied, Credentials, Session
from .locking import SESSION_KEY, PageLock

__all__ = ["BODY_SIZE_MAX", "SECURITY_HEADERS", "Guard", "hosts_of"]

# The longest request is a post of 1,000 bytes of text, or a pasted invitation.
BODY_SIZE_MAX: Final = 16 * 1024

METHODS_SAFE: Final = frozenset({"GET", "HEAD"})
METHODS_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

CONTENT_SECURITY_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)

SECURITY_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)

# What a locked session is kept from begins so, but for the way out.
API_PREFIX: Final = "/api/"
UNLOCK_PATH: Final = "/api/unlock"

# A page says by this header that a person has done something; see `locking`.
PERSON_HEADER: Final = b"x-rumor-person"

# Headers that only the guard sets, or that nobody may.
_OWN_HEADERS: Final = frozenset(name for name, _ in SECURITY_HEADERS) | {b"server"}
_CORS_PREFIX: Final = b"access-control-"


class _Refusal(Exception):
    """A request that is answered by the guard."""

    def __init__(self, status: int, sentence: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers


_LOCKED: Final = _Refusal(423, "The page is locked: say your passphrase.")


class _Gone(Exception):
    """The client left before its request was complete."""


def hosts_of(port: int) -> frozenset[bytes]:
    """Returns the values of Host under which a node on this loopback port is reached."""
    return frozenset(f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]"))


class Guard:
    """Lets through to `app` what a page of ours or the command line has sent."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[bytes],
        credentials: Credentials,
        open_paths: frozenset[str] = frozenset(),
        lock: PageLock | None = None,
    ) -> None:
        """`hosts` are allowed values of Host, `open_paths` exact paths that need no secret (the login)."""
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(b"http://" + host for host in hosts)
        self._credentials = credentials
        self._open_paths = open_paths
        self._lock = lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # For a websocket that is not accepted yet a server makes this a 403.
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _with_security_headers(send)
        try:
            headers = _Headers(scope)
            self._check_origin(scope["method"], headers)
            session = self._check_secret(headers) if scope["path"] not in self._open_paths else None
            if session is not None and self._lock is not None:
                self._check_lock(self._lock, session, scope, headers)
            body = await _read_body(headers, receive)
        except _Refusal as refusal:
            await _answer(send, refusal)
        except _Gone:
            return
        else:
            scope = {**scope, SESSION_KEY: session}
            if session is not None and self._lock is not None and scope["method"] in METHODS_SAFE:
                await self._answer_unlocked(self._lock, session, scope, _replayed(body, receive), send)
            else:
                await self._app(scope, _replayed(body, receive), send)

    async def _answer_unlocked(
        self, lock: PageLock, session: Session, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Lets an answer go on for as long as its session is not locked: a stream of news ends with that."""
        has_started = has_ended = False

        async def watched(message: Message) -> None:
            nonlocal has_started, has_ended
            if scope["path"].startswith(API_PREFIX) and lock.is_locked(session):
                stream.cancel()
                return  # The application meets its end at what it waits for next.
            has_started = True
            await send(message)
            has_ended = message["type"] == "http.response.body" and not message.get("more_body", False)

        with lock.stream(session) as stream:
            await self._app(scope, receive, watched)
        if stream.cancel_called and not has_ended:
            if has_started:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                await _answer(send, _LOCKED)

    def _check_origin(self, method: str, headers: "_Headers") -> None:
        """Refuses what another site's page sends."""
        if headers.only(b"host") not in self._hosts:
            raise _Refusal(421, "This is not the address of a Rumor node.")
        sites, origins = headers.all(b"sec-fetch-site"), headers.all(b"origin")
        # "none" is a person's own doing: a typed address, a bookmark, a link in a terminal.
        if any(site not in (b"same-origin", b"none") for site in sites):
            raise _Refusal(403, "Another site's page may not ask this.")
        if any(origin not in self._origins for origin in origins):
            raise _Refusal(403, "Another site's page may not ask this.")
        if method not in METHODS_SAFE | METHODS_CHANGING:
            raise _Refusal(
                405, "There is no such method here.", (b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE")
            )
        # A browser names the origin of every request that changes something. One that names nothing and yet
        # has a cookie is no browser that we can trust to keep other sites out.
        if method in METHODS_CHANGING and headers.all(b"cookie") and not sites and not origins:
            raise _Refusal(403, "The browser does not say which page asks.")

    def _check_lock(self, lock: PageLock, session: Session, scope: Scope, headers: "_Headers") -> None:
        """Keeps a locked session from everything but unlocking, and notices what a person does with another."""
        is_api = scope["path"].startswith(API_PREFIX)
        if not is_api or (scope["method"], scope["path"]) == ("POST", UNLOCK_PATH):
            return
        if lock.is_locked(session):
            raise _LOCKED
        if scope["method"] in METHODS_CHANGING or headers.only(PERSON_HEADER) == b"1":
            lock.used(session)

    def _check_secret(self, headers: "_Headers") -> Session | None:
        """Lets the bearer token pass, or else a session's cookie; returns the session."""
        authorization = headers.all(b"authorization")
        try:
            if authorization:
                self._credentials.check_bearer_untrusted(headers.only(b"authorization"))
                return None
            return self._credentials.check_cookie_untrusted(b"; ".join(headers.all(b"cookie")))
        except AccessDenied:
            raise _Refusal(
                401, "Open the page by `rumor open`, or send the token.", (b"www-authenticate", b"Bearer")
            ) from None


class _Headers:
    """A request's headers, where a header that stands twice is as good as none."""

    def __init__(self, scope: Scope) -> None:
        self._pairs: list[tuple[bytes, bytes]] = [(name.lower(), value) for name, value in scope["headers"]]

    def all(self, name: bytes) -> list[bytes]:
        return [value for found, value in self._pairs if found == name]

    def only(self, name: bytes) -> bytes:
        """Returns the header's value, or nothing if it is missing or ambiguous."""
        values = self.all(name)
        return values[0] if len(values) == 1 else b""


async def _read_body(headers: _Headers, receive: Receive) -> bytes:
    """Returns the request's body, if it is short and JSON; a refusal otherwise."""
    is_json = headers.only(b"content-type").lower().replace(b" ", b"") in (
        b"application/json",
        b"application/json;charset=utf-8",
    )
    declared = headers.only(b"content-length")
    # Twenty digits are too many bytes in any case, and Python refuses to read thousands of them.
    size = int(declared[:20]) if declared.isdigit() else 0
    if size > 0 and not is_json:
        raise _Refusal(415, "A request's body must be JSON.")
    if size > BODY_SIZE_MAX:
        raise _Refusal(413, f"A request has at most {BODY_SIZE_MAX} bytes.")
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        # The length need not be declared, and need not be true.
        if body and not is_json:
            raise _Refusal(415, "A request's body must be JSON.")
        if len(body) > BODY_SIZE_MAX:
            raise _Refusal(413, f"A request has at most {BODY_SIZE_MAX} bytes.")
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Returns a `receive` that gives the whole body first, and then what the server says."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _with_security_headers(send: Send) -> Send:
    """Returns a `send` that puts our headers on the answer and takes off what would weaken them."""

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in _OWN_HEADERS and not name.lower().startswith(_CORS_PREFIX)
            ]
            message = {**message, "headers": [*kept, *SECURITY_HEADERS]}
        await send(message)

    return secured


async def _answer(send: Send, refusal: _Refusal) -> None:
    body = json.dumps({"error": refusal.sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send(
        {"type": "http.response.start", "status": refusal.status, "headers": [*headers, *refusal.headers]}
    )
    await send({"type": "http.response.body", "body": body})
