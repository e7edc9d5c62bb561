"""The interface of a spreading strategy, and the steps that one may take.

A packet is *private* while it travels by stem: held, but neither announced nor answered for. It becomes *open* when it
is flooded. A strategy sees ids, links and chance; it never sees what a packet holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import msgspec

from ..events import FriendId, LinkId
from ..items import ItemId
from ..pace import Pace
from ..randomness import RandomSource

__all__ = ["Announce", "Flood", "Neighbour", "Situation", "Stem", "Step", "Strategy", "Tell", "Wake"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A friend who is connected now."""

    link: LinkId
    friend: FriendId
    """Stays the same over all links of a friend, for choices that are to outlast a link."""


# Situations and steps are structs of msgspec: a packet makes a dozen at every node, each in a sixth of the time that a
# frozen dataclass takes. Steps are in no cycle, so that the collector need not look at those that wait.


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy may know when it decides."""

    neighbours: Sequence[Neighbour]
    """Every friend that is connected now."""
    guard_seed: bytes
    """32 bytes, private and kept for weeks: what the choice of the guard is to follow from."""
    epoch: int
    """The present one."""
    relay_day: int
    """The present one; private choices of successors last as long."""
    pace: Pace
    random: RandomSource
    """For delays and choices."""
    now: float
    """Seconds since 1970."""


class Announce(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tell these links that we have the packet, which is open."""

    links: tuple[LinkId, ...]
    delay_s: float
    """Seconds from now, at least 0, as for every step."""


class Stem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Hand the packet to this friend, who is to keep it private."""

    link: LinkId
    delay_s: float


class Flood(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Make the packet open, unless it is by then; ``Strategy.flooded`` says how it goes on."""

    delay_s: float


class Tell(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tell this friend a word about the packet, for strategies that steer each other."""

    link: LinkId
    word: bytes
    """At most 8 bytes."""
    delay_s: float


class Wake(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Ask the strategy again about this packet, while it is held."""

    delay_s: float


Step = Announce | Stem | Flood | Tell | Wake


class Strategy(Protocol):
    """Decides how packets spread from one node. May remember what it likes; one instance serves one engine."""

    name: ClassVar[str]
    steers: ClassVar[bool]
    """Whether its nodes tell each other words; if not, a word is refused before ``told`` is asked."""

    def injected(self, packet_id: ItemId, bare: bool, situation: Situation) -> Sequence[Step]:
        """The steps for a packet of this node, private as yet; ``bare`` if whoever reads it reads what we say."""
        ...

    def stemmed(self, packet_id: ItemId, source: LinkId, situation: Situation) -> Sequence[Step]:
        """The steps for a packet that came by stem; once for each link that it comes over, until it is open."""
        ...

    def flooded(self, packet_id: ItemId, source: LinkId | None, situation: Situation) -> Sequence[Step]:
        """The steps for a packet that has just become open; ``source`` is the link, or None after our ``Flood``."""
        ...

    def told(self, packet_id: ItemId, source: LinkId, word: bytes, situation: Situation) -> Sequence[Step]:
        """The steps after a friend's word. Raises ``RemoteError`` for a word that this strategy does not know."""
        ...

    def woken(self, packet_id: ItemId, is_open: bool, situation: Situation) -> Sequence[Step]:
        """The steps after a ``Wake``."""
        ...
