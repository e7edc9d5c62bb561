"""Progress: how far a piece of work is and how long it still takes, on standard error."""

import sys
import time
from typing import Final, TextIO

__all__ = ["Progress", "duration"]

#: Seconds between two words: over itself on a terminal, else a line now and then.
TERMINAL_S: Final = 0.5
FILE_S: Final = 10.0


def duration(seconds: float) -> str:
    """A time for people: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Progress:
    """Tells of pieces of work that take about as long as each other."""

    def __init__(self, total: int, noun: str, stream: TextIO | None = None) -> None:
        self.total, self.noun = total, noun
        self.stream = sys.stderr if stream is None else stream
        self.on_terminal = self.stream.isatty()
        self.began = self.told = time.monotonic()
        self.done = 0

    def advance(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        now = time.monotonic()
        last = self.done >= self.total
        if not last and now - self.told < (TERMINAL_S if self.on_terminal else FILE_S):
            return
        self.told = now
        left_s = (now - self.began) / self.done * (self.total - self.done)
        line = f"{self.done:,} of {self.total:,} {self.noun}, {duration(left_s)} left"
        if self.on_terminal:
            self.stream.write(f"\r{line}\x1b[K" + ("\n" if last else ""))
        else:
            self.stream.write(line + "\n")
        self.stream.flush()
