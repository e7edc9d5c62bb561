"""The agenda: what a strategy has decided and is not done yet, in the order of time."""

import heapq
import math
from collections.abc import Iterable, Iterator

from ..items import ItemId
from .strategy import Step

__all__ = ["Agenda"]


class Agenda:
    """Steps that are yet to be taken. Bounded by the packets and items accepted in their delays."""

    def __init__(self) -> None:
        self.next_at = math.inf
        """When the first of them is due; infinite if there is none. Looked at after every call into an engine."""
        self._steps: list[tuple[float, int, Step, ItemId]] = []
        self._sequence = 0

    def enter(self, steps: Iterable[Step], item_id: ItemId, now: float) -> None:
        """Takes up steps for this packet or item, timed from now on."""
        for step in steps:
            self._sequence += 1
            heapq.heappush(self._steps, (now + step.delay_s, self._sequence, step, item_id))
        if self._steps:
            self.next_at = self._steps[0][0]

    def timer(self) -> float | None:
        return self.next_at if self._steps else None

    def due(self, now: float) -> Iterator[tuple[Step, ItemId]]:
        """Takes the steps whose time has come, also those entered meanwhile."""
        steps = self._steps
        while steps and steps[0][0] <= now:
            _, _, step, item_id = heapq.heappop(steps)
            self.next_at = steps[0][0] if steps else math.inf
            yield step, item_id
