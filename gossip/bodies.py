"""Bodies: what each kind of item says, which scopes its proof covers, and what the mesh allows of it.

A *secret* carries text and the one-time values that later items refer to; a *poll* is a secret with choices. A *reply*
stands in the thread of a secret, under the persona that its author has there. *Hearts*, *flags* and *votes* are marks:
one per member and target, and a later *turn* of the same member takes the place of an earlier one. A *retraction*
opens what a secret or a reply committed to, and takes it back. An *admission* carries a newcomer's key, a *relay key*
nothing about its owner.

The envelope around a body is in ``items``; whether what it claims holds is for ``claims`` and the verifier. Specified
in docs/protocol.md.
"""

import enum
import hashlib
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

import msgspec

from ..crypto import canonical, labels, membership
from ..crypto.membership import Purpose
from .genesis import MeshId, Parameters
from .text import CHOICES_MAX, CHOICES_MIN, is_tidy
from .wire import Bytes32, Bytes33, Epoch, Message, Slot

__all__ = [
    "BODIES",
    "SIGNATURE_SIZE",
    "STYLE_MAX",
    "TURN_MAX",
    "AdmissionBody",
    "Body",
    "FlagBody",
    "HeartBody",
    "Kind",
    "MarkBody",
    "PollBody",
    "RelayKeyBody",
    "ReplyBody",
    "RetractionBody",
    "SecretBody",
    "VoteBody",
    "slot_scope",
    "thread_nonce",
]

#: Bytes of a BIP-340 signature.
SIGNATURE_SIZE: Final = 64
#: Colours and patterns of a card; how they look is the page's affair.
STYLE_MAX: Final = 63
#: Times that a member may change its mind about a mark. Each takes a packet of every node.
TURN_MAX: Final = 7


class Kind(enum.IntEnum):
    """What an item is."""

    #: A text by a member, and by nobody in particular.
    SECRET = 1
    #: A newcomer's key.
    ADMISSION = 2
    #: A key to wrap onions with.
    RELAY_KEY = 3
    #: An answer in the thread of a secret.
    REPLY = 4
    #: A secret that asks a question.
    POLL = 5
    #: A heart for a secret or a reply.
    HEART = 6
    #: A word of warning about a secret or a reply.
    FLAG = 7
    #: An answer to a poll.
    VOTE = 8
    #: A secret or a reply is taken back.
    RETRACTION = 9


class Body(Message, frozen=True):
    """What all bodies have in common."""

    kind: ClassVar[Kind]
    scope_count: ClassVar[int] = 1

    @property
    def is_sound(self) -> bool:
        """Whether the form is right beyond what types say."""
        return True

    def scopes(self, mesh_id: MeshId, epoch: int) -> list[bytes]:
        """The scopes that the proof of an item with this body covers; the tag of the first one counts."""
        raise NotImplementedError

    def within_quota(self, parameters: Parameters, epoch: int) -> bool:  # noqa: ARG002
        """Whether the mesh allows it."""
        return True


def slot_scope(mesh_id: MeshId, purpose: Purpose, epoch: int, slot: int) -> bytes:
    """The scope of one slot of an epoch."""
    return membership.scope(mesh_id, purpose, epoch.to_bytes(8, "big") + slot.to_bytes(4, "big"))


class SecretBody(Body, frozen=True):
    """What a secret says."""

    kind: ClassVar[Kind] = Kind.SECRET
    scope_count: ClassVar[int] = 2

    slot: Slot
    """Which of the author's secrets of this epoch; drawn at random among the unused."""
    text: str
    style: Annotated[int, msgspec.Meta(ge=0, le=STYLE_MAX)]
    thread_nonce: Bytes32
    """Of the function of this name, so that no two threads share one."""
    reply_key: Bytes32
    """X25519, one-time; whispers are sealed to it."""
    retraction: Bytes32
    """Commitment whose opening takes the secret back."""

    @property
    def is_sound(self) -> bool:
        return is_tidy(self.text)

    @property
    def said(self) -> list[str]:
        """All that there is to read."""
        return [self.text]

    def scopes(self, mesh_id: MeshId, epoch: int) -> list[bytes]:
        return [
            slot_scope(mesh_id, Purpose.POST, epoch, self.slot),
            membership.scope(mesh_id, Purpose.THREAD, self.thread_nonce),
        ]

    def within_quota(self, parameters: Parameters, epoch: int) -> bool:  # noqa: ARG002
        return self.slot < parameters.secrets_per_epoch


class PollBody(SecretBody, frozen=True):
    """What a secret says that asks a question."""

    kind: ClassVar[Kind] = Kind.POLL

    choices: Annotated[list[str], msgspec.Meta(min_length=CHOICES_MIN, max_length=CHOICES_MAX)]

    @property
    def is_sound(self) -> bool:
        return is_tidy(self.text, self.choices)

    @property
    def said(self) -> list[str]:
        return [self.text, *self.choices]


class ReplyBody(Body, frozen=True):
    """What an answer says."""

    kind: ClassVar[Kind] = Kind.REPLY
    scope_count: ClassVar[int] = 2

    slot: Slot
    """Which of the author's replies and retractions of this epoch."""
    text: str
    thread_nonce: Bytes32
    """Of the secret that it answers."""
    retraction: Bytes32
    """As for a secret."""

    @property
    def is_sound(self) -> bool:
        return is_tidy(self.text)

    def scopes(self, mesh_id: MeshId, epoch: int) -> list[bytes]:
        return [
            slot_scope(mesh_id, Purpose.REPLY, epoch, self.slot),
            membership.scope(mesh_id, Purpose.THREAD, self.thread_nonce),
        ]

    def within_quota(self, parameters: Parameters, epoch: int) -> bool:  # noqa: ARG002
        return self.slot < parameters.replies_per_epoch


class MarkBody(Body, frozen=True):
    """What a member thinks of something."""

    purpose: ClassVar[Purpose]

    target: Bytes32
    """The id of the item."""
    turn: Annotated[int, msgspec.Meta(ge=0, le=TURN_MAX)]
    """How often this member has changed its mind: of two marks the later turn counts."""

    @property
    def is_set(self) -> bool:
        """Whether it counts: every second turn takes it back."""
        return self.turn % 2 == 0

    def scopes(self, mesh_id: MeshId, epoch: int) -> list[bytes]:  # noqa: ARG002
        return [membership.scope(mesh_id, self.purpose, self.target)]


class HeartBody(MarkBody, frozen=True):
    """A heart, or that it is taken back."""

    kind: ClassVar[Kind] = Kind.HEART
    purpose: ClassVar[Purpose] = Purpose.HEART


class FlagBody(MarkBody, frozen=True):
    """A flag, or that it is taken back."""

    kind: ClassVar[Kind] = Kind.FLAG
    purpose: ClassVar[Purpose] = Purpose.FLAG


class VoteBody(MarkBody, frozen=True):
    """A vote, which a later turn may change and cannot take back."""

    kind: ClassVar[Kind] = Kind.VOTE
    purpose: ClassVar[Purpose] = Purpose.VOTE

    choice: Annotated[int, msgspec.Meta(ge=0, lt=CHOICES_MAX)]
    """The place of the choice in the poll, from 0."""

    @property
    def is_set(self) -> bool:
        return True


class RetractionBody(Body, frozen=True):
    """That a secret or a reply is taken back."""

    kind: ClassVar[Kind] = Kind.RETRACTION

    slot: Slot
    """As in a reply: what nobody has to know the target of needs a quota of its own."""
    opening: Bytes32
    """Of the commitment in what is taken back."""

    def scopes(self, mesh_id: MeshId, epoch: int) -> list[bytes]:
        return [slot_scope(mesh_id, Purpose.REPLY, epoch, self.slot)]

    def within_quota(self, parameters: Parameters, epoch: int) -> bool:  # noqa: ARG002
        return self.slot < parameters.replies_per_epoch


class AdmissionBody(Body, frozen=True):
    """Who is admitted."""

    kind: ClassVar[Kind] = Kind.ADMISSION

    slot: Slot
    """Which of the sponsor's admissions of this epoch, or the founder's running number."""
    key: Bytes33
    """The newcomer's member key."""
    possession: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_SIZE, max_length=SIGNATURE_SIZE)]
    """Proof that the newcomer holds the key."""

    def scopes(self, mesh_id: MeshId, epoch: int) -> list[bytes]:
        return [slot_scope(mesh_id, Purpose.ADMIT, epoch, self.slot)]

    def within_quota(self, parameters: Parameters, epoch: int) -> bool:  # noqa: ARG002
        return self.slot < parameters.admissions_per_epoch


class RelayKeyBody(Body, frozen=True):
    """A relay key, with no word about its owner."""

    kind: ClassVar[Kind] = Kind.RELAY_KEY

    relay_day: Epoch
    """The day for which onions are wrapped with it."""
    key: Bytes32
    """X25519."""

    def scopes(self, mesh_id: MeshId, epoch: int) -> list[bytes]:  # noqa: ARG002
        return [membership.scope(mesh_id, Purpose.RELAY_KEY, self.relay_day.to_bytes(8, "big"))]

    def within_quota(self, parameters: Parameters, epoch: int) -> bool:
        """Whether it is of its day or the day before."""
        return self.relay_day - parameters.relay_day_at(epoch) in (0, 1)


BODIES: Final[dict[int, type[Body]]] = {
    body.kind: body
    for body in (
        SecretBody,
        AdmissionBody,
        RelayKeyBody,
        ReplyBody,
        PollBody,
        HeartBody,
        FlagBody,
        VoteBody,
        RetractionBody,
    )
}


def thread_nonce(slot_tag: bytes, reply_key: bytes, retraction: bytes, said: Sequence[str]) -> bytes:
    """What names the thread of a secret: 32 bytes. ``said`` is its text and, of a poll, the choices.

    It follows from the tag that the author alone leaves in the slot. If a nonce were free, somebody could repeat
    another's: members have one persona for each nonce, so whoever spoke in both threads, or wrote the one and spoke in
    the other, would be known again. And it follows from what is said: else an author could put another secret into the
    same slot, and what people had replied to the first would stand below the second.
    """
    encoded = canonical.encode(list(said))
    return hashlib.sha256(labels.THREAD + slot_tag + reply_key + retraction + encoded).digest()
