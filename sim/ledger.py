"""The ledger: what all spies know together, and nothing else.

Every frame that a spy's node hears is read: who has which packet, and since when; which packet carries which item, if
it shows; and what the relay keys that spies hold have opened. Estimators get the ledger. Who wrote what is not in it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ..crypto.onion import Command, Delivered, Forwarded, Payload
from ..gossip.codec import Codec
from ..gossip.errors import RemoteError
from ..gossip.frames import Announce, Frame, Items, Packets, Stemmed
from ..gossip.items import Item
from ..gossip.pace import PACKET_SIZE
from ..gossip.packets import Content, Packet, unpad_item
from ..gossip.suite import RandomBytes, Suite
from ..gossip.wire import encode
from .loop import Loop

__all__ = ["Ledger", "Opening", "Sighting", "Watching"]

#: Bytes of an onion that tell it from all others: its first slot.
HEAD_SIZE = 48
#: The second byte of a frame, after the head of its array, is its type.
STEMMED_TYPE: Final = encode(Stemmed(packet=bytes(PACKET_SIZE)))[1:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A frame that a spy's node heard or said."""

    tick: int
    spy: int
    friend: int
    """Who said it, or to whom."""
    heard: bool
    """False if the spy's node said it."""
    link: int
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An onion that a spy's relay key has opened."""

    tick: int
    spy: int
    onion: bytes
    """The head of it."""
    inner: bytes | None
    """The head of the onion inside."""
    command: Command | None
    """What was to be done with the content, if this was the last layer."""
    item_id: bytes | None
    """The item inside, if this was the last layer and it was one."""


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What spies have written down."""

    spies: frozenset[int]
    loop: Loop
    codec: Codec
    keeps_all: bool = False
    """Whether every frame is kept, which takes much memory."""
    sightings: list[Sighting] = field(default_factory=list)
    """Every frame, if all are kept."""
    first_heard: dict[bytes, dict[int, int]] = field(default_factory=dict)
    """By the id of a packet or item: the honest friends who told a spy that they have it, in the order of time, and the
    tick of each."""
    stemmed: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    """By the id of a packet: tick, spy and friend of the first honest hand that gave it to a spy on its stem."""
    carriers: dict[bytes, dict[bytes, None]] = field(default_factory=dict)
    """By the id of an item: the packets that carried it openly."""
    onions: dict[bytes, bytes] = field(default_factory=dict)
    """By the head of an onion: the packet that carried it."""
    openings: list[Opening] = field(default_factory=list)
    ours: dict[bytes, None] = field(default_factory=dict)
    """The ids of packets that spies injected."""
    _handed: set[tuple[int, bytes]] = field(default_factory=set)
    """Spies and the packets that came to them by stem."""
    _read: set[bytes] = field(default_factory=set)
    """Ids of packets whose content has been looked at."""

    def heard(self, spy: int, friend: int, link: int, frame: bytes) -> None:
        """A friend's frame has reached a spy."""
        tick = self.loop.tick
        if self.keeps_all:
            self.sightings.append(
                Sighting(tick=tick, spy=spy, friend=friend, heard=True, link=link, frame=frame)
            )
        try:
            self._note(self.codec.decode_untrusted(frame), tick, spy, friend)
        except RemoteError:
            return  # Junk, from another of us.

    def said(self, spy: int, friend: int, link: int, frame: bytes) -> None:
        """A spy's node has sent a frame."""
        if self.keeps_all:
            self.sightings.append(
                Sighting(tick=self.loop.tick, spy=spy, friend=friend, heard=False, link=link, frame=frame)
            )
        if frame[1:2] == STEMMED_TYPE:
            with suppress(RemoteError):  # Junk of ours may begin in the same way.
                told = self.codec.decode_untrusted(frame)
                assert isinstance(told, Stemmed)
                packet = self._look_into(told.packet)
                if (spy, packet.item_id) not in self._handed:
                    self.ours[packet.item_id] = None

    def _note(self, frame: Frame, tick: int, spy: int, friend: int) -> None:
        match frame:
            case Announce(item_ids=ids):
                for item_id in ids:
                    self._note_id(item_id, tick, friend)
            case Stemmed(packet=encoding):
                packet = self._look_into(encoding)
                self._note_id(packet.item_id, tick, friend)
                self._handed.add((spy, packet.item_id))
                if friend not in self.spies:
                    self.stemmed.setdefault(packet.item_id, (tick, spy, friend))
            case Packets(packets=encodings):
                for encoding in encodings:
                    self._note_id(self._look_into(encoding).item_id, tick, friend)
            case Items(items=encodings):
                for encoding in encodings:
                    self._note_id(Item.decode_untrusted(encoding).item_id, tick, friend)

    def _note_id(self, item_id: bytes, tick: int, friend: int) -> None:
        if friend not in self.spies:
            self.first_heard.setdefault(item_id, {}).setdefault(friend, tick)

    def _look_into(self, encoding: bytes) -> Packet:
        packet = self.codec.packet_untrusted(encoding)
        if packet.item_id not in self._read:
            self._read.add(packet.item_id)
            if packet.content is Content.ONION:
                self.onions[packet.payload[:HEAD_SIZE]] = packet.item_id
            else:
                item = Item.decode_untrusted(unpad_item(packet.payload))
                self.carriers.setdefault(item.item_id, {})[packet.item_id] = None
        return packet

    def opened(self, spy: int, onion: bytes, layer: Forwarded | Delivered) -> None:
        """A relay key of ours has opened an onion."""
        inner = command = item_id = None
        if isinstance(layer, Forwarded):
            inner = layer.onion[:HEAD_SIZE]
        else:
            command = layer.payload.command
            if command is Command.ITEM:
                item_id = Item.decode_untrusted(layer.payload.content).item_id
        self.openings.append(
            Opening(
                tick=self.loop.tick,
                spy=spy,
                onion=onion[:HEAD_SIZE],
                inner=inner,
                command=command,
                item_id=item_id,
            )
        )

    def heard_of(self, item_id: bytes) -> dict[int, int]:
        """When each honest friend first told a spy that it had this item, in a packet or by itself."""
        heard: dict[int, int] = {}
        for name in (item_id, *self.carriers.get(item_id, ())):
            for friend, tick in self.first_heard.get(name, {}).items():
                heard[friend] = min(tick, heard.get(friend, tick))
        return heard


class Watching:
    """A suite that tells the ledgers of each onion that it opens."""

    def __init__(self, suite: Suite, ledgers: Sequence[Ledger], spy: int) -> None:
        self._suite = suite
        self._ledgers = ledgers
        self._spy = spy

    def tag(self, secret: bytes, scope: bytes) -> bytes:
        return self._suite.tag(secret, scope)

    def relay_keypair(self, randbytes: RandomBytes) -> tuple[bytes, bytes]:
        return self._suite.relay_keypair(randbytes)

    def relay_public(self, secret: bytes) -> bytes:
        return self._suite.relay_public(secret)

    def wrap(self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes) -> bytes:
        return self._suite.wrap(route, payload, randbytes)

    def wrap_marked(
        self, route: Sequence[bytes], payload: Payload, randbytes: RandomBytes
    ) -> tuple[bytes, bytes]:
        return self._suite.wrap_marked(route, payload, randbytes)

    def open_onion(self, data: bytes, secret: bytes, public: bytes | None = None) -> Forwarded | Delivered:
        layer = self._suite.open_onion(data, secret, public)
        with suppress(RemoteError):  # Somebody's onion may say that it holds an item, and not hold one.
            for ledger in self._ledgers:
                ledger.opened(self._spy, data, layer)
        return layer
