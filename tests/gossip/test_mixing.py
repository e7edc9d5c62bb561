"""Mixing and injection: a clock that nothing moves, cover that looks like all else, slots that nobody can take."""

import hashlib
import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
import pytest
from fakenet import MIXING, Seeded

from rumor.crypto import membership, onion
from rumor.crypto.membership import Purpose
from rumor.crypto.onion import Command, Delivered, Forwarded, Payload
from rumor.gossip.bodies import AdmissionBody, Kind, RelayKeyBody, SecretBody
from rumor.gossip.events import Event, OutboxTurned, ProofWanted, RelayKeyMade, SlotUsed
from rumor.gossip.genesis import Genesis
from rumor.gossip.holdings import Holdings
from rumor.gossip.injection import JITTER_S_MAX, JITTER_SHARE, Injector
from rumor.gossip.items import Item
from rumor.gossip.mixing import LOOP_SHARE, Mixing
from rumor.gossip.pace import Pace
from rumor.gossip.packets import Content, Packet
from rumor.gossip.quota import SlotBook
from rumor.gossip.relays import Relays
from rumor.gossip.suite import Real

SECRETS = [bytes([number]) * 32 for number in range(1, 9)]
KEYS = [membership.public_key(secret) for secret in SECRETS]
#: A tick in six seconds, and a day that is long enough for all of them.
PARAMETERS = msgspec.structs.replace(MIXING, epoch_s=1_000, relay_day_epochs=1_000)
DAY = 250
EPOCH = DAY * 1_000 + 900
NOW = EPOCH * 1_000.0 + 500.0
RELAYS = [bytes([number]) * 32 for number in range(1, 9)]


class Fast(Real):
    """The same sizes in no time, with what was wrapped written down."""

    def __init__(self) -> None:
        self.wrapped: list[tuple[tuple[bytes, ...], Payload]] = []

    def tag(self, secret: bytes, scope: bytes) -> bytes:
        return b"\x02" + hashlib.sha256(secret + scope).digest()

    def relay_public(self, secret: bytes) -> bytes:
        return secret

    def relay_keypair(self, randbytes: Callable[[int], bytes]) -> tuple[bytes, bytes]:
        return b"s" * 32, b"nobody".ljust(32)

    def wrap(self, route: Sequence[bytes], payload: Payload, randbytes: Callable[[int], bytes]) -> bytes:
        self.wrapped.append((tuple(route), payload))
        return randbytes(onion.ONION_SIZE)

    def open_onion(self, data: bytes, secret: bytes, public: bytes | None = None) -> Forwarded | Delivered:
        return Forwarded(onion=data, replay_tag=hashlib.sha256(data).digest()[:16])


class Node:
    """One member's mixing, with nothing around it."""

    def __init__(
        self,
        seed: str = "node",
        *,
        members: int = 8,
        relays: int = 8,
        own_key: bool = True,
        **changes: object,
    ) -> None:
        self.genesis = Genesis.found("mixing", KEYS[0], PARAMETERS)
        self.holdings = Holdings(self.genesis)
        for slot, key in enumerate(KEYS[1:members], 1):
            body = AdmissionBody(slot=slot, key=key, possession=bytes(64))
            self.holdings.keep(Item(Kind.ADMISSION, 1, body, (), bytes(64), b""), None)
        for number, key in enumerate(RELAYS[:relays]):
            tag = (number.to_bytes(33, "big"),)
            body = RelayKeyBody(relay_day=DAY, key=key)
            self.holdings.keep(Item(Kind.RELAY_KEY, EPOCH - 600, body, tag, bytes(66), bytes(32)), None)
        streams = Seeded(seed)
        self.suite, self.slots = Fast(), SlotBook()
        self.relays = Relays(self.suite)
        if own_key:
            self.relays.add(RelayKeyMade(relay_day=DAY, epoch=EPOCH, secret=RELAYS[0]))
        self.injector = Injector(
            self.genesis,
            self.suite,
            SECRETS[1],
            KEYS[1],
            self.slots,
            self.holdings.roster.ring_at,
            streams.stream("jitter"),
            streams.stream("slots"),
        )
        self.mixing = Mixing(self.genesis, self.suite, self.holdings, self.injector, self.relays, streams)
        self.pace = self.mixing.pace(NOW)

    def run(
        self, count: int, *, agreed: bool = True, meanwhile: Callable[[float], object] = lambda now: None
    ) -> tuple[list[float], list[Event]]:
        """Lets the clock tick so often, as though the epoch never ended; returns when, and what came of it."""
        self.mixing.start(NOW)
        times: list[float] = []
        events: list[Event] = []
        while len(times) < count:
            at = self.mixing.wakes_at()
            assert at is not None
            before = self.mixing.tally.tick_count
            events += self.mixing.handle_timer(at, lambda: agreed)
            if self.mixing.tally.tick_count > before:
                times.append(at)
                meanwhile(at)
        return times, events


def secret(text: str) -> Item:
    nonce = text.encode().ljust(32, b".")
    body = SecretBody(
        slot=0, text=text, style=0, thread_nonce=nonce, reply_key=bytes(32), retraction=bytes(32)
    )
    return Item(Kind.SECRET, EPOCH, body, (bytes(33), bytes(33)), bytes(66), bytes(32))


def test_the_clock_ticks_at_exponential_intervals_of_the_pace() -> None:
    """Mean and deviation of the interval, the whole distribution, and no memory."""
    node = Node()
    times, _ = node.run(4_000)
    intervals = [later - earlier for earlier, later in pairwise([NOW, *times])]
    mean = math.fsum(intervals) / len(intervals)
    deviation = math.sqrt(math.fsum((each - mean) ** 2 for each in intervals) / len(intervals))
    assert mean == pytest.approx(node.pace.interval_s, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.08)
    distance = max(
        abs(1 - math.exp(-each / node.pace.interval_s) - (rank + 0.5) / len(intervals))
        for rank, each in enumerate(sorted(intervals))
    )
    assert distance < 1.63 / math.sqrt(len(intervals)), "Kolmogorov and Smirnov, at one in a hundred"
    memory = (
        math.fsum((a - mean) * (b - mean) for a, b in pairwise(intervals)) / len(intervals) / deviation**2
    )
    assert abs(memory) < 0.05


def test_nothing_moves_the_clock_but_the_size_of_the_ring() -> None:
    """Not the outbox, not what friends agree on, not what is relayed, not whether there are relay keys."""
    times, _ = Node().run(200)
    full = Node()
    for number in range(50):
        full.mixing.outbox.put(secret(str(number)), NOW)
    assert full.run(200)[0] == times
    assert full.mixing.tally.cover_count < 200
    assert Node().run(200, agreed=False)[0] == times
    assert Node(relays=0, own_key=False).run(200)[0] == times
    busy = Node()
    packets = iter(range(10_000))

    def relay(now: float) -> None:
        payload = next(packets).to_bytes(onion.ONION_SIZE, "big")
        busy.mixing.opened(Packet(Content.ONION, EPOCH, 0, bytes(32), bytes(33), payload), NOW)

    assert busy.run(200, meanwhile=relay)[0] == times
    assert busy.mixing.tally.relayed_count > 100
    assert Node(members=7).run(200)[0] != times


def test_each_tick_injects_one_packet_and_writes_one_row_whatever_there_is_to_say() -> None:
    """A slot, a proof and a row of the outbox; an observer of disk or worker sees the same with a post as without."""
    quiet, busy = Node(), Node()
    busy.mixing.outbox.put(secret("a"), NOW)
    kinds = []
    for node in (quiet, busy):
        _, events = node.run(5)
        kinds.append([type(event) for event in events])
        assert [event.slot for event in events if isinstance(event, SlotUsed)]
        turned = [event for event in events if isinstance(event, OutboxTurned)]
        assert len(turned) == 5
    assert kinds[0] == kinds[1] == [OutboxTurned, SlotUsed, ProofWanted] * 5
    assert [event.slot for event in quiet.run(0)[1] if isinstance(event, SlotUsed)] == []
    assert len(quiet.suite.wrapped) == len(busy.suite.wrapped) == 5


def test_an_item_takes_the_place_of_the_cover_that_was_due() -> None:
    node = Node()
    item = secret("a")
    node.mixing.outbox.put(item, NOW)
    node.run(1)
    ((route, payload),) = node.suite.wrapped
    assert payload == Payload(command=Command.ITEM, content=item.encoding)
    assert len(set(route)) == len(route) == 3
    assert node.mixing.tally.cover_count == 0


def test_cover_is_half_drops_and_half_loops_over_uniform_routes() -> None:
    node = Node()
    node.run(1_200)
    loops = [route for route, payload in node.suite.wrapped if payload.command is Command.LOOP]
    drops = [route for route, payload in node.suite.wrapped if payload.command is Command.DROP]
    assert len(loops) + len(drops) == 1_200
    assert len(loops) / 1_200 == pytest.approx(LOOP_SHARE, abs=0.06)
    assert all(len(set(route)) == 3 for route in drops)
    assert all(len(route) == 4 and route[-1] == RELAYS[0] for route in loops)
    for place in range(3):
        counts = [sum(route[place] == key for route in drops) for key in RELAYS]
        assert sum((count - len(drops) / 8) ** 2 / (len(drops) / 8) for count in counts) < 18.5, (
            "chi squared with seven degrees of freedom, at one in a hundred"
        )


def test_cover_without_relay_keys_is_an_onion_that_nobody_opens() -> None:
    node = Node(relays=0, own_key=False)
    node.run(20)
    assert {route for route, _ in node.suite.wrapped} == {(b"nobody".ljust(32),)}
    assert {payload.command for _, payload in node.suite.wrapped} == {Command.DROP}


def test_a_secret_waits_for_agreement_and_relay_keys_and_cover_goes_instead() -> None:
    for node, agreed in ((Node(), False), (Node(relays=2, own_key=False), True)):
        node.mixing.outbox.put(secret("a"), NOW)
        node.run(30, agreed=agreed)
        assert all(payload.command is not Command.ITEM for _, payload in node.suite.wrapped)
        assert node.mixing.tally.cover_count == 30


def test_a_retry_goes_over_relays_that_were_not_used_before() -> None:
    node = Node()
    node.mixing.outbox.put(secret("a"), NOW)
    node.mixing.start(NOW)
    while (now := node.mixing.wakes_at()) is not None and now < NOW + 2 * node.pace.retry_s:
        node.mixing.handle_timer(now, lambda: True)
    routes = [route for route, payload in node.suite.wrapped if payload.command is Command.ITEM]
    assert len(routes) == 2
    assert not set(routes[0]) & set(routes[1])


def test_who_is_in_no_ring_does_not_tick() -> None:
    node = Node(members=1)
    node.mixing.start(NOW)
    assert node.mixing.wakes_at() is None


# Relaying.


def test_an_onion_for_us_leaves_after_an_exponential_delay() -> None:
    node = Node()
    delays = []
    for number in range(1_500):
        payload = number.to_bytes(onion.ONION_SIZE, "big")
        node.mixing.opened(Packet(Content.ONION, EPOCH, 0, bytes(32), bytes(33), payload), NOW)
        delays.append(node.relays.timer() - NOW)
        assert len(list(node.relays.due(2 * NOW))) == 1
    mean = math.fsum(delays) / len(delays)
    assert mean == pytest.approx(node.pace.relay_delay_s, rel=0.1)
    spread = math.sqrt(math.fsum((each - mean) ** 2 for each in delays) / len(delays))
    assert spread == pytest.approx(mean, rel=0.15)


def test_what_others_ask_of_a_relay_takes_no_slot_of_its_own_clock() -> None:
    """Whoever sends a thousand onions to one key stops neither its owner's clock nor its owner's posts."""
    node = Node()
    for number in range(2_000):
        payload = number.to_bytes(onion.ONION_SIZE, "big")
        node.mixing.opened(Packet(Content.ONION, EPOCH, 0, bytes(32), bytes(33), payload), NOW - 1e6)
    node.mixing.start(NOW)
    events = node.mixing.handle_timer(NOW, lambda: True)
    relayed = sum(isinstance(event, ProofWanted) for event in events)
    assert relayed == node.pace.relayed_per_epoch
    for _ in range(node.pace.ticks_per_epoch):
        assert node.injector.inject(Content.ONION, bytes(onion.ONION_SIZE), now=NOW) is not None
    assert node.injector.inject(Content.ONION, bytes(onion.ONION_SIZE), now=NOW) is None
    assert node.mixing.tally.blocked_count == 2_000 - relayed


def test_nor_does_it_after_restarts() -> None:
    """Else each restart would give relaying its whole share once more, at the cost of the clock."""
    node, slots = Node(), []

    def inject_all(count: int, *, relayed: bool) -> int:
        content = bytes(onion.ONION_SIZE)
        started = [
            node.injector.inject(Content.ONION, content, now=NOW, relayed=relayed) for _ in range(count)
        ]
        slots.extend(each[0].slot for each in started if each is not None)
        return sum(each is not None for each in started)

    share = node.pace.relayed_per_epoch
    assert inject_all(5, relayed=False) + inject_all(share - 10, relayed=True) == share - 5
    for left in (5, 0, 0):
        node = Node(own_key=False)
        for slot in slots:
            node.slots.mark(Purpose.PACKET, EPOCH, slot)
        assert inject_all(2 * share, relayed=True) == left
    assert inject_all(1_000, relayed=False) == node.pace.packets_per_epoch - share
    assert sorted(slots) == list(range(node.pace.packets_per_epoch))


# Injection.


def test_the_epoch_of_a_packet_is_that_of_a_moment_shortly_ago() -> None:
    """A tenth of an epoch, uniform: a clock that is a little off is not seen in the stamp."""
    start = EPOCH * PARAMETERS.epoch_s
    jitter_s = min(JITTER_S_MAX, JITTER_SHARE * PARAMETERS.epoch_s)
    node = Node()

    def early(now: float) -> int:
        epochs = [inject(node, now).epoch for _ in range(300)]
        assert set(epochs) <= {EPOCH, EPOCH - 1}
        return sum(epoch < EPOCH for epoch in epochs)

    assert early(start + jitter_s) == 0
    assert 0.4 * 300 < early(start + jitter_s / 2) < 0.6 * 300
    assert early(start) > 0.98 * 300


def inject(node: Node, now: float = NOW) -> Packet:
    started = node.injector.inject(Content.ONION, bytes(onion.ONION_SIZE), now=now)
    assert started is not None
    used, wanted = started
    finished = node.injector.finish(wanted.item_id, b"p" * 40)
    assert finished is not None
    packet, bare = finished
    assert (packet.epoch, packet.slot, bare) == (used.epoch, used.slot, False)
    assert packet.message == wanted.message
    assert packet.scopes(node.genesis.mesh_id) == wanted.scopes
    assert node.injector.finish(wanted.item_id, b"") is None
    return packet


def test_slots_are_spent_once_in_no_guessable_order_and_end() -> None:
    """A slot in order would tell how many packets its injector has sent."""
    node = Node()
    slots = [inject(node).slot for _ in range(node.pace.packets_per_epoch)]
    assert sorted(slots) == list(range(node.pace.packets_per_epoch))
    assert slots != sorted(slots)
    assert node.injector.inject(Content.ONION, bytes(onion.ONION_SIZE), now=NOW) is None
    firsts = {inject(Node(str(seed))).slot for seed in range(60)}
    assert len(firsts) > 25
    assert node.slots.left_count(Purpose.PACKET, EPOCH, node.pace.packets_per_epoch) == 0


def test_who_is_in_the_ring_only_since_this_epoch_stamps_this_epoch() -> None:
    node = Node()
    start = 1 * PARAMETERS.epoch_s
    assert {inject(node, start + 0.001).epoch for _ in range(20)} == {1}
    assert node.injector.inject(Content.ONION, bytes(onion.ONION_SIZE), now=start - 1.0) is None


def test_the_pace_is_that_of_the_ring() -> None:
    assert Node().pace == Pace.of(PARAMETERS, 8)
    assert Node(members=1).pace == Pace.of(PARAMETERS, 0)
