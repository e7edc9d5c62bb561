"""What all commands share: how they fail, what they print, and how they are repeated."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar

import click

__all__ = [
    "EXIT_FAILED",
    "EXIT_USAGE",
    "Command",
    "fail",
    "json_option",
    "mended",
    "seed_option",
    "show",
]

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
SEED_MAX: Final = 2**63 - 1

F = TypeVar("F", bound=Callable[..., Any])


def fail(message: str, code: int) -> NoReturn:
    """Ends the program with one sentence."""
    click.echo(f"rumor: {message}", err=True)
    sys.exit(code)


class Command(click.Command):
    """A command whose wrong usage is one sentence."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*args, **more)
        except click.UsageError as error:
            fail(error.format_message(), EXIT_USAGE)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print nothing but the JSON.")(command)


def seed_option(command: F) -> F:
    """``--seed``."""
    return click.option(
        "--seed",
        type=click.IntRange(0, SEED_MAX),
        default=1,
        show_default=True,
        help="Decides all that is random.",
    )(command)


def repeats(context: click.Context, values: Mapping[str, Any]) -> str:
    """The one command that repeats a run: the options whose values are not the defaults, and the seed."""
    words = ["rumor", "sim", str(context.info_name)]
    for parameter in context.command.params:
        name = parameter.name or ""
        is_default = values.get(name) == parameter.get_default(context, call=False)
        if name not in values or values[name] is None or (is_default and name != "seed"):
            continue
        if isinstance(parameter, click.Option) and parameter.is_flag:
            words.append((parameter.opts if values[name] else parameter.secondary_opts)[0])
        elif isinstance(parameter, click.Option):
            words += [parameter.opts[0], str(values[name])]
        else:
            words.append(str(values[name]))
    return shlex.join(words)


@contextmanager
def needing_extra() -> Iterator[None]:
    """Says what to install if a library is missing in here."""
    try:
        yield
    except ModuleNotFoundError as error:
        fail(f"{error.name} is missing, which the simulator needs: install the extra `sim`.", EXIT_FAILED)


@contextmanager
def mended(command: str) -> Iterator[None]:
    """Says how to repeat what fails in here."""
    try:
        with needing_extra():
            yield
    except KeyboardInterrupt:
        fail(f"stopped; this repeats it: {command}", EXIT_FAILED)
    except Exception as error:
        click.echo(f"\nrumor: {type(error).__name__}; this repeats it: {command}", err=True)
        raise


def show(fields: Mapping[str, Any], as_json: bool) -> None:
    """Prints a result: a line a field for a person, and the JSON as the last line."""
    if not as_json:
        lines = dict(_lines(fields))
        width = max(map(len, lines))
        for name, value in lines.items():
            click.echo(f"{name:<{width}}  {'–' if value is None else value}")
    click.echo(json.dumps(fields))


def _lines(fields: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Fields within a field are named with a dot, as in tables."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{within}{name}.")
        else:
            yield within + name, value
