"""The start-up test that the installed libp2p is the one whose faults we know.

Some remedies reach into libp2p where it promises nothing. An upgrade could take a name away, or worse, keep
the name and stop looking there, and a guard would silently guard nothing. So `check_remedies` looks for
every name, and then tries the two guards that matter most: that a stranger is turned away with not one byte
after the handshake, and that a full receive buffer ends the connection. It takes 20 ms. It is no substitute
for the tests, which try every remedy.
"""

import os
from contextlib import suppress
from importlib.metadata import version

import trio
from libp2p.abc import ISecureConn
from libp2p.security.noise.patterns import PatternXX
from libp2p.security.secure_session import SecureSession
from libp2p.stream_muxer.yamux import yamux
from libp2p.transport.exceptions import SecurityUpgradeFailure

from .noise_gate import SocketConnection, make_upgrader, peer_of_node_id
from .transport import TransportError, node_id_of
from .yamux_guard import WINDOW_SIZE, guard

#: The version that every remedy was tried against.
VERSION = "0.8.1"
#: A handshake with ourselves takes 10 ms; a machine that needs longer than this is not able to run a node.
CHECK_S_MAX = 5.0

_NAMES: tuple[tuple[object, tuple[str, ...]], ...] = (
    (PatternXX, ("handshake_inbound", "handshake_outbound")),
    (SecureSession, ("read", "write")),
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
    if os.environ.get("LIBP2P_DEBUG"):
        raise UnknownLibp2p("LIBP2P_DEBUG is set: libp2p would write the names of your friends to a log file")
    for owner, names in _NAMES:
        for name in names:
            if name not in vars(owner):  # An inherited one would be an abstract one.
                raise UnknownLibp2p(f"{owner!r} has no {name} any more")
    if yamux.DEFAULT_WINDOW_SIZE != WINDOW_SIZE or yamux.HEADER_SIZE != 12:
        raise UnknownLibp2p("yamux has other sizes than its specification")
    await _check_gate()


async def _check_gate() -> None:
    """Runs a stranger's and a friend's handshake over a socket pair, and then overruns a receive buffer."""
    seed, friend_seed = (bytes(31) + b"\x01", bytes(31) + b"\x02")
    if await _handshake(seed, friend_seed, admitted=False) is not None:
        raise UnknownLibp2p("the gate lets strangers in")
    session = await _handshake(seed, friend_seed, admitted=True)
    if session is None:
        raise UnknownLibp2p("the gate turns friends away")
    muxed = yamux.Yamux(session, session.get_remote_peer(), is_initiator=False)
    failures: list[str] = []
    guard(muxed, failures.append)
    muxed.stream_buffers[1] = bytearray()
    muxed.stream_buffers[1].extend(bytes(WINDOW_SIZE))
    with suppress(BufferError):
        muxed.stream_buffers[1].extend(b"\0")
    if not failures:
        raise UnknownLibp2p("the receive buffers are not bounded")


async def _handshake(seed: bytes, friend_seed: bytes, *, admitted: bool) -> ISecureConn | None:
    """Returns what the gate made of a friend's handshake; None if it was closed before another byte was
    sent.
    """
    friend = node_id_of(friend_seed)
    here, there = (trio.SocketStream(each) for each in trio.socket.socketpair())
    server = SocketConnection(here, is_initiator=False)
    client = SocketConnection(there, is_initiator=True)
    sessions: list[ISecureConn] = []

    async def serve() -> None:
        upgrader = make_upgrader(seed, lambda peer: admitted and peer == friend)
        with suppress(SecurityUpgradeFailure):
            sessions.append(await upgrader.upgrade_security(server, False))

    try:
        with trio.move_on_after(CHECK_S_MAX):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve)
                upgrader = make_upgrader(friend_seed, lambda _: False)
                await upgrader.upgrade_security(client, True, peer_of_node_id(node_id_of(seed)))
            if sessions:
                return sessions[0]
            if await client.read(1) == b"":
                return None
        raise UnknownLibp2p("a handshake with ourselves does not end")
    finally:
        client.abort()
        server.abort()
