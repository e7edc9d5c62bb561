"""Refusals: ids of items that this node may not keep, so that reconciliations do not fetch them again and again.

Most are refused for good. An item that had to give way to another in its slot is refused for as long as that is held:
when what won is taken back or expires, whoever has not met it holds the other, and so must we. What was taken back is
refused for as long as the retraction is held, and a mark for as long as its target is refused. Bounded; what falls out
is fetched once more, and refused once more.
"""

from collections import OrderedDict
from typing import Final

from .items import ItemId

__all__ = ["REFUSED_IDS_MAX", "Refusals"]

#: 2 MB.
REFUSED_IDS_MAX: Final = 16_384


class Refusals:
    """What is refused, the longest first."""

    def __init__(self) -> None:
        self._causes: OrderedDict[ItemId, bytes] = OrderedDict()
        """The tag that another holds, the commitment that was opened, the target that is refused, or nothing."""
        self._under: dict[bytes, set[ItemId]] = {}
        """What is refused for a cause."""

    def fork(self) -> "Refusals":
        """The same, for another node."""
        other = Refusals()
        other._causes = self._causes.copy()
        other._under = {cause: ids.copy() for cause, ids in self._under.items()}
        return other

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._causes

    def __len__(self) -> int:
        return len(self._causes)

    def add(self, item_id: ItemId, cause: bytes = b"") -> None:
        """Refuses an item: for good, or until the cause is lifted, or refused no more itself."""
        self._remove(item_id)
        self._causes[item_id] = cause
        if cause:
            self._under.setdefault(cause, set()).add(item_id)
        while len(self._causes) > REFUSED_IDS_MAX:
            self._remove(next(iter(self._causes)))

    def lift(self, cause: bytes) -> None:
        """Nothing holds this tag any more, or opens this commitment."""
        causes = [cause]
        while causes:  # Not by recursion: marks on marks on marks may be refused one under the other.
            for item_id in list(self._under.get(causes.pop(), ())):
                self._remove(item_id)
                causes.append(item_id)

    def _remove(self, item_id: ItemId) -> None:
        cause = self._causes.pop(item_id, b"")
        if cause:
            self._under[cause].discard(item_id)
            if not self._under[cause]:
                del self._under[cause]
