"""The lock of the page: a browser that nobody has used for a while asks for the passphrase.

Locked is a session, and not the node, which goes on in every other way; the command line's token is never locked. A
locked session gets 423 for all of the API but `POST /api/unlock`, and a stream of news that it follows ends.

Use is what a *person* does. A request counts if it changes something, or if it has the header `X-Rumor-Person: 1`,
which the page sets on what it asks because of a key, a click or a touch, and on nothing that it asks by itself: the
stream of news and its reconnecting, polling, what it loads at its start. A session's first request counts in any case,
as it follows a login. So a page that is open and left alone is locked after `lock_minutes` (settings; 0 for never).

    POST /api/unlock {"passphrase": ...}   200; 403 wrong; 429 too soon, with Retry-After
    POST /api/lock                         200 locked at once; 409 for a profile without a passphrase
    GET  /api/lock                         {"lockable", "minutes"}

A passphrase is tried in a thread, by the vault and so against the file that is there now; one at a time, since each
try takes 256 MiB, and after each wrong one later, up to a minute. What a lock does not do: take the key from the memory
of a node that runs.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import trio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...crypto import vault
from ...crypto.errors import CryptoError, WrongPassphrase
from ...gossip.errors import LocalError
from ..profile import ProfileError
from .credentials import Credentials, Session
from .requests import body_of, text

__all__ = ["SESSION_KEY", "NotLockable", "PageLock", "TooSoon", "lock_routes"]

#: Where the guard tells the application whose request it is: a ``Session``, or None for the command line.
SESSION_KEY: Final = "rumor.session"

#: Seconds that a wrong passphrase costs, doubled by each further one: 1,500 tries a day.
WAIT_S_MAX: Final = 60.0


def _since_boot() -> float:
    """Seconds that also pass while the machine sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class NotLockable(LocalError):
    """This profile has no passphrase, so its page cannot be locked: choose one with `rumor passphrase`."""


class TooSoon(Exception):
    """Another passphrase may be tried only after a while."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passphrases: wait {seconds} s before you try again.")
        self.seconds = seconds


class PageLock:
    """Which sessions are locked, and how one is unlocked."""

    def __init__(
        self,
        credentials: Credentials,
        read_key: Callable[[], bytes],
        minutes: Callable[[], int],
        *,
        now: Callable[[], float] = _since_boot,
    ) -> None:
        """``read_key`` reads the wrapped key (``ProfileError``); ``minutes`` without use lock a session, 0 never do."""
        self._credentials = credentials
        self._read_key = read_key
        self._minutes = minutes
        self._now = now
        self._streams: dict[trio.CancelScope, Session] = {}
        self._is_trying = False
        self._wrong_count = 0
        self._try_at = 0.0

    @property
    def is_lockable(self) -> bool:
        """Whether there is a passphrase to unlock by."""
        try:
            return vault.needs_passphrase(self._read_key())
        except (ProfileError, CryptoError):
            # Without a key nobody will unlock it, and nobody should.
            return True

    @property
    def minutes(self) -> int:
        return self._minutes()

    def check_lockable(self) -> None:
        """Raises ``NotLockable`` for a profile without a passphrase."""
        if not self.is_lockable:
            raise NotLockable(str(NotLockable.__doc__))

    def used(self, session: Session) -> None:
        """A person has done something."""
        session.used_at = self._now()
        for stream, whose in self._streams.items():
            if whose is session:
                stream.deadline = self._deadline()

    def is_locked(self, session: Session) -> bool:
        if session.used_at is None:
            self.used(session)
        assert session.used_at is not None
        idle_s = self._now() - session.used_at
        if not session.is_locked and self.minutes and idle_s >= 60 * self.minutes and self.is_lockable:
            session.is_locked = True
        return session.is_locked

    def lock(self, session: Session | None) -> None:
        """Locks a session, or without one all of them. Raises ``NotLockable``."""
        self.check_lockable()
        # A session that has made room for others is none any more, but may follow a stream yet.
        everybody = {*self._credentials.sessions, *self._streams.values()}
        for each in everybody if session is None else [session]:
            each.is_locked = True
        for stream, whose in self._streams.items():
            if whose.is_locked:
                stream.cancel()

    @contextmanager
    def stream(self, session: Session) -> Iterator[trio.CancelScope]:
        """A scope that is cancelled when the session is locked."""
        with trio.CancelScope(deadline=self._deadline()) as scope:
            self._streams[scope] = session
            try:
                yield scope
            finally:
                del self._streams[scope]

    def _deadline(self) -> float:
        return trio.current_time() + 60 * self.minutes if self.minutes else float("inf")

    async def unlock(self, session: Session, passphrase: str) -> None:
        """Unlocks a session. Raises as ``check``."""
        await self.check(passphrase)
        session.is_locked = False
        self.used(session)

    async def check(self, passphrase: str) -> None:
        """Tries a passphrase. Raises ``WrongPassphrase``, ``TooSoon``, ``ProfileError``."""
        wait_s = self._try_at - self._now()
        if wait_s > 0 or self._is_trying:
            raise TooSoon(max(1, int(wait_s) + 1))
        self._is_trying = True
        try:
            await trio.to_thread.run_sync(vault.unlock, self._read_key(), passphrase)
        except CryptoError:
            self._wrong_count += 1
            self._try_at = self._now() + min(WAIT_S_MAX, 2.0 ** (self._wrong_count - 1))
            raise
        finally:
            self._is_trying = False
        self._wrong_count = 0


def lock_routes(lock: PageLock) -> list[tuple[str, Callable[[Request], Awaitable[Response]], str]]:
    """Paths, endpoints and methods."""

    async def state(_: Request) -> Response:
        return JSONResponse({"lockable": lock.is_lockable, "minutes": lock.minutes})

    async def lock_now(request: Request) -> Response:
        try:
            lock.lock(request.scope.get(SESSION_KEY))
        except NotLockable as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"locked": True})

    async def unlock(request: Request) -> Response:
        passphrase = text(await body_of(request), "passphrase")
        session: Session | None = request.scope.get(SESSION_KEY)
        try:
            if session is not None:
                await lock.unlock(session, passphrase)
        except TooSoon as error:
            return JSONResponse({"error": str(error)}, 429, {"Retry-After": str(error.seconds)})
        except WrongPassphrase:
            return JSONResponse({"error": "That is not the passphrase."}, 403)
        except (ProfileError, CryptoError) as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"locked": False})

    return [("/lock", state, "GET"), ("/lock", lock_now, "POST"), ("/unlock", unlock, "POST")]
