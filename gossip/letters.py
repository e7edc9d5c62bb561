"""Letters: what has been whispered, as it is kept here, and how one of ours waits to leave.

Not items: they are on nobody else's disk but the two's, are announced to nobody and have no proof. What is inside on
the way is in ``crypto.whispers``; the conversations that letters make are in ``whispers``.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import msgspec

from ..crypto.whispers import CONTENT_SIZE_MAX
from .items import ItemId
from .wire import Bytes32, Message

__all__ = ["Letter", "SealedLetter", "Whisper", "conversation_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter of a conversation, from us or to us."""

    letter_id: ItemId
    """The MAC of the whisper, 32 bytes."""
    about: ItemId
    """The secret that the conversation began with."""
    own_key: bytes
    """Ours in this conversation, 32 bytes."""
    own_secret: bytes = field(default=b"", repr=False)
    """Its secret half, if we are the whisperer; the author's follows from the seed of the secret."""
    other_key: bytes
    """The other's, 32 bytes."""
    epoch: int
    """In which it was written, or came."""
    place: int
    """Ascending in the order in which letters were written or came."""
    is_own: bool
    is_read: bool = False
    """Always, of our own."""
    text: str = field(repr=False)
    """Nothing, in a stop."""

    @property
    def is_stop(self) -> bool:
        """Whether nothing was said here: a note that somebody is not listened to any more, see ``stops``."""
        return not self.text

    @property
    def conversation_id(self) -> bytes:
        """Names the conversation, here and nowhere else."""
        return conversation_id(self.own_key, self.other_key)


def conversation_id(own_key: bytes, other_key: bytes) -> bytes:
    """32 bytes: half of each key, which nobody can choose both to fit.

    The other's stands first, since people name a conversation by its first digits, and an author has one key for all
    who whisper about a secret.
    """
    return other_key[:16] + own_key[:16]


class SealedLetter(Message, frozen=True):
    """A letter of ours on its way out: what stands in a row of the outbox, and in no item."""

    kind: ClassVar[int] = 0

    own_key: Bytes32
    recipient: Bytes32
    """The key that the last layer of its onion is for."""
    content: Annotated[bytes, msgspec.Meta(max_length=CONTENT_SIZE_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisper:
    """A sealed letter among the items in the outbox, where it waits, leaves and is retried like a secret."""

    item_id: ItemId
    """The letter's."""
    epoch: int
    letter: SealedLetter

    kind: ClassVar[None] = None
    relay_key: ClassVar[None] = None
    admitted: ClassVar[None] = None
    is_personal: ClassVar[bool] = True
