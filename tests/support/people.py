"""People with whole nodes, on a network, disks and workers that exist in memory only; their hours take no time."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import trio
from openapi import check_answer
from starlette.routing import BaseRoute

from rumor.gossip.bodies import ReplyBody, SecretBody
from rumor.gossip.genesis import TRIAL, Parameters
from rumor.gossip.items import Item
from rumor.gossip.randomness import Streams
from rumor.node.account import Account
from rumor.node.api.locking import PageLock
from rumor.node.api.routes import make_app
from rumor.node.clock import Clock
from rumor.node.network.memory_transport import MemoryNetwork, MemoryTransport
from rumor.node.network.transport import NodeId
from rumor.node.node import Node
from rumor.node.profile import Profile
from rumor.node.storage.store import Change, MemoryStore, StoreFull, Table
from rumor.node.workers import InlineWorkers, Workers

#: Ten-second epochs and no minimums, but slots enough for a busy test.
PARAMETERS = msgspec.structs.replace(TRIAL, secrets_per_epoch=50)
BEGAN_AT = 1_800_000_000.0
LIMIT_S = 1_000.0


class Disk(MemoryStore):
    """A store that can be slow or full, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.delay_s = 0.0
        self.is_full = False
        self.commits_left: int | None = None
        """After so many, a commit hangs until the node is killed; None never."""
        self.commits: list[Sequence[Change]] = []
        self.committed_at: list[float] = []
        """Fake seconds, one for each of the commits."""

    async def commit(self, changes: Sequence[Change]) -> None:
        await trio.sleep(self.delay_s)
        if self.is_full:
            raise StoreFull("There is no room left: free some disk space.")
        if self.commits_left is not None:
            if self.commits_left == 0:
                await trio.sleep_forever()
            self.commits_left -= 1
        self.commits.append(list(changes))
        self.committed_at.append(trio.current_time())
        await super().commit(changes)


def wall() -> float:
    return BEGAN_AT + trio.current_time()


@dataclass
class Person:
    """Somebody with a profile, whose node may run or not."""

    name: str
    network: MemoryNetwork
    port: int
    store: Disk = field(default_factory=Disk)
    workers: Workers = field(default_factory=InlineWorkers)
    random: Streams | None = None
    """What the node draws from; None is the operating system's."""
    node: Node = field(init=False)
    error: BaseException | None = None
    _scope: trio.CancelScope | None = None
    _ended: trio.Event = field(default_factory=trio.Event)

    async def start(self, nursery: trio.Nursery) -> None:
        if not await self.store.load(Table.PROFILE):
            await Account.make(self.store)

        def transport(seed: bytes, admits: Callable[[NodeId], bool]) -> MemoryTransport:
            listen = [f"/ip4/127.0.0.1/tcp/{self.port}"]
            return MemoryTransport(self.network, seed, admits=admits, listen=listen)

        self.node = Node(self.store, self.workers, transport, clock=Clock(wall), random=self.random)
        self._scope, self._ended, self.error = trio.CancelScope(), trio.Event(), None
        await self.node.open()
        await nursery.start(self._run)

    async def _run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        assert self._scope is not None
        try:
            with self._scope:
                await self.node.run(task_status)
        except BaseExceptionGroup as group:
            self.error = group
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """As if killed: what the store has is all that stays."""
        assert self._scope is not None
        self._scope.cancel()
        await self._ended.wait()

    async def ended(self) -> None:
        await self._ended.wait()

    @property
    def first_error(self) -> BaseException | None:
        error = self.error
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return error

    def friend(self, name: str) -> dict[str, Any]:
        found = [each for each in self.node.friends()["friends"] if each["name"] == name]
        assert found, f"{self.name} knows no {name}"
        return found[0]  # type: ignore[no-any-return]

    def knows(self, name: str) -> bool:
        return any(each["name"] == name for each in self.node.friends()["friends"])

    async def texts(self) -> list[str]:
        """What this person can read, in order of the alphabet: what is on the disk."""
        rows = await self.store.page(Table.ITEMS, after=0)
        bodies = [Item.decode_untrusted(row.value).body for row in rows]
        return sorted(body.text for body in bodies if isinstance(body, SecretBody | ReplyBody))

    async def may_post(self) -> bool:
        return bool((await self.node.status())["post"]["allowed"])

    async def until_may_post(self) -> None:
        await until(self.may_post)

    async def until_reads(self, *texts: str) -> None:
        async def reads() -> bool:
            return set(texts) <= set(await self.texts())

        await until(reads)


async def until(holds: Callable[[], Any]) -> None:
    """Waits until something holds, looking often; ``LIMIT_S`` of fake time is far longer than anything takes."""
    with trio.fail_after(LIMIT_S):
        while True:
            answer = holds()
            if hasattr(answer, "__await__"):
                answer = await answer
            if answer:
                return
            await trio.sleep(0.05)


class Town:
    """Some people and the network between them."""

    def __init__(self, nursery: trio.Nursery, streams: Callable[[str], Streams | None]) -> None:
        self.network = MemoryNetwork()
        self.streams = streams
        self.people: dict[str, Person] = {}
        self.nursery = nursery

    async def add(self, name: str) -> Person:
        port = 2_000 + len(self.people)
        person = self.people[name] = Person(name, self.network, port, random=self.streams(name))
        await person.start(self.nursery)
        return person

    async def founder(self, name: str = "ann", parameters: Parameters = PARAMETERS) -> Person:
        person = await self.add(name)
        await person.node.found("town", trial=True, parameters=parameters)
        return person

    async def meet(self, inviter: Person, invited: Person, *, sponsor: bool = True) -> None:
        """Hands over an invitation and waits until both nodes have met."""
        invitation = await inviter.node.invite(invited.name, sponsor=sponsor)
        await invited.node.join(invitation["uri"], inviter.name)
        await until(lambda: inviter.knows(invited.name) and invited.knows(inviter.name))

    async def befriend(self, inviter: Person, invited: Person, *, sponsor: bool = True) -> None:
        await self.meet(inviter, invited, sponsor=sponsor)
        words = inviter.friend(invited.name)["words"]
        await invited.node.confirm(inviter.name, words)
        await inviter.node.confirm(invited.name, words)
        await until(lambda: inviter.friend(invited.name)["state"] == "connected")
        await until(lambda: invited.friend(inviter.name)["state"] == "connected")

    async def restart(self, person: Person) -> None:
        await person.stop()
        await person.start(self.nursery)


@asynccontextmanager
async def town(streams: Callable[[str], Streams | None] = lambda _: None) -> AsyncIterator[Town]:
    """``streams`` gives each of the people what they draw from; by default the operating system's."""
    async with trio.open_nursery() as nursery:
        yield Town(nursery, streams)
        nursery.cancel_scope.cancel()


async def pair(place: Town) -> tuple[Person, Person]:
    """Two friends in a mesh of their own who may post."""
    ann, bob = await place.founder("ann"), await place.add("bob")
    await place.befriend(ann, bob)
    await ann.until_may_post()
    await bob.until_may_post()
    return ann, bob


@asynccontextmanager
async def asking(
    person: Person,
    page: Sequence[BaseRoute] = (),
    lock: PageLock | None = None,
    profile: Profile | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a person's API, without the guard before it; every answer is held against docs/openapi.json."""
    transport = httpx.ASGITransport(make_app(person.node, page, lock, profile), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://node/api", event_hooks={"response": [check_answer]}
    ) as client:
        yield client
