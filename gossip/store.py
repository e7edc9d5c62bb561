"""What this node holds, in memory, ready to be sent and reconciled.

Four collections stand apart, because they are kept for different times: records (admissions) for ever, relay keys for
their day, other items for the lifetime of items, packets for a few epochs. Each is a *shelf* with a floor, the lowest
epoch that is still kept whole, so that a reconciliation never asks for what was dropped; what exceeds a shelf's byte
limit goes oldest epoch first.

Only encodings are kept, since they are what is sent: an item taken apart takes three times the memory. Records are few
and often looked at, and stay whole.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from .bodies import Kind
from .genesis import BYTES_PER_EPOCH_MAX, Parameters
from .idset import IdSet
from .items import Item, ItemId
from .packets import Packet

__all__ = [
    "COLLECTIONS",
    "ITEMS_SIZE_MAX",
    "PACKETS",
    "PACKETS_SIZE_MAX",
    "PACKETS_SIZE_MIN",
    "PACKET_EPOCHS",
    "RECORDS",
    "RELAY_KEYS",
    "TRANSIENT",
    "ItemStore",
    "Shelf",
]

#: Bytes of encoded items in memory: about 30,000 secrets. A node is to stay under 200 MB in all.
ITEMS_SIZE_MAX: Final = 64 * 1024 * 1024
#: Epochs that packets are kept and accepted for: by then an author has sent another onion. There is room for so many at
#: the mesh's budget. With less than one the floor would pass the present epoch, and nothing would be taken any more.
PACKET_EPOCHS: Final = 4
#: Bytes of packets for which there is room in any mesh: four hours of 200 MB a day.
PACKETS_SIZE_MIN: Final = 32 * 1024 * 1024
#: No mesh takes more than this.
PACKETS_SIZE_MAX: Final = PACKET_EPOCHS * BYTES_PER_EPOCH_MAX

#: The collection of records, kept for ever.
RECORDS: Final = 0
#: The collection of items that expire.
TRANSIENT: Final = 1
#: The collection of relay keys, of this relay day and the next.
RELAY_KEYS: Final = 2
#: The collection of packets.
PACKETS: Final = 3
#: In the order of reconciliation: nothing else can be checked without the records.
COLLECTIONS: Final = (RECORDS, RELAY_KEYS, TRANSIENT, PACKETS)


class Shelf:
    """One collection: encodings by id, in the order of their epochs."""

    def __init__(self, ids: IdSet, size_max: int | None = None) -> None:
        self.entries: dict[ItemId, tuple[int, bytes]] = {}
        """Epoch and encoding."""
        self.ids = ids
        self.floor = 0
        """What is of earlier epochs is not kept."""
        self.size = 0
        """Bytes of all encodings."""
        self._size_max = size_max

    def fork(self) -> "Shelf":
        """A shelf that holds the same."""
        other = Shelf(self.ids.fork(), self._size_max)
        other.entries = self.entries.copy()
        other.floor, other.size = self.floor, self.size
        return other

    def add(self, item_id: ItemId, epoch: int, encoding: bytes) -> None:
        self.entries[item_id] = epoch, encoding
        self.ids.insert(epoch, item_id)
        self.size += len(encoding)

    def remove(self, item_id: ItemId) -> bytes:
        """Gives one up; returns its encoding. Raises ``KeyError`` if it is not held."""
        epoch, encoding = self.entries.pop(item_id)
        self.ids.remove(epoch, item_id)
        self.size -= len(encoding)
        return encoding

    @property
    def too_large(self) -> bool:
        """Whether ``expire`` would have to raise the floor."""
        return self._size_max is not None and self.size > self._size_max

    def expire(self, floor: int) -> list[bytes]:
        """Raises the floor to ``floor``, and further while too much is held; returns what was dropped."""
        self.floor = max(self.floor, floor)
        dropped = self._drop_below_floor()
        while self.too_large and self.entries:
            oldest, _ = next(iter(self.ids))
            self.floor = oldest + 1
            dropped += self._drop_below_floor()
        return dropped

    def _drop_below_floor(self) -> list[bytes]:
        if self.floor == 0:
            return []
        return [self.remove(ItemId(item_id)) for _, item_id in list(self.ids.entries(0, self.floor - 1))]


class ItemStore:
    """Items and packets by id, with the sorted sets that reconciliation needs."""

    def __init__(
        self, parameters: Parameters, size_max: int = ITEMS_SIZE_MAX, id_set: Callable[[], IdSet] = IdSet
    ) -> None:
        self._parameters = parameters
        packets_size_max = max(PACKETS_SIZE_MIN, PACKET_EPOCHS * parameters.bytes_per_epoch)
        self._records: dict[ItemId, Item] = {}
        self._shelves: tuple[Shelf, ...] = tuple(
            Shelf(id_set(), each_size_max) for each_size_max in (None, size_max, None, packets_size_max)
        )
        self._index()

    def fork(self) -> "ItemStore":
        """A store that holds the same; the encodings themselves are shared."""
        other = ItemStore(self._parameters)
        other._records = self._records.copy()
        other._shelves = tuple(shelf.fork() for shelf in self._shelves)
        other._index()
        return other

    def _index(self) -> None:
        self._entries = tuple(shelf.entries for shelf in self._shelves)
        self.packets: Mapping[ItemId, tuple[int, bytes]] = self._entries[PACKETS]
        """Epoch and encoding of each packet. Of all that is announced nearly all is here, so it is asked first."""
        self.sets = tuple(shelf.ids for shelf in self._shelves)
        """Indexed by collection."""

    def __len__(self) -> int:
        """Items, without packets."""
        return sum(map(len, self._entries[:PACKETS]))

    def __contains__(self, item_id: object) -> bool:
        if item_id in self.packets:
            return True
        records, transient, relay_keys, _ = self._entries
        return item_id in transient or item_id in records or item_id in relay_keys

    def _entry(self, item_id: ItemId) -> tuple[int, bytes] | None:
        return next((entries[item_id] for entries in self._entries if item_id in entries), None)

    @property
    def size(self) -> int:
        """Bytes of all encodings of items."""
        return sum(shelf.size for shelf in self._shelves[:PACKETS])

    @property
    def packet_count(self) -> int:
        return len(self.packets)

    def is_packet(self, item_id: ItemId) -> bool:
        """Whether it is a packet, and held."""
        return item_id in self.packets

    def floor(self, collection: int) -> int:
        """The lowest epoch of which this collection is kept; of relay keys, the first one of a day."""
        return self._shelves[collection].floor

    def place(self, item: Item | Packet) -> int:
        """The epoch under which an item is filed: of a relay key the first one of its day."""
        relay_key = item.relay_key if isinstance(item, Item) else None
        return item.epoch if relay_key is None else relay_key.relay_day * self._parameters.relay_day_epochs

    def is_below_floor(self, item: Item | Packet) -> bool:
        """Whether it is too old to be kept."""
        return self.place(item) < self.floor(_collection(item))

    def get(self, item_id: ItemId) -> Item | None:
        """The item, taken apart afresh if it is one that expires."""
        if item_id in self._records:
            return self._records[item_id]
        entry = None if self.is_packet(item_id) else self._entry(item_id)
        return Item.decode_untrusted(entry[1]) if entry is not None else None

    def encoding(self, item_id: ItemId) -> bytes | None:
        """The item or packet as it is sent."""
        entry = self._entry(item_id)
        return entry[1] if entry is not None else None

    def epoch(self, item_id: ItemId) -> int | None:
        """The epoch under which it is filed."""
        entry = self._entry(item_id)
        return entry[0] if entry is not None else None

    def records(self) -> Iterator[Item]:
        """All admissions, in the order of their epochs."""
        for _, item_id in self.sets[RECORDS]:
            yield self._records[ItemId(item_id)]

    def packets_apart(self) -> Iterator[Packet]:
        """All packets, each taken apart afresh."""
        for _, encoding in self.packets.values():
            yield Packet.decode_untrusted(encoding)

    def add(self, item: Item | Packet) -> None:
        if item.item_id in self:
            return
        if isinstance(item, Item) and item.kind is Kind.ADMISSION:
            self._records[item.item_id] = item
        self._shelves[_collection(item)].add(item.item_id, self.place(item), item.encoding)

    def remove(self, item_id: ItemId) -> Item | Packet:
        """Gives an item or a packet up. Raises ``KeyError`` for one that is not held."""
        for collection, entries in enumerate(self._entries):
            if item_id in entries:
                encoding = self._shelves[collection].remove(item_id)
                return self._records.pop(item_id, None) or _decode(collection, encoding)
        raise KeyError(item_id)

    def expire(self, collection: int, floor: int) -> list[Item | Packet]:
        """Raises a floor to ``floor``, and further while too much is held; returns what was dropped."""
        return [_decode(collection, encoding) for encoding in self._shelves[collection].expire(floor)]

    def too_large(self, collection: int) -> bool:
        """Whether ``expire`` would have to raise the floor."""
        return self._shelves[collection].too_large


def _collection(item: Item | Packet) -> int:
    if isinstance(item, Packet):
        return PACKETS
    return {Kind.ADMISSION: RECORDS, Kind.RELAY_KEY: RELAY_KEYS}.get(item.kind, TRANSIENT)


def _decode(collection: int, encoding: bytes) -> Item | Packet:
    return Packet.decode_untrusted(encoding) if collection == PACKETS else Item.decode_untrusted(encoding)
