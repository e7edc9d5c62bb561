"""The network: hosts, the friendships between them, and virtual time.

Runs real engines. After each call into an engine it does what a driver does: make the durable events durable, send the
frames, answer the work at once, and look at the timer. A host has at most one entry in the loop for its timer that
counts; when the timer moves to a later time the entry stays, and the host is looked at again then.

A friendship's link is open while nothing stands in its way: an *obstacle* is a node that is down or offline, or a
partition between the two. When the last obstacle goes they connect again, after a moment.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..gossip.drafts import AnyDraft
from ..gossip.engine import Engine
from ..gossip.errors import PostRefused
from ..gossip.events import (
    Complained,
    Event,
    ItemAccepted,
    LetterKept,
    LinkId,
    LinkRefused,
    ProofWanted,
    VerifyWanted,
)
from ..gossip.items import ItemId
from ..gossip.letters import Letter
from .adversaries import IMPULSE_TICKS
from .disks import SimulationError
from .friendships import Conditions, Friendship
from .graphs.graph import Graph
from .hosts import Build, Host
from .loop import TICKS_PER_S, Loop, ticks
from .mesh import BEGAN_AT
from .seeds import Stream
from .suites import Cryptography
from .trace import Trace
from .wires import Wire

__all__ = ["Network"]

#: Seconds, at least and at most, until two friends that can connect do.
CONNECT_S: Final = (0.5, 5.0)
#: Seconds until a friend that was refused tries again.
REFUSED_S: Final = 60.0
#: An engine whose timer stays in the past after so many calls in a row will never let time go on.
STALLS_MAX: Final = 1_000


@dataclass(slots=True, kw_only=True)
class Network:
    """A run in progress."""

    build: Build
    cryptography: Cryptography
    conditions: Conditions
    random: Stream
    loop: Loop = field(default_factory=Loop)
    trace: Trace = field(default_factory=Trace)
    hosts: list[Host] = field(default_factory=list)
    friendships: list[Friendship] = field(default_factory=list)
    event_count: int = 0
    """Calls into engines."""
    complaint_count: int = 0
    """Frames that were refused by an honest node."""
    refused_count: int = 0
    """Links that an engine wanted closed."""
    on_item: list[Callable[[int, Host, ItemId], None]] = field(default_factory=list)
    """Told of each item that a host accepts, with the tick."""
    on_letter: list[Callable[[int, Host, Letter], None]] = field(default_factory=list)
    """Told of each letter that a host keeps, whoever wrote it."""
    _of: list[list[Friendship]] = field(default_factory=list)
    _next_link: int = 1
    _stalls: int = 0

    def populate(self, graph: Graph) -> None:
        """Makes the hosts and friendships; ``start`` brings them to life."""
        self.hosts = [
            Host(index, self.build, self.random.stream(f"engine {index}"))
            for index in range(graph.node_count)
        ]
        self._of = [[] for _ in self.hosts]
        for one, other in graph.edges.tolist():
            self._befriend(self.hosts[one], self.hosts[other])

    def _befriend(self, one: Host, other: Host) -> None:
        random = self.random.stream(f"link {one.index} {other.index}")
        friendship = Friendship.between(one, other, self.conditions, random)
        self.friendships.append(friendship)
        self._of[one.index].append(friendship)
        self._of[other.index].append(friendship)

    def start(self) -> None:
        """Starts all nodes, which connect within seconds."""
        for host in self.hosts:
            host.start(self.loop.tick)
            self._settle(host)
            if host.adversary is not None and host.adversary.action.is_restless:
                self.loop.at(self.loop.tick + IMPULSE_TICKS, self._impulse, host)
        for friendship in self.friendships:
            self._connect_soon(friendship)

    def run(self, seconds: float) -> None:
        """Lets time pass."""
        self.loop.run(self.loop.tick + ticks(seconds))

    def now(self) -> float:
        """True time, in seconds since 1970."""
        return BEGAN_AT + self.loop.tick / TICKS_PER_S

    # Links.

    def obstruct(self, friendship: Friendship) -> None:
        """One thing more stands between two friends."""
        friendship.obstacle_count += 1
        self._disconnect(friendship)

    def clear(self, friendship: Friendship) -> None:
        """One thing less does."""
        friendship.obstacle_count -= 1
        assert friendship.obstacle_count >= 0
        if not friendship.obstacle_count:
            self._connect_soon(friendship)

    def of(self, host: Host) -> list[Friendship]:
        """The friendships of a host."""
        return self._of[host.index]

    def _connect_soon(self, friendship: Friendship, delay_s: float | None = None) -> None:
        delay_s = delay_s or friendship.random.uniform(*CONNECT_S)
        self.loop.after(delay_s, self._connect, friendship)

    def _connect(self, friendship: Friendship, _: Any) -> None:
        if friendship.obstacle_count or friendship.links is not None:
            return
        there, back = LinkId(self._next_link), LinkId(self._next_link + 1)
        self._next_link += 2
        friendship.connect(there, back)
        self._open(friendship.one, there, friendship.other)
        self._open(friendship.other, back, friendship.one)

    def _open(self, host: Host, link: LinkId, friend: Host) -> None:
        assert host.engine is not None, "a node that is down is an obstacle"
        self.event_count += 1
        host.engine.link_opened(link, friend.friend_id, host.time(self.loop.tick))
        self._settle(host)

    def _disconnect(self, friendship: Friendship) -> None:
        for host, link in friendship.disconnect():
            if host.engine is not None:
                self.event_count += 1
                host.engine.link_closed(link, host.time(self.loop.tick))
                self._settle(host)

    def crash(self, host: Host) -> None:
        """Kills a node."""
        host.crash()
        for friendship in self.of(host):
            self.obstruct(friendship)

    def restart(self, host: Host) -> None:
        """Starts a node again from its disk."""
        host.start(self.loop.tick)
        self._settle(host)
        for friendship in self.of(host):
            self.clear(friendship)

    def set_clock(self, host: Host, offset_s: float) -> None:
        """Puts a clock wrong or right. One that is put back stands still until true time has caught up."""
        host.offset_s = offset_s
        if host.engine is not None:
            self._look_at_timer(host, host.engine.timer())

    # Calls into engines, and what follows from them.

    def publish(self, host: Host, draft: AnyDraft) -> ItemId | None:
        """Posts; None if the node is down or will not."""
        return self.say(host, lambda engine, now: engine.publish(draft, now))

    def say(self, host: Host, words: Callable[[Engine, float], ItemId]) -> ItemId | None:
        """Has a member say something, in a post or a whisper; None if the node is down or will not."""
        if host.engine is None:
            return None
        self.event_count += 1
        try:
            item_id = words(host.engine, host.time(self.loop.tick))
        except PostRefused:
            return None
        finally:
            self._settle(host)
        return item_id

    def _deliver(self, wire: Wire, frame: bytes) -> None:
        if not wire.is_open:
            return
        tick, host = self.loop.tick, wire.receiver
        self.trace.delivered(tick, wire.number, frame)
        if host.adversary is not None:
            host.adversary.heard(wire, frame)
        engine = host.engine
        assert engine is not None, "a node that is down has no open wires"
        self.event_count += 1
        engine.receive(wire.receiver_link, frame, host.time(tick))
        self._settle(host)

    def _wake(self, host: Host, tick: int) -> None:
        if host.wake_tick != tick or host.engine is None:
            return
        host.wake_tick = None
        now = host.time(tick)
        # Nothing has called the engine since, so its timer is what it was.
        if host.timer_at <= now:
            self.event_count += 1
            host.engine.handle_timer(now)
            self._settle(host)
            self._stalls = self._stalls + 1 if host.timer_at <= now else 0
            if self._stalls > STALLS_MAX:
                raise SimulationError("The core broke a promise: a timer that is handled stays in the past.")
        else:
            self._look_at_timer(host, host.timer_at)

    def _settle(self, host: Host) -> None:
        """Does what a driver does after a call."""
        engine = host.engine
        if engine is None:
            return
        wires = host.wires
        send = self._transmit if host.adversary is None else self._send
        while True:
            event = engine.next_event()
            work = self._heed(host, engine, event) if event is not None else ()
            for link, frame in engine.frames_to_send():
                wire = wires.get(link)
                if wire is not None:
                    send(wire, frame)
            if not work:
                break
            for wanted in work:
                self._answer(host, wanted)
        # While the timer stays and the loop knows of it there is nothing to do, and after most calls it does.
        at = engine.timer()
        if at != host.timer_at or host.wake_tick is None:
            self._look_at_timer(host, at)

    def _heed(self, host: Host, engine: Engine, event: Event | None) -> list[ProofWanted | VerifyWanted]:
        """Makes this event and those after it durable; returns the work that they ask for."""
        work: list[ProofWanted | VerifyWanted] = []
        while event is not None:
            if isinstance(event, (ProofWanted, VerifyWanted)):
                work.append(event)
            else:
                self._take(host, event)
            event = engine.next_event()
        return work

    def _take(self, host: Host, event: Event) -> None:
        host.disk.keep(event)
        match event:
            case ItemAccepted(item=item):
                for told in self.on_item:
                    told(self.loop.tick, host, item.item_id)
            case LetterKept(letter=letter):
                for heard in self.on_letter:
                    heard(self.loop.tick, host, letter)
            case Complained(ours=False):
                self.complaint_count += host.is_honest
            case LinkRefused(link=link):
                self.refused_count += 1
                self.loop.at(self.loop.tick, self._part, host, link)

    def _part(self, host: Host, link: LinkId) -> None:
        """Closes a link that an engine refuses, after its last words have left."""
        for friendship in self.of(host):
            if friendship.links is not None and link in friendship.links:
                self._disconnect(friendship)
                if not friendship.obstacle_count:
                    self._connect_soon(friendship, REFUSED_S)

    def _answer(self, host: Host, wanted: ProofWanted | VerifyWanted) -> None:
        engine, now = host.engine, host.time(self.loop.tick)
        assert engine is not None
        if isinstance(wanted, VerifyWanted):
            engine.verified(wanted.batch_id, self.cryptography.verify(wanted.ring, wanted.jobs), now)
        else:
            proof = self.cryptography.prove(host.secret, wanted.ring, wanted.scopes, wanted.message)
            engine.proof_made(wanted.item_id, proof, now)

    def _look_at_timer(self, host: Host, at: float | None) -> None:
        if at is None:
            return
        host.timer_at = at
        tick = math.ceil((at - host.offset_s - BEGAN_AT) * TICKS_PER_S)
        if tick <= self.loop.tick:
            tick = self.loop.tick + 1
        if host.wake_tick is None or tick < host.wake_tick:
            host.wake_tick = tick
            self.loop.at(tick, self._wake, host, tick)

    def _send(self, wire: Wire, frame: bytes) -> None:
        """Sends a frame as the adversary at this host likes it."""
        adversary = wire.sender.adversary
        assert adversary is not None
        for delay_ticks, sent in adversary.action.sends(frame):
            if delay_ticks:
                self.loop.at(self.loop.tick + delay_ticks, self._say, wire, sent)
            else:
                self._say(wire, sent)

    def _say(self, wire: Wire, frame: bytes) -> None:
        """A spy's node sends a frame."""
        if wire.is_open and wire.sender.adversary is not None:
            wire.sender.adversary.said(wire, frame)
            self._transmit(wire, frame)

    def _transmit(self, wire: Wire, frame: bytes) -> None:
        wire.sender.sent_size += len(frame)
        tick = self.loop.tick
        if wire.bystander is not None:
            wire.bystander.saw(tick, wire, len(frame))
        for at in wire.arrivals(tick):
            self.loop.at(at, self._deliver, wire, frame)

    def _impulse(self, host: Host, _: Any) -> None:
        if host.adversary is None:
            return
        for wire in list(host.wires.values()):
            for frame in host.adversary.action.impulse():
                self._say(wire, frame)
        self.loop.at(self.loop.tick + IMPULSE_TICKS, self._impulse, host)
