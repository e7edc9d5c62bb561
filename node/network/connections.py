"""Keeps one connection per friend alive, over any transport.

Each friend has a supervisor that dials while there is no connection, with a back-off of its own, and holds
one conversation while there is one. The rest of the node sees events (`Up`, `Down`, `Received`, `Other`),
in the order of each friend and in turns among friends, and calls `send`, which never waits.

**Two connections at once.** Friends that dial each other at the same moment must keep the same one of the
two: while both are fresh, the one that the lower node id dialled stays. Otherwise the newest stays, because
a friend that was restarted dials anew while our old connection is half dead. If the two sides disagree for
once (one clock says fresh, the other does not), both connections end and the next dial settles it.

**What may be lost.** A payload that was sent is lost only with its connection, or if the friend is so slow
that its queue overflows: then the oldest goes, and is counted. `Down` follows every `Up`; a connection that
replaces another is a `Down` and an `Up`, so that the core can reconcile.

Described in docs/transport.md. The back-off doubles with every failure and is drawn from the upper
half of its range ("equal jitter").
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import trio

from ...gossip.randomness import RandomSource
from .conversation import PAYLOAD_SIZE_MAX, Conversation, Down, Event, Other, Received, Up
from .queues import FairInbox, SendQueue
from .transport import Connection, NodeId, Transport, Unreachable

__all__ = ["Connections", "Down", "Event", "Other", "PeerState", "Received", "Up"]

_logger = logging.getLogger(__name__)

#: Nobody notices a second, and it spreads out friends that lost each other at the same moment.
BACKOFF_S_MIN = 1.0
#: A friend that comes back is found within a minute, at the price of a few packets a minute while it is away.
BACKOFF_S_MAX = 60.0
#: A connection that lived this long was a success; a shorter one counts as a failed attempt, or flapping
#: would be free.
STABLE_S = 30.0
#: As long as a dial may take, and so the longest time in which two dials can cross.
FRESH_S = 10.0
#: A friend with a bug would break the protocol again at once; after this it may have been mended, or restarted.
SHUN_S = 300.0
#: An honest friend backs off, and so makes a dozen connections in the worst minute, half of them dialled by us. Each
#: costs a handshake, a hello, a reconciliation and a write to the disk.
ACCEPTED_MAX = 20
ACCEPTED_S = 60.0
#: Holders of invitations that wait for the owner; a person befriends one or two at a time.
OTHERS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerState:
    """How it stands with a friend, to show to the user."""

    connected: bool
    """Whether there is a connection now."""
    since_day: date | None
    """The day (UTC) since which this has been so; None if never connected. Never finer than a day."""
    last_failure: str
    """Why the last attempt or connection failed, in plain words; empty if none did."""
    next_attempt_s: float | None
    """Seconds until the next dial; None while connected or dialling."""
    queued_size: int
    """Bytes that wait to be sent."""
    dropped_count: int
    """Payloads dropped because the friend read too slowly, ever."""
    covered_by_them: bool
    """Whether the friend sends us cells now."""


class _Friend:
    """What the supervisor knows of one friend."""

    def __init__(self, peer: NodeId, addresses: Sequence[str], inbox: FairInbox[Event]) -> None:
        self.peer = peer
        self.addresses = list(addresses)
        self.lane = inbox.open_lane()
        self.queue = SendQueue()
        self.removed = trio.CancelScope()
        self.held: Connection | None = None
        self.held_at = 0.0
        self.conversation: Conversation | None = None
        self.offered = trio.Event()
        self.nudged = trio.Event()
        self.failures = 0
        self.accepted_at: deque[float] = deque(maxlen=ACCEPTED_MAX)
        self.shunned_until = 0.0
        self.last_failure = ""
        self.next_attempt_at: float | None = None
        self.since_day: date | None = None


class Connections:
    """Supervises the connections with all friends.

    `run` it in the node's nursery and read `next_event` in a loop; all other methods return at once.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        random: RandomSource,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
        cell_rate: int | None = None,
    ) -> None:
        """Takes a transport, which must be serving while `run` runs, and the back-off's random source.

        With `cell_rate` everything goes to friends in cells, so many a second to each.
        """
        self._transport = transport
        self._random = random
        self._today = today
        self._cell_rate = cell_rate
        self._inbox: FairInbox[Event] = FairInbox()
        self._others = self._inbox.open_lane()
        self._friends: dict[NodeId, _Friend] = {}
        self._announced: set[NodeId] = set()
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until it is cancelled, and then says goodbye to every friend."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for friend in self._friends.values():
                    nursery.start_soon(self._supervise, friend)
                task_status.started()
                await self._accept(nursery)
        finally:
            self._nursery = None

    def add(self, peer: NodeId, addresses: Sequence[str]) -> None:
        """Supervises a friend from now on; for one that is supervised already this is `set_addresses`."""
        if peer in self._friends:
            self.set_addresses(peer, addresses)
            return
        friend = self._friends[peer] = _Friend(peer, addresses, self._inbox)
        if self._nursery is not None:
            self._nursery.start_soon(self._supervise, friend)

    def remove(self, peer: NodeId) -> None:
        """Closes the connection with a friend at once, without a goodbye, and forgets them.

        What they sent and nobody has read is dropped; `Down` is the last event about them.
        """
        friend = self._friends.pop(peer, None)
        if friend is not None:
            friend.lane.close(*([Down(peer=peer, reason="removed")] if peer in self._announced else []))
            friend.removed.cancel()
            self._transport.drop(peer)

    def shun(self, peer: NodeId, reason: str) -> None:
        """Closes the connection with a friend that broke the protocol, and takes no other for SHUN_S."""
        friend = self._friends.get(peer)
        if friend is not None:
            friend.shunned_until = trio.current_time() + SHUN_S
            if friend.conversation is not None:
                friend.conversation.end(reason)

    def set_addresses(self, peer: NodeId, addresses: Sequence[str], *, at_once: bool = True) -> None:
        """Replaces the addresses of a friend; if unreachable, they are tried ``at_once``, or when the back-off ends.

        A friend that says itself where it is must not decide when we dial: it could have us look at eight ports of
        somebody else's with each of its connections.
        """
        friend = self._friends[peer]
        if friend.addresses != list(addresses):
            friend.addresses = list(addresses)
            if at_once:
                friend.failures = 0
                friend.nudged.set()

    def poke(self) -> None:
        """The network changed: tries all unreachable friends now."""
        for friend in self._friends.values():
            friend.failures = 0
            friend.nudged.set()

    def send(self, peer: NodeId, payload: bytes) -> None:
        """Queues a payload of at most PAYLOAD_SIZE_MAX bytes; ignored if the friend is not connected.

        Never waits: when the queue is full its oldest payload is dropped. Raises ValueError for a larger one.
        """
        if len(payload) > PAYLOAD_SIZE_MAX:
            raise ValueError(f"a payload has at most {PAYLOAD_SIZE_MAX} bytes, not {len(payload)}")
        friend = self._friends.get(peer)
        if friend is not None and friend.conversation is not None and friend.conversation.is_up:
            friend.queue.put(payload)
            friend.conversation.wake()

    async def next_event(self) -> Event:
        """Waits for the next event: in order for each friend, in turns among friends.

        A cancelled call loses none.
        """
        event = await self._inbox.get()
        if isinstance(event, Up):
            self._announced.add(event.peer)
        elif isinstance(event, Down):
            self._announced.discard(event.peer)
        return event

    def state(self, peer: NodeId) -> PeerState:
        """Returns how it stands with a friend. Raises KeyError for anybody else."""
        friend = self._friends[peer]
        due_at = friend.next_attempt_at
        return PeerState(
            connected=friend.conversation is not None and friend.conversation.is_up,
            since_day=friend.since_day,
            last_failure=friend.last_failure,
            next_attempt_s=None if due_at is None else max(0.0, due_at - trio.current_time()),
            queued_size=friend.queue.size,
            dropped_count=friend.queue.dropped_count,
            covered_by_them=friend.conversation is not None and friend.conversation.covered_by_them,
        )

    async def _accept(self, nursery: trio.Nursery) -> None:
        while True:
            connection = await self._transport.accept()
            friend = self._friends.get(connection.peer)
            if friend is not None and self._comes_too_often(friend):
                nursery.start_soon(connection.aclose)
            elif friend is not None:
                self._offer(friend, connection, nursery)
            elif len(self._others) < OTHERS_MAX:
                self._others.put_now(Other(connection=connection))
            else:
                nursery.start_soon(connection.aclose)

    def _comes_too_often(self, friend: _Friend) -> bool:
        now, accepted_at = trio.current_time(), friend.accepted_at
        if len(accepted_at) == ACCEPTED_MAX and now - accepted_at[0] < ACCEPTED_S:
            return True
        accepted_at.append(now)
        return False

    async def _supervise(self, friend: _Friend) -> None:
        with friend.removed:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._dial_while_down, friend, nursery)
                while True:
                    await friend.offered.wait()
                    friend.offered = trio.Event()
                    connection = friend.held
                    assert connection is not None
                    await self._converse(friend, connection, nursery)

    async def _converse(self, friend: _Friend, connection: Connection, nursery: trio.Nursery) -> None:
        friend.conversation = Conversation(connection, friend.queue, friend.lane, cell_rate=self._cell_rate)
        friend.since_day = self._today()
        began_at = trio.current_time()
        try:
            friend.last_failure = await friend.conversation.run()
        finally:
            nursery.start_soon(connection.aclose)
            friend.conversation = None
            friend.since_day = self._today()
            friend.failures = 0 if trio.current_time() - began_at >= STABLE_S else friend.failures + 1
            if friend.held is connection:
                friend.held = None
                friend.nudged.set()

    async def _dial_while_down(self, friend: _Friend, nursery: trio.Nursery) -> None:
        await trio.lowlevel.checkpoint()
        while True:
            while friend.held is not None:
                friend.nudged = trio.Event()
                await friend.nudged.wait()
            friend.nudged = trio.Event()
            await self._back_off(friend)
            if friend.held is not None:
                continue
            try:
                connection = await self._transport.dial(friend.peer, friend.addresses)
            except Unreachable as error:
                friend.last_failure = str(error)
                friend.failures += 1
            except Exception:
                _logger.exception("a dial failed after an internal error")
                friend.last_failure = "an internal error"
                friend.failures += 1
            else:
                self._offer(friend, connection, nursery)

    async def _back_off(self, friend: _Friend) -> None:
        """Sleeps 1 to 60 s, longer after every failure; the first dial of all waits for nothing."""
        if friend.failures == 0 and friend.since_day is None:
            return
        longest_s = min(BACKOFF_S_MAX, 2.0 * BACKOFF_S_MIN * 2.0 ** min(friend.failures, 16))
        delay_s = max(BACKOFF_S_MIN, longest_s / 2 * (1.0 + self._random.random()))
        delay_s = max(delay_s, friend.shunned_until - trio.current_time())
        friend.next_attempt_at = trio.current_time() + delay_s
        with trio.move_on_after(delay_s):
            await friend.nudged.wait()
        friend.next_attempt_at = None

    def _offer(self, friend: _Friend, connection: Connection, nursery: trio.Nursery) -> None:
        """Takes up a new connection, or closes it at once if the one that is held is to stay."""
        held = friend.held
        if trio.current_time() < friend.shunned_until:
            nursery.start_soon(connection.aclose)
            return
        if held is not None and self._stays(held, connection, trio.current_time() - friend.held_at):
            nursery.start_soon(connection.aclose)
            return
        friend.held = connection
        friend.held_at = trio.current_time()
        friend.offered.set()
        friend.nudged.set()
        if friend.conversation is not None:
            friend.conversation.end("it connected anew")
        elif held is not None:
            nursery.start_soon(held.aclose)

    def _stays(self, held: Connection, new: Connection, age_s: float) -> bool:
        if held.outbound == new.outbound or age_s >= FRESH_S:
            return False
        lower_is_local = self._transport.node_id < held.peer
        return held.outbound == lower_is_local
