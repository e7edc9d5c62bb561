"""Sweeps: a TOML file that says which tasks to do.

``kind`` is the command (``spread`` unless given), ``seed`` the first seed and ``repeat`` how many seeds each cell gets,
the same in all cells, so that cells are compared on the same worlds. Every other key is a setting of that command, with
one value or a list; the cells are all combinations. Where the file has ``[[cells]]``, each of these tables makes cells
of its own: its settings, which may be lists again, go before those at the top, and so do its ``kind`` and ``repeat``.

    graph  = "powerlaw-cluster:n=1000,mean_degree=8"
    spies  = [0.05, 0.1, 0.2]
    repeat = 5
    [[cells]]
    scheme = ["flood", "diffusion"]
    [[cells]]
    scheme = "onion"
    route_length = [2, 3]
"""

import difflib
import itertools
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn

from .files import ResultsError
from .tasks import KINDS, Flaw, Task

__all__ = ["Sweep"]

#: A table of more rows is a mistake in the file rather than a wish.
TASKS_MAX: Final = 1_000_000
SEED_MAX: Final = 2**63 - 1
_WORDS: Final = ("kind", "seed", "repeat", "cells")
#: Those that a table of cells may have of its own.
_OF_CELLS: Final = ("kind", "repeat")
#: A key's place: which of the ``[[cells]]`` it stands in, −1 for the top, and its name.
_Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep file asks for."""

    source: str
    """The file, word for word."""
    seed: int
    tasks: tuple[Task, ...]
    """In the order of the table: by cell, then by seed."""

    @classmethod
    def load(cls, path: Path, seed: int | None = None) -> "Sweep":
        """Reads a file, or one of ours by its name, such as ``presets``. Raises ``ResultsError`` with file and line.

        A ``seed`` that is given goes before the file's.
        """
        ours = Path(__file__).with_name(f"{path.name}.toml")
        if path.name == str(path) and not path.exists() and ours.exists():
            path = ours
        try:
            source = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ResultsError(f"{path} cannot be read: {error.strerror}; name a sweep file.") from error
        except UnicodeDecodeError as error:
            raise ResultsError(f"{path} is no text in UTF-8; name a sweep file.") from error
        return cls.read(source, str(path), seed)

    @classmethod
    def read(cls, source: str, name: str = "the sweep", seed: int | None = None) -> "Sweep":
        """Reads the text of a file; ``name`` is what messages call it. Raises ``ResultsError``."""
        try:
            top = tomllib.loads(source)
        except tomllib.TOMLDecodeError as error:
            raise ResultsError(f"{name} is no TOML file: {error}.") from error
        return _Reader(name, _lines(source), top | ({} if seed is None else {"seed": seed})).sweep(source)


class _Reader:
    """Turns one file into tasks, and knows where what stands."""

    def __init__(self, name: str, lines: Mapping[_Place, int], top: dict[str, Any]) -> None:
        self.name, self.lines, self.top = name, lines, top

    def sweep(self, source: str) -> Sweep:
        seed = self._whole("seed", 1, 0, SEED_MAX)
        usual = self._whole("repeat", 1, 1, TASKS_MAX)
        cells = self.top.get("cells", [{}])
        if not isinstance(cells, list) or not cells or not all(isinstance(cell, dict) for cell in cells):
            self._fail((-1, "cells"), "is a list of tables; write `[[cells]]` above each.")
        tasks: list[Task] = []
        for number, cell in enumerate(cells):
            repeat = self._whole("repeat", usual, 1, TASKS_MAX, cell, number)
            if seed + repeat - 1 > SEED_MAX:
                place = number if "repeat" in cell else -1
                self._fail((place, "repeat"), f"leads to seeds above {SEED_MAX}; take a smaller `seed`.")
            for kind, settings in self._combinations(number, cell, (TASKS_MAX - len(tasks)) // repeat):
                seeds = range(seed, seed + repeat)
                tasks += [Task(kind=kind, settings=settings, seed=each) for each in seeds]
        if not tasks:
            raise ResultsError(f"{self.name} has an empty list of values; give each setting at least one.")
        return Sweep(source=source, seed=seed, tasks=tuple(dict.fromkeys(tasks)))

    def _whole(
        self,
        name: str,
        default: int,
        low: int,
        high: int,
        table: Mapping[str, Any] | None = None,
        number: int = -1,
    ) -> int:
        """A whole number from the top, or from the table of the cells of this number."""
        value = (self.top if table is None else table).get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._fail((number, name), f"is a whole number from {low} to {high}, and not {value!r}.")
        return value

    def _combinations(
        self, number: int, cell: dict[str, Any], most: int
    ) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        """The cells that one table of the file makes, each checked; no more than ``most``."""
        values = {name: ((-1, name), value) for name, value in self.top.items() if name not in _WORDS}
        values |= {name: ((number, name), value) for name, value in cell.items() if name not in _OF_CELLS}
        kind = cell.get("kind", self.top.get("kind", "spread"))
        if kind not in KINDS:
            place = (number if "kind" in cell else -1, "kind")
            self._fail(place, f"is one of {', '.join(sorted(KINDS))}, and not {kind!r}.")
        known = KINDS[kind].settings()
        for name, (place, _) in values.items():
            if name not in known:
                near = difflib.get_close_matches(name, [*known, *_WORDS], 1)
                self._fail(
                    place,
                    f"is no setting of {kind}; "
                    + (f"did you mean `{near[0]}`?" if near else f"`rumor sim {kind} --help` has them all."),
                )
        texts = [
            [(name, text) for text in self._texts(place, value)] for name, (place, value) in values.items()
        ]
        if math.prod(map(len, texts)) > most:
            raise ResultsError(f"{self.name} asks for over {TASKS_MAX:,} tasks; shorten a list of values.")
        for settings in itertools.product(*texts):
            try:
                KINDS[kind].check(dict(settings))
            except Flaw as flaw:
                self._fail(values.get(flaw.name, ((-1, flaw.name), None))[0], flaw.sentence)
            yield kind, settings

    def _texts(self, place: _Place, value: Any) -> list[str]:
        values = value if isinstance(value, list) else [value]
        for each in values:
            if not isinstance(each, str | int | float) or each in (math.inf, -math.inf) or each != each:
                self._fail(place, f"is a text, a number, or a list of them, and not {each!r}.")
        return [_text(each) for each in values]

    def _fail(self, place: _Place, sentence: str) -> NoReturn:
        line = self.lines.get(place)
        where = f", line {line}" if line else ""
        between = ": " if sentence[:1].isupper() else " "
        raise ResultsError(f"{self.name}{where}, {place[1]}{between}{sentence}")


def _text(value: str | int | float) -> str:
    """As it would be written on the command line; a float keeps its point, which tells a share from a count."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        digits = format(Decimal(repr(value)), "f")
        return digits if "." in digits else f"{digits}.0"
    return str(value)


def _lines(source: str) -> dict[_Place, int]:
    """The line of each key; tomllib does not tell."""
    lines: dict[_Place, int] = {}
    cell = -1
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*[\"']?([\w-]+)", line)
        key = re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line)
        if header:
            cell += header[1] == "cells"
            lines.setdefault((-1, header[1]), number)
        elif key:
            lines.setdefault((cell, key[1]), number)
    return lines
