"""The driver: gives one engine its clock, its disk, its links and its workers.

The engine decides and this loop obeys, in one order that must not change: what the engine made durable is on the disk
before any frame of the same step leaves, and before anybody is told that a post is accepted. One task flushes; every
other task may call the engine between checkpoints and then wakes it. Work (proofs, verification) runs in tasks of its
own and comes back as calls into the engine.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from random import SystemRandom
from typing import Final, Protocol

import trio

from ..crypto.identity import MemberSecret
from ..gossip.drafts import AnyDraft
from ..gossip.engine import Engine
from ..gossip.errors import PostRefused
from ..gossip.events import (
    Event,
    FriendId,
    ItemAccepted,
    ItemRemoved,
    LetterKept,
    LinkId,
    LinkRefused,
    OutboxAdded,
    OutboxRemoved,
    OutboxTurned,
    ProofWanted,
    RosterChanged,
    Sponsored,
    VerifyWanted,
)
from ..gossip.genesis import Genesis
from ..gossip.items import Item, ItemId
from ..gossip.randomness import Streams
from .clock import Clock
from .ledger import Ledger
from .storage.store import OUTBOX_ROW_COUNT, Change, StoreError
from .workers import WorkerError, Workers

__all__ = ["Driver", "DriverEnded", "News", "SystemSource", "Watcher"]

#: Frames taken between two flushes. One ``Want`` of 33 kB makes 2 MB of answers, so this bounds what a friend can have
#: made ready while the disk is slow.
UNFLUSHED_MAX: Final = 32
#: A machine that slept wakes to timers that did not count; this is how late an epoch is noticed at the most.
NAP_S_MAX: Final = 60.0
#: Followers of the feed at once: a page or two, and a few terminals.
READERS_MAX: Final = 32


#: What followers hear of: what there is to read, and what becomes of what waits.
News = ItemAccepted | ItemRemoved | LetterKept | OutboxAdded | OutboxRemoved | OutboxTurned | RosterChanged


class Watcher(Protocol):
    """Keeps an index of the items of one node."""

    def came(self, item: Item) -> None:
        """An item is here now."""
        ...

    def went(self, item_id: ItemId) -> None:
        """An item is gone; perhaps it was never told of."""
        ...


class DriverEnded(Exception):
    """The node is ending, so it cannot say that this was done."""


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

    def stream(self, name: str) -> "SystemSource":  # noqa: ARG002
        """Itself: what the system draws is independent of all that it drew."""
        return self


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
        sponsored: Callable[[Sequence[FriendId], Sequence[Change]], Awaitable[None]],
        random: Streams | None = None,
    ) -> None:
        """``send`` hands a frame to a friend's queue and never waits; ``refuse`` closes a friend's connection;
        ``sponsored`` makes durable that friends have been admitted, all together with those changes. ``random`` is the
        operating system's unless another is given.
        """
        self._secret = secret
        self._ledger = ledger
        self._workers = workers
        self._clock = clock
        self._send = send
        self._refuse = refuse
        self._sponsored = sponsored
        self.engine = Engine(genesis, random or SystemSource(), clock.now(), secret=secret.raw)
        self._links: dict[FriendId, LinkId] = {}
        self._friends: dict[LinkId, FriendId] = {}
        self._next_link = 1
        self._wake = trio.Event()
        self._waiters: list[trio.Event] = []
        self._readers: list[trio.MemorySendChannel[News]] = []
        self._watcher: Watcher | None = None
        self._unflushed_count = 0
        self._failure: Exception | None = None

    async def restore(self, *, silent_until: int = 0) -> None:
        """Gives the engine what its disk holds. To be called once, before ``run``; ``silent_until`` as the engine's."""
        remembered = await self._ledger.load()
        self.engine.restore(
            items=remembered.items,
            slots=remembered.slots,
            outbox=remembered.outbox,
            rings=remembered.rings,
            packets=remembered.packets,
            relay_keys=remembered.relay_keys,
            spent=remembered.spent,
            guard=remembered.guard,
            seeds=remembered.seeds,
            silent_until=silent_until,
            letters=remembered.letters,
            now=self._clock.now(),
        )

    async def run(self) -> None:
        """Drives the engine until cancelled. Raises ``StoreError`` if the disk fails, ``WorkerError`` if workers do.

        Whoever waits for something to be settled then gets the same error, at once; nothing was acknowledged.
        """
        try:
            async with trio.open_nursery() as nursery:
                while True:
                    await self._flush(nursery)
                    await self._nap()
                    now = self._clock.now()
                    timer = self.engine.timer()
                    if timer is not None and timer <= now:
                        self.engine.handle_timer(now)
        except BaseException as error:
            self._fail(error)
            raise

    async def _nap(self) -> None:
        """Sleeps until there is something to do."""
        timer = self.engine.timer()
        nap_s = NAP_S_MAX if timer is None else min(NAP_S_MAX, max(0.0, timer - self._clock.now()))
        with trio.move_on_after(nap_s):
            await self._wake.wait()
        self._wake = trio.Event()

    def _fail(self, error: BaseException) -> None:
        """Nothing will be settled any more."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        ending = DriverEnded("The node is ending; ask again when it runs.")
        self._failure = error if isinstance(error, StoreError | WorkerError) else ending
        for waiter in self._waiters:
            waiter.set()
        for sender in self._readers:
            sender.close()
        self._readers.clear()

    async def _flush(self, nursery: trio.Nursery) -> None:
        waiters = list(self._waiters)
        self._unflushed_count = 0
        events: list[Event] = []
        while (event := self.engine.next_event()) is not None:
            events.append(event)
        frames = self.engine.frames_to_send()
        admitted = [event.friend for event in events if isinstance(event, Sponsored)]
        if admitted:
            # Apart from its record, a crash between the two would leave the friend a second key to be admitted.
            await self._sponsored(admitted, self._ledger.changes(events))
        else:
            await self._ledger.write(events)
        for link, frame in frames:
            if link in self._friends:
                self._send(self._friends[link], frame)
        for waiter in waiters:
            self._waiters.remove(waiter)
            waiter.set()
        for event in events:
            match event:
                case (
                    ItemAccepted()
                    | ItemRemoved()
                    | LetterKept()
                    | OutboxAdded()
                    | OutboxRemoved()
                    | OutboxTurned(item_id=bytes())
                ):
                    self._tell(event)
                case RosterChanged():
                    self._tell(event)
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
        """A friend's connection is there. Again for the same connection, it does nothing: a second hello is a fault."""
        if friend in self._links:
            return
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

    async def receive(self, friend: FriendId, frame: bytes) -> None:
        """Takes a frame that a friend sent; waits for the disk if many have come since it was last heard of.

        Raises what ``settled`` raises.
        """
        link = self._links.get(friend)
        if link is None:
            return
        self.engine.receive(link, frame, self._clock.now())
        self._touched()
        self._unflushed_count += 1
        if self._unflushed_count >= UNFLUSHED_MAX:
            await self.settled()

    # What a person does.

    async def publish(self, draft: AnyDraft) -> ItemId:
        """Publishes something. Raises as ``give``."""
        return await self.give(lambda engine, now: engine.publish(draft, now))

    async def give(self, write: Callable[[Engine, float], ItemId]) -> ItemId:
        """Has the engine take something that waits to leave; when this returns, it is on the disk and will not be lost.

        Raises ``PostRefused``, ``LocalError`` for a text that will not do, or what ``settled`` raises: then it was not
        published, or nobody knows.
        """
        self._check()
        if len(self.engine.author.outbox) >= OUTBOX_ROW_COUNT:
            raise PostRefused(
                (f"{OUTBOX_ROW_COUNT} things of yours wait already; wait until some are published.",)
            )
        item_id = write(self.engine, self._clock.now())
        await self.settled()
        return item_id

    async def settled(self) -> None:
        """Waits until everything that the engine has decided so far is durable.

        Raises ``StoreError``, ``WorkerError`` or ``DriverEnded`` if that will not be.
        """
        self._check()
        waiter = trio.Event()
        self._waiters.append(waiter)
        self._touched()
        await waiter.wait()
        if waiter in self._waiters:
            self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def follow(self, waiting_max: int) -> trio.MemoryReceiveChannel[News]:
        """What happens from now on; a reader that falls behind by ``waiting_max`` is cut off.

        The oldest reader is cut off for one too many. Raises what ``settled`` raises.
        """
        self._check()
        sender, receiver = trio.open_memory_channel[News](waiting_max)
        self._readers = [each for each in self._readers if each.statistics().open_receive_channels]
        if len(self._readers) >= READERS_MAX:
            self._readers.pop(0).close()
        self._readers.append(sender)
        return receiver

    def watch(self, watcher: Watcher) -> None:
        """Whoever keeps an index of what is here is told of it, before anybody else."""
        self._watcher = watcher

    def _tell(self, event: News) -> None:
        if self._watcher is not None:
            match event:
                case ItemAccepted(item=item):
                    self._watcher.came(item)
                case ItemRemoved(item_id=item_id):
                    self._watcher.went(item_id)
        for sender in list(self._readers):
            try:
                sender.send_nowait(event)
            except (trio.WouldBlock, trio.BrokenResourceError):
                self._readers.remove(sender)
                sender.close()
