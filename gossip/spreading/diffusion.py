"""Diffusion: tell each friend after a delay of its own.

What Bitcoin has done since 2015: the times at which friends hear are independent exponential draws, so that the order
in which spies hear says less of the way that a packet went. It still goes out from its author in all directions, and
spies who compare notes find the centre: with a fifth of the nodes they name one author in three. It is how the other
rules end, when there is nothing left to hide. After Fanti and Viswanath, "Deanonymization in the Bitcoin P2P Network"
(NIPS 2017); in docs/spreading.md.
"""

from collections.abc import Sequence
from typing import ClassVar

from ..errors import Fault, RemoteError
from ..events import LinkId
from ..items import ItemId
from ..pace import exponential
from .strategy import Announce, Flood, Situation, Step

__all__ = ["Diffusion", "diffuse"]


def diffuse(source: LinkId | None, situation: Situation) -> list[Step]:
    """Announcements to every friend but the one that it came from, each after its own exponential delay."""
    mean_s, draw = situation.pace.hop_s, situation.random.random
    return [
        Announce(links=(neighbour.link,), delay_s=exponential(mean_s, draw()))
        for neighbour in situation.neighbours
        if neighbour.link != source
    ]


class Diffusion:
    """Announces to every friend, each at its own time. There is no private phase, for our own packets neither."""

    name: ClassVar[str] = "diffusion"
    steers: ClassVar[bool] = False

    def injected(self, packet_id: ItemId, bare: bool, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        return [Flood(delay_s=0.0)]

    def stemmed(self, packet_id: ItemId, source: LinkId, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        return [Flood(delay_s=0.0)]

    def flooded(self, packet_id: ItemId, source: LinkId | None, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        return diffuse(source, situation)

    def told(self, packet_id: ItemId, source: LinkId, word: bytes, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        raise RemoteError(Fault.UNEXPECTED, "a word that nobody asked for")

    def woken(self, packet_id: ItemId, is_open: bool, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        return []
