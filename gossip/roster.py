"""The roster: who is a member, since when, and what the ring of an epoch is.

Admission records are only ever added, so that every node converges on the same set. A record counts for rings two
epochs after its own; the founder and the members it admits plainly count at once. The ring of an epoch is thus a
function of the records alone, and two nodes with the same records name the same root.

A node that has a record too few computes another root. It fetches the ring that an item names from the friend who
sent it and accepts it if it could be a snapshot of the roster (``check_ring``): nobody chooses a ring.
"""

from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Collection, Iterator
from typing import Final

from ..crypto.errors import CryptoError
from ..crypto.membership import Ring
from .errors import Fault, RemoteError
from .genesis import Genesis
from .items import AdmissionBody, Item

__all__ = ["MATURITY_EPOCHS", "MEMBERS_MAX", "Roster"]

#: By then practically every node has a record.
MATURITY_EPOCHS: Final = 2
#: A ring is at most this large; proofs, frames and the benchmark figures are laid out for it.
MEMBERS_MAX: Final = 1_024
#: Rings kept by root. A ring of 1,024 shares its keys with the others and adds 8 kB; a mesh that grows by one member
#: an epoch names one root an epoch, and items older than this many roots are rare outside a catch-up.
RINGS_KEPT_MAX: Final = 128


class Roster:
    """The members of one mesh and the rings that may be named."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._eligible_at: dict[bytes, int] = {genesis.founder: 0}
        self._numbers: dict[int, bytes] = {}
        self._order: list[tuple[int, bytes]] = [(0, genesis.founder)]
        self._rings: OrderedDict[bytes, Ring] = OrderedDict()
        self._latest: dict[int, Ring] = {}
        self.version = 0
        """Grows with every change."""

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

    def add(self, record: Item) -> bool:
        """Adds a verified admission; returns whether the roster changed.

        A key that two members admitted counts from the earlier of both. A roster that is full takes no more: the
        one rule here that depends on the order of arrival, reached only by a mesh at its design limit.
        """
        body = record.body
        if not isinstance(body, AdmissionBody):
            raise TypeError("only admissions enter the roster")
        if record.by_founder:
            self._numbers[body.slot] = body.key
        at = record.epoch if record.by_founder else record.epoch + MATURITY_EPOCHS
        before = self._eligible_at.get(body.key)
        if before is not None and before <= at:
            return False
        if before is None and self.full:
            return False
        if before is not None:
            self._order.remove((before, body.key))
        self._eligible_at[body.key] = at
        insort(self._order, (at, body.key))
        self._changed()
        return True

    def remove(self, record: Item, others: Collection[Item]) -> None:
        """Takes back an admission that lost a conflict of tags; ``others`` are the records that remain."""
        body = record.body
        if not isinstance(body, AdmissionBody):
            raise TypeError("only admissions leave the roster")
        at = self._eligible_at.pop(body.key, None)
        if at is not None:
            self._order.remove((at, body.key))
        self._changed()
        for other in others:
            if isinstance(other.body, AdmissionBody) and other.body.key == body.key:
                self.add(other)

    def _changed(self) -> None:
        self.version += 1
        self._latest.clear()

    def free_number(self) -> int | None:
        """The lowest number that the founder may still sign, or None when the founding is over."""
        numbers = range(1, self._genesis.parameters.founding_size)
        return next((number for number in numbers if number not in self._numbers), None)

    def ring_at(self, epoch: int) -> Ring | None:
        """The ring of an epoch, or None while fewer than two members are eligible."""
        count = bisect_right(self._order, epoch, key=lambda entry: entry[0])
        ring = self._latest.get(count)
        if ring is None and count >= 2:
            ring = self._latest[count] = Ring([key for _, key in self._order[:count]])
            self._keep(ring)
        return ring

    def ring_by_root(self, root: bytes, epoch: int) -> Ring | None:
        """The ring with this root if an item of this epoch may name it, as far as is known here."""
        ring = self.ring_at(epoch)
        if ring is not None and ring.root == root:
            return ring
        known = self._rings.get(root)
        if known is None:
            return None
        self._rings.move_to_end(root)
        try:
            self.check_ring(known.keys, epoch)
        except RemoteError:
            return None
        return known

    def known_ring(self, root: bytes) -> Ring | None:
        """The ring with this root, whatever it may be named by; to answer friends who ask."""
        return self._rings.get(root)

    def check_ring(self, keys: Collection[bytes], epoch: int) -> None:
        """Checks that these keys could be somebody's snapshot of the roster at this epoch.

        Every key must be admitted and eligible by then, and no member may be left out who was eligible an item's
        lifetime earlier: records may be late, but not for ever, and a ring of one's own choosing would be a lie to
        the reader about the size of the crowd. Raises ``RemoteError``.
        """
        keys = set(keys)
        for key in keys:
            at = self._eligible_at.get(key)
            if at is None or at > epoch:
                raise RemoteError(Fault.WRONG_RING, "a ring with keys that are not eligible")
        settled = epoch - self._genesis.parameters.item_lifetime_epochs
        for at, key in self._order:
            if at > settled:
                break
            if key not in keys:
                raise RemoteError(Fault.WRONG_RING, "a ring that leaves out settled members")

    def accept_ring(self, keys: Collection[bytes], root: bytes, epoch: int) -> Ring:
        """Keeps a ring that a friend sent, if it has this root and may be named. Raises ``RemoteError``."""
        self.check_ring(keys, epoch)
        try:
            ring = Ring(list(keys))
        except CryptoError as error:
            raise RemoteError(Fault.WRONG_RING, "keys that make no ring") from error
        if ring.root != root:
            raise RemoteError(Fault.WRONG_RING, "a ring with another root")
        self._keep(ring)
        return ring

    def _keep(self, ring: Ring) -> None:
        self._rings[ring.root] = ring
        self._rings.move_to_end(ring.root)
        while len(self._rings) > RINGS_KEPT_MAX:
            self._rings.popitem(last=False)
