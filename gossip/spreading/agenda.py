"""The agenda: what the strategy has decided and is not done yet.

Keeps the steps in the order of their times, asks the strategy again when it wants to be asked, and gathers what is to
be announced to each link at once. It sends nothing.
"""

import heapq
from collections.abc import Sequence

from ..events import LinkId
from ..items import ItemId
from ..quota import RandomSource
from .strategy import Announce, Neighbour, Step, Strategy

__all__ = ["Agenda"]


class Agenda:
    """The steps of one engine's strategy that are yet to be taken. Bounded by the items accepted in its delays."""

    def __init__(self, strategy: Strategy, random: RandomSource) -> None:
        self._strategy = strategy
        self._random = random
        self._steps: list[tuple[float, int, Step, ItemId]] = []
        self._sequence = 0

    def accepted(
        self, item_id: ItemId, source: LinkId | None, neighbours: Sequence[Neighbour], now: float
    ) -> None:
        """An item is new; ``source`` is the link it came over, or None if it is ours."""
        self._enter(self._strategy.accepted(item_id, source, neighbours, self._random, now), item_id, now)

    def _enter(self, steps: Sequence[Step], item_id: ItemId, now: float) -> None:
        for step in steps:
            self._sequence += 1
            heapq.heappush(self._steps, (now + step.delay_s, self._sequence, step, item_id))

    def timer(self) -> float | None:
        return self._steps[0][0] if self._steps else None

    def due(self, neighbours: Sequence[Neighbour], now: float) -> dict[LinkId, list[ItemId]]:
        """Takes the steps that are due; returns what to announce to each link that is still there."""
        links = {neighbour.link for neighbour in neighbours}
        announced: dict[LinkId, list[ItemId]] = {}
        while self._steps and self._steps[0][0] <= now:
            _, _, step, item_id = heapq.heappop(self._steps)
            if isinstance(step, Announce):
                for link in links.intersection(step.links):
                    announced.setdefault(link, []).append(item_id)
            else:
                self._enter(self._strategy.woken(item_id, neighbours, self._random, now), item_id, now)
        return announced
