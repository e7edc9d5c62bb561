"""What one side of a reconciliation session has yet to say, cut into messages.

A *flight* is the messages of one turn. Everything said so far is packed into at most eight messages of at
most 60 KiB; what does not fit stays for the next turn, and the flight's last message says so. This module
packs; what to say is decided in `reconciliation`, and the bytes are in `ranges`.
"""

from dataclasses import dataclass, field
from typing import Final

from .idset import SHORT_ID_SIZE
from .ranges import MESSAGE_SIZE_MAX, Body, Message, Opening, Range, encode, encoded_size

__all__ = ["FLIGHT_MESSAGE_COUNT_MAX", "Unsaid"]

# A flight of 480 kB carries the listings of some 2,000 scattered differences in 100,000 entries at once, and
# bounds what one turn makes a link's queue hold.
FLIGHT_MESSAGE_COUNT_MAX: Final = 8

# Kind, floor and nonce (25 bytes), flags, and three counts of at most three bytes.
BODY_OVERHEAD_SIZE: Final = 64


@dataclass(slots=True, kw_only=True)
class Unsaid:
    """Ranges and short ids that wait for our turn. The session's snapshot bounds them."""

    ranges: list[tuple[bytes, Range]] = field(default_factory=list)
    """Disjoint ranges, each with its lower bound."""
    held: list[bytes] = field(default_factory=list)
    """Short ids that we hold and the friend lacks."""
    wanted: list[bytes] = field(default_factory=list)
    """Short ids that the friend listed and we lack."""

    def __bool__(self) -> bool:
        return bool(self.ranges or self.held or self.wanted)

    def flight(self, opening: Opening | None) -> tuple[bytes, ...]:
        """Takes out what fits into one flight and returns its messages: 1 to FLIGHT_MESSAGE_COUNT_MAX.

        `opening` goes into the first of them. With nothing to say the flight is one empty message, which
        hands the turn back.
        """
        # What was left over from an earlier turn may lie between the ranges of this one.
        self.ranges.sort(key=lambda pair: pair[0])
        self.held.sort()
        self.wanted.sort()
        parts: list[tuple[tuple[Range, ...], tuple[bytes, ...], tuple[bytes, ...]]] = []
        cursor = b""
        while not parts or (self and len(parts) < FLIGHT_MESSAGE_COUNT_MAX):
            room = MESSAGE_SIZE_MAX - BODY_OVERHEAD_SIZE
            ranges, cursor, size = self._take_ranges(cursor, room)
            held = _take_short_ids(self.held, room - size)
            wanted = _take_short_ids(self.wanted, room - size - SHORT_ID_SIZE * len(held))
            parts.append((ranges, held, wanted))
        return tuple(
            encode(
                Message(
                    opening=opening if index == 0 else None,
                    body=Body(
                        more_in_flight=index < len(parts) - 1,
                        more_later=index == len(parts) - 1 and bool(self),
                        ranges=ranges,
                        held=held,
                        wanted=wanted,
                    ),
                )
            )
            for index, (ranges, held, wanted) in enumerate(parts)
        )

    def _take_ranges(self, cursor: bytes, room: int) -> tuple[tuple[Range, ...], bytes, int]:
        """Takes ranges from the front, for a message that begins at `cursor` and has `room` bytes.

        Returns them, with skips over the gaps, where they end, and their size in bytes.
        """
        taken: list[Range] = []
        count, size, before = 0, 0, b""
        for lower, entry in self.ranges:
            pair = [Range(upper=lower), entry] if lower > cursor else [entry]
            pair_size = encoded_size(pair, before)
            if size + pair_size > room:
                break
            taken += pair
            size += pair_size
            count += 1
            cursor = before = entry.upper
        del self.ranges[:count]
        return tuple(taken), cursor, size


def _take_short_ids(short_ids: list[bytes], room: int) -> tuple[bytes, ...]:
    """Takes from the front of a list as many short ids as fit into `room` bytes."""
    count = room // SHORT_ID_SIZE
    taken = tuple(short_ids[:count])
    del short_ids[:count]
    return taken
