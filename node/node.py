"""The node: one person's part of a mesh, and the composition root of everything that runs for it.

Opens the store, the transport, the connections, the befriending and, once there is a mesh, the driver, all in one
nursery; routes what comes over the connections to where it belongs; and answers what a person asks. What it answers
are plain dictionaries, the same for the command line, the page and the demo.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Final

import trio

from ..crypto import membership
from ..crypto.identity import NodeKey, NodeSecret
from ..gossip.authoring import Draft
from ..gossip.errors import GossipError
from ..gossip.events import FriendId
from ..gossip.genesis import TRIAL, Genesis
from ..gossip.items import Item, Kind, SecretBody
from ..gossip.wire import Bytes32, Message, decode_untrusted, encode
from .befriending import Befriender, Meeting
from .clock import Clock
from .connections import Connections, Down, Other, Received, Up
from .driver import Driver, Prover, SystemSource
from .friends import FriendError, Friendbook, Friendship, Role, Stage
from .ledger import Ledger
from .messages import Confirmed, Moved, decode_untrusted_message, encode_message
from .storage import Put, Store, Table
from .transport import NodeId, Transport

__all__ = ["Node", "NodeError"]

#: The first byte of a payload: what the rest is for.
_FRIENDSHIP: Final = b"\x00"
_GOSSIP: Final = b"\x01"

_KEYS = b"keys"
_GENESIS = b"genesis"


class NodeError(Exception):
    """What a person asked for cannot be done; the message says why and what to do."""


class _Keys(Message):
    """The secrets of a profile."""

    node_seed: Bytes32
    member_secret: Bytes32


class Node:
    """One profile, running."""

    def __init__(
        self,
        store: Store,
        workers: Prover,
        make_transport: Callable[[bytes, Callable[[NodeId], bool]], Transport],
        *,
        announced: list[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """``make_transport`` gets the node's seed and its gate; ``announced`` are addresses besides the listening ones."""
        self._store = store
        self._workers = workers
        self._make_transport = make_transport
        self._announced = announced or []
        self._clock = clock or Clock()
        self._random = SystemSource()
        self._book = Friendbook(store)
        self._driver: Driver | None = None
        self._genesis: Genesis | None = None
        self._driver_wanted = trio.Event()
        self._changed = trio.Event()

    async def open(self) -> None:
        """Reads the profile; makes its keys if there are none yet. Raises ``StoreError``."""
        profile = await self._store.load(Table.PROFILE)
        if _KEYS not in profile:
            keys = _Keys(node_seed=NodeSecret.generate().seed, member_secret=membership.keypair()[0])
            await self._store.commit([Put(Table.PROFILE, _KEYS, encode(keys))])
        else:
            keys = decode_untrusted(_Keys, profile[_KEYS], 1_024)
        self._keys = keys
        self._secret = NodeSecret.from_seed(keys.node_seed)
        self._node_id = NodeId(self._secret.public.raw)
        await self._book.load()
        if _GENESIS in profile:
            await self._enter(Genesis.decode_untrusted(profile[_GENESIS]))

    @property
    def node_id(self) -> NodeId:
        return self._node_id

    @property
    def in_mesh(self) -> bool:
        return self._genesis is not None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once it listens. Raises ``PortInUse`` and ``StoreError``."""
        self._transport = self._make_transport(self._keys.node_seed, self._admits)
        self._connections = Connections(self._transport, self._node_id, random=self._random)
        self._befriender = Befriender(
            self._store, self._book, self._transport, self._secret, self._clock, self._random
        )
        await self._befriender.load()
        async with self._transport.serving(), trio.open_nursery() as nursery:
            await nursery.start(self._connections.run)
            for friend in self._book:
                self._connections.add(NodeId(friend.node_id), friend.addresses)
            nursery.start_soon(self._drive)
            nursery.start_soon(self._befriender.run, self._addresses, self._met)
            nursery.start_soon(self._listen, nursery)
            task_status.started()

    async def _drive(self) -> None:
        await self._driver_wanted.wait()
        assert self._driver is not None
        await self._driver.run()

    async def _enter(self, genesis: Genesis) -> None:
        """The profile is in a mesh from here on."""
        self._genesis = genesis
        driver = Driver(
            genesis,
            self._keys.member_secret,
            Ledger(self._store),
            self._workers,
            self._clock,
            send=lambda friend, frame: self._connections.send(NodeId(friend), _GOSSIP + frame),
            refuse=lambda friend, reason: self._connections.close(NodeId(friend), reason),
            sponsored=self._sponsored,
        )
        await driver.restore()
        self._driver = driver
        for friend in self._book:
            self._activate(friend)
        self._driver_wanted.set()

    def _admits(self, peer: NodeId) -> bool:
        return peer in self._book or self._befriender.expects(peer)

    def _addresses(self) -> list[str]:
        return [*self._announced, *self._transport.addresses][:8]

    # What comes over the connections.

    async def _listen(self, nursery: trio.Nursery) -> None:
        while True:
            event = await self._connections.next_event()
            match event:
                case Up(peer=peer):
                    await self._up(peer)
                case Down(peer=peer):
                    if self._driver is not None:
                        self._driver.link_down(FriendId(peer))
                case Received(peer=peer, payload=payload):
                    await self._received(peer, payload)
                case Other(connection=connection):
                    nursery.start_soon(self._befriender.answer, connection, self._genesis, self._addresses())
            self._notify()

    async def _up(self, peer: NodeId) -> None:
        friend = self._book.get(peer)
        if friend is None:
            return
        self._say(peer, Moved(addresses=self._addresses()))
        if friend.confirmed_by_us:
            self._say(peer, Confirmed.of(friend.words))
        if friend.stage is Stage.FRIENDS and self._driver is not None:
            self._driver.link_up(FriendId(peer))

    async def _received(self, peer: NodeId, payload: bytes) -> None:
        friend = self._book.get(peer)
        if friend is None:
            return
        if payload[:1] == _GOSSIP:
            if friend.stage is Stage.FRIENDS and self._driver is not None:
                self._driver.receive(FriendId(peer), payload[1:])
            return
        try:
            message = decode_untrusted_message(payload)
        except GossipError:
            self._connections.close(peer, "sent a malformed friendship message")
            return
        match message:
            case Confirmed(digest=digest):
                await self._advance(friend, await self._book.confirmed_by_them(friend, digest))
            case Moved(addresses=addresses):
                moved = await self._book.moved(friend, addresses)
                self._connections.set_addresses(peer, moved.addresses)

    def _say(self, peer: NodeId, message: Message) -> None:
        self._connections.send(peer, encode_message(message))

    # Friendships.

    async def _met(self, meeting: Meeting) -> None:
        """Two nodes have met over an invitation, one way or the other."""
        if self._genesis is None:
            await self._store.commit([Put(Table.PROFILE, _GENESIS, meeting.genesis.encode())])
            await self._enter(meeting.genesis)
        peer = NodeId(meeting.friendship.node_id)
        self._connections.add(peer, meeting.friendship.addresses)
        self._notify()

    async def _advance(self, before: Friendship, after: Friendship) -> None:
        """A confirmation came, from us or from them."""
        if before.stage is not Stage.FRIENDS and after.stage is Stage.FRIENDS:
            self._activate(after)
            peer = NodeId(after.node_id)
            await self._befriender.done(peer)
            if self._driver is not None and self._connections.state(peer).connected:
                self._driver.link_up(FriendId(peer))
        self._notify()

    async def _sponsored(self, friend_id: FriendId) -> None:
        friend = self._book.get(NodeId(friend_id))
        if friend is not None:
            await self._book.admitted(friend)

    def _activate(self, friend: Friendship) -> None:
        if self._driver is None or friend.stage is not Stage.FRIENDS:
            return
        engine, friend_id = self._driver.engine, FriendId(friend.node_id)
        engine.friend_added(friend_id)
        if friend.role == Role.SPONSOR:
            engine.sponsor(friend_id)
        elif friend.role == Role.NEWCOMER:
            engine.petition_to(friend_id)

    # What a person asks.

    async def found(self, name: str, *, trial: bool) -> dict[str, Any]:
        """Founds a mesh. Raises ``NodeError`` if the profile is in one already."""
        if self._genesis is not None:
            raise NodeError(
                f"This profile is in the mesh '{self._genesis.name}' already; use another profile for another mesh."
            )
        key = membership.public_key(self._keys.member_secret)
        genesis = Genesis.found(name, key, TRIAL if trial else None)
        await self._store.commit([Put(Table.PROFILE, _GENESIS, genesis.encode())])
        await self._enter(genesis)
        return self._mesh()

    async def invite(self, name: str) -> dict[str, Any]:
        """Makes a one-time invitation. Raises ``NodeError`` without a mesh."""
        if self._genesis is None:
            raise NodeError(
                "There is no mesh to invite to yet: found one with `rumor found NAME`, or join one."
            )
        invitation = await self._befriender.invite(self._genesis, self._addresses(), name)
        return {
            "uri": invitation.to_uri(),
            "expires_at": invitation.expires_at,
            "addresses": self._addresses(),
        }

    async def join(self, uri: str, name: str) -> dict[str, Any]:
        """Takes up an invitation. Goes on in the background until it works or expires."""
        return await self._befriender.join(uri, name, self._genesis)

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
        await self._advance(friend, confirmed)
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
        if self._driver is not None:
            self._driver.link_down(FriendId(peer))
            self._driver.engine.friend_removed(FriendId(peer))
        return {"removed": friend.name}

    async def post(self, text: str, style: int) -> dict[str, Any]:
        """Publishes a secret; when this returns it survives a crash. Raises ``PostRefused``, ``LocalError``."""
        if self._driver is None or self._genesis is None:
            raise NodeError(
                "There is no mesh to post to yet: found one with `rumor found NAME`, or join one."
            )
        gate = self._driver.engine.gate(self._clock.now())
        item_id = await self._driver.publish(Draft(text=text, style=style))
        trial = bool(self._genesis.parameters.trial)
        return {"id": item_id.hex(), "ring_size": gate.ring_size, "trial": trial}

    async def feed(self, *, before: int | None, count: int) -> dict[str, Any]:
        """A page of secrets, newest first."""
        rows = await self._store.items(before=before, after=None, limit=count)
        secrets = [
            {"number": row.seq, **_secret(Item.decode_untrusted(row.value), self._genesis)} for row in rows
        ]
        return {"secrets": secrets}

    async def follow(self, waiting_max: int) -> AsyncIterator[dict[str, Any]]:
        """Secrets from now on."""
        await self._driver_wanted.wait()
        assert self._driver is not None
        async with aclosing(self._driver.follow(waiting_max)) as items:
            async for item in items:
                if item.kind is Kind.SECRET:
                    yield _secret(item, self._genesis)

    async def status(self) -> dict[str, Any]:
        """Everything there is to know about this node, in one dictionary."""
        friends = [self._describe(friend) for friend in self._book]
        return {
            "node": self._secret.public.peer_id,
            "addresses": self._addresses(),
            "mesh": self._mesh() if self._genesis is not None else None,
            "friends": len([1 for friend in friends if friend["stage"] == "friends"]),
            "connected": [friend["name"] for friend in friends if friend["connected"]],
            "pending": self._pending(friends),
            "post": self._post_state(),
            "disk_bytes": await self._store.size(),
        }

    async def changed(self) -> None:
        """Waits until something about the friends or the mesh may have changed."""
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _mesh(self) -> dict[str, Any]:
        assert self._genesis is not None
        assert self._driver is not None
        engine, genesis = self._driver.engine, self._genesis
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
        if self._driver is not None:
            if self._driver.engine.author.petition_count:
                pending.append(
                    "A newcomer waits for its admission; it takes one of your slots in a coming epoch."
                )
            outbox = len(self._driver.engine.author.outbox)
            if outbox:
                pending.append(f"{outbox} of your secrets being signed.")
        return pending

    def _post_state(self) -> dict[str, Any]:
        if self._driver is None:
            return {
                "allowed": False,
                "obstacles": ["There is no mesh yet: found one or join one."],
                "open_at": None,
            }
        gate = self._driver.engine.gate(self._clock.now())
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
                sentence += f" ({state.reason})" if state.reason else " (not connected yet)"
        else:
            sentence = (
                "connected" if state.connected else f"unreachable since {state.since_day}: {state.reason}"
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


def _secret(item: Item, genesis: Genesis | None) -> dict[str, Any]:
    """A secret for a reader: the epoch's start is all that is known of its time."""
    assert isinstance(item.body, SecretBody)
    assert genesis is not None
    when = datetime.fromtimestamp(genesis.start_of(item.epoch), UTC)
    return {
        "id": item.item_id.hex(),
        "text": item.body.text,
        "style": item.body.style,
        "epoch": item.epoch,
        "about": when.isoformat(timespec="seconds"),
    }
