"""What keeps libp2p's yamux within bounds: its memory, its writes, its windows.

`Yamux` runs the protocol; around it stand three guards.

- `SecuredChannel` lies between yamux and Noise. All writing is done by one task, `pump`, so that no
  cancelled writer leaves a Noise message half sent, and so that yamux's read loop never waits for a socket
  in order to answer a ping: two nodes that both fill the line while both owe an answer would wait for each
  other for ever.
- `BoundedBuffers` replaces yamux's table of receive buffers. Yamux only warns of a peer that ignores the
  window (one was seen to push 300 MB); here the connection ends.
- `StreamEnd` reads and writes one stream. Yamux's own `write` gives up, possibly in the middle of a frame,
  when the window stays shut for 5 s, and its `read` grows the window to 16 MiB and sends an update for
  every read. Here a writer waits as long as its owner lets it, the window stays at 256 KiB, and an update
  is sent for every half of it.

Specified in the yamux specification (hashicorp/yamux, `spec.md`) and in docs/transport.md.
"""

import struct
from collections import deque
from collections.abc import Callable
from typing import cast

import trio
from libp2p.abc import ISecureConn
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import IOException
from libp2p.stream_muxer.exceptions import MuxedStreamError
from libp2p.stream_muxer.yamux.yamux import (
    DEFAULT_WINDOW_SIZE,
    HEADER_SIZE,
    TYPE_DATA,
    YAMUX_HEADER_FORMAT,
    Yamux,
    YamuxStream,
)

#: The window that yamux starts with. It carries 2.5 MB/s at 100 ms, thirty times what a busy mesh needs in
#: a day.
WINDOW_SIZE = DEFAULT_WINDOW_SIZE
#: With the header the chunk fills one Noise message (65,535 bytes less the 16 of its tag).
CHUNK_SIZE = 65_535 - 16 - HEADER_SIZE
#: A writer waits when this much lies before the socket; a larger queue would only delay pings.
PENDING_SIZE_MAX = 2 * CHUNK_SIZE
#: Answers that yamux owes and that the remote does not read: 5,000 headers mean a flood.
PENDING_CONTROL_SIZE_MAX = PENDING_SIZE_MAX + 64 * 1024


class SecuredChannel:
    """The Noise session with one writer, as yamux sees it."""

    def __init__(self, session: ISecureConn, fail: Callable[[str], None]) -> None:
        self.is_initiator = session.is_initiator
        self.progress = trio.Event()
        """Set, and replaced, when yamux has handled another frame; whoever waits for a window waits for
        this.
        """
        self._session = session
        self._fail = fail
        self._pending: deque[bytes] = deque()
        self._pending_size = 0
        self._wanted = trio.Event()
        self._room = trio.Event()

    async def read(self, n: int | None = None) -> bytes:
        """Returns exactly `n` bytes. Raises IOException, also for more than a window at once."""
        self.progress.set()
        self.progress = trio.Event()
        if n is None or n > WINDOW_SIZE:
            self._fail("it announced more data than the window allows")
            raise IOException("more than a window at once")
        return await self._session.read(n)

    async def write(self, data: bytes) -> None:
        """Queues one yamux frame. A bare header never waits, a frame with data waits for room."""
        if len(data) > HEADER_SIZE:
            while self._pending_size >= PENDING_SIZE_MAX:
                await self._room.wait()
        elif self._pending_size >= PENDING_CONTROL_SIZE_MAX:
            self._fail("it asks and does not read the answers")
            raise IOException("too many unread answers")
        self._pending.append(data)
        self._pending_size += len(data)
        self._wanted.set()
        await trio.lowlevel.checkpoint()

    async def pump(self) -> None:
        """Writes what is queued, for as long as the connection lives. Raises IOException."""
        while True:
            while self._pending:
                data = self._pending.popleft()
                await self._session.write(data)
                self._pending_size -= len(data)
                if self._pending_size < PENDING_SIZE_MAX:
                    self._room.set()
                    self._room = trio.Event()
            self._wanted = trio.Event()
            await self._wanted.wait()

    async def close(self) -> None:
        await self._session.close()


class _BoundedBuffer(bytearray):
    """A receive buffer that holds no more than the window."""

    def __init__(self, overflow: Callable[[], None]) -> None:
        super().__init__()
        self._overflow = overflow

    def extend(self, data: object) -> None:
        assert isinstance(data, bytes)
        if len(self) + len(data) > WINDOW_SIZE:
            self._overflow()
            raise BufferError("the receive window is full")
        self += data


class BoundedBuffers(dict[int, bytearray]):
    """Yamux's table of receive buffers by stream, each of them bounded."""

    def __init__(self, fail: Callable[[str], None]) -> None:
        super().__init__()
        self._fail = fail

    def __setitem__(self, stream_id: int, buffer: bytearray) -> None:
        super().__setitem__(stream_id, _BoundedBuffer(self._overflow))

    def _overflow(self) -> None:
        self._fail("it sent more than the window allows")


def guard(muxed: Yamux, fail: Callable[[str], None]) -> SecuredChannel:
    """Puts the guards around a fresh session; `fail` hears of a broken bound and must end the session."""
    channel = SecuredChannel(muxed.secured_conn, fail)
    muxed.secured_conn = cast(ISecureConn, channel)  # Yamux reads, writes and closes it, no more.
    muxed.stream_buffers = BoundedBuffers(fail)
    return channel


class StreamEnd(ReadWriteCloser):
    """Our end of one yamux stream: at most one task reads it and at most one writes it."""

    def __init__(self, stream: YamuxStream, channel: SecuredChannel) -> None:
        self._stream = stream
        self._muxed = stream.conn
        self._channel = channel
        self._unacknowledged_size = 0

    async def read(self, n: int | None = None) -> bytes:
        """Returns 1 to `n` bytes. Raises MuxedStreamError at the end, and for more than a window at once."""
        if n is None or n > WINDOW_SIZE:
            raise MuxedStreamError("refused to read more than a window")
        data = await self._muxed.read_stream(self._stream.stream_id, n)
        self._unacknowledged_size += len(data)
        if self._unacknowledged_size >= WINDOW_SIZE // 2:
            increment, self._unacknowledged_size = self._unacknowledged_size, 0
            self._stream.recv_window += increment
            await self._stream.send_window_update(increment)
        return data

    async def write(self, data: bytes) -> None:
        """Sends everything, however long the window stays shut. Raises MuxedStreamError at the end."""
        sent = 0
        while sent < len(data):
            if self._stream.closed or self._stream.send_closed:
                raise MuxedStreamError("the stream is closed")
            size = min(self._stream.send_window, CHUNK_SIZE, len(data) - sent)
            if size <= 0:
                await self._channel.progress.wait()
                continue
            self._stream.send_window -= size
            header = struct.pack(YAMUX_HEADER_FORMAT, 0, TYPE_DATA, 0, self._stream.stream_id, size)
            await self._channel.write(header + data[sent : sent + size])
            sent += size

    async def reset(self) -> None:
        """Ends the stream in both directions."""
        await self._stream.reset()

    async def close(self) -> None:
        await self.reset()

    def get_remote_address(self) -> tuple[str, int] | None:
        return None
