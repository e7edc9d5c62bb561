"""Quotas: which slots we have used, and which tags we have seen.

A member proves each item in a scope of (epoch, slot) and so leaves the same tag whenever it uses a slot twice. The
*slot book* keeps our own node from doing so, across restarts too, since a slot is made durable before it is used, and
across the loss of a disk, since a node that was restored from a backup takes all slots of the epochs until then for
used. The *tag index* finds others who did: of two items under one tag every node keeps the one of the lower precedence,
whatever the order of arrival, which is the lower message hash, or of marks the higher rank. Not for admissions and
relay keys, of which rivals are kept (``roster``, ``relay_book``).
"""

from typing import Final

from ..crypto.membership import Purpose
from .genesis import Parameters
from .items import Item, ItemId
from .packets import Packet
from .randomness import RandomSource

__all__ = [
    "DISPLACED_MAX",
    "PACKETS_DISPLACED_MAX",
    "Displaced",
    "SlotBook",
    "TagIndex",
    "counted_tag",
    "founder_tag",
    "quota_of",
]


#: Times that an item in a slot gives way to another. A member may have signed any number, each with a lower hash than
#: the one before, and so fill the mesh out of one slot; of a few at random the lowest is left everywhere.
DISPLACED_MAX: Final = 8
#: The same for packets: of two the same one is left everywhere, and of more nobody cares.
PACKETS_DISPLACED_MAX: Final = 1
#: The same for marks of one rank, which count alike, so that tallies are equal whatever is left. A member may sign one
#: in each epoch, and marks take no slot: without a limit it could send thousands to everybody for each thing there is.
MARKS_DISPLACED_MAX: Final = 1
_HASH_SIZE: Final = 32


def quota_of(purpose: Purpose, parameters: Parameters) -> int:
    """Slots of this purpose that a member has in an epoch."""
    return {
        Purpose.POST: parameters.secrets_per_epoch,
        Purpose.REPLY: parameters.replies_per_epoch,
        Purpose.ADMIT: parameters.admissions_per_epoch,
    }[purpose]


class SlotBook:
    """The slots that this node has used."""

    def __init__(self) -> None:
        self._used: dict[tuple[Purpose, int], set[int]] = {}
        self.silent_until = 0
        """The first epoch of which slots are known; any of those before may be used, as far as we remember."""

    def mark(self, purpose: Purpose, epoch: int, slot: int) -> None:
        """Marks a slot as used; also how the book is restored after a restart."""
        self._used.setdefault((purpose, epoch), set()).add(slot)

    def left_count(self, purpose: Purpose, epoch: int, quota: int) -> int:
        if epoch < self.silent_until:
            return 0
        return quota - len(self._used.get((purpose, epoch), ()))

    def draw(self, purpose: Purpose, epoch: int, quota: int, random: RandomSource) -> int | None:
        """A random unused slot of the epoch, marked as used; None when the quota is spent.

        Slots are public, and used in order they would tell how many items a member has published.
        """
        used = self._used.get((purpose, epoch), set())
        unused = [slot for slot in range(quota) if slot not in used]
        if not unused or epoch < self.silent_until:
            return None
        slot = unused[random.randrange(len(unused))]
        self.mark(purpose, epoch, slot)
        return slot

    def forget_before(self, epoch: int, packet_epoch: int) -> list[tuple[Purpose, int]]:
        """Forgets epochs before ``epoch``, and of packets before ``packet_epoch``; returns what was forgotten."""
        gone = [key for key in self._used if key[1] < (packet_epoch if key[0] is Purpose.PACKET else epoch)]
        for key in gone:
            del self._used[key]
        return gone


class TagIndex:
    """Which item or packet holds which tag; for all but admissions and relay keys."""

    def __init__(self) -> None:
        self._holders: dict[bytes, tuple[bytes, ItemId, int]] = {}
        """By tag the precedence and the id of what holds it, and how many of its rank were displaced."""

    def fork(self) -> "TagIndex":
        """An index of the same holders."""
        other = TagIndex()
        other._holders = self._holders.copy()
        return other

    def loser(self, item: Item | Packet) -> ItemId | None:
        """The item that this one would displace, if any. Raises ``Displaced`` if it is itself the one to go."""
        held = self._holders.get(counted_tag(item))
        if held is None or held[1] == item.item_id:
            return None
        precedence = _precedence(item)
        if held[0] <= precedence or (held[2] >= _displaced_max(item) and _are_alike(held[0], precedence)):
            raise Displaced
        return held[1]

    def holder(self, tag: bytes) -> ItemId | None:
        """The item or packet under this tag."""
        held = self._holders.get(tag)
        return held[1] if held is not None else None

    def add(self, item: Item | Packet) -> None:
        tag = counted_tag(item)
        held, precedence = self._holders.get(tag), _precedence(item)
        displaced_count = 0
        if held is not None and _are_alike(held[0], precedence):
            displaced_count = held[2] + (held[1] != item.item_id)
        self._holders[tag] = precedence, item.item_id, displaced_count

    def remove(self, item: Item | Packet) -> bool:
        """An item is held no more; returns whether its tag is free now."""
        tag = counted_tag(item)
        held = self._holders.get(tag)
        if held is None or held[1] != item.item_id:
            return False
        del self._holders[tag]
        return True


def _precedence(item: Item | Packet) -> bytes:
    return item.message_hash if isinstance(item, Packet) else item.precedence


def _are_alike(one: bytes, other: bytes) -> bool:
    """Whether of these precedences nothing but the hash differs."""
    return one[:-_HASH_SIZE] == other[:-_HASH_SIZE]


def _displaced_max(item: Item | Packet) -> int:
    if isinstance(item, Packet):
        return PACKETS_DISPLACED_MAX
    return MARKS_DISPLACED_MAX if item.mark is not None else DISPLACED_MAX


class Displaced(Exception):
    """An item whose tag is held by one that stays. Nobody's fault: its sender may not know."""


def counted_tag(item: Item | Packet) -> bytes:
    """The tag that counts: the first one, of the quota. The founder's numbers count like tags."""
    if isinstance(item, Item) and item.by_founder and item.admitted is not None:
        return founder_tag(item.admitted.slot)
    return item.tags[0]


def founder_tag(number: int) -> bytes:
    """What stands for a tag on the admission to which the founder gave this number."""
    return b"founder" + number.to_bytes(4, "big")
