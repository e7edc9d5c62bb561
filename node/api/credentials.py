"""Who may use the loopback interface: a token for the command line, a cookie for the browser.

Loopback is no protection by itself: other users of the machine reach it, and so does every page that the
browser shows. So each run of a node draws a *token*; it is written, with the port, to a file that only the
owner reads, and the command line sends it as a bearer token. For the browser the command line shows a *login
link* with a code that works once and for five minutes; it is exchanged for a cookie. Codes never reach a
page's address bar for longer than a redirect, and tokens never do.

Cookies know no ports: a browser that also visits another service on the same loopback host hands it this
cookie, and such a service could then use it from outside a browser. The cookie is therefore worth only this
run, and is named after it so that two nodes do not disturb each other. This is the weaker way in.

All secrets are 256 bits from the system's generator and are compared in constant time. `guard` asks; this
module knows nothing of ASGI.
"""

import hmac
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..files import read_private, write_private

__all__ = ["Access", "AccessDenied", "AccessError", "Credentials", "Session", "read_access", "write_access"]

SECRET_SIZE: Final = 32

LOGIN_SECONDS_MAX: Final = 300.0
"""How long a login code works, if it is not used: time to switch to a browser, not to be found later."""

# One code a click on "open"; one session a browser. The oldest goes first.
LOGIN_COUNT_MAX: Final = 8
SESSION_COUNT_MAX: Final = 8

ACCESS_FILE_SIZE_MAX: Final = 256


class AccessDenied(Exception):
    """The secret is missing or wrong; there is one reason for all cases."""


class AccessError(Exception):
    """The access file cannot be used. Its text is a sentence for the user."""


@dataclass(slots=True, eq=False)
class Session:
    """A browser that has logged in."""

    secret: str = field(repr=False)
    """What its cookie carries."""
    is_locked: bool = False
    """Whether it is to say the passphrase before anything else."""
    used_at: float | None = None
    """When a person last did something with it, by the clock of `locking`; None before its first request."""


class Credentials:
    """The secrets of one run. All of them end with it."""

    def __init__(self) -> None:
        self.token: Final = secrets.token_urlsafe(SECRET_SIZE)
        """What the command line sends: 43 characters."""
        self.cookie_name: Final = f"rumor-{secrets.token_hex(4)}"
        """What the browser's cookie is called, this time."""
        self._logins: dict[str, float] = {}
        self.sessions: list[Session] = []

    def new_login(self, now: float) -> str:
        """Returns a code, 43 characters, that buys one session within LOGIN_SECONDS_MAX from `now`."""
        while len(self._logins) >= LOGIN_COUNT_MAX:
            del self._logins[next(iter(self._logins))]
        code = secrets.token_urlsafe(SECRET_SIZE)
        self._logins[code] = now + LOGIN_SECONDS_MAX
        return code

    def redeem_untrusted(self, code: str, now: float) -> str:
        """Uses up a login code and returns the value of a Set-Cookie header. AccessDenied otherwise."""
        match = None
        # Every code is compared, so that the time taken does not tell which one was nearly right.
        for known in self._logins:
            if hmac.compare_digest(known.encode(), code.encode("utf-8", "surrogatepass")):
                match = known
        if match is None or self._logins.pop(match) < now:
            raise AccessDenied
        session = Session(secrets.token_urlsafe(SECRET_SIZE))
        self.sessions = [*self.sessions[-SESSION_COUNT_MAX + 1 :], session]
        return f"{self.cookie_name}={session.secret}; Path=/; HttpOnly; SameSite=Strict"

    def check_bearer_untrusted(self, authorization: bytes) -> None:
        """Checks the value of an Authorization header. AccessDenied if it does not carry the token."""
        if not hmac.compare_digest(authorization, b"Bearer " + self.token.encode()):
            raise AccessDenied

    def check_cookie_untrusted(self, cookie: bytes) -> Session:
        """Returns the session that the value of a Cookie header carries. AccessDenied if it is none of ours."""
        found: Session | None = None
        for pair in cookie.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == self.cookie_name.encode():
                for session in self.sessions:
                    if hmac.compare_digest(value, session.secret.encode()):
                        found = session
        if found is None:
            raise AccessDenied
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the command line reaches a running node."""

    port: int
    """The loopback port, 1 to 65535."""
    token: str
    """The bearer token."""

    def __repr__(self) -> str:
        return f"Access(port={self.port})"


def write_access(path: Path, access: Access) -> None:
    """Writes the access file: `PORT TOKEN\\n`, readable by its owner only. AccessError if that fails."""
    try:
        write_private(path, f"{access.port} {access.token}\n".encode())
    except OSError as error:
        raise AccessError(f"{path} cannot be written: {error.strerror}.") from error


def read_access(path: Path) -> Access:
    """Reads the access file. AccessError if there is none or it is not one."""
    try:
        data = read_private(path, size_max=ACCESS_FILE_SIZE_MAX)
    except FileNotFoundError:
        raise AccessError("The node is not running: start it with `rumor run`.") from None
    except OSError as error:
        raise AccessError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise AccessError(f"{error}.") from error
    match = re.fullmatch(rb"([1-9][0-9]{0,4}) ([A-Za-z0-9_-]{43})\n", data)
    if match is None or int(match[1]) > 65535:
        raise AccessError(f"{path} is not an access file: restart the node.")
    return Access(port=int(match[1]), token=match[2].decode())
