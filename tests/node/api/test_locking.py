"""The lock of the page: who has left the browser alone is asked for the passphrase, and nobody else is."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import trio
import trio.testing
from nacl import pwhash
from people import town
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from rumor.crypto import vault
from rumor.node.api.credentials import SESSION_COUNT_MAX, Credentials
from rumor.node.api.guard import Guard, hosts_of
from rumor.node.api.locking import PageLock, lock_routes
from rumor.node.api.routes import make_app
from rumor.node.profile import ProfileError

BASE = "http://127.0.0.1:8123"
OWN = {"Sec-Fetch-Site": "same-origin"}
PERSON = {"X-Rumor-Person": "1"}
WRAPPED = vault._lock(
    bytes(32),
    "correct horse",
    b"s" * 16,
    b"n" * 24,
    pwhash.argon2id.OPSLIMIT_MIN,
    pwhash.argon2id.MEMLIMIT_MIN,
)


class Place:
    """A guarded application with a lock, a clock and a setting that tests turn."""

    def __init__(self) -> None:
        self.now = 0.0
        self.minutes = 5
        self.key: bytes | None = WRAPPED
        self.credentials = Credentials()
        self.lock = PageLock(self.credentials, self.read_key, lambda: self.minutes, now=lambda: self.now)
        self.said = trio.Event()
        """The second line of the stream may be said."""
        routes = [Route("/api/secrets", self.secrets, methods=["GET", "POST"]), Route("/api/news", self.news)]
        routes += [Route("/page.js", self.secrets)]
        routes += [
            Route(f"/api{path}", point, methods=[method]) for path, point, method in lock_routes(self.lock)
        ]
        self.guard = Guard(
            Starlette(routes=routes), hosts=hosts_of(8123), credentials=self.credentials, lock=self.lock
        )

    def read_key(self) -> bytes:
        if self.key is None:
            raise ProfileError("There is no profile.")
        return self.key

    async def secrets(self, _: Request) -> Response:
        return JSONResponse({"secrets": []})

    async def news(self, _: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            yield "first"
            await self.said.wait()
            yield "second"

        return StreamingResponse(lines())

    def browser(self) -> httpx.AsyncClient:
        cookie = self.credentials.redeem_untrusted(self.credentials.new_login(0.0), 0.0)
        headers = {"Cookie": cookie.split(";")[0], **OWN}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.guard), base_url=BASE, headers=headers)

    def command_line(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.credentials.token}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.guard), base_url=BASE, headers=headers)


@pytest.fixture
def place() -> Place:
    return Place()


async def test_a_page_that_nobody_uses_is_locked_whatever_it_asks_by_itself(place: Place) -> None:
    """Polling is no use. Locked, it gets nothing but its own files, by any method, until the passphrase is said."""
    async with place.browser() as browser:
        for _ in range(4):
            assert (await browser.get("/api/secrets")).status_code == 200
            place.now += 74.0
        place.now = 300.0
        refused = await browser.get("/api/secrets")
        assert refused.status_code == 423
        assert refused.json() == {"error": "The page is locked: say your passphrase."}
        for method, path in (("POST", "/api/secrets"), ("GET", "/api/news"), ("GET", "/api/unlock")):
            assert (await browser.request(method, path, headers=PERSON)).status_code == 423
        assert (await browser.get("/page.js")).status_code == 200
        assert (await browser.post("/api/unlock", json={"passphrase": "correct horse"})).status_code == 200
        assert (await browser.get("/api/secrets")).status_code == 200
        place.now += 300.0
        assert (await browser.get("/api/secrets")).status_code == 423


@pytest.mark.parametrize(("method", "headers"), [("GET", PERSON), ("POST", {})])
async def test_what_a_person_does_puts_it_off(place: Place, method: str, headers: dict[str, str]) -> None:
    async with place.browser() as browser:
        for _ in range(4):
            assert (await browser.request(method, "/api/secrets", headers=headers)).status_code == 200
            place.now += 299.0
        place.now += 1.0
        assert (await browser.request(method, "/api/secrets", headers=headers)).status_code == 423


async def test_each_browser_is_locked_by_itself_and_the_command_line_never(place: Place) -> None:
    async with place.browser() as one, place.browser() as other, place.command_line() as command_line:
        for browser in (one, other):
            await browser.get("/api/secrets")
        assert (await one.post("/api/lock")).json() == {"locked": True}
        assert (await one.get("/api/secrets")).status_code == 423
        assert (await other.get("/api/secrets")).status_code == 200
        assert (await command_line.post("/api/lock")).json() == {"locked": True}
        assert (await other.get("/api/secrets")).status_code == 423
        place.now += 10_000.0
        assert (await command_line.get("/api/secrets")).status_code == 200
        # Its passphrase is not asked for, and what it says unlocks nobody.
        await command_line.post("/api/unlock", json={"passphrase": "x"})
        assert (await one.get("/api/secrets")).status_code == 423


async def test_a_stream_of_a_session_that_made_room_is_locked_with_all(place: Place) -> None:
    """Whoever logs in eight times more must not leave the first one listening behind a locked page."""
    place.credentials.redeem_untrusted(place.credentials.new_login(0.0), 0.0)
    [first] = place.credentials.sessions
    with place.lock.stream(first) as stream:
        for _ in range(SESSION_COUNT_MAX):
            place.credentials.redeem_untrusted(place.credentials.new_login(0.0), 0.0)
        assert first not in place.credentials.sessions
        place.lock.lock(None)
        assert stream.cancel_called
        assert first.is_locked


async def test_zero_minutes_are_never(place: Place) -> None:
    place.minutes = 0
    async with place.browser() as browser:
        await browser.get("/api/secrets")
        place.now += 1e9
        assert (await browser.get("/api/secrets")).status_code == 200


async def test_a_profile_without_a_passphrase_cannot_be_locked_and_says_so(place: Place) -> None:
    """Nobody could unlock it."""
    place.key = vault.lock_without_passphrase(bytes(32))
    async with place.browser() as browser:
        assert (await browser.get("/api/lock")).json() == {"lockable": False, "minutes": 5}
        refused = await browser.post("/api/lock")
        assert refused.status_code == 409
        assert "rumor passphrase" in refused.json()["error"]
        place.now += 10_000.0
        assert (await browser.get("/api/secrets")).status_code == 200


async def test_a_wiped_profile_stays_locked(place: Place) -> None:
    async with place.browser() as browser:
        await browser.get("/api/secrets")
        place.key = None
        place.now += 300.0
        assert (await browser.get("/api/secrets")).status_code == 423
        refused = await browser.post("/api/unlock", json={"passphrase": "correct horse"})
        assert (refused.status_code, refused.json()) == (409, {"error": "There is no profile."})


async def test_passphrases_cannot_be_tried_quickly(place: Place) -> None:
    """Each wrong one costs twice the time of the one before, up to a minute, from whatever browser."""
    async with place.browser() as browser, place.browser() as other:
        await browser.post("/api/lock")
        for wait_s in (1, 2, 4, 8, 16, 32, 60, 60):
            wrong = await browser.post("/api/unlock", json={"passphrase": "wrong"})
            assert wrong.status_code == 403
            place.now += wait_s - 0.5
            soon = await other.post("/api/unlock", json={"passphrase": "correct horse"})
            assert soon.status_code == 429
            assert soon.headers["Retry-After"] == "1"
            place.now += 0.5
        right = await browser.post("/api/unlock", json={"passphrase": "correct horse"})
        assert right.status_code == 200
        assert (await browser.post("/api/unlock", json={"passphrase": "wrong"})).status_code == 403


async def test_one_passphrase_is_tried_at_a_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try takes 256 MiB."""
    began, go_on = trio.Event(), trio.Event()

    async def slow(*_: Any) -> None:
        began.set()
        await go_on.wait()

    async with place.browser() as browser:
        await browser.post("/api/lock")
        async with trio.open_nursery() as nursery:
            monkeypatch.setattr(trio.to_thread, "run_sync", slow)
            nursery.start_soon(post_passphrase, browser)
            await began.wait()
            with trio.fail_after(5):
                assert (await browser.post("/api/unlock", json={"passphrase": "x"})).status_code == 429
            go_on.set()


async def post_passphrase(browser: httpx.AsyncClient) -> None:
    await browser.post("/api/unlock", json={"passphrase": "x"})


def by_lock(place: Place) -> None:
    place.lock.lock(None)


def by_time(place: Place) -> None:
    place.now += 300.0
    place.said.set()


@pytest.mark.parametrize("locks", [by_lock, by_time])
async def test_a_stream_ends_when_its_page_is_locked(place: Place, locks: Callable[[Place], None]) -> None:
    """At once when it is locked at once; and nothing that happens later is told to a page that nobody uses."""
    sent: list[Any] = []
    asked = False
    started = trio.Event()

    async def receive() -> Any:
        nonlocal asked
        if asked:
            await trio.sleep_forever()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        if message.get("body") == b"first":
            started.set()

    cookie = place.credentials.redeem_untrusted(place.credentials.new_login(0.0), 0.0).split(";")[0]
    headers = [(b"host", b"127.0.0.1:8123"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "method": "GET", "path": "/api/news", "headers": headers, "query_string": b""}
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(place.guard, scope, receive, send)
            await started.wait()
            locks(place)
    assert [message.get("body") for message in sent[1:]] == [b"first", b""]
    assert not sent[-1]["more_body"]
    assert place.lock._streams == {}


async def test_minutes_are_not_set_where_nothing_could_unlock(autojump_clock: trio.testing.MockClock) -> None:
    """A setting that is silently ignored would be worse than none."""
    async with town() as place:
        ann = await place.founder("ann")
        key = vault.lock_without_passphrase(bytes(32))
        lock = PageLock(Credentials(), lambda: key, lambda: ann.node.preferences.settings.lock_minutes)
        transport = httpx.ASGITransport(make_app(ann.node, lock=lock))
        async with httpx.AsyncClient(transport=transport, base_url="http://node/api") as client:
            refused = await client.patch("/settings", json={"lock_minutes": 5})
            assert refused.status_code == 400
            assert "no passphrase" in refused.json()["error"]
            assert (await client.patch("/settings", json={"lock_minutes": 0})).status_code == 200
            key = WRAPPED
            assert (await client.patch("/settings", json={"lock_minutes": 5})).status_code == 200
            assert (await client.get("/lock")).json() == {"lockable": True, "minutes": 5}
