"""Digests: telling friends what we take for the ring and the relay keys, and hearing the same from them.

Every friend hears it after the hello, at the start of each epoch, and whenever it changes in between. What they report
is kept in ``views``. Specified in docs/protocol.md.
"""

from collections.abc import Iterable
from typing import Final

from .calendar import Calendar
from .claims import EPOCHS_AHEAD_MAX
from .events import FriendId
from .frames import Digest
from .holdings import Holdings
from .links import Link
from .views import View, Views

__all__ = ["Digests"]

#: A report may be on its way for a while, in which short epochs pass.
REPORT_S_MAX: Final = 120.0


class Digests:
    """Both sides of the talk about views."""

    def __init__(self, holdings: Holdings, calendar: Calendar, views: Views, epoch_s: int) -> None:
        self._epoch_s = epoch_s
        self._roster = holdings.roster
        self._relay_book = holdings.relay_book
        self._calendar = calendar
        self._views = views
        self._sent: View | None = None
        """What was last told to all in this epoch."""
        self._told_version = -1
        """The versions of roster and relay book, summed, of which friends know our view."""

    def begin_epoch(self) -> None:
        """All friends are to be told anew."""
        self._sent, self._told_version = None, -1

    def came(self, friend: FriendId, frame: Digest) -> None:
        """A friend reports its view."""
        now = self._calendar.epoch
        if abs(frame.epoch - now) > max(EPOCHS_AHEAD_MAX, REPORT_S_MAX / self._epoch_s):
            self._views.astray(friend, now, frame.epoch - now)
            return
        # What they call the epoch is their affair; a report does not keep longer for it.
        self._views.report(friend, min(frame.epoch, now), (frame.ring_root, frame.relay_root))

    def tell(self, link: Link) -> None:
        """Tells one friend, who has just greeted."""
        view = self._view()
        if view is not None:
            self._send(link, view)

    def tell_all(self, links: Iterable[Link]) -> None:
        """Tells friends our view if they do not know it yet."""
        version = self._roster.version + self._relay_book.version
        if version == self._told_version:
            return
        self._told_version = version
        view = self._view()
        if view is not None and view != self._sent:
            self._sent = view
            for link in links:
                if link.ready:
                    self._send(link, view)

    def _view(self) -> View | None:
        """The ring and the relay keys that we would post with now."""
        epoch = self._calendar.epoch
        ring = self._roster.ring_at(epoch)
        return (ring.root, self._relay_book.root(epoch)) if ring is not None else None

    def _send(self, link: Link, view: View) -> None:
        link.send(Digest(epoch=self._calendar.epoch, ring_root=view[0], relay_root=view[1]))
