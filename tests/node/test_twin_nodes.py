"""Twin worlds of real nodes: the same three people twice from the same disks, once with a post and once without.

Nodes, drivers, ledgers and connections are the real ones, on virtual time and with randomness from a seed; the memory
transport writes down who sent how much to whom and when, and the disks what was committed when. Both must be the same
until the secret is published by its last relay. Where relays open nothing it never is, and then both must stay the
same through every retry, a broken connection and a restart of the author. What was committed is then written to two
real encrypted files, which must grow alike.

Two things may differ. The size of a reconciliation's messages: how shortly ranges of ids can be named depends on the
ids, which are as random with a post as without. And one commit at the moment of the post, which writes rows of the
outbox that were there before: a post must survive a crash (docs/threat-model.md).
"""

import copy
import math
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random

import msgspec
import pytest
import trio
import trio.testing
from fakenet import Seeded
from people import PARAMETERS, Disk, Person, Town, town

from rumor.crypto.errors import OnionBroken
from rumor.crypto.membership import Ring
from rumor.gossip.items import Item, Kind
from rumor.gossip.packets import Content, unpad_item
from rumor.gossip.suite import Real
from rumor.node.network.memory_transport import MemoryConnection, MemoryNetwork
from rumor.node.network.transport import NodeId
from rumor.node.storage.store import Change, Put, Table
from rumor.node.workers import InlineWorkers

#: A tick in 6 s for three members, so that all retries are over within two minutes.
PACE = msgspec.structs.replace(PARAMETERS, relay_keys_min=1, bytes_per_day=700_000_000)
#: Fake seconds: the second relay day has begun, and all keys count.
BEGAN_S = 305.0
POSTED_S = BEGAN_S + 20.0
CUT_S = BEGAN_S + 60.0
HEALED_S = BEGAN_S + 68.0
RESTARTED_S = BEGAN_S + 90.0
ENDED_S = BEGAN_S + 200.0
#: The fourth byte of a reconciliation's frame, after channel, purpose and the head of an array.
RECONCILE = 5

Sent = tuple[float, str, str, int]


class Straight(Random):
    """Trio's own randomness: tasks that wake together run in the order of their age, and not in any order."""

    def shuffle(self, x: object) -> None:
        """Leaves the order."""


@dataclass
class World:
    """What can be seen of one of the two worlds."""

    sent: list[Sent] = field(default_factory=list)
    commits: list[tuple[float, list[Change]]] = field(default_factory=list)
    """Of the author's disk, with their times."""
    published_at: float | None = None
    """When the last relay began to publish the secret."""
    sent_count: int = 0
    """Onions that have left with the secret."""


class RecordedNetwork(MemoryNetwork):
    """Writes down what is sent."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.names: dict[NodeId, str] = {}

    async def connect(self, local: NodeId, peer: NodeId, address: str) -> MemoryConnection:
        near = await super().connect(local, peer, address)
        assert near._other is not None
        for end in (near, near._other):
            end.send = partial(self._record, end, end.send)  # type: ignore[method-assign]
        return near

    async def _record(
        self, end: MemoryConnection, send: Callable[[bytes], Awaitable[None]], frame: bytes
    ) -> None:
        size = 0 if frame[:2] == b"\x01\x01" and frame[3] == RECONCILE else len(frame)
        self._world.sent.append((trio.current_time(), self.names[end.local], self.names[end.peer], size))
        await send(frame)


class WatchedWorkers(InlineWorkers):
    """Workers that see when a relay publishes a secret."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def prove(self, secret: bytes, ring: Ring, scopes: object, message: bytes) -> bytes:
        if len(message) > 3_000 and message[1] == Content.ITEM and self._world.published_at is None:
            item = Item.decode_untrusted(unpad_item(message[14:]))
            if item.kind is Kind.SECRET:
                self._world.published_at = trio.current_time()
        return await super().prove(secret, ring, scopes, message)  # type: ignore[arg-type]


def on_virtual_time(main: Callable[[], Awaitable[object]], from_s: float = 0.0) -> None:
    """Runs to the end, on a clock that begins at ``from_s`` and jumps over whatever is waited for.

    It jumps to multiples of 2**-20 s. Seconds since 1970 have 2**-22; between them and a finer clock each nap would be
    rounded, and once more in a world in which a node wakes once more.
    """
    clock = trio.testing.MockClock(autojump_threshold=0)
    clock.jump(from_s)
    jump = clock.jump
    clock.jump = lambda s: jump(math.ceil((clock.current_time() + s) * 2**20) / 2**20 - clock.current_time())  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trio._core._run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
        patch.setattr(trio._core._run, "_r", Straight())
        trio.run(main, clock=clock)


@cache
def disks() -> dict[str, Disk]:
    """The disks of three people who have met and may post."""
    stopped: dict[str, Disk] = {}

    async def meet() -> None:
        async with town(lambda name: Seeded(f"meeting/{name}")) as place:
            ann, bob, cleo = await place.founder("ann", PACE), await place.add("bob"), await place.add("cleo")
            await place.befriend(ann, bob)
            await place.befriend(ann, cleo)
            await bob.until_may_post()
            await cleo.until_may_post()
            await place.befriend(bob, cleo, sponsor=False)
            await trio.sleep_until(BEGAN_S)
            for person in (ann, bob, cleo):
                await person.stop()
                stopped[person.name] = person.store

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "urandom", Random("keys").randbytes)
        on_virtual_time(meet)
    return stopped


async def _live(world: World, post: bool, seed: str) -> None:
    async with town() as place:
        network = place.network = RecordedNetwork(world)
        for number, (name, disk) in enumerate(disks().items()):
            store = copy.deepcopy(disk)
            store.commits, store.committed_at = [], []
            person = place.people[name] = Person(name, network, 2_000 + number, store, WatchedWorkers(world))
            person.random = Seeded(f"{seed}/{name}")
            await person.start(place.nursery)
            network.names[person.node._transport.node_id] = name
        ann, bob = place.people["ann"], place.people["bob"]
        await trio.sleep_until(POSTED_S)
        if post:
            await ann.node.post("twins", 0)
        await trio.sleep_until(CUT_S)
        nodes = ann.node._transport.node_id, bob.node._transport.node_id
        network.cut(*nodes)
        await trio.sleep_until(HEALED_S)
        network.heal()
        await trio.sleep_until(RESTARTED_S)
        ann.random = Seeded(f"{seed}/ann again")
        await place.restart(ann)
        await trio.sleep_until(ENDED_S)
        world.commits = list(zip(ann.store.committed_at, ann.store.commits, strict=True))
        mixing = ann.node.driver.engine.mixing
        world.sent_count = sum(
            mixing.outbox[item.item_id].sent_count
            for item in mixing.outbox.items()
            if item.kind is Kind.SECRET
        )


class Deaf(Real):
    """Relays that open nothing."""

    def open_onion(self, data, secret):
        raise OnionBroken


def live(seed: str, *, post: bool, deaf: bool) -> World:
    """One of the two worlds."""
    world = World()
    disks()
    with pytest.MonkeyPatch.context() as patch:
        if deaf:
            patch.setattr(Real, "open_onion", Deaf.open_onion)
        on_virtual_time(partial(_live, world, post, seed), BEGAN_S)
    return world


def test_debug():
    import time
    t = time.process_time()
    disks()
    print("disks", time.process_time() - t); t = time.process_time()
    for deaf in (False, True):
        one = live("a", post=False, deaf=deaf)
        print("one", time.process_time() - t); t = time.process_time()
        two = live("a", post=False, deaf=deaf)
        print(len(one.sent), len(two.sent), one.sent == two.sent)
        three = live("a", post=True, deaf=deaf)
        print(three.published_at, len(three.sent), three.sent_count)
        for i, (a, b) in enumerate(zip(one.sent, three.sent)):
            if a != b:
                print(i, a, b); break
        print(len(one.commits), len(three.commits))
        shape = lambda w: [(t, [(type(c).__name__, c.table, len(getattr(c, "value", b"")) if c.table is not Table.OUTBOX else 0) for c in cs]) for t, cs in w.commits]
        for i, (a, b) in enumerate(zip(shape(one), shape(three))):
            if a != b:
                print(i, a, b); break
