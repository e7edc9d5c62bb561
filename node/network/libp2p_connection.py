"""One connection of the real transport: two streams of frames over one yamux session.

Each side opens one stream under `/rumor/1`, for what it sends, and keeps it for the life of the connection;
opening a stream costs 8 ms. A second one of the same direction, an oversized frame, an overrun window: each
ends this connection, with a reason, and nothing else. Streams for other protocols (every stock libp2p node
asks with `identify`) are told that we do not speak them. What exactly went wrong inside libp2p never leaves
this module: any exception becomes a `ConnectionLost`.

One task reads and one task writes; `send` and `receive` only exchange whole frames with them, so that
cancelling a call cuts nothing in half. A receiver that pauses stops the reader, the window shuts, and the
remote has to wait.
"""

from collections.abc import Awaitable, Callable

import trio
from libp2p.abc import ISecureConn
from libp2p.custom_types import StreamHandlerFn, TProtocol
from libp2p.protocol_muxer.multiselect import Multiselect
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.stream_muxer.yamux.yamux import Yamux, YamuxStream
from libp2p.transport.upgrader import TransportUpgrader

from .noise_gate import SocketConnection, node_id_of_peer
from .transport import (
    GOODBYE,
    GOODBYE_S_MAX,
    HANDSHAKE_S_MAX,
    NEGOTIATE_S_MAX,
    PROTOCOL,
    READ_SIZE,
    ConnectionLost,
    FrameError,
    FrameReader,
    encode_frame,
)
from .yamux_guard import SecuredChannel, StreamEnd, guard

#: Received frames that wait for `receive`: a megabyte at most, besides what the window holds.
INBOX_COUNT_MAX = 4
#: Streams of a friend that have not said their protocol yet. A stock node opens two or three.
NEGOTIATING_MAX = 8


class Libp2pConnection:
    """A `Connection` over an authenticated socket; made by the transport, which also runs it."""

    def __init__(self, socket: SocketConnection, session: ISecureConn) -> None:
        self.peer = node_id_of_peer(session.get_remote_peer())
        self.outbound = session.is_initiator
        self._socket = socket
        self._session = session
        self._lost: tuple[str, bool] | None = None
        self._scope = trio.CancelScope(shield=True)
        self._opened = trio.Event()
        self._closed = trio.Event()
        self._closing = False
        self._incoming: StreamEnd | None = None
        self._negotiating_count = 0
        self._ready = trio.Event()
        self._outbox_in, self._outbox_out = trio.open_memory_channel[bytes](0)
        self._inbox_in, self._inbox_out = trio.open_memory_channel[bytes](INBOX_COUNT_MAX)

    async def run(self, upgrader: TransportUpgrader) -> None:
        """Runs the connection until `fail`, `aclose` or the remote ends it. Raises nothing.

        It is shielded from cancellation, so that a node that is stopped can still say goodbye.
        """
        try:
            # Around the scope: an error that comes with its cancellation is no plain one before that is taken out.
            await self._contained(self._run_in_scope, upgrader)
        finally:
            self._socket.abort()
            self._inbox_in.close()
            self._outbox_out.close()
            self._opened.set()
            self._closed.set()

    async def wait_open(self) -> None:
        """Returns once frames can flow both ways. Raises ConnectionLost if it never comes to that."""
        await self._opened.wait()
        if self._lost is not None:
            raise self._error()

    async def wait_closed(self) -> None:
        """Returns once the connection is over and its socket closed."""
        await self._closed.wait()

    async def _run_in_scope(self, upgrader: TransportUpgrader) -> None:
        with self._scope:
            await self._run(upgrader)

    async def _run(self, upgrader: TransportUpgrader) -> None:
        with trio.move_on_after(HANDSHAKE_S_MAX) as deadline:
            muxed = await upgrader.upgrade_connection(self._session, self._session.get_remote_peer())
            assert isinstance(muxed, Yamux)
            channel = guard(muxed, self.fail)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._contained, channel.pump)
                nursery.start_soon(self._contained, muxed.start)
                await muxed.event_started.wait()
                nursery.start_soon(self._accept_streams, muxed, channel, nursery)
                outgoing = await self._open_stream(muxed, channel)
                await self._ready.wait()
                assert self._incoming is not None
                deadline.deadline = float("inf")
                self._opened.set()
                nursery.start_soon(self._contained, self._read_frames, self._incoming)
                nursery.start_soon(self._contained, self._write_frames, outgoing)
        if deadline.cancelled_caught:
            self.fail("it did not finish the handshake in time")

    def fail(self, reason: str, *, goodbye: bool = False) -> None:
        """Ends the connection now, without a goodbye. The first reason counts."""
        if self._lost is None:
            self._lost = (reason, goodbye)
        self._scope.cancel()

    async def _contained(self, task: Callable[..., Awaitable[None]], *args: object) -> None:
        """Runs a task whose end, or whatever it raises, is the end of this connection and of no more."""
        try:
            await task(*args)
        except FrameError as error:
            self.fail(f"it broke the protocol: it {error}")
        except Exception:  # libp2p raises whatever its parsers raise.
            self.fail("the connection broke")
        else:
            self.fail("the connection broke")

    async def _open_stream(self, muxed: Yamux, channel: SecuredChannel) -> StreamEnd:
        end = StreamEnd(await muxed.open_stream(), channel)
        await MultiselectClient().select_one_of(
            (TProtocol(PROTOCOL),), MultiselectCommunicator(end), NEGOTIATE_S_MAX
        )
        return end

    async def _accept_streams(self, muxed: Yamux, channel: SecuredChannel, nursery: trio.Nursery) -> None:
        async def accept() -> None:
            while True:
                stream = await muxed.accept_stream()
                assert isinstance(stream, YamuxStream)
                if self._negotiating_count >= NEGOTIATING_MAX:
                    await stream.reset()
                else:
                    self._negotiating_count += 1
                    nursery.start_soon(self._negotiate, StreamEnd(stream, channel))

        await self._contained(accept)

    async def _negotiate(self, end: StreamEnd) -> None:
        """Answers a new stream: ours is kept, any other is reset, and whatever it says hurts only itself."""
        handlers: dict[TProtocol | None, StreamHandlerFn | None] = {TProtocol(PROTOCOL): None}
        try:
            await Multiselect(handlers).negotiate(MultiselectCommunicator(end), NEGOTIATE_S_MAX)
        except Exception:  # Also UnicodeDecodeError: libp2p decodes the protocol's name as it comes.
            await end.reset()
        else:
            if self._incoming is not None:
                self.fail("it broke the protocol: it opened a second stream")
            self._incoming = end
            self._ready.set()
        finally:
            self._negotiating_count -= 1

    async def _read_frames(self, end: StreamEnd) -> None:
        frames = FrameReader()
        while True:
            for frame in frames.feed_untrusted(await end.read(READ_SIZE)):
                if not frame:
                    self.fail("it said goodbye", goodbye=True)
                    return
                if not self._closing:
                    try:
                        await self._inbox_in.send(frame)
                    except trio.BrokenResourceError:
                        assert (
                            self._closing
                        )  # `aclose` shut the inbox: only the remote's goodbye matters now.

    async def _write_frames(self, end: StreamEnd) -> None:
        async for encoded in self._outbox_out:
            await end.write(encoded)

    async def send(self, frame: bytes) -> None:
        """See `Connection.send`."""
        encoded = encode_frame(frame)
        if self._closing:
            await trio.lowlevel.checkpoint()
            raise self._error()
        try:
            await self._outbox_in.send(encoded)
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
        """See `Connection.aclose`. The remote closes first, so that it has read the goodbye."""
        with trio.CancelScope(shield=True):
            if not self._closing:
                self._closing = True
                self._inbox_out.close()
                if not self._opened.is_set():
                    self.fail("closed here")
                with trio.move_on_after(GOODBYE_S_MAX):
                    try:
                        await self._outbox_in.send(GOODBYE)
                    except trio.BrokenResourceError:
                        pass
                    else:
                        await self._closed.wait()
                self.fail("closed here")
            await self._closed.wait()
