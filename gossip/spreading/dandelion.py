"""Dandelion++: a stem along an epoch's graph of relays, then diffusion. A rule to compare ours with.

In each epoch a node draws two of its friends as relays: all stems of that epoch run on the graph of these edges, two
out of each node and about two in. It also draws, once, whether it is a *diffuser* in that epoch, with probability q;
then what comes by stem is diffused from here. Otherwise it goes on to one of the two relays, and the variants differ
in which. What this node injects always goes at least one hop. Whoever holds a packet by stem, its author too, has a
fail-safe timer and diffuses if the packet has not come back by then.

After Fanti, Venkatakrishnan, Bakshi, Denby, Bhargava, Miller and Viswanath, "Dandelion++: Lightweight Cryptocurrency
Networking with Formal Anonymity Guarantees" (SIGMETRICS 2018, arXiv 1805.11060); the variants as in the authors'
simulator. Where ours differs stands in docs/spreading.md. It does not hide what a packet says from
the relays, so spies that are a share p of the nodes name an author with probability p at the least.
"""

import math
from collections.abc import Sequence
from typing import ClassVar, Final

from ..errors import Fault, RemoteError
from ..events import FriendId, LinkId
from ..items import ItemId
from ..pace import STEM_END
from .choice import draw_delay, friend_of, ranked
from .diffusion import diffuse
from .strategy import Flood, Neighbour, Situation, Stem, Step, Wake

__all__ = ["AllToOne", "Dandelion", "OneToOne", "PerEdge", "PerTransaction"]

#: Out-degree of the graph of relays: the paper's "4-regular" counts edges out and in.
RELAYS: Final = 2
#: A stem of so many hops is to outrun all its fail-safe timers but for a chance of ``_CUT_CHANCE`` (the paper's k, ε).
_STEM_HOPS: Final = 10
_CUT_CHANCE: Final = 0.1
#: The mean of those timers in hops, by the paper's rule k (k - 1) / (2 ln (1 / (1 - ε))): 427.
FAIL_SAFE_HOPS: Final = _STEM_HOPS * (_STEM_HOPS - 1) / (-2 * math.log(1 - _CUT_CHANCE))
#: Packets of an epoch that are remembered, to break loops. Forgetting one only lets it loop until a timer ends that.
SEEN_MAX: Final = 4_096


class _Spreading:
    """What the variants share. A *slot* is 0 or 1, for one of the two relays."""

    steers: ClassVar[bool] = False

    name: ClassVar[str]

    def __init__(self) -> None:
        self._epoch = -1
        self._seed = b""
        """Private, of this epoch: the order in which friends are taken as relays."""
        self._is_diffuser = False
        self._own_slot = 0
        self._edges: dict[FriendId, int] = {}
        """The slot of each friend who has sent us stems in this epoch."""
        self._seen: dict[ItemId, None] = {}
        """What has passed here by stem in this epoch, oldest first."""

    def injected(self, packet_id: ItemId, bare: bool, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        self._enter_epoch(situation)
        self._remember(packet_id)
        fail_safe = self._fail_safe(situation)
        hop_s = draw_delay(situation.pace.hop_s, situation)
        relay = self._relay(self._slot_of_own(situation), None, situation)
        return [fail_safe] if relay is None else [Stem(link=relay.link, delay_s=hop_s), fail_safe]

    def stemmed(self, packet_id: ItemId, source: LinkId, situation: Situation) -> Sequence[Step]:
        self._enter_epoch(situation)
        is_loop = packet_id in self._seen
        self._remember(packet_id)
        sender = friend_of(source, situation) or FriendId(b"")
        hop_s = draw_delay(situation.pace.hop_s, situation)
        slot = self._slot_of(sender, is_loop, situation)
        relay = self._relay(slot, sender, situation)
        if self._is_diffuser or relay is None:
            return [Flood(delay_s=hop_s)]
        stem = Stem(link=relay.link, delay_s=hop_s)
        return [stem] if is_loop else [stem, self._fail_safe(situation)]

    def flooded(self, packet_id: ItemId, source: LinkId | None, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        return diffuse(source, situation)

    def told(self, packet_id: ItemId, source: LinkId, word: bytes, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        raise RemoteError(Fault.UNEXPECTED, "a word that nobody asked for")

    def woken(self, packet_id: ItemId, is_open: bool, situation: Situation) -> Sequence[Step]:  # noqa: ARG002
        return [] if is_open else [Flood(delay_s=0.0)]

    def _slot_of_own(self, situation: Situation) -> int:  # noqa: ARG002
        """Own packets of an epoch take one edge: on two, one of them would soon meet a spy."""
        return self._own_slot

    def _slot_of(self, sender: FriendId, is_loop: bool, situation: Situation) -> int:
        """The slot of an incoming edge; a packet that has been here takes the other, as in the authors' simulator."""
        if sender not in self._edges:
            self._edges[sender] = self._new_slot(situation)
        return self._edges[sender] ^ is_loop

    def _new_slot(self, situation: Situation) -> int:
        """The slot of an edge that nothing has come over in this epoch: one of the two at random."""
        return situation.random.randrange(RELAYS)

    def _enter_epoch(self, situation: Situation) -> None:
        if self._epoch == situation.epoch:
            return
        self._epoch = situation.epoch
        self._seed = situation.random.randbytes(32)
        self._is_diffuser = situation.random.random() < STEM_END
        self._own_slot = situation.random.randrange(RELAYS)
        self._edges.clear()
        self._seen.clear()

    def _remember(self, packet_id: ItemId) -> None:
        self._seen[packet_id] = None
        if len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]

    def _relay(self, slot: int, sender: FriendId | None, situation: Situation) -> Neighbour | None:
        """The relay in this slot, or the other if that is where the packet comes from, or None."""
        pair = ranked(situation.neighbours, self._seed, b"")[:RELAYS]
        others = [each for each in pair if each.friend != sender]
        if not others:
            return None
        relay = pair[slot % len(pair)]
        return relay if relay in others else others[0]

    @staticmethod
    def _fail_safe(situation: Situation) -> Wake:
        return Wake(delay_s=draw_delay(FAIL_SAFE_HOPS * situation.pace.hop_s, situation))


class OneToOne(_Spreading):
    """Each incoming edge gets the relay that fewer have yet: with two edges in, one to one."""

    name: ClassVar[str] = "dandelion-one-to-one"

    def _new_slot(self, situation: Situation) -> int:
        drawn = situation.random.randrange(RELAYS)
        ones = sum(self._edges.values())
        zeros = len(self._edges) - ones
        return drawn if ones == zeros else int(ones < zeros)


class Dandelion(OneToOne):
    """The variant that the paper settles on.

    Spies who do not know the graph learn a little more from it than from per-transaction (0.100 against 0.088 at a
    fifth of spies). But they can learn the graph, and then the fresh choices of per-transaction let them
    intersect what they see of several packets, while a fixed one-to-one map shows them the same path again.
    """

    name: ClassVar[str] = "dandelion"


class PerEdge(_Spreading):
    """Each incoming edge gets a relay at random, whatever the others have."""

    name: ClassVar[str] = "dandelion-per-edge"


class PerTransaction(_Spreading):
    """Each packet gets a relay at random, at each hop and each time."""

    name: ClassVar[str] = "dandelion-per-transaction"

    def _slot_of_own(self, situation: Situation) -> int:
        return situation.random.randrange(RELAYS)

    def _slot_of(self, sender: FriendId, is_loop: bool, situation: Situation) -> int:  # noqa: ARG002
        return situation.random.randrange(RELAYS)


class AllToOne(_Spreading):
    """Everything goes to one relay, own packets too; the other is for loops and for what comes from the first."""

    name: ClassVar[str] = "dandelion-all-to-one"

    def _new_slot(self, situation: Situation) -> int:  # noqa: ARG002
        return self._own_slot
