"""Reception: from an announcement to a verified item or packet.

    announced ── wanted, asked for ──> arrived ── form, claims, quota ──> queued ── proof ──> accepted
                       ^                   │           └── ring not known: parked until it is found
                       └── the next friend ┴── late, garbled, does not hold

Items, and packets that were asked for, go the whole way; a packet on its stem and an item out of a packet join at the
form. What is accepted goes back to the engine, and so does the blame. Bounded by what each part bounds: wants by ids,
the intake and the search for rings by friend. Specified in docs/protocol.md.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from ..crypto.membership import Ring
from .answers import HALF, Allowance
from .claims import check_claims, check_packet, is_final
from .codec import Codec
from .errors import Fault, RemoteError, UnknownKind
from .events import Job, LinkId, VerifyWanted
from .genesis import Genesis
from .holdings import Holdings
from .intake import Arrival, Intake, Way
from .items import Item, ItemId, Kind
from .pace import PACKET_SIZE, Pace
from .packets import Packet
from .ringsearch import RingSearch
from .wants import ITEMS_IN_FLIGHT_MAX, Wants

__all__ = ["Bench", "Reception"]

#: Packets of one friend that wait for a verifier on their stem: 256 kB. A friend hands on one in several seconds.
STEMS_WAITING_MAX: Final = 64
#: Stems of one link that come to nothing, because they are known, late or too many, before they count as misbehaviour:
#: what queues hold when a flood overtakes them. Each costs us some 20 microseconds.
VAIN_STEMS_BURST_COUNT: Final = 64
#: The same from then on, in packets that the whole mesh injects: nobody hands on each of them in vain, and twice.
VAIN_STEMS_SHARE: Final = 2.0
#: The same a second, at least.
VAIN_STEMS_RATE_MIN: Final = 1.0
_DAY_S: Final = 86_400


class Bench(Protocol):
    """Who judges friends and keeps what holds: the engine."""

    def blame(self, link: LinkId, fault: Fault, now: float) -> None:
        """This friend did wrong; a link that is gone is passed over."""
        ...

    def is_open(self, link: LinkId) -> bool:
        """Whether the link is still there."""
        ...

    def accept(self, item: Item, source: LinkId, now: float, ring: Ring | None, way: Way) -> None:
        """This item holds, and came this way."""
        ...


class Reception:
    """What is on its way in, over all links."""

    def __init__(self, genesis: Genesis, holdings: Holdings, codec: Codec, bench: Bench) -> None:
        self._genesis = genesis
        self._mesh_id = genesis.mesh_id
        self._quotas: dict[int, int] = {}
        """Slots of a member in an epoch, by the size of the ring."""
        self._holdings = holdings
        self._codec = codec
        self._bench = bench
        self._wants = Wants()
        self._intake = Intake()
        self.searches = RingSearch()
        """Items that wait for rings."""
        packets_per_s = genesis.parameters.bytes_per_day / PACKET_SIZE / _DAY_S
        self._vain_stems_rate = max(VAIN_STEMS_RATE_MIN, VAIN_STEMS_SHARE * packets_per_s)
        self._vain_stems: dict[LinkId, Allowance] = {}

    # Links.

    def link_opened(self, link: LinkId) -> None:
        self._wants.link_opened(link)
        self._vain_stems[link] = Allowance(VAIN_STEMS_BURST_COUNT - HALF, self._vain_stems_rate)

    def link_closed(self, link: LinkId) -> None:
        """What has arrived is still looked at; what waits for a ring of this friend is given up."""
        self._wants.link_closed(link)
        del self._vain_stems[link]
        self.give_up(self.searches.link_closed(link))

    def link_refused(self, link: LinkId) -> None:
        """Drops what a friend that broke the protocol sent; ``link_closed`` is to follow."""
        self.give_up(self._intake.link_refused(link))

    def timer(self) -> float | None:
        return self._wants.timer()

    def handle_timer(self, now: float) -> None:
        """Gives up on friends that did not answer."""
        self._wants.handle_timer(now)

    @property
    def is_busy(self) -> bool:
        """Whether there may be something to ask for, or to verify."""
        return bool(self._wants.eager_links or self._intake.waiting)

    # Asking.

    def announced(self, link: LinkId, item_ids: Sequence[ItemId]) -> bool:
        """A friend has these; returns whether we lack any of them."""
        lacking = self._holdings.lacking(item_ids)
        if lacking:
            # A friend that was asked for a ring announces the records that it is made of: without them nothing moves.
            self._wants.announced(link, lacking, urgent=self.searches.count(link) > 0)
        return bool(lacking)

    def requests(self, now: float) -> Iterator[tuple[LinkId, list[ItemId]]]:
        """The ids to ask each friend for now; they count as asked from here on."""
        for link in self._wants.eager():
            waiting = self._wants.in_flight_count(link) + self._intake.count(link) + self.searches.count(link)
            asking = self._wants.requests(link, ITEMS_IN_FLIGHT_MAX - waiting, now)
            if asking:
                yield link, asking

    def has_another(self, link: LinkId, item_id: ItemId) -> bool:
        """Whether another friend has announced the id."""
        return self._wants.has_another(link, item_id)

    def done(self, item_id: ItemId) -> None:
        """It is kept, or nobody is to be asked for it."""
        self._wants.done(item_id)

    # Taking.

    def items_came(self, link: LinkId, encodings: Iterable[bytes], now: float) -> None:
        """A friend sent items."""
        for encoding in encodings:
            try:
                self._item_came(link, encoding, now)
            except RemoteError as error:
                self._bench.blame(link, error.fault, now)
                if not self._bench.is_open(link):
                    return

    def _item_came(self, link: LinkId, encoding: bytes, now: float) -> None:
        try:
            item = Item.decode_untrusted(encoding)
        except UnknownKind as unknown:
            if not self._wants.arrived(link, ItemId(unknown.item_id)):
                raise
            # Of a later version. Whoever has it is not to blame that we do not know what it is.
            self.refuse(ItemId(unknown.item_id))
            return
        if not self._wants.arrived(link, item.item_id):
            raise RemoteError(Fault.UNEXPECTED, "an item that was not asked for")
        self.take(item, link, now)

    def packets_came(self, link: LinkId, encodings: Iterable[bytes], now: float) -> None:
        """A friend sent packets."""
        for encoding in encodings:
            try:
                packet = self._codec.packet_untrusted(encoding)
                if not self._wants.arrived(link, packet.item_id):
                    raise RemoteError(Fault.UNEXPECTED, "a packet that was not asked for")
                self._take_packet(packet, link, now)
            except RemoteError as error:
                self._bench.blame(link, error.fault, now)
                if not self._bench.is_open(link):
                    return

    def take(self, item: Item, link: LinkId, now: float, way: Way = Way.ASKED) -> None:
        """Checks everything about an item that costs little, then queues it for the rest. Raises ``RemoteError``."""
        expired = self._holdings.store.is_below_floor(item)
        try:
            check_claims(item, self._genesis, epoch=self._genesis.epoch_at(now), expired=expired)
        except RemoteError as error:
            self._misclaimed(item, link, error.fault, expired)
            raise
        if item.item_id in self._holdings.store:
            self._wants.done(item.item_id)
        elif self._is_new(arrival := Arrival(item, link, way)):
            if item.by_founder:
                self._bench.accept(item, link, now, None, way)
                self._wants.done(item.item_id)
            elif self._holdings.is_displaced(item):
                self.refuse(item.item_id)
            else:
                self._queue(arrival, now)

    def _take_packet(self, packet: Packet, link: LinkId, now: float) -> None:
        """The same for a packet that we asked for; whoever injected it, it is taken alike."""
        expired = self._holdings.store.is_below_floor(packet)
        try:
            check_packet(packet, epoch=self._genesis.epoch_at(now), expired=expired)
        except RemoteError as error:
            self._misclaimed(packet, link, error.fault, expired)
            raise
        if packet.item_id in self._holdings.store:
            self._wants.done(packet.item_id)
        elif self._is_new(arrival := Arrival(packet, link)):
            if self._holdings.is_displaced(packet):
                self.refuse(packet.item_id)
                raise RemoteError(Fault.SLOT_TAKEN, "a second packet in one slot")
            self._queue(arrival, now)

    def take_stem(
        self, encoding: bytes, link: LinkId, now: float, is_known_from: Callable[[ItemId, LinkId], bool]
    ) -> None:
        """A friend hands on a packet. Raises ``RemoteError``."""
        packet = self._codec.packet_untrusted(encoding)
        try:
            if self._take_stem(packet, link, now, is_known_from):
                return
        except RemoteError:
            self._count_vain_stem(link, now)
            raise
        self._count_vain_stem(link, now)

    def _take_stem(
        self, packet: Packet, link: LinkId, now: float, is_known_from: Callable[[ItemId, LinkId], bool]
    ) -> bool:
        """Returns whether it is looked at any further. Raises ``RemoteError``."""
        expired = self._holdings.store.is_below_floor(packet)
        check_packet(packet, epoch=self._genesis.epoch_at(now), expired=expired)
        if self._holdings.is_displaced(packet):
            raise RemoteError(Fault.SLOT_TAKEN, "a second packet in one slot")
        arrival = Arrival(packet, link, Way.STEM)
        if is_known_from(packet.item_id, link) or arrival.key in self._intake:
            return False
        ring = self._ring_of(packet)
        # Over a ring that is not known here it goes no further; whoever handed it on floods it after a while.
        if ring is None or self._intake.count(link) >= STEMS_WAITING_MAX:
            return False
        self.verify(arrival, ring, now)
        return True

    def _count_vain_stem(self, link: LinkId, now: float) -> None:
        """Raises ``RemoteError`` if there are too many of them."""
        allowance = self._vain_stems[link]
        if now < allowance.free_at():
            raise RemoteError(Fault.UNEXPECTED, "stems that come to nothing, again and again")
        allowance.spend(1, now)

    def _is_new(self, arrival: Arrival) -> bool:
        """Whether neither this copy is looked at already, nor another waits for a ring that this one would wait for."""
        if arrival.key in self._intake:
            return False
        # No id covers the ring: a copy over a ring that does not exist must not stand in the way.
        return arrival.item.item_id not in self.searches or self._ring_of(arrival.item) is not None

    def _misclaimed(self, item: Item | Packet, link: LinkId, fault: Fault, expired: bool) -> None:
        if is_final(fault, expired=expired):
            self.refuse(item.item_id)
        else:
            self._wants.failed(link, item.item_id)

    def refuse(self, item_id: ItemId) -> None:
        """No copy of this can be right; nobody is asked for it any more."""
        self._holdings.refuse(item_id)
        self._wants.done(item_id)

    def give_up(self, arrivals: Iterable[Arrival]) -> None:
        """Nobody can tell whether these hold; another friend's copy may name a ring that is known."""
        for arrival in arrivals:
            self._wants.failed(arrival.link, arrival.item.item_id)

    # Verifying.

    def _queue(self, arrival: Arrival, now: float) -> None:
        """Queues what came for the verifier if its ring is known, and parks it if not."""
        ring = self._ring_of(arrival.item)
        if ring is None:
            self.give_up(self.searches.park(arrival, now))
        else:
            self.verify(arrival, ring, now)

    def _ring_of(self, item: Item | Packet) -> Ring | None:
        return self._holdings.roster.ring_by_root(item.ring_root, item.epoch)

    def verify(self, arrival: Arrival, ring: Ring, now: float) -> None:
        """Queues an arrival for the verifier, now that its ring is known."""
        item = arrival.item
        if isinstance(item, Packet):
            fault = self._over_quota(item, ring)
            if fault is not None:
                self.failed(arrival, fault, now)
                return
        elif item.kind is Kind.SECRET and ring.size < self._genesis.parameters.members_min:
            self.failed(arrival, Fault.SMALL_RING, now)
            return
        self._intake.enqueue(arrival, ring)

    def _over_quota(self, packet: Packet, ring: Ring) -> Fault | None:
        """What is wrong with the slot of a packet, if anything is.

        The smaller the ring, the more slots it has, and a member may name a ring of a few friends in a young mesh. So a
        ring that is less than half of ours has no more slots than half of ours; in a mesh that has just doubled that
        strikes honest packets too, so it is nobody's fault.
        """
        ours = self._holdings.roster.ring_at(packet.epoch)
        size, fault = ring.size, Fault.OVER_QUOTA
        if ours is not None and 2 * size < ours.size:
            size, fault = ours.size // 2, Fault.WRONG_RING
        quota = self._quotas.get(size)
        if quota is None:
            quota = self._quotas[size] = Pace.of(self._genesis.parameters, size).packets_per_epoch
        return fault if packet.slot >= quota else None

    def retry(self, root: bytes | None, now: float) -> None:
        """Looks again for the ring with this root, or for some of all after a change of the roster."""
        find = self._ring_of
        found = self.searches.found(find) if root is None else self.searches.try_root(root, find)
        for arrival, ring in list(found):
            self.verify(arrival, ring, now)

    def failed(self, arrival: Arrival, fault: Fault, now: float) -> None:
        """What arrived does not hold; the friend is blamed unless it could not know."""
        if arrival.way is Way.ASKED:
            self._wants.failed(arrival.link, arrival.item.item_id)
        if arrival.way is not Way.CARRIED:
            self._bench.blame(arrival.link, fault, now)

    def work(self) -> Iterator[VerifyWanted]:
        """The batches to be verified now."""
        while (batch := self._intake.next_batch()) is not None:
            batch_id, ring, arrivals = batch
            jobs = [
                Job(
                    proof=arrival.item.proof,
                    scopes=arrival.item.scopes(self._mesh_id),
                    message=arrival.item.message,
                )
                for arrival in arrivals
            ]
            yield VerifyWanted(batch_id=batch_id, ring=ring, jobs=jobs)

    def finish(self, batch_id: int) -> tuple[Ring, list[Arrival]]:
        """A batch came back from the verifier."""
        return self._intake.finish(batch_id)
