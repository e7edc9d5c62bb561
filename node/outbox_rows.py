"""The outbox's rows: what of ours waits to be published, where a disk does not show it.

What could tell who the author of an item is stands in one of a fixed number of rows of one size that were there
before: the item while it waits, the seed by which its author can go on with it, and the slots of earlier ones, which
must not be used again. So no file grows by a post. At each tick of the own clock one row is written anew, which one
whatever left: who has two images of the disk finds rows changed, and not why.

A row's value is empty, or:

    format u8 = 2 | slot count u8 | seed count u8 | (purpose u8, epoch u64, slot u32) each | (item id 32, epoch u64,
    seed 32) each | what waits, or nothing: an item's body, or of kind 0 a sealed letter

Format 1 had slots of secrets alone, without the purpose, and an item of a form that nobody takes any more; before it
there were no formats and no slots. Not a judge of when anything is forgotten: the engine says so.
"""

import secrets
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

import msgspec

from ..crypto.membership import Purpose
from ..gossip.authoring import SEEDS_MAX
from ..gossip.bodies import BODIES, Body
from ..gossip.events import OutboxAdded, SeedKept
from ..gossip.items import ItemId
from ..gossip.letters import SealedLetter
from ..gossip.wire import Bytes32, Epoch, Message, decode_untrusted, encode
from .storage.store import OUTBOX_ROW_COUNT, ROW_VALUE_SIZE_MAX, Put, StoreError, Table, row_key

__all__ = ["OutboxFull", "OutboxRows"]

FORMAT: Final = 2
_HEAD: Final = struct.Struct(">BBB")
_SLOT: Final = struct.Struct(">BQI")
_FIRST_SLOT: Final = struct.Struct(">QI")
_SEED: Final = struct.Struct(">32sQ32s")
#: In all rows together 8,000: at the default quotas those of a fortnight, and only the present epoch's matter. Then the
#: oldest goes.
SLOTS_PER_ROW_MAX: Final = 128
SEEDS_PER_ROW_MAX: Final = SEEDS_MAX // OUTBOX_ROW_COUNT

#: Of an item that waits: the longest text, the choices and the body's own fields.
DRAFT_SIZE_MAX: Final = 1_400

assert SEEDS_PER_ROW_MAX * OUTBOX_ROW_COUNT == SEEDS_MAX
assert (
    _HEAD.size + SLOTS_PER_ROW_MAX * _SLOT.size + SEEDS_PER_ROW_MAX * _SEED.size + DRAFT_SIZE_MAX
    <= ROW_VALUE_SIZE_MAX
)


#: What may stand in a row, by its kind.
_BODIES: Final[dict[int, type[Body] | type[SealedLetter]]] = {**BODIES, SealedLetter.kind: SealedLetter}


class OutboxFull(StoreError):
    """Too much of yours is waiting to be published. Wait until some has left."""


class _Draft(Message, frozen=True):
    item_id: Bytes32
    epoch: Epoch
    kind: Annotated[int, msgspec.Meta(ge=0, le=255)]
    body: Any
    seed: Annotated[bytes, msgspec.Meta(max_length=32)]
    sent_count: Annotated[int, msgspec.Meta(ge=0, le=255)]


@dataclass(slots=True)
class _Row:
    draft: OutboxAdded | None = None
    used: list[tuple[Purpose, int, int]] = field(default_factory=list)
    """Purpose, epoch and slot of what has stood here."""
    seeds: dict[ItemId, SeedKept] = field(default_factory=dict)


class OutboxRows:
    """All rows, as they stand on the disk once what is returned has been committed."""

    def __init__(self, choose: Callable[[int], int] = secrets.randbelow) -> None:
        """``choose`` draws a number below its argument."""
        self._choose = choose
        self._rows = [_Row() for _ in range(OUTBOX_ROW_COUNT)]

    def load(self, values: dict[bytes, bytes]) -> None:
        """Takes the rows back as they were read."""
        for key, value in values.items():
            self._rows[int.from_bytes(key, "big")] = _read(value)

    @property
    def drafts(self) -> list[OutboxAdded]:
        """The items that wait."""
        return [row.draft for row in self._rows if row.draft is not None]

    @property
    def slots(self) -> Iterable[tuple[Purpose, int, int]]:
        """Purpose, epoch and slot of all that is remembered as used."""
        return (used for row in self._rows for used in row.used)

    @property
    def seeds(self) -> list[SeedKept]:
        """What the author can go on with, the oldest first."""
        return sorted(
            (kept for row in self._rows for kept in row.seeds.values()), key=lambda kept: kept.epoch
        )

    def without_drafts(self) -> dict[bytes, bytes]:
        """What else stands in the rows, by their keys; those that would be empty are left out."""
        rows = {
            row_key(Table.OUTBOX, index): _encoded(replace(row, draft=None))
            for index, row in enumerate(self._rows)
        }
        return {key: value for key, value in rows.items() if value}

    def mark(self, purpose: Purpose, epoch: int, slot: int) -> Put:
        """A slot is used."""
        index = self._draw_emptiest(lambda row: len(row.used))
        used = sorted([*self._rows[index].used, (purpose, epoch, slot)], key=lambda each: each[1:])
        self._rows[index].used = used[-SLOTS_PER_ROW_MAX:]
        return self._put(index)

    def forget(self, purpose: Purpose, epoch: int) -> None:
        """The slots of an epoch need not be kept. They go when their row's turn comes: a write now would tell."""
        for row in self._rows:
            row.used = [used for used in row.used if used[:2] != (purpose, epoch)]

    def fill(self, draft: OutboxAdded) -> Put:
        """An item is to wait. Raises ``OutboxFull``."""
        free = [index for index, row in enumerate(self._rows) if row.draft is None]
        if not free:
            raise OutboxFull(str(OutboxFull.__doc__))
        index = self._draw(free)
        self._rows[index].draft = draft
        return self._put(index)

    def turn(self, item_id: ItemId | None, sent_count: int) -> Put:
        """The own clock has ticked: writes the row of what left, or any row as it is."""
        index = self._index(item_id)
        if index is None:
            return self._put(self._choose(OUTBOX_ROW_COUNT))
        draft = self._rows[index].draft
        assert draft is not None
        self._rows[index].draft = replace(draft, sent_count=sent_count)
        return self._put(index)

    def empty(self, item_id: ItemId) -> Put | None:
        """An item waits no more; None if it did not."""
        index = self._index(item_id)
        if index is None:
            return None
        self._rows[index].draft = None
        return self._put(index)

    def keep(self, kept: SeedKept) -> Put:
        """A seed is to be kept."""
        index = self._draw_emptiest(lambda row: len(row.seeds))
        self._rows[index].seeds[kept.item_id] = kept
        return self._put(index)

    def unlink(self, item_ids: Iterable[ItemId]) -> list[Put]:
        """These seeds are to be overwritten, at once."""
        gone = set(item_ids)
        touched = [
            index
            for index, row in enumerate(self._rows)
            if gone & row.seeds.keys() or (row.draft is not None and row.draft.item_id in gone)
        ]
        for index in touched:
            row = self._rows[index]
            row.seeds = {item_id: kept for item_id, kept in row.seeds.items() if item_id not in gone}
            if row.draft is not None and row.draft.item_id in gone:
                row.draft = replace(row.draft, seed=b"")
        return [self._put(index) for index in touched]

    def _draw_emptiest(self, count: Callable[[_Row], int]) -> int:
        fewest = min(map(count, self._rows))
        return self._draw(index for index, row in enumerate(self._rows) if count(row) == fewest)

    def _draw(self, candidates: Iterable[int]) -> int:
        rows = list(candidates)
        return rows[self._choose(len(rows))]

    def _index(self, item_id: ItemId | None) -> int | None:
        rows = enumerate(self._rows)
        return next((index for index, row in rows if row.draft and row.draft.item_id == item_id), None)

    def _put(self, index: int) -> Put:
        return Put(Table.OUTBOX, row_key(Table.OUTBOX, index), _encoded(self._rows[index]))


def _encoded(row: _Row) -> bytes:
    if row.draft is None and not row.used and not row.seeds:
        return b""
    parts = [_HEAD.pack(FORMAT, len(row.used), len(row.seeds))]
    parts += [_SLOT.pack(*used) for used in row.used]
    parts += [_SEED.pack(kept.item_id, kept.epoch, kept.seed) for kept in row.seeds.values()]
    if row.draft is not None:
        draft = _Draft(
            item_id=row.draft.item_id,
            epoch=row.draft.epoch,
            kind=row.draft.body.kind,
            body=row.draft.body,
            seed=row.draft.seed,
            sent_count=row.draft.sent_count,
        )
        parts.append(encode(draft))
    return b"".join(parts)


def _read(value: bytes) -> _Row:
    if not value or value[0] > FORMAT:
        # Before there were formats a row began as a CBOR array.
        return _Row()
    if value[0] == 1:
        slots = value[2 : 2 + value[1] * _FIRST_SLOT.size]
        return _Row(used=[(Purpose.POST, epoch, slot) for epoch, slot in _FIRST_SLOT.iter_unpack(slots)])
    _, slot_count, seed_count = _HEAD.unpack_from(value)
    slots_end = _HEAD.size + slot_count * _SLOT.size
    seeds_end = slots_end + seed_count * _SEED.size
    slots = value[_HEAD.size : slots_end]
    row = _Row(used=[(Purpose(purpose), epoch, slot) for purpose, epoch, slot in _SLOT.iter_unpack(slots)])
    for item_id, epoch, seed in _SEED.iter_unpack(value[slots_end:seeds_end]):
        row.seeds[ItemId(item_id)] = SeedKept(item_id=ItemId(item_id), epoch=epoch, seed=seed)
    if seeds_end < len(value):
        draft = decode_untrusted(_Draft, value[seeds_end:], ROW_VALUE_SIZE_MAX)
        row.draft = OutboxAdded(
            item_id=ItemId(draft.item_id),
            epoch=draft.epoch,
            body=msgspec.convert(draft.body, _BODIES[draft.kind], builtin_types=(bytes,), strict=True),
            seed=draft.seed,
            sent_count=draft.sent_count,
        )
    return row
