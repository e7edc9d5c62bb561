"""Why befriending fails: the reasons on the wire, the error, and the sentences that people read.

Not the exchange itself (see `befriending`). `REFUSED [5, reason]` may come from either side at any time.
"""

from enum import IntEnum
from typing import Final

from . import canonical
from .errors import CryptoError

#: The kind of the message that refuses.
REFUSED: Final = 5


class Refusal(IntEnum):
    """Why befriending failed. The value is the reason on the wire."""

    #: A message that is none, or not now.
    MALFORMED = 1
    #: The other side speaks another version.
    VERSION = 2
    #: A commitment or a signature does not hold: somebody stands in between, or has another invitation.
    FORGED = 3
    #: The genesis is not that of the invitation.
    OTHER_MESH = 4
    #: The invitation has been used.
    USED = 5
    #: The invitation has expired.
    EXPIRED = 6
    #: The other side refused for a reason that this version does not know.
    OTHER = 7


_SENTENCES: Final = {
    Refusal.MALFORMED: "The two nodes did not understand each other.",
    Refusal.VERSION: "The two nodes run versions of Rumor that cannot befriend.",
    Refusal.FORGED: "The other node could not show that it is the one in the invitation.",
    Refusal.OTHER_MESH: "The other node belongs to another mesh than the invitation.",
    Refusal.USED: "This invitation has been used already: ask your friend for a new one.",
    Refusal.EXPIRED: "This invitation has expired: ask your friend for a new one.",
    Refusal.OTHER: "The other node refused.",
}


def encode_refusal(refusal: Refusal) -> bytes:
    """The message that refuses."""
    return canonical.encode([REFUSED, int(refusal)])


def decode_reason(code: int) -> Refusal:
    """The reason for a code from the wire; one that is not known here is `OTHER`."""
    return Refusal(code) if code in Refusal.__members__.values() else Refusal.OTHER


class BefriendingFailed(CryptoError):
    """Befriending has ended without a friend."""

    def __init__(self, refusal: Refusal, *, is_theirs: bool) -> None:
        super().__init__(_SENTENCES[refusal])
        #: Why.
        self.refusal = refusal
        #: Whether the other side refused; else we did.
        self.is_theirs = is_theirs
        #: What to send before closing, if we refused.
        self.reply = None if is_theirs else encode_refusal(refusal)
