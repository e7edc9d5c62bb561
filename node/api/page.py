"""The page: the files of ``node/web``, and the ways into it.

Serves what a browser needs to show the page, as it lies in the package: no build, no template, nothing of anybody's in
it. So the files are open to whoever asks loopback; what they then ask of the API is not. It makes login links, for who
holds the bearer token, and exchanges the code of one for a cookie, with a redirect that takes the code out of the
address bar.

A link that a browser is started with may be seen in the system's list of processes while it lasts, so its code works
once: who comes second is told so, and starts the node anew if it was not them who came first.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from .credentials import LOGIN_SECONDS_MAX, AccessDenied, Credentials

__all__ = ["Page"]

LOGIN_PATH: Final = "/login"
#: What the files are, by the ends of their names; there are no others.
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Page:
    """The page of one running node."""

    def __init__(self, credentials: Credentials, origin: str, now: Callable[[], float]) -> None:
        """``origin`` is where the node is reached, such as ``http://127.0.0.1:1234``; ``now`` is any steady clock."""
        self._credentials = credentials
        self._origin = origin
        self._now = now
        self._files = _read_files()

    @property
    def open_paths(self) -> frozenset[str]:
        """What the guard lets through without a secret."""
        return frozenset({"/", LOGIN_PATH, *self._files})

    @property
    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._file, methods=["GET"]),
            Route(LOGIN_PATH, self._log_in, methods=["GET"]),
            Route("/api/logins", self._new_link, methods=["POST"]),
            *(Route(path, self._file, methods=["GET"]) for path in self._files),
        ]

    def new_link(self) -> str:
        """A link that opens the page once, within ``LOGIN_SECONDS_MAX``."""
        return f"{self._origin}{LOGIN_PATH}?code={self._credentials.new_login(self._now())}"

    async def _file(self, request: Request) -> Response:
        path = request.url.path
        content, media_type = self._files["/index.html" if path == "/" else path]
        return Response(content, media_type=media_type)

    async def _log_in(self, request: Request) -> Response:
        if request.method == "HEAD":  # Something looks whether the link is good; the person comes after it.
            return Response()
        try:
            cookie = self._credentials.redeem_untrusted(request.query_params.get("code", ""), self._now())
        except AccessDenied:
            content, media_type = self._files["/used.html"]
            return Response(content, 401, media_type=media_type)
        return RedirectResponse("/", 303, {"set-cookie": cookie})

    async def _new_link(self, request: Request) -> Response:
        """Only the command line asks: a page that could would make its session outlive the cookie."""
        if "authorization" not in request.headers:
            return JSONResponse({"error": "Only the command line may ask: `rumor open`."}, 403)
        return JSONResponse({"link": self.new_link(), "seconds": int(LOGIN_SECONDS_MAX)}, 201)


def _read_files() -> dict[str, tuple[bytes, str]]:
    """Contents and types by path. Read once: an update of the package does not mix two pages."""
    found = {}
    for entry in files("rumor.node").joinpath("web").iterdir():
        dot = entry.name.rfind(".")
        if entry.is_file() and entry.name[dot:] in TYPES:
            found[f"/{entry.name}"] = (entry.read_bytes(), TYPES[entry.name[dot:]])
    return found
