"""The node: one person's part of a mesh, and the composition root of everything that runs for it.

Opens the store, the transport, the connections, the befriending and, once there is a mesh, the driver, all in one
nursery; routes what comes over the connections to where it belongs; and answers what a person asks. What it answers
are plain dictionaries, the same for the command line, the page and the demo.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import trio

from ..crypto.invites import qr_rows
from ..gossip.errors import GossipError
from ..gossip.events import FriendId
from ..gossip.genesis import Genesis, Parameters
from ..gossip.randomness import Streams
from ..gossip.wire import Message
from .account import Account, AccountError
from .api.answers import describe_friend, describe_mesh, describe_meter, describe_pending, describe_posting
from .api.mixing import describe_mixing, describe_outbox
from .befriending import Befriender
from .clock import Clock
from .driver import Driver, SystemSource
from .friends import Friendbook, FriendError, Friendship, Role, Stage
from .ledger import Ledger
from .messages import Confirmed, Moved, decode_untrusted_message, encode_message
from .network.cells import megabytes_per_day
from .network.connections import Connections, Down, Other, Received, Up
from .network.transport import ADDRESSES_MAX, NodeId, Transport
from .news import news
from .preferences import Preferences
from .reading import Reader
from .speaking import Speaker
from .storage.store import Store
from .whispering import Whisperer
from .workers import Workers

__all__ = ["Node"]

#: The first byte of a payload: what the rest is for.
_FRIENDSHIP: Final = b"\x00"
_GOSSIP: Final = b"\x01"
#: Seconds between two looks at what is to be forgotten.
TIDY_S: Final = 60.0


class Node:
    """One profile, running."""

    def __init__(
        self,
        store: Store,
        workers: Workers,
        make_transport: Callable[[bytes, Callable[[NodeId], bool]], Transport],
        *,
        reachable: Callable[[list[str]], list[str]] = lambda addresses: addresses,
        clock: Clock | None = None,
        cell_rate: int | None = None,
        random: Streams | None = None,
    ) -> None:
        """``make_transport`` gets the node's seed and its gate; ``reachable`` turns listening addresses into ours.

        ``cell_rate`` is that of ``Connections``. ``random`` is what delays, choices and onions are drawn from:
        the operating system's generator, unless a run is to repeat itself.
        """
        self._store = store
        self._workers = workers
        self._make_transport = make_transport
        self._reachable = reachable
        self._clock = clock or Clock()
        self._cell_rate = cell_rate
        self._random: Streams = random or SystemSource()
        self._book = Friendbook(store)
        self.driver: Driver | None = None
        self.preferences = Preferences(store)
        self._reader: Reader | None = None
        self._driver_wanted = trio.Event()
        self._entering = trio.Lock()
        self._active: set[NodeId] = set()
        self._moved: set[NodeId] = set()
        self._connected: set[NodeId] = set()
        self.sent_size = 0
        """Bytes of payload handed to friends' queues since the start."""

    async def open(self) -> None:
        """Reads the profile. Raises ``StoreError``, ``AccountError``."""
        self._account = await Account.load(self._store)
        await self._book.load()
        await self.preferences.load()
        self._transport = self._make_transport(self._account.node_secret.seed, self._admits)
        self._connections = Connections(
            self._transport, random=self._random.stream("back-off"), cell_rate=self._cell_rate
        )
        self._befriender = Befriender(
            self._store,
            self._book,
            self._account,
            self._transport,
            self._clock,
            self.addresses,
            self._is_member,
            self._enter,
            self._met,
        )
        await self._befriender.load()
        for friend in self._book:
            self._connections.add(NodeId(friend.node_id), friend.addresses)
        if self._account.genesis is not None:
            await self._start_driver(self._account.genesis)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once it listens. Raises ``PortInUse`` and ``StoreError``."""
        async with self._transport.serving(), trio.open_nursery() as nursery:
            await nursery.start(self._connections.run)
            await nursery.start(self._befriender.run)
            nursery.start_soon(self._drive)
            nursery.start_soon(self._listen, nursery)
            nursery.start_soon(self._tidy)
            task_status.started()

    async def _drive(self) -> None:
        await self._driver_wanted.wait()
        assert self.driver is not None
        await self.driver.run()

    async def _tidy(self) -> None:
        """Forgets after a while whose old posts are, and what was noted about items that are gone."""
        await self._driver_wanted.wait()
        driver = self._in_mesh()
        engine = driver.engine
        while True:
            await trio.sleep(TIDY_S)
            now = self._clock.now()
            linked_from = now - self.preferences.settings.link_hours * 3_600
            old = [
                kept.item_id
                for kept in engine.author.seeds.values()
                if engine.genesis.start_of(kept.epoch + 1) <= linked_from
            ]
            if old:
                engine.unlink(old, now)
                await driver.settled()
            await self.preferences.keep_only(engine.board)

    async def _enter(self, genesis: Genesis) -> None:
        """There is a mesh from here on. Raises ``AccountError`` if there is another one already."""
        async with self._entering:
            if self._account.genesis is None or self._account.genesis.mesh_id != genesis.mesh_id:
                await self._account.enter(genesis)
            if self.driver is None:
                await self._start_driver(genesis)

    async def _start_driver(self, genesis: Genesis) -> None:
        driver = Driver(
            genesis,
            self._account.member_secret,
            Ledger(self._store),
            self._workers,
            self._clock,
            send=lambda friend, frame: self._send(NodeId(friend), _GOSSIP + frame),
            refuse=lambda friend, reason: self._connections.shun(NodeId(friend), reason),
            sponsored=lambda friends, also: self._book.admitted([NodeId(each) for each in friends], also),
            random=self._random,
        )
        await driver.restore(silent_until=self._account.silent_until(genesis))
        reader = Reader(driver.engine, self.preferences)
        driver.watch(reader)
        self.driver, self._reader = driver, reader
        for friend in self._book:
            self._activate(friend)
        self._driver_wanted.set()

    def _is_member(self) -> bool:
        if self.driver is None:
            return False
        engine = self.driver.engine
        return engine.author.key is not None and engine.author.key in engine.roster

    def _send(self, peer: NodeId, payload: bytes) -> None:
        self.sent_size += len(payload)
        self._connections.send(peer, payload)

    def _admits(self, peer: NodeId) -> bool:
        return peer in self._book or self._befriender.expects(peer)

    def addresses(self) -> list[str]:
        """Where friends reach this node: at most 8 multiaddrs."""
        return self._reachable(self._transport.addresses)[:ADDRESSES_MAX]

    # What comes over the connections.

    async def _listen(self, nursery: trio.Nursery) -> None:
        while True:
            event = await self._connections.next_event()
            match event:
                case Up(peer=peer):
                    self._connected.add(peer)
                    self._moved.discard(peer)
                    self._up(peer)
                case Down(peer=peer):
                    self._connected.discard(peer)
                    if self.driver is not None:
                        self.driver.link_down(FriendId(peer))
                case Received(peer=peer, payload=payload):
                    await self._received(peer, payload)
                case Other(connection=connection):
                    nursery.start_soon(self._befriender.answer, connection)

    def _up(self, peer: NodeId) -> None:
        friend = self._book.get(peer)
        if friend is None:
            return
        self._say(peer, Moved(addresses=self.addresses()))
        if friend.confirmed_by_us:
            self._say(peer, Confirmed.of(friend.words))
        if friend.stage is Stage.FRIENDS and self.driver is not None:
            self.driver.link_up(FriendId(peer))

    async def _received(self, peer: NodeId, payload: bytes) -> None:
        friend = self._book.get(peer)
        if friend is None:
            return
        if payload[:1] == _GOSSIP:
            # Only a friendship that both have confirmed has a link; without one the driver takes nothing.
            if self.driver is not None:
                await self.driver.receive(FriendId(peer), payload[1:])
            return
        try:
            message = decode_untrusted_message(payload)
        except GossipError:
            self._connections.shun(peer, "sent a malformed friendship message")
            return
        try:
            await self._heard(friend, message)
        except FriendError:
            # Removed, or met anew, while the disk was busy with it.
            return

    async def _heard(self, friend: Friendship, message: Confirmed | Moved) -> None:
        peer = NodeId(friend.node_id)
        match message:
            case Confirmed(digest=digest):
                await self._advance(await self._book.confirmed_by_them(friend, digest))
            case Moved(addresses=addresses) if peer not in self._moved:
                # Each is a write to the disk, so each connection has one.
                self._moved.add(peer)
                moved = await self._book.moved(friend, addresses)
                if peer in self._book:
                    self._connections.set_addresses(peer, moved.addresses, at_once=False)

    def _say(self, peer: NodeId, message: Message) -> None:
        self._send(peer, encode_message(message))

    # Friendships.

    def _met(self, friend: Friendship) -> None:
        """Two nodes have met over an invitation, one way or the other."""
        peer = NodeId(friend.node_id)
        if peer in self._active:
            self._part(peer)
        self._connections.add(peer, friend.addresses)

    def _part(self, peer: NodeId) -> None:
        """No gossip passes between the two any more, and no connection stays."""
        self._connections.remove(peer)
        self._connected.discard(peer)
        self._active.discard(peer)
        if self.driver is not None:
            self.driver.link_down(FriendId(peer))
            self.driver.engine.friend_removed(FriendId(peer))

    async def _advance(self, friend: Friendship) -> None:
        """A confirmation came, from us or from them."""
        if friend.stage is Stage.FRIENDS:
            self._activate(friend)
            await self._befriender.done(NodeId(friend.node_id))

    def _activate(self, friend: Friendship) -> None:
        """Lets gossip pass, once both have confirmed."""
        peer = NodeId(friend.node_id)
        if self.driver is None or friend.stage is not Stage.FRIENDS or peer in self._active:
            return
        self._active.add(peer)
        engine, friend_id = self.driver.engine, FriendId(friend.node_id)
        engine.friend_added(friend_id)
        if friend.role == Role.SPONSOR:
            engine.sponsor(friend_id)
        elif friend.role == Role.NEWCOMER:
            engine.petition_to(friend_id)
        if peer in self._connected:
            self.driver.link_up(friend_id)

    # What a person asks.

    async def found(self, name: str, *, trial: bool, parameters: Parameters | None = None) -> dict[str, Any]:
        """Founds a mesh. Raises ``AccountError`` if the profile is in one already."""
        await self._enter(await self._account.found(name, trial=trial, parameters=parameters))
        return describe_mesh(self._in_mesh().engine, self._clock.now())

    async def invite(self, name: str, *, sponsor: bool) -> dict[str, Any]:
        """Makes a one-time invitation; with ``sponsor`` also into the mesh. Raises ``AccountError`` without one."""
        genesis = self._in_mesh().engine.genesis
        await trio.lowlevel.checkpoint()  # A node that is being ended has no addresses any more.
        invitation = await self._befriender.invite(genesis, self.addresses(), name, sponsor=sponsor)
        uri = invitation.to_uri()
        return {"uri": uri, "expires_at": invitation.expires_at, "qr": qr_rows(uri)}

    async def join(self, uri: str, name: str) -> dict[str, Any]:
        """Takes up an invitation. Goes on in the background until it works, is refused or expires."""
        return await self._befriender.join(uri, name)

    def _in_mesh(self) -> Driver:
        if self.driver is None:
            raise AccountError(
                "This profile is in no mesh yet: found one with `rumor found NAME`, or join one."
            )
        return self.driver

    def friends(self) -> dict[str, Any]:
        """Everybody, with the honest state of each."""
        return {
            "friends": self._describe_all(),
            "joining": self._befriender.pending(),
            "invitations": self._befriender.open_count(),
        }

    async def confirm(self, name: str, words: str) -> dict[str, Any]:
        """Confirms that the friend sees the same words. Raises ``FriendError``."""
        friend = self._book.find(name)
        confirmed = await self._book.confirm(friend, words)
        self._say(NodeId(friend.node_id), Confirmed.of(friend.words))
        answer = self._describe(confirmed)
        await self._advance(confirmed)
        return answer

    async def rename(self, name: str, new_name: str) -> dict[str, Any]:
        return self._describe(await self._book.rename(self._book.find(name), new_name))

    async def remove(self, name: str) -> dict[str, Any]:
        """Ends a friendship. What the friend has already received stays theirs."""
        friend = self._book.find(name)
        peer = NodeId(friend.node_id)
        await self._book.remove(friend)
        self._part(peer)
        await self._befriender.done(peer)
        return {"removed": friend.name}

    @property
    def reader(self) -> Reader:
        """What there is to read. Raises ``AccountError`` without a mesh."""
        self._in_mesh()
        assert self._reader is not None
        return self._reader

    @property
    def speaker(self) -> Speaker:
        """What one says. Raises ``AccountError`` without a mesh."""
        return Speaker(self._in_mesh(), self.reader, self._clock)

    @property
    def whisperer(self) -> Whisperer:
        """What one whispers. Raises ``AccountError`` without a mesh."""
        return Whisperer(self._in_mesh(), self.preferences, self._clock)

    async def news(self, *, count: int, waiting_max: int) -> AsyncIterator[dict[str, Any]]:
        """What happens here, see ``news``; waits for a mesh."""
        await self._driver_wanted.wait()
        async for each in news(self._in_mesh(), self.reader, count=count, waiting_max=waiting_max):
            yield each

    async def status(self) -> dict[str, Any]:
        """Everything there is to know about this node, in one dictionary."""
        friends = self._describe_all()
        engine = self.driver.engine if self.driver is not None else None
        now = self._clock.now()
        return {
            "node": self._account.node_secret.public.peer_id,
            "addresses": self.addresses(),
            "mesh": describe_mesh(engine, now) if engine is not None else None,
            "friends": len([1 for friend in friends if friend["stage"] == "friends"]),
            "connected": [friend["name"] for friend in friends if friend["connected"]],
            "pending": describe_pending(friends, self._befriender.pending(), engine, now),
            "post": describe_posting(engine, now),
            "meter": describe_meter(engine, now) if engine is not None else None,
            "mixing": describe_mixing(engine, now) if engine is not None else None,
            "outbox": describe_outbox(engine, now) if engine is not None else [],
            "disk_bytes": await self._store.size(),
            "cover": self._describe_cover(),
        }

    def _describe_cover(self) -> dict[str, Any]:
        """What we send in cells, what it costs, and who sends us cells: a link is covered if both sides do."""
        rate = self._cell_rate or 0
        names = [
            each.name for each in self._book if self._connections.state(NodeId(each.node_id)).covered_by_them
        ]
        return {"rate": rate, "mb_per_friend_day": megabytes_per_day(rate), "covered_by": names}

    def _describe(self, friend: Friendship) -> dict[str, Any]:
        return describe_friend(friend, self._connections.state(NodeId(friend.node_id)))

    def _describe_all(self) -> list[dict[str, Any]]:
        return [self._describe(friend) for friend in self._book]
