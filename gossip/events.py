"""Events: what the engine tells its driver.

Three sorts. *Durable* events change what must survive a crash: the driver writes them before any frame that the
engine produced at the same time leaves. *Work* asks for costly cryptography and is answered later by a call into the
engine. The rest is news.
"""

from dataclasses import dataclass, field
from typing import NewType

from ..crypto.membership import Purpose, Ring
from .bodies import Body
from .errors import Fault
from .items import Item, ItemId
from .letters import Letter, SealedLetter
from .packets import Packet

__all__ = [
    "Complained",
    "Event",
    "FriendId",
    "GuardChosen",
    "ItemAccepted",
    "ItemRemoved",
    "Job",
    "LetterKept",
    "LettersForgotten",
    "LettersRead",
    "LinkId",
    "LinkRefused",
    "OnionSpent",
    "OnionsForgotten",
    "OutboxAdded",
    "OutboxRemoved",
    "OutboxTurned",
    "PacketKept",
    "PacketRemoved",
    "ProofWanted",
    "RelayKeyForgotten",
    "RelayKeyMade",
    "RingForgotten",
    "RingKept",
    "RosterChanged",
    "SeedKept",
    "SeedsForgotten",
    "SlotUsed",
    "SlotsForgotten",
    "Sponsored",
    "VerifyWanted",
]

FriendId = NewType("FriendId", bytes)
LinkId = NewType("LinkId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAccepted:
    """Durable: an item was verified and is kept."""

    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRemoved:
    """Durable: an item has expired, was evicted or lost a conflict of tags."""

    item_id: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotUsed:
    """Durable: a slot is spent, whether or not what it was drawn for ever leaves."""

    purpose: Purpose
    epoch: int
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotsForgotten:
    """Durable: the slots of an epoch that is long over need not be kept."""

    purpose: Purpose
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxAdded:
    """Durable: something of ours is to be published."""

    item_id: ItemId
    epoch: int
    body: Body | SealedLetter = field(repr=False)
    seed: bytes = field(default=b"", repr=False)
    """32 bytes that all one-time values of a secret or a reply derive from; whoever has them can show who the author
    is. Nothing for what has no such values."""
    sent_count: int = 0
    """Onions that have left with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxTurned:
    """Durable: the own clock has ticked. One row of the outbox, and one of the letters, is written anew at each tick,
    whatever left."""

    item_id: ItemId | None
    """What of ours in the outbox leaves; None for anything else."""
    sent_count: int = 0
    """Onions that have left with it, this one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRemoved:
    """Durable: it has come back from the network, is given up, or was withdrawn; the seed is to be forgotten."""

    item_id: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedKept:
    """Durable: something of ours is published, and its author may still go on with it."""

    item_id: ItemId
    epoch: int
    seed: bytes = field(repr=False)
    """As in ``OutboxAdded``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedsForgotten:
    """Durable: these are to be unlinked from us; their seeds are to be overwritten on the disk, also of what waits."""

    item_ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterKept:
    """Durable: a letter was whispered to us, or one of ours is to be."""

    letter: Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersRead:
    """Durable, but not at once, since a write of its own would show that somebody reads: these were read."""

    letter_ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersForgotten:
    """Durable: these letters are to be overwritten on the disk."""

    letter_ids: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketKept:
    """Durable: a packet was verified and is open to friends."""

    packet: Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRemoved:
    """Durable: a packet is too old, one too many, or lost its slot to another."""

    packet_id: ItemId


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayKeyMade:
    """Durable: we have a relay key for a day."""

    relay_day: int
    epoch: int
    """Of its record; the same however often the record is made."""
    secret: bytes = field(repr=False)
    """32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayKeyForgotten:
    """Durable: the day of grace is over; the secret half is to be erased."""

    relay_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnionSpent:
    """Durable: we have relayed an onion, and will not a second time."""

    relay_day: int
    """Of the key that opened it."""
    replay_tag: bytes
    """16 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnionsForgotten:
    """Durable: no onion of this day can be opened any more."""

    relay_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardChosen:
    """Durable: what the choice of the guard follows from."""

    seed: bytes = field(repr=False)
    """32 bytes."""
    until_day: int
    """Day since 1970 on which it is drawn anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sponsored:
    """Durable: the friend whom we invited is admitted, and may petition for no second key."""

    friend: FriendId


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKept:
    """Durable: an item here names a ring that does not follow from the records; newcomers will ask for it."""

    ring_root: bytes
    """32 bytes."""
    keys: tuple[bytes, ...]
    """33 bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingForgotten:
    """Durable: no item names such a ring any more, or it is one too many."""

    ring_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofWanted:
    """Work: prove with the member's secret; answer with ``Engine.proof_made``."""

    item_id: ItemId
    ring: Ring
    scopes: list[bytes]
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One proof to verify."""

    proof: bytes
    scopes: list[bytes]
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyWanted:
    """Work: verify a batch of proofs over one ring; answer with ``Engine.verified``."""

    batch_id: int
    ring: Ring
    jobs: list[Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChanged:
    """News: the mesh has another number of members."""

    member_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Complained:
    """News: a friend's message was refused, or a friend refused one of ours."""

    link: LinkId
    fault: Fault | None
    """None if the friend named one that this version does not know."""
    ours: bool
    """Whether the friend complained about us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRefused:
    """The driver is to close this link; the engine has already forgotten it."""

    link: LinkId
    fault: Fault


Event = (
    ItemAccepted
    | ItemRemoved
    | SlotUsed
    | SlotsForgotten
    | OutboxAdded
    | OutboxTurned
    | OutboxRemoved
    | SeedKept
    | SeedsForgotten
    | LetterKept
    | LettersRead
    | LettersForgotten
    | PacketKept
    | PacketRemoved
    | RelayKeyMade
    | RelayKeyForgotten
    | OnionSpent
    | OnionsForgotten
    | GuardChosen
    | Sponsored
    | RingKept
    | RingForgotten
    | ProofWanted
    | VerifyWanted
    | RosterChanged
    | Complained
    | LinkRefused
)
