"""Everything that can go wrong in the gossip core, by who is to blame.

``LocalError`` is ours: the caller asked for something the rules do not allow. ``RemoteError`` is theirs: a friend
sent something the protocol does not allow. Nothing that a friend sends raises anything else.
"""

import enum

__all__ = [
    "Fault",
    "GossipError",
    "LocalError",
    "Malformed",
    "NotFounder",
    "PostRefused",
    "RemoteError",
    "UnknownKind",
]


class Fault(enum.IntEnum):
    """Why a friend's message was refused; the code travels back in a complaint. Numbers go up to 255."""

    #: The bytes are no message of this protocol, or not in its one encoding.
    MALFORMED = 1
    #: A message that its sender may not send now.
    UNEXPECTED = 2
    #: Another mesh.
    WRONG_MESH = 3
    #: No protocol version in common.
    WRONG_VERSION = 4
    #: A proof, signature or proof of possession that does not hold.
    INVALID_PROOF = 5
    #: A slot outside the mesh's quota.
    OVER_QUOTA = 6
    #: An epoch that is too far in the future or has expired.
    WRONG_EPOCH = 7
    #: A ring that is no snapshot of the roster.
    WRONG_RING = 8
    #: A secret over a ring that is smaller than the mesh allows.
    SMALL_RING = 9
    #: A packet in a slot that another packet fills; its sender may not have known.
    SLOT_TAKEN = 10

    @classmethod
    def of(cls, number: int) -> "Fault | None":
        """The fault with this number; None for one that only a later version knows."""
        return next((fault for fault in cls if fault == number), None)


class GossipError(Exception):
    """The root of this package's errors."""


class LocalError(GossipError):
    """We asked for something that the rules do not allow."""


class PostRefused(LocalError):
    """The node will not post now; ``obstacles`` says why, one sentence each, with what to do about it."""

    def __init__(self, obstacles: tuple[str, ...]) -> None:
        super().__init__(" ".join(obstacles))
        self.obstacles = obstacles


class NotFounder(LocalError):
    """Only the key that founded a mesh may sign its first admissions."""


class RemoteError(GossipError):
    """A friend broke the protocol."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class Malformed(RemoteError):
    """The one error of every decoder in this package."""

    def __init__(self, message: str) -> None:
        super().__init__(Fault.MALFORMED, message)


class UnknownKind(Malformed):
    """An item whose kind only a later version of the protocol has, and of which nothing but its id can be told."""

    def __init__(self, item_id: bytes) -> None:
        super().__init__("an item of an unknown kind")
        self.item_id = item_id
