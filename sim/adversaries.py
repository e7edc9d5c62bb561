"""Adversaries: members that work against the others, and bystanders.

A *spy* runs an ordinary node, and all that its node hears goes to the ``ledger`` of all spies. Some do more: drop
what they should pass on, pass it on late, repeat what they heard, send junk. A *bystander* is no member; it sees of
some links sizes and times only.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from ..gossip.frames import Announce, Items, Packets, Stemmed
from ..gossip.pace import PACKET_SIZE
from ..gossip.suite import Suite
from ..gossip.wire import encode
from .ledger import Ledger, Watching
from .seeds import Stream

if TYPE_CHECKING:
    from .wires import Wire

__all__ = ["IMPULSE_TICKS", "Action", "Adversary", "Bystander", "Delay", "Drop", "Junk", "Replay"]

#: Those that act of their own accord do so so often: ten times a second.
IMPULSE_TICKS: Final = 100
#: What a replayer has in store.
REPLAYED_MAX: Final = 256
#: The types of the frames that carry something; a type is the second byte, after the head of the array.
CARRYING: Final = {
    encode(frame)[1]
    for frame in (
        Items(items=[b""]),
        Packets(packets=[bytes(PACKET_SIZE)]),
        Stemmed(packet=bytes(PACKET_SIZE)),
    )
}


class Action(Protocol):
    """What a spy's node does besides looking."""

    is_restless: ClassVar[bool]
    """Whether it has impulses."""

    def sends(self, frame: bytes) -> Sequence[tuple[int, bytes]]:
        """What leaves instead of this frame of our engine: frames, and so many ticks later."""
        ...

    def hears(self, frame: bytes) -> None:
        """A friend's frame has come."""
        ...

    def impulse(self) -> Sequence[bytes]:
        """What is sent of our own accord to a friend now."""
        ...


class _Idle:
    """Does nothing but what an honest node does."""

    is_restless: ClassVar[bool] = False

    def sends(self, frame: bytes) -> Sequence[tuple[int, bytes]]:
        return [(0, frame)]

    def hears(self, frame: bytes) -> None:
        pass

    def impulse(self) -> Sequence[bytes]:
        return []


class Drop(_Idle):
    """Takes what it is given, says that it has it, and gives it to nobody; nor does it relay."""

    def sends(self, frame: bytes) -> Sequence[tuple[int, bytes]]:
        return [] if frame[1] in CARRYING else [(0, frame)]


class Delay(_Idle):
    """Passes everything on late."""

    def __init__(self, delay_ticks: int) -> None:
        self._delay_ticks = delay_ticks

    def sends(self, frame: bytes) -> Sequence[tuple[int, bytes]]:
        return [(self._delay_ticks, frame)]


class Replay(_Idle):
    """Sends its friends what it has heard from others, again."""

    is_restless = True

    def __init__(self, random: Stream) -> None:
        self._random = random
        self._heard: deque[bytes] = deque(maxlen=REPLAYED_MAX)

    def hears(self, frame: bytes) -> None:
        self._heard.append(frame)

    def impulse(self) -> Sequence[bytes]:
        return [self._heard[self._random.randrange(len(self._heard))]] if self._heard else []


class Junk(_Idle):
    """Sends bytes that mean nothing, and announcements of what does not exist."""

    is_restless = True

    def __init__(self, random: Stream) -> None:
        self._random = random

    def impulse(self) -> Sequence[bytes]:
        noise = self._random.randbytes(self._random.randrange(4_096) + 1)
        ids = [self._random.randbytes(32) for _ in range(16)]
        return [noise, encode(Announce(item_ids=ids))]


class Adversary:
    """Whoever sits at one node for the adversary."""

    def __init__(self, index: int, ledgers: Sequence[Ledger], action: Action | None = None) -> None:
        """``ledgers``: of all groups of spies that this one is in."""
        self.action: Action = action or _Idle()
        self._index = index
        self._ledgers = ledgers

    def watch(self, suite: Suite) -> Suite:
        """The suite for the node here: what its relay keys open is written down."""
        return Watching(suite, self._ledgers, self._index)

    def heard(self, wire: "Wire", frame: bytes) -> None:
        """A frame has come over a wire."""
        for ledger in self._ledgers:
            ledger.heard(self._index, wire.sender.index, wire.number, frame)
        self.action.hears(frame)

    def said(self, wire: "Wire", frame: bytes) -> None:
        """A frame is leaving."""
        for ledger in self._ledgers:
            ledger.said(self._index, wire.receiver.index, wire.number, frame)


class Bystander:
    """Somebody who sees the sealed traffic of some links: who to whom, when, and how much."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, int, int]] = []
        """Tick, sender, receiver and bytes of each frame."""

    def saw(self, tick: int, wire: "Wire", size: int) -> None:
        self.seen.append((tick, wire.sender.index, wire.receiver.index, size))
