"""Views: what friends report as their ring and their relay keys.

A node posts only with a view that several friends share; a friend who showed a made-up roster or made-up relay keys
could otherwise make the crowd one of its own. A report keeps for a while, so that one friend who is offline does not
stop a person with two.
"""

from collections.abc import Collection
from typing import Final

from .events import FriendId

__all__ = ["DIGEST_EPOCHS_MAX", "View", "Views"]

#: A friend that reported the very view we have now need not be online to have shared it; after a day the report says
#: too little.
DIGEST_EPOCHS_MAX: Final = 24

#: The root of the ring and the root of the eligible relay keys.
View = tuple[bytes, bytes]


class Views:
    """The last report of each friend. Bounded by the friends."""

    def __init__(self) -> None:
        self._reports: dict[FriendId, tuple[int, View]] = {}
        self._astray: dict[FriendId, tuple[int, int]] = {}
        """The epoch of a report, and by how many the friend's clock is ahead of ours, where that is too much."""

    def report(self, friend: FriendId, epoch: int, view: View) -> None:
        """A friend reports its view at this epoch."""
        self._reports[friend] = epoch, view
        self._astray.pop(friend, None)

    def astray(self, friend: FriendId, epoch: int, ahead: int) -> None:
        """A friend's clock is so many epochs ahead of ours that one of us says what the other does not take."""
        self._reports.pop(friend, None)
        self._astray[friend] = epoch, ahead

    def clocks(self, friends: Collection[FriendId], epoch: int) -> list[int]:
        """Of those of these friends whose clocks are too far from ours, by how many epochs they are ahead."""
        return [
            ahead
            for friend, (reported, ahead) in self._astray.items()
            if friend in friends and reported >= epoch - DIGEST_EPOCHS_MAX
        ]

    def forget(self, friend: FriendId) -> None:
        self._reports.pop(friend, None)
        self._astray.pop(friend, None)

    def current(self, friends: Collection[FriendId], epoch: int) -> list[View]:
        """What these friends have reported lately."""
        return [
            view
            for friend, (reported, view) in self._reports.items()
            if friend in friends and reported >= epoch - DIGEST_EPOCHS_MAX
        ]
