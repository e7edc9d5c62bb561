"""Stems: packets that friends hand on to us before anybody floods them.

A stem was not asked for, so whatever a friend hands on must be paid for: only so many wait for a verifier, and a friend
whose stems come to nothing again and again is blamed. One that is taken waits in ``reception`` like all that comes in,
and goes on by ``carriage``. Specified in docs/protocol.md.
"""

from typing import Final

from .answers import HALF, Allowance
from .carriage import Carriage
from .claims import check_packet
from .codec import Codec
from .errors import Fault, RemoteError
from .events import LinkId
from .genesis import Genesis
from .holdings import Holdings
from .intake import Arrival, Way
from .pace import PACKET_SIZE
from .packets import Packet
from .reception import Reception

__all__ = ["STEMS_WAITING_MAX", "VAIN_STEMS_BURST_COUNT", "Stems"]

#: Packets of one friend that wait for a verifier on their stem: 256 kB. A friend hands on one in several seconds.
STEMS_WAITING_MAX: Final = 64
#: Stems of one link that come to nothing, because they are known, late or too many, before they count as misbehaviour:
#: what queues hold when a flood overtakes them. Each costs us some 20 microseconds.
VAIN_STEMS_BURST_COUNT: Final = 64
#: The same from then on, in packets that the whole mesh injects: nobody hands on each of them in vain, and twice.
VAIN_STEMS_SHARE: Final = 2.0
#: The same a second, at least.
VAIN_STEMS_RATE_MIN: Final = 1.0
_DAY_S: Final = 86_400


class Stems:
    """Takes stems, up to the verifier. Bounded by the links."""

    def __init__(
        self, genesis: Genesis, holdings: Holdings, codec: Codec, carriage: Carriage, reception: Reception
    ) -> None:
        self._genesis = genesis
        self._holdings = holdings
        self._codec = codec
        self._carriage = carriage
        self._reception = reception
        packets_per_s = genesis.parameters.bytes_per_day / PACKET_SIZE / _DAY_S
        self._vain_rate = max(VAIN_STEMS_RATE_MIN, VAIN_STEMS_SHARE * packets_per_s)
        self._vain: dict[LinkId, Allowance] = {}

    def link_opened(self, link: LinkId) -> None:
        self._vain[link] = Allowance(VAIN_STEMS_BURST_COUNT - HALF, self._vain_rate)

    def link_closed(self, link: LinkId) -> None:
        del self._vain[link]

    def take(self, encoding: bytes, link: LinkId, now: float) -> None:
        """A friend hands on a packet. Raises ``RemoteError``."""
        packet = self._codec.packet_untrusted(encoding)
        try:
            if self._take(packet, link, now):
                return
        except RemoteError:
            self._count_vain(link, now)
            raise
        self._count_vain(link, now)

    def _take(self, packet: Packet, link: LinkId, now: float) -> bool:
        """Returns whether it is looked at any further. Raises ``RemoteError``."""
        expired = self._holdings.store.is_below_floor(packet)
        check_packet(packet, epoch=self._genesis.epoch_at(now), expired=expired)
        if self._holdings.is_displaced(packet):
            raise RemoteError(Fault.SLOT_TAKEN, "a second packet in one slot")
        arrival = Arrival(packet, link, Way.STEM)
        if self._carriage.is_known_from(packet.item_id, link) or self._reception.is_waiting(arrival):
            return False
        ring = self._reception.ring_of(packet)
        # Over a ring that is not known here it goes no further; whoever handed it on floods it after a while.
        if ring is None or self._reception.waiting_count(link) >= STEMS_WAITING_MAX:
            return False
        self._reception.verify(arrival, ring, now)
        return True

    def _count_vain(self, link: LinkId, now: float) -> None:
        """Raises ``RemoteError`` if there are too many of them."""
        allowance = self._vain[link]
        if now < allowance.free_at():
            raise RemoteError(Fault.UNEXPECTED, "stems that come to nothing, again and again")
        allowance.spend(1, now)
