"""Admissions: whom we invited and admit, and who invited us and is asked to admit us.

A friend whom we invited to the mesh petitions for one key; we admit that key as soon as we can, and the invitation is
spent. The friends who invited us are petitioned until we are in the roster. How an admission is made, plainly or by
proof, is the affair of ``authoring``; who may petition is decided here. Specified in docs/protocol.md.
"""

from collections.abc import Collection, Iterable

from .authoring import Author
from .errors import Fault, RemoteError
from .events import Event, FriendId, Sponsored
from .frames import Petition
from .items import Item
from .links import Link
from .roster import Roster

__all__ = ["Admissions"]


class Admissions:
    """Both sides of the admission of newcomers. Bounded by the friends of the node."""

    def __init__(self, author: Author, roster: Roster) -> None:
        self._author = author
        self._roster = roster
        self._sponsored: set[FriendId] = set()
        self._sponsors: set[FriendId] = set()

    def sponsor(self, friend: FriendId) -> None:
        """We invited this friend, and will admit one key that it petitions for."""
        self._sponsored.add(friend)

    def petition_to(self, friend: FriendId) -> None:
        """This friend invited us."""
        self._sponsors.add(friend)

    def friend_removed(self, friend: FriendId) -> None:
        self._sponsored.discard(friend)
        self._sponsors.discard(friend)
        self._author.withdraw_petition(friend)

    def petition_for(self, friend: FriendId) -> Petition | None:
        """What to ask this friend for; None if it did not invite us, or if we are in the roster already."""
        key = self._author.key
        if friend not in self._sponsors or key is None or key in self._roster:
            return None
        key, proof = self._author.petition()
        return Petition(key=key, possession=proof)

    def petition_over(self, links: Iterable[Link]) -> None:
        """Asks those friends behind these links whom there is something to ask for."""
        for link in links:
            petition = self.petition_for(link.friend) if link.ready else None
            if petition is not None:
                link.send(petition)

    def petitioned(self, friend: FriendId, petition: Petition) -> bool:
        """Takes a friend's petition; returns whether it may be admitted. Raises ``RemoteError``.

        A key that a record admits is nobody's fault, whoever petitions: the newcomer may not know yet, or its record
        may have lost to a rival.
        """
        if friend in self._sponsored:
            self._author.petitioned(friend, petition.key, petition.possession)
            return True
        if not self._roster.knows(petition.key):
            raise RemoteError(Fault.UNEXPECTED, "a petition by somebody we did not invite")
        return False

    def admit(self, epoch: int, leaving: Collection[bytes]) -> tuple[list[Item], list[Event]]:
        """Admits whom we can in this epoch: items that are whole already, and what is to be made durable.

        ``leaving`` are the keys whose admissions are on their way out.
        """
        items, events = self._author.admit(self._roster, epoch, leaving)
        for event in events:
            if isinstance(event, Sponsored):
                self._sponsored.discard(event.friend)
        return items, events
