"""Progress: how far it is and how long it will take, on standard error.

Over itself on a terminal, once a second; elsewhere a line every ten seconds, so that a log stays short.
"""

import sys
import time
from dataclasses import dataclass, field
from typing import Final

import click

__all__ = ["Teller", "duration"]

#: Seconds between two words on how far it is.
TOLD_S: Final = 1.0
#: Before that nothing can be said of what is left.
SHARE_MIN: Final = 1e-3


def duration(seconds: float) -> str:
    """In words of two parts at the most: 48 s, 3 min 20 s, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


@dataclass(slots=True, kw_only=True)
class Teller:
    """Tells of one piece of work."""

    is_terminal: bool = field(default_factory=lambda: sys.stderr.isatty())
    began_at: float = field(default_factory=time.monotonic)
    _told_at: float = field(default_factory=time.monotonic)

    def tell(self, share: float, words: str) -> None:
        """Says how far it is, now and then and at the end: ``share`` from 0 to 1, and some words on what is done."""
        now = time.monotonic()
        if now - self._told_at < (TOLD_S if self.is_terminal else 10 * TOLD_S) and share < 1:
            return
        self._told_at = now
        line = f"{share:4.0%}, {words}"
        if SHARE_MIN < share < 1:
            line += f", {duration((now - self.began_at) / share * (1 - share))} left"
        click.echo(
            f"\r{line:<70}" if self.is_terminal else line, err=True, nl=not self.is_terminal or share >= 1
        )
