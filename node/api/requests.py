"""Requests: what is read out of one, or why it makes no sense."""

from collections.abc import Collection
from typing import Any

from starlette.requests import Request

__all__ = ["BadRequest", "body_of", "choice", "flag", "query", "text", "texts", "whole"]


class BadRequest(Exception):
    """The request makes no sense."""


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body."""
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.")
    return body


def text(body: dict[str, Any], key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if not isinstance(value, str):
        raise BadRequest(f"'{key}' is to be a string.")
    return value


def texts(body: dict[str, Any], key: str) -> tuple[str, ...]:
    """A list of strings; empty if it is missing."""
    value = body.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRequest(f"'{key}' is to be a list of strings.")
    return tuple(value)


def flag(body: dict[str, Any], key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise BadRequest(f"'{key}' is to be true or false.")
    return value


def whole(value: object, key: str, low: int, high: int) -> int:
    """A number within bounds."""
    try:
        number = int(str(value))
    except ValueError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= high:
        raise BadRequest(f"'{key}' is to be a whole number from {low} to {high}.")
    return number


def choice(value: object, key: str, known: Collection[str]) -> str:
    """One of the words that are known."""
    if not isinstance(value, str) or value not in known:
        raise BadRequest(f"'{key}' is to be one of {', '.join(known)}.")
    return value


def query(request: Request, key: str, low: int, high: int) -> int | None:
    """A number from the query; None if it is missing."""
    value = request.query_params.get(key)
    return None if value is None else whole(value, key, low, high)
