"""Items: the things that a mesh publishes, each signed by a membership proof.

An item is ``[version, kind, epoch, body, tags, proof, ring_root]``. Its id is the hash of all but the proof and the
ring, so that a proof made anew is not a new item; the proof's message is the encoding of ``[version, kind, epoch,
body]``. This module knows the envelope and what an item claims; what kinds there are is in ``bodies``, and whether a
claim holds is for ``intake`` to find out.

One of the founder's first admissions carries the founder's plain signature in place of a proof, an empty ring root and
no tags. Specified in docs/protocol.md.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, NewType

import msgspec

from ..crypto import labels, membership
from .bodies import (
    BODIES,
    SIGNATURE_SIZE,
    TURN_MAX,
    AdmissionBody,
    Body,
    Kind,
    MarkBody,
    PollBody,
    RelayKeyBody,
    ReplyBody,
    RetractionBody,
    SecretBody,
    VoteBody,
)
from .errors import Malformed, UnknownKind
from .genesis import MeshId, Parameters
from .wire import Bytes33, Epoch, Message, decode_untrusted, encode

__all__ = ["ITEM_SIZE_MAX", "Item", "ItemId", "message_of"]

ItemId = NewType("ItemId", bytes)

VERSION: Final = 1
#: The longest text, a proof of four tags in a ring of 1,024 (1,072 bytes), the tags again and the body's own fields
#: come to 2,400 bytes.
ITEM_SIZE_MAX: Final = 2_560
#: A proof of four tags in a ring of 1,024.
PROOF_SIZE_MAX: Final = membership.proof_size(1_024, 4)


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
    body: Any


class _NamedPart(Message, frozen=True):
    version: int
    kind: int
    epoch: int
    body: Any
    tags: tuple[bytes, ...]


class _WholeItem(Message, frozen=True):
    version: int
    kind: int
    epoch: int
    body: Any
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
        body_type = BODIES.get(raw.kind)
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
        if not self.body.is_sound:
            raise Malformed("a text that is empty, too long, not NFC or holds control characters")
        if self.by_founder:
            if self.kind is not Kind.ADMISSION or self.tags or len(self.proof) != SIGNATURE_SIZE:
                raise Malformed("only admissions may be signed by the founder")
            return
        if len(self.ring_root) != 32:
            raise Malformed("a ring root that is not 32 bytes")
        count = self.body.scope_count
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

    @property
    def secret(self) -> SecretBody | None:
        """The body of a secret or a poll; None for any other item."""
        return self.body if isinstance(self.body, SecretBody) else None

    @property
    def poll(self) -> PollBody | None:
        """The body of a poll; None for any other item."""
        return self.body if isinstance(self.body, PollBody) else None

    @property
    def reply(self) -> ReplyBody | None:
        """The body of a reply; None for any other item."""
        return self.body if isinstance(self.body, ReplyBody) else None

    @property
    def mark(self) -> MarkBody | None:
        """The body of a heart, a flag or a vote; None for any other item."""
        return self.body if isinstance(self.body, MarkBody) else None

    @property
    def retraction(self) -> RetractionBody | None:
        """The body of a retraction; None for any other item."""
        return self.body if isinstance(self.body, RetractionBody) else None

    @property
    def commitment(self) -> bytes | None:
        """What a retraction opens to take this back, 32 bytes; None for what cannot be taken back."""
        body = self.body
        return body.retraction if isinstance(body, SecretBody | ReplyBody) else None

    @property
    def is_personal(self) -> bool:
        """Whether a person said it; the rest are the mesh's own records, which nodes make by themselves."""
        return self.kind not in (Kind.ADMISSION, Kind.RELAY_KEY)

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
        return message_of(self.epoch, self.body)

    @cached_property
    def message_hash(self) -> bytes:
        """What settles which of two items under one tag is kept, see ``precedence``. Nobody signs it."""
        return hashlib.sha256(self.message).digest()

    @cached_property
    def precedence(self) -> bytes:
        """Of two items under one tag every node keeps the one in which this is lower."""
        return self.rank + self.message_hash

    @property
    def rank(self) -> bytes:
        """What comes before the hash: of marks a later turn, then of votes an earlier choice; of all else nothing.

        Two marks of one tag and rank count alike.
        """
        mark = self.mark
        if mark is None:
            return b""
        return bytes([TURN_MAX - mark.turn, mark.choice if isinstance(mark, VoteBody) else 0])

    @cached_property
    def item_id(self) -> ItemId:
        return _id_of(self)

    def scopes(self, mesh_id: MeshId) -> list[bytes]:
        """The scopes that the tags stand in, in order."""
        return self.body.scopes(mesh_id, self.epoch)

    def within_quota(self, parameters: Parameters) -> bool:
        """Whether the slot is one that the mesh allows; of a relay key, whether it is of its day or the day before."""
        if self.by_founder and self.admitted is not None:
            return 1 <= self.admitted.slot < parameters.founding_size
        return self.body.within_quota(parameters, self.epoch)


def _id_of(item: Item | _ItemMessage) -> ItemId:
    """The id, which does not depend on what the body means."""
    named = _NamedPart(
        version=VERSION, kind=item.kind, epoch=item.epoch, body=item.body, tags=tuple(item.tags)
    )
    return ItemId(hashlib.sha256(labels.ITEM + encode(named)).digest())


def message_of(epoch: int, body: Body) -> bytes:
    """The bytes that the proof of such an item signs."""
    return encode(_SignedPart(version=VERSION, kind=body.kind, epoch=epoch, body=body))
