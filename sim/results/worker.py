"""A worker: does groups of tasks that reach it as text, and answers with text.

Started as ``python -m rumor.sim.results.worker`` it reads one group a line from standard input and writes one answer
a line to standard output. It is a program of its own, and no fork, so that sweeps work from scripts and notebooks
without any guard around their main part. It ends with its input, that is, with whoever started it.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from .files import ResultsError
from .program import program
from .tasks import Task, do

__all__ = ["ANSWER", "Answer", "answer_of", "order", "perform"]

#: What comes before an answer: a library that prints to standard output cannot be taken for one.
ANSWER: Final = "answer "

Answer = tuple[list[dict[str, Any]], float]
"""The rows of a group, and the seconds that it took."""


def order(tasks: Sequence[Task], graphs: Path | None) -> str:
    """A group of tasks as one line of text."""
    words = [[task.kind, task.settings, task.seed] for task in tasks]
    return json.dumps({"program": program(), "tasks": words, "graphs": graphs and str(graphs)})


def perform(text: str) -> str:
    """Does a group of tasks: the answer as one line of text, which is an error's sentence if one fails."""
    given = json.loads(text)
    if given["program"] != program():
        return json.dumps(
            {
                "error": f"a worker runs rumor {program()} and the sweep {given['program']}; install the same on both."
            }
        )
    graphs = Path(given["graphs"]) if given["graphs"] else None
    began = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for kind, settings, seed in given["tasks"]:
        task = Task(kind=kind, settings=tuple((name, value) for name, value in settings), seed=seed)
        try:
            rows.append(do(task, graphs))
        except Exception as error:
            sentence = str(error) or type(error).__name__
            return json.dumps({"error": f"{sentence} This task fails: {task.command}"})
    return json.dumps({"rows": rows, "elapsed_s": time.perf_counter() - began}, default=_plain)


def answer_of(text: str) -> Answer:
    """Reads what ``perform`` answered. Raises ``ResultsError`` if a task failed."""
    given = json.loads(text)
    if "error" in given:
        raise ResultsError(given["error"])
    return given["rows"], given["elapsed_s"]


def _plain(value: Any) -> Any:
    """Scalars and arrays of numpy as JSON has them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a result has a {type(value).__name__}")


def _read_on(orders: "queue.SimpleQueue[str]", source: TextIO) -> None:
    for line in source:
        orders.put(line)
    # Whoever wanted the answers is gone, perhaps in the middle of a task.
    os._exit(0)


def main() -> None:
    # An interrupt reaches everybody at the terminal; the sweep ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_on, args=(orders, sys.stdin), daemon=True).start()
    while True:
        answers.write(f"{ANSWER}{perform(orders.get())}\n")
        answers.flush()


if __name__ == "__main__":
    main()
