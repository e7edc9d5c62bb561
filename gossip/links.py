"""Links: what the engine knows of each open connection.

    OPENED ── their hello, same mesh ──> READY
       └───── anything else ───────────> refused

A link counts what its friend did wrong. Each fault is answered with a complaint; a friend that keeps on is refused.
Ids that the friend is known to have are remembered for a while, so that they are not announced back.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from .catchup import CatchUp
from .errors import Fault
from .events import FriendId, LinkId
from .items import ItemId
from .wire import Message, encode

__all__ = ["FAULTS_MAX", "Link"]

#: A friend with a bug sends a few wrong messages; one that has sent this many over a link is not worth the work.
FAULTS_MAX: Final = 8
#: 16,384 ids are 1.5 MB a link.
KNOWN_IDS_MAX: Final = 16_384
#: Differences of clocks and of rosters are nobody's misbehaviour: told, not counted.
FORGIVEN: Final = frozenset({Fault.WRONG_EPOCH, Fault.WRONG_RING})
#: After these there is nothing more to say.
FATAL: Final = frozenset({Fault.WRONG_MESH, Fault.WRONG_VERSION})


@dataclass(slots=True)
class Link:
    """One open connection to a friend."""

    link_id: LinkId
    friend: FriendId
    nonce: bytes
    """The nonce of our hello."""
    catch_up: CatchUp | None = None
    """Set once their hello has come."""
    outgoing: list[bytes] = field(default_factory=list)
    """Encoded frames that the driver has not taken yet."""
    fault_count: int = 0
    known: OrderedDict[ItemId, None] = field(default_factory=OrderedDict)

    @property
    def ready(self) -> bool:
        """Whether hellos were exchanged."""
        return self.catch_up is not None

    def send(self, frame: Message) -> None:
        self.outgoing.append(encode(frame))

    def knows(self, item_ids: Iterable[ItemId]) -> None:
        """The friend has these."""
        for item_id in item_ids:
            self.known[item_id] = None
            self.known.move_to_end(item_id)
        while len(self.known) > KNOWN_IDS_MAX:
            self.known.popitem(last=False)

    def blame(self, fault: Fault) -> bool:
        """Counts a fault; returns whether the link is to be refused."""
        if fault not in FORGIVEN:
            self.fault_count += 1
        return fault in FATAL or self.fault_count >= FAULTS_MAX
