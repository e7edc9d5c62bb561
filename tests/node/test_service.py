"""The service in real processes: a full disk, a follower that stops reading, and ends without loose ends."""

import os
import resource
import signal
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from processes import LIMIT_S, Household, Profile, until

from rumor.node import profile as profiles
from rumor.node.api.credentials import read_access
from rumor.node.client import Client
from rumor.node.config import read_config, write_config
from rumor.node.network.cells import megabytes_per_day
from rumor.node.service import API_CONNECTIONS_MAX, cover_line


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    made = Household(tmp_path)
    yield made
    made.close()


def located(person: Profile) -> profiles.Profile:
    return profiles.Profile.locate(person.name, {profiles.HOME_VARIABLE: str(person.home)})


def pair(household: Household, settings: str = "") -> tuple[Profile, Profile]:
    """Two friends who may post; ``settings`` are added to the first one's configuration."""
    ann, bob = household.profile("ann"), household.profile("bob")
    for person in (ann, bob):
        person.init()
    if settings:
        config = read_config(located(ann).config_file)
        write_config(located(ann).config_file, msgspec.structs.replace(config, **tomllib.loads(settings)))
    assert ann.ask("found", "two", "--trial").returncode == 0
    for person in (ann, bob):
        person.launch()
    for person in (ann, bob):
        person.wait_up()
    household.befriend(ann, bob)
    until(lambda: all(person.json("status")["post"]["allowed"] for person in (ann, bob)))
    return ann, bob


def children_of(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for child in " ".join(lists).split()]


def test_a_full_disk_and_a_stuck_follower(household: Household) -> None:
    """The post that does not fit is refused, the node ends with one sentence, and what was acknowledged is kept.

    A follower of the other node that does not read keeps nothing and nobody waiting.
    """
    ann, bob = pair(household)
    assert ann.node is not None
    assert bob.node is not None
    access = read_access(located(bob).token_file)
    with socket.create_connection(("127.0.0.1", access.port)) as stuck:
        stuck.sendall(
            b"GET /api/news HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n\r\n"
            % (access.port, access.token.encode())
        )
        assert ann.ask("post", "before").returncode == 0
        resource.prlimit(ann.node.pid, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
        refused = ann.ask("post", "does not fit")
        assert refused.returncode == 1
        assert "rumor.db" in refused.stderr
        _, said = ann.node.communicate(timeout=30)
        assert ann.node.returncode == 1
        lines = [line for line in said.splitlines() if line.startswith("rumor: ")]
        assert len(lines) == 1
        assert "rumor.db" in lines[0]
        assert "Traceback" not in said
        ann.start()
        # It was acknowledged, and may have been waiting to be signed.
        until(
            lambda: (
                [secret["text"] for secret in Client(located(ann)).get("/secrets")["secrets"]] == ["before"]
            )
        )
        until(lambda: ann.json("status")["post"]["allowed"])
        assert ann.ask("post", "after").returncode == 0
        workers = children_of(ann.node.pid)
        assert workers
        for person in (ann, bob):
            assert person.end(signal.SIGTERM)[0] == 0
        until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()])
    for person in (ann, bob):
        assert not (person.folder / "token").exists()
        assert (person.folder / "rumor.db").stat().st_mode & 0o077 == 0


def test_a_stale_token_names_nobody(household: Household) -> None:
    """After a kill the command line says that no node runs, and founding goes on without one."""
    ann = household.profile("ann")
    ann.init()
    ann.start()
    ann.kill()
    assert (ann.folder / "token").exists()
    done = ann.ask("status")
    assert done.returncode == 3
    assert "rumor --profile ann run" in done.stderr
    assert ann.ask("found", "later").returncode == 0
    assert os.listdir(ann.folder)


def test_strangers_on_the_machine_cannot_use_up_descriptors(household: Household) -> None:
    """Connections to the API above the limit are closed, however low the system's own begins, and the node goes on."""
    ann = household.profile("ann")
    ann.init()
    assert ann.ask("found", "one", "--trial").returncode == 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (150, hard))
    try:
        ann.launch()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    ann.wait_up()
    assert ann.node is not None
    until(lambda: located(ann).token_file.exists())
    port = read_access(located(ann).token_file).port
    flood: list[socket.socket] = []
    try:
        flood += [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * API_CONNECTIONS_MAX)]
        flood[-1].settimeout(LIMIT_S)
        assert flood[-1].recv(1) == b""
        # The first are let go later, for saying nothing.
        flood[0].setblocking(False)
        with pytest.raises(BlockingIOError):
            flood[0].recv(1)
        open_count = len(list(Path(f"/proc/{ann.node.pid}/fd").iterdir()))
        assert open_count <= API_CONNECTIONS_MAX + 64
    finally:
        for connection in flood:
            connection.close()
    until(lambda: ann.ask("status").returncode == 0)
    code, said = ann.end()
    assert code == 0
    assert "Too many open files" not in said


@pytest.mark.slow
def test_a_covered_node_and_a_bare_one_are_friends(household: Household) -> None:
    """Befriending, admission and a post pass though one side alone sends cells; at the start it says what they cost."""
    ann, bob = pair(household, 'cover = "constant"\ncover_rate = 20')
    for person, other, text in ((ann, bob, "in cells"), (bob, ann, "as it comes")):
        assert person.ask("post", text).returncode == 0
        until(lambda other=other, text=text: text in other.ask("feed").stdout)  # type: ignore[misc]
    assert bob.json("status")["cover"] == {"rate": 0, "mb_per_friend_day": 0.0, "covered_by": ["ann"]}
    cost = megabytes_per_day(20)
    assert ann.json("status")["cover"] == {"rate": 20, "mb_per_friend_day": cost, "covered_by": []}
    ann.end()
    ann.start()
    assert ann.node is not None
    assert ann.node.stderr is not None
    assert ann.node.stderr.readline().startswith("  listening on ")
    assert ann.node.stderr.readline() == f"  {cover_line(20, 1)}\n"


def test_the_cost_of_cover_in_words() -> None:
    """What one friend costs, and what all that there are now do."""
    assert cover_line(4, 5) == (
        "constant cover: 4 cells per second and friend, about 415 MB sent per friend and day; "
        "with your 5 friends up to 2,077 MB a day"
    )
    assert cover_line(1, 0).startswith("constant cover: 1 cell per second and friend, about 104 MB")
