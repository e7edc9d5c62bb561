"""The node: one person's part of a mesh, and the composition root of everything that runs for it.

Opens the store, the transport, the connections, the befriending and, once there is a mesh, the driver, all in one
nursery; routes what comes over the connections to where it belongs; and answers what a person asks. What it answers
are plain dictionaries, the same for the command line, the page and the demo.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any, Final

import trio

from ..crypto.identity import NodeKey
from ..gossip.authoring import Draft
from ..gossip.errors import GossipError
from ..gossip.events import FriendId
from ..gossip.genesis import Genesis, Parameters
from ..gossip.items import Item, Kind, SecretBody
from ..gossip.wire import Message
from .account import Account, AccountError
from .befriending import Befriender, Meeting
from .clock import Clock
from .connections import Connections, Down, Other, Received, Up
from .driver import Driver
from .friends import Friendbook, Friendship, Role, Stage
from .ledger import Ledger
from .messages import Confirmed, Moved, decode_untrusted_message, encode_message
from .storage import Store
from .transport import ADDRESSES_MAX, NodeId, Transport
from .workers import Workers

__all__ = ["Node"]

#: The first byte of a payload: what the rest is for.
_FRIENDSHIP: Final = b"\x00"
_GOSSIP: Final = b"\x01"


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
    ) -> None:
        """``make_transport`` gets the node's seed and its gate; ``reachable`` turns listening addresses into ours."""
        self._store = store
        self._workers = workers
        self._make_transport = make_transport
        self._reachable = reachable
        self._clock = clock or Clock()
        self._book = Friendbook(store)
        self.driver: Driver | None = None
        self._driver_wanted = trio.Event()
        self._active: set[NodeId] = set()
        self._connected: set[NodeId] = set()
        self.sent_size = 0
        """Bytes of payload handed to friends' queues since the start."""

    async def open(self) -> None:
        """Reads the profile. Raises ``StoreError``, ``AccountError``."""
        self._account = await Account.load(self._store)
        await self._book.load()
        self._transport = self._make_transport(self._account.node_secret.seed, self._admits)
        self._connections = Connections(self._transport, random=SystemRandom())
        self._befriender = Befriender(
            self._store, self._book, self._account, self._transport, self._clock, self.addresses, self._met
        )
        await self._befriender.load()
        for friend in self._book:
            self._connections.add(NodeId(friend.node_id), friend.addresses)
        if self._account.genesis is not None:
            await self._enter(self._account.genesis)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once it listens. Raises ``PortInUse`` and ``StoreError``."""
        async with self._transport.serving(), trio.open_nursery() as nursery:
            await nursery.start(self._connections.run)
            await nursery.start(self._befriender.run)
            nursery.start_soon(self._drive)
            nursery.start_soon(self._listen, nursery)
            task_status.started()

    async def _drive(self) -> None:
        await self._driver_wanted.wait()
        assert self.driver is not None
        await self.driver.run()

    async def _enter(self, genesis: Genesis) -> None:
        """There is a mesh from here on."""
        driver = Driver(
            genesis,
            self._account.member_secret,
            Ledger(self._store),
            self._workers,
            self._clock,
            send=lambda friend, frame: self._send(NodeId(friend), _GOSSIP + frame),
            refuse=lambda friend, reason: self._connections.shun(NodeId(friend), reason),
            sponsored=self._sponsored,
        )
        await driver.restore()
        self.driver = driver
        for friend in self._book:
            self._activate(friend)
        self._driver_wanted.set()

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
            if friend.stage is Stage.FRIENDS and self.driver is not None:
                self.driver.receive(FriendId(peer), payload[1:])
            return
        try:
            message = decode_untrusted_message(payload)
        except GossipError:
            self._connections.shun(peer, "sent a malformed friendship message")
            return
        match message:
            case Confirmed(digest=digest):
                await self._advance(await self._book.confirmed_by_them(friend, digest))
            case Moved(addresses=addresses):
                moved = await self._book.moved(friend, addresses)
                self._connections.set_addresses(peer, moved.addresses)

    def _say(self, peer: NodeId, message: Message) -> None:
        self._send(peer, encode_message(message))

    # Friendships.

    async def _met(self, meeting: Meeting) -> None:
        """Two nodes have met over an invitation, one way or the other."""
        if self._account.genesis is None:
            await self._account.enter(meeting.genesis)
            await self._enter(meeting.genesis)
        peer = NodeId(meeting.friendship.node_id)
        self._connections.add(peer, meeting.friendship.addresses)

    async def _advance(self, friend: Friendship) -> None:
        """A confirmation came, from us or from them."""
        peer = NodeId(friend.node_id)
        if friend.stage is Stage.FRIENDS and peer not in self._active:
            self._activate(friend)
            await self._befriender.done(peer)
            if self.driver is not None and peer in self._connected:
                self.driver.link_up(FriendId(peer))

    async def _sponsored(self, friend_id: FriendId) -> None:
        friend = self._book.get(NodeId(friend_id))
        if friend is not None:
            await self._book.admitted(friend)

    def _activate(self, friend: Friendship) -> None:
        if self.driver is None or friend.stage is not Stage.FRIENDS:
            return
        self._active.add(NodeId(friend.node_id))
        engine, friend_id = self.driver.engine, FriendId(friend.node_id)
        engine.friend_added(friend_id)
        if friend.role == Role.SPONSOR:
            engine.sponsor(friend_id)
        elif friend.role == Role.NEWCOMER:
            engine.petition_to(friend_id)

    # What a person asks.

    async def found(self, name: str, *, trial: bool, parameters: Parameters | None = None) -> dict[str, Any]:
        """Founds a mesh. Raises ``AccountError`` if the profile is in one already."""
        await self._enter(await self._account.found(name, trial=trial, parameters=parameters))
        return self._mesh()

    async def invite(self, name: str, *, sponsor: bool) -> dict[str, Any]:
        """Makes a one-time invitation; with ``sponsor`` also into the mesh. Raises ``AccountError`` without one."""
        genesis = self._in_mesh()
        invitation = await self._befriender.invite(genesis, self.addresses(), name, sponsor=sponsor)
        return {"uri": invitation.to_uri(), "expires_at": invitation.expires_at}

    async def join(self, uri: str, name: str) -> dict[str, Any]:
        """Takes up an invitation. Goes on in the background until it works, is refused or expires."""
        return await self._befriender.join(uri, name)

    def _in_mesh(self) -> Genesis:
        if self._account.genesis is None:
            raise AccountError(
                "This profile is in no mesh yet: found one with `rumor found NAME`, or join one."
            )
        return self._account.genesis

    def friends(self) -> dict[str, Any]:
        """Everybody, with the honest state of each."""
        return {
            "friends": [self._describe(friend) for friend in self._book],
            "joining": self._befriender.pending(),
            "invitations": self._befriender.open_count(),
        }

    async def confirm(self, name: str, words: str) -> dict[str, Any]:
        """Confirms that the friend sees the same words. Raises ``FriendError``."""
        friend = self._book.find(name)
        confirmed = await self._book.confirm(friend, words)
        self._say(NodeId(friend.node_id), Confirmed.of(friend.words))
        await self._advance(confirmed)
        return self._describe(confirmed)

    async def rename(self, name: str, new_name: str) -> dict[str, Any]:
        return self._describe(await self._book.rename(self._book.find(name), new_name))

    async def remove(self, name: str) -> dict[str, Any]:
        """Ends a friendship. What the friend has already received stays theirs."""
        friend = self._book.find(name)
        peer = NodeId(friend.node_id)
        await self._book.remove(friend)
        await self._befriender.done(peer)
        self._connections.remove(peer)
        self._active.discard(peer)
        if self.driver is not None:
            self.driver.link_down(FriendId(peer))
            self.driver.engine.friend_removed(FriendId(peer))
        return {"removed": friend.name}

    async def post(self, text: str, style: int) -> dict[str, Any]:
        """Publishes a secret; when this returns it survives a crash. Raises ``PostRefused``, ``LocalError``."""
        genesis = self._in_mesh()
        assert self.driver is not None
        gate = self.driver.engine.gate(self._clock.now())
        item_id = await self.driver.publish(Draft(text=text, style=style))
        trial = bool(genesis.parameters.trial)
        return {"id": item_id.hex(), "ring_size": gate.ring_size, "trial": trial}

    async def feed(self, *, before: int | None, count: int) -> dict[str, Any]:
        """A page of secrets, newest first."""
        rows = await self._store.items(before=before, after=None, limit=count)
        secrets = [
            {"number": row.seq, **_secret(Item.decode_untrusted(row.value), self._in_mesh())} for row in rows
        ]
        return {"secrets": secrets}

    async def follow(self, waiting_max: int) -> AsyncIterator[dict[str, Any]]:
        """Secrets from now on."""
        await self._driver_wanted.wait()
        assert self.driver is not None
        async with aclosing(self.driver.follow(waiting_max)) as items:
            async for item in items:
                if item.kind is Kind.SECRET:
                    yield _secret(item, self._in_mesh())

    async def status(self) -> dict[str, Any]:
        """Everything there is to know about this node, in one dictionary."""
        friends = [self._describe(friend) for friend in self._book]
        return {
            "node": self._account.node_secret.public.peer_id,
            "addresses": self.addresses(),
            "mesh": self._mesh() if self._account.genesis is not None else None,
            "friends": len([1 for friend in friends if friend["stage"] == "friends"]),
            "connected": [friend["name"] for friend in friends if friend["connected"]],
            "pending": self._pending(friends),
            "post": self._post_state(),
            "disk_bytes": await self._store.size(),
        }

    def _mesh(self) -> dict[str, Any]:
        genesis = self._in_mesh()
        assert self.driver is not None
        engine = self.driver.engine
        epoch = genesis.epoch_at(self._clock.now())
        ring = engine.roster.ring_at(epoch)
        return {
            "name": genesis.name,
            "id": genesis.mesh_id.hex(),
            "trial": bool(genesis.parameters.trial),
            "epoch_s": genesis.parameters.epoch_s,
            "members": len(engine.roster),
            "ring_size": ring.size if ring is not None else 0,
            "items": len(engine.store),
            "outbox": len(engine.author.outbox),
        }

    def _pending(self, friends: list[dict[str, Any]]) -> list[str]:
        pending = [
            f"{friend['name']}: {friend['state']}" for friend in friends if friend["stage"] != "friends"
        ]
        pending += [f"Joining {join['name']}: {join['state']}" for join in self._befriender.pending()]
        if self.driver is not None:
            if self.driver.engine.author.petition_count:
                pending.append(
                    "A newcomer waits for its admission; it takes one of your slots in a coming epoch."
                )
            outbox = len(self.driver.engine.author.outbox)
            if outbox:
                pending.append(f"{outbox} of your secrets being signed.")
        return pending

    def _post_state(self) -> dict[str, Any]:
        if self.driver is None:
            return {
                "allowed": False,
                "obstacles": ["There is no mesh yet: found one or join one."],
                "open_at": None,
            }
        gate = self.driver.engine.gate(self._clock.now())
        return {
            "allowed": not gate.obstacles,
            "obstacles": list(gate.obstacles),
            "open_at": gate.open_at,
            "ring_size": gate.ring_size,
            "agreeing_friends": gate.agreeing_count,
        }

    def _describe(self, friend: Friendship) -> dict[str, Any]:
        state = self._connections.state(NodeId(friend.node_id))
        if friend.stage is not Stage.FRIENDS:
            sentence = friend.stage.value
            if not state.connected:
                sentence += f" ({state.last_failure})" if state.last_failure else " (not connected yet)"
        else:
            sentence = (
                "connected"
                if state.connected
                else f"unreachable since {state.since_day}: {state.last_failure}"
            )
        return {
            "id": friend.short_id,
            "name": friend.name,
            "node": NodeKey(friend.node_id).peer_id,
            "stage": friend.stage.name.lower(),
            "connected": state.connected,
            "state": sentence,
            "words": friend.words if friend.stage is not Stage.FRIENDS else None,
        }


def _secret(item: Item, genesis: Genesis) -> dict[str, Any]:
    """A secret for a reader: the epoch's start is all that is known of its time."""
    assert isinstance(item.body, SecretBody)
    when = datetime.fromtimestamp(genesis.start_of(item.epoch), UTC)
    return {
        "id": item.item_id.hex(),
        "text": item.body.text,
        "style": item.body.style,
        "epoch": item.epoch,
        "about": when.isoformat(timespec="seconds"),
    }
