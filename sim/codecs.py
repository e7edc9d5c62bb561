"""The codec that all nodes of a simulation share: what is told to many is written once and read once.

Reading and writing frames are pure functions of bytes, so remembering their results changes nothing but the time that a
run takes. Whatever is read has been read for the first time by the core's own strict decoder.
"""

from collections import OrderedDict
from typing import Final

from ..gossip.codec import Codec
from ..gossip.frames import Announce, Frame, Packets, Stemmed, Want
from ..gossip.packets import Packet
from ..gossip.wire import Message

__all__ = ["SharedCodec"]

#: Frames that are remembered, each way: 32 MB of packets. A frame that goes to many does so within seconds.
FRAMES_MAX: Final = 8_192


class SharedCodec(Codec):
    """Remembers what it has read and written lately."""

    def __init__(self) -> None:
        self._frames: OrderedDict[bytes, Frame] = OrderedDict()
        self._packets: OrderedDict[bytes, Packet] = OrderedDict()
        self._encodings: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def decode_untrusted(self, data: bytes) -> Frame:
        frame = self._frames.get(data)
        if frame is None:
            frame = self._frames[data] = super().decode_untrusted(data)
            if len(self._frames) > FRAMES_MAX:
                self._frames.popitem(last=False)
        return frame

    def packet_untrusted(self, data: bytes) -> Packet:
        packet = self._packets.get(data)
        if packet is None:
            packet = self._packets[data] = super().packet_untrusted(data)
            if len(self._packets) > FRAMES_MAX:
                self._packets.popitem(last=False)
        return packet

    def encode(self, frame: Message) -> bytes:
        if isinstance(frame, (Announce, Want)):
            key: tuple[object, ...] = (type(frame), *frame.item_ids)
        elif isinstance(frame, Packets):
            key = Packets, *frame.packets
        elif isinstance(frame, Stemmed):
            key = Stemmed, frame.packet
        else:
            return super().encode(frame)  # For one friend alone.
        encoding = self._encodings.get(key)
        if encoding is None:
            encoding = self._encodings[key] = super().encode(frame)
            if len(self._encodings) > FRAMES_MAX:
                self._encodings.popitem(last=False)
        return encoding
