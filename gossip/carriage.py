"""Carriage: how packets travel from this node, as its strategy decides.

    private ── flood step ──> open ── too old ──> gone
       └── seen in a flood ───^

A *private* packet is one that we injected or that came by stem. It is neither announced, answered for nor reconciled,
and when a friend announces it we ask for it as though we had never seen it: whoever has it on the way must look like
whoever has not. Own and foreign ones stand in one table and fare alike, but that no friend can crowd out our own, nor
those of another friend that handed on fewer. An *open* packet is in the store.

This module holds the private ones and carries out steps; what is opened, stored and sent is for the engine to do.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Final

from .errors import Fault, RemoteError
from .events import FriendId, LinkId
from .items import ItemId
from .packets import Packet
from .spreading import Agenda, Announce, Flood, Situation, Stem, Step, Strategy, Tell, Wake
from .spreading.choice import friend_of

__all__ = ["PRIVATE_MAX", "Carriage", "Handed", "Opened", "Told"]

#: 4 MB of packets on their stems. At 200 MB a day some ten are on their way at once; the oldest of the friend that
#: handed on the most goes first.
PRIVATE_MAX: Final = 1_024
#: Packets that words wait for, and words for each: a verifier takes some milliseconds, and most strategies say none.
EARLY_MAX: Final = 64
EARLY_WORDS_MAX: Final = 4
#: Stands for friends whose links closed before what they handed on was verified.
GONE: Final = FriendId(b"")


@dataclass(frozen=True, slots=True)
class Handed:
    """A packet is to be handed to a friend, on its stem."""

    link: LinkId
    packet: Packet


@dataclass(frozen=True, slots=True)
class Opened:
    """A private packet is to be flooded from here."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class Told:
    """A friend is to be told a word about a packet."""

    link: LinkId
    packet_id: ItemId
    word: bytes


@dataclass(slots=True)
class _Private:
    packet: Packet
    holder: FriendId | None
    """Who handed it on first, and for whom it takes up a place; None if it is ours."""
    sources: set[LinkId] = field(default_factory=set)
    """Links that it came over by stem."""


class Carriage:
    """The packets that are on their way through this node."""

    def __init__(self, strategy: Strategy, is_open: Callable[[ItemId], bool]) -> None:
        self.strategy = strategy
        self._is_open = is_open
        self._private: OrderedDict[ItemId, _Private] = OrderedDict()
        self.agenda = Agenda()
        """The steps that are yet to be taken."""
        self._early: OrderedDict[ItemId, list[tuple[LinkId, bytes]]] = OrderedDict()
        """Words on packets that are not here yet."""

    def injected(self, packet: Packet, bare: bool, situation: Situation) -> None:
        """A packet of ours starts out; ``bare`` if it shows what we say to whoever sees it."""
        self._hold(packet, None)
        self._enter(self.strategy.injected(packet.item_id, bare, situation), packet.item_id, situation)

    def is_known_from(self, packet_id: ItemId, link: LinkId) -> bool:
        """Whether a packet that comes by stem over this link is nothing new."""
        private = self._private.get(packet_id)
        return self._is_open(packet_id) or (private is not None and link in private.sources)

    def stemmed(self, packet: Packet, link: LinkId, situation: Situation) -> None:
        """A verified packet came by stem."""
        if self.is_known_from(packet.item_id, link):
            return
        # By friend and not by link: a new link gives no new share.
        self._hold(packet, friend_of(link, situation) or GONE).sources.add(link)
        self._enter(self.strategy.stemmed(packet.item_id, link, situation), packet.item_id, situation)
        self._catch_up(packet.item_id, situation)

    def opened(self, packet: Packet, link: LinkId | None, situation: Situation) -> None:
        """A packet has just entered the store, from this link or by our own decision."""
        self._private.pop(packet.item_id, None)
        self._enter(self.strategy.flooded(packet.item_id, link, situation), packet.item_id, situation)

    def told(self, packet_id: ItemId, link: LinkId, word: bytes, situation: Situation) -> None:
        """A friend steers; a word on a packet that is still being verified waits for it. Raises ``RemoteError``."""
        if not self.strategy.steers:
            raise RemoteError(Fault.UNEXPECTED, "a word that nobody asked for")
        if packet_id in self._private or self._is_open(packet_id):
            self._enter(self.strategy.told(packet_id, link, word, situation), packet_id, situation)
            return
        words = self._early.setdefault(packet_id, [])
        if len(words) < EARLY_WORDS_MAX:
            words.append((link, word))
        while len(self._early) > EARLY_MAX:
            self._early.popitem(last=False)

    def _catch_up(self, packet_id: ItemId, situation: Situation) -> None:
        """The packet that early words were about has come."""
        for link, word in self._early.pop(packet_id, ()):
            try:
                self.told(packet_id, link, word, situation)
            except RemoteError:
                continue  # Of no use now, and too late to say so.

    def announce(self, item_id: ItemId, links: tuple[LinkId, ...], delay_s: float, now: float) -> None:
        """Enters an announcement that no strategy decides on: of an item that is no packet."""
        if links:
            self.agenda.enter([Announce(links=links, delay_s=delay_s)], item_id, now)

    def due(
        self,
        links: Container[LinkId],
        situation: Callable[[], Situation],
        announced: dict[LinkId, list[ItemId]],
        now: float,
    ) -> list[Handed | Opened | Told]:
        """Takes the steps whose time has come, towards the ``links`` that are still there.

        Announcements are gathered in ``announced``, by link.
        """
        actions: list[Handed | Opened | Told] = []
        for step, packet_id in self.agenda.due(now):
            if isinstance(step, Announce):
                for link in step.links:
                    if link in links:
                        announced.setdefault(link, []).append(packet_id)
                continue
            private = self._private.get(packet_id)
            match step:
                case Stem(link=link) if private is not None and link in links:
                    actions.append(Handed(link, private.packet))
                case Flood() if private is not None:
                    # Not private from here on, so that a second step finds nothing to open.
                    del self._private[packet_id]
                    actions.append(Opened(private.packet))
                case Tell(link=link, word=word) if link in links:
                    actions.append(Told(link, packet_id, word))
                case Wake() if private is not None or self._is_open(packet_id):
                    woken = self.strategy.woken(packet_id, private is None, situation())
                    self.agenda.enter(woken, packet_id, now)
        return actions

    def _hold(self, packet: Packet, holder: FriendId | None) -> _Private:
        private = self._private.setdefault(packet.item_id, _Private(packet, holder))
        while len(self._private) > PRIVATE_MAX:
            self._give_up_one()
        return private

    def _give_up_one(self) -> None:
        """Gives up a packet of the friend that has the most here; our own only if there is nothing else."""
        counts = Counter(private.holder for private in self._private.values())
        greedy = max(counts, key=lambda holder: (holder is not None, counts[holder]))
        del self._private[next(each for each, private in self._private.items() if private.holder == greedy)]

    def _enter(self, steps: Sequence[Step], packet_id: ItemId, situation: Situation) -> None:
        self.agenda.enter(steps, packet_id, situation.now)
