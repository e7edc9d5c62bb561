"""The allotment: how many slots for packets a member has in an epoch, by the ring that it names.

Which of its slots a member has used already is seen by the tag (``quota``). Specified in docs/protocol.md.
"""

from ..crypto.membership import Ring
from .errors import Fault
from .genesis import Genesis
from .pace import Pace
from .packets import Packet
from .roster import Roster

__all__ = ["Allotment"]


class Allotment:
    """The slots of packets, by ring."""

    def __init__(self, genesis: Genesis, roster: Roster) -> None:
        self._genesis = genesis
        self._roster = roster
        self._counts: dict[int, int] = {}
        """Slots of a member in an epoch, by the size of the ring."""

    def fault_of(self, packet: Packet, ring: Ring) -> Fault | None:
        """What is wrong with the slot of a packet, if anything is.

        The smaller the ring, the more slots it has, and a member may name a ring of a few friends in a young mesh. So a
        ring that is less than half of ours has no more slots than half of ours; in a mesh that has just doubled that
        strikes honest packets too, so it is nobody's fault.
        """
        ours = self._roster.ring_at(packet.epoch)
        size, fault = ring.size, Fault.OVER_QUOTA
        if ours is not None and 2 * size < ours.size:
            size, fault = ours.size // 2, Fault.WRONG_RING
        count = self._counts.get(size)
        if count is None:
            count = self._counts[size] = Pace.of(self._genesis.parameters, size).packets_per_epoch
        return fault if packet.slot >= count else None
