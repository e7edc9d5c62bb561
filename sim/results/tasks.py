"""Tasks: the cells of a sweep, each with one seed, and how they are done.

A task is a command of the simulator (its *kind*: ``run`` or ``spread``), or what a picture needs besides (``coverage``,
``spreading``, ``traffic``), with settings as text. It is done in any
process on any machine, always with the same outcome: the row of a table. Each kind says what its settings are, what is
wrong with some, and how it is done; here alone the sweep knows of the commands.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import table
from .flaws import Flaw
from .program import program

__all__ = ["ENGINES", "KINDS", "Flaw", "Kind", "Task", "do"]


#: Kinds whose graph is a word of the scenario, and never a file.
ENGINES: Final = ("run", "traffic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A command that sweeps can give."""

    settings: Callable[[], Collection[str]]
    """The names of its settings, with underscores, the seed not among them."""
    check: Callable[[Mapping[str, str]], None]
    """Raises ``Flaw`` if settings are impossible, without doing anything that takes long."""
    do: Callable[[Mapping[str, str], int, Path | None], Mapping[str, Any]]
    """The fields of the result, from settings, seed and a folder where graphs may be kept from task to task."""
    command: Callable[[Mapping[str, str], int], str]
    """The one command that does it by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One cell with one seed."""

    kind: str
    settings: tuple[tuple[str, str], ...]
    """Names and texts, in the order of the sweep file."""
    seed: int

    @property
    def key(self) -> str:
        """64 hexadecimal digits that tell it from all other tasks, and from the same one done by other code."""
        words = [program(), self.kind, sorted(self.settings), self.seed, self._stamp]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()

    @property
    def _stamp(self) -> str:
        """Tells a graph's file from what it was before."""
        if self.kind in ENGINES:
            return ""
        from .shelf import stamp_of

        return stamp_of(dict(self.settings).get("graph", ""))

    @property
    def command(self) -> str:
        return KINDS[self.kind].command(dict(self.settings), self.seed)


def do(task: Task, graphs: Path | None = None) -> dict[str, Any]:
    """Does a task: its row."""
    fields = KINDS[task.kind].do(dict(task.settings), task.seed, graphs)
    given = {name: _typed(text) for name, text in task.settings}
    return {"kind": task.kind, **given, "seed": task.seed, **table.flat(fields)}


def _typed(text: str) -> Any:
    """A setting as a column has it: a number if it looks like one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False}.get(text, text)


# Runs of the real engines.


def _run_settings() -> Set[str]:
    from ..scenario import SETTINGS

    return SETTINGS.keys() - {"seed"}


def _run_check(settings: Mapping[str, str]) -> None:
    from ..scenario import SETTINGS, Scenario

    values: dict[str, Any] = {}
    for name, text in settings.items():
        try:
            values[name] = SETTINGS[name].parse(text)
        except ValueError as error:
            raise Flaw(name, f"{error}.") from error
    flaw = Scenario(**values).find_flaw()
    if flaw is not None:
        raise Flaw(flaw[0], flaw[1])


def _run(settings: Mapping[str, str], seed: int, graphs: Path | None) -> Mapping[str, Any]:  # noqa: ARG001
    from .. import experiment, report
    from ..scenario import Scenario

    return report.result(experiment.run(Scenario.read({**settings, "seed": str(seed)})))


def _run_command(settings: Mapping[str, str], seed: int) -> str:
    from ..scenario import Scenario

    return Scenario.read({**settings, "seed": str(seed)}).command()


def _traffic_settings() -> Set[str]:
    # What makes the two worlds differ is not for the file to say.
    return _run_settings() - {"posts", "observed"}


def _traffic(settings: Mapping[str, str], seed: int, graphs: Path | None) -> Mapping[str, Any]:  # noqa: ARG001
    from ..scenario import Scenario

    row: Mapping[str, Any] = _scenes().traffic(Scenario.read({**settings, "seed": str(seed)}))
    return row


def _traffic_command(settings: Mapping[str, str], seed: int) -> str:
    return _run_command({**settings, "posts": "1", "observed": "1"}, seed)


# Rumors in compiled code; whose modules take a while to import.


def _spreading() -> Any:
    from . import spreading

    return spreading


def _scenes() -> Any:
    from . import scenes

    return scenes


KINDS: Final[dict[str, Kind]] = {
    "run": Kind(settings=_run_settings, check=_run_check, do=_run, command=_run_command),
    "spread": Kind(
        settings=lambda: _spreading().names(),
        check=lambda settings: _spreading().check(settings),
        do=lambda settings, seed, graphs: _spreading().spread(settings, seed, graphs),
        command=lambda settings, seed: _spreading().command(settings, seed),
    ),
    "coverage": Kind(
        settings=lambda: _spreading().names(),
        check=lambda settings: _spreading().check(settings),
        do=lambda settings, seed, graphs: _spreading().cover(settings, seed, graphs),
        command=lambda settings, seed: _spreading().command(settings, seed),
    ),
    "spreading": Kind(
        settings=lambda: _scenes().spreading_settings(),
        check=lambda settings: _scenes().check_spreading(settings),
        do=lambda settings, seed, graphs: _scenes().spreading(settings, seed, graphs),
        command=lambda settings, seed: _spreading().command(settings, seed),
    ),
    "traffic": Kind(settings=_traffic_settings, check=_run_check, do=_traffic, command=_traffic_command),
}
