"""Real `rumor` processes on loopback, for tests of what a person types."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from rumor.node.cli import main

#: Far longer than anything takes; a test that reaches it has failed.
LIMIT_S = 60.0
PASSPHRASE = "correct horse"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Profile:
    """One profile below a folder, its node, and the commands that a person gives it."""

    home: Path
    name: str
    environment: dict[str, str] = field(default_factory=dict)
    node: "subprocess.Popen[str] | None" = None

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "RUMOR_HOME": str(self.home),
            "RUMOR_PASSPHRASE": PASSPHRASE,
            "COLUMNS": "200",
            **self.environment,
        }

    @property
    def folder(self) -> Path:
        return self.home / self.name

    def _command(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            "-c",
            "from rumor.node.cli import main; main()",
            "--profile",
            self.name,
            *arguments,
        ]

    def ask(self, *arguments: str, stdin: bytes | None = None) -> "subprocess.CompletedProcess[str]":
        """Runs one command to its end: in this process, since starting Python takes longer than most commands."""
        result = CliRunner().invoke(
            main, ["--profile", self.name, *arguments], input=stdin or b"", env=self._environment
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)

    def json(self, *arguments: str) -> dict[str, Any]:
        done = self.ask(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def init(self, *options: str) -> None:
        listen = f"/ip4/127.0.0.1/tcp/{free_port()}"
        done = self.ask("init", "--listen", listen, *(options or ["--no-passphrase"]))
        assert done.returncode == 0, done.stderr

    def spawn(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self._command(*arguments),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self) -> None:
        """Starts the node and waits until it answers. Asserts that it says so and nothing worse."""
        self.launch()
        self.wait_up()

    def launch(self) -> None:
        self.node = self.spawn("run")

    def wait_up(self) -> None:
        assert self.node is not None
        assert self.node.stderr is not None
        line = self.node.stderr.readline()
        assert line.startswith("Rumor runs"), line + self.node.stderr.read()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Sends a signal and returns the node's exit code and what it said since."""
        assert self.node is not None
        self.node.send_signal(number)
        _, said = self.node.communicate(timeout=LIMIT_S)
        code, self.node = self.node.returncode, None
        return code, said

    def kill(self) -> None:
        """As the system does when memory runs out: the node and not its workers, which notice."""
        self.end(signal.SIGKILL)


class Household:
    """Some profiles in one folder; their nodes end with the test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.profiles: list[Profile] = []

    def profile(self, name: str) -> Profile:
        profile = Profile(self.home, name)
        self.profiles.append(profile)
        return profile

    def close(self) -> None:
        for profile in self.profiles:
            if profile.node is not None:
                profile.kill()

    def befriend(self, inviter: Profile, invited: Profile) -> None:
        """What two people do, with all the commands."""
        uri = inviter.ask("invite", "--name", invited.name).stdout.strip()
        assert re.fullmatch("rumor:[a-z2-7]+", uri)
        joined = invited.ask("join", uri, "--name", inviter.name)
        assert joined.returncode == 0, joined.stderr
        words = next(
            friend["words"] for friend in invited.json("friends")["friends"] if friend["name"] == inviter.name
        )
        for one, other in ((inviter, invited), (invited, inviter)):
            done = one.ask("friends", "confirm", other.name, *words.split())
            assert done.returncode == 0, done.stderr


def until(holds: Any, every_s: float = 0.1) -> None:
    """Waits until something holds in other processes; there is nothing else to wait on."""
    give_up_at = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < give_up_at, "it never came to hold"
        time.sleep(every_s)
