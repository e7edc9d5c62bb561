"""Items: the things that a mesh publishes, each signed by a membership proof.

An item is ``[version, kind, epoch, body, tags, proof, ring_root]``. Its id is the hash of all but the proof and the
ring, so that a proof made anew is not a new item; the proof's message is the encoding of ``[version, kind, epoch,
body]``. This module knows the formats and what an item claims; whether a claim holds is for ``intake`` to find out.

Three kinds exist so far. A *secret* carries text and the one-time values that later items refer to. An *admission*
carries a newcomer's key; one of the founder's first admissions carries the founder's plain signature in place of a
proof, an empty ring root and no tags. A *relay key* is a member's key for one relay day, and nobody knows whose.
Specified in docs/protocol.md.
"""

import enum
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, NewType

import msgspec

from ..crypto import labels, membership
from ..crypto.membership import Purpose
from .errors import Malformed, UnknownKind
from .genesis import MeshId, Parameters
from .wire import Bytes32, Bytes33, Epoch, Message, Slot, decode_untrusted, encode

__all__ = [
    "ITEM_SIZE_MAX",
    "TEXT_SIZE_MAX",
    "AdmissionBody",
    "Item",
    "ItemId",
    "Kind",
    "RelayKeyBody",
    "SecretBody",
    "tidy_text",
]

ItemId = NewType("ItemId", bytes)

VERSION: Final = 1
#: Bytes of UTF-8 in a secret.
TEXT_SIZE_MAX: Final = 1_000
#: The longest text, a proof of four tags in a ring of 1,024 (1,072 bytes), the tags again and the body's own fields
#: come to 2,400 bytes.
ITEM_SIZE_MAX: Final = 2_560
#: Bytes of a BIP-340 signature.
SIGNATURE_SIZE: Final = 64
#: A proof of four tags in a ring of 1,024.
PROOF_SIZE_MAX: Final = membership.proof_size(1_024, 4)
#: Colours and patterns of a card; how they look is the page's affair.
STYLE_MAX: Final = 63

#: Unicode's category Cc, which is fixed for ever, but for the line feed.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Kind(enum.IntEnum):
    """What an item is."""

    #: A text by a member, and by nobody in particular.
    SECRET = 1
    #: A newcomer's key.
    ADMISSION = 2
    #: A key to wrap onions with.
    RELAY_KEY = 3


class SecretBody(Message, frozen=True):
    """What a secret says."""

    slot: Slot
    """Which of the author's secrets of this epoch; drawn at random among the unused."""
    text: str
    style: Annotated[int, msgspec.Meta(ge=0, le=STYLE_MAX)]
    thread_nonce: Bytes32
    reply_key: Bytes32
    """X25519, one-time; whispers are sealed to it."""
    retraction: Bytes32
    """Commitment whose opening takes the secret back."""


class AdmissionBody(Message, frozen=True):
    """Who is admitted."""

    slot: Slot
    """Which of the sponsor's admissions of this epoch, or the founder's running number."""
    key: Bytes33
    """The newcomer's member key."""
    possession: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_SIZE, max_length=SIGNATURE_SIZE)]
    """Proof that the newcomer holds the key."""


class RelayKeyBody(Message, frozen=True):
    """A relay key, with no word about its owner."""

    relay_day: Epoch
    """The day for which onions are wrapped with it."""
    key: Bytes32
    """X25519."""


Body = SecretBody | AdmissionBody | RelayKeyBody
_BODIES: Final[dict[int, type[SecretBody] | type[AdmissionBody] | type[RelayKeyBody]]] = {
    Kind.SECRET: SecretBody,
    Kind.ADMISSION: AdmissionBody,
    Kind.RELAY_KEY: RelayKeyBody,
}
_SCOPE_COUNT: Final = {Kind.SECRET: 2, Kind.ADMISSION: 1, Kind.RELAY_KEY: 1}


class _ItemMessage(Message, frozen=True):
    version: Annotated[int, msgspec.Meta(ge=VERSION, le=VERSION)]
    kind: Annotated[int, msgspec.Meta(ge=1, le=255)]
    epoch: Epoch
    body: list[Any]
    tags: Annotated[list[Bytes33], msgspec.Meta(max_length=4)]
    proof: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_SIZE, max_length=PROOF_SIZE_MAX)]
    ring_root: Annotated[bytes, msgspec.Meta(max_length=32)]


class _SignedPart(Message, frozen=True):
    version: int
    kind: int
    epoch: int
    body: Body


class _NamedPart(Message, frozen=True):
    version: int
    kind: int
    epoch: int
    body: Body | list[Any]
    tags: tuple[bytes, ...]


class _WholeItem(Message, frozen=True):
    version: int
    kind: int
    epoch: int
    body: Body
    tags: tuple[bytes, ...]
    proof: bytes
    ring_root: bytes


@dataclass(frozen=True)
class Item:
    """An item, well-formed but not necessarily true."""

    kind: Kind
    epoch: int
    body: Body
    tags: tuple[bytes, ...]
    """33 bytes each, in the order of ``scopes``; none on a founder's admission."""
    proof: bytes
    """A membership proof, or the founder's 64-byte signature."""
    ring_root: bytes
    """32 bytes; empty on a founder's admission."""

    @classmethod
    def decode_untrusted(cls, data: bytes) -> "Item":
        """Reads an item and checks its form. Raises ``Malformed``, of a later version's kind ``UnknownKind``."""
        raw = decode_untrusted(_ItemMessage, data, ITEM_SIZE_MAX)
        body_type = _BODIES.get(raw.kind)
        if body_type is None:
            raise UnknownKind(_id_of(raw))
        try:
            body = msgspec.convert(raw.body, body_type, builtin_types=(bytes,), strict=True)
        except msgspec.ValidationError as error:
            raise Malformed(f"the body of kind {raw.kind}: {error}") from error
        item = cls(Kind(raw.kind), raw.epoch, body, tuple(raw.tags), raw.proof, raw.ring_root)
        if item.encoding != data:
            raise Malformed("not the one encoding of this item")
        item.__dict__["encoding"] = data  # One copy in memory and not two.
        item._check_form()
        return item

    def _check_form(self) -> None:
        if isinstance(self.body, SecretBody) and tidy_text(self.body.text) != self.body.text:
            raise Malformed("a text that is empty, too long, not NFC or holds control characters")
        if self.by_founder:
            if self.kind is not Kind.ADMISSION or self.tags or len(self.proof) != SIGNATURE_SIZE:
                raise Malformed("only admissions may be signed by the founder")
            return
        if len(self.ring_root) != 32:
            raise Malformed("a ring root that is not 32 bytes")
        count = _SCOPE_COUNT[self.kind]
        if len(self.tags) != count or b"".join(self.tags) != self.proof[: 33 * count]:
            raise Malformed("tags that are not those of the proof")

    @property
    def by_founder(self) -> bool:
        """Whether the founder signed this plainly."""
        return not self.ring_root

    @property
    def admitted(self) -> AdmissionBody | None:
        """The body of an admission; None for any other item."""
        return self.body if isinstance(self.body, AdmissionBody) else None

    @property
    def relay_key(self) -> RelayKeyBody | None:
        """The body of a relay key; None for any other item."""
        return self.body if isinstance(self.body, RelayKeyBody) else None

    @cached_property
    def encoding(self) -> bytes:
        """The whole item, as it travels and is kept."""
        return encode(
            _WholeItem(
                version=VERSION,
                kind=self.kind,
                epoch=self.epoch,
                body=self.body,
                tags=self.tags,
                proof=self.proof,
                ring_root=self.ring_root,
            )
        )

    @cached_property
    def message(self) -> bytes:
        """What the proof signs."""
        return message_of(self.kind, self.epoch, self.body)

    @cached_property
    def message_hash(self) -> bytes:
        """Of two items under one tag, every node keeps the one whose hash is lower. Nobody signs it."""
        return hashlib.sha256(self.message).digest()

    @cached_property
    def item_id(self) -> ItemId:
        return _id_of(self)

    def scopes(self, mesh_id: MeshId) -> list[bytes]:
        """The scopes that the tags stand in, in order."""
        return scopes_of(mesh_id, self.epoch, self.body)

    def within_quota(self, parameters: Parameters) -> bool:
        """Whether the slot is one that the mesh allows; of a relay key, whether it is of its day or the day before."""
        if isinstance(self.body, SecretBody):
            return self.body.slot < parameters.secrets_per_epoch
        if isinstance(self.body, RelayKeyBody):
            return self.body.relay_day - parameters.relay_day_at(self.epoch) in (0, 1)
        if self.by_founder:
            return 1 <= self.body.slot < parameters.founding_size
        return self.body.slot < parameters.admissions_per_epoch


def _id_of(item: Item | _ItemMessage) -> ItemId:
    """The id, which does not depend on what the body means."""
    named = _NamedPart(
        version=VERSION, kind=item.kind, epoch=item.epoch, body=item.body, tags=tuple(item.tags)
    )
    return ItemId(hashlib.sha256(labels.ITEM + encode(named)).digest())


def message_of(kind: Kind, epoch: int, body: Body) -> bytes:
    """The bytes that the proof of such an item signs."""
    return encode(_SignedPart(version=VERSION, kind=kind, epoch=epoch, body=body))


def scopes_of(mesh_id: MeshId, epoch: int, body: Body) -> list[bytes]:
    """The scopes that the proof of an item with this body covers, in order."""
    if isinstance(body, RelayKeyBody):
        return [membership.scope(mesh_id, Purpose.RELAY_KEY, body.relay_day.to_bytes(8, "big"))]
    slot_data = epoch.to_bytes(8, "big") + body.slot.to_bytes(4, "big")
    if isinstance(body, SecretBody):
        return [
            membership.scope(mesh_id, Purpose.POST, slot_data),
            membership.scope(mesh_id, Purpose.THREAD, body.thread_nonce),
        ]
    return [membership.scope(mesh_id, Purpose.ADMIT, slot_data)]


def tidy_text(text: str) -> str | None:
    """The text as it may be published, or None if it may not.

    Normalised to NFC, surrounding white space gone, tabs expanded, every line break a line feed. None if nothing
    is left, if it takes more than ``TEXT_SIZE_MAX`` bytes of UTF-8, or if it holds any other control character
    (terminals obey them) or a lone surrogate.
    """
    tidy = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4))
    tidy = tidy.strip()
    try:
        size = len(tidy.encode("utf-8"))
    except UnicodeEncodeError:
        return None
    if not 1 <= size <= TEXT_SIZE_MAX:
        return None
    return None if _CONTROL.search(tidy) else tidy
