"""Sightings: what spies have of all packets of a mesh, in columns.

What ``onion_flow`` works on: a thousand nodes send 12,000 packets an hour, of each of which 800 nodes tell a spy, and
only the first sighting, the median and a sample of how they lie around it are wanted. ``of_packets`` makes columns of
the engine's ``SeenPacket``; for ``spread.flow`` see ``sim.evidence``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from .observations import SeenPacket

__all__ = ["Sightings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """All packets that any honest node told any spy of, in the order of first sightings."""

    first_at: Array
    """When each was first seen, in seconds; ascending."""
    first_friend: NDArray[np.int32]
    """The honest node that was the first to tell a spy."""
    on_stem: NDArray[np.bool_]
    """Whether that was on its stem."""
    typical_at: Array
    """When honest nodes had it: the median of their first announcements to spies."""
    is_item: NDArray[np.bool_]
    is_opened: NDArray[np.bool_]
    """Whether a spy's relay key opened it."""
    is_ours: NDArray[np.bool_]
    """Whether a spy injected it."""
    parents: NDArray[np.intp]
    """The place of the packet that a spy found it in; −1 for all others."""
    spread_s: Array
    """How announcements lie around their packet's median: a sample, of packets with more than one."""
    spread_by: NDArray[np.int32]
    """Who made each of these."""

    def __len__(self) -> int:
        return len(self.first_at)

    @classmethod
    def of_packets(cls, packets: Sequence[SeenPacket]) -> tuple["Sightings", dict[bytes, int]]:
        """The columns, and the place of each packet that was seen."""
        seen = sorted(
            (packet for packet in packets if packet.is_seen),
            key=lambda packet: (packet.first_seen_at, packet.packet_id),
        )
        places = {packet.packet_id: place for place, packet in enumerate(seen)}
        typical = [_typical(packet) for packet in seen]
        told = [
            (at - middle, node)
            for packet, middle in zip(seen, typical, strict=True)
            if len(packet.announced) > 1
            for node, at in packet.announced.items()
        ]
        columns = cls(
            first_at=np.array([packet.first_seen_at for packet in seen], dtype=np.float64),
            first_friend=np.array([packet.first_friend for packet in seen], dtype=np.int32),
            on_stem=np.array([packet.is_on_stem for packet in seen], dtype=np.bool_),
            typical_at=np.array(typical, dtype=np.float64),
            is_item=np.array([packet.is_item for packet in seen], dtype=np.bool_),
            is_opened=np.array([packet.is_opened for packet in seen], dtype=np.bool_),
            is_ours=np.array([packet.is_ours for packet in seen], dtype=np.bool_),
            parents=np.array([places.get(packet.parent or b"", -1) for packet in seen], dtype=np.intp),
            spread_s=np.array([offset for offset, _ in told], dtype=np.float64),
            spread_by=np.array([node for _, node in told], dtype=np.int32),
        )
        return columns, places


def _typical(packet: SeenPacket) -> float:
    """When honest nodes had it; if nobody announced it, when it was seen."""
    if not packet.announced:
        return packet.first_seen_at
    times = sorted(packet.announced.values())
    middle = len(times) // 2
    return times[middle] if len(times) % 2 else math.fsum(times[middle - 1 : middle + 1]) / 2
