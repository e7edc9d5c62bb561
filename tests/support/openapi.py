"""The description of the API, held against what a node answers.

``check_answer`` is a response hook of an httpx client: it finds the operation that was asked for in docs/openapi.json
and validates what was sent and what came back. An answer with a status that the file does not name fails, and so does
a field.
"""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
from jsonschema import Draft202012Validator

__all__ = ["DOCUMENT", "METHODS", "check_answer", "operations", "seen"]

DOCUMENT: Final[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text()
)
METHODS: Final = ("get", "put", "post", "delete", "patch")
PREFIX: Final = "/api"

seen: set[tuple[str, str, int]] = set()
"""Methods, paths and statuses that were checked in this process."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Methods, paths and what the file says of them."""
    for path, item in DOCUMENT["paths"].items():
        for method in item.keys() & set(METHODS):
            yield method.upper(), path, item[method]


def _pattern(path: str) -> re.Pattern[str]:
    """A friend's name may have slashes, as in the routes."""
    pattern = re.escape(path).replace(r"\{friend\}", ".+")
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", pattern))


#: The longest first: a confirmation is no friend's name.
_PATTERNS: Final = sorted(
    ((_pattern(path), method, path, operation) for method, path, operation in operations()),
    key=lambda row: -len(row[2]),
)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference of one level means."""
    if "$ref" not in part:
        return part
    found: Any = DOCUMENT
    for key in part["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found  # type: ignore[no-any-return]


@functools.cache
def _validator(schema: str) -> Draft202012Validator:
    """Of a schema as JSON; its references are those of the file."""
    return Draft202012Validator({"components": DOCUMENT["components"], **json.loads(schema)})


def _check(value: object, schema: dict[str, Any], about: str) -> None:
    errors = [
        f"{error.json_path}: {error.message}" for error in _validator(json.dumps(schema)).iter_errors(value)
    ]
    assert not errors, f"docs/openapi.json says otherwise of {about}: {errors}"


def _check_request(request: httpx.Request, operation: dict[str, Any], about: str) -> None:
    """What was sent and taken is described, too."""
    queries = {part["name"] for part in operation.get("parameters", ()) if part.get("in") == "query"}
    assert set(request.url.params) <= queries, f"{about} has no such parameter"
    if "requestBody" not in operation:
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body = json.loads(request.content)
    _check(body, schema, f"the body of {about}")
    assert body.keys() <= _resolved(schema)["properties"].keys(), f"{about} has no such field: {body}"


async def check_answer(response: httpx.Response) -> None:
    """Raises ``AssertionError`` for an answer that is not as the file says."""
    await response.aread()
    request, status = response.request, response.status_code
    path = request.url.path.removeprefix(PREFIX)
    found = [row for row in _PATTERNS if row[1] == request.method and row[0].fullmatch(path)]
    about = f"{request.method} {path} ({status})"
    if not found:
        assert status in (404, 405), f"docs/openapi.json does not know {about}"
        _check(response.json(), DOCUMENT["components"]["schemas"]["Error"], about)
        return
    _, method, template, operation = found[0]
    assert str(status) in operation["responses"], f"docs/openapi.json does not know {about}"
    [(media_type, content)] = _resolved(operation["responses"][str(status)])["content"].items()
    assert response.headers["content-type"].split(";")[0] == media_type, about
    if media_type == "application/json":
        _check(response.json(), content["schema"], about)
    elif "x-data" in content:
        for line in response.text.splitlines():
            if line.startswith("data: "):
                _check(json.loads(line.removeprefix("data: ")), content["x-data"], about)
    if status < 300:
        _check_request(request, operation, about)
    seen.add((method, template, status))
