"""The calendar: which epoch and which relay day it is for this node, and what is too old by then.

The engine turns it when its timer says that an epoch has ended, and at no other call: all that a new epoch brings comes
at once and in one order. Between an epoch's end and that moment it still shows the epoch before.
"""

from .genesis import Genesis
from .store import PACKET_EPOCHS

__all__ = ["Calendar"]


class Calendar:
    """The epoch as the node reckons it."""

    __slots__ = (
        "_genesis",
        "ends_at",
        "epoch",
        "item_floor",
        "packet_floor",
        "relay_day",
        "relay_floor",
    )

    epoch: int
    ends_at: float
    """When the epoch is over, in seconds since 1970."""
    relay_day: int
    """The day of relay keys that the epoch belongs to."""
    item_floor: int
    """The first epoch whose items are kept."""
    packet_floor: int
    """The first epoch whose packets are kept."""
    relay_floor: int
    """The first epoch whose records of relay keys are kept: that with which the relay day begins."""

    def __init__(self, genesis: Genesis, now: float) -> None:
        self._genesis = genesis
        self.turn(now)

    def turn(self, now: float) -> None:
        """Turns to the epoch of this moment."""
        parameters = self._genesis.parameters
        self.epoch = self._genesis.epoch_at(now)
        self.ends_at = self._genesis.start_of(self.epoch + 1)
        self.relay_day = parameters.relay_day_at(self.epoch)
        self.item_floor = self.epoch - parameters.item_lifetime_epochs
        self.packet_floor = self.epoch - PACKET_EPOCHS
        self.relay_floor = self.relay_day * parameters.relay_day_epochs
