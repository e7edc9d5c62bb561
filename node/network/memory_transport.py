"""A transport without a network, for tests and demonstrations: same interface, same rules, same tests as
the real one.

All `MemoryTransport`s of one `MemoryNetwork` reach each other. The network can be made to misbehave: `cut`
breaks the connections of two nodes and keeps them apart, `freeze` stops a node without closing anything (a
suspended laptop), and `heal` undoes both. Under trio's autojump clock an hour of it takes no time. There is
no encryption; identities are what the seeds say.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import trio

from .transport import (
    ACCEPT_QUEUE_MAX,
    ADDRESSES_MAX,
    CONNECTIONS_PER_PEER_MAX,
    DIAL_S_MAX,
    GOODBYE_S_MAX,
    Admits,
    ConnectionLost,
    NodeId,
    PortInUse,
    Unreachable,
    encode_frame,
    format_address,
    node_id_of,
    parse_address,
)

#: As in the real connection: received frames that wait for `receive`.
INBOX_COUNT_MAX = 4


class MemoryNetwork:
    """What connects the transports, and the hand that disturbs it."""

    def __init__(self, *, delay_s: float = 0.01) -> None:
        self.delay_s = delay_s
        """How long a dial takes, in seconds: two nodes that dial each other within it cross on the way."""
        self._listening: dict[tuple[str, int], MemoryTransport] = {}
        self._ports = count(40_000)
        self._apart: set[frozenset[NodeId]] = set()
        self._frozen: set[NodeId] = set()
        self._changed = trio.Event()
        self._links: list[tuple[MemoryConnection, MemoryConnection]] = []

    def cut(self, one: NodeId, other: NodeId) -> None:
        """Breaks every connection between two nodes and keeps them apart until `heal`."""
        self._apart.add(frozenset((one, other)))
        for near, far in list(self._links):
            if {near.local, near.peer} == {one, other}:
                near.fail("the connection broke")
                far.fail("the connection broke")

    def freeze(self, node: NodeId) -> None:
        """Stops all bytes to and from a node, without closing a connection, until `heal`."""
        self._frozen.add(node)

    def thaw(self, node: NodeId) -> None:
        """Lets bytes flow to and from a node again, while what broke meanwhile stays unnoticed."""
        self._frozen.discard(node)
        self.notify()

    def heal(self) -> None:
        """Lets everything flow again; whoever hung up meanwhile is now noticed."""
        self._apart.clear()
        self._frozen.clear()
        for near, far in list(self._links):
            if near.is_lost or far.is_lost:
                near.fail("the connection broke")
                far.fail("the connection broke")
        self.notify()

    def notify(self) -> None:
        """Wakes those who wait for the network to change."""
        self._changed.set()
        self._changed = trio.Event()
        self._links = [link for link in self._links if not (link[0].is_lost and link[1].is_lost)]

    async def flowing(self, one: NodeId, other: NodeId, connection: "MemoryConnection | None" = None) -> None:
        """Returns once bytes pass between two nodes, or when the connection is over."""
        await trio.lowlevel.checkpoint()
        while self._frozen & {one, other} and not (connection and connection.is_lost):
            await self._changed.wait()

    def listen(self, transport: "MemoryTransport", host: str, port: int) -> str:
        """Registers an address and returns it with its real port. Raises PortInUse."""
        port = port or next(self._ports)
        if (host, port) in self._listening:
            raise PortInUse(f"port {port} of {host} is taken: is another node of yours running?")
        self._listening[host, port] = transport
        return format_address(host, port)

    def unlisten(self, transport: "MemoryTransport") -> None:
        """Forgets all addresses of a transport."""
        self._listening = {
            address: each for address, each in self._listening.items() if each is not transport
        }

    async def connect(self, local: NodeId, peer: NodeId, address: str) -> "MemoryConnection":
        """Makes a connection, as far as the remote lets it. Raises Unreachable."""
        try:
            host, port = parse_address(address)
        except ValueError:
            raise Unreachable(f"{address[:100]} is not a TCP address") from None
        await trio.sleep(self.delay_s)
        await self.flowing(local, peer)
        remote = self._listening.get((host, port))
        if remote is None or frozenset((local, peer)) in self._apart:
            raise Unreachable(f"nothing answers at {address}")
        if remote.node_id != peer:
            raise Unreachable(f"another node answers at {address}")
        if not remote.welcomes(local):
            raise Unreachable("it hung up after the handshake: it may not know this node as a friend")
        near = MemoryConnection(self, local, peer, outbound=True)
        far = MemoryConnection(self, peer, local, outbound=False)
        near.join(far)
        far.join(near)
        self._links.append((near, far))
        remote.take(far)
        return near


class MemoryConnection:
    """One end of a `Connection` that only exists in memory."""

    def __init__(self, network: MemoryNetwork, local: NodeId, peer: NodeId, *, outbound: bool) -> None:
        self.local = local
        self.peer = peer
        self.outbound = outbound
        self._network = network
        self._other: MemoryConnection | None = None
        self._closing = False
        self._lost: tuple[str, bool] | None = None
        self._inbox_in, self._inbox_out = trio.open_memory_channel[bytes](INBOX_COUNT_MAX)

    def join(self, other: "MemoryConnection") -> None:
        """Ties the two ends together."""
        self._other = other

    @property
    def is_lost(self) -> bool:
        """True once this end is over."""
        return self._lost is not None

    def fail(self, reason: str, *, goodbye: bool = False) -> None:
        """Ends this end now. The first reason counts."""
        if self._lost is None:
            self._lost = (reason, goodbye)
            self._inbox_in.close()
            self._network.notify()

    def abort(self, reason: str) -> None:
        """Ends this end now, and the other as soon as the network lets it notice."""
        self.fail(reason)
        assert self._other is not None
        if not self._network._frozen & {self.local, self.peer}:
            self._other.fail("the connection broke")

    async def send(self, frame: bytes) -> None:
        """See `Connection.send`."""
        encode_frame(frame)
        await self._network.flowing(self.local, self.peer, self)
        if self._closing or self.is_lost:
            raise self._error()
        assert self._other is not None
        try:
            await self._other._inbox_in.send(frame)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise self._error() from None

    async def receive(self) -> bytes:
        """See `Connection.receive`."""
        try:
            return await self._inbox_out.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            raise self._error() from None

    def _error(self) -> ConnectionLost:
        reason, goodbye = self._lost or ("closed here", False)
        return ConnectionLost(reason, goodbye=goodbye)

    async def aclose(self) -> None:
        """See `Connection.aclose`."""
        assert self._other is not None
        with trio.CancelScope(shield=True):
            if not self._closing:
                self._closing = True
                self._inbox_out.close()
                with trio.move_on_after(GOODBYE_S_MAX):
                    await self._network.flowing(self.local, self.peer, self)
                    if not self.is_lost:
                        self._other.fail("it said goodbye", goodbye=True)
                self.fail("closed here")
            await trio.lowlevel.checkpoint()


class MemoryTransport:
    """A `Transport` of a `MemoryNetwork`."""

    def __init__(
        self,
        network: MemoryNetwork,
        seed: bytes,
        *,
        admits: Admits,
        listen: Sequence[str] = ("/ip4/127.0.0.1/tcp/0",),
    ) -> None:
        """Takes what the real transport takes, and the network."""
        self.node_id = node_id_of(seed)
        self.addresses: list[str] = []
        self._network = network
        self._admits = admits
        self._listen = [parse_address(address) for address in listen]
        self._serving = False
        self._live: list[MemoryConnection] = []
        self._accepted_in, self._accepted_out = trio.open_memory_channel[MemoryConnection](ACCEPT_QUEUE_MAX)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """See `Transport.serving`."""
        try:
            self.addresses = [self._network.listen(self, host, port) for host, port in self._listen]
            self._serving = True
            yield
        finally:
            self._serving = False
            self.addresses = []
            self._network.unlisten(self)
            with trio.CancelScope(shield=True):
                async with trio.open_nursery() as nursery:
                    for connection in self._live:
                        nursery.start_soon(connection.aclose)

    async def dial(self, peer: NodeId, addresses: Sequence[str]) -> MemoryConnection:
        """See `Transport.dial`."""
        if not self._admits(peer):
            await trio.lowlevel.checkpoint()
            raise Unreachable("that node is not a friend")
        return await self._dial(self.node_id, peer, addresses)

    async def dial_as(self, seed: bytes, peer: NodeId, addresses: Sequence[str]) -> MemoryConnection:
        """See `Transport.dial_as`."""
        return await self._dial(node_id_of(seed), peer, addresses)

    async def _dial(self, local: NodeId, peer: NodeId, addresses: Sequence[str]) -> MemoryConnection:
        reasons: list[str] = []
        with trio.move_on_after(DIAL_S_MAX):
            for address in addresses[:ADDRESSES_MAX]:
                try:
                    connection = await self._network.connect(local, peer, address)
                except Unreachable as error:
                    reasons.append(str(error))
                else:
                    if not self._serving:
                        connection.abort("this node is not running")
                        raise Unreachable("this node is not running")
                    self._keep(connection)
                    return connection
            raise Unreachable("; ".join(dict.fromkeys(reasons)) or "it has no address")
        raise Unreachable("no answer in time")

    async def accept(self) -> MemoryConnection:
        """See `Transport.accept`."""
        return await self._accepted_out.receive()

    def welcomes(self, peer: NodeId) -> bool:
        """Asks the gate about a node that dials."""
        return self._admits(peer)

    def take(self, connection: MemoryConnection) -> None:
        """Hands an inbound connection to `accept`."""
        self._keep(connection)
        try:
            self._accepted_in.send_nowait(connection)
        except trio.WouldBlock:
            connection.abort("too many connections wait to be accepted")

    def _keep(self, connection: MemoryConnection) -> None:
        self._live = [*(each for each in self._live if not each.is_lost), connection]
        of_peer = [each for each in self._live if each.peer == connection.peer]
        if len(of_peer) > CONNECTIONS_PER_PEER_MAX:
            of_peer[0].abort("it opened too many connections")

    def drop(self, peer: NodeId) -> None:
        """See `Transport.drop`."""
        for connection in self._live:
            if connection.peer == peer:
                connection.abort("not a friend any more")
