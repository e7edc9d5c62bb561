"""The weather: faults that strike whole nodes and the whole mesh, driven over the time of a run.

Churn takes nodes offline, a crash kills them and starts them again from their disks, a partition cuts the mesh into
two halves drawn afresh each time, slow nodes take twenty times as long, and a wrong clock is off by a normal draw.
Each comes in spells (``faults``). All faults end at a moment from which on the mesh may heal.
"""

from collections.abc import Callable
from typing import Final

from .faults import Fault, Spells
from .friendships import Friendship
from .hosts import Host
from .network import Network
from .scenario import Scenario
from .seeds import Stream

__all__ = ["SLOW_FACTOR", "Weather"]

#: A friend over a busy line in the next room of a student home.
SLOW_FACTOR: Final = 20


class Weather:
    """Drives the faults of a scenario on a network. Those of frames are the affair of ``wires``."""

    def __init__(self, network: Network, scenario: Scenario, random: Stream, until: int) -> None:
        """``until`` is the tick from which on nothing goes wrong any more."""
        self._network = network
        self._random = random
        self._until = until
        self._skew_s = scenario.skew_s
        self._cut: list[Friendship] = []
        for name, fault, begin, end in (
            ("churn", scenario.churn, self._go_offline, self._come_online),
            ("crash", scenario.crash, network.crash, network.restart),
            ("slow", scenario.slow, self._slow_down, self._speed_up),
            ("skew", scenario.skew, self._put_wrong, self._put_right),
        ):
            for host in network.hosts if fault else ():
                self._drive(fault, f"{name} {host.index}", _bound(begin, host), _bound(end, host))
        if scenario.partition:
            self._drive(scenario.partition, "partition", self._cut_in_two, self._heal)

    def _drive(self, fault: Fault, name: str, begin: Callable[[], None], end: Callable[[], None]) -> None:
        spells = Spells(fault, self._random.stream(name))
        if spells.bad:
            self._network.loop.at(0, lambda *_: begin())
        self._await(spells, begin, end)

    def _await(self, spells: Spells, begin: Callable[[], None], end: Callable[[], None]) -> None:
        def turn(*_: object) -> None:
            spells.turn()
            over = self._network.loop.tick >= self._until
            if spells.bad and not over:
                begin()
            elif not spells.bad:
                end()
            if not over:
                self._await(spells, begin, end)

        # What is bad when the faults are to end is put right then.
        if spells.bad or spells.until < self._until:
            self._network.loop.at(min(spells.until, self._until), turn)

    def _go_offline(self, host: Host) -> None:
        for friendship in self._network.of(host):
            self._network.obstruct(friendship)

    def _come_online(self, host: Host) -> None:
        for friendship in self._network.of(host):
            self._network.clear(friendship)

    def _slow_down(self, host: Host) -> None:
        host.delay_factor = SLOW_FACTOR

    def _speed_up(self, host: Host) -> None:
        host.delay_factor = 1

    def _put_wrong(self, host: Host) -> None:
        self._network.set_clock(host, self._random.gauss(0, self._skew_s))

    def _put_right(self, host: Host) -> None:
        self._network.set_clock(host, 0.0)

    def _cut_in_two(self) -> None:
        hosts = self._network.hosts
        half = set(self._random.sample(range(len(hosts)), len(hosts) // 2))
        self._cut = [
            friendship
            for friendship in self._network.friendships
            if (friendship.one.index in half) != (friendship.other.index in half)
        ]
        for friendship in self._cut:
            self._network.obstruct(friendship)

    def _heal(self) -> None:
        cut, self._cut = self._cut, []
        for friendship in cut:
            self._network.clear(friendship)


def _bound(call: Callable[[Host], None], host: Host) -> Callable[[], None]:
    return lambda: call(host)
