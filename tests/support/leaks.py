"""Leaks: faults that tell who posts, each to be put in where a test claims that nothing tells.

A leak changes the engine for as long as pytest's monkeypatch holds, and does nothing in a world without a post, or the
same wrong thing in both.
"""

from collections.abc import Callable
from typing import Final

import pytest
from fakenet import Seeded

from rumor.crypto.membership import Ring
from rumor.gossip.circulation import Circulation
from rumor.gossip.correspondence import Correspondence
from rumor.gossip.drafts import Draft
from rumor.gossip.engine import Engine
from rumor.gossip.events import FriendId, LinkId, ProofWanted, SlotUsed
from rumor.gossip.items import Item, ItemId
from rumor.gossip.mixing import Mixing

__all__ = ["LEAKS", "WHISPER_LEAKS", "Leak", "flush_on_connect", "read_receipt"]

Leak = Callable[[pytest.MonkeyPatch], None]


def early_flush(patch: pytest.MonkeyPatch) -> None:
    """The own clock ticks at once when there is something to say."""
    publish = Engine.publish

    def flushing(self: Engine, item: Draft, now: float) -> ItemId:
        item_id = publish(self, item, now)
        self.mixing._tick_at = now + 1.0
        return item_id

    patch.setattr(Engine, "publish", flushing)


def flush_on_connect(patch: pytest.MonkeyPatch) -> None:
    """The own clock ticks at once when a friend comes and something waits."""
    link_opened = Engine.link_opened

    def flushing(self: Engine, link: LinkId, friend: FriendId, now: float) -> None:
        link_opened(self, link, friend, now)
        if self.author.outbox:
            self.mixing._tick_at = now + 1.0

    patch.setattr(Engine, "link_opened", flushing)


def skipped_cover(patch: pytest.MonkeyPatch) -> None:
    """Nothing leaves at a tick at which there is nothing to say."""
    tick = Mixing._tick

    def skipping(self: Mixing, now: float, *, agreed: bool) -> list[object]:
        events = tick(self, now, agreed=agreed)
        if len(self.outbox):
            return events
        return [each for each in events if not isinstance(each, SlotUsed | ProofWanted)]

    patch.setattr(Mixing, "_tick", skipping)


def own_item_answered(patch: pytest.MonkeyPatch) -> None:
    """An own item stands in the store before it came from the network: reconciled, announced and answered for."""
    whole = Circulation._whole

    def holding(self: Circulation, item: Item, ring: Ring, now: float) -> None:
        whole(self, item, ring, now)
        if item.relay_key is None:
            self._holdings.store.add(item)

    patch.setattr(Circulation, "_whole", holding)


def visible_retry(patch: pytest.MonkeyPatch) -> None:
    """A retry makes the clock tick once more."""
    tick = Mixing._tick

    def retrying(self: Mixing, now: float, *, agreed: bool) -> list[object]:
        events = tick(self, now, agreed=agreed)
        if any(
            waiting.sent_count == 2 and waiting.sent_at == now for waiting in self.outbox._waiting.values()
        ):
            self._tick_at = now + 0.5
        return events

    patch.setattr(Mixing, "_tick", retrying)


def one_stream(patch: pytest.MonkeyPatch) -> None:
    """A post draws from the stream that the delays are drawn from."""
    patch.setattr(Seeded, "stream", lambda self, _: self)


def early_whisper(patch: pytest.MonkeyPatch) -> None:
    """A whisper leaves at once."""
    whisper = Engine.whisper

    def flushing(self: Engine, about: ItemId, text: str, now: float) -> ItemId:
        letter_id = whisper(self, about, text, now)
        self.mixing._tick_at = now + 1.0
        return letter_id

    patch.setattr(Engine, "whisper", flushing)


def read_receipt(patch: pytest.MonkeyPatch) -> None:
    """The own clock of one who is whispered to goes otherwise from then on."""
    came = Correspondence.came

    def answering(self: Correspondence, payload: bytes, epoch: int) -> None:
        count = len(self.whispers.conversations)
        came(self, payload, epoch)
        if len(self.whispers.conversations) > count:
            self._mixing._tick_at += 1.0  # type: ignore[operator]

    patch.setattr(Correspondence, "came", answering)


LEAKS: Final[tuple[Leak, ...]] = (
    early_flush,
    flush_on_connect,
    skipped_cover,
    own_item_answered,
    visible_retry,
    one_stream,
)

#: Those that a whisper shows by.
WHISPER_LEAKS: Final[tuple[Leak, ...]] = (early_whisper, visible_retry)
