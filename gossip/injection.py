"""Injection: how a payload becomes a packet of ours.

A packet takes a slot of the epoch, drawn at random and spent from then on, and a membership proof in the slot's scope,
which the driver makes. Own onions, cover, relayed onions and published items are injected alike. What a crash catches
between the slot and the proof is lost; the outbox sends its content once more, and for a relayed onion its author does.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ..crypto.membership import Purpose, Ring
from .events import ProofWanted, SlotUsed
from .genesis import Genesis
from .items import ItemId
from .pace import Pace
from .packets import Content, Packet, packet_scope
from .quota import SlotBook
from .randomness import RandomSource
from .suite import Suite

__all__ = ["Injector"]

#: A packet shows its epoch, and so how far off its injector's clock is. So each packet's epoch is that of a moment up
#: to this share of an epoch ago, and at most so many seconds: clocks that differ by less look alike.
JITTER_SHARE: Final = 0.1
JITTER_S_MAX: Final = 120.0


@dataclass(frozen=True, slots=True)
class _Unproved:
    packet: Packet
    bare: bool


class Injector:
    """Packets of ours that wait for their proofs. Bounded by the slots of an epoch."""

    def __init__(
        self,
        genesis: Genesis,
        suite: Suite,
        secret: bytes,
        key: bytes,
        slots: SlotBook,
        ring_at: Callable[[int], Ring | None],
        timing: RandomSource,
        drawing: RandomSource,
    ) -> None:
        """``timing`` is the stream for the jitter, ``drawing`` the one for slots."""
        self._genesis = genesis
        self._suite = suite
        self._secret = secret
        self._key = key
        self._slots = slots
        self._ring_at = ring_at
        self._timing = timing
        self._drawing = drawing
        self._unproved: dict[ItemId, _Unproved] = {}
        self._ticked: Counter[int] = Counter()
        """Slots by epoch that our own clock has taken since the start. The disk does not tell them from others', so
        after a restart all that were taken before count as relayed: then we relay less, and never tick less."""

    def ring(self, epoch: int) -> Ring | None:
        """The ring of an epoch, if we stand in it."""
        ring = self._ring_at(epoch)
        return ring if ring is not None and self._key in ring.keys else None

    def inject(
        self, content: Content, payload: bytes, *, now: float, bare: bool = False, relayed: bool = False
    ) -> tuple[SlotUsed, ProofWanted] | None:
        """Starts a packet; returns what is to be made durable and to be proved, or None without a ring or a slot.

        ``bare`` if the payload shows what we say ourselves, ``relayed`` if it is others'.
        """
        jitter_s = min(JITTER_S_MAX, JITTER_SHARE * self._genesis.parameters.epoch_s)
        epoch = self._genesis.epoch_at(now - jitter_s * self._timing.random())
        ring = self.ring(epoch)
        if ring is None or epoch < self._slots.silent_until:
            epoch = self._genesis.epoch_at(now)
            ring = self.ring(epoch)
        if ring is None:
            return None
        pace = Pace.of(self._genesis.parameters, ring.size)
        quota = pace.packets_per_epoch
        used_count = quota - self._slots.left_count(Purpose.PACKET, epoch, quota)
        if relayed and used_count - self._ticked[epoch] >= pace.relayed_per_epoch:
            return None
        slot = self._slots.draw(Purpose.PACKET, epoch, quota, self._drawing)
        if slot is None:
            return None
        if not relayed:
            self._ticked[epoch] += 1
        scope = packet_scope(self._genesis.mesh_id, epoch, slot)
        packet = Packet(content, epoch, slot, ring.root, self._suite.tag(self._secret, scope), payload)
        self._unproved[packet.item_id] = _Unproved(packet, bare)
        wanted = ProofWanted(item_id=packet.item_id, ring=ring, scopes=[scope], message=packet.message)
        return SlotUsed(purpose=Purpose.PACKET, epoch=epoch, slot=slot), wanted

    def forget_before(self, epoch: int) -> None:
        """Forgets the counts of epochs that are over."""
        for old in [old for old in self._ticked if old < epoch]:
            del self._ticked[old]

    def finish(self, packet_id: ItemId, proof: bytes) -> tuple[Packet, bool] | None:
        """The proof came; returns the whole packet and whether it is bare, or None if it is not one of these."""
        unproved = self._unproved.pop(packet_id, None)
        return (replace(unproved.packet, proof=proof), unproved.bare) if unproved is not None else None
