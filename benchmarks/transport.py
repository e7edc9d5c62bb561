"""What the transport costs beside plain TCP, in one process over loopback.

Prints, for plain trio TCP and for a friend's connection in the same run: the round trip of 1 KiB in wall
time and CPU time (median of the rounds), the throughput of 64 KiB frames in MB/s and in CPU seconds per GB,
and for the real transport also the time of a dial. Both ends share one core, so a node on its own does
better.

    uv run python benchmarks/transport.py
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Protocol

import trio

from rumor.node.network.libp2p_transport import Libp2pTransport

ROUND_TRIPS = 2000
FRAMES = 1600
SMALL = bytes(1024)
LARGE = bytes(64 * 1024)


class Pipe(Protocol):
    """Whatever carries whole frames."""

    async def send(self, frame: bytes) -> None: ...
    async def receive(self) -> bytes: ...


@dataclass
class PlainTcp:
    """Length-prefixed frames on a bare socket: the least that any transport has to do."""

    stream: trio.SocketStream
    buffer: bytes = b""

    async def send(self, frame: bytes) -> None:
        await self.stream.send_all(len(frame).to_bytes(4, "big") + frame)

    async def receive(self) -> bytes:
        head = await self._exactly(4)
        return await self._exactly(int.from_bytes(head, "big"))

    async def _exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self.buffer += await self.stream.receive_some(65536)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data


async def measure(name: str, near: Pipe, far: Pipe) -> None:
    """Prints one line about a pair of connected ends."""
    walls, cpu_began = [], time.process_time()

    async def echo() -> None:
        for _ in range(ROUND_TRIPS):
            await far.send(await far.receive())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            await near.send(SMALL)
            await near.receive()
            walls.append(time.perf_counter() - began)
    round_trip_cpu = (time.process_time() - cpu_began) / ROUND_TRIPS

    async def push() -> None:
        for _ in range(FRAMES):
            await near.send(LARGE)

    began, cpu_began = time.perf_counter(), time.process_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(push)
        for _ in range(FRAMES):
            await far.receive()
    gigabytes = FRAMES * len(LARGE) / 1e9
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    print(
        f"{name:10} round trip {median(walls) * 1e3:6.3f} ms, {round_trip_cpu * 1e3:6.3f} ms CPU;"
        f" {gigabytes * 1e3 / seconds:7.1f} MB/s, {cpu / gigabytes:6.2f} s CPU per GB"
    )


async def plain(run: Callable[[Pipe, Pipe], Awaitable[None]]) -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    near = await trio.open_tcp_stream(*listeners[0].socket.getsockname()[:2])
    far = await listeners[0].accept()
    await run(PlainTcp(near), PlainTcp(far))


async def main() -> None:
    await plain(lambda near, far: measure("plain TCP", near, far))
    alice = Libp2pTransport(bytes([1]) * 32, admits=lambda _: True)
    bob = Libp2pTransport(bytes([2]) * 32, admits=lambda _: True)
    async with alice.serving(), bob.serving():
        dials = []
        for _ in range(20):
            began = time.perf_counter()
            near = await alice.dial(bob.node_id, bob.addresses)
            dials.append(time.perf_counter() - began)
            far = await bob.accept()
        await measure("Rumor", near, far)
        print(f"dial       {median(dials) * 1e3:.1f} ms, both ends")


if __name__ == "__main__":
    trio.run(main)
