"""Groups: tasks that are done one after the other in one place, and what came of them."""

from dataclasses import dataclass
from typing import Any

from .tasks import Task
from .worker import answer_of

__all__ = ["Done", "Group", "done"]

Group = tuple[Task, ...]
"""Tasks that are done one after the other in one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A group that is done."""

    group: Group
    rows: list[dict[str, Any]]
    """One for each task."""
    elapsed_s: float


def done(group: Group, answer: str) -> Done:
    """What a worker answered. Raises ``ResultsError`` if a task failed."""
    rows, elapsed_s = answer_of(answer)
    return Done(group=group, rows=rows, elapsed_s=elapsed_s)
