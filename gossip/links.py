"""Links: what the engine knows of each open connection.

    OPENED ── their hello, same mesh ──> READY
       └───── anything else ───────────> refused

What a friend does wrong is counted by friend, so that a new link is no clean slate, and forgotten with time. Each
fault is answered with a complaint; a friend that keeps on is refused.
Ids that the friend is known to have are remembered for a while, so that they are not announced back.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from .answers import HALF, Allowance, Answers
from .backlog import Backlog
from .catchup import CatchUp
from .errors import Fault
from .events import FriendId, LinkId
from .items import ItemId
from .wire import Message, encode

__all__ = ["FAULTS_MAX", "FAULT_FORGOTTEN_S", "Conduct", "Link"]

#: A friend with a bug sends a few wrong messages; one that sends so many is not worth the work.
FAULTS_MAX: Final = 8
#: One fault is forgotten in this time: an honest friend whose queue dropped half a reconciliation now and then stays
#: welcome for years, and a forger costs one look a minute.
FAULT_FORGOTTEN_S: Final = 60.0
#: 100 kB a link. An id matters while we are about to announce it, some seconds; one announced back costs 34 bytes.
KNOWN_IDS_MAX: Final = 1_024
#: Rings asked of a friend at once, and a second from then on: less than it answers, since what was sent at intervals
#: may come all at once.
RING_QUESTIONS_BURST_COUNT: Final = 3
RING_QUESTIONS_RATE: Final = 0.75
#: Differences of clocks and of rosters are nobody's misbehaviour: told, not counted.
FORGIVEN: Final = frozenset({Fault.WRONG_EPOCH, Fault.WRONG_RING, Fault.SLOT_TAKEN})
#: After these there is nothing more to say.
FATAL: Final = frozenset({Fault.WRONG_MESH, Fault.WRONG_VERSION})


@dataclass(slots=True)
class Conduct:
    """What a friend did wrong of late, over all its links."""

    _level: float = 0.0
    _at: float = 0.0

    def blame(self, fault: Fault, now: float) -> bool:
        """Counts a fault; returns whether the friend's link is to be refused."""
        if fault not in FORGIVEN:
            forgotten = max(0.0, now - self._at) / FAULT_FORGOTTEN_S
            # Not beyond the limit: a friend that was refused may make good in eight minutes.
            self._level = min(FAULTS_MAX, max(0.0, self._level - forgotten) + 1)
            self._at = now
        # Eight faults in as many instants lose a little to rounding and to the instants.
        return fault in FATAL or (fault not in FORGIVEN and self._level > FAULTS_MAX - 0.5)


@dataclass(slots=True)
class Link:
    """One open connection to a friend."""

    link_id: LinkId
    friend: FriendId
    nonce: bytes
    """The nonce of our hello."""
    outgoing: list[tuple[LinkId, bytes]]
    """Encoded frames that the driver has not taken yet, of all links together."""
    encode: Callable[[Message], bytes] = encode
    """How frames are written."""
    catch_up: CatchUp | None = None
    """Set once their hello has come."""
    version: int | None = None
    """The version that is spoken, set with it."""
    answers: Answers = field(default_factory=Answers)
    """What the friend asked for and gets."""
    ring_questions: Allowance = field(
        default_factory=lambda: Allowance(RING_QUESTIONS_BURST_COUNT - HALF, RING_QUESTIONS_RATE)
    )
    """What we may ask the friend for, so that it answers."""
    backlog: Backlog = field(default_factory=Backlog)
    """What reconciliations found that the friend lacks, and has not been told yet."""
    known: dict[ItemId, None] = field(default_factory=dict)
    """Ids that the friend has, in the order in which we learnt of them. A third of the memory of an ``OrderedDict``."""
    due_at: float = math.inf
    """When ``Engine.handle_timer`` has something to do for this link; infinite if it never has."""

    def find_due(self) -> None:
        """Finds out when something is due, after anything of this link has changed."""
        times = (self.catch_up.timer() if self.catch_up else None, self.backlog.timer(), self.answers.timer())
        self.due_at = min((at for at in times if at is not None), default=math.inf)

    @property
    def ready(self) -> bool:
        """Whether hellos were exchanged."""
        return self.catch_up is not None

    def send(self, frame: Message) -> None:
        self.outgoing.append((self.link_id, self.encode(frame)))

    def knows(self, item_ids: Iterable[ItemId]) -> None:
        """The friend has these."""
        known = self.known
        for item_id in item_ids:
            known[item_id] = None
        while len(known) > KNOWN_IDS_MAX:
            del known[next(iter(known))]
