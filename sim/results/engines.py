"""Engines: where the tasks of a sweep are done.

An engine asks for a group of tasks whenever a place is free, and yields what came of each, in any order. The outcome
is the same with every engine. ``Here`` is this process, ``Local`` processes of this machine, each for one core, and
``cluster.Dask`` a cluster.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final, Protocol

from .files import ResultsError
from .groups import Done, Group, done
from .worker import ANSWER, order, perform

__all__ = ["ENGINES", "Engine", "Here", "Local", "open_engine"]

ENGINES: Final = ("local", "dask")
#: A group whose worker died so often takes its worker with it; most often there is too little memory.
DEATHS_MAX: Final = 3


class Engine(Protocol):
    """Where tasks are done."""

    @property
    def worker_count(self) -> int:
        """Groups that are done at the same time."""

    def work(self, groups: Callable[[], Group | None]) -> Iterator[Done]:
        """Does groups until there is none. Raises ``ResultsError`` if a task fails."""


class Here:
    """This process."""

    worker_count = 1

    def __init__(self, graphs: Path | None = None) -> None:
        self.graphs = graphs

    def work(self, groups: Callable[[], Group | None]) -> Iterator[Done]:
        while (group := groups()) is not None:
            yield done(group, perform(order(group, self.graphs)))


class Local:
    """Processes of this machine. One that dies is replaced, and its tasks are done again."""

    def __init__(self, worker_count: int, graphs: Path | None = None) -> None:
        self.worker_count, self.graphs = worker_count, graphs
        self.workers: list[subprocess.Popen[str]] = []
        """Those that live, for who wants to end one."""
        self._own = threading.local()
        self._is_over = False

    def work(self, groups: Callable[[], Group | None]) -> Iterator[Done]:
        threads = ThreadPoolExecutor(self.worker_count, thread_name_prefix="worker")
        running: dict[Future[str], Group] = {}
        try:
            while True:
                while len(running) < self.worker_count and (group := groups()) is not None:
                    running[threads.submit(self._do, order(group, self.graphs))] = group
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield done(running.pop(future), future.result())
        finally:
            self._is_over = True
            for worker in self.workers:
                worker.kill()
            threads.shutdown()
            for worker in self.workers:
                _bury(worker)

    def _do(self, text: str) -> str:
        """Has one group done by the process that belongs to this thread."""
        for _ in range(DEATHS_MAX):
            worker: subprocess.Popen[str] | None = getattr(self._own, "worker", None)
            if worker is None or worker.poll() is not None:
                worker = self._own.worker = self._start()
            assert worker.stdin is not None
            assert worker.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.write(text + "\n")
                worker.stdin.flush()
            for line in worker.stdout:
                if line.startswith(ANSWER) and line.endswith("\n"):
                    return line.removeprefix(ANSWER)
            # The end of its output is the end of the process.
            worker.wait()
            if self._is_over:
                break
        raise ResultsError(
            f"A worker died {DEATHS_MAX} times at the same tasks, perhaps for want of memory; give fewer `--workers`."
        )

    def _start(self) -> "subprocess.Popen[str]":
        # Each worker is for one core: libraries that start a thread for each would stand in each other's way.
        alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
        worker = subprocess.Popen(
            [sys.executable, "-m", "rumor.sim.results.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, **alone},
        )
        self.workers.append(worker)
        return worker


def _bury(worker: "subprocess.Popen[str]") -> None:
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        # What it was to read and did not is in the buffer still.
        with contextlib.suppress(BrokenPipeError):
            if pipe is not None:
                pipe.close()


def open_engine(name: str, worker_count: int | None, address: str | None, graphs: Path | None) -> Engine:
    """The engine of a name. Raises ``ResultsError``."""
    if name not in ENGINES:
        raise ResultsError(f"--engine is {' or '.join(ENGINES)}, and not {name!r}.")
    if worker_count is not None and worker_count < 1:
        raise ResultsError("--workers is at least 1.")
    if name == "local":
        if address is not None:
            raise ResultsError("--address is for a cluster; give `--engine dask` as well.")
        return Local(worker_count or os.cpu_count() or 1, graphs)
    from .cluster import Dask

    return Dask(worker_count, address, graphs)
