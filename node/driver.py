"""The driver: gives one engine its clock, its disk, its links and its workers.

The engine decides and this loop obeys, in one order that must not change: what the engine made durable is on the disk
before any frame of the same step leaves, and before anybody is told that a post is accepted. One task flushes; every
other task may call the engine between checkpoints and then wakes it. Work (proofs, verification) runs in tasks of its
own and comes back as calls into the engine.
"""

import os
from collections.abc import Awaitable, Callable
from random import SystemRandom

import trio

from ..crypto.identity import MemberSecret
from ..gossip.authoring import Draft
from ..gossip.engine import Engine
from ..gossip.events import (
    Event,
    FriendId,
    ItemAccepted,
    LinkId,
    LinkRefused,
    ProofWanted,
    Sponsored,
    VerifyWanted,
)
from ..gossip.genesis import Genesis
from ..gossip.items import Item, ItemId
from .clock import Clock
from .ledger import Ledger
from .workers import Workers

__all__ = ["Driver", "SystemSource"]


class SystemSource:
    """The operating system's generator, as the engine wants it."""

    def __init__(self) -> None:
        self._random = SystemRandom()

    def randbytes(self, n: int, /) -> bytes:
        return os.urandom(n)

    def randrange(self, stop: int, /) -> int:
        return self._random.randrange(stop)

    def random(self) -> float:
        return self._random.random()


class Driver:
    """Runs one engine."""

    def __init__(
        self,
        genesis: Genesis,
        secret: MemberSecret,
        ledger: Ledger,
        workers: Workers,
        clock: Clock,
        *,
        send: Callable[[FriendId, bytes], None],
        refuse: Callable[[FriendId, str], None],
        sponsored: Callable[[FriendId], Awaitable[None]],
    ) -> None:
        """``send`` hands a frame to a friend's queue and never waits; ``refuse`` closes a friend's connection;
        ``sponsored`` makes durable that a friend has been admitted.
        """
        self._secret = secret
        self._ledger = ledger
        self._workers = workers
        self._clock = clock
        self._send = send
        self._refuse = refuse
        self._sponsored = sponsored
        self.engine = Engine(genesis, SystemSource(), clock.now(), secret=secret.raw)
        self._links: dict[FriendId, LinkId] = {}
        self._friends: dict[LinkId, FriendId] = {}
        self._next_link = 1
        self._wake = trio.Event()
        self._waiters: list[trio.Event] = []
        self._readers: set[trio.MemorySendChannel[Item]] = set()

    async def restore(self) -> None:
        """Gives the engine what its disk holds. To be called once, before ``run``."""
        remembered = await self._ledger.load()
        self.engine.restore(
            items=remembered.items,
            slots=remembered.slots,
            outbox=remembered.outbox,
            now=self._clock.now(),
        )

    async def run(self) -> None:
        """Drives the engine until cancelled. Raises ``StoreError`` if the disk fails."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._flush(nursery)
                timer = self.engine.timer()
                with trio.move_on_after(max(0.0, timer - self._clock.now()) if timer else float("inf")):
                    await self._wake.wait()
                self._wake = trio.Event()
                now = self._clock.now()
                timer = self.engine.timer()
                if timer is not None and timer <= now:
                    self.engine.handle_timer(now)

    async def _flush(self, nursery: trio.Nursery) -> None:
        waiters, self._waiters = self._waiters, []
        events: list[Event] = []
        while (event := self.engine.next_event()) is not None:
            events.append(event)
        frames = self.engine.frames_to_send()
        await self._ledger.write(events)
        for event in events:
            if isinstance(event, Sponsored):
                await self._sponsored(event.friend)
        for link, frame in frames:
            if link in self._friends:
                self._send(self._friends[link], frame)
        for waiter in waiters:
            waiter.set()
        for event in events:
            match event:
                case ItemAccepted(item=item):
                    self._tell(item)
                case ProofWanted():
                    nursery.start_soon(self._prove, event)
                case VerifyWanted():
                    nursery.start_soon(self._verify, event)
                case LinkRefused(link=link, fault=fault) if link in self._friends:
                    friend = self._friends.pop(link)
                    del self._links[friend]
                    self._refuse(friend, f"broke the protocol: {fault.name.lower().replace('_', ' ')}")

    def _touched(self) -> None:
        self._wake.set()

    async def _prove(self, wanted: ProofWanted) -> None:
        proof = await self._workers.prove(self._secret.raw, wanted.ring, wanted.scopes, wanted.message)
        self.engine.proof_made(wanted.item_id, proof, self._clock.now())
        self._touched()

    async def _verify(self, wanted: VerifyWanted) -> None:
        claims = [(job.proof, job.scopes, job.message) for job in wanted.jobs]
        results = await self._workers.verify_batch(wanted.ring, claims)
        self.engine.verified(wanted.batch_id, [tags is not None for tags in results], self._clock.now())
        self._touched()

    # Links, as the connections come and go.

    def link_up(self, friend: FriendId) -> None:
        """A friend's connection is there; one that stood before is replaced."""
        self.link_down(friend)
        link = LinkId(self._next_link)
        self._next_link += 1
        self._links[friend], self._friends[link] = link, friend
        self.engine.link_opened(link, friend, self._clock.now())
        self._touched()

    def link_down(self, friend: FriendId) -> None:
        link = self._links.pop(friend, None)
        if link is not None:
            del self._friends[link]
            self.engine.link_closed(link, self._clock.now())
            self._touched()

    def receive(self, friend: FriendId, frame: bytes) -> None:
        """A frame that a friend sent."""
        link = self._links.get(friend)
        if link is not None:
            self.engine.receive(link, frame, self._clock.now())
            self._touched()

    # What a person does.

    async def publish(self, draft: Draft) -> ItemId:
        """Publishes a secret; when this returns, it is on the disk and will not be lost.

        Raises ``PostRefused``, or ``LocalError`` for a text that will not do.
        """
        item_id = self.engine.publish(draft, self._clock.now())
        await self.settled()
        return item_id

    async def settled(self) -> None:
        """Waits until everything that the engine has decided so far is durable."""
        waiter = trio.Event()
        self._waiters.append(waiter)
        self._touched()
        await waiter.wait()

    def follow(self, waiting_max: int) -> trio.MemoryReceiveChannel[Item]:
        """Items from now on, as they are accepted; a reader that falls behind by ``waiting_max`` is cut off."""
        sender, receiver = trio.open_memory_channel[Item](waiting_max)
        self._readers.add(sender)
        return receiver

    def _tell(self, item: Item) -> None:
        for sender in list(self._readers):
            try:
                sender.send_nowait(item)
            except (trio.WouldBlock, trio.BrokenResourceError):
                self._readers.discard(sender)
                sender.close()
