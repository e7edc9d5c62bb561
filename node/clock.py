"""The clock of a node: seconds since 1970 that never go backwards.

Epochs are counted from the wall clock, but a wall clock may be set back, and an engine must not see that: it would
find slots of an epoch that it believes over. Time stands still until the wall clock has caught up.
"""

import time
from collections.abc import Callable

__all__ = ["Clock"]


class Clock:
    """Tells the time."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._latest = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        self._latest = max(self._latest, self._wall())
        return self._latest
