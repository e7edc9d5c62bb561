"""The guard: the one friend that sees first what we inject, for days on end.

Of our friends it alone is handed what we inject, and a guard that changed with every packet would soon be each of them.
What is kept is a seed and not a name, so that ``spreading`` finds another friend while the guard is away and comes back
to it. Specified in docs/protocol.md.
"""

from typing import Final

from .events import GuardChosen
from .randomness import RandomSource

__all__ = ["GUARD_DAYS_EXTRA", "GUARD_DAYS_MIN", "Guard"]

#: The guard is one friend for so many days, and up to so many more.
GUARD_DAYS_MIN: Final = 7
GUARD_DAYS_EXTRA: Final = 23
_DAY_S: Final = 86_400


class Guard:
    """The seed that chooses the guard, and how long it does."""

    def __init__(self, random: RandomSource) -> None:
        self._random = random
        self._chosen = GuardChosen(seed=b"", until_day=0)

    @property
    def seed(self) -> bytes:
        """Empty until the first is chosen."""
        return self._chosen.seed

    def restore(self, chosen: GuardChosen) -> None:
        """Takes back what an earlier event said."""
        self._chosen = chosen

    def renew(self, now: float) -> list[GuardChosen]:
        """Chooses anew if the time of the last guard is over; returns what is to be made durable."""
        day = int(now // _DAY_S)
        if day < self._chosen.until_day:
            return []
        until = day + GUARD_DAYS_MIN + self._random.randrange(GUARD_DAYS_EXTRA + 1)
        self._chosen = GuardChosen(seed=self._random.randbytes(32), until_day=until)
        return [self._chosen]
