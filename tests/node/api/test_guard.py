"""What reaches the application, and what does not."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rumor.node.api.credentials import Credentials
from rumor.node.api.guard import BODY_SIZE_MAX, SECURITY_HEADERS, Guard, hosts_of

BASE = "http://127.0.0.1:8123"


async def echo(request: Request) -> Response:
    return JSONResponse({"body": (await request.body()).decode()})


async def weaken(request: Request) -> Response:
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Content-Security-Policy": "default-src *",
        "Cache-Control": "public",
        "Server": "starlette",
        "X-Own": "kept",
    }
    return Response(b"", headers=headers)


APPLICATION = Starlette(
    routes=[
        Route("/", echo, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        Route("/weak", weaken),
        Route("/login", echo),
    ]
)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials()


@pytest.fixture
def guard(credentials: Credentials) -> Guard:
    return Guard(APPLICATION, hosts=hosts_of(8123), credentials=credentials, open_paths=frozenset({"/login"}))


@pytest.fixture
async def client(guard: Guard, credentials: Credentials) -> AsyncIterator[httpx.AsyncClient]:
    """The command line: it has the token."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(guard),
        base_url=BASE,
        headers={"Authorization": f"Bearer {credentials.token}"},
    ) as made:
        yield made


@pytest.fixture
async def browser(guard: Guard, credentials: Credentials) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has logged in."""
    set_cookie = credentials.redeem_untrusted(credentials.new_login(0.0), 0.0)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(guard), base_url=BASE, headers={"Cookie": set_cookie.split(";")[0]}
    ) as made:
        yield made


async def status_of(guard: Guard, headers: dict[str, str], chunks: Iterator[bytes]) -> int:
    """Sends a body in chunks without declaring its length, and returns the status of the answer."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": next(chunks), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await guard({"type": "http", "method": "POST", "path": "/", "headers": pairs}, receive, send)
    return sent[0]["status"]


async def test_the_command_line_is_let_through(client: httpx.AsyncClient) -> None:
    """With the token, no other sign is needed; the body arrives as it was sent."""
    assert (await client.get("/")).json() == {"body": ""}
    assert (await client.post("/", json={"a": 1})).json() == {"body": '{"a":1}'}
    assert (await client.delete("/")).status_code == 200


async def test_our_own_page_is_let_through(browser: httpx.AsyncClient) -> None:
    """With the cookie, a browser says where the request comes from."""
    assert (await browser.get("/", headers={"Sec-Fetch-Site": "none"})).status_code == 200
    assert (await browser.post("/", json=1, headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
    assert (await browser.post("/", json=1, headers={"Origin": BASE})).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8123", "[::1]:8123"])
async def test_loopback_has_three_names(client: httpx.AsyncClient, host: str) -> None:
    """All of them are ours, on our port."""
    assert (await client.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:8123", "127.0.0.1", "127.0.0.1:8124", "localhost", "127.0.0.1:8123.evil.example", ""],
)
async def test_another_host_is_misdirected(client: httpx.AsyncClient, host: str) -> None:
    """A page whose name was rebound to loopback gets nothing, even with the token."""
    answer = await client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json() == {"error": "This is not the address of a Rumor node."}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "Same-Origin"),
        ("Sec-Fetch-Site", ""),
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://127.0.0.1:8124"),
        ("Origin", "https://127.0.0.1:8123"),
        ("Origin", ""),
    ],
)
@pytest.mark.parametrize("path", ["/", "/login"])
async def test_another_site_s_page_is_refused(
    client: httpx.AsyncClient, path: str, name: str, value: str
) -> None:
    """Whatever it asks, even the login, and even with the token. Another port is another site."""
    assert (await client.get(path, headers={name: value})).status_code == 403


async def test_one_good_sign_does_not_outweigh_a_bad_one(client: httpx.AsyncClient) -> None:
    """Nor does a second header of the same name."""
    both = [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")]
    twice = [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")]
    for headers in (both, twice):
        assert (await client.get("/", headers=headers)).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_browser_that_hides_the_page_may_change_nothing(
    browser: httpx.AsyncClient, method: str
) -> None:
    """A cookie alone is not enough for what has effects."""
    assert (await browser.request(method, "/", json=1)).status_code == 403
    assert (await browser.get("/")).status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "PURGE"])
async def test_there_is_no_cors(client: httpx.AsyncClient, method: str) -> None:
    """No preflight is answered."""
    answer = await client.request(method, "/", headers={"Access-Control-Request-Method": "POST"})
    assert answer.status_code == 405
    assert answer.json() == {"error": "There is no such method here."}
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer wrong")],
        [("Authorization", "Bearer TOKEN"), ("Authorization", "Bearer TOKEN")],
        [("Cookie", "rumor-00000000=wrong")],
        [("Authorization", "Bearer wrong"), ("Cookie", "COOKIE")],
    ],
)
async def test_a_stranger_is_asked_for_the_secret(
    guard: Guard, credentials: Credentials, headers: list[tuple[str, str]]
) -> None:
    """No secret, a wrong one, or an ambiguous one."""
    cookie = credentials.redeem_untrusted(credentials.new_login(0.0), 0.0).split(";")[0]
    sent = [(n, v.replace("TOKEN", credentials.token).replace("COOKIE", cookie)) for n, v in headers]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=BASE, headers=sent) as client:
        answer = await client.get("/")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await client.get("/login")).status_code == 200
        for path in ("/login/", "/login/../", "//login", "/LOGIN"):
            assert (await client.get(path)).status_code == 401


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "text/plain; application/json",
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
async def test_only_json_is_taken(
    client: httpx.AsyncClient, guard: Guard, method: str, content_type: str | None
) -> None:
    """What a form can send without asking is refused, with a declared length and without."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert (await client.request(method, "/", content=b"{}", headers=headers)).status_code == 415
    token = client.headers["Authorization"]
    undeclared = {"Host": "127.0.0.1:8123", "Authorization": token, **headers}
    assert await status_of(guard, undeclared, iter([b"{}"])) == 415


async def test_json_may_name_its_charset(client: httpx.AsyncClient) -> None:
    """There is only one, and old clients name it."""
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert (await client.post("/", content=b"{}", headers=headers)).status_code == 200


async def test_a_long_body_is_refused(client: httpx.AsyncClient, guard: Guard) -> None:
    """By its declared length, by what arrives, and no sooner than at the limit."""
    headers = {"Content-Type": "application/json"}
    assert (await client.post("/", content=b" " * BODY_SIZE_MAX, headers=headers)).status_code == 200
    assert (await client.post("/", content=b" " * (BODY_SIZE_MAX + 1), headers=headers)).status_code == 413
    for size in (str(BODY_SIZE_MAX + 1), "9" * 5000):
        declared = {**headers, "Content-Length": size}
        assert (await client.post("/", content=b"", headers=declared)).status_code == 413
    undeclared = {"Host": "127.0.0.1:8123", "Authorization": client.headers["Authorization"], **headers}
    chunks = iter([b" " * 1000] * 100)
    assert await status_of(guard, undeclared, chunks) == 413
    assert len(list(chunks)) == 100 - BODY_SIZE_MAX // 1000 - 1


async def test_every_answer_carries_our_headers_and_no_others(
    client: httpx.AsyncClient, guard: Guard
) -> None:
    """Refusals, errors and the application's own answers, which cannot weaken them."""
    for answer in (
        await client.get("/weak"),
        await client.get("/nowhere"),
        await client.get("/", headers={"Host": "evil.example"}),
    ):
        for name, value in SECURITY_HEADERS:
            assert answer.headers.get_list(name.decode()) == [value.decode()]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert (await client.get("/weak")).headers["X-Own"] == "kept"
    assert "default-src 'none'" in (await client.get("/")).headers["Content-Security-Policy"]


async def test_websockets_are_refused(guard: Guard) -> None:
    """Browsers send them to loopback from any page."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    await guard({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_the_lifespan_reaches_the_application(credentials: Credentials) -> None:
    """The guard stands in front of requests only."""
    seen = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    guard = Guard(application, hosts=hosts_of(1), credentials=credentials)
    await guard({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


async def test_a_client_that_leaves_early_is_forgotten(credentials: Credentials) -> None:
    """The application hears of no request that did not arrive whole, and does hear of a later leaving."""
    heard = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        heard.extend([await receive(), await receive()])

    guard = Guard(application, hosts=hosts_of(8123), credentials=credentials)
    headers = [
        (b"host", b"127.0.0.1:8123"),
        (b"authorization", f"Bearer {credentials.token}".encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    part = {"type": "http.request", "body": b"[1", "more_body": True}
    rest = {"type": "http.request", "body": b"]", "more_body": False}
    leaving = {"type": "http.disconnect"}

    async def run(*messages: Any) -> None:
        waiting = list(messages)

        async def receive() -> Any:
            return waiting.pop(0)

        await guard(scope, receive, lambda message: None)  # type: ignore[arg-type]

    await run(part, leaving)
    assert heard == []
    await run(part, rest, leaving)
    assert heard == [{"type": "http.request", "body": b"[1]", "more_body": False}, leaving]
