"""The real transport: libp2p's protocols on our own sockets.

It uses libp2p's Noise, yamux and protocol negotiation, and none of its hosts: no swarm, peer store,
identify, connection manager, auto-connector, mDNS or UPnP ever starts, so none has to be stopped. Sockets,
deadlines, limits and the life of every task are ours. TCP only: QUIC loses bytes silently and goes around
the gate.

    socket ─ HalfOpen ─ /noise ─ Noise XX ─ gate ─ /yamux ─ one /rumor/1 stream each way ─ accept()

Importing this module takes two seconds; import it when a network is needed. `check_remedies` in
`libp2p_check` proves at start-up that the installed libp2p is the one that this was written against. The
wire is specified in docs/protocol.md, section 8.
"""

import errno
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import trio
from libp2p.abc import ISecureConn
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.transport.upgrader import TransportUpgrader

from .half_open import HalfOpen
from .libp2p_connection import Libp2pConnection
from .noise_gate import SocketConnection, make_upgrader, peer_of_node_id
from .transport import (
    ACCEPT_QUEUE_MAX,
    ADDRESSES_MAX,
    CONNECTIONS_PER_PEER_MAX,
    DIAL_S_MAX,
    Admits,
    CannotListen,
    ConnectionLost,
    NodeId,
    PortInUse,
    Unreachable,
    format_address,
    node_id_of,
    parse_address,
)

#: How long a dial waits for one address before it tries the next beside it (RFC 8305 §5).
STAGGER_S = 0.25

# libp2p logs peer ids and times at every level; what the node logs must not name a friend.
logging.getLogger("libp2p").setLevel(logging.CRITICAL + 1)
logging.getLogger("libp2p").propagate = False


class Libp2pTransport:
    """A `Transport` over TCP."""

    def __init__(
        self, seed: bytes, *, admits: Admits, listen: Sequence[str] = ("/ip4/127.0.0.1/tcp/0",)
    ) -> None:
        """Takes a 32-byte Ed25519 seed, the gate, and the multiaddrs to listen on (port 0: any free one).

        Raises ValueError for a multiaddr that is not TCP over an IP address.
        """
        self.node_id = node_id_of(seed)
        self.addresses: list[str] = []
        self._admits = admits
        self._upgrader = make_upgrader(seed, admits)
        self._listen = [parse_address(address) for address in listen]
        self._nursery: trio.Nursery | None = None
        self._half_open = HalfOpen()
        self._live: dict[NodeId, list[Libp2pConnection]] = {}
        self._accepted_in, self._accepted_out = trio.open_memory_channel[Libp2pConnection](ACCEPT_QUEUE_MAX)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """See `Transport.serving`."""
        listeners = await self._open_listeners()
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                serving = trio.CancelScope()
                nursery.start_soon(self._serve, listeners, serving, nursery)
                try:
                    yield
                finally:
                    self._nursery = None
                    self.addresses = []
                    serving.cancel()
                    await self._close_all()
                    nursery.cancel_scope.cancel()
        finally:
            for listener in listeners:
                listener.socket.close()

    async def _open_listeners(self) -> list[trio.SocketListener]:
        listeners: list[trio.SocketListener] = []
        try:
            for host, port in self._listen:
                # Without SO_REUSEPORT, which libp2p sets: two nodes would share a port and steal each
                # other's friends.
                listeners += await trio.open_tcp_listeners(port, host=host)
        except OSError as error:
            for listener in listeners:
                listener.socket.close()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"port {port} of {host} is taken: is another node of yours running?"
                ) from error
            raise CannotListen(f"cannot listen on port {port} of {host}: {error.strerror}") from error
        self.addresses = [format_address(*listener.socket.getsockname()[:2]) for listener in listeners]
        return listeners

    async def _serve(
        self, listeners: list[trio.SocketListener], scope: trio.CancelScope, nursery: trio.Nursery
    ) -> None:
        with scope:
            await trio.serve_listeners(self._welcome, listeners, handler_nursery=nursery)

    async def _welcome(self, stream: trio.SocketStream) -> None:
        """Takes an inbound socket to the gate and, past it, to `accept`; whatever it raises ends here."""
        raw = SocketConnection(stream, is_initiator=False)
        session: ISecureConn | None = None
        connection: Libp2pConnection | None = None
        try:
            # A stranger may make libp2p raise anything; it is nobody's business.
            with suppress(Exception), self._half_open.place(_remote_host(stream)):
                session = await self._upgrader.upgrade_security(raw, False)
            if session is None:
                return
            # Beyond the gate a friend holds no place of a stranger's, and has a deadline of its own.
            with suppress(ConnectionLost, Unreachable):
                connection = await self._open(raw, session, self._upgrader)
            if connection is not None:
                self._hand_over(connection)
                # Trio closes the socket when this task ends. Closing the connection ends the wait, always.
                with trio.CancelScope(shield=True):
                    await connection.wait_closed()
        finally:
            raw.abort()

    def _hand_over(self, connection: Libp2pConnection) -> None:
        if not self._admits(connection.peer):
            connection.fail("not a friend any more")
            return
        try:
            self._accepted_in.send_nowait(connection)
        except trio.WouldBlock:
            connection.fail("too many connections wait to be accepted")

    async def accept(self) -> Libp2pConnection:
        """See `Transport.accept`."""
        return await self._accepted_out.receive()

    async def dial(self, peer: NodeId, addresses: Sequence[str]) -> Libp2pConnection:
        """See `Transport.dial`."""
        if not self._admits(peer):
            await trio.lowlevel.checkpoint()
            raise Unreachable("that node is not a friend")
        return await self._dial(self._upgrader, peer, addresses)

    async def dial_as(self, seed: bytes, peer: NodeId, addresses: Sequence[str]) -> Libp2pConnection:
        """See `Transport.dial_as`."""
        # No inbound connection ever passes through this upgrader, so its gate stays shut.
        return await self._dial(make_upgrader(seed, lambda _: False), peer, addresses)

    async def _dial(
        self, upgrader: TransportUpgrader, peer: NodeId, addresses: Sequence[str]
    ) -> Libp2pConnection:
        reasons: list[str] = []
        with trio.move_on_after(DIAL_S_MAX):
            winner = await self._race(upgrader, peer, addresses, reasons)
            if winner is None:
                raise Unreachable("; ".join(dict.fromkeys(reasons)) or "it has no address")
            try:
                return await self._open(*winner, upgrader)
            except ConnectionLost:
                raise Unreachable(
                    "it hung up after the handshake: it may not know this node as a friend"
                ) from None
        raise Unreachable("no answer in time")

    async def _race(
        self, upgrader: TransportUpgrader, peer: NodeId, addresses: Sequence[str], reasons: list[str]
    ) -> tuple[SocketConnection, ISecureConn] | None:
        """Returns the first address that proves to be the peer; each is begun a little after the last."""
        winner: list[tuple[SocketConnection, ISecureConn]] = []

        async def attempt(delay_s: float, address: str) -> None:
            raw: SocketConnection | None = None
            try:
                await trio.sleep(delay_s)
                stream = await trio.open_tcp_stream(*parse_address(address))
                raw = SocketConnection(stream, is_initiator=True)
                session = await upgrader.upgrade_security(raw, True, peer_of_node_id(peer))
                if not winner:
                    winner.append((raw, session))
                    nursery.cancel_scope.cancel()
            except Exception as error:
                reasons.append(_plain_words(error, address))
            finally:
                if raw is not None and not (winner and winner[0][0] is raw):
                    raw.abort()

        try:
            async with trio.open_nursery() as nursery:
                for position, address in enumerate(addresses[:ADDRESSES_MAX]):
                    nursery.start_soon(attempt, position * STAGGER_S, address)
        except trio.Cancelled:
            for raw, _ in winner:
                raw.abort()
            raise
        return winner[0] if winner else None

    async def _open(
        self, raw: SocketConnection, session: ISecureConn, upgrader: TransportUpgrader
    ) -> Libp2pConnection:
        """Returns the connection once frames can flow. Raises ConnectionLost, Unreachable."""
        if self._nursery is None:
            raw.abort()
            raise Unreachable("this node is not running")
        raw.admitted()
        connection = Libp2pConnection(raw, session)
        live = self._live.setdefault(connection.peer, [])
        live.append(connection)
        if len(live) > CONNECTIONS_PER_PEER_MAX:
            live[0].fail("it opened too many connections")
        self._nursery.start_soon(self._run, connection, upgrader)
        try:
            await connection.wait_open()
        except trio.Cancelled:
            connection.fail("it was not finished in time")
            raise
        return connection

    async def _run(self, connection: Libp2pConnection, upgrader: TransportUpgrader) -> None:
        try:
            await connection.run(upgrader)
        finally:
            live = self._live[connection.peer]
            live.remove(connection)
            if not live:
                del self._live[connection.peer]

    def drop(self, peer: NodeId) -> None:
        """See `Transport.drop`."""
        for connection in self._live.get(peer, []):
            connection.fail("not a friend any more")

    async def _close_all(self) -> None:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for connection in [each for of_peer in self._live.values() for each in of_peer]:
                    nursery.start_soon(connection.aclose)


def _remote_host(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:  # It hung up already.
        return ""


def _plain_words(error: Exception, address: str) -> str:
    if isinstance(error, ValueError):
        return f"{address[:100]} is not a TCP address"
    if isinstance(error, OSError):
        return f"nothing answers at {address}"
    if isinstance(error.__cause__, PeerIDMismatchesPubkey):
        return f"another node answers at {address}"
    return f"what answers at {address} is no Rumor node"
