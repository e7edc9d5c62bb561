"""From a TCP socket to an authenticated peer: Noise XX and nothing else, and nobody gets past it who is not
admitted.

libp2p provides the protocol negotiation and the Noise handshake; this module bounds both. Knowing a
friend's public key is enough to pass as them over `/plaintext/2.0.0`, so Noise is the only security
protocol on offer. The gate is asked right after the handshake, before a multiplexer exists: a stranger
learns our node key (Noise XX shows it to whoever asks) and then finds the connection closed, without a byte
of ours having been encrypted for them.

Before the gate a stranger may send `UNADMITTED_SIZE_MAX` bytes in all. libp2p itself would read as many as
a length prefix of theirs announces. It also gives up on a message that arrives in more than a hundred
pieces, hence `read` returns all that it was asked for.

Specified in the libp2p specifications `noise` and `connections`, and in docs/transport.md.
"""

import trio
from libp2p.abc import IRawConnection, ISecureConn
from libp2p.connection_types import ConnectionType
from libp2p.crypto.ed25519 import Ed25519PublicKey
from libp2p.crypto.ed25519 import create_new_key_pair as create_ed25519_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519_key_pair
from libp2p.custom_types import TProtocol
from libp2p.io.exceptions import IOException
from libp2p.peer.id import ID
from libp2p.security.exceptions import HandshakeFailure
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr  # type: ignore[import-untyped]

from .transport import NEGOTIATE_S_MAX, READ_SIZE, Admits, NodeId

#: Negotiation takes 50 bytes and the two Noise messages of an initiator about 300; other implementations
#: add extensions.
UNADMITTED_SIZE_MAX = 8 * 1024
#: Yamux bodies of 64 KiB are what go-yamux sends at most; the largest that anyone may announce is a whole
#: window.
READ_SIZE_MAX = 256 * 1024


class SocketConnection(IRawConnection):
    """A socket as libp2p wants it, with a bound on what is read before the peer is known."""

    def __init__(self, stream: trio.SocketStream, *, is_initiator: bool) -> None:
        self.is_initiator = is_initiator
        self._stream = stream
        self._buffer = bytearray()
        self._allowance: int | None = UNADMITTED_SIZE_MAX
        self._closed = False

    def admitted(self) -> None:
        """The peer is known: what it sends is bounded by flow control from now on."""
        self._allowance = None

    async def read(self, n: int | None = None) -> bytes:
        """Returns exactly `n` bytes, or fewer at the end of the stream. Raises IOException."""
        if n is None or n > READ_SIZE_MAX:
            raise IOException(f"refused to read {n} bytes")
        while len(self._buffer) < n:
            data = await self._receive()
            if not data:
                break
            self._buffer += data
        result = bytes(self._buffer[:n])
        del self._buffer[:n]
        return result

    async def _receive(self) -> bytes:
        if self._allowance == 0:
            raise IOException("too many bytes before the handshake was over")
        try:
            data = await self._stream.receive_some(
                READ_SIZE if self._allowance is None else min(READ_SIZE, self._allowance)
            )
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise IOException("the connection broke") from error
        if self._allowance is not None:
            self._allowance -= len(data)
        return data

    async def write(self, data: bytes) -> None:
        """Sends everything. Raises IOException."""
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise IOException("the connection broke") from error

    def abort(self) -> None:
        """Closes the socket now; whoever reads or writes it finds it closed."""
        if not self._closed:
            self._closed = True
            self._stream.socket.close()

    async def close(self) -> None:
        self.abort()
        await trio.lowlevel.checkpoint()

    def get_remote_address(self) -> tuple[str, int] | None:
        return None

    def get_transport_addresses(self) -> list[Multiaddr]:
        return []

    def get_connection_type(self) -> ConnectionType:
        return ConnectionType.DIRECT


class GatedNoise(NoiseTransport):
    """Noise XX that lets in only those whom the gate admits."""

    def __init__(self, seed: bytes, admits: Admits) -> None:
        # The Noise key is one of its own and lives as long as the transport; the node key only signs it.
        super().__init__(create_ed25519_key_pair(seed), create_x25519_key_pair().private_key)
        self._admits = admits

    async def secure_inbound(self, conn: IRawConnection) -> ISecureConn:
        secured = await super().secure_inbound(conn)
        if not self._admits(node_id_of_peer(secured.get_remote_peer())):
            await conn.close()
            raise HandshakeFailure("a stranger")
        return secured


def make_upgrader(seed: bytes, admits: Admits) -> TransportUpgrader:
    """Returns what turns sockets into secured, multiplexed connections: Noise and yamux, nothing else."""
    return TransportUpgrader(
        secure_transports_by_protocol={NOISE: GatedNoise(seed, admits)},
        muxer_transports_by_protocol={TProtocol(YAMUX): Yamux},
        negotiate_timeout=NEGOTIATE_S_MAX,
    )


def node_id_of_peer(peer: ID) -> NodeId:
    """Returns the Ed25519 key inside a peer id. Raises HandshakeFailure for other kinds of key."""
    key = peer.extract_public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise HandshakeFailure("not an Ed25519 identity")
    return NodeId(key.to_bytes())


def peer_of_node_id(node_id: NodeId) -> ID:
    """Returns the peer id that holds this Ed25519 key. Raises ValueError if it has not 32 bytes."""
    return ID.from_pubkey(Ed25519PublicKey.from_bytes(node_id))
