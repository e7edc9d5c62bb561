"""A cluster makes the same table as processes of one machine, whoever of it dies."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rumor.sim.results.campaign import carry_out
from rumor.sim.results.cluster import Dask
from rumor.sim.results.engines import Here
from rumor.sim.results.files import ResultsError
from rumor.sim.results.groups import Done, Group
from rumor.sim.results.sweep import Sweep

SMALL = """
repeat = 6
scheme = ["flood", "diffusion"]
spies = 0.2
[[cells]]
kind = "run"
nodes = 10
graph = "cycle"
hours = 0.5
posts = 9
[[cells]]
graph = "{path}"
runs = 200
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_with_two_workers_of_which_one_is_killed(tmp_path: Path) -> None:
    """Over TCP on loopback, and killed in the middle of a task. Some tasks are on a graph from a file."""
    import distributed

    class Deadly(Dask):
        def work(self, groups: Callable[[], Group | None]) -> Iterator[Done]:
            for number, done in enumerate(super().work(groups)):
                if number == 2:
                    victims = self.client.run(os.getpid)
                    assert len(victims) == 2
                    busy = {worker for worker, held in self.client.processing().items() if held}
                    os.kill(victims[min(busy)], signal.SIGKILL)
                yield done

    path, out = tmp_path / "friends.txt", tmp_path / "dask.parquet"
    path.write_text("".join(f"{node} {(node + step) % 30}\n" for node in range(30) for step in (1, 7)))
    sweep = Sweep.read(SMALL.replace("{path}", str(path)))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        carry_out(
            sweep, out, lambda graphs: Deadly(None, cluster.scheduler_address, graphs), "rumor sim sweep"
        )
    here = tmp_path / "here.parquet"
    carry_out(sweep, here, Here, "rumor sim sweep")
    assert out.read_bytes() == here.read_bytes()


def test_an_address_where_nobody_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rumor.sim.results.cluster.CONNECT_S", 0.2)
    with pytest.raises(ResultsError, match=r"--address tcp://127.0.0.1:1: no Dask scheduler answers there"):
        Dask(None, "tcp://127.0.0.1:1")
