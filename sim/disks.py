"""Disks: what a host's durable events left behind, and nothing else; a host that crashes starts again from it."""

from dataclasses import dataclass, field, replace

from ..crypto.membership import Purpose
from ..gossip.engine import Engine
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
from ..gossip.items import Item, ItemId
from ..gossip.letters import Letter
from ..gossip.packets import Packet

__all__ = ["Disk", "SimulationError"]


class SimulationError(Exception):
    """The core did what it must never do; the message says what."""


@dataclass
class Disk:
    """The durable state of one host, beyond the records that every host starts with."""

    items: dict[ItemId, bytes] = field(default_factory=dict)
    packets: dict[ItemId, bytes] = field(default_factory=dict)
    slots: dict[tuple[Purpose, int, int], None] = field(default_factory=dict)
    outbox: dict[ItemId, OutboxAdded] = field(default_factory=dict)
    seeds: dict[ItemId, SeedKept] = field(default_factory=dict)
    letters: dict[ItemId, Letter] = field(default_factory=dict)
    rings: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    relay_keys: dict[int, RelayKeyMade] = field(default_factory=dict)
    spent: dict[tuple[int, bytes], None] = field(default_factory=dict)
    """Relay days and replay tags."""
    guard: GuardChosen | None = None

    def keep(self, event: Event) -> None:
        """Makes an event durable; one that is not durable changes nothing. Raises ``SimulationError``."""
        match event:
            case PacketKept(packet=packet):
                self.packets[packet.item_id] = packet.encoding
            case PacketRemoved(packet_id=packet_id):
                del self.packets[packet_id]
            case ItemAccepted(item=item):
                self.items[item.item_id] = item.encoding
            case ItemRemoved(item_id=item_id):
                self.items.pop(item_id, None)
            case SlotUsed(purpose=purpose, epoch=epoch, slot=slot):
                _demand((purpose, epoch, slot) not in self.slots, "a slot was used twice")
                self.slots[purpose, epoch, slot] = None
            case SlotsForgotten(purpose=purpose, epoch=epoch):
                self.slots = {used: None for used in self.slots if used[:2] != (purpose, epoch)}
            case OnionSpent(relay_day=day, replay_tag=tag):
                _demand((day, tag) not in self.spent, "an onion was relayed twice")
                self.spent[day, tag] = None
            case OnionsForgotten(relay_day=day):
                self.spent = {spent: None for spent in self.spent if spent[0] != day}
            case RelayKeyMade(relay_day=day):
                _demand(day not in self.relay_keys, "a second relay key was made for one day")
                self.relay_keys[day] = event
            case RelayKeyForgotten(relay_day=day):
                del self.relay_keys[day]
            case _:
                self._keep_own(event)

    def _keep_own(self, event: Event) -> None:
        match event:
            case OutboxAdded():
                self.outbox[event.item_id] = event
            case OutboxTurned(item_id=item_id, sent_count=count) if item_id in self.outbox:
                self.outbox[item_id] = replace(self.outbox[item_id], sent_count=count)
            case OutboxRemoved(item_id=item_id):
                self.outbox.pop(item_id, None)
            case SeedKept(item_id=item_id):
                self.seeds[item_id] = event
            case SeedsForgotten(item_ids=item_ids):
                for item_id in item_ids:
                    if item_id in self.outbox:
                        self.outbox[item_id] = replace(self.outbox[item_id], seed=b"")
                    else:
                        del self.seeds[item_id]
            case LetterKept(letter=letter):
                self.letters[letter.letter_id] = letter
            case LettersRead(letter_ids=letter_ids):
                for letter_id in letter_ids:
                    self.letters[letter_id] = replace(self.letters[letter_id], is_read=True)
            case LettersForgotten(letter_ids=letter_ids):
                for letter_id in letter_ids:
                    del self.letters[letter_id]
            case RingKept(ring_root=root, keys=keys):
                self.rings[root] = keys
            case RingForgotten(ring_root=root):
                self.rings.pop(root, None)
            case GuardChosen():
                self.guard = event

    def restore(self, engine: Engine, now: float, silent_until: int = 0) -> None:
        """Gives an engine what was made durable; ``silent_until`` as the engine's."""
        engine.restore(
            items=map(Item.decode_untrusted, self.items.values()),
            slots=self.slots,
            outbox=list(self.outbox.values()),
            now=now,
            rings=self.rings.values(),
            packets=map(Packet.decode_untrusted, self.packets.values()),
            relay_keys=list(self.relay_keys.values()),
            spent=[OnionSpent(relay_day=day, replay_tag=tag) for day, tag in self.spent],
            guard=self.guard,
            seeds=list(self.seeds.values()),
            silent_until=silent_until,
            letters=list(self.letters.values()),
        )


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SimulationError(f"The core broke a promise: {otherwise}.")
