"""A cluster as an engine: ``dask.distributed``, with the scheduler at an address or one of its own on loopback.

The workers need the same version of Rumor. What travels is text in both directions, as between processes of one
machine, and each graph that comes from a file, once to each worker, where it is put on the shelf. A worker that dies
loses nothing: the scheduler gives its tasks to another. Addresses that begin with ``tls:`` take their keys from Dask's
own configuration.
"""

import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..graphs.graph import Graph
from . import shelf
from .files import ResultsError
from .groups import Done, Group, done
from .tasks import ENGINES
from .worker import order, perform

__all__ = ["Dask"]

#: Seconds that a scheduler has to answer.
CONNECT_S: Final = 15
#: Groups for each thread of a worker, so that none waits for the network.
AHEAD: Final = 2


class Dask:
    """A cluster, with two groups under way for each thread of a worker."""

    def __init__(self, worker_count: int | None, address: str | None, graphs: Path | None = None) -> None:
        try:
            self.distributed: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            raise ResultsError(
                f"{error.name} is missing, which `--engine dask` needs: install the extra `cluster`."
            ) from error
        self.graphs = graphs
        self._sent: dict[str, Any] = {}
        self.cluster: Any = None
        try:
            if address is None:
                # On loopback alone, and at ports that are free.
                self.cluster = self.distributed.LocalCluster(
                    n_workers=worker_count,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                )
            self.client: Any = self.distributed.Client(self.cluster or address, timeout=CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            raise ResultsError(
                f"--address {address}: no Dask scheduler answers there; start one with `dask scheduler`."
            ) from error

    @property
    def worker_count(self) -> int:
        counts: dict[str, int] = self.client.nthreads()
        return max(1, sum(counts.values()))

    def work(self, groups: Callable[[], Group | None]) -> Iterator[Done]:
        finished = self.distributed.as_completed()
        running: dict[Any, Group] = {}
        try:
            while True:
                while len(running) < AHEAD * self.worker_count and (group := groups()) is not None:
                    future = self._submit(group)
                    running[future] = group
                    finished.add(future)
                if not running:
                    return
                future = next(finished)
                yield done(running.pop(future), future.result())
        except self.distributed.KilledWorker as error:
            raise ResultsError(
                "Workers died again and again at the same tasks, perhaps for want of memory; give them more each."
            ) from error
        finally:
            self.close()

    def _submit(self, group: Group) -> Any:
        sent = {}
        for task in group:
            text = dict(task.settings).get("graph", "")
            if task.kind not in ENGINES and self.graphs is not None and shelf.travels(text):
                name = shelf.name_of(text, task.seed)
                sent[name] = self._sent.get(name) or self._send(name, text, task.seed)
        return self.client.submit(_perform, order(group, self.graphs), sent, str(self.graphs), pure=False)

    def _send(self, name: str, text: str, seed: int) -> Any:
        """Gives a graph to the cluster. As a task of its own, so that it is there again when its worker has died."""
        graph = shelf.take(self.graphs or Path(), text, seed)
        parts = None
        if isinstance(graph, Graph):
            parts = np.asarray(graph.starts), np.asarray(graph.friends), graph.names
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")
            self._sent[name] = self.client.submit(_received, parts, pure=False)
        return self._sent[name]

    def close(self) -> None:
        """Leaves the cluster, and ends it if it is our own."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.client.close()
            if self.cluster is not None:
                self.cluster.close()


def _received(parts: Any) -> Any:
    """On a worker: what it was sent."""
    return parts


def _perform(text: str, sent: dict[str, Any], folder: str) -> str:
    """On a worker: ``perform``, with the graphs that were sent on its shelf."""
    for name, parts in sent.items():
        if parts is not None:
            shelf.keep(Path(folder), name, Graph(*parts))
    return perform(text)
