"""Twin worlds of the simulator: one mesh of real engines twice from one seed, in one of which a member says something.

A secret has come to everybody before the worlds part. What is written down is what links and spies can see: of each
frame its time, its two ends, its type and its size; of what spies hear also which packets it is about, by the order in
which they were first spoken of, since ids and ciphertext are as random in the one world as in the other. Sizes of
reconciliations are left out, which follow from ids.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from worlds import post, world

from rumor.crypto.errors import OnionBroken
from rumor.gossip.bodies import Kind
from rumor.gossip.drafts import Draft, MarkDraft, ReplyDraft
from rumor.gossip.engine import Engine
from rumor.gossip.frames import Announce, Packets, Reconcile, Stemmed, Want
from rumor.gossip.items import Item, ItemId
from rumor.gossip.packets import Content, Packet, unpad_item
from rumor.gossip.spreading import Situation
from rumor.gossip.wire import encode
from rumor.sim.hosts import Host
from rumor.sim.loop import ticks
from rumor.sim.network import Network
from rumor.sim.suites import Ideal
from rumor.sim.wires import Wire

__all__ = ["SAYINGS", "Saying", "Twin", "first_difference"]

Saying = Callable[[Engine, ItemId, float], ItemId]

#: A tick in half a minute for each of six members, of whom two are spies.
MESH: Final = {
    "scheme": "onion",
    "nodes": "6",
    "graph": "random-regular",
    "mean_degree": "3",
    "spies": "0.25",
    "hours": "3",
    "bytes_per_day": "300000000",
}
#: The second byte of a frame is its type.
RECONCILE: Final = encode(Reconcile(collection=0, session=0, message=b"-"))[1]
#: Seconds at the most until everybody has the secret, and between two looks.
SETTLED_S: Final = 1_200.0
LOOK_S: Final = 20.0


def reply(engine: Engine, secret: ItemId, now: float) -> ItemId:
    return engine.publish(ReplyDraft(thread_nonce=engine.board.secrets[secret], text="twins"), now)


def heart(engine: Engine, secret: ItemId, now: float) -> ItemId:
    return engine.publish(MarkDraft(kind=Kind.HEART, target=secret), now)


def whisper(engine: Engine, secret: ItemId, now: float) -> ItemId:
    return engine.whisper(secret, "twins", now)


def secret_too(engine: Engine, secret: ItemId, now: float) -> ItemId:
    return engine.publish(Draft(text="twins"), now)


#: What the member may say.
SAYINGS: Final[dict[str, Saying]] = {
    "reply": reply,
    "heart": heart,
    "whisper": whisper,
    "secret": secret_too,
}


class ByTime:
    """Draws that follow from the time alone: one more or less moves no later one. As random as one after another."""

    def __init__(self, host: Host, network: Network, seed: int) -> None:
        self._host, self._network, self._seed = host.index, network, seed

    def random(self) -> float:
        name = f"{self._seed}/{self._host}/{self._network.loop.tick}"
        return self._network.random.stream(name).random()


class Twin:
    """One of the two worlds."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        *,
        seed: int,
        says: Saying | None,
        seconds: float,
        deaf: bool = False,
        leak: Callable[[pytest.MonkeyPatch], None] | None = None,
        by_time: bool = False,
    ) -> None:
        """``deaf``: nobody opens anything any more. ``leak`` is put in when the worlds part. ``by_time``: what relays
        draw follows from the time."""
        self.sent: list[tuple[int, int, int, int, int]] = []
        """Tick, sender, receiver, type and size of each frame since the worlds have parted."""
        self.released_tick: int | None = None
        """When the last relay injected what was said, or the innermost onion of a whisper."""
        self.said: ItemId | None = None
        self._is_recording = False
        with patch.context() as within:
            transmit = Network._transmit

            def recording(network: Network, wire: Wire, frame: bytes) -> None:
                if self._is_recording:
                    size = 0 if frame[1] == RECONCILE else len(frame)
                    ends = wire.sender.index, wire.receiver.index
                    self.sent.append((network.loop.tick, *ends, frame[1], size))
                transmit(network, wire, frame)

            within.setattr(Network, "_transmit", recording)
            self.run = run = world(**MESH, seed=str(seed))
            self.network = network = run.network
            honest = [host for host in network.hosts if host.is_honest]
            self.author, self.member = honest[0], honest[3]
            self.secret = post(network, self.author, "talk of this")
            while not all(self.secret in _engine(host).store for host in network.hosts):
                network.run(LOOK_S)
                assert network.loop.tick < ticks(SETTLED_S)
            for host in network.hosts:
                self._watch(host)
                if by_time:
                    _engine(host).mixing._holding = ByTime(host, network, seed)  # type: ignore[assignment]
            if deaf:
                within.setattr(Ideal, "open_onion", _open_nothing)
            if leak is not None:
                leak(within)
            run.ledger.keeps_all = self._is_recording = True
            self.began_tick = network.loop.tick
            self._opened_before = len(run.ledger.openings)
            if says is not None:
                self.said = network.say(self.member, lambda engine, now: says(engine, self.secret, now))
                assert self.said is not None
            network.run(seconds)

    def _watch(self, host: Host) -> None:
        engine = _engine(host)
        injected = engine._carriage.injected

        def watching(packet: Packet, bare: bool, situation: Situation) -> None:
            if self.released_tick is None and self._tells(packet):
                self.released_tick = self.network.loop.tick
            injected(packet, bare, situation)

        engine._carriage.injected = watching  # type: ignore[method-assign]

    def _tells(self, packet: Packet) -> bool:
        if packet.content is Content.ITEM:
            return Item.decode_untrusted(unpad_item(packet.payload)).item_id == self.said
        return packet.payload in _engine(self.member).mixing._marks

    # What there is to see.

    def links(self, until: float) -> list[tuple[int, ...]]:
        """On all links."""
        return [sent for sent in self.sent if sent[0] < until]

    def spied(self, until: float) -> list[tuple[Any, ...]]:
        """What spies heard and said, and when a relay key of theirs opened something."""
        numbers: dict[bytes, int] = {}
        seen: list[tuple[Any, ...]] = []
        for each in self.run.ledger.sightings:
            if each.tick >= until:
                break
            about = [
                numbers.setdefault(packet_id, len(numbers)) for packet_id in self._packets_of(each.frame)
            ]
            seen.append((each.tick, each.spy, each.friend, each.heard, each.frame[1], about))
        openings = self.run.ledger.openings[self._opened_before :]
        return [*seen, *((each.tick, each.spy) for each in openings if each.tick < until)]

    def _packets_of(self, frame: bytes) -> list[bytes]:
        codec = self.run.ledger.codec
        match codec.decode_untrusted(frame):
            case Announce(item_ids=ids) | Want(item_ids=ids):
                return list(ids)
            case Stemmed(packet=packet):
                return [codec.packet_untrusted(packet).item_id]
            case Packets(packets=packets):
                return [codec.packet_untrusted(packet).item_id for packet in packets]
        return []

    def after(self, seconds: float) -> int:
        """The tick so many seconds after the worlds have parted."""
        return self.began_tick + ticks(seconds)


def first_difference(one: list[Any], other: list[Any]) -> Any:
    """Where two worlds part, if they do."""
    for left, right in zip(one, other, strict=False):
        if left != right:
            return left, right
    return None if len(one) == len(other) else max(one, other, key=len)[min(len(one), len(other))]


def _engine(host: Host) -> Engine:
    assert host.engine is not None
    return host.engine


def _open_nothing(self: Ideal, data: bytes, secret: bytes, public: bytes | None = None) -> None:
    raise OnionBroken
