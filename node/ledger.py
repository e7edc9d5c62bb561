"""The ledger: what an engine says must survive a crash, as rows of the store.

Turns durable events into changes of the store and back. What could show who the author of a secret is goes into the
fixed rows of the outbox (``outbox_rows``), and what was whispered into those of the letters (``letter_rows``): no table
gets a row by a post before the secret has come back from the network, and then everybody's does. A relay key's secret
half is overwritten on the disk when it is forgotten.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..crypto.curve import POINT_SIZE
from ..crypto.membership import Purpose
from ..gossip.events import (
    Event,
    GuardChosen,
    ItemAccepted,
    ItemRemoved,
    LetterKept,
    LettersForgotten,
    LettersRead,
    OnionsForgotten,
    OnionSpent,
    OutboxAdded,
    OutboxRemoved,
    OutboxTurned,
    PacketKept,
    PacketRemoved,
    RelayKeyForgotten,
    RelayKeyMade,
    RingForgotten,
    RingKept,
    SeedKept,
    SeedsForgotten,
    SlotsForgotten,
    SlotUsed,
)
from ..gossip.items import Item
from ..gossip.letters import Letter
from ..gossip.packets import Packet
from .letter_rows import LetterRows
from .outbox_rows import OutboxRows
from .storage.store import Change, Delete, Put, Store, Table

__all__ = ["Ledger", "Remembered"]

_GUARD = b"guard"
_SEED_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What an engine takes back after a restart."""

    items: Iterator[Item]
    """To be read once."""
    slots: list[tuple[Purpose, int, int]]
    outbox: list[OutboxAdded]
    seeds: list[SeedKept]
    letters: list[Letter]
    rings: list[list[bytes]]
    """The keys of each ring that was kept, 33 bytes each."""
    packets: Iterator[Packet]
    """To be read once."""
    relay_keys: list[RelayKeyMade]
    spent: list[OnionSpent]
    guard: GuardChosen | None


class Ledger:
    """One engine's durable state in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outbox = OutboxRows()
        self._letters = LetterRows()
        self._slots: dict[tuple[Purpose, int], set[int]] = {}
        self._spent: dict[int, set[bytes]] = {}

    async def load(self) -> Remembered:
        """Reads everything. Raises ``StoreError``."""
        encodings = list((await self._store.load(Table.RECORDS)).values())
        encodings += await self._read(Table.ITEMS)
        packets = await self._read(Table.PACKETS)
        for key in await self._store.load(Table.SLOTS):
            purpose, epoch, slot = _read_slot(key)
            self._slots.setdefault((purpose, epoch), set()).add(slot)
        slots = [(*place, slot) for place, used in self._slots.items() for slot in used]
        self._outbox.load(await self._store.load(Table.OUTBOX))
        slots += self._outbox.slots
        self._letters.load(await self._store.load(Table.LETTERS))
        rings = [
            [keys[start : start + POINT_SIZE] for start in range(0, len(keys), POINT_SIZE)]
            for keys in (await self._store.load(Table.RINGS)).values()
        ]
        spent = [_read_onion(key) for key in await self._store.load(Table.ONIONS)]
        for onion in spent:
            self._spent.setdefault(onion.relay_day, set()).add(onion.replay_tag)
        guard = await self._store.get(Table.PROFILE, _GUARD)
        return Remembered(
            items=map(Item.decode_untrusted, encodings),
            slots=slots,
            outbox=self._outbox.drafts,
            seeds=self._outbox.seeds,
            letters=self._letters.letters,
            rings=rings,
            packets=map(Packet.decode_untrusted, packets),
            relay_keys=[
                _read_relay_key(key, value)
                for key, value in (await self._store.load(Table.RELAY_KEYS)).items()
            ],
            spent=spent,
            guard=_read_guard(guard) if guard is not None else None,
        )

    async def _read(self, log: Table) -> list[bytes]:
        values: list[bytes] = []
        last = 0
        while page := await self._store.page(log, after=last):
            values += [row.value for row in page]
            last = page[-1].seq
        return values

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
            case ItemAccepted(item=item) if not item.is_personal:
                return [Put(Table.RECORDS, item.item_id, item.encoding)]
            case ItemAccepted(item=item):
                return [Put(Table.ITEMS, item.item_id, item.encoding, epoch=item.epoch)]
            case ItemRemoved(item_id=item_id):
                return [Delete(Table.ITEMS, item_id), Delete(Table.RECORDS, item_id)]
            case PacketKept(packet=packet):
                return [Put(Table.PACKETS, packet.item_id, packet.encoding, epoch=packet.epoch)]
            case PacketRemoved(packet_id=packet_id):
                return [Delete(Table.PACKETS, packet_id)]
            case RingKept(ring_root=root, keys=keys):
                return [Put(Table.RINGS, root, b"".join(keys))]
            case RingForgotten(ring_root=root):
                return [Delete(Table.RINGS, root)]
            case GuardChosen(seed=seed, until_day=day):
                return [Put(Table.PROFILE, _GUARD, seed + day.to_bytes(8, "big"))]
            case RelayKeyMade(relay_day=day, epoch=epoch, secret=secret):
                return [Put(Table.RELAY_KEYS, day.to_bytes(8, "big"), epoch.to_bytes(8, "big") + secret)]
            case RelayKeyForgotten(relay_day=day):
                return [Delete(Table.RELAY_KEYS, day.to_bytes(8, "big"))]
            case OnionSpent(relay_day=day, replay_tag=tag):
                self._spent.setdefault(day, set()).add(tag)
                return [Put(Table.ONIONS, day.to_bytes(8, "big") + tag, b"")]
            case OnionsForgotten(relay_day=day):
                tags = self._spent.pop(day, set())
                return [Delete(Table.ONIONS, day.to_bytes(8, "big") + tag) for tag in tags]
            case _:
                return self._slot_changes(event) + self._outbox_changes(event)

    def _slot_changes(self, event: Event) -> list[Change]:
        match event:
            case SlotUsed(purpose=Purpose.POST | Purpose.REPLY as purpose, epoch=epoch, slot=slot):
                return [self._outbox.mark(purpose, epoch, slot)]
            case SlotUsed(purpose=purpose, epoch=epoch, slot=slot):
                self._slots.setdefault((purpose, epoch), set()).add(slot)
                return [Put(Table.SLOTS, _slot_key(purpose, epoch, slot), b"")]
            case SlotsForgotten(purpose=purpose, epoch=epoch):
                self._outbox.forget(purpose, epoch)
                # Schema 1 kept the slots of secrets here, too.
                forgotten = self._slots.pop((purpose, epoch), set())
                return [Delete(Table.SLOTS, _slot_key(purpose, epoch, slot)) for slot in forgotten]
        return []

    def _outbox_changes(self, event: Event) -> list[Change]:
        match event:
            case OutboxAdded():
                return [self._outbox.fill(event)]
            case OutboxTurned(item_id=item_id, sent_count=sent_count):
                return [self._outbox.turn(item_id, sent_count), self._letters.turn()]
            case OutboxRemoved(item_id=item_id):
                emptied = self._outbox.empty(item_id)
                return [emptied] if emptied is not None else []
            case SeedKept():
                return [self._outbox.keep(event)]
            case SeedsForgotten(item_ids=item_ids):
                return list(self._outbox.unlink(item_ids))
            case LetterKept(letter=letter):
                return [self._letters.keep(letter)]
            case LettersRead(letter_ids=letter_ids):
                self._letters.read(letter_ids)
            case LettersForgotten(letter_ids=letter_ids):
                return list(self._letters.forget(letter_ids))
        return []


def _slot_key(purpose: Purpose, epoch: int, slot: int) -> bytes:
    return bytes([purpose]) + epoch.to_bytes(8, "big") + slot.to_bytes(4, "big")


def _read_slot(key: bytes) -> tuple[Purpose, int, int]:
    return Purpose(key[0]), int.from_bytes(key[1:9], "big"), int.from_bytes(key[9:], "big")


def _read_onion(key: bytes) -> OnionSpent:
    return OnionSpent(relay_day=int.from_bytes(key[:8], "big"), replay_tag=key[8:])


def _read_relay_key(key: bytes, value: bytes) -> RelayKeyMade:
    day, epoch = int.from_bytes(key, "big"), int.from_bytes(value[:8], "big")
    return RelayKeyMade(relay_day=day, epoch=epoch, secret=value[8:])


def _read_guard(value: bytes) -> GuardChosen:
    return GuardChosen(seed=value[:_SEED_SIZE], until_day=int.from_bytes(value[_SEED_SIZE:], "big"))
