"""The items that this node holds, in memory, ready to be sent and reconciled.

Records (admissions) and other items stand in two sets, since records are kept for ever and the others expire. What
exceeds the byte limit goes oldest epoch first; ``floor`` is the lowest epoch that is still kept whole, so that a
reconciliation never asks for what was dropped.
"""

from collections.abc import Iterator
from typing import Final

from .idset import IdSet
from .items import Item, ItemId, Kind

__all__ = ["ITEMS_SIZE_MAX", "RECORDS", "TRANSIENT", "ItemStore"]

#: Bytes of encoded items in memory: about 30,000 secrets. A node is to stay under 200 MB in all.
ITEMS_SIZE_MAX: Final = 64 * 1024 * 1024

#: The collection of records, kept for ever.
RECORDS: Final = 0
#: The collection of everything that expires.
TRANSIENT: Final = 1


class ItemStore:
    """Items by id, with the sorted sets that reconciliation needs."""

    def __init__(self, size_max: int = ITEMS_SIZE_MAX) -> None:
        self._items: dict[ItemId, Item] = {}
        self._size_max = size_max
        self.size = 0
        """Bytes of all encodings."""
        self.floor = 0
        """Transient items of earlier epochs are not kept."""
        self.sets = (IdSet(), IdSet())
        """Indexed by collection."""

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def get(self, item_id: ItemId) -> Item | None:
        return self._items.get(item_id)

    def records(self) -> Iterator[Item]:
        """All admissions, in the order of their epochs."""
        for _, item_id in self.sets[RECORDS]:
            yield self._items[ItemId(item_id)]

    def add(self, item: Item) -> None:
        if item.item_id in self._items:
            return
        self._items[item.item_id] = item
        self.size += len(item.encoding)
        self.sets[_collection(item)].insert(item.epoch, item.item_id)

    def remove(self, item_id: ItemId) -> Item:
        item = self._items.pop(item_id)
        self.size -= len(item.encoding)
        self.sets[_collection(item)].remove(item.epoch, item_id)
        return item

    def expire(self, floor: int) -> list[Item]:
        """Raises the floor to ``floor``, and further while too much is held; returns what was dropped."""
        self.floor = max(self.floor, floor)
        dropped = self._drop_below_floor()
        while self.size > self._size_max and len(self.sets[TRANSIENT]):
            oldest, _ = next(iter(self.sets[TRANSIENT]))
            self.floor = oldest + 1
            dropped += self._drop_below_floor()
        return dropped

    @property
    def too_large(self) -> bool:
        """Whether ``expire`` would have to raise the floor."""
        return self.size > self._size_max

    def _drop_below_floor(self) -> list[Item]:
        if self.floor == 0:
            return []
        gone = list(self.sets[TRANSIENT].entries(0, self.floor - 1))
        return [self.remove(ItemId(item_id)) for _, item_id in gone]


def _collection(item: Item) -> int:
    return RECORDS if item.kind is Kind.ADMISSION else TRANSIENT
