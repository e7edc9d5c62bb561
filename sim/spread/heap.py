"""A binary heap of times with a number each, for compiled code. Where a search ends early and the front stays small."""

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

__all__ = ["Heap", "heap", "pop", "push"]

#: The times, the numbers, and how many there are.
Heap = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


def heap(capacity: int) -> Heap:
    """An empty heap with room for so many."""
    return np.empty(capacity), np.empty(capacity, dtype=np.int64), np.zeros(1, dtype=np.int64)


@compiled
def push(entries: Heap, at: float, number: int) -> None:
    """Enters a number. Of equal times the earlier pushed need not come first."""
    times, numbers, count = entries
    place = count[0]
    count[0] += 1
    while place > 0:
        above = (place - 1) >> 1
        if times[above] <= at:
            break
        times[place], numbers[place] = times[above], numbers[above]
        place = above
    times[place], numbers[place] = at, number


@compiled
def pop(entries: Heap) -> tuple[float, int]:
    """Takes the earliest; there must be one."""
    times, numbers, count = entries
    first = times[0], numbers[0]
    count[0] -= 1
    last = count[0]
    at, number = times[last], numbers[last]
    place = 0
    while True:
        below = 2 * place + 1
        if below >= last:
            break
        if below + 1 < last and times[below + 1] < times[below]:
            below += 1
        if at <= times[below]:
            break
        times[place], numbers[place] = times[below], numbers[below]
        place = below
    times[place], numbers[place] = at, number
    return first
