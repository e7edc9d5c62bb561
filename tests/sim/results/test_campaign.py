"""A sweep that is killed goes on where it stopped; who does it, and with how many workers, makes no difference."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from rumor.sim.results import campaign, files, tasks
from rumor.sim.results.campaign import carry_out, parts_of
from rumor.sim.results.engines import Engine, Here, Local, open_engine
from rumor.sim.results.files import ResultsError
from rumor.sim.results.groups import Done, Group
from rumor.sim.results.program import program
from rumor.sim.results.sweep import Sweep
from rumor.sim.results.table import origin_of, read
from rumor.sim.results.tasks import Kind
from rumor.sim.results.worker import answer_of, order, perform

SMALL = """
kind = "run"
repeat = 3
nodes = 6
graph = "cycle"
hours = 0.2
posts = 3
scheme = ["flood", "diffusion"]
spies = 0.2
"""
COUNTED = 'kind = "counted"\nrepeat = 40\nx = [1, 2]\n'


class Killed(Exception):
    pass


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """A kind of task that takes no time; the list is of those done."""
    done: list[tuple[str, int]] = []

    def do(settings: Mapping[str, str], seed: int, _: Path | None) -> Mapping[str, Any]:
        done.append((settings["x"], seed))
        return {"y": int(settings["x"]) * seed / 3, "elapsed_s": len(done), "none": None, "far": float("inf")}

    monkeypatch.setitem(
        tasks.KINDS,
        "counted",
        Kind(
            settings=lambda: ["x"],
            check=lambda _: None,
            do=do,
            command=lambda _, seed: f"count --seed {seed}",
        ),
    )
    return done


class Mortal(Here):
    """This process, but it is killed after so many groups."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.left = groups

    def work(self, groups: Callable[[], Group | None]) -> Iterator[Done]:
        for done in super().work(groups):
            yield done
            self.left -= 1
            if not self.left:
                raise Killed


def ended(sweep: Sweep, out: Path, engine: Callable[[Path], Engine] = Here) -> bytes:
    carry_out(sweep, out, engine, "rumor sim sweep")
    return out.read_bytes()


def test_a_killed_sweep_goes_on_where_it_stopped(counted: list[tuple[str, int]], tmp_path: Path) -> None:
    """No task that is in a part is done again, and the table is that of a sweep without a kill."""
    sweep = Sweep.read(COUNTED)
    whole = ended(sweep, tmp_path / "whole.parquet")
    counted.clear()
    out = tmp_path / "out.parquet"
    for _ in range(3):
        with pytest.raises(Killed):
            carry_out(sweep, out, lambda _: Mortal(2), "rumor sim sweep")
        assert not out.exists()
    assert ended(sweep, out) == whole
    assert len(counted) == len(set(counted)) == 80
    assert not parts_of(out).exists()
    assert read(out)["y"].to_list() == [x * seed / 3 for x in (1, 2) for seed in range(1, 41)]
    assert origin_of(out).scenario == COUNTED


def test_a_part_that_is_damaged_or_half_written_is_done_again(
    counted: list[tuple[str, int]], tmp_path: Path
) -> None:
    sweep, out = Sweep.read(COUNTED), tmp_path / "out.parquet"
    with pytest.raises(Killed):
        carry_out(sweep, out, lambda _: Mortal(3), "rumor sim sweep")
    first, second, third = sorted(parts_of(out).glob("*.json"))
    first.write_bytes(first.read_bytes()[:-5])
    second.write_bytes(b"[]")
    third.rename(third.with_name(f".{third.name}.1.part"))
    counted.clear()
    ended(sweep, out)
    assert len(counted) == 80


def test_parts_of_other_code_are_not_used(
    counted: list[tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, out = Sweep.read(COUNTED), tmp_path / "out.parquet"
    with pytest.raises(Killed):
        carry_out(sweep, out, lambda _: Mortal(3), "rumor sim sweep")
    counted.clear()
    monkeypatch.setattr(tasks, "program", lambda: "0.1.0+other")
    ended(sweep, out)
    assert len(counted) == 80


def test_what_is_done_is_not_done_again_and_nothing_else_is_overwritten(
    counted: list[tuple[str, int]], tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    before = ended(Sweep.read(COUNTED), out)
    assert not carry_out(Sweep.read(COUNTED), out, Here, "rumor sim sweep")
    with pytest.raises(ResultsError, match=r"holds another sweep.*; remove it or name another `--out`"):
        ended(Sweep.read(COUNTED.replace("2]", "3]")), out)
    assert out.read_bytes() == before
    assert len(counted) == 80


def test_a_disk_that_fills_up_loses_nothing_that_was_done(
    counted: list[tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep stops with the sentence; with room again, the same command does the rest and only that."""
    sweep, out = Sweep.read(COUNTED), tmp_path / "out.parquet"
    real, room = files._write, iter(range(3))

    def write(part: Path, data: bytes) -> None:
        if next(room, None) is None:
            real(part, data[:10])
            raise OSError(28, "No space left on device")
        real(part, data)

    with monkeypatch.context() as patch:
        patch.setattr(files, "_write", write)
        with pytest.raises(ResultsError, match="the disk is full"):
            ended(sweep, out)
    assert not out.exists()
    assert len(list(parts_of(out).iterdir())) == 3
    lost = len(counted)
    kept = sum(len(campaign._read_parts(parts_of(out))) for _ in [0])
    ended(sweep, out)
    assert len(counted) == lost + 80 - kept


def test_quick_tasks_go_in_groups_and_slow_ones_alone(tmp_path: Path, counted: list[tuple[str, int]]) -> None:
    """Unknown ones are tried one at a time, and groups grow at most fourfold."""
    pacer = campaign._Pacer(Sweep.read(COUNTED).tasks)
    sizes = []
    for took_s in (0.01, 0.04, 0.16):
        group = pacer.next()
        assert group is not None
        sizes.append(len(group))
        pacer.learn(Done(group=group, rows=[{}] * len(group), elapsed_s=took_s))
    assert sizes == [1, 4, 16]
    pacer.learn(Done(group=pacer.tasks[-1:], rows=[{}], elapsed_s=5))
    rest = []
    while (group := pacer.next()) is not None:
        rest.append(len(group))
    assert rest == [19, *[1] * 40]


def test_a_task_that_fails_is_named_with_the_command_that_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Mapping[str, Any]:
        raise ValueError("There is no such thing.")

    kind = Kind(settings=list, check=lambda _: None, do=fail, command=lambda _, seed: f"fail --seed {seed}")
    monkeypatch.setitem(tasks.KINDS, "counted", kind)
    with pytest.raises(ResultsError, match=r"There is no such thing. This task fails: fail --seed 3"):
        ended(Sweep.read('kind = "counted"\nseed = 3'), tmp_path / "x.parquet")


def test_two_processes_of_which_one_is_killed_make_the_same_table(tmp_path: Path) -> None:
    """Its task is done again by the one that takes its place."""
    sweep = Sweep.read(SMALL)
    engine = Local(2)
    calls = 0
    real = engine.work

    def work(groups: Callable[[], Group | None]) -> Iterator[Done]:
        def kill_one_then_ask() -> Group | None:
            nonlocal calls
            calls += 1
            if calls == 4:
                engine.workers[0].kill()
            return groups()

        yield from real(kill_one_then_ask)

    engine.work = work  # type: ignore[method-assign]
    local = ended(sweep, tmp_path / "local.parquet", lambda _: engine)
    assert len(engine.workers) >= 3
    assert all(worker.poll() is not None for worker in engine.workers)
    assert local == ended(sweep, tmp_path / "here.parquet")


def test_a_task_that_kills_every_worker_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ResultsError, match=r"died 3 times at the same tasks.*give fewer `--workers`"):
        ended(Sweep.read(SMALL), tmp_path / "x.parquet", lambda _: Local(1))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ray", None, None), "--engine is local or dask, and not 'ray'"),
        (("local", 0, None), "--workers is at least 1"),
        (("local", 1, "tcp://127.0.0.1:1"), "give `--engine dask` as well"),
    ],
)
def test_an_engine_that_there_is_not_is_refused(words: tuple[str, int, str], sentence: str) -> None:
    with pytest.raises(ResultsError, match=sentence):
        open_engine(*words, None)


def test_progress_tells_of_what_is_left_to_do(counted: list[tuple[str, int]], tmp_path: Path) -> None:
    """Of what was done before it says nothing."""
    sweep, out = Sweep.read(COUNTED), tmp_path / "out.parquet"
    with pytest.raises(Killed):
        carry_out(sweep, out, lambda _: Mortal(2), "rumor sim sweep")
    left = 80 - len(counted)
    said: list[tuple[float, str]] = []
    carry_out(sweep, out, Here, "rumor sim sweep", lambda share, words: said.append((share, words)))
    assert said[0] == (1 / left, f"1 of {left} tasks")
    assert said[-1] == (1.0, f"{left} of {left} tasks")


def test_a_worker_with_other_code_refuses() -> None:
    """Rows of two programs never get into one table."""
    (task, *_) = Sweep.read(SMALL).tasks
    other = order([task], None).replace(program(), "0.0.9+other")
    with pytest.raises(ResultsError, match=r"the sweep 0\.0\.9\+other; install the same on both"):
        answer_of(perform(other))


@pytest.mark.slow
def test_a_sweep_that_was_killed_leaves_no_process_and_goes_on(tmp_path: Path) -> None:
    """By the operating system, from outside, in the middle."""
    source, out = tmp_path / "s.toml", tmp_path / "out.parquet"
    source.write_text(SMALL.replace("repeat = 3", "repeat = 8").replace("hours = 0.2", "hours = 0.5"))
    words = [
        sys.executable,
        "-m",
        "rumor.sim.commands",
        "sweep",
        str(source),
        "--out",
        str(out),
        "--workers",
        "2",
    ]
    sweeping = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while not list(parts_of(out).glob("*.json")):
        assert sweeping.poll() is None
        time.sleep(0.01)
    workers = psutil.Process(sweeping.pid).children()
    sweeping.kill()
    sweeping.wait()
    assert len(workers) == 2
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    assert not out.exists()
    done = len(campaign._read_parts(parts_of(out)))
    assert 0 < done < 16
    said = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    assert f"{16 - done} of {16 - done} tasks" in said
    assert out.read_bytes()[-4:] == b"PAR1"
    again = tmp_path / "again.parquet"
    ended(Sweep.load(source), again)
    assert read(again).equals(read(out))
