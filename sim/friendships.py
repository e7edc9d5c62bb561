"""Friendships: two hosts that have confirmed each other, and the connection between them.

What the connection is like is drawn once for each friendship, and so is what disturbs it. When they connect and part is
the affair of ``network``.
"""

import math
from dataclasses import dataclass
from typing import Final

from ..gossip.events import LinkId
from .adversaries import Bystander
from .faults import Fault, Latency, Spells
from .hosts import Host
from .seeds import Stream
from .wires import Disturbance, Wire

__all__ = ["Conditions", "Friendship"]

NONE: Final = Fault(0.0, 0.0)
ALIKE: Final = Latency("constant", 0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What links are like."""

    latency: Latency = ALIKE
    """From which each friendship draws its own once."""
    jitter: float = 0.0
    """Mean of what each frame takes longer, as a share of its link's latency."""
    loss: Fault = NONE
    duplication: Fault = NONE
    reordering: Fault = NONE
    disturbed_until: float = math.inf
    """The tick at which loss, duplication and reordering end."""

    def disturbance(self, random: Stream) -> Disturbance | None:
        """What disturbs one direction of a friendship, if anything does."""
        if not (self.loss or self.duplication or self.reordering):
            return None
        return Disturbance(
            loss=Spells(self.loss, random.stream("loss")),
            duplication=Spells(self.duplication, random.stream("duplication")),
            reordering=Spells(self.reordering, random.stream("reordering")),
            until=self.disturbed_until,
        )


@dataclass(slots=True, kw_only=True)
class Friendship:
    """Two hosts that have confirmed each other."""

    one: Host
    other: Host
    latency_s: float
    jitter: float
    """Mean of what each frame takes longer, as a share of the latency."""
    random: Stream
    disturbances: tuple[Disturbance | None, Disturbance | None]
    bystander: Bystander | None = None
    obstacle_count: int = 0
    links: tuple[LinkId, LinkId] | None = None
    """While they are connected: what each calls the link."""

    @classmethod
    def between(cls, one: Host, other: Host, conditions: Conditions, random: Stream) -> "Friendship":
        """Makes friends of two hosts."""
        one.friends.append(other.friend_id)
        other.friends.append(one.friend_id)
        return cls(
            one=one,
            other=other,
            latency_s=conditions.latency.draw(random),
            jitter=conditions.jitter,
            random=random,
            disturbances=(
                conditions.disturbance(random.stream("there")),
                conditions.disturbance(random.stream("back")),
            ),
        )

    def connect(self, there: LinkId, back: LinkId) -> None:
        """Lays the wires; ``there`` is what one will call the link, and ``back`` what the other will."""
        self.links = there, back
        disturbed_there, disturbed_back = self.disturbances
        self.one.wires[there] = self._wire(self.one, there, self.other, back, disturbed_there)
        self.other.wires[back] = self._wire(self.other, back, self.one, there, disturbed_back)

    def _wire(
        self,
        sender: Host,
        link: LinkId,
        receiver: Host,
        receiver_link: LinkId,
        disturbance: Disturbance | None,
    ) -> Wire:
        return Wire(
            number=link,
            sender=sender,
            receiver=receiver,
            receiver_link=receiver_link,
            latency_s=self.latency_s,
            jitter=self.jitter,
            random=self.random,
            disturbance=disturbance,
            bystander=self.bystander,
        )

    def disconnect(self) -> list[tuple[Host, LinkId]]:
        """Cuts the wires; returns the hosts with what each called the link, if they were connected."""
        if self.links is None:
            return []
        there, back = self.links
        self.links = None
        for host, link in (parted := [(self.one, there), (self.other, back)]):
            host.wires.pop(link).is_open = False
        return parted
