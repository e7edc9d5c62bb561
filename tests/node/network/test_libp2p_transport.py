"""What strangers and friends with other programs can do to the real transport: nothing but end their
connection.
"""

import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import libp2p
import pytest
import trio
import trio.testing
from libp2p.abc import INetStream, ISecureConn
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.secp256k1 import create_new_key_pair as create_secp256k1_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.exceptions import SwarmException
from libp2p.peer.peerinfo import PeerInfo
from libp2p.protocol_muxer.exceptions import MultiselectClientError
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable, MuxedStreamError
from libp2p.stream_muxer.yamux import yamux
from libp2p.transport.exceptions import SecurityUpgradeFailure
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr

from rumor.node.network import libp2p_check, libp2p_transport, noise_gate
from rumor.node.network.libp2p_connection import Libp2pConnection
from rumor.node.network.libp2p_transport import Libp2pTransport
from rumor.node.network.noise_gate import SocketConnection, peer_of_node_id
from rumor.node.network.transport import (
    FRAME_SIZE_MAX,
    PROTOCOL,
    CannotListen,
    ConnectionLost,
    NodeId,
    PortInUse,
    Unreachable,
    encode_frame,
    node_id_of,
    parse_address,
)
from rumor.node.network.yamux_guard import WINDOW_SIZE

SEEDS = [bytes([number]) * 32 for number in range(1, 5)]
ALICE, BOB, CAROL, MALLORY = map(node_id_of, SEEDS)
FRIENDS = {ALICE, CAROL}


@pytest.fixture
async def bob(nursery: trio.Nursery) -> AsyncIterator[Libp2pTransport]:
    """A node with two friends, which must still welcome a friend when the test is over."""
    transport = Libp2pTransport(SEEDS[1], admits=FRIENDS.__contains__)
    with trio.fail_after(30):
        async with transport.serving():
            yield transport
            await _assert_welcomes_friends(transport)


async def _assert_welcomes_friends(bob: Libp2pTransport) -> None:
    async with Libp2pTransport(SEEDS[2], admits=lambda _: True).serving():
        pass
    carol = Libp2pTransport(SEEDS[2], admits=lambda _: True)
    async with carol.serving():
        near = await carol.dial(BOB, bob.addresses)
        await near.send(b"fine?")
        while (far := await bob.accept()).peer != CAROL:
            pass
        assert await far.receive() == b"fine?"


async def connect(bob: Libp2pTransport) -> trio.SocketStream:
    return await trio.open_tcp_stream(*parse_address(bob.addresses[0]))


async def shake_hands(bob: Libp2pTransport, seed: bytes) -> tuple[SocketConnection, ISecureConn]:
    """Noise as any libp2p node does it, with no rule of ours."""
    raw = SocketConnection(await connect(bob), is_initiator=True)
    raw.admitted()
    noise = NoiseTransport(create_new_key_pair(seed), create_x25519_key_pair().private_key)
    upgrader = TransportUpgrader({NOISE: noise}, {})
    return raw, await upgrader.upgrade_security(raw, True, peer_of_node_id(BOB))


@asynccontextmanager
async def muxed_as(bob: Libp2pTransport, seed: bytes) -> AsyncIterator[yamux.Yamux]:
    """Yamux as any libp2p node does it, with no guard of ours."""
    raw, session = await shake_hands(bob, seed)
    upgrader = TransportUpgrader({}, {TProtocol(yamux.PROTOCOL_ID): yamux.Yamux})
    muxed = await upgrader.upgrade_connection(session, peer_of_node_id(BOB))
    assert isinstance(muxed, yamux.Yamux)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(muxed.start)
        await muxed.event_started.wait()
        try:
            yield muxed
        finally:
            raw.abort()
            nursery.cancel_scope.cancel()


async def open_rumor(muxed: yamux.Yamux) -> yamux.YamuxStream:
    """Opens our stream and answers the one that the node opens, as a good friend does."""
    stream = await muxed.open_stream()
    await MultiselectClient().select_one_of((TProtocol(PROTOCOL),), MultiselectCommunicator(stream))
    await take_theirs(muxed)
    return stream


async def take_theirs(muxed: yamux.Yamux) -> None:
    communicator = MultiselectCommunicator(await muxed.accept_stream())
    for line in ("/multistream/1.0.0", PROTOCOL):
        assert await communicator.read() == line
        await communicator.write(line)


async def befriended(bob: Libp2pTransport, muxed: yamux.Yamux) -> tuple[yamux.YamuxStream, Libp2pConnection]:
    stream = await open_rumor(muxed)
    return stream, await bob.accept()


async def lost(connection: Libp2pConnection) -> ConnectionLost:
    with pytest.raises(ConnectionLost) as caught:  # noqa: PT012
        while True:
            await connection.receive()
    return caught.value


async def test_a_stranger_gets_no_byte_after_the_handshake(bob: Libp2pTransport) -> None:
    """The socket is closed right after Noise, before a multiplexer is negotiated: not one byte is encrypted
    for them.
    """
    raw, _ = await shake_hands(bob, SEEDS[3])
    assert await raw.read(1) == b""
    raw.abort()


async def test_a_friend_does_get_bytes(bob: Libp2pTransport) -> None:
    """The counterpart: for a friend the node goes on to the multiplexer, so the test above can fail."""
    raw, _ = await shake_hands(bob, SEEDS[0])
    assert await raw.read(1) != b""
    raw.abort()


async def test_a_stranger_with_a_stock_host_is_refused(bob: Libp2pTransport) -> None:
    """A default libp2p host of a stranger cannot connect."""
    host = libp2p.new_host(key_pair=create_new_key_pair(SEEDS[3]))
    async with host.run([Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        info = PeerInfo(peer_of_node_id(BOB), [Multiaddr(each) for each in bob.addresses])
        with pytest.raises(SwarmException):
            await host.connect(info)
        await host.close()


async def test_a_friend_with_a_stock_host_is_understood(bob: Libp2pTransport) -> None:
    """A default libp2p host of a friend exchanges frames both ways; its identify is declined and harms
    nothing.
    """
    host = libp2p.new_host(key_pair=create_new_key_pair(SEEDS[0]))
    heard = trio.Event()

    async def handler(stream: INetStream) -> None:
        assert await stream.read(9) == encode_frame(b"hello")
        heard.set()
        await trio.sleep_forever()

    host.set_stream_handler(TProtocol(PROTOCOL), handler)
    async with host.run([Multiaddr("/ip4/127.0.0.1/tcp/0")]):
        await host.connect(PeerInfo(peer_of_node_id(BOB), [Multiaddr(each) for each in bob.addresses]))
        stream = await host.new_stream(peer_of_node_id(BOB), [TProtocol(PROTOCOL)])
        far = await bob.accept()
        assert far.peer == ALICE
        await far.send(b"hello")
        await stream.write(encode_frame(b"hi"))
        assert await far.receive() == b"hi"
        await heard.wait()
        await host.close()


@pytest.mark.parametrize("protocol", ["/plaintext/2.0.0", "/secio/1.0.0", "/tls/1.0.0"])
async def test_only_noise_is_spoken(bob: Libp2pTransport, protocol: str) -> None:
    """Plaintext would let anybody pass as a friend, so it is not on offer, nor is anything else."""
    raw = SocketConnection(await connect(bob), is_initiator=True)
    with pytest.raises(MultiselectClientError, match="not supported"):
        await MultiselectClient().select_one_of((TProtocol(protocol),), MultiselectCommunicator(raw))
    raw.abort()


async def test_only_noise_is_dialled(nursery: trio.Nursery) -> None:
    """A listener that speaks plaintext only cannot pull us down to it."""
    heard: list[bytes] = []

    async def plaintext(stream: trio.SocketStream) -> None:
        raw = SocketConnection(stream, is_initiator=False)
        communicator = MultiselectCommunicator(raw)
        try:
            await communicator.write("/multistream/1.0.0")
            await communicator.read()
            while True:
                heard.append((await communicator.read()).encode())
                await communicator.write("na")
        except Exception:
            raw.abort()

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, plaintext, listeners)
    port = listeners[0].socket.getsockname()[1]
    alice = Libp2pTransport(SEEDS[0], admits=lambda _: True)
    async with alice.serving():
        with pytest.raises(Unreachable, match="no Rumor node"):
            await alice.dial(BOB, [f"/ip4/127.0.0.1/tcp/{port}"])
    assert heard == [b"/noise"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x05\xff\xff\xff\xff\n",  # Six bytes: a protocol name that is not UTF-8.
        b"\x00",
        b"\xff" * 100,
        bytes(20_000),
        b"\x13/multistream/1.0.0\n\x05\xff\xff\xff\xff\n",
        b"\x13/multistream/1.0.0\n\x07/noise\n\x00\x20" + bytes(32) + b"\xff\xff" + bytes(9000),
    ],
)
async def test_garbage_on_the_port(bob: Libp2pTransport, garbage: bytes) -> None:
    """Whatever a stranger sends, the socket is closed and the node goes on."""
    stream = await connect(bob)
    with suppress(trio.BrokenResourceError):
        await stream.send_all(garbage)
        await stream.send_eof()
        while await stream.receive_some():
            pass
    await stream.aclose()


async def test_a_strangers_bytes_are_counted(bob: Libp2pTransport) -> None:
    """A stranger who announces a gigabyte gets to send a few kilobytes of it."""
    stream = await connect(bob)
    sent = 0
    with suppress(trio.BrokenResourceError):
        await stream.send_all(b"\x80\x80\x80\x80\x04")
        while sent < 64 * 1024 * 1024:
            await stream.send_all(bytes(64 * 1024))
            sent += 64 * 1024
    assert sent < 32 * 1024 * 1024
    await stream.aclose()


async def test_the_allowance_is_exact() -> None:
    """Before the peer is known exactly the allowance can be read, afterwards everything."""
    here, there = (trio.SocketStream(each) for each in trio.socket.socketpair())
    raw = SocketConnection(here, is_initiator=False)
    await there.send_all(bytes(noise_gate.UNADMITTED_SIZE_MAX + 10))
    assert len(await raw.read(noise_gate.UNADMITTED_SIZE_MAX)) == noise_gate.UNADMITTED_SIZE_MAX
    with pytest.raises(Exception, match="too many bytes"):
        await raw.read(1)
    raw.admitted()
    assert len(await raw.read(10)) == 10
    with pytest.raises(Exception, match="refused"):
        await raw.read(1 << 40)
    raw.abort()
    await there.aclose()


async def test_silent_strangers_keep_nobody_out(bob: Libp2pTransport) -> None:
    """Fifty connections that say nothing fill the room; the oldest give way, and friends get in (see the
    fixture).
    """
    streams = [await connect(bob) for _ in range(50)]
    await _assert_welcomes_friends(bob)
    with trio.fail_after(5), suppress(trio.BrokenResourceError):
        while await streams[0].receive_some():
            pass
    assert len(bob._half_open) <= 16
    for stream in streams:
        await stream.aclose()


async def test_garbage_after_noise(bob: Libp2pTransport) -> None:
    """A friend whose bytes do not decrypt is hung up on."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        _, far = await befriended(bob, muxed)
        await muxed.secured_conn.conn.read_writer.read_write_closer.write(b"\x00\x20" + bytes(32))  # type: ignore[attr-defined]
        assert not (await lost(far)).goodbye


async def test_bad_utf8_on_a_new_stream(bob: Libp2pTransport) -> None:
    """Six bytes that cancelled a stock host and its program reset that one stream; the friend stays."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        good, far = await befriended(bob, muxed)
        bad = await muxed.open_stream()
        await bad.write(b"\x05\xff\xff\xff\xff\n")
        with pytest.raises(MuxedStreamError):  # noqa: PT012
            while True:
                await bad.read(100)
        await good.write(encode_frame(b"still friends"))
        assert await far.receive() == b"still friends"


async def test_streams_that_say_nothing_are_bounded(bob: Libp2pTransport) -> None:
    """A friend that opens hundreds of streams finds them reset, and is still heard."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        good, far = await befriended(bob, muxed)
        for _ in range(200):
            await muxed.open_stream()
        await good.write(encode_frame(b"still here"))
        assert await far.receive() == b"still here"
        assert far._negotiating_count <= 8


async def test_a_second_stream_ends_the_connection(bob: Libp2pTransport) -> None:
    """One stream each way; a second one breaks the protocol."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        _, far = await befriended(bob, muxed)
        again = await muxed.open_stream()
        with suppress(MultiselectClientError, MuxedStreamError):
            await MultiselectClient().select_one_of((TProtocol(PROTOCOL),), MultiselectCommunicator(again))
        assert "second stream" in (await lost(far)).reason


async def test_an_oversized_length_ends_the_connection(bob: Libp2pTransport) -> None:
    """Four bytes that announce too large a frame suffice; what came before is delivered."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        stream, far = await befriended(bob, muxed)
        await stream.write(encode_frame(b"good") + struct.pack(">I", FRAME_SIZE_MAX + 1))
        assert await far.receive() == b"good"
        assert "frame of" in (await lost(far)).reason


async def test_an_error_while_a_connection_ends(
    bob: Libp2pTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What libp2p raises at the moment that a connection fails ends that one, and not the node."""

    async def break_off(self: Libp2pConnection, *_: object) -> None:
        monkeypatch.undo()
        self.fail("it broke the protocol")
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise MuxedStreamError("shut down") from None

    monkeypatch.setattr(Libp2pConnection, "_open_stream", break_off)
    async with muxed_as(bob, SEEDS[0]) as muxed:
        with pytest.raises(MuxedConnUnavailable):
            await take_theirs(muxed)


async def test_a_reset_is_no_goodbye(bob: Libp2pTransport) -> None:
    """A stream that the remote resets or ends without the goodbye is a loss."""
    for finish in ("reset", "close"):
        async with muxed_as(bob, SEEDS[0]) as muxed:
            stream, far = await befriended(bob, muxed)
            await stream.write(encode_frame(b"half")[:6])
            await getattr(stream, finish)()
            assert not (await lost(far)).goodbye


async def test_the_window_is_enforced(bob: Libp2pTransport) -> None:
    """A friend that ignores the receive window is dropped once it is overrun."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        stream, far = await befriended(bob, muxed)
        frame = encode_frame(bytes(60_000))
        header = struct.pack(yamux.YAMUX_HEADER_FORMAT, 0, yamux.TYPE_DATA, 0, stream.stream_id, len(frame))
        with trio.move_on_after(5):
            for _ in range(5000):
                try:
                    await muxed._write_frame(header + frame)
                except Exception:
                    break
        assert "more than the window" in (await lost(far)).reason


async def test_a_body_larger_than_the_window_is_not_read(bob: Libp2pTransport) -> None:
    """Announcing 16 MiB at once, which stock yamux would collect, ends the connection at the header."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        stream, far = await befriended(bob, muxed)
        await muxed._write_frame(
            struct.pack(yamux.YAMUX_HEADER_FORMAT, 0, yamux.TYPE_DATA, 0, stream.stream_id, WINDOW_SIZE + 1)
        )
        assert "more data than the window" in (await lost(far)).reason


async def test_unread_answers_are_bounded(bob: Libp2pTransport) -> None:
    """A friend that asks for answers without end and reads none is dropped, not remembered."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        _, far = await befriended(bob, muxed)
        muxed._nursery.cancel_scope.cancel()  # type: ignore[union-attr]  # It stops reading.
        ping = struct.pack(yamux.YAMUX_HEADER_FORMAT, 0, yamux.TYPE_PING, yamux.FLAG_SYN, 0, 1)
        with trio.move_on_after(20):
            for _ in range(2000):
                try:
                    await muxed.secured_conn.write(ping * 5000)
                except Exception:
                    break
        assert "does not read the answers" in (await lost(far)).reason


async def test_a_friend_that_never_opens_its_stream(
    bob: Libp2pTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the gate there is a deadline as well."""
    with monkeypatch.context() as patched:
        patched.setattr("rumor.node.network.libp2p_connection.HANDSHAKE_S_MAX", 0.2)
        async with muxed_as(bob, SEEDS[0]) as muxed:
            await take_theirs(muxed)
            with trio.fail_after(5):
                await muxed.event_closed.wait()


async def test_a_dial_does_not_hang(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that accepts and says nothing costs the time of one dial, and no more."""
    monkeypatch.setattr(libp2p_transport, "DIAL_S_MAX", 0.2)

    async def silence(stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, silence, listeners)
    alice = Libp2pTransport(SEEDS[0], admits=lambda _: True)
    async with alice.serving():
        with pytest.raises(Unreachable, match="no answer in time"):
            await alice.dial(BOB, [f"/ip4/127.0.0.1/tcp/{listeners[0].socket.getsockname()[1]}"])


async def test_a_friend_removed_during_the_handshake(nursery: trio.Nursery) -> None:
    """Whom the gate does not admit any more when the streams are open never comes out of `accept`."""
    answers = [True, False]

    def admits(_: NodeId) -> bool:
        return answers.pop(0)

    bob = Libp2pTransport(SEEDS[1], admits=admits)
    alice = Libp2pTransport(SEEDS[0], admits=lambda _: True)
    async with bob.serving(), alice.serving():
        with trio.fail_after(5), suppress(Unreachable):  # It depends on who is quicker.
            await lost(await alice.dial(BOB, bob.addresses))
        assert answers == []
        with pytest.raises(trio.WouldBlock):
            bob._accepted_out.receive_nowait()


async def test_nothing_is_logged(bob: Libp2pTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """libp2p logs peer ids with times, its warnings to the terminal even; of that nothing gets out."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    monkeypatch.setattr(logging.getLogger("libp2p"), "handlers", [handler])
    async with muxed_as(bob, SEEDS[0]) as muxed:
        await befriended(bob, muxed)
    stream = await connect(bob)
    await stream.send_all(b"\xff" * 100)
    await stream.aclose()
    await _assert_welcomes_friends(bob)
    assert records == []
    assert not logging.getLogger(yamux.__name__).isEnabledFor(logging.CRITICAL)


async def test_libp2ps_own_log_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With LIBP2P_DEBUG set libp2p would write whom we talk to into a file: the node says so and stops."""
    monkeypatch.setenv("LIBP2P_DEBUG", "DEBUG")
    with pytest.raises(libp2p_check.UnknownLibp2p, match="LIBP2P_DEBUG"):
        await libp2p_check.check_remedies()


async def test_this_libp2p_is_known() -> None:
    """The start-up test passes with the pinned version."""
    await libp2p_check.check_remedies()


@pytest.mark.parametrize("name", ["read_stream", "accept_stream"])
async def test_a_missing_name_is_reported(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A libp2p without a name that a remedy needs is refused, and the error names it."""
    monkeypatch.delattr(yamux.Yamux, name)
    with pytest.raises(libp2p_check.UnknownLibp2p, match=name):
        await libp2p_check.check_remedies()


async def test_another_version_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version is refused even if nothing seems to be missing."""
    monkeypatch.setattr(libp2p_check, "version", lambda _: "0.9.0")
    with pytest.raises(libp2p_check.UnknownLibp2p, match=r"0\.9\.0"):
        await libp2p_check.check_remedies()


async def test_a_gate_that_does_not_bite_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the gate's place were never visited, the node would not start."""
    monkeypatch.setattr(noise_gate.GatedNoise, "secure_inbound", NoiseTransport.secure_inbound)
    with pytest.raises(libp2p_check.UnknownLibp2p, match="strangers"):
        await libp2p_check.check_remedies()


async def test_buffers_that_do_not_bite_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor if the receive buffers were unbounded."""
    monkeypatch.setattr(libp2p_check, "guard", lambda *_: None)
    with pytest.raises(libp2p_check.UnknownLibp2p, match="not bounded"):
        await libp2p_check.check_remedies()


async def test_another_kind_of_key_is_a_stranger(
    bob: Libp2pTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node ids are Ed25519 keys; a secp256k1 identity is turned away even by a gate that admits everybody."""
    noise = bob._upgrader.security_multistream.transports[NOISE]
    monkeypatch.setattr(noise, "_admits", lambda _: True)
    raw = SocketConnection(await connect(bob), is_initiator=True)
    raw.admitted()
    theirs = NoiseTransport(create_secp256k1_key_pair(), create_x25519_key_pair().private_key)
    try:
        await TransportUpgrader({NOISE: theirs}, {}).upgrade_security(raw, True, peer_of_node_id(BOB))
        assert await raw.read(1) == b""
    except SecurityUpgradeFailure:
        pytest.fail("the handshake itself is sound")
    finally:
        raw.abort()


async def test_an_address_that_is_not_ours() -> None:
    """What cannot be listened on for another reason is said in words, too."""
    with pytest.raises(CannotListen, match="cannot listen"):
        async with Libp2pTransport(SEEDS[0], admits=bool, listen=["/ip4/192.0.2.1/tcp/0"]).serving():
            pass


async def test_a_port_that_a_stock_host_shares(nursery: trio.Nursery) -> None:
    """libp2p's own listeners share their port with whoever asks; ours does not."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = [f"/ip4/127.0.0.1/tcp/{other.getsockname()[1]}"]
        with pytest.raises(PortInUse):
            async with Libp2pTransport(SEEDS[0], admits=bool, listen=listen).serving():
                pass


async def test_a_name_that_announces_too_much(bob: Libp2pTransport) -> None:
    """A protocol name of a gigabyte resets its stream before the first byte of it."""
    async with muxed_as(bob, SEEDS[0]) as muxed:
        good, far = await befriended(bob, muxed)
        bad = await muxed.open_stream()
        await bad.write(b"\x80\x80\x80\x80\x04")
        with trio.fail_after(5), pytest.raises(MuxedStreamError):  # noqa: PT012
            while True:
                await bad.read(100)
        await good.write(encode_frame(b"still friends"))
        assert await far.receive() == b"still friends"


async def test_a_goodbye_is_not_waited_for_for_ever(
    bob: Libp2pTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A friend who neither reads nor closes does not keep us from leaving, however much is under way."""
    with monkeypatch.context() as patched:
        patched.setattr("rumor.node.network.libp2p_connection.GOODBYE_S_MAX", 0.1)
        async with muxed_as(bob, SEEDS[0]) as muxed:
            _, far = await befriended(bob, muxed)
            with trio.move_on_after(0.1) as scope:
                while True:
                    await far.send(bytes(FRAME_SIZE_MAX))
            assert scope.cancelled_caught
            await far.aclose()
            with pytest.raises(ConnectionLost):
                await far.send(b"x")
