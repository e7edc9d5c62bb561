"""The start-up test that the installed libp2p is the one whose faults we know.

Some remedies reach into libp2p where it promises nothing. An upgrade could take a name away, or worse, keep the name
and stop looking there, and a guard would silently guard nothing. So `check_remedies` looks for every name, and then
tries the two guards that matter most: that a stranger is turned away with not one byte after the handshake, and that
a full receive buffer ends the connection. It takes 20 ms. It is no substitute for the tests, which try every remedy.
"""

from importlib.metadata import version

import trio
from libp2p.io.exceptions import IOException
from libp2p.security.noise.patterns import PatternXX
from libp2p.security.secure_session import SecureSession
from libp2p.stream_muxer.yamux import yamux
from libp2p.transport.exceptions import SecurityUpgradeFailure

from .noise_gate import SocketConnection, make_upgrader, peer_of_node_id
from .transport import TransportError, node_id_of
from .yamux_guard import WINDOW_SIZE, guard

#: The version that every remedy was tried against.
VERSION = "0.8.1"

_NAMES: tuple[tuple[object, tuple[str, ...]], ...] = (
    (PatternXX, ("handshake_inbound", "handshake_outbound")),
    (SecureSession, ("read", "write", "get_remote_peer")),
    (yamux.Yamux, ("handle_incoming", "open_stream", "accept_stream", "read_stream", "start")),
    (yamux.YamuxStream, ("send_window_update", "reset")),
    (yamux, ("DEFAULT_WINDOW_SIZE", "HEADER_SIZE", "TYPE_DATA", "YAMUX_HEADER_FORMAT")),
)


class UnknownLibp2p(TransportError):
    """The installed libp2p is not the one that this node was made for; the text says what is amiss."""


async def check_remedies() -> None:
    """Raises UnknownLibp2p if a remedy of ours would not bite."""
    if (installed := version("libp2p")) != VERSION:
        raise UnknownLibp2p(f"libp2p {installed} is installed; this node was tested with {VERSION} only")
    for owner, names in _NAMES:
        for name in names:
            if not hasattr(owner, name):
                raise UnknownLibp2p(f"{owner!r} has no {name} any more")
    if yamux.DEFAULT_WINDOW_SIZE != WINDOW_SIZE or yamux.HEADER_SIZE != 12:
        raise UnknownLibp2p("yamux has other sizes than its specification")
    await _check_gate()


async def _check_gate() -> None:
    """Runs a stranger's and a friend's handshake over a socket pair, and then overruns a receive buffer."""
    seeds = (bytes(31) + b"\x01", bytes(31) + b"\x02")
    friend = node_id_of(seeds[1])
    for admitted in (False, True):
        here, there = (trio.SocketStream(each) for each in trio.socket.socketpair())
        server = SocketConnection(here, is_initiator=False)
        client = SocketConnection(there, is_initiator=True)
        sessions = []

        async def serve(server: SocketConnection = server, admitted: bool = admitted) -> None:
            upgrader = make_upgrader(seeds[0], lambda peer: admitted and peer == friend)
            try:
                sessions.append(await upgrader.upgrade_security(server, False))  # noqa: B023
            except SecurityUpgradeFailure:
                pass

        with trio.move_on_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve)
                upgrader = make_upgrader(seeds[1], lambda _: False)
                await upgrader.upgrade_security(client, True, peer_of_node_id(node_id_of(seeds[0])))
            if not admitted and (sessions or await client.read(1) != b""):
                raise UnknownLibp2p("the gate lets strangers in")
        client.abort()
        server.abort()
        if len(sessions) != admitted:
            raise UnknownLibp2p("the gate turns friends away")
    muxed = yamux.Yamux(sessions[0], sessions[0].get_remote_peer(), is_initiator=False)
    failures: list[str] = []
    guard(muxed, server, failures.append)
    muxed.stream_buffers[1] = bytearray()
    muxed.stream_buffers[1].extend(bytes(WINDOW_SIZE))
    try:
        muxed.stream_buffers[1].extend(b"\0")
    except (BufferError, IOException):
        pass
    if not failures:
        raise UnknownLibp2p("the receive buffers are not bounded")
