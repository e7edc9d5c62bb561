"""Twin worlds of whole nodes: three people twice from the same disks and seed, once with a post or a whisper and once
without.

Nodes, drivers, ledgers and connections are the real ones, on virtual time; the memory transport writes down who sent
what to whom and when, and the author's disk what was committed when. Each world is a run of trio of its own, in which
everything follows from the seed. What the recordings are compared by is up to the tests.
"""

import copy
import math
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random
from typing import NamedTuple

import msgspec
import pytest
import trio
import trio.testing
from fakenet import Seeded
from people import PARAMETERS, Disk, Person, town

from rumor.crypto.errors import OnionBroken
from rumor.crypto.membership import Ring
from rumor.gossip import ranges
from rumor.gossip.bodies import Kind
from rumor.gossip.errors import Malformed
from rumor.gossip.frames import Reconcile, decode_frame_untrusted
from rumor.gossip.idset import EPOCH_SIZE, UPPER_MOST
from rumor.gossip.items import Item
from rumor.gossip.letters import Whisper
from rumor.gossip.packets import Content, unpad_item
from rumor.gossip.suite import Real
from rumor.node.network.memory_transport import MemoryConnection, MemoryNetwork
from rumor.node.network.transport import NodeId
from rumor.node.storage.store import Change
from rumor.node.workers import InlineWorkers

__all__ = ["CUT_S", "ENDED_S", "POSTED_S", "RESTARTED_S", "Sent", "World", "disks", "live"]

#: A tick in 6 s for three members, so that all retries are over within two minutes.
PACE = msgspec.structs.replace(PARAMETERS, relay_keys_min=1, bytes_per_day=700_000_000)

# Fake seconds. At first the second relay day has just begun, and all keys count. The author's connection to one friend
# breaks between two tries, and the author's node is killed between two others.
BEGAN_S = 305.0
POSTED_S = 325.0
CUT_S = 365.0
HEALED_S = 373.0
RESTARTED_S = 395.0
ENDED_S = 505.0


class Sent(NamedTuple):
    """A frame that left a node."""

    at_s: float
    sender: str
    recipient: str
    size: int
    """Of a reconciliation without the beginnings of ids in it: how long they are follows from the ids themselves, which
    are as random in the one world as in the other."""


@dataclass
class World:
    """What can be seen of one of the two worlds."""

    sent: list[Sent] = field(default_factory=list)
    commits: list[tuple[float, Sequence[Change]]] = field(default_factory=list)
    """Of the author's disk, with their times."""
    published_s: float | None = None
    """When the last relay began to publish the secret."""
    sent_count: int = 0
    """Onions that have left with the secret or the whisper, if it still waits at the end."""


class RecordedNetwork(MemoryNetwork):
    """Writes down what is sent."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.names: dict[NodeId, str] = {}
        self._world = world

    async def connect(self, local: NodeId, peer: NodeId, address: str) -> MemoryConnection:
        near = await super().connect(local, peer, address)
        assert near._other is not None
        for end in (near, near._other):
            end.send = partial(self._send, end, end.send)  # type: ignore[method-assign]
        return near

    async def _send(
        self, end: MemoryConnection, send: Callable[[bytes], Awaitable[None]], frame: bytes
    ) -> None:
        names = self.names[end.local], self.names[end.peer]
        self._world.sent.append(Sent(trio.current_time(), *names, _size(frame)))
        await send(frame)


def _size(frame: bytes) -> int:
    try:
        # Behind a byte for the payload and one for gossip.
        said = decode_frame_untrusted(frame[2:])
        body = ranges.decode_untrusted(said.message).body if isinstance(said, Reconcile) else None
    except (Malformed, ranges.ReconciliationError):
        return len(frame)
    bounds = [each.upper for each in body.ranges] if body is not None else []
    return len(frame) - sum(len(bound) - EPOCH_SIZE for bound in bounds if bound != UPPER_MOST)


class WatchedWorkers(InlineWorkers):
    """Sees when a relay publishes a secret: the packet that it proves then holds it bare."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def prove(self, secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        if len(message) > 3_000 and message[1] == Content.ITEM and self._world.published_s is None:
            item = Item.decode_untrusted(unpad_item(message[14:]))
            if item.kind is Kind.SECRET:
                self._world.published_s = trio.current_time()
        return await super().prove(secret, ring, scopes, message)


class Straight(Random):
    """Trio's own randomness: tasks that wake at the same time run in an order that follows from their age."""

    def shuffle(self, x: object) -> None:
        """Leaves it as it is."""


def on_virtual_time(main: Callable[[], Awaitable[None]], began_s: float = 0.0) -> None:
    """Runs to the end, on a clock that starts at ``began_s`` and jumps over whatever is waited for.

    It stands at multiples of 2**-20 s only. Seconds since 1970 have 2**-22: between them and a finer clock each nap of
    a driver would be rounded, and so once more in a world in which it wakes once more.
    """
    clock = trio.testing.MockClock(autojump_threshold=0)
    jump = clock.jump

    def jump_to_tick(seconds: float) -> None:
        now = clock.current_time()
        jump(math.ceil((now + seconds) * 2**20) / 2**20 - now)

    clock.jump = jump_to_tick  # type: ignore[method-assign]  # it must not be subclassed
    clock.jump(began_s)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trio._core._run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
        patch.setattr(trio._core._run, "_r", Straight())
        trio.run(main, clock=clock)


@cache
def disks() -> dict[str, Disk]:
    """The disks of three people who have met and may post; they are not to be changed."""
    stopped: dict[str, Disk] = {}

    async def meet() -> None:
        async with town(lambda name: Seeded(f"meeting/{name}")) as place:
            ann, bob, cleo = await place.founder("ann", PACE), await place.add("bob"), await place.add("cleo")
            await place.befriend(ann, bob)
            await place.befriend(ann, cleo)
            for person in (ann, bob, cleo):
                await person.until_may_post()
            await place.befriend(bob, cleo, sponsor=False)
            await bob.node.speaker.post("whisper to me", 0)
            for person in (ann, bob, cleo):
                await person.until_reads("whisper to me")
            await trio.sleep_until(BEGAN_S)
            for person in (ann, bob, cleo):
                await person.stop()
                stopped[person.name] = person.store

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", Random("keys").randbytes)
        on_virtual_time(meet)
    return stopped


async def _live(world: World, seed: str, ended_s: float, *, post: bool, whisper: bool) -> None:
    async with town() as place:
        place.network = network = RecordedNetwork(world)
        for number, (name, disk) in enumerate(disks().items()):
            store = copy.deepcopy(disk)
            store.commits, store.committed_at = [], []
            person = Person(
                name, network, 2_000 + number, store, WatchedWorkers(world), Seeded(f"{seed}/{name}")
            )
            await person.start(place.nursery)
            network.names[person.node._transport.node_id] = name
            place.people[name] = person
        ann, bob = place.people["ann"], place.people["bob"]
        with trio.move_on_at(ended_s):
            await trio.sleep_until(POSTED_S)
            if post:
                await ann.node.speaker.post("twins", 0)
            if whisper:
                [secret] = ann.node.driver.engine.board.secrets
                await ann.node.whisperer.whisper(secret, "twins")
            await trio.sleep_until(CUT_S)
            network.cut(ann.node._transport.node_id, bob.node._transport.node_id)
            await trio.sleep_until(HEALED_S)
            network.heal()
            await trio.sleep_until(RESTARTED_S)
            ann.random = Seeded(f"{seed}/ann again")
            await place.restart(ann)
            await trio.sleep_forever()
        world.commits = list(zip(ann.store.committed_at, ann.store.commits, strict=True))
        outbox = ann.node.driver.engine.mixing.outbox
        world.sent_count = sum(
            outbox[item.item_id].sent_count
            for item in outbox.items()
            if item.kind is Kind.SECRET or isinstance(item, Whisper)
        )


def live(
    seed: str, *, post: bool, whisper: bool = False, deaf: bool = False, ended_s: float = ENDED_S
) -> World:
    """One of the two worlds, from ``BEGAN_S`` on; with ``post`` the founder posts at ``POSTED_S``, or whispers.

    Where all are ``deaf`` no relay opens anything, and no secret comes back.
    """
    disks()  # There all can hear.
    world = World()
    with pytest.MonkeyPatch.context() as patch:
        if deaf:
            patch.setattr(Real, "open_onion", _open_nothing)
        on_virtual_time(partial(_live, world, seed, ended_s, post=post, whisper=whisper), BEGAN_S)
    return world


def _open_nothing(self: Real, data: bytes, secret: bytes, public: bytes | None = None) -> None:
    raise OnionBroken
