"""Genesis: what a mesh is, fixed at its founding.

A genesis is the mesh's name, its parameters and its founder's member key. Its hash is the mesh's id, so nobody can
change a parameter without making another mesh. It is handed to a newcomer by the friend who invites them, and
checked against the hash in the invitation.
"""

import unicodedata
from dataclasses import dataclass
from typing import Annotated, Final, NewType

import msgspec

from ..crypto import curve
from ..crypto.befriending import mesh_id_of
from ..crypto.errors import InvalidKey
from .errors import LocalError, Malformed
from .presets import BYTES_PER_DAY_RANGE, ROUTE_LENGTH_RANGE
from .wire import Bytes33, Message, decode_untrusted, encode

__all__ = ["BYTES_PER_EPOCH_MAX", "GENESIS_SIZE_MAX", "Genesis", "MeshId", "Parameters"]

MeshId = NewType("MeshId", bytes)

VERSION = 1
#: Bytes of UTF-8; a name is shown on one line.
NAME_SIZE_MAX = 64
#: A genesis with the longest name is under 200 bytes; the rest is room for later parameters.
GENESIS_SIZE_MAX = 1024
#: What the budget may come to in an epoch: 1.6 GB a day at an hour. A node holds the packets of four epochs in memory.
BYTES_PER_EPOCH_MAX: Final = 64 * 1024 * 1024
_DAY_S: Final = 86_400


def _within(low: int, high: int) -> msgspec.Meta:
    return msgspec.Meta(ge=low, le=high)


class Parameters(Message, frozen=True):
    """The parameters of a mesh. Ranges are enforced on reading as on founding."""

    epoch_s: Annotated[int, _within(1, 86_400)] = 3_600
    """Seconds of an epoch, the finest time on the wire."""
    relay_day_epochs: Annotated[int, _within(1, 1_000)] = 24
    """Epochs that a relay key lasts."""
    founding_size: Annotated[int, _within(2, 64)] = 8
    """Members, the founder among them, whose admission the founder may sign plainly."""
    secrets_per_epoch: Annotated[int, _within(1, 1_000)] = 4
    replies_per_epoch: Annotated[int, _within(0, 1_000)] = 20
    admissions_per_epoch: Annotated[int, _within(1, 1_000)] = 1
    item_lifetime_epochs: Annotated[int, _within(1, 100_000)] = 720
    """Epochs that an item is kept: 30 days at the default epoch."""
    bytes_per_day: Annotated[int, _within(*BYTES_PER_DAY_RANGE)] = 200_000_000
    """Traffic budget of a node."""
    route_length: Annotated[int, _within(*ROUTE_LENGTH_RANGE)] = 3
    """Relays of an onion."""
    friends_min: Annotated[int, _within(1, 64)] = 3
    """Confirmed friends before a node posts."""
    members_min: Annotated[int, _within(2, 1_024)] = 8
    """Size of the smallest ring that a secret may name."""
    relay_keys_min: Annotated[int, _within(0, 1_024)] = 8
    """Eligible relay keys before a node posts."""
    vouchers: Annotated[int, _within(1, 1)] = 1
    """Members whose proofs an admission carries; this version knows only one."""
    flag_threshold: Annotated[int, _within(1, 1_024)] = 5
    flag_percent: Annotated[int, _within(1, 100)] = 10
    """A secret is folded at ``flag_threshold`` flags or this share of the members, whichever is more."""
    trial: Annotated[int, _within(0, 1)] = 0
    """1 for a mesh that is for trying things out and hides nobody."""

    @property
    def bytes_per_epoch(self) -> int:
        """Traffic budget of a node in an epoch."""
        return -(-self.bytes_per_day * self.epoch_s // _DAY_S)

    def flags_to_fold(self, member_count: int) -> int:
        """How many flags fold a secret or a reply in a mesh of so many members."""
        return max(self.flag_threshold, -(-self.flag_percent * member_count // 100))

    def relay_day_at(self, epoch: int) -> int:
        """The relay day that holds an epoch."""
        return epoch // self.relay_day_epochs


class _GenesisMessage(Message, frozen=True):
    version: Annotated[int, _within(VERSION, VERSION)]
    name: str
    parameters: Parameters
    founder: Bytes33


#: For one machine and two people: a ring of two hides nobody, and the node says so at every post. The budget makes the
#: own clock of two members tick every 5 seconds, and of eight every 20; a relay day is 5 minutes. Two flags fold.
TRIAL = Parameters(
    epoch_s=10,
    relay_day_epochs=30,
    item_lifetime_epochs=60_480,
    bytes_per_day=570_000_000,
    friends_min=1,
    members_min=2,
    relay_keys_min=0,
    secrets_per_epoch=20,
    replies_per_epoch=100,
    flag_threshold=2,
    trial=1,
)


@dataclass(frozen=True, slots=True)
class Genesis:
    """A mesh's name, parameters and founder, with the encoding that its id is the hash of."""

    name: str
    """1 to 64 bytes of UTF-8, NFC, without control characters."""
    parameters: Parameters
    founder: bytes
    """The founder's member key, 33 bytes."""

    @classmethod
    def found(cls, name: str, founder: bytes, parameters: Parameters | None = None) -> "Genesis":
        """Founds a mesh. Raises ``LocalError`` with a sentence for the user if name or parameters will not do."""
        tidy = unicodedata.normalize("NFC", name.strip())
        parameters = parameters or Parameters()
        complaint = _name_complaint(tidy) or _budget_complaint(parameters)
        if complaint:
            raise LocalError(complaint)
        genesis = cls(tidy, parameters, founder)
        return cls.decode_untrusted(genesis.encode())

    @classmethod
    def decode_untrusted(cls, data: bytes) -> "Genesis":
        """Reads a genesis. Raises ``Malformed``."""
        message = decode_untrusted(_GenesisMessage, data, GENESIS_SIZE_MAX)
        complaint = _name_complaint(message.name) or _budget_complaint(message.parameters)
        if complaint:
            raise Malformed(complaint)
        try:
            curve.parse(message.founder)
        except InvalidKey as error:
            raise Malformed("a founder whose key is none") from error
        return cls(message.name, message.parameters, message.founder)

    def encode(self) -> bytes:
        return encode(
            _GenesisMessage(version=VERSION, name=self.name, parameters=self.parameters, founder=self.founder)
        )

    @property
    def mesh_id(self) -> MeshId:
        """SHA-256 of the labelled encoding, 32 bytes."""
        return MeshId(mesh_id_of(self.encode()))

    def epoch_at(self, now: float) -> int:
        """The epoch that holds the moment ``now`` (seconds since 1970)."""
        return max(0, int(now // self.parameters.epoch_s))

    def start_of(self, epoch: int) -> float:
        """The moment (seconds since 1970) at which an epoch starts."""
        return float(epoch * self.parameters.epoch_s)


def _name_complaint(name: str) -> str | None:
    size = len(name.encode("utf-8", "replace"))
    if not 1 <= size <= NAME_SIZE_MAX:
        return f"The name of a mesh takes 1 to {NAME_SIZE_MAX} bytes; this one has {size}."
    if not name.isprintable() or unicodedata.normalize("NFC", name) != name:
        return "The name of a mesh is one line of ordinary text."
    return None


def _budget_complaint(parameters: Parameters) -> str | None:
    """Says so if a node could not hold the packets of four epochs; without those of one it would take none any more."""
    if parameters.bytes_per_epoch <= BYTES_PER_EPOCH_MAX:
        return None
    epoch_s_max = BYTES_PER_EPOCH_MAX * _DAY_S // parameters.bytes_per_day
    return (
        f"With a budget of {parameters.bytes_per_day / 1e6:,.0f} MB a day an epoch may last {epoch_s_max:,} seconds at "
        f"the most, not {parameters.epoch_s:,}: every node holds the packets of the last four epochs in memory."
    )
