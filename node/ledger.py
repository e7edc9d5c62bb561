"""The ledger: what an engine says must survive a crash, as rows of the store.

Turns durable events into changes of the store and back. An outbox row, which could show who the author of a secret
is, goes into one of a fixed number of rows of one size that were there before; when the secret is published the row is
overwritten. Slots are kept as long as the engine wants them, also those whose secret never left.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ..crypto.curve import POINT_SIZE
from ..crypto.membership import Purpose
from ..gossip.events import (
    Event,
    ItemAccepted,
    ItemRemoved,
    OutboxAdded,
    OutboxRemoved,
    RingForgotten,
    RingKept,
    SlotsForgotten,
    SlotUsed,
)
from ..gossip.items import Item, ItemId, Kind
from ..gossip.wire import Bytes32, Epoch, Message, Slot, decode_untrusted, encode
from .storage.store import (
    OUTBOX_ROW_COUNT,
    OUTBOX_VALUE_SIZE_MAX,
    Change,
    Delete,
    Put,
    Store,
    StoreError,
    Table,
    outbox_key,
)

__all__ = ["Ledger", "OutboxFull", "Remembered"]


class OutboxFull(StoreError):
    """Too many secrets of yours are waiting to be published. Wait until some have left."""


class _Row(Message, frozen=True):
    item_id: Bytes32
    epoch: Epoch
    slot: Slot
    text: str
    style: Annotated[int, msgspec.Meta(ge=0, le=63)]
    seed: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What an engine takes back after a restart."""

    items: Iterator[Item]
    """To be read once."""
    slots: list[tuple[Purpose, int, int]]
    outbox: list[OutboxAdded]
    rings: list[list[bytes]]
    """The keys of each ring that was kept, 33 bytes each."""


class Ledger:
    """One engine's durable state in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[ItemId, int] = {}
        self._slots: dict[tuple[Purpose, int], set[int]] = {}

    async def load(self) -> Remembered:
        """Reads everything. Raises ``StoreError``."""
        encodings = list((await self._store.load(Table.RECORDS)).values())
        last = 0
        while page := await self._store.items(after=last):
            encodings += [row.value for row in page]
            last = page[-1].seq
        slots = []
        for key in await self._store.load(Table.SLOTS):
            purpose, epoch, slot = _read_slot(key)
            slots.append((purpose, epoch, slot))
            self._slots.setdefault((purpose, epoch), set()).add(slot)
        outbox = []
        for key, value in (await self._store.load(Table.OUTBOX)).items():
            if value:
                row = _read_row(value)
                outbox.append(row)
                self._rows[row.item_id] = int.from_bytes(key, "big")
        rings = [
            [keys[start : start + POINT_SIZE] for start in range(0, len(keys), POINT_SIZE)]
            for keys in (await self._store.load(Table.RINGS)).values()
        ]
        return Remembered(
            items=map(Item.decode_untrusted, encodings), slots=slots, outbox=outbox, rings=rings
        )

    async def write(self, events: Iterable[Event]) -> None:
        """Makes the durable ones of these events durable, all together. Raises ``StoreError``."""
        if changes := self.changes(events):
            await self._store.commit(changes)

    def changes(self, events: Iterable[Event]) -> list[Change]:
        """What makes these events durable, for one commit that the caller sees to; ask once only."""
        changes: list[Change] = []
        for event in events:
            changes += self._changes(event)
        return changes

    def _changes(self, event: Event) -> Sequence[Change]:
        match event:
            case ItemAccepted(item=item):
                if item.kind is Kind.ADMISSION:
                    return [Put(Table.RECORDS, item.item_id, item.encoding)]
                return [Put(Table.ITEMS, item.item_id, item.encoding, epoch=item.epoch)]
            case ItemRemoved(item_id=item_id):
                return [Delete(Table.ITEMS, item_id), Delete(Table.RECORDS, item_id)]
            case SlotUsed(purpose=purpose, epoch=epoch, slot=slot):
                self._slots.setdefault((purpose, epoch), set()).add(slot)
                return [Put(Table.SLOTS, _slot_key(purpose, epoch, slot), b"")]
            case SlotsForgotten(purpose=purpose, epoch=epoch):
                forgotten = self._slots.pop((purpose, epoch), set())
                return [Delete(Table.SLOTS, _slot_key(purpose, epoch, slot)) for slot in forgotten]
            case RingKept(ring_root=root, keys=keys):
                return [Put(Table.RINGS, root, b"".join(keys))]
            case RingForgotten(ring_root=root):
                return [Delete(Table.RINGS, root)]
            case OutboxAdded():
                return [self._fill_row(event)]
            case OutboxRemoved(item_id=item_id) if item_id in self._rows:
                return [Delete(Table.OUTBOX, outbox_key(self._rows.pop(item_id)))]
        return []

    def _fill_row(self, row: OutboxAdded) -> Put:
        taken = set(self._rows.values())
        free = next((index for index in range(OUTBOX_ROW_COUNT) if index not in taken), None)
        if free is None:
            raise OutboxFull(str(OutboxFull.__doc__))
        self._rows[row.item_id] = free
        value = encode(
            _Row(
                item_id=row.item_id,
                epoch=row.epoch,
                slot=row.slot,
                text=row.text,
                style=row.style,
                seed=row.seed,
            )
        )
        return Put(Table.OUTBOX, outbox_key(free), value)


def _read_row(value: bytes) -> OutboxAdded:
    row = decode_untrusted(_Row, value, OUTBOX_VALUE_SIZE_MAX)
    return OutboxAdded(
        item_id=ItemId(row.item_id),
        epoch=row.epoch,
        slot=row.slot,
        text=row.text,
        style=row.style,
        seed=row.seed,
    )


def _slot_key(purpose: Purpose, epoch: int, slot: int) -> bytes:
    return bytes([purpose]) + epoch.to_bytes(8, "big") + slot.to_bytes(4, "big")


def _read_slot(key: bytes) -> tuple[Purpose, int, int]:
    return Purpose(key[0]), int.from_bytes(key[1:9], "big"), int.from_bytes(key[9:], "big")
