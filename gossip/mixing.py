"""Mixing: what a node says among what it does not say.

The *own clock* ticks at exponential intervals for as long as we are a member, whatever there is to say and whoever is
online. At each tick an onion leaves: with the item whose turn it is in the outbox, or else with cover, half of which
the last relay drops and half of which comes home as a loop. What other members' onions ask of our relay keys is
held for a while and injected the same way. Nobody but us can tell these apart, and nothing about a packet's size, time
or path depends on which it is.

All this is decided here and nothing is sent: packets go out through the injector. Specified in docs/protocol.md; why it
hides an author, in docs/threat-model.md.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final

from ..crypto.onion import CONTENT_SIZE_MAX, HOPS_MAX, Command, Delivered, Forwarded, Payload
from .bodies import Kind
from .claims import check_claims
from .errors import RemoteError
from .events import Event, OutboxTurned
from .genesis import Genesis
from .holdings import Holdings
from .injection import Injector
from .items import Item, ItemId
from .letters import Whisper
from .loops import LOOP_ID_SIZE, Loops
from .outbox import Outbox
from .pace import Pace, exponential
from .packets import Content, Packet, pad_item
from .randomness import RandomSource, Streams
from .relays import Relays
from .store import TRANSIENT, ItemStore
from .suite import Suite

__all__ = ["Mixing", "Tally"]

#: The share of cover that comes home.
LOOP_SHARE: Final = 0.5

assert CONTENT_SIZE_MAX >= LOOP_ID_SIZE


@dataclass(slots=True)
class Tally:
    """What has happened since the start. For the node's own status; nothing of it is told."""

    tick_count: int = 0
    cover_count: int = 0
    """Ticks at which cover left."""
    relayed_count: int = 0
    """Onions of others that we have passed on or published."""
    injected_count: int = 0
    """Packets of ours."""
    onion_count: int = 0
    """Onions among them."""
    blocked_count: int = 0
    """Packets that found no slot or no ring."""
    packets_out_count: int = 0
    """Copies of packets that we have sent to friends."""
    packets_in_count: int = 0
    """Copies of packets that friends have sent us."""
    stems_in_count: int = 0
    """Those among them that came by stem."""
    packets_kept_count: int = 0
    """Different ones among them that were flooded here."""


class Mixing:
    """The own clock, the outbox, the loops and the relay keys of one member."""

    def __init__(
        self,
        genesis: Genesis,
        suite: Suite,
        holdings: Holdings,
        injector: Injector,
        relays: Relays,
        streams: Streams,
    ) -> None:
        self._genesis = genesis
        self._suite = suite
        self._holdings = holdings
        self._injector = injector
        self.relays = relays
        self.outbox = Outbox()
        self.loops = Loops()
        self.tally = Tally()
        self._ticking: RandomSource = streams.stream("own clock")
        self._holding: RandomSource = streams.stream("relay delays")
        self._routing: RandomSource = streams.stream("routes")
        self._wrapping: RandomSource = streams.stream("wrapping")
        self._marks: dict[bytes, ItemId] = {}
        """The innermost onions of our whispers that have not been seen yet."""
        self._tick_at: float | None = None
        self._pace: tuple[tuple[int, int], Pace] | None = None
        """The latest, with the epoch and the version of the roster."""
        self.ticking_since: float | None = None
        """When the own clock started, in seconds since 1970; None if it does not run."""

    def pace(self, now: float) -> Pace:
        """The pace of the mesh as it is now."""
        roster = self._holdings.roster
        version = self._genesis.epoch_at(now), roster.version
        if self._pace is None or self._pace[0] != version:
            ring = roster.ring_at(version[0])
            self._pace = version, Pace.of(self._genesis.parameters, ring.size if ring is not None else 0)
        return self._pace[1]

    def can_hide(self, now: float) -> bool:
        """Whether there are relay keys enough for an onion."""
        keys = self._holdings.relay_book.eligible(self._genesis.epoch_at(now))
        return len(keys) >= max(1, self._genesis.parameters.relay_keys_min)

    def lets_out(self, now: float, *, agreed: bool) -> bool:
        """Whether what people say may leave now, if enough friends have ``agreed`` to our view."""
        keys = self._holdings.relay_book.eligible(self._genesis.epoch_at(now))
        # A mesh that asks for no relay keys is one for trying out, and lets its members speak without any.
        for_trying = not keys and self._genesis.parameters.relay_keys_min == 0
        return agreed and (for_trying or self.can_hide(now))

    def is_leaving(self, key: bytes) -> bool:
        """Whether the record of this relay key waits to leave or to come back."""
        return any(item.relay_key is not None and item.relay_key.key == key for item in self.outbox.items())

    def leaving_admissions(self) -> set[bytes]:
        """The keys whose admissions wait to leave or to come back."""
        return {item.admitted.key for item in self.outbox.items() if item.admitted is not None}

    def expire(self, store: ItemStore) -> None:
        """Lets go of what has left in vain and can be made anew, and of what nobody would take any more."""
        for item in list(self.outbox.items()):
            hopeless = self.outbox[item.item_id].given_up and item.kind is Kind.ADMISSION
            expired = (
                item.epoch < store.floor(TRANSIENT)
                if isinstance(item, Whisper)
                else store.is_below_floor(item)
            )
            if hopeless or expired:
                self.outbox.remove(item.item_id)

    def wakes_at(self) -> float | None:
        """When ``handle_timer`` is due next."""
        at = self.relays.timer()
        return self._tick_at if at is None or (self._tick_at is not None and self._tick_at < at) else at

    def start(self, now: float) -> None:
        """Starts the own clock, unless it runs, once we stand in a ring: that depends on the records alone."""
        if self._tick_at is None and self._injector.ring(self._genesis.epoch_at(now)) is not None:
            self.ticking_since = now
            self._tick_at = now + self._draw_interval(now)

    def handle_timer(self, now: float, is_agreed: Callable[[], bool]) -> list[Event]:
        """Does what is due. ``is_agreed`` tells whether enough friends share our view of ring and relay keys."""
        events: list[Event] = []
        if self._tick_at is not None and self._tick_at <= now:
            self._tick_at = now + self._draw_interval(now)
            events += self._tick(now, agreed=is_agreed())
        for layer, spent in self.relays.due(now):
            events.append(spent)
            events += self._relay(layer, now)
        return events

    def _draw_interval(self, now: float) -> float:
        return exponential(self.pace(now).interval_s, self._ticking.random())

    # What leaves when the clock ticks.

    def _tick(self, now: float, *, agreed: bool) -> list[Event]:
        self.tally.tick_count += 1
        self.loops.expire(now)
        epoch = self._genesis.epoch_at(now)
        keys = self._holdings.relay_book.eligible(epoch)
        self.loops.forget_all_but(keys)
        enough = self.can_hide(now)
        secrets = self.lets_out(now, agreed=agreed)
        waiting = self.outbox.take(now, self.pace(now).retry_s, secrets=secrets)
        # Drawn whatever leaves, so that the next tick's draws are the same.
        is_loop = self._routing.random() < LOOP_SHARE
        route = self._route(keys, waiting.used if waiting is not None else ())
        is_personal = waiting is not None and waiting.item.is_personal
        events: list[Event] = [
            OutboxTurned(
                item_id=waiting.item.item_id if waiting is not None and is_personal else None,
                sent_count=waiting.sent_count if waiting is not None and is_personal else 0,
            )
        ]
        if waiting is None:
            self.tally.cover_count += 1
            return events + self._inject(Content.ONION, self._cover(route, is_loop, now), now)
        if isinstance(waiting.item, Whisper):
            waiting.used.update(route)
            return events + self._inject(Content.ONION, self._wrap_whisper(route, waiting.item), now)
        encoding = waiting.item.encoding
        if not enough:
            # The first relay keys of a mesh travel by stem alone: there is nothing to wrap them with.
            return events + self._inject(Content.ITEM, pad_item(encoding), now, bare=True)
        waiting.used.update(route)
        payload = Payload(command=Command.ITEM, content=encoding)
        return events + self._inject(Content.ONION, self._wrap(route, payload), now)

    def _wrap_whisper(self, route: Sequence[bytes], whisper: Whisper) -> bytes:
        """As a loop, whose last layer is for ourselves; here it is for the one who is to read."""
        payload = Payload(command=Command.WHISPER, content=whisper.letter.content)
        there = [*route[: HOPS_MAX - 1], whisper.letter.recipient]
        wrapped, mark = self._suite.wrap_marked(there, payload, self._wrapping.randbytes)
        self._marks = {mark: item_id for mark, item_id in self._marks.items() if item_id in self.outbox}
        self._marks[mark] = whisper.item_id
        return wrapped

    def _cover(self, route: list[bytes], is_loop: bool, now: float) -> bytes:
        if not route:
            # For nobody, and yet an onion: bytes drawn at random would not begin with the point of a curve.
            _, nobody = self._suite.relay_keypair(self._wrapping.randbytes)
            return self._wrap([nobody], Payload(command=Command.DROP, content=b""))
        day = self._genesis.parameters.relay_day_at(self._genesis.epoch_at(now))
        if not is_loop or self.relays.key(day) is None:
            return self._wrap(route, Payload(command=Command.DROP, content=b""))
        route = route[: HOPS_MAX - 1]
        loop_id = self._wrapping.randbytes(LOOP_ID_SIZE)
        self.loops.started(loop_id, route, now + self.pace(now).retry_s)
        home = [*route, self.relays.public(day)]
        return self._wrap(home, Payload(command=Command.LOOP, content=loop_id))

    def _route(self, keys: Sequence[bytes], used: Container[bytes]) -> list[bytes]:
        """Draws different relay keys, all alike but those that failed us, as many as there are up to the length."""
        length = self._genesis.parameters.route_length
        candidates = self.loops.usable(keys)
        fresh = [key for key in candidates if key not in used]
        if len(fresh) >= length:
            candidates = fresh
        elif len(candidates) < length:
            candidates = list(keys)
        return [
            candidates.pop(self._routing.randrange(len(candidates)))
            for _ in range(min(length, len(candidates)))
        ]

    def _wrap(self, route: Sequence[bytes], payload: Payload) -> bytes:
        return self._suite.wrap(route, payload, self._wrapping.randbytes)

    def _inject(
        self, content: Content, payload: bytes, now: float, *, bare: bool = False, relayed: bool = False
    ) -> list[Event]:
        started = self._injector.inject(content, payload, now=now, bare=bare, relayed=relayed)
        if started is None:
            self.tally.blocked_count += 1
            return []
        self.tally.injected_count += 1
        self.tally.onion_count += content is Content.ONION
        return list(started)

    def publish_openly(self, item: Item, now: float) -> list[Event]:
        """Injects an item at once, as a scheme without onions does."""
        return self._inject(Content.ITEM, pad_item(item.encoding), now)

    # What others ask of our relay keys.

    def opened(self, packet: Packet, now: float) -> bool:
        """A packet has become open here: if its onion is for a relay key of ours, what is inside is held for a while.

        Returns whether it is.
        """
        if packet.content is not Content.ONION:
            return False
        opened = self.relays.open(packet, self._genesis.parameters.relay_day_at(self._genesis.epoch_at(now)))
        if opened is None:
            return False
        day, layer = opened
        if isinstance(layer, Delivered) and layer.payload.command is Command.LOOP:
            self.loops.returned(layer.payload.content)
        delay_s = exponential(self.pace(now).relay_delay_s, self._holding.random())
        self.relays.hold(day, layer, now + delay_s)
        return True

    def _relay(self, layer: Forwarded | Delivered, now: float) -> list[Event]:
        if isinstance(layer, Forwarded):
            self.tally.relayed_count += 1
            return self._inject(Content.ONION, layer.onion, now, relayed=True)
        if layer.payload.command is not Command.ITEM:
            return []
        try:
            item = Item.decode_untrusted(layer.payload.content)
            expired = self._holdings.store.is_below_floor(item)
            check_claims(item, self._genesis, epoch=self._genesis.epoch_at(now), expired=expired)
        except RemoteError:
            return []
        if item.item_id in self._holdings.store or self._holdings.is_displaced(item):
            return []
        self.tally.relayed_count += 1
        return self._inject(Content.ITEM, pad_item(item.encoding), now, relayed=True)

    # What has come back.

    def item_came(self, item_id: ItemId) -> None:
        """An item was accepted from the network, perhaps one of ours."""
        self.outbox.remove(item_id)

    def whisper_seen(self, payload: bytes) -> ItemId | None:
        """An onion has become open here; if it is the innermost one of a whisper of ours, this is everywhere now."""
        item_id = self._marks.pop(payload, None)
        if item_id is not None:
            self.outbox.remove(item_id)
        return item_id
