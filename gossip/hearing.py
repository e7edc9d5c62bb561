"""Hearing: what friends say, and whose affair it is.

Each frame is handed to the room that it concerns, by its type. Nothing is decided here, but that a friend greets before
it says anything else. Specified in docs/protocol.md.
"""

from collections import deque
from typing import cast

from .circulation import Circulation
from .digests import Digests
from .errors import Fault, RemoteError
from .events import Complained, Event
from .frames import (
    Announce,
    Complaint,
    Digest,
    Frame,
    Hello,
    Items,
    Packets,
    Petition,
    Reconcile,
    RingDifference,
    RingWanted,
    Steer,
    Stemmed,
    Want,
)
from .items import ItemId
from .links import Link
from .member import Member
from .neighbourhood import Neighbourhood
from .reception import Reception
from .ringtalk import RingTalk
from .stems import Stems

__all__ = ["Hearing"]


class Hearing:
    """Takes the frames of friends, one by one."""

    def __init__(
        self,
        neighbourhood: Neighbourhood,
        reception: Reception,
        stems: Stems,
        circulation: Circulation,
        digests: Digests,
        ring_talk: RingTalk,
        member: Member,
        events: deque[Event],
    ) -> None:
        self._neighbourhood = neighbourhood
        self._touched = neighbourhood.touched
        self._reception = reception
        self._stems = stems
        self._circulation = circulation
        self._digests = digests
        self._ring_talk = ring_talk
        self._member = member
        self._tally = member.mixing.tally
        self._events = events

    def hear(self, link: Link, frame: Frame, now: float) -> bool:
        """Takes a frame; returns whether anything may follow from it. Raises ``RemoteError``."""
        if link.catch_up is None and not isinstance(frame, Hello | Complaint):
            raise RemoteError(Fault.UNEXPECTED, "a frame before the hello")
        # Two frames in three are announcements, and most of those tell nothing new.
        if isinstance(frame, Announce):
            item_ids = cast(list[ItemId], frame.item_ids)
            link.knows(item_ids)
            return self._reception.announced(link.link_id, item_ids)
        if isinstance(frame, Want):
            link.answers.want(cast(list[ItemId], frame.item_ids))
            self._neighbourhood.answer(link, now)
            if not link.answers:
                return False
            self._touched.add(link.link_id)
            return True
        self._hear_rare(link, frame, now)
        return True

    def _hear_rare(self, link: Link, frame: Frame, now: float) -> None:
        match frame:
            case Packets():
                self._tally.packets_in_count += len(frame.packets)
                self._reception.packets_came(link.link_id, frame.packets, now)
            case Stemmed():
                self._tally.packets_in_count += 1
                self._tally.stems_in_count += 1
                self._stems.take(frame.packet, link.link_id, now)
            case Hello():
                self._neighbourhood.greeted(link, frame, now)
                self._digests.tell(link)
                self._member.admissions.petition_over([link])
            case Complaint():
                self._events.append(Complained(link=link.link_id, fault=Fault.of(frame.fault), ours=True))
            case Digest():
                self._digests.came(link.friend, frame)
            case Items():
                self._reception.items_came(link.link_id, frame.items, now)
            case Steer():
                self._circulation.steered(frame, link.link_id, now)
            case Reconcile():
                self._neighbourhood.reconcile(link, frame, now)
            case RingWanted():
                self._neighbourhood.announce(link, self._ring_talk.wanted(link, frame, now))
            case RingDifference():
                self._ring_talk.came(frame, now)
            case Petition():
                self._petitioned(link, frame, now)

    def _petitioned(self, link: Link, frame: Petition, now: float) -> None:
        # If the key is admitted already the record is what the newcomer waits for.
        self._neighbourhood.announce(link, self._ring_talk.records_of({frame.key}))
        if self._member.admissions.petitioned(link.friend, frame):
            self._circulation.admit(now)
