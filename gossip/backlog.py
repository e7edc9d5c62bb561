"""The backlog: what a link is still to be told after a reconciliation, a little at a time.

A friend that comes back after a month lacks all that the mesh has said since. Told at once, the ids alone would be
more than the queue towards a friend holds, and what is queued beyond that is dropped. So they leave in steps, in the
order in which they were found, which puts records first. What spreads anew does not come here and does not wait.
Specified in docs/protocol.md.
"""

from collections import OrderedDict
from collections.abc import Container, Iterable
from typing import Final

from .items import ItemId

__all__ = ["STEP_IDS_MAX", "STEP_S", "Backlog"]

#: 64 kB, a sixteenth of what a node queues for a friend, so that items and reconciliations have room beside it.
STEP_IDS_MAX: Final = 2_048
#: 8,192 ids a second are more than a verifier gets through in a minute.
STEP_S: Final = 0.25


class Backlog:
    """The ids that one link is to be told. Time comes in; ids to announce go out."""

    def __init__(self) -> None:
        self._ids: OrderedDict[ItemId, None] = OrderedDict()
        self._next_at = 0.0

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, item_ids: Iterable[ItemId]) -> None:
        """Ids of items that are held now. One that waits already keeps its place, so the held items are the limit."""
        self._ids.update(dict.fromkeys(item_ids))

    def timer(self) -> float | None:
        """When the next step is due, in seconds since 1970; None if there is nothing to tell."""
        return self._next_at if self._ids else None

    def step(self, held: Container[ItemId], now: float) -> list[ItemId]:
        """Takes the ids to announce now: none before its time; those no longer ``held`` are left out."""
        if not self._ids or now < self._next_at:
            return []
        self._next_at = now + STEP_S
        told: list[ItemId] = []
        while self._ids and len(told) < STEP_IDS_MAX:
            item_id, _ = self._ids.popitem(last=False)
            if item_id in held:
                told.append(item_id)
        return told
