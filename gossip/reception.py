"""Reception: from an announcement to a verified item or packet.

    announced ── wanted, asked for ──> arrived ── form, claims, quota ──> queued ── proof ──> accepted
                       ^                   │           └── ring not known: parked until it is found
                       └── the next friend ┴── late, garbled, does not hold

Items, and packets that were asked for, go the whole way; an item out of a packet joins at the form, and a packet on its
stem, which ``stems`` looks at, at the queue. What is accepted goes back to the engine, and so does the blame. Bounded
by what each part bounds: wants by ids, the intake and the search for rings by friend. Specified in docs/protocol.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ..crypto.membership import Ring
from .allotment import Allotment
from .claims import check_claims, check_packet, is_final
from .codec import Codec
from .errors import Fault, RemoteError, UnknownKind
from .events import Job, LinkId, VerifyWanted
from .genesis import Genesis
from .holdings import Holdings
from .intake import Arrival, Intake, Way
from .items import Item, ItemId
from .orphans import Orphans
from .packets import Packet
from .ringsearch import RingSearch
from .wants import ITEMS_IN_FLIGHT_MAX, Wants

__all__ = ["Bench", "Reception"]


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
        self._holdings = holdings
        self._codec = codec
        self._bench = bench
        self._wants = Wants()
        self._intake = Intake()
        self.searches = RingSearch()
        """Items that wait for rings."""
        self._orphans = Orphans()
        """Marks on what is not here."""
        self._allotment = Allotment(genesis, holdings.roster)

    # Links.

    def link_opened(self, link: LinkId) -> None:
        self._wants.link_opened(link)

    def link_closed(self, link: LinkId) -> None:
        """What has arrived is still looked at; what waits for a ring of this friend is given up."""
        self._wants.link_closed(link)
        self._orphans.link_closed(link)
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

    def is_waiting(self, arrival: Arrival) -> bool:
        """Whether the same waits for a verifier already."""
        return arrival.key in self._intake

    def waiting_count(self, link: LinkId) -> int:
        """How much of this friend's waits for a verifier."""
        return self._intake.count(link)

    # Asking.

    def announced(self, link: LinkId, item_ids: Sequence[ItemId]) -> bool:
        """A friend has these; returns whether we lack any of them."""
        lacking = self._holdings.lacking(item_ids)
        if self._orphans:
            # What waits here was asked of this friend already; of another it may be the right copy.
            lacking = [item_id for item_id in lacking if not self._orphans.has(link, item_id)]
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
                self.refuse(item.item_id, self._holdings.cause(item))
            elif item.mark is not None and not self._holdings.board.takes(item.mark):
                self._targetless(arrival, ItemId(item.mark.target))
            else:
                self._queue(arrival, now)

    def _targetless(self, arrival: Arrival, target: ItemId) -> None:
        """A mark on what is not here: it waits for it, unless that never comes, or is nothing that one marks."""
        item_id = arrival.item.item_id
        if target in self._holdings.store:
            self.refuse(item_id)
            return
        if self._holdings.is_refused(target):
            self.refuse(item_id, target)
            return
        self._wants.done(item_id)
        self._orphans.put(arrival, target)

    def target_came(self, item_id: ItemId, now: float) -> None:
        """An item is kept now; what waited for it goes on."""
        for arrival in self._orphans.take(item_id):
            mark = arrival.item.mark if isinstance(arrival.item, Item) else None
            if mark is not None and not self._holdings.board.takes(mark):
                self.refuse(arrival.item.item_id)
                continue
            # Of several copies only one waits for a ring.
            if arrival.item.item_id not in self.searches or self.ring_of(arrival.item) is not None:
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
                self.refuse(packet.item_id, self._holdings.cause(packet))
                raise RemoteError(Fault.SLOT_TAKEN, "a second packet in one slot")
            self._queue(arrival, now)

    def _is_new(self, arrival: Arrival) -> bool:
        """Whether neither this copy is looked at already, nor another waits for a ring that this one would wait for."""
        if self.is_waiting(arrival):
            return False
        # No id covers the ring: a copy over a ring that does not exist must not stand in the way.
        return arrival.item.item_id not in self.searches or self.ring_of(arrival.item) is not None

    def _misclaimed(self, item: Item | Packet, link: LinkId, fault: Fault, expired: bool) -> None:
        if is_final(fault, expired=expired):
            self.refuse(item.item_id)
        else:
            self._wants.failed(link, item.item_id)

    def refuse(self, item_id: ItemId, cause: bytes = b"") -> None:
        """No copy of this can be right, nor any mark on it; nobody is asked for them any more, for this cause."""
        self._holdings.refuse(item_id, cause)
        self._wants.done(item_id)
        for arrival in self._orphans.take(item_id):
            self._holdings.refuse(arrival.item.item_id, item_id)

    def give_up(self, arrivals: Iterable[Arrival]) -> None:
        """Nobody can tell whether these hold; another friend's copy may name a ring that is known."""
        for arrival in arrivals:
            self._wants.failed(arrival.link, arrival.item.item_id)

    # Verifying.

    def _queue(self, arrival: Arrival, now: float) -> None:
        """Queues what came for the verifier if its ring is known, and parks it if not."""
        ring = self.ring_of(arrival.item)
        if ring is None:
            self.give_up(self.searches.park(arrival, now))
        else:
            self.verify(arrival, ring, now)

    def ring_of(self, item: Item | Packet) -> Ring | None:
        """The ring that this names, if it is known and may be named."""
        return self._holdings.roster.ring_by_root(item.ring_root, item.epoch)

    def verify(self, arrival: Arrival, ring: Ring, now: float) -> None:
        """Queues an arrival for the verifier, now that its ring is known."""
        item = arrival.item
        if isinstance(item, Packet):
            fault = self._allotment.fault_of(item, ring)
            if fault is not None:
                self.failed(arrival, fault, now)
                return
        elif item.is_personal and ring.size < self._genesis.parameters.members_min:
            self.failed(arrival, Fault.SMALL_RING, now)
            return
        self._intake.enqueue(arrival, ring)

    def retry(self, root: bytes | None, now: float) -> None:
        """Looks again for the ring with this root, or for some of all after a change of the roster."""
        find = self.ring_of
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
