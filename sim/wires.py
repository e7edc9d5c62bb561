"""Wires: one direction of one link between two hosts, for as long as the link is open.

A wire decides when each frame arrives, and how often. Without faults frames arrive in the order in which they were
sent, as over TCP. What is under way when a link breaks is lost.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..gossip.events import LinkId
from .faults import Spells
from .loop import TICKS_PER_S
from .seeds import Stream

if TYPE_CHECKING:
    from .adversaries import Bystander
    from .hosts import Host

__all__ = ["Disturbance", "Wire"]

#: A frame that others overtake is late by up to this many latencies.
OVERTAKEN_FACTOR: Final = 4


@dataclass(slots=True, kw_only=True)
class Disturbance:
    """The faults of one direction between two friends; outlives its wires."""

    loss: Spells
    duplication: Spells
    reordering: Spells
    until: float = math.inf
    """The tick at which all three end."""


class Wire:
    """Frames from one host to another."""

    __slots__ = (
        "_disturbance",
        "_free_tick",
        "_jitter",
        "_latency",
        "_random",
        "bystander",
        "is_open",
        "number",
        "receiver",
        "receiver_link",
        "sender",
    )

    def __init__(
        self,
        *,
        number: int,
        sender: "Host",
        receiver: "Host",
        receiver_link: LinkId,
        latency_s: float,
        jitter: float,
        random: Stream,
        disturbance: Disturbance | None,
        bystander: "Bystander | None",
    ) -> None:
        self.number = number
        """Tells wires apart in the trace; the same as the sender's link."""
        self.sender, self.receiver, self.receiver_link = sender, receiver, receiver_link
        self.is_open = True
        self.bystander = bystander
        """Who sees sizes and times here."""
        self._latency = latency_s * TICKS_PER_S
        self._jitter = jitter * self._latency
        self._random = random
        self._disturbance = disturbance
        self._free_tick = 0

    def arrivals(self, tick: int) -> tuple[int, ...]:
        """The ticks at which a frame that is sent now arrives: none if it is lost, two if it comes twice."""
        delay = self._latency
        if self._jitter:
            delay -= (
                math.log(1.0 - self._random.random()) * self._jitter
            )  # An exponential draw, once for each frame.
        at = tick + (round(delay * self.sender.delay_factor * self.receiver.delay_factor) or 1)
        faults = self._disturbance
        if faults is None or tick >= faults.until:
            if at < self._free_tick:
                at = self._free_tick
            else:
                self._free_tick = at
            return (at,)
        if faults.loss.strikes(tick):
            return ()
        if faults.reordering.strikes(tick):
            at += round(self._random.random() * OVERTAKEN_FACTOR * (at - tick))
        else:
            at = self._free_tick = max(at, self._free_tick)
        return (at, at) if faults.duplication.strikes(tick) else (at,)
