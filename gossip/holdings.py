"""Holdings: what this node has accepted, and all that follows from it.

Items and packets, the tags that they occupy, the members that they admit, the rings that they name and the relay keys
that they bring change together; this is the one place that changes them. Not a judge: what comes here has been
verified. Two items under one tag are settled here, so that every node ends with the same one, and what may not be kept
is remembered in ``refusals``. What was taken back goes, with the packets that showed it, and what members thought of an
item goes with the item.
"""

from collections.abc import Callable, Collection, Iterable

from ..crypto.membership import Ring
from ..crypto.seeds import commitment_of
from .board import Board
from .bodies import Kind
from .errors import RemoteError
from .events import Event, ItemAccepted, ItemRemoved, PacketKept, PacketRemoved
from .genesis import Genesis
from .idset import IdSet
from .items import Item, ItemId
from .packets import Content, Packet, unpad_item
from .quota import Displaced, TagIndex, counted_tag
from .refusals import Refusals
from .relay_book import RelayBook
from .roster import Roster
from .store import PACKETS, RELAY_KEYS, TRANSIENT, ItemStore

__all__ = ["Holdings"]


class Holdings:
    """The items of one node, with its roster."""

    def __init__(self, genesis: Genesis, id_set: Callable[[], IdSet] = IdSet) -> None:
        """``id_set`` makes the sets of ids, for a simulator whose nodes share what they can."""
        self._genesis = genesis
        self.store = ItemStore(genesis.parameters, id_set=id_set)
        self.roster = Roster(genesis)
        self.relay_book = RelayBook(genesis.parameters)
        self.board = Board()
        self._tags = TagIndex()
        self._refused = Refusals()

    def fork(self) -> "Holdings":
        """Holdings of the same items, for another node that starts with them; the two go their own ways."""
        other = Holdings(self._genesis)
        other.store, other.roster, other._tags = self.store.fork(), self.roster.fork(), self._tags.fork()
        other.relay_book = self.relay_book.fork()
        other.board = self.board.fork()
        other._refused = self._refused.fork()
        return other

    def restore(
        self, items: Iterable[Item], rings: Iterable[Collection[bytes]], packets: Iterable[Packet]
    ) -> None:
        """Takes back what was kept before a restart."""
        for keys in rings:
            self.roster.rings.restore(keys)
        records: list[Item] = []
        named: list[tuple[bytes, int]] = []
        for (
            item
        ) in items:  # Once, and letting go of each: all of them whole would take three times the memory.
            if item.kind is Kind.ADMISSION:
                records.append(item)
            else:
                self._enter(item)
                named.append((item.ring_root, item.epoch))
        for record in sorted(records, key=lambda record: record.epoch):
            self.store.add(record)
            self.roster.add(record)
            if not record.by_founder:
                self.roster.rings.name(record.ring_root, record.epoch, for_record=True)
        for root, epoch in named:
            self.roster.rings.name(root, epoch, for_record=False)
        for packet in packets:
            self._enter(packet)

    def _enter(self, item: Item | Packet) -> None:
        self.store.add(item)
        if isinstance(item, Item) and item.kind is Kind.RELAY_KEY:
            self.relay_book.add(item)
        else:
            self._tags.add(item)
        if isinstance(item, Item):
            self.board.add(item)

    def lacking(self, item_ids: Iterable[ItemId]) -> list[ItemId]:
        """Those of these ids that are neither held nor refused."""
        packets, store, refused = self.store.packets, self.store, self._refused
        return [
            item_id
            for item_id in item_ids
            if item_id not in packets and item_id not in store and item_id not in refused
        ]

    def refuse(self, item_id: ItemId, cause: bytes = b"") -> None:
        """No item under this id may be kept, whoever sends it, for good or for this cause (``refusals``)."""
        self._refused.add(item_id, cause)

    def is_refused(self, item_id: ItemId) -> bool:
        """Whether no item under this id may be kept, as far as is remembered."""
        return item_id in self._refused

    def holder(self, tag: bytes) -> Item | None:
        """The item under a tag that counts."""
        item_id = self._tags.holder(tag)
        return self.store.get(item_id) if item_id is not None else None

    def is_displaced(self, item: Item | Packet) -> bool:
        """Whether an item is held that this one would have to give way to, or that takes it back."""
        if (
            isinstance(item, Item)
            and item.commitment is not None
            and self.board.is_retracted(item.commitment)
        ):
            return True
        if isinstance(item, Item) and item.kind is Kind.ADMISSION:
            return False  # Rivals are kept, and the roster bounds them.
        if isinstance(item, Item) and item.kind is Kind.RELAY_KEY:
            return item.item_id not in self.store and not self.relay_book.has_room(item)
        try:
            self._tags.loser(item)
        except Displaced:
            return True
        return False

    def cause(self, item: Item | Packet) -> bytes:
        """For what an item is refused that is displaced: while it is taken back, or another has its slot."""
        if (
            isinstance(item, Item)
            and item.commitment is not None
            and self.board.is_retracted(item.commitment)
        ):
            return item.commitment
        return counted_tag(item)

    def keep(self, item: Item, ring: Ring | None) -> list[Event] | None:
        """Keeps a verified item, over this ring if it has one.

        Returns what is to be made durable, or None if it was not kept: it is held already, it has expired since it
        came, or it gives way to another.
        """
        if item.mark is not None and not self.board.takes(item.mark):
            return None
        if item.commitment is not None and self.board.is_retracted(item.commitment):
            self.refuse(item.item_id, item.commitment)
            return None
        events = self._keep(item)
        if events is None:
            return None
        self.board.add(item)
        events.append(ItemAccepted(item=item))
        if item.retraction is not None:
            events += self._take_back(commitment_of(item.retraction.opening))
        if not item.by_founder:
            self.roster.rings.name(item.ring_root, item.epoch, ring, for_record=item.kind is Kind.ADMISSION)
        if self.store.too_large(TRANSIENT):
            events += self._expire(TRANSIENT, self.store.floor(TRANSIENT))
        return events

    def _take_back(self, commitment: bytes) -> list[Event]:
        """What has this commitment is held no more, nor the packets that it came in."""
        # Its bytes are nowhere else, but in what others said to have their own packets dropped.
        carriers = [packet_id for packet_id, (_, data) in self.store.packets.items() if commitment in data]
        events: list[Event] = []
        for item_id in [*self.board.committed(commitment), *carriers]:
            events += self._forget(self.store.remove(item_id))
            self.refuse(item_id, commitment)
        return events

    def keep_packet(self, packet: Packet) -> list[Event] | None:
        """Keeps a verified packet; returns as ``keep``."""
        if self._is_taken_back(packet):
            self.refuse(packet.item_id)
            return None
        events = self._keep(packet)
        if events is None:
            return None
        events.append(PacketKept(packet=packet))
        if self.store.too_large(PACKETS):
            events += self._expire(PACKETS, self.store.floor(PACKETS))
        return events

    def _is_taken_back(self, packet: Packet) -> bool:
        """Whether it carries what was taken back: whoever missed the retraction may have it still, and announce it."""
        if packet.content is not Content.ITEM:
            return False
        try:
            commitment = Item.decode_untrusted(unpad_item(packet.payload)).commitment
        except RemoteError:
            return False
        return commitment is not None and self.board.is_retracted(commitment)

    def _keep(self, item: Item | Packet) -> list[Event] | None:
        if item.item_id in self.store or self.store.is_below_floor(item):
            return None
        events: list[Event] = []
        try:
            losers = self._make_way(item)
        except Displaced:
            self.refuse(item.item_id, counted_tag(item))
            return None
        for loser in losers:
            removed = self.store.remove(loser)
            events += self._forget(removed)
            self.refuse(loser, counted_tag(removed))
        self.store.add(item)
        return events

    def _make_way(self, item: Item | Packet) -> set[ItemId]:
        """Enters an item under its tag; returns what it displaces. Raises ``Displaced`` if it is to go itself."""
        if isinstance(item, Item) and item.kind is Kind.ADMISSION:
            dropped = self.roster.add(item)
            if dropped is None:
                raise Displaced
            return dropped
        if isinstance(item, Item) and item.kind is Kind.RELAY_KEY:
            if not self.relay_book.has_room(item):
                raise Displaced
            self.relay_book.add(item)
            return set()
        loser = self._tags.loser(item)
        self._tags.add(item)
        return {loser} if loser is not None else set()

    def expire(self, *, item_epoch: int, relay_epoch: int, packet_epoch: int) -> list[Event]:
        """Drops what is older than these epochs, and what is too much; returns what is to be made durable."""
        return [
            *self._expire(TRANSIENT, item_epoch),
            *self._expire(RELAY_KEYS, relay_epoch),
            *self._expire(PACKETS, packet_epoch),
        ]

    def _expire(self, collection: int, floor: int) -> list[Event]:
        return [event for item in self.store.expire(collection, floor) for event in self._forget(item)]

    def _forget(self, item: Item | Packet) -> list[Event]:
        """Something that the store has given up."""
        if (isinstance(item, Packet) or item.kind is not Kind.ADMISSION) and self._tags.remove(item):
            self._refused.lift(counted_tag(item))
        if isinstance(item, Packet):
            return [PacketRemoved(packet_id=item.item_id)]
        self.relay_book.remove(item)
        self.roster.rings.unname(item.ring_root)
        events: list[Event] = [ItemRemoved(item_id=item.item_id)]
        self.board.remove(item)
        if item.retraction is not None and not self.board.is_retracted(
            taken_back := commitment_of(item.retraction.opening)
        ):
            self._refused.lift(taken_back)
        if item.commitment is not None:
            # Marks on it may still come, and must not wait for what does not come back.
            self.refuse(item.item_id)
        for mark_id in list(self.board.marks_on(item.item_id)):
            # Nobody can tell what they are about any more. Some may have expired together with it.
            if mark_id in self.store:
                events += self._forget(self.store.remove(mark_id))
                self.refuse(mark_id, item.item_id)
        return events
