"""Frames: what two nodes say to each other over a link.

Each frame is a CBOR array whose first element tells its type. A link starts with a ``Hello`` each way; everything
else comes after it. Nothing here carries a time finer than the epoch, a hop count or a sender. Specified in
docs/protocol.md.
"""

from collections.abc import Collection
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from ..crypto.rings import ROOT_SIZE
from .bodies import SIGNATURE_SIZE
from .errors import Fault, Malformed, RemoteError
from .items import ITEM_SIZE_MAX
from .pace import PACKET_SIZE
from .roster import MEMBERS_MAX
from .wire import Bytes32, Bytes33, Count, Epoch, Message, decode_untrusted

__all__ = [
    "ANNOUNCE_IDS_MAX",
    "FRAME_SIZE_MAX",
    "ITEMS_FRAME_SIZE",
    "PACKETS_MAX",
    "WANT_IDS_MAX",
    "Announce",
    "Complaint",
    "Digest",
    "Frame",
    "Hello",
    "Items",
    "Packets",
    "Petition",
    "Reconcile",
    "RingDifference",
    "RingWanted",
    "Steer",
    "Stemmed",
    "Want",
    "decode_frame_untrusted",
    "version_in_common",
]

#: What this node speaks. Of those that both sides speak the highest is spoken.
VERSIONS: Final = (1,)
#: The largest frame is a batch of items or a reconciliation message; a friend can make us hold one of them a link.
FRAME_SIZE_MAX: Final = 128 * 1024
#: A frame of items is closed when it has reached this many bytes, so that a want is answered piece by piece and
#: other traffic gets its turn between the pieces.
ITEMS_FRAME_SIZE: Final = 32 * 1024
#: 16 kB of ids.
ANNOUNCE_IDS_MAX: Final = 512
#: What one friend may be asked for at once; the answer is at most 330 kB.
WANT_IDS_MAX: Final = 128
#: Packets in one frame: 32 kB, as of items.
PACKETS_MAX: Final = 8
#: A reconciliation message with the frame's own few bytes.
RECONCILE_SIZE_MAX: Final = 64 * 1024


class Hello(Message, frozen=True, tag=0):
    """Opens a link: who speaks what, in which mesh."""

    versions: Annotated[list[Count], msgspec.Meta(min_length=1, max_length=16)]
    mesh_id: Bytes32
    nonce: Bytes32
    """Fresh for each link; the side with the lower nonce starts the reconciliations."""


def version_in_common(theirs: Collection[int]) -> int:
    """The highest version that both sides speak. Raises ``RemoteError`` if there is none."""
    common = set(VERSIONS).intersection(theirs)
    if not common:
        raise RemoteError(Fault.WRONG_VERSION, "no version in common")
    return max(common)


class Digest(Message, frozen=True, tag=1):
    """The ring and the relay keys that the sender would post with now. Compared before posting."""

    epoch: Epoch
    ring_root: Bytes32
    relay_root: Bytes32
    """Of the relay keys that are eligible in the epoch."""


class Announce(Message, frozen=True, tag=2):
    """Items and packets that the sender has."""

    item_ids: Annotated[list[Bytes32], msgspec.Meta(min_length=1, max_length=ANNOUNCE_IDS_MAX)]


class Want(Message, frozen=True, tag=3):
    """Items and packets that the sender asks for."""

    item_ids: Annotated[list[Bytes32], msgspec.Meta(min_length=1, max_length=WANT_IDS_MAX)]


class Items(Message, frozen=True, tag=4):
    """Items that were asked for, each in its own encoding."""

    items: Annotated[
        list[Annotated[bytes, msgspec.Meta(max_length=ITEM_SIZE_MAX)]],
        msgspec.Meta(min_length=1, max_length=WANT_IDS_MAX),
    ]


class Reconcile(Message, frozen=True, tag=5):
    """One message of a set reconciliation."""

    collection: Annotated[int, msgspec.Meta(ge=0, le=3)]
    """0 for the mesh's records, 1 for items that expire, 2 for relay keys, 3 for packets."""
    session: Count
    """Counted by the side that starts them; an answer carries the number of what it answers."""
    message: Annotated[bytes, msgspec.Meta(min_length=1, max_length=RECONCILE_SIZE_MAX)]


class RingWanted(Message, frozen=True, tag=6):
    """Asks for the keys of a ring, as a difference against one that the sender knows."""

    root: Bytes32
    base_root: Annotated[bytes, msgspec.Meta(max_length=32)]
    """32 bytes, or none to ask for the whole ring."""


class RingDifference(Message, frozen=True, tag=7):
    """The keys of a ring against a base; against the empty base if the base asked for is unknown."""

    root: Bytes32
    base_root: Annotated[bytes, msgspec.Meta(max_length=32)]
    added: Annotated[list[Bytes33], msgspec.Meta(max_length=MEMBERS_MAX)]
    """Strictly ascending, like ``removed``."""
    removed: Annotated[list[Bytes33], msgspec.Meta(max_length=MEMBERS_MAX)]


class Petition(Message, frozen=True, tag=8):
    """Asks the friend who invited the sender to admit its key to the mesh."""

    key: Bytes33
    possession: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_SIZE, max_length=SIGNATURE_SIZE)]


class Complaint(Message, frozen=True, tag=9):
    """Says that something the receiver of this frame sent was refused, and why."""

    fault: Annotated[int, msgspec.Meta(ge=1, le=255)]
    """A ``Fault``, or one that only a later version knows."""


PacketBytes = Annotated[bytes, msgspec.Meta(min_length=PACKET_SIZE, max_length=PACKET_SIZE)]


class Packets(Message, frozen=True, tag=10):
    """Packets that were asked for."""

    packets: Annotated[list[PacketBytes], msgspec.Meta(min_length=1, max_length=PACKETS_MAX)]


class Stemmed(Message, frozen=True, tag=11):
    """A packet on its stem: to be handed on, and told to nobody until it is flooded."""

    packet: PacketBytes


class Steer(Message, frozen=True, tag=12):
    """A word about a packet, between strategies that steer each other. The stem has none."""

    packet_id: Bytes32
    word: Annotated[bytes, msgspec.Meta(min_length=1, max_length=8)]


Frame = (
    Hello
    | Digest
    | Announce
    | Want
    | Items
    | Reconcile
    | RingWanted
    | RingDifference
    | Petition
    | Complaint
    | Packets
    | Stemmed
    | Steer
)


def decode_frame_untrusted(data: bytes) -> Frame:
    """Reads one frame. Raises ``Malformed``."""
    frame: Frame = decode_untrusted(Frame, data, FRAME_SIZE_MAX)  # type: ignore[arg-type]
    if isinstance(frame, RingWanted | RingDifference) and len(frame.base_root) not in (0, ROOT_SIZE):
        raise Malformed("a part of a root")
    if isinstance(frame, RingDifference) and not (_ascend(frame.added) and _ascend(frame.removed)):
        raise Malformed("keys out of order")
    return frame


def _ascend(keys: list[bytes]) -> bool:
    return all(one < other for one, other in pairwise(keys))
