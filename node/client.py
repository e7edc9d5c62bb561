"""The command line's side of the API: finds the running node of a profile and asks it.

Every failure is a ``ClientError`` whose message tells the person what to do.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from .api.credentials import AccessError, read_access
from .profile import Profile

__all__ = ["Client", "ClientError", "NotNow", "NotRunning"]

#: Founding and posting wait for the disk and nothing else.
TIMEOUT_S: Final = 30.0
_TRY_LATER: Final = 425


class ClientError(Exception):
    """It could not be done; the message is what the node said, or why it said nothing."""


class NotNow(ClientError):
    """The node refused for now; the message says what to wait for."""


class NotRunning(ClientError):
    """No node is running for this profile."""


class Client:
    """Asks one running node."""

    def __init__(self, profile: Profile) -> None:
        """Raises ``NotRunning``."""
        self._profile = profile
        try:
            access = read_access(profile.token_file)
        except AccessError as error:
            raise self._not_running() from error
        self._access = access

    def _http(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self._access.port}/api",
            headers={"Authorization": f"Bearer {self._access.token}"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    def _not_running(self) -> NotRunning:
        if not self._profile.exists:
            return NotRunning(
                f"There is no profile '{self._profile.name}' yet: make it with `{self._profile.command} init`."
            )
        return NotRunning(
            f"No node is running for this profile. Start it in another terminal: `{self._profile.command} run`."
        )

    def get(self, path: str, **query: object) -> dict[str, Any]:
        return self._ask("GET", path, params=_params(query))

    def send(self, method: str, path: str, **body: object) -> dict[str, Any]:
        return self._ask(method, path, json=body)

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            with self._http() as http:
                response = http.request(method, path, **options)
        except httpx.ConnectError:
            raise self._not_running() from None
        except UnicodeEncodeError:
            raise ClientError("That is not text in UTF-8.") from None
        except httpx.HTTPError as error:
            raise ClientError(
                f"The node did not answer, so it is not known whether that was done: {error}."
            ) from error
        answer = _read(response)
        if response.status_code == _TRY_LATER:
            raise NotNow(str(answer.get("error", "The node refused for now.")))
        if response.is_error:
            raise ClientError(str(answer.get("error", f"The node answered {response.status_code}.")))
        return answer

    def follow(self, path: str, **query: object) -> Iterator[dict[str, Any]]:
        """Server-sent events, until the node ends or cuts us off for reading too slowly."""
        try:
            with (
                self._http() as http,
                http.stream("GET", path, params=_params(query), timeout=None) as response,
            ):
                if response.is_error:
                    response.read()
                    raise ClientError(
                        str(_read(response).get("error", f"The node answered {response.status_code}."))
                    )
                for line in response.iter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))
        except httpx.ConnectError:
            raise self._not_running() from None
        except httpx.HTTPError:
            return


def _params(query: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in query.items() if value is not None}


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except json.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
