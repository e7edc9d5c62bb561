"""What the node asks of a network, and the rules every transport keeps.

A *transport* makes authenticated, encrypted connections between nodes that know each other; a *connection*
carries frames, whole and in order, both ways. This module is the interface, the framing and the limits. It
opens no socket and imports no network library: ``libp2p_transport`` is the real transport,
``memory_transport`` the fake one, and both pass the same tests. Who is dialled, when, and how often is not
decided here but in ``connections``.

A frame travels as ``u32 length (big-endian) || payload`` on one libp2p stream each way. A length of zero is
the *goodbye*: on TCP and yamux a remote reset can look like a clean end, so only a goodbye means that the
friend hung up on purpose. Wire details, and what the library does wrong, stand in
docs/transport.md.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NewType, Protocol

from nacl.bindings import crypto_sign_seed_keypair

NodeId = NewType("NodeId", bytes)
"""A node's 32-byte Ed25519 public key."""

Admits = Callable[[NodeId], bool]
"""The gate: whether a node may connect now. Asked at every handshake; it must answer at once and never
raise.
"""

PROTOCOL = "/rumor/1"

#: Sixty packets of 4 KiB, or a reconciliation answer, fit in one frame; a slow line of 5 kB/s still carries
#: the largest
#: one within the 60 s after which a silent friend counts as dead.
FRAME_SIZE_MAX = 256 * 1024
#: One system call and one window update serve many small frames; more would only grow the buffers.
READ_SIZE = 64 * 1024
#: A handshake is two round trips and two milliseconds of arithmetic; 10 s covers a bad mobile line.
HANDSHAKE_S_MAX = 10.0
#: Each negotiation of a protocol within it; libp2p takes whole seconds.
NEGOTIATE_S_MAX = 10
#: A dial may not outlast what a user is ready to wait, nor hang for ever as a TCP connect can.
DIAL_S_MAX = 10.0
#: The time that a goodbye may take: a friend who does not read it is not waited for.
GOODBYE_S_MAX = 2.0
#: A node announces at most a few addresses (LAN, public IPv4 and IPv6, a name); more would be a scan by
#: proxy.
ADDRESSES_MAX = 8
#: Two while simultaneous dials settle, one for a restarted friend whose old connection is half dead, one
#: spare.
CONNECTIONS_PER_PEER_MAX = 4
#: Connections that passed the gate and wait for `accept`. The owner takes them at once; more means that it
#: hangs.
ACCEPT_QUEUE_MAX = 64

_LENGTH = struct.Struct(">I")


class TransportError(Exception):
    """Whatever goes wrong between two nodes."""


class Unreachable(TransportError):
    """The node could not be reached; the text says why, in plain words."""


class CannotListen(TransportError):
    """The node cannot listen where it was told to; the text says why, in plain words."""


class PortInUse(CannotListen):
    """Another program, or another node of yours, already listens on that port."""


class FrameError(TransportError):
    """The remote broke the framing."""


class ConnectionLost(TransportError):
    """The connection is over; the text says why, in plain words."""

    def __init__(self, reason: str, *, goodbye: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.goodbye = goodbye
        """True if the remote said goodbye, False if the connection broke or was closed here."""


class Connection(Protocol):
    """One authenticated connection; its frames arrive whole and in order, or the connection is lost."""

    @property
    def peer(self) -> NodeId:
        """The remote node, proven by the handshake."""

    @property
    def outbound(self) -> bool:
        """True if this side dialled."""

    async def send(self, frame: bytes) -> None:
        """Hands one frame of 1 to FRAME_SIZE_MAX bytes to the connection's writer; waits while the remote
        is slow.

        A cancelled call has sent the whole frame or nothing. Returning does not mean that the frame
        arrived. Several tasks may send at once. Raises ConnectionLost; ValueError for an empty or oversized
        frame.
        """

    async def receive(self) -> bytes:
        """Returns the next frame; a cancelled call loses none. Raises ConnectionLost, once all frames are
        read.
        """

    async def aclose(self) -> None:
        """Says goodbye and closes, within GOODBYE_S_MAX even when cancelled. Again, it does nothing."""


class Transport(Protocol):
    """Makes connections to nodes that the gate admits, and takes those that they make."""

    @property
    def node_id(self) -> NodeId:
        """The identity under which this transport listens and dials."""

    @property
    def addresses(self) -> list[str]:
        """Multiaddrs that it listens on, with the real port numbers and without `/p2p/…`; empty when not
        serving.
        """

    def serving(self) -> AbstractAsyncContextManager[None]:
        """Listens while inside. Leaving says goodbye to everyone and closes every socket.

        Raises CannotListen, and PortInUse in particular.
        """

    async def dial(self, peer: NodeId, addresses: Sequence[str]) -> Connection:
        """Connects to `peer` at any of the addresses, within DIAL_S_MAX in all. Raises Unreachable.

        A peer that the gate does not admit is not dialled. There is no back-off here.
        """

    async def dial_as(self, seed: bytes, peer: NodeId, addresses: Sequence[str]) -> Connection:
        """As `dial`, once, under the identity of another 32-byte Ed25519 seed, as an invitation needs it.

        The call itself is the permission: the gate, which is about who may connect to *us*, is not asked.
        """

    async def accept(self) -> Connection:
        """Returns the next inbound connection that passed the gate."""

    def drop(self, peer: NodeId) -> None:
        """Closes every connection with a peer that is no friend any more, at once and without a goodbye."""


def node_id_of(seed: bytes) -> NodeId:
    """Returns the node id of a 32-byte Ed25519 seed."""
    return NodeId(crypto_sign_seed_keypair(seed)[0])


def encode_frame(frame: bytes) -> bytes:
    """Returns the frame with its length before it. Raises ValueError if it is empty or above
    FRAME_SIZE_MAX.
    """
    if not 1 <= len(frame) <= FRAME_SIZE_MAX:
        raise ValueError(f"a frame has 1 to {FRAME_SIZE_MAX} bytes, not {len(frame)}")
    return _LENGTH.pack(len(frame)) + frame


GOODBYE = _LENGTH.pack(0)
"""The encoding of the goodbye."""


class FrameReader:
    """Cuts a byte stream into frames. Holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed_untrusted(self, data: bytes) -> Iterator[bytes]:
        """Yields every frame that `data` completes; an empty one is the goodbye, after which nothing is read.

        Raises FrameError, as soon as the length arrives, for one above FRAME_SIZE_MAX.
        """
        self._buffer += data
        offset = 0
        try:
            while len(self._buffer) - offset >= _LENGTH.size:
                (size,) = _LENGTH.unpack_from(self._buffer, offset)
                if size > FRAME_SIZE_MAX:
                    raise FrameError(f"announced a frame of {size} bytes; {FRAME_SIZE_MAX} is the most")
                end = offset + _LENGTH.size + size
                if len(self._buffer) < end:
                    return
                frame = bytes(memoryview(self._buffer)[offset + _LENGTH.size : end])
                offset = end
                yield frame
                if not frame:
                    return
        finally:
            del self._buffer[:offset]


def parse_address(address: str) -> tuple[str, int]:
    """Returns host and port of a TCP multiaddr such as `/ip4/192.0.2.7/tcp/4001`, `/ip6/…` or
    `/dns/name/tcp/…`.

    A `/p2p/…` suffix is ignored: the key of the peer is known already and proven by the handshake. Raises
    ValueError for anything else, so that QUIC, WebSocket and relay addresses are refused before a socket is
    opened.
    """
    match address.split("/"):
        case ["", "ip4" | "ip6" | "dns" | "dns4" | "dns6", host, "tcp", port, *rest] if rest[:1] in (
            [],
            ["p2p"],
        ):
            if host and len(rest) in (0, 2) and port.isascii() and port.isdigit() and int(port) < 1 << 16:
                return host, int(port)
    raise ValueError(f"not a TCP address: {address[:100]!r}")


def format_address(host: str, port: int) -> str:
    """Returns the multiaddr of an IP address and a TCP port."""
    return f"/{'ip6' if ':' in host else 'ip4'}/{host}/tcp/{port}"
