"""Invitations as a node keeps them: those that it gave, those that it pursues, and what a person is told of each.

Rows of the store and their limits, and no more: what happens with them is in ``befriending``, what an invitation is in
``rumor.crypto.invites``.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
import trio

from ..crypto.invites import Invitation
from ..gossip.wire import Message

__all__ = [
    "ANSWERS_MAX",
    "RECORD_SIZE_MAX",
    "REVEALS_MAX",
    "TAKEN_KEY_SIZE",
    "USES_MAX",
    "Given",
    "Pursuit",
    "Taken",
    "waiting",
]

#: A holder whose node missed our last word takes the invitation again, and sees new words each time. Who could do that
#: at will could look for words that begin like those of another connection.
USES_MAX: Final = 8
#: Who replaced an invitation on its way knows our words once we have answered, and may hang up before anything is
#: taken. So answers are counted before they are sent; after this many the invitation is void. A holder uses one, and
#: one more each time that its connection breaks at a bad moment.
ANSWERS_MAX: Final = 16
#: The same for one that we take up, whose words the other side knows once we have revealed our part. Our node tries
#: again by itself, so more bad moments are to be expected.
REVEALS_MAX: Final = 64
RECORD_SIZE_MAX: Final = 4_096
#: Given invitations are kept by the 32-byte node id of their holder, taken ones by their 16-byte secret.
TAKEN_KEY_SIZE: Final = 16


class Given(Message, frozen=True):
    """An invitation that we gave."""

    secret: bytes
    expires_at: int
    name: str
    sponsor: bool
    used_by: bytes = b""
    """The node that took it, or empty."""
    use_count: Annotated[int, msgspec.Meta(ge=0, le=USES_MAX)] = 0
    """How often it did."""
    answer_count: Annotated[int, msgspec.Meta(ge=0, le=ANSWERS_MAX)] = 0
    """How often somebody was shown our part of the words."""


class Taken(Message, frozen=True):
    """An invitation that we pursue."""

    uri: str
    name: str
    reveal_count: Annotated[int, msgspec.Meta(ge=0, le=REVEALS_MAX)] = 0
    """How often we have shown our part of the words."""


def waiting(reason: str) -> str:
    """What a person is told while the other node cannot be reached for this reason."""
    # The gate of a node lets in the holder of a live invitation and nobody else.
    if "hung up" in reason:
        return "their node does not know this invitation; it may have been used: ask for a new one"
    return f"waiting for them to be online ({reason})"


@dataclass(slots=True)
class Pursuit:
    """An invitation that we are taking up."""

    invitation: Invitation
    name: str
    reveal_count: int = 0
    """How often we have shown our part of the words, 0 to ``REVEALS_MAX``."""
    state: str = "trying to reach them"
    live: bool = True
    """Whether it is still tried."""
    tried: trio.Event = field(default_factory=trio.Event)

    def describe(self) -> dict[str, str]:
        """What ``rumor join`` prints."""
        return {"name": self.name or "the friend who invited you", "state": self.state}
