"""What every transport keeps, the real one over loopback and the fake one alike."""

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from rumor.node.network.libp2p_connection import Libp2pConnection
from rumor.node.network.libp2p_transport import Libp2pTransport
from rumor.node.network.memory_transport import MemoryConnection, MemoryNetwork, MemoryTransport
from rumor.node.network.transport import (
    FRAME_SIZE_MAX,
    GOODBYE,
    Admits,
    Connection,
    ConnectionLost,
    FrameError,
    FrameReader,
    NodeId,
    PortInUse,
    Transport,
    Unreachable,
    encode_frame,
    format_address,
    node_id_of,
    parse_address,
)

SEEDS = [bytes([number]) * 32 for number in range(1, 6)]
ALICE, BOB, CAROL, MALLORY, TICKET = (node_id_of(seed) for seed in SEEDS)


def everyone(_: NodeId) -> bool:
    return True


async def cancel_after(checkpoints: int, scope: trio.CancelScope) -> None:
    for _ in range(checkpoints):
        await trio.lowlevel.checkpoint()
    scope.cancel()


class Network:
    """A few transports that serve until the test is over."""

    def __init__(self, kind: str, nursery: trio.Nursery) -> None:
        self._memory = MemoryNetwork() if kind == "memory" else None
        self._nursery = nursery

    def make(self, seed: bytes, *, admits: Admits = everyone, listen: Sequence[str] = ()) -> Transport:
        options = {"listen": listen} if listen else {}
        if self._memory:
            return MemoryTransport(self._memory, seed, admits=admits, **options)
        return Libp2pTransport(seed, admits=admits, **options)

    async def serve(self, seed: bytes, **options: object) -> Transport:
        transport = self.make(seed, **options)  # type: ignore[arg-type]
        await self._nursery.start(self._serve, transport)
        return transport

    async def _serve(
        self, transport: Transport, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        async with transport.serving():
            task_status.started()
            await trio.sleep_forever()

    async def pair(self) -> tuple[Connection, Connection]:
        """Returns both ends of a connection from Alice to Bob."""
        alice, bob = await self.serve(SEEDS[0]), await self.serve(SEEDS[1])
        near = await alice.dial(bob.node_id, bob.addresses)
        return near, await bob.accept()

    def kill(self, connection: Connection) -> None:
        """Breaks a connection as a crash of this end would."""
        if isinstance(connection, MemoryConnection):
            connection.abort("the connection broke")
        else:
            assert isinstance(connection, Libp2pConnection)
            connection._socket.abort()


@pytest.fixture
async def deadline() -> AsyncIterator[None]:
    """A test that hangs fails instead."""
    async with trio.open_nursery() as nursery:

        async def watch() -> None:
            await trio.sleep(30)
            raise AssertionError("the test hangs")

        nursery.start_soon(watch)
        yield
        nursery.cancel_scope.cancel()


@pytest.fixture(params=["memory", "libp2p"])
async def network(request: pytest.FixtureRequest, nursery: trio.Nursery, deadline: None) -> Network:
    return Network(request.param, nursery)


async def test_both_ends_know_each_other(network: Network) -> None:
    """Each end names the other's key and who dialled."""
    near, far = await network.pair()
    assert (near.peer, near.outbound) == (BOB, True)
    assert (far.peer, far.outbound) == (ALICE, False)


async def test_frames_arrive_in_order_both_ways(network: Network) -> None:
    """A thousand frames each way arrive whole and in order."""
    frames = [bytes([number % 251]) * (1 + number % 700) for number in range(1000)]

    async def say(connection: Connection) -> None:
        for frame in frames:
            await connection.send(frame)

    async def hear(connection: Connection) -> None:
        assert [await connection.receive() for _ in frames] == frames

    near, far = await network.pair()
    async with trio.open_nursery() as nursery:
        for connection in (near, far):
            nursery.start_soon(say, connection)
            nursery.start_soon(hear, connection)


async def test_the_largest_frame_arrives(network: Network) -> None:
    """A frame of the largest size arrives, several times over the receive window."""
    near, far = await network.pair()
    frame = bytes(range(256)) * (FRAME_SIZE_MAX // 256)

    async def say() -> None:
        for _ in range(8):
            await near.send(frame)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(say)
        for _ in range(8):
            assert await far.receive() == frame


@pytest.mark.parametrize("size", [0, FRAME_SIZE_MAX + 1])
async def test_a_frame_of_the_wrong_size_is_not_sent(network: Network, size: int) -> None:
    """Sending nothing would be the goodbye, and too much would be refused: both are our mistake, and
    harmless.
    """
    near, far = await network.pair()
    with pytest.raises(ValueError, match="a frame has"):
        await near.send(bytes(size))
    await near.send(b"still here")
    assert await far.receive() == b"still here"


async def test_concurrent_senders_do_not_mix_their_frames(network: Network) -> None:
    """Frames of twenty tasks arrive whole, each task's in its order."""
    near, far = await network.pair()

    async def say(task: int) -> None:
        for number in range(20):
            await near.send(bytes([task, number]) * 3000)

    async with trio.open_nursery() as nursery:
        for task in range(20):
            nursery.start_soon(say, task)
        heard: dict[int, list[int]] = {}
        for _ in range(400):
            frame = await far.receive()
            assert frame == frame[:2] * 3000
            heard.setdefault(frame[0], []).append(frame[1])
    assert all(numbers == list(range(20)) for numbers in heard.values())


async def test_a_goodbye_is_told_from_a_loss(network: Network) -> None:
    """What was sent before a goodbye arrives, then the receiver learns that the remote hung up on purpose."""
    near, far = await network.pair()
    await near.send(b"last words")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.aclose)
        assert await far.receive() == b"last words"
        with pytest.raises(ConnectionLost) as caught:
            await far.receive()
    assert caught.value.goodbye
    with pytest.raises(ConnectionLost):
        await far.send(b"too late")


async def test_a_crash_is_a_loss(network: Network) -> None:
    """A remote that dies is noticed by a waiting receiver, and it was no goodbye."""
    near, far = await network.pair()
    network.kill(near)
    with pytest.raises(ConnectionLost) as caught:
        await far.receive()
    assert not caught.value.goodbye
    with pytest.raises(ConnectionLost):  # noqa: PT012
        while True:
            await far.send(b"anyone?")


async def test_closing_ends_our_own_calls(network: Network) -> None:
    """After `aclose` both calls fail, a waiting receiver too, and closing again does nothing."""
    near, _ = await network.pair()

    async def wait() -> None:
        with pytest.raises(ConnectionLost):
            await near.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(near.aclose)
        nursery.start_soon(near.aclose)
    with pytest.raises(ConnectionLost):
        await near.send(b"x")
    with pytest.raises(ConnectionLost):
        await near.receive()
    await near.aclose()


async def test_both_may_say_goodbye_at_once(network: Network) -> None:
    """Two ends that close at the same time both finish, with unread frames under way."""
    near, far = await network.pair()
    async with trio.open_nursery() as nursery:
        for connection in (near, far):
            await connection.send(b"unread")
        nursery.start_soon(near.aclose)
        nursery.start_soon(far.aclose)


async def test_a_cancelled_receive_loses_nothing(network: Network) -> None:
    """However often a receive is cancelled, every frame arrives once and in order."""
    near, far = await network.pair()

    async def say() -> None:
        for number in range(300):
            await near.send(number.to_bytes(2, "big") * 1000)

    heard: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say)
        while len(heard) < 300:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as impatient:
                    impatient.start_soon(cancel_after, len(heard) % 7, scope)
                    heard.append(int.from_bytes((await far.receive())[:2], "big"))
    assert heard == list(range(300))


async def test_a_cancelled_send_sends_all_or_nothing(network: Network) -> None:
    """Cancelling senders at random moments never cuts a frame in half; the connection goes on."""
    near, far = await network.pair()
    frame = bytes(100_000)
    done = trio.Event()

    async def say() -> None:
        for number in range(60):
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as impatient:
                    impatient.start_soon(cancel_after, number % 9, scope)
                    await near.send(frame)
        done.set()
        await near.send(b"end")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(say)
        while (heard := await far.receive()) != b"end":
            assert heard == frame
    assert done.is_set()


async def test_an_unread_friend_has_to_wait(network: Network) -> None:
    """A friend who pushes while we do not read gets stuck after a few frames; then nothing was lost."""
    near, far = await network.pair()
    sent = count()
    last = 0

    async def push() -> None:
        nonlocal last
        for number in range(64):
            await near.send(bytes([number]) * FRAME_SIZE_MAX)
            last = next(sent)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(push)
        before = -1
        while before != last:
            before = last
            await trio.testing.wait_all_tasks_blocked(cushion=0.05)
        assert last < 32
        for number in range(64):
            assert (await far.receive())[0] == number


async def test_a_stranger_is_not_dialled(network: Network) -> None:
    """Outbound, the gate is asked first."""
    alice = await network.serve(SEEDS[0], admits=lambda peer: peer == CAROL)
    bob = await network.serve(SEEDS[1])
    with pytest.raises(Unreachable, match="not a friend"):
        await alice.dial(bob.node_id, bob.addresses)


async def test_a_stranger_is_refused(network: Network) -> None:
    """Inbound, a stranger's dial fails and nothing comes out of `accept`; a friend's works right after."""
    bob = await network.serve(SEEDS[1], admits=lambda peer: peer == ALICE)
    mallory, alice = await network.serve(SEEDS[3]), await network.serve(SEEDS[0])
    with pytest.raises(Unreachable, match="may not know this node"):
        await mallory.dial(bob.node_id, bob.addresses)
    await alice.dial(bob.node_id, bob.addresses)
    assert (await bob.accept()).peer == ALICE


async def test_an_invitation_opens_the_gate_for_its_own_identity(network: Network) -> None:
    """Who holds an invitation's seed is let in under that identity while their own key is still a
    stranger's.
    """
    bob = await network.serve(SEEDS[1], admits=lambda peer: peer == TICKET)
    alice = await network.serve(SEEDS[0], admits=lambda _: False)
    near = await alice.dial_as(SEEDS[4], bob.node_id, bob.addresses)
    far = await bob.accept()
    assert far.peer == TICKET
    await near.send(b"may I?")
    assert await far.receive() == b"may I?"
    with pytest.raises(Unreachable):
        await bob.dial(ALICE, alice.addresses)


async def test_nobody_listens_there(network: Network) -> None:
    """An address where nothing listens is unreachable, in words; so is a peer without addresses."""
    alice, bob = await network.serve(SEEDS[0]), network.make(SEEDS[1])
    async with bob.serving():
        addresses = bob.addresses
    with pytest.raises(Unreachable, match="nothing answers"):
        await alice.dial(BOB, addresses)
    with pytest.raises(Unreachable, match="no address"):
        await alice.dial(BOB, [])


async def test_only_tcp_is_dialled(network: Network) -> None:
    """Other transports in an address book are refused, in words, and do not spoil the good address beside
    them.
    """
    alice, bob = await network.serve(SEEDS[0]), await network.serve(SEEDS[1])
    with pytest.raises(Unreachable, match="not a TCP address"):
        await alice.dial(BOB, ["/ip4/127.0.0.1/udp/4001/quic-v1"])
    assert (await alice.dial(BOB, ["/ip4/127.0.0.1/udp/4001/quic-v1", *bob.addresses])).peer == BOB


async def test_another_node_at_the_address(network: Network) -> None:
    """Who answers must be who was meant."""
    alice, bob = await network.serve(SEEDS[0]), await network.serve(SEEDS[1])
    with pytest.raises(Unreachable, match="another node"):
        await alice.dial(CAROL, bob.addresses)


async def test_the_right_address_is_found_among_wrong_ones(network: Network) -> None:
    """One address that works is enough."""
    alice, bob, carol = [await network.serve(seed) for seed in SEEDS[:3]]
    near = await alice.dial(BOB, ["/ip4/127.0.0.1/tcp/1", *carol.addresses, *bob.addresses])
    assert near.peer == BOB


async def test_a_removed_friend_is_cut_off(network: Network) -> None:
    """`drop` ends what is open, at once; the gate keeps them out from then on."""
    friends = {ALICE}
    bob = await network.serve(SEEDS[1], admits=lambda peer: peer in friends)
    alice = await network.serve(SEEDS[0])
    near = await alice.dial(BOB, bob.addresses)
    far = await bob.accept()
    friends.clear()
    bob.drop(ALICE)
    with pytest.raises(ConnectionLost, match="not a friend any more"):
        await far.receive()
    with pytest.raises(ConnectionLost):
        await near.receive()
    with pytest.raises(Unreachable):
        await alice.dial(BOB, bob.addresses)


async def test_a_friend_holds_a_few_connections_at_most(network: Network) -> None:
    """The oldest of too many goes."""
    alice, bob = await network.serve(SEEDS[0]), await network.serve(SEEDS[1])
    ends = []
    for _ in range(6):
        await alice.dial(BOB, bob.addresses)
        ends.append(await bob.accept())
    for end in ends[:2]:
        with pytest.raises(ConnectionLost):
            await end.receive()
    with trio.move_on_after(0.05) as scope:
        await ends[-1].receive()
    assert scope.cancelled_caught


async def test_three_hundred_connections_one_after_another(network: Network) -> None:
    """No slot leaks: the three-hundredth inbound connection is as welcome as the first."""
    alice, bob = await network.serve(SEEDS[0]), await network.serve(SEEDS[1])
    for number in range(300):
        near = await alice.dial(BOB, bob.addresses)
        far = await bob.accept()
        await near.send(number.to_bytes(2, "big"))
        assert await far.receive() == number.to_bytes(2, "big")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(near.aclose)
            with pytest.raises(ConnectionLost):
                await far.receive()


async def test_leaving_says_goodbye_to_everyone(network: Network) -> None:
    """Who stops serving hangs up properly, even when cancelled, and cannot be reached any more."""
    alice, bob = await network.serve(SEEDS[0]), network.make(SEEDS[1])
    with trio.CancelScope() as scope:
        async with bob.serving():
            addresses = bob.addresses
            near = await alice.dial(BOB, addresses)
            await bob.accept()
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert bob.addresses == []
    with pytest.raises(ConnectionLost) as caught:
        await near.receive()
    assert caught.value.goodbye
    with pytest.raises(Unreachable):
        await alice.dial(BOB, addresses)
    with pytest.raises(Unreachable, match="not running"):
        await bob.dial(ALICE, alice.addresses)


async def test_a_taken_port_is_one_clear_error(network: Network) -> None:
    """Two nodes never share a port; the second says so."""
    first = await network.serve(SEEDS[0])
    second = network.make(SEEDS[1], listen=first.addresses)
    with pytest.raises(PortInUse, match="is taken"):
        async with second.serving():
            pass


async def test_a_port_is_free_again(network: Network) -> None:
    """A node that is restarted finds its port free, and its friends find it."""
    first = network.make(SEEDS[1])
    async with first.serving():
        addresses = first.addresses
    alice = await network.serve(SEEDS[0])
    await network.serve(SEEDS[1], listen=addresses)
    assert (await alice.dial(BOB, addresses)).peer == BOB


@given(st.lists(st.binary(min_size=1, max_size=300)), st.lists(st.integers(1, 50)))
def test_framing_survives_any_cut(frames: list[bytes], cuts: list[int]) -> None:
    """However the bytes are cut on the way, the same frames come out, up to the goodbye."""
    stream = b"".join(map(encode_frame, frames)) + GOODBYE
    reader, heard = FrameReader(), []
    sizes = iter(cuts)
    while stream:
        size = next(sizes, 64)
        heard += reader.feed_untrusted(stream[:size])
        stream = stream[size:]
    assert heard == [*frames, b""]


@given(st.binary())
def test_framing_takes_any_bytes(data: bytes) -> None:
    """The reader yields frames or raises its one error, whatever the bytes."""
    try:
        for frame in FrameReader().feed_untrusted(data):
            assert len(frame) <= FRAME_SIZE_MAX
    except FrameError:
        assert len(data) >= 4


def test_an_oversized_length_is_refused_before_its_bytes() -> None:
    """Four bytes are enough to know."""
    with pytest.raises(FrameError):
        list(FrameReader().feed_untrusted((FRAME_SIZE_MAX + 1).to_bytes(4, "big")))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/ip4/192.0.2.7/tcp/4001", ("192.0.2.7", 4001)),
        ("/ip6/2001:db8::1/tcp/1", ("2001:db8::1", 1)),
        ("/dns4/node.example/tcp/4001/p2p/12D3Koo", ("node.example", 4001)),
    ],
)
def test_addresses(address: str, expected: tuple[str, int]) -> None:
    """TCP over an address or a name is understood."""
    assert parse_address(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "/ip4//tcp/1",
        "/ip4/1.2.3.4/tcp/65536",
        "/ip4/1.2.3.4/tcp/-1",
        "/ip4/1.2.3.4/tcp/²",
        "/ip4/1.2.3.4/udp/1/quic-v1",
        "/ip4/1.2.3.4/tcp/1/ws",
        "/ip4/1.2.3.4/tcp/1/p2p/x/p2p-circuit",
        "/ip4/1.2.3.4/tcp/1/p2p",
        "ip4/1.2.3.4/tcp/1",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    """Relays, QUIC, WebSockets and nonsense raise ValueError and nothing else."""
    with pytest.raises(ValueError, match="not a TCP address"):
        parse_address(address)


def test_format_address_is_the_inverse() -> None:
    """What is formatted parses back."""
    for host in ("127.0.0.1", "::1"):
        assert parse_address(format_address(host, 7)) == (host, 7)


def test_importing_the_interface_imports_no_network_library() -> None:
    """The command line must not wait for libp2p, which takes seconds to import."""
    import subprocess
    import sys

    program = (
        "import sys, rumor.node.network.transport, rumor.node.network.connections, rumor.node.network.memory_transport;"
        "sys.exit('libp2p' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def _satisfies(make: Callable[[], Transport]) -> None:
    """For the type checker: both are Transports."""


_satisfies(lambda: Libp2pTransport(bytes(32), admits=everyone))
_satisfies(lambda: MemoryTransport(MemoryNetwork(), bytes(32), admits=everyone))
