"""Proofs in worker processes, and what happens when processes die."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from rumor.crypto.errors import NotInRing
from rumor.crypto.membership import Ring, keypair, tag
from rumor.node import workers as workers_module
from rumor.node.workers import InlineWorkers, WorkerError, Workers, open_workers

MEMBERS = [keypair() for _ in range(4)]
RING = Ring(key for _, key in MEMBERS)
SCOPE, MESSAGE = b"scope", b"message"


@pytest.fixture(params=["process", "inline"])
async def workers(request: pytest.FixtureRequest) -> AsyncIterator[Workers]:
    if request.param == "inline":
        yield InlineWorkers()
    else:
        async with open_workers(1) as opened:
            yield opened


async def test_proofs_made_there_hold_there(workers: Workers) -> None:
    """Each claim gets its tags, or None if it does not hold."""
    proofs = [await workers.prove(secret, RING, [SCOPE], MESSAGE) for secret, _ in MEMBERS]
    claims = [(proof, [SCOPE], MESSAGE) for proof in proofs]
    claims[2] = (proofs[2], [SCOPE], b"another message")
    tags = [[tag(secret, SCOPE)] for secret, _ in MEMBERS]
    assert await workers.verify_batch(RING, claims) == [tags[0], tags[1], None, tags[3]]


async def test_errors_come_back_as_they_are(workers: Workers) -> None:
    """The caller sees the cryptography's own error."""
    stranger, _ = keypair()
    with pytest.raises(NotInRing):
        await workers.prove(stranger, RING, [SCOPE], MESSAGE)


class Evaluated:
    """Stands for a claim; arrives in a worker as the value of a Python expression."""

    def __init__(self, expression: str) -> None:
        self.expression = f"[os := __import__('os'), sys := __import__('sys'), {expression}][-1]"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, (self.expression,)


CLAIM = (b"proof", [SCOPE], MESSAGE)


async def test_a_job_survives_one_death(tmp_path: Path) -> None:
    """A worker that dies in the middle is replaced, and its job done by another."""
    flag = tmp_path / "flag"
    dies_once = Evaluated(
        f"os.path.exists({str(flag)!r}) or os._exit(open({str(flag)!r}, 'w').write('')), {CLAIM}"
    )
    async with open_workers(1) as workers:
        assert await workers.verify_batch(RING, [dies_once]) == [None]  # type: ignore[list-item]
        assert flag.exists()


async def test_a_job_that_kills_is_given_up() -> None:
    """Two deaths are an error, and the next job finds a new worker."""
    async with open_workers(1) as workers:
        with pytest.raises(WorkerError):
            await workers.verify_batch(RING, [Evaluated("os._exit(1)")])  # type: ignore[list-item]
        assert await workers.verify_batch(RING, [CLAIM]) == [None]


async def test_a_worker_that_is_killed_while_idle_is_not_missed(tmp_path: Path) -> None:
    """Neither by the next job nor at the end."""
    file = tmp_path / "pid"
    async with open_workers(1) as workers:
        tells_pid = Evaluated(f"open({str(file)!r}, 'w').write(str(os.getpid())), {CLAIM}")
        for _ in range(2):
            assert await workers.verify_batch(RING, [tells_pid]) == [None]  # type: ignore[list-item]
            os.kill(int(await trio.Path(file).read_text()), 9)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
async def test_a_signal_to_end_is_the_parent_s_affair(
    number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    """Ctrl-C, `timeout` and systemd reach all processes of a node; a worker goes on until its pipe closes."""
    async with open_workers(1) as workers:
        signalled = Evaluated(f"os.kill(os.getpid(), {number:d}), {CLAIM}")
        assert await workers.verify_batch(RING, [signalled]) == [None]  # type: ignore[list-item]
    assert caplog.messages == []


async def test_no_more_workers_than_allowed(tmp_path: Path) -> None:
    """Jobs wait for a worker rather than starting another."""
    async with open_workers(1) as workers, trio.open_nursery() as nursery:
        for _ in range(4):
            tells_pid = Evaluated(
                f"open(os.path.join({str(tmp_path)!r}, str(os.getpid())), 'w').close(), {CLAIM}"
            )
            nursery.start_soon(workers.verify_batch, RING, [tells_pid])
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize(("cores", "count"), [(None, 1), (1, 1), (3, 3), (64, 4)])
async def test_there_are_as_many_as_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, count: int
) -> None:
    """At least one and at most four."""
    monkeypatch.setattr(workers_module.os, "cpu_count", lambda: cores)
    async with open_workers() as workers:
        assert workers._limiter.total_tokens == count


PROGRAM = """
import sys
import trio
from rumor.crypto.membership import Ring, keypair
from rumor.node.workers import open_workers

class Modules:
    def __reduce__(self):
        return eval, (
            "[print('loaded:', *__import__('sys').modules, flush=True), (b'', [b'scope'], b'')][1]",
        )

async def run():
    # Late, as the command line does.
    import starlette.applications
    if "network" in sys.argv:
        import libp2p.abc
    ring = Ring(keypair()[1] for _ in range(2))
    async with open_workers(1) as workers:
        assert await workers.verify_batch(ring, [Modules()]) == [None]
        print("answered", flush=True)
        if "stay" in sys.argv:
            await trio.sleep_forever()

def main():
    trio.run(run)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program like ours: a package with a command line, run as a script without a suffix or by -m."""
    package = tmp_path / "program"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "cli.py").write_text(PROGRAM + "\nif __name__ == '__main__':\n    main()\n")
    (tmp_path / "script").write_text(
        "import sys\nfrom program.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    return tmp_path


@pytest.mark.parametrize("arguments", [["script", "network"], ["-m", "program.cli"]])
def test_workers_start_from_any_main_program_and_stay_small(program: Path, arguments: list[str]) -> None:
    """From a console script and from -m; without the network and the web server, most of our memory."""
    environment = {**os.environ, "PYTHONPATH": str(program)}
    output = subprocess.run(
        [sys.executable, *arguments], cwd=program, env=environment, capture_output=True, text=True, check=True
    ).stdout
    loaded = {line for line in output.splitlines() if line.startswith("loaded:")}.pop().split()
    assert "answered" in output.splitlines()
    assert "rumor.crypto.membership" in loaded
    assert [name for name in loaded if name.split(".")[0] in ("libp2p", "starlette", "hypercorn")] == []


def test_workers_die_with_a_parent_that_is_killed(program: Path) -> None:
    """Its standard output ends only when the last process that inherited it has gone."""
    environment = {**os.environ, "PYTHONPATH": str(program)}
    command = [sys.executable, "script", "stay"]
    with subprocess.Popen(command, cwd=program, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        lines = [parent.stdout.readline(), parent.stdout.readline()]
        assert lines[1] == "answered\n"
        parent.kill()
        rest, _ = parent.communicate(timeout=20)
        assert rest == ""
