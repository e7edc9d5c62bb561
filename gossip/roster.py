"""The roster: who is a member, since when, and what the ring of an epoch is.

Admission records are only ever added, so that every node converges on the same set. A record counts for rings two
epochs after its own; the founder and the members it admits plainly count at once. The ring of an epoch is thus a
function of the records alone, and two nodes with the same records name the same root.

*Rivals.* A sponsor that admits two keys in one slot leaves two records under one tag. The one whose message hash is
lower counts, everywhere. The other is kept too, because honest nodes that heard of it first have named it in rings,
and what they posted over those stays readable; but no ring may hold both.

*Rings of others.* A node that has a record too few computes another root. It fetches the ring that an item names from
the friend who sent it and accepts it if it could be a snapshot of the roster (``check_ring``): nobody chooses a ring.
Which rings are known, and for how long, is the affair of ``ringbook``.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from ..crypto.membership import Ring
from .bodies import AdmissionBody
from .errors import Fault, RemoteError
from .genesis import Genesis
from .items import Item, ItemId
from .quota import counted_tag, founder_tag
from .ringbook import RingBook

__all__ = ["MATURITY_EPOCHS", "MEMBERS_MAX", "RECORDS_MAX", "RIVALS_MAX", "Roster"]

#: By then practically every node has a record.
MATURITY_EPOCHS: Final = 2
#: A ring is at most this large; proofs, frames and the benchmark figures are laid out for it.
MEMBERS_MAX: Final = 1_024
#: Records under one tag. An honest member leaves two at most, after losing its disk; more are an attack.
RIVALS_MAX: Final = 4
#: Records in all: 10 MB. Those beyond the ring's limit are kept so that all nodes agree which members come first.
RECORDS_MAX: Final = 4 * MEMBERS_MAX


@dataclass(frozen=True, slots=True, order=True)
class _Record:
    """An admission, ordered among those under its tag."""

    message_hash: bytes
    key: bytes
    at: int
    """The first epoch whose ring it counts for."""
    item_id: ItemId
    tag: bytes


class Roster:
    """The members of one mesh and the rings that may be named."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._by_tag: dict[bytes, list[_Record]] = {}
        self._by_key: dict[bytes, list[_Record]] = {}
        self._contested: set[bytes] = set()
        self._eligible_at: dict[bytes, int] = {genesis.founder: 0}
        self._order: list[tuple[int, bytes]] = [(0, genesis.founder)]
        self._latest: dict[int, Ring] = {}
        self.rings = RingBook(self.ring_at)
        """Every ring that is known by its root."""
        self._record_count = 0
        self._is_shared = False
        """Whether the records are another roster's too, so that they are to be copied before the first change."""
        self.version = 0
        """Grows with every change of the members."""

    def fork(self) -> "Roster":
        """A roster with the same members and rings, which costs little until one of the two changes.

        For a simulator, whose thousand nodes start with the same thousand records.
        """
        other = Roster(self._genesis)
        self._is_shared = other._is_shared = True
        other._by_tag, other._by_key, other._contested = self._by_tag, self._by_key, self._contested
        other._eligible_at, other._order = self._eligible_at, self._order
        other._latest = dict(self._latest)
        other._record_count, other.version = self._record_count, self.version
        other.rings = self.rings.fork(other.ring_at)
        return other

    def _copy_if_shared(self) -> None:
        if self._is_shared:
            self._by_tag = {tag: list(rivals) for tag, rivals in self._by_tag.items()}
            self._by_key = {key: list(records) for key, records in self._by_key.items()}
            self._contested = set(self._contested)
            self._eligible_at, self._order = dict(self._eligible_at), list(self._order)
            self._is_shared = False

    def __len__(self) -> int:
        return len(self._eligible_at)

    def __contains__(self, key: bytes) -> bool:
        return key in self._eligible_at

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._eligible_at)

    @property
    def full(self) -> bool:
        return len(self._eligible_at) >= MEMBERS_MAX

    def eligible_at(self, key: bytes) -> int | None:
        """The first epoch whose ring holds the key, or None if it is no member's."""
        return self._eligible_at.get(key)

    def knows(self, key: bytes) -> bool:
        """Whether any record admits this key, also one that lost to a rival."""
        return key == self._genesis.founder or key in self._by_key

    def add(self, record: Item) -> set[ItemId] | None:
        """Adds a verified admission.

        Returns the records that are to be dropped for it, or None if it is itself one too many. Which rivals are kept
        beyond the first, and which records beyond ``RECORDS_MAX``, depends on the order of arrival: rules that only an
        attack reaches, and that decide neither who counts nor what an honest node names.
        """
        body = record.body
        if not isinstance(body, AdmissionBody):
            raise TypeError("only admissions enter the roster")
        self._copy_if_shared()
        at = record.epoch if record.by_founder else record.epoch + MATURITY_EPOCHS
        tag = counted_tag(record)
        new = _Record(record.message_hash, body.key, at, record.item_id, tag)
        rivals = self._by_tag.setdefault(tag, [])
        dropped: set[ItemId] = set()
        gone: set[bytes] = set()
        if new in rivals:
            return dropped
        if not rivals and self._record_count >= RECORDS_MAX:
            del self._by_tag[tag]
            return None
        if len(rivals) >= RIVALS_MAX:
            if rivals[0] < new:
                return None
            dropped.add(rivals[-1].item_id)
            gone.add(rivals[-1].key)
            self._remove(rivals[-1])
        insort(rivals, new)
        self._by_key.setdefault(body.key, []).append(new)
        self._record_count += 1
        if len(rivals) > 1:
            self._contested.add(tag)
        self._count_again({rival.key for rival in rivals} | gone)
        return dropped

    def _remove(self, record: _Record) -> None:
        self._by_tag[record.tag].remove(record)
        self._by_key[record.key].remove(record)
        self._record_count -= 1
        if not self._by_key[record.key]:
            del self._by_key[record.key]

    def _count_again(self, keys: Collection[bytes]) -> None:
        """Finds out anew since when keys count; of two members' admissions of one key the earlier decides."""
        changes: list[tuple[bytes, int | None, int | None]] = []
        for key in keys:
            records = self._by_key.get(key, ())
            at = min((record.at for record in records if self._by_tag[record.tag][0] == record), default=None)
            before = self._eligible_at.get(key)
            if at != before and key != self._genesis.founder:
                changes.append((key, before, at))
        if not changes:
            return
        first = min((at, key) for key, *both in changes for at in both if at is not None)
        self.rings.about_to_change(first[0])
        for key, before, at in changes:
            if before is not None:
                del self._eligible_at[key]
                del self._order[bisect_left(self._order, (before, key))]
            if at is not None:
                self._eligible_at[key] = at
                insort(self._order, (at, key))
        self._changed(first)

    def _changed(self, first: tuple[int, bytes]) -> None:
        """The order changed from here on, so the rings that reach as far are others."""
        self.version += 1
        place = bisect_left(self._order, first)
        for count in [count for count in self._latest if count > place]:
            del self._latest[count]
        self.rings.changed(first[0])

    def free_number(self) -> int | None:
        """The lowest number that the founder may still sign, or None when the founding is over."""
        numbers = range(1, self._genesis.parameters.founding_size)
        return next((number for number in numbers if founder_tag(number) not in self._by_tag), None)

    def ring_at(self, epoch: int) -> Ring | None:
        """The ring of an epoch, or None while fewer than two members are eligible.

        Of more members than a ring may hold, those eligible first.
        """
        count = min(bisect_right(self._order, epoch, key=lambda entry: entry[0]), MEMBERS_MAX)
        ring = self._latest.get(count)
        if ring is None and count >= 2:
            ring = self._latest[count] = Ring([key for _, key in self._order[:count]])
            self.rings.remember(ring)
        return ring

    def ring_by_root(self, root: bytes, epoch: int) -> Ring | None:
        """The ring with this root if an item of this epoch may name it, as far as is known here."""
        ring = self.ring_at(epoch)
        if ring is not None and ring.root == root:
            return ring
        known = self.rings.known(root)
        if known is None:
            return None
        try:
            self.check_ring(known.keys, epoch)
        except RemoteError:
            return None
        return known

    def check_ring(self, keys: Collection[bytes], epoch: int) -> None:
        """Checks that these keys could be somebody's snapshot of the roster at this epoch.

        Every key must be admitted and eligible by then, no two may be rivals, and at least half of the members who
        were eligible an item's lifetime earlier must be there: a ring of one's own choosing would be a lie to the
        reader about the crowd. Half, and not all of them, because a member can date a record back to any slot that it
        has not used; if one record too few made a ring wrong, such a record would take the readers of every
        secret from it. Raises ``RemoteError``.
        """
        keys = set(keys)
        for key in keys:
            at = self._known_at(key)
            if at is None or at > epoch:
                raise RemoteError(Fault.WRONG_RING, "a ring with keys that are not eligible")
        for tag in self._contested:
            rivals = {
                record.key
                for record in self._by_tag[tag]
                if record.key in keys and len(self._by_key[record.key]) == 1
            }
            if len(rivals) > 1:
                raise RemoteError(Fault.WRONG_RING, "a ring with two keys admitted in one slot")
        settled_at = epoch - self._genesis.parameters.item_lifetime_epochs
        settled = self._order[: bisect_right(self._order, settled_at, key=lambda entry: entry[0])]
        present = sum(key in keys for _, key in settled[:MEMBERS_MAX])
        if 2 * present < min(len(settled), MEMBERS_MAX):
            raise RemoteError(Fault.WRONG_RING, "a ring that leaves out most of the settled members")

    def _known_at(self, key: bytes) -> int | None:
        if key == self._genesis.founder:
            return 0
        return min((record.at for record in self._by_key.get(key, ())), default=None)
