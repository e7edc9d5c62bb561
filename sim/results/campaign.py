"""A campaign: a sweep that is being done, and goes on where it stopped.

Every group of tasks that is done is written to a file of its own, a *part*, in the folder ``NAME.parts`` beside the
results. A campaign that starts again reads the parts and does what is missing; when all is there, it writes the table
and removes the parts. Tasks are known by a key that the code is in, so parts that other code made are not used.
"""

import json
import secrets
import shutil
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from .engines import Engine
from .files import ResultsError, put
from .groups import Done, Group
from .program import program
from .sweep import Sweep
from .table import Origin, origin_of, parted, write
from .tasks import Task

__all__ = ["carry_out", "parts_of"]

#: Quicker tasks go in groups that take about so long: what is lost by a kill and what a part costs are both small.
GROUP_S: Final = 1.0
#: Tasks in a group, so that one guess that was far off does no harm.
GROUP_MAX: Final = 1_000
#: By how much a group may be larger than the last one.
GROWTH: Final = 4


def parts_of(out: Path) -> Path:
    """The folder of what is done so far."""
    return out.with_name(out.name + ".parts")


def carry_out(
    sweep: Sweep,
    out: Path,
    engine: Callable[[Path], Engine],
    command: str,
    tell: Callable[[float, str], None] | None = None,
) -> bool:
    """Does what is missing of a sweep and writes its table.

    Args:
        sweep: what to do.
        out: where the table goes.
        engine: where it is done, given a folder for graphs.
        command: makes the table again; goes into it.
        tell: called after each group with the share that is done and some words.

    Returns:
        Whether there was anything to do.

    Raises:
        ResultsError: a task failed, something cannot be written, or ``out`` is something else.
    """
    origin = Origin(scenario=sweep.source, seed=sweep.seed, program=program(), command=command)
    if out.exists():
        found = origin_of(out)
        if (found.scenario, found.seed, found.program) == (origin.scenario, origin.seed, origin.program):
            return False
        raise ResultsError(
            f"{out} holds another sweep, or was made by other code; remove it or name another `--out`."
        )
    folder = parts_of(out)
    rows = _read_parts(folder)
    keys = {task: task.key for task in sweep.tasks}
    missing = [task for task in sweep.tasks if keys[task] not in rows]
    if missing:
        pacer, count = _Pacer(missing), 0
        for old in folder.glob("graphs-*"):
            shutil.rmtree(old, ignore_errors=True)
        shelf = folder / f"graphs-{secrets.token_hex(8)}"
        for done in engine(shelf).work(pacer.next):
            names = [keys[task] for task in done.group]
            part = json.dumps(dict(zip(names, done.rows, strict=True)))
            name = sha256(" ".join(names).encode()).hexdigest()
            put(folder / f"{name}.json", part.encode())
            # As it was written, so that a row is the same whether it was read again or not.
            rows |= json.loads(part)
            pacer.learn(done)
            count += len(done.group)
            if tell is not None:
                tell(count / len(missing), f"{count:,} of {len(missing):,} tasks")
    write(out, [row for task in sweep.tasks for row in parted(rows[keys[task]])], origin)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _read_parts(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of what is done, by the keys of their tasks. A part that somebody damaged is as good as none."""
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            part = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(part, dict):
            rows |= part
    return rows


class _Pacer:
    """Makes groups of the tasks that are left, of about one size in time."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks, self.begun = tasks, 0
        self.cost_s: dict[str, float] = {}
        """What a task of a cell took, by the cell."""
        self.latest_s: float | None = None
        self.size = 1

    def next(self) -> Group | None:
        """The next group; None if there is none."""
        if self.begun == len(self.tasks):
            return None
        most = min(self.size * GROWTH, GROUP_MAX)
        group: list[Task] = []
        expected_s = 0.0
        for task in self.tasks[self.begun : self.begun + most]:
            cost_s = self.cost_s.get(_cell(task), self.latest_s)
            # Of what nothing is known only one is tried at a time.
            cost_s = GROUP_S if cost_s is None else cost_s
            if group and expected_s + cost_s > GROUP_S:
                break
            group.append(task)
            expected_s += cost_s
        self.begun += len(group)
        return tuple(group)

    def learn(self, done: Done) -> None:
        """Notes how long a group took."""
        self.latest_s = done.elapsed_s / len(done.group)
        self.cost_s |= dict.fromkeys(map(_cell, done.group), self.latest_s)
        self.size = max(self.size, len(done.group))


def _cell(task: Task) -> str:
    return f"{task.kind} {task.settings}"
