"""Renewal: when this node makes its relay keys.

The key of the next day is made at a random moment of the first part of this one, so that its record has reached every
node, and is half a day old, when the day begins. A key that is missing for today (a new member, a node that was off)
is made soon, again at random, and serves once it is old enough. Moments are uniform, and depend on nothing but the day.
A node that was restored from a backup makes none for days of which it may have made one before: of two keys of one
member for one day the mesh takes neither.
"""

from typing import Final

from .genesis import Genesis
from .randomness import RandomSource
from .relays import Relays

__all__ = ["Renewal"]

#: The part of a day in which the next day's keys are made: a tenth of a day is left for records to travel.
EARLY_SHARE: Final = 0.4
#: A missing key is made within this part of a day.
SOON_SHARE: Final = 0.05


class Renewal:
    """The keys that are to be made."""

    def __init__(self, genesis: Genesis, relays: Relays, random: RandomSource) -> None:
        self._genesis = genesis
        self._relays = relays
        self._random = random
        self._due: dict[int, float] = {}
        """When the key of a day is to be made, in seconds since 1970."""
        self.first_day = 0
        """The first relay day that we make a key for."""

    def plan(self, now: float) -> None:
        """Draws the moments that are not drawn yet. To be called each epoch while we are in the ring."""
        parameters = self._genesis.parameters
        day_s = parameters.relay_day_epochs * parameters.epoch_s
        today = parameters.relay_day_at(self._genesis.epoch_at(now))
        self._due = {day: at for day, at in self._due.items() if day >= today}
        early_until = today * day_s + EARLY_SHARE * day_s
        for day in (today, today + 1):
            if day < self.first_day or self._relays.key(day) is not None or day in self._due:
                continue
            soon = day == today or now >= early_until
            until = now + SOON_SHARE * day_s if soon else early_until
            self._due[day] = now + (until - now) * self._random.random()

    def timer(self) -> float | None:
        return min(self._due.values(), default=None)

    def due(self, now: float) -> list[int]:
        """Takes the days whose keys are to be made now."""
        days = sorted(day for day, at in self._due.items() if at <= now)
        for day in days:
            del self._due[day]
        return days
