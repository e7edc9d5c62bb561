"""Packets: the one unit that is gossiped, 4,096 bytes whatever is inside.

A packet carries an onion or an item and the membership proof of whoever injected it, in the scope of one slot of an
epoch: so nobody injects more than the mesh's pace allows, and nobody learns who did. It is laid out in fixed places,
big endian:

    version u8 | content u8 | epoch u64 | slot u32 | ring_root 32 | proof_size u16 | proof, zeros to 973 | payload 3,075

Like an item's, its id covers neither the proof nor the ring. What an onion is, is the affair of ``crypto.onion``; how
packets travel, that of ``carriage``. Specified in docs/protocol.md.
"""

import enum
import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ..crypto import labels, membership
from ..crypto.membership import Purpose
from ..crypto.rings import RING_SIZE_MAX
from .errors import Malformed
from .genesis import MeshId
from .items import ITEM_SIZE_MAX, ItemId
from .pace import PACKET_SIZE

__all__ = ["PAYLOAD_SIZE", "Content", "Packet", "packet_scope", "pad_item", "unpad_item"]

VERSION: Final = 1
_HEAD: Final = struct.Struct(">BBQI")
_ROOT_SIZE: Final = 32
_TAG_SIZE: Final = 33
#: A proof of one tag in the largest ring.
_PROOF_SIZE_MAX: Final = membership.proof_size(RING_SIZE_MAX, 1)
_PROOF_AT: Final = _HEAD.size + _ROOT_SIZE + 2
_PAYLOAD_AT: Final = _PROOF_AT + _PROOF_SIZE_MAX
#: Bytes of an onion, and of the room for an item.
PAYLOAD_SIZE: Final = PACKET_SIZE - _PAYLOAD_AT
#: As for an item, an epoch on the wire is below 2^48.
_EPOCH_MAX: Final = 2**48 - 1

assert PAYLOAD_SIZE == 3_075
assert ITEM_SIZE_MAX + 2 <= PAYLOAD_SIZE


class Content(enum.IntEnum):
    """What a packet carries."""

    #: For one of the relays, and nobody knows which.
    ONION = 0
    #: For everybody.
    ITEM = 1


@dataclass(frozen=True)
class Packet:
    """A packet, well-formed but not necessarily true."""

    content: Content
    epoch: int
    slot: int
    ring_root: bytes
    """32 bytes."""
    proof: bytes
    """A membership proof with one tag."""
    payload: bytes
    """3,075 bytes."""

    @classmethod
    def decode_untrusted(cls, data: bytes) -> "Packet":
        """Reads a packet and checks its form. Raises ``Malformed``."""
        if len(data) != PACKET_SIZE:
            raise Malformed(f"a packet of {len(data)} bytes")
        version, content, epoch, slot = _HEAD.unpack_from(data)
        proof_size = int.from_bytes(data[_PROOF_AT - 2 : _PROOF_AT], "big")
        if version != VERSION or content > max(Content) or epoch > _EPOCH_MAX:
            raise Malformed("a packet of an unknown form")
        if not _TAG_SIZE <= proof_size <= _PROOF_SIZE_MAX:
            raise Malformed("a proof too short or too long")
        proof_end = _PROOF_AT + proof_size
        if data.count(0, proof_end, _PAYLOAD_AT) != _PAYLOAD_AT - proof_end:
            raise Malformed("a padding that is not zeros")
        root = data[_HEAD.size : _HEAD.size + _ROOT_SIZE]
        packet = cls(Content(content), epoch, slot, root, data[_PROOF_AT:proof_end], data[_PAYLOAD_AT:])
        packet.__dict__["encoding"] = data  # One copy in memory and not two.
        return packet

    @cached_property
    def encoding(self) -> bytes:
        """The whole packet, 4,096 bytes, as it travels and is kept."""
        proof_size = len(self.proof).to_bytes(2, "big")
        proof = self.proof.ljust(_PROOF_SIZE_MAX, b"\0")
        return b"".join((self._head, self.ring_root, proof_size, proof, self.payload))

    @cached_property
    def _head(self) -> bytes:
        return _HEAD.pack(VERSION, self.content, self.epoch, self.slot)

    @cached_property
    def tags(self) -> tuple[bytes, ...]:
        """The one tag, 33 bytes: of the injector's slot."""
        return (self.proof[:_TAG_SIZE],)

    @cached_property
    def message(self) -> bytes:
        """What the proof signs."""
        return self._head + self.payload

    @cached_property
    def message_hash(self) -> bytes:
        """Of two packets in one slot, every node keeps the one whose hash is lower. Nobody signs it."""
        return hashlib.sha256(self.message).digest()

    @cached_property
    def item_id(self) -> ItemId:
        """The id by which it is announced and asked for, as for an item."""
        return ItemId(hashlib.sha256(labels.PACKET + self._head + self.tags[0] + self.payload).digest())

    def scopes(self, mesh_id: MeshId) -> list[bytes]:
        """The scope that the tag stands in."""
        return [packet_scope(mesh_id, self.epoch, self.slot)]


def packet_scope(mesh_id: MeshId, epoch: int, slot: int) -> bytes:
    """The scope of one packet of a member in an epoch."""
    data = epoch.to_bytes(8, "big") + slot.to_bytes(4, "big")
    return membership.scope(mesh_id, Purpose.PACKET, data)


def pad_item(encoding: bytes) -> bytes:
    """An item as the payload of a packet: its length in two bytes, itself, zeros."""
    assert len(encoding) <= ITEM_SIZE_MAX
    return (len(encoding).to_bytes(2, "big") + encoding).ljust(PAYLOAD_SIZE, b"\0")


def unpad_item(payload: bytes) -> bytes:
    """The encoding of an item from such a payload. Raises ``Malformed``."""
    end = 2 + int.from_bytes(payload[:2], "big")
    if not 2 < end <= 2 + ITEM_SIZE_MAX or payload.count(0, end) != len(payload) - end:
        raise Malformed("a payload that is no item and zeros")
    return payload[2:end]
