"""Circulation: what holds is kept here and goes on from here.

    proof made ──── injected ──┐               ┌── handed on
    verified ──┬─── stem ──────┴─> on its stem ┴── step ──┐
               ├─── packet ───────────────────────────────┴─> kept ──> announced
               └─── item ───────────────────────────────────> kept ──> announced

It joins ``holdings``, which keep, ``carriage``, which decides how a packet travels, ``member``, who hears what packets
say and is told what has arrived, and the ``neighbourhood``, over which all of it leaves. What is not verified yet is
the affair of ``reception``. Specified in docs/protocol.md.
"""

from collections import deque
from typing import Final

from ..crypto.membership import Ring
from .bodies import Kind
from .calendar import Calendar
from .carriage import Carriage, Handed, Opened, Told
from .errors import Fault, RemoteError
from .events import Event, LinkId, RosterChanged
from .frames import Steer, Stemmed
from .guard import Guard
from .holdings import Holdings
from .intake import Arrival, Way
from .items import Item, ItemId
from .member import Member
from .neighbourhood import Neighbourhood
from .pace import exponential
from .packets import Content, Packet, unpad_item
from .randomness import RandomSource
from .reception import Reception
from .spreading import GATHERING_S, Situation

__all__ = ["LATE_HOPS", "Circulation"]

#: An item out of a packet is announced after so many hops' mean delays, and as many again on average: the flood of its
#: packet has reached everybody within four, and within twelve where a tenth drop what they can.
LATE_HOPS: Final = 20
#: What we open ourselves comes over no link.
OURSELVES: Final = LinkId(0)


class Circulation:
    """What goes round the mesh, as far as it passes here."""

    def __init__(
        self,
        carriage: Carriage,
        calendar: Calendar,
        guard: Guard,
        holdings: Holdings,
        member: Member,
        neighbourhood: Neighbourhood,
        reception: Reception,
        random: RandomSource,
        events: deque[Event],
    ) -> None:
        """``random`` is the stream of the carriage; ``events`` are the engine's, to be added to."""
        self._carriage = carriage
        self._agenda = carriage.agenda
        self._calendar = calendar
        self._guard = guard
        self._holdings = holdings
        self._roster = holdings.roster
        self._member = member
        self._mixing = member.mixing
        self._neighbourhood = neighbourhood
        self._links = neighbourhood.links
        self._reception = reception
        self._random = random
        self._events = events

    # What is ours.

    def proved(self, item_id: ItemId, proof: bytes, now: float) -> None:
        """The proof of a packet or an item of ours is made. One that is given up by now is passed over."""
        injected = self._member.injector.finish(item_id, proof)
        finished = self._member.author.finish(item_id, proof) if injected is None else None
        if injected is not None:
            packet, bare = injected
            self._carriage.injected(packet, bare, self._situation(now))
        elif finished is not None:
            self._whole(*finished, now)

    def _whole(self, item: Item, ring: Ring, now: float) -> None:
        """An item of ours is signed. Where onions can carry it, it waits for one, and is kept when it comes back."""
        mixing = self._mixing
        if not self._member.has_onions and item.kind is not Kind.ADMISSION:
            self._events.extend(mixing.publish_openly(item, now))
        elif item.kind is Kind.ADMISSION and not mixing.can_hide(now):
            self.accept(item, None, now, ring)
        else:
            row = self._member.author.row(item.item_id)
            mixing.outbox.put(item, now, sent_count=row.sent_count if row is not None else 0)

    def admit(self, now: float) -> None:
        """Admits whom we can by now."""
        for item in self._member.admit():
            self.accept(item, None, now, None)

    # What friends send.

    def verified(self, arrival: Arrival, ring: Ring, holds: bool, now: float) -> None:
        """The verifier has looked at something that came in."""
        if not holds:
            self._reception.failed(arrival, Fault.INVALID_PROOF, now)
        elif arrival.way is Way.STEM:
            assert isinstance(arrival.item, Packet)
            self._carriage.stemmed(arrival.item, arrival.link, self._situation(now))
        else:
            if isinstance(arrival.item, Packet):
                self._open(arrival.item, arrival.link, now)
            else:
                self.accept(arrival.item, arrival.link, now, ring, arrival.way)
            self._reception.done(arrival.item.item_id)

    def steered(self, frame: Steer, link: LinkId, now: float) -> None:
        """A friend has a word to say about a packet. Raises ``RemoteError``."""
        self._carriage.told(ItemId(frame.packet_id), link, frame.word, self._situation(now))

    def accept(
        self, item: Item, source: LinkId | None, now: float, ring: Ring | None, way: Way = Way.ASKED
    ) -> None:
        """Keeps an item that holds, over this ring if it has one, and announces it."""
        members = self._roster.version
        events = self._holdings.keep(item, ring)
        if events is None:
            return
        self._events.extend(events)
        # Whether or not it waits to leave: before a restart it may have left already, and be proved again by now.
        self._mixing.item_came(item.item_id)
        self._member.published(item)
        self._member.gone(events, item)
        self._reception.target_came(item.item_id, now)
        delay_s = GATHERING_S
        if way is Way.CARRIED:
            # At once it would run ahead of its packet and show where that was opened; later it helps who missed that.
            late_s = LATE_HOPS * self._mixing.pace(now).hop_s
            delay_s = late_s + exponential(late_s, self._random.random())
        neighbours = self._neighbourhood.neighbours
        links = tuple(neighbour.link for neighbour in neighbours if neighbour.link != source)
        self._carriage.announce(item.item_id, links, delay_s, now)
        if self._roster.version != members:
            self._events.append(RosterChanged(member_count=len(self._roster)))
            self._reception.retry(None, now)
            self._member.resume()
            self.admit(now)

    # Packets.

    def _open(self, packet: Packet, source: LinkId, now: float) -> bool:
        """Keeps a packet that holds and spreads it; what it says to us or to everybody is heard.

        Returns whether it was new.
        """
        events = self._holdings.keep_packet(packet)
        if events is None:
            return False
        self._events.extend(events)
        self._mixing.tally.packets_kept_count += 1
        self._carriage.opened(packet, source if source != OURSELVES else None, self._situation(now))
        self._member.opened(packet, now)
        if packet.content is Content.ITEM:
            try:
                item = Item.decode_untrusted(unpad_item(packet.payload))
                self._reception.take(item, source, now, Way.CARRIED)
            except RemoteError:
                pass  # Its injector is to blame, and nobody knows who that is.
        return True

    def carry(self, now: float) -> bool:
        """Takes the steps of the carriage that are due; returns whether that opened anything."""
        has_opened = False
        announced: dict[LinkId, list[ItemId]] = {}
        while self._agenda.next_at <= now:
            for action in self._carriage.due(self._links, lambda: self._situation(now), announced, now):
                # What an opened packet says may have parted us from a friend since the steps were taken.
                match action:
                    case Handed(link, packet) if link in self._links:
                        self._links[link].send(Stemmed(packet=packet.encoding))
                        self._mixing.tally.packets_out_count += 1
                    case Opened(packet):
                        has_opened |= self._open(packet, OURSELVES, now)
                    case Told(link, packet_id, word) if link in self._links:
                        self._links[link].send(Steer(packet_id=packet_id, word=word))
        for link_id, item_ids in announced.items():
            if link_id in self._links:
                self._neighbourhood.announce_new(self._links[link_id], item_ids)
        return has_opened

    def _situation(self, now: float) -> Situation:
        return Situation(
            neighbours=self._neighbourhood.neighbours,
            guard_seed=self._guard.seed,
            epoch=self._calendar.epoch,
            relay_day=self._calendar.relay_day,
            pace=self._mixing.pace(now),
            random=self._random,
            now=now,
        )
