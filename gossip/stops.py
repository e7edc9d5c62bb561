"""Stops: to whom an author does not listen any more.

One whisperer, or everybody who comes anew about one secret: what they whisper is opened like any other and dropped
unseen, and they cannot tell. A whisperer who is stopped can begin again under another key, since nobody knows who it
is; the second kind is for that. A stop shows who the author of a secret is, so it stands in a row of the letters, as a
letter in which nothing is said, and goes with them when the secret is unlinked or expires.
"""

from collections.abc import Collection, Iterable
from typing import Final

from ..crypto.whispers import KEY_SIZE
from .events import Event, LetterKept, LettersForgotten
from .items import ItemId
from .letters import Letter, conversation_id

__all__ = ["STOPS_MAX", "Stops"]

#: Each takes the row of a letter.
STOPS_MAX: Final = 64
#: No key, and so nobody's: stands for all who come anew.
_ANYBODY: Final = bytes(KEY_SIZE)


class Stops:
    """The stops of one node."""

    def __init__(self) -> None:
        self._rows: dict[bytes, Letter] = {}
        """By conversation, the oldest first."""

    def __len__(self) -> int:
        return len(self._rows)

    def has(self, own_key: bytes, other_key: bytes = _ANYBODY) -> bool:
        """Whether the other is not listened to, or, without one, nobody who comes anew to this key of ours."""
        return conversation_id(own_key, other_key) in self._rows

    def add(
        self, about: ItemId, epoch: int, own_key: bytes, other_key: bytes = _ANYBODY, *, place: int
    ) -> list[Event]:
        """Stops the other, or, without one, all who come anew. ``epoch`` is the secret's, ``place`` as a letter's."""
        events: list[Event] = []
        if len(self._rows) >= STOPS_MAX:
            # One person rather than all.
            single = (each for each, stop in self._rows.items() if stop.other_key != _ANYBODY)
            events = self._lift([next(single, next(iter(self._rows)))])
        stop_id = conversation_id(own_key, other_key)
        stop = Letter(
            letter_id=ItemId(stop_id),
            about=about,
            own_key=own_key,
            other_key=other_key,
            epoch=epoch,
            place=place,
            is_own=True,
            is_read=True,
            text="",
        )
        self._rows[stop_id] = stop
        return [*events, LetterKept(letter=stop)]

    def lift(self, own_key: bytes) -> list[Event]:
        """Listens again to those who come anew."""
        return self._lift([conversation_id(own_key, _ANYBODY)])

    def restore(self, stop: Letter) -> None:
        """Takes back what an earlier event said."""
        self._rows[stop.conversation_id] = stop

    def forget(self, about: Collection[ItemId]) -> list[Event]:
        """These secrets are not ours any more as far as can be known here."""
        return self._lift([stop_id for stop_id, stop in self._rows.items() if stop.about in about])

    def expire(self, floor: int) -> list[Event]:
        """Forgets what is about secrets of epochs before ``floor``."""
        return self._lift([stop_id for stop_id, stop in self._rows.items() if stop.epoch < floor])

    def _lift(self, stop_ids: Iterable[bytes]) -> list[Event]:
        gone = tuple(self._rows.pop(each).letter_id for each in stop_ids if each in self._rows)
        return [LettersForgotten(letter_ids=gone)] if gone else []
