"""The supervisor over the memory transport, where an hour takes no time; and once over the real one."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
import trio
import trio.lowlevel
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumor.node.network.connections import (
    ACCEPTED_MAX,
    ACCEPTED_S,
    Connections,
    Down,
    Event,
    Other,
    Received,
    Up,
)
from rumor.node.network.conversation import FRAMES_BURST_MAX, FRAMES_PER_S_MAX, PAYLOAD_SIZE_MAX
from rumor.node.network.libp2p_transport import Libp2pTransport
from rumor.node.network.memory_transport import MemoryNetwork, MemoryTransport
from rumor.node.network.transport import Connection, ConnectionLost, NodeId, Transport, node_id_of

Clock = trio.testing.MockClock
SEEDS = sorted((bytes([number]) * 32 for number in range(1, 5)), key=node_id_of)
LOW, MID, HIGH, GUEST = map(node_id_of, SEEDS)


class Node:
    """A transport with its supervisor, and all events so far."""

    def __init__(self, transport: Transport, seed: int = 0) -> None:
        self.transport = transport
        self.connections = Connections(transport, random=Random(seed))
        self.events: list[Event] = []
        self.scope = trio.CancelScope()
        self.listening = True
        self._news = trio.Condition()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        with self.scope:
            async with self.transport.serving(), trio.open_nursery() as nursery:
                await nursery.start(self.connections.run)
                if self.listening:
                    nursery.start_soon(self._listen)
                task_status.started()
                await trio.sleep_forever()

    async def _listen(self) -> None:
        while True:
            self.events.append(await self.connections.next_event())
            async with self._news:
                self._news.notify_all()

    async def wait(self, predicate: Callable[[], object]) -> None:
        async with self._news:
            while not predicate():
                await self._news.wait()

    def is_up(self, peer: NodeId) -> bool:
        return self.connections.state(peer).connected

    def is_gone(self, peer: NodeId) -> bool:
        """True once the last that was heard of a peer is its `Down`."""
        last = [each for each in self.events if isinstance(each, Up | Down) and each.peer == peer][-1:]
        return isinstance(last[0], Down) if last else False

    def heard(self, peer: NodeId) -> list[bytes]:
        return [each.payload for each in self.events if isinstance(each, Received) and each.peer == peer]

    def downs(self) -> list[str]:
        return [each.reason for each in self.events if isinstance(each, Down)]


class World:
    """A memory network with nodes that know each other's addresses."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.network = MemoryNetwork()
        self.nursery = nursery

    def make(self, seed: bytes, number: int = 0, **options: object) -> Node:
        listen = [f"/ip4/10.0.0.{SEEDS.index(seed) + 1}/tcp/4001"]
        admits = options.get("admits", lambda _: True)
        return Node(MemoryTransport(self.network, seed, admits=admits, listen=listen), number)  # type: ignore[arg-type]

    async def start(self, seed: bytes, number: int = 0, **options: object) -> Node:
        node = self.make(seed, number, **options)
        await self.nursery.start(node.run)
        return node


def address(peer: NodeId) -> list[str]:
    return [f"/ip4/10.0.0.{[LOW, MID, HIGH, GUEST].index(peer) + 1}/tcp/4001"]


def befriend(one: Node, other: Node) -> None:
    one.connections.add(other.transport.node_id, address(other.transport.node_id))
    other.connections.add(one.transport.node_id, address(one.transport.node_id))


@pytest.fixture
async def world(nursery: trio.Nursery) -> World:
    return World(nursery)


async def both_up(one: Node, other: Node) -> None:
    await one.wait(lambda: one.is_up(other.transport.node_id))
    await other.wait(lambda: other.is_up(one.transport.node_id))


async def test_friends_find_each_other_and_talk(world: World, autojump_clock: Clock) -> None:
    """Two friends connect by themselves and what they send arrives in order."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(1)
    for number in range(100):
        low.connections.send(HIGH, bytes([number]))
    await high.wait(lambda: len(high.heard(LOW)) == 100)
    assert high.heard(LOW) == [bytes([number]) for number in range(100)]


async def test_crossing_dials_settle_on_the_lower_ids(world: World, autojump_clock: Clock) -> None:
    """When both dial at the same moment both end up on the one that the lower id dialled, and stay there."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await trio.sleep(5)
    for node, peer, outbound in ((low, HIGH, True), (high, LOW, False)):
        assert node.is_up(peer)
        ups = [each for each in node.events if isinstance(each, Up)]
        assert ups[-1].outbound is outbound
        assert len(ups) <= 2
    count = len(low.events), len(high.events)
    await trio.sleep(300)
    assert (len(low.events), len(high.events)) == count


async def test_a_restarted_friend_takes_over(world: World, autojump_clock: Clock) -> None:
    """A friend that froze, was killed and came back is connected again before its old connection is found
    dead.
    """
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(50)  # No ping is due in the next few seconds.
    world.network.freeze(HIGH)
    high.scope.cancel()
    await trio.sleep(5)
    world.network.thaw(HIGH)  # The crash went unnoticed: low's end is still open.
    assert low.is_up(HIGH)
    began_at = trio.current_time()
    again = await world.start(SEEDS[2], 1)
    again.connections.add(LOW, address(LOW))
    await again.wait(lambda: again.is_up(LOW))
    await trio.sleep(1)
    assert low.downs()[-1] == "it connected anew"
    assert low.is_up(HIGH)
    assert trio.current_time() - began_at < 5
    low.connections.send(HIGH, b"welcome back")
    await again.wait(lambda: again.heard(LOW) == [b"welcome back"])


async def test_a_frozen_friend_is_noticed(world: World, autojump_clock: Clock) -> None:
    """A friend from whom nothing comes is given up after 60 s, and found again when it thaws."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(120)
    began_at = trio.current_time()
    world.network.freeze(HIGH)
    await low.wait(lambda: low.is_gone(HIGH))
    assert 39 <= trio.current_time() - began_at <= 61
    assert low.downs()[-1] == "it went silent"
    world.network.heal()
    await both_up(low, high)


async def test_a_quiet_friend_is_kept(world: World, autojump_clock: Clock) -> None:
    """Pings keep a connection alive on which nobody says anything for a day."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(5)
    before = len(low.downs())
    await trio.sleep(3600)
    assert len(low.downs()) == before
    assert low.is_up(HIGH)


async def test_backoff_grows_to_a_minute_with_jitter(world: World, autojump_clock: Clock) -> None:
    """Attempts at an unreachable friend come after 1 to 60 s, ever more rarely, and differ between nodes."""
    waits: list[list[float]] = []
    for number, seed in enumerate(SEEDS[:2]):
        node = world.make(seed, number)
        attempts: list[float] = []
        dial = node.transport.dial

        async def recorded(
            peer: NodeId, addresses: list[str], attempts: list[float] = attempts, dial: object = dial
        ) -> Connection:
            attempts.append(trio.current_time())
            return await dial(peer, addresses)  # type: ignore[operator, no-any-return]

        node.transport.dial = recorded  # type: ignore[method-assign, assignment]
        await world.nursery.start(node.run)
        node.connections.add(HIGH, address(HIGH))
        await trio.sleep(600)
        waits.append([later - earlier for earlier, later in pairwise(attempts)])
        assert node.connections.state(HIGH).last_failure.startswith("nothing answers")
        assert not node.is_up(HIGH)
    for each in waits:
        assert 1 <= each[0] <= 5
        assert all(1 <= wait <= 61 for wait in each)
        assert min(each[-3:]) >= 30
    assert waits[0] != waits[1]


async def test_backoff_starts_anew_after_a_stable_connection(world: World, autojump_clock: Clock) -> None:
    """A friend who was there for a while is looked for quickly; one that flaps is not."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    low.connections.add(HIGH, address(HIGH))
    high.connections.add(LOW, [])
    await both_up(low, high)
    await trio.sleep(60)
    world.network.cut(LOW, HIGH)
    world.network.heal()
    began_at = trio.current_time()
    await both_up(low, high)
    assert trio.current_time() - began_at <= 2.1
    for _ in range(8):
        await both_up(low, high)
        world.network.cut(LOW, HIGH)
        world.network.heal()
        await low.wait(lambda: low.is_gone(HIGH))
        began_at = trio.current_time()
    await both_up(low, high)
    assert trio.current_time() - began_at >= 30


async def test_a_poke_tries_at_once(world: World, autojump_clock: Clock) -> None:
    """When the network comes back nobody waits for the back-off; so it is with a new address."""
    low, high = await world.start(SEEDS[0]), world.make(SEEDS[2])
    low.connections.add(HIGH, address(MID))
    await trio.sleep(600)
    await world.nursery.start(high.run)
    high.connections.add(LOW, [])
    began_at = trio.current_time()
    low.connections.set_addresses(HIGH, address(HIGH))
    await both_up(low, high)
    assert trio.current_time() - began_at < 1
    world.network.cut(LOW, HIGH)
    await trio.sleep(600)
    world.network.heal()
    assert low.connections.state(HIGH).next_attempt_s is not None
    began_at = trio.current_time()
    low.connections.poke()
    await both_up(low, high)
    assert trio.current_time() - began_at < 1


async def test_a_flood_starves_nobody(world: World, autojump_clock: Clock) -> None:
    """One friend pushes without end; the other's every payload comes after at most one of the flooder's."""
    mid = world.make(SEEDS[1])
    mid.listening = False
    await world.nursery.start(mid.run)
    flooder, quiet = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(flooder, mid)
    befriend(quiet, mid)
    await flooder.wait(lambda: flooder.is_up(MID))
    await quiet.wait(lambda: quiet.is_up(MID))
    await trio.sleep(5)
    for _ in range(2000):
        flooder.connections.send(MID, bytes(1000))
    await trio.sleep(5)
    for number in range(20):
        quiet.connections.send(MID, bytes([number]))
    await trio.sleep(5)
    order = []
    while order.count(HIGH) < 20:
        event = await mid.connections.next_event()
        if isinstance(event, Received):
            order.append(event.peer)
    # In turns. The lane of either may be empty for a turn, since trio runs their readers in an order of its own.
    assert 30 <= len(order) <= 42


async def test_one_friend_holds_little_memory(world: World, autojump_clock: Clock) -> None:
    """While nobody listens, a friend's payloads stop at its lane's bounds and the rest waits at the
    friend's.
    """
    mid = world.make(SEEDS[1])
    mid.listening = False
    await world.nursery.start(mid.run)
    low = await world.start(SEEDS[0])
    befriend(low, mid)
    await low.wait(lambda: low.is_up(MID))
    await trio.sleep(15)
    for _ in range(100):
        for _ in range(50):
            low.connections.send(MID, bytes(10_000))
        await trio.sleep(0.1)
    lane = mid.connections._friends[LOW].lane
    assert lane._size <= 1024 * 1024
    assert low.connections.state(MID).queued_size <= 1024 * 1024
    assert low.connections.state(MID).dropped_count > 0


async def test_the_oldest_payload_is_dropped(world: World, autojump_clock: Clock) -> None:
    """A full queue drops its oldest payloads and counts them; the newest arrive, in order."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(15)
    world.network.freeze(HIGH)
    for number in range(3000):
        low.connections.send(HIGH, number.to_bytes(2, "big"))
    assert low.connections.state(HIGH).dropped_count == 3000 - 1024
    world.network.heal()
    await high.wait(lambda: len(high.heard(LOW)) == 1024)
    assert high.heard(LOW) == [number.to_bytes(2, "big") for number in range(3000 - 1024, 3000)]
    assert low.connections.state(HIGH).queued_size == 0


async def test_a_payload_has_a_largest_size(world: World, autojump_clock: Clock) -> None:
    """The largest payload arrives; a larger one is our own mistake. Who is not connected gets nothing."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    low.connections.send(HIGH, b"nobody")
    befriend(low, high)
    low.connections.send(HIGH, b"not yet")
    await both_up(low, high)
    await trio.sleep(5)
    with pytest.raises(ValueError, match="at most"):
        low.connections.send(HIGH, bytes(PAYLOAD_SIZE_MAX + 1))
    low.connections.send(HIGH, bytes(PAYLOAD_SIZE_MAX))
    low.connections.send(HIGH, b"")
    await high.wait(lambda: len(high.heard(LOW)) == 2)
    assert high.heard(LOW) == [bytes(PAYLOAD_SIZE_MAX), b""]


async def test_removal_in_the_middle(world: World, autojump_clock: Clock) -> None:
    """A removed friend is cut off, what it sent is forgotten, and `Down` is the last that is heard of it."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(15)
    for _ in range(100):
        low.connections.send(HIGH, b"x")
    await trio.lowlevel.checkpoint()
    dials: list[NodeId] = []

    async def recorded(peer: NodeId, addresses: list[str]) -> Connection:
        dials.append(peer)
        raise AssertionError("nobody is to be dialled any more")

    high.transport.dial = recorded  # type: ignore[method-assign, assignment]
    high.connections.remove(LOW)
    await high.wait(lambda: isinstance(high.events[-1], Down))
    await low.wait(lambda: low.is_gone(HIGH))
    assert low.downs()[-1] == "the connection broke"  # A removed friend gets no goodbye.
    low.connections.remove(HIGH)
    await trio.sleep(300)
    assert dials == []
    last = high.events[-1]
    assert isinstance(last, Down)
    assert (last.peer, last.reason) == (LOW, "removed")
    with pytest.raises(KeyError):
        high.connections.state(LOW)
    high.connections.remove(LOW)
    high.connections.send(LOW, b"nobody")


async def test_removed_and_added_again(world: World, autojump_clock: Clock) -> None:
    """Removing and adding a friend in one breath ends in one connection, with a `Down` between the `Up`s."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(15)
    high.connections.remove(LOW)
    high.connections.add(LOW, address(LOW))
    await trio.sleep(120)
    assert low.is_up(HIGH)
    assert high.is_up(LOW)
    kinds = [type(each) for each in high.events]
    assert all(kinds[position] is (Up, Down)[position % 2] for position in range(len(kinds)))
    assert kinds[-1] is Up


async def test_every_up_is_followed_by_a_down(world: World, autojump_clock: Clock) -> None:
    """However a connection flaps, each friend's events are Up, what was received, Down, Up …"""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    for _ in range(20):
        await both_up(low, high)
        low.connections.send(HIGH, b"x")
        await trio.sleep(0.5)
        world.network.cut(LOW, HIGH)
        await trio.sleep(0.1)
        world.network.heal()
    up = False
    for event in high.events:
        assert isinstance(event, Up) is not up or isinstance(event, Received)
        up = not isinstance(event, Down)


async def test_leaving_is_polite(world: World, autojump_clock: Clock) -> None:
    """A node that stops says goodbye; its friends hear it at once."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    await both_up(low, high)
    await trio.sleep(15)
    began_at = trio.current_time()
    high.scope.cancel()
    await low.wait(lambda: low.is_gone(HIGH))
    assert low.downs()[-1] == "it said goodbye"
    assert trio.current_time() - began_at < 1


async def test_others_are_handed_out(world: World, autojump_clock: Clock) -> None:
    """Whom the gate admits but nobody supervises becomes an event; too many of them are turned away."""
    low, guest = await world.start(SEEDS[0]), await world.start(SEEDS[3])
    near = await guest.transport.dial(LOW, address(LOW))
    await low.wait(lambda: low.events)
    event = low.events[0]
    assert isinstance(event, Other)
    assert event.connection.peer == GUEST
    await near.send(b"hello")
    assert await event.connection.receive() == b"hello"


async def test_waiting_others_are_bounded(world: World, autojump_clock: Clock) -> None:
    """While nobody looks after them, invitation holders beyond the bound find the door closed."""
    low = world.make(SEEDS[0])
    low.listening = False
    await world.nursery.start(low.run)
    guest = await world.start(SEEDS[3])
    ends = [
        await guest.transport.dial_as(bytes([number]) * 32, LOW, address(LOW)) for number in range(90, 102)
    ]
    await trio.sleep(1)
    for end in ends[8:]:
        with pytest.raises(ConnectionLost):
            await end.receive()
    await ends[7].send(b"still there")


@pytest.mark.parametrize("frame", [b"\x02?", b"\x00", b"\x00\x03", b"\x00\x01\x01"])
async def test_an_unknown_frame_ends_that_connection(
    world: World, autojump_clock: Clock, frame: bytes
) -> None:
    """What is neither a payload, a ping nor a pong breaks the protocol, for that friend alone."""
    low = await world.start(SEEDS[0])
    mid = await world.start(SEEDS[1])
    befriend(low, mid)
    await both_up(low, mid)
    odd = await world.start(SEEDS[3])
    low.connections.add(GUEST, [])
    near = await odd.transport.dial(LOW, address(LOW))
    await low.wait(lambda: low.is_up(GUEST))
    await near.send(frame)
    await low.wait(lambda: low.is_gone(GUEST))
    assert low.downs()[-1].startswith("it broke the protocol")
    assert low.is_up(MID)


async def test_a_flood_of_pings_is_answered_sparingly(world: World, autojump_clock: Clock) -> None:
    """However many pings wait, the answers never outnumber them and never pile up."""
    low, odd = await world.start(SEEDS[0]), await world.start(SEEDS[3])
    low.connections.add(GUEST, [])
    near = await odd.transport.dial(LOW, address(LOW))
    for _ in range(500):
        await near.send(b"\x00\x01")
    assert await near.receive() == b"\x00\x02"
    assert low.is_up(GUEST)


async def test_a_friend_that_does_not_read_is_given_up(world: World, autojump_clock: Clock) -> None:
    """A friend who talks but takes nothing for a minute is hung up on; pings alone do not keep it."""
    low, odd = await world.start(SEEDS[0]), await world.start(SEEDS[3])
    low.connections.add(GUEST, [])
    near = await odd.transport.dial(LOW, address(LOW))
    await low.wait(lambda: low.is_up(GUEST))
    for _ in range(20):
        low.connections.send(GUEST, b"read me")
    began_at = trio.current_time()
    with pytest.raises(ConnectionLost):  # noqa: PT012
        while True:
            await near.send(b"\x00\x01")
            await trio.sleep(10)
    await low.wait(lambda: low.is_gone(GUEST))
    assert low.downs()[-1] == "it does not read"
    assert 59 <= trio.current_time() - began_at <= 75


async def test_an_internal_error_hurts_one_friend(world: World, autojump_clock: Clock) -> None:
    """A dial that raises what it must not is logged and tried again; other friends notice nothing."""
    low, mid, high = [await world.start(seed) for seed in SEEDS[:3]]
    dial = low.transport.dial
    failures = 3

    async def faulty(peer: NodeId, addresses: list[str]) -> Connection:
        nonlocal failures
        if peer == HIGH and failures:
            failures -= 1
            raise ZeroDivisionError
        return await dial(peer, addresses)

    low.transport.dial = faulty  # type: ignore[method-assign, assignment]
    low.connections.add(HIGH, address(HIGH))
    high.connections.add(LOW, [])
    befriend(low, mid)
    await both_up(low, mid)
    await low.wait(lambda: low.is_up(HIGH))
    assert failures == 0


async def test_an_internal_error_ends_one_connection(
    world: World, autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of our own in a conversation is logged without a name and closes that connection only."""
    low, mid, high = [await world.start(seed) for seed in SEEDS[:3]]
    befriend(low, mid)
    await both_up(low, mid)
    await trio.sleep(15)
    downs = len(low.downs())

    async def faulty() -> bytes:
        raise ZeroDivisionError

    accept = low.transport.accept

    async def accept_faulty() -> Connection:
        connection = await accept()
        connection.receive = faulty  # type: ignore[method-assign]
        return connection

    low.transport.accept = accept_faulty  # type: ignore[method-assign, assignment]
    low.connections.add(HIGH, [])
    await high.transport.dial(LOW, address(LOW))  # The loop took the old `accept`: this one still works.
    await high.transport.dial(LOW, address(LOW))
    await low.wait(lambda: "an internal error" in low.downs())
    assert low.is_up(MID)
    assert low.downs()[downs:] == ["it connected anew", "an internal error"]
    assert HIGH.hex() not in caplog.text


async def test_state_names_days_only(world: World, autojump_clock: Clock) -> None:
    """What is remembered of a friend's coming and going is a date."""
    low, high = await world.start(SEEDS[0]), await world.start(SEEDS[2])
    befriend(low, high)
    assert low.connections.state(HIGH).since_day is None
    await both_up(low, high)
    state = low.connections.state(HIGH)
    assert state.connected
    assert state.next_attempt_s is None
    assert type(state.since_day).__name__ == "date"


schedules = st.lists(
    st.tuples(
        st.sampled_from(["cut", "freeze", "heal", "stop", "start", "wait"]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 70),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedule=schedules, number=st.integers(0, 1000))
def test_healed_networks_reconnect(schedule: list[tuple[str, int, int, int]], number: int) -> None:
    """Whatever went wrong, three friends are all connected three minutes after everything works again."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            world = World(nursery)
            nodes: list[Node | None] = [None, None, None]

            async def start(position: int) -> None:
                if nodes[position] is None:
                    node = nodes[position] = await world.start(SEEDS[position], number + position)
                    for peer in (LOW, MID, HIGH):
                        if peer != node.transport.node_id:
                            node.connections.add(peer, address(peer))

            for position in range(3):
                await start(position)
            for action, one, other, seconds in schedule:
                node = nodes[one]
                if action == "cut" and one != other:
                    world.network.cut((LOW, MID, HIGH)[one], (LOW, MID, HIGH)[other])
                elif action == "freeze":
                    world.network.freeze((LOW, MID, HIGH)[one])
                elif action == "heal":
                    world.network.heal()
                elif action == "stop" and node is not None:
                    node.scope.cancel()
                    nodes[one] = None
                    await trio.sleep(5)  # The address is free again once the node has said goodbye.
                elif action == "start":
                    await start(one)
                await trio.sleep(seconds)
            world.network.heal()
            for position in range(3):
                await start(position)
            await trio.sleep(180)
            for node in nodes:
                assert node is not None
                for peer in (LOW, MID, HIGH):
                    assert peer == node.transport.node_id or node.is_up(peer), node.connections.state(peer)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


async def test_over_the_real_transport(nursery: trio.Nursery) -> None:
    """The same supervisor over libp2p: friends find each other, talk, and part with a goodbye."""
    nodes = [Node(Libp2pTransport(seed, admits=lambda _: True)) for seed in SEEDS[:3]]
    with trio.fail_after(30):
        for node in nodes:
            await nursery.start(node.run)
        for one in nodes:
            for other in nodes:
                if one is not other:
                    one.connections.add(other.transport.node_id, other.transport.addresses)
        for one in nodes:
            for other in nodes:
                if one is not other:
                    peer = other.transport.node_id
                    await one.wait(lambda one=one, peer=peer: one.is_up(peer))  # type: ignore[misc]
        low, mid, high = nodes
        while not high.heard(LOW):  # A connection may still give way to the one that crossed it.
            low.connections.send(HIGH, bytes(100_000))
            with trio.move_on_after(0.2):
                await high.wait(lambda: high.heard(LOW))
        mid.scope.cancel()
        await low.wait(lambda: low.is_gone(MID))
        assert low.downs()[-1] == "it said goodbye"


async def test_a_friend_does_not_decide_when_it_is_dialled(world: World, autojump_clock: Clock) -> None:
    """New addresses that a friend tells of itself wait for the back-off, however often it tells new ones."""
    low = await world.start(SEEDS[0])
    low.connections.add(HIGH, address(MID))
    await trio.sleep(600)
    waits_s = low.connections.state(HIGH).next_attempt_s
    assert waits_s is not None
    for number in range(100):
        low.connections.set_addresses(HIGH, [f"/ip4/10.0.0.9/tcp/{number}"], at_once=False)
    await trio.lowlevel.checkpoint()
    assert low.connections.state(HIGH).next_attempt_s == waits_s


async def test_a_friend_that_connects_over_and_over_is_put_off(world: World, autojump_clock: Clock) -> None:
    """Only so many connections of one friend are taken up in a minute; after it the friend is welcome again."""
    low = await world.start(SEEDS[0])
    low.connections.add(HIGH, [])
    flapper = MemoryTransport(world.network, SEEDS[2], admits=lambda _: True)
    async with flapper.serving():
        for _ in range(3 * ACCEPTED_MAX):
            connection = await flapper.dial(LOW, address(LOW))
            await trio.sleep(0.1)
            await connection.aclose()
        assert len([each for each in low.events if isinstance(each, Up)]) == ACCEPTED_MAX
        await trio.sleep(ACCEPTED_S)
        await flapper.dial(LOW, address(LOW))
        await low.wait(lambda: low.is_up(HIGH))


async def test_a_flooding_friend_is_read_at_our_pace(world: World, autojump_clock: Clock) -> None:
    """However fast frames come, of each kind so many are taken in a second, and those that wait are not lost."""
    low = await world.start(SEEDS[0])
    low.connections.add(HIGH, [])
    flooder = MemoryTransport(world.network, SEEDS[2], admits=lambda _: True)
    async with flooder.serving():
        connection = await flooder.dial(LOW, address(LOW))
        began_at = trio.current_time()
        count = FRAMES_BURST_MAX + 20 * FRAMES_PER_S_MAX
        for number in range(count):
            await connection.send(b"\x00\x01" if number % 2 else b"\x01x")
        await low.wait(lambda: len(low.heard(HIGH)) == count // 2)
        assert 19 <= trio.current_time() - began_at <= 21
        assert low.is_up(HIGH)
