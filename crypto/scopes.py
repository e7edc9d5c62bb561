"""Scopes: what a tag counts.

A scope names the one thing that a member may do once: fill a slot of an epoch, open a heart for one secret,
speak in one thread. `mesh_id (32 B) || u8(purpose) || data`, where the data of a purpose has one length.
Whether a scope is allowed *now* is not decided here.

Specified in docs/protocol.md, section 4, with the table of purposes.
"""

from enum import IntEnum
from typing import Final

from .curve import POINT_SIZE
from .errors import InvalidScope

MESH_ID_SIZE: Final = 32
_SLOT_SIZE: Final = 8 + 4
_TIME_SIZE: Final = 8
_ID_SIZE: Final = 32

#: What a proof accepts as a scope: mesh id, purpose, and at most 64 bytes of data.
SCOPE_SIZE_MAX: Final = MESH_ID_SIZE + 1 + 64
#: A proof carries 1 to 4 tags; no message of the protocol needs more than 2, and each costs 33 bytes.
SCOPE_COUNT_MAX: Final = 4


class Purpose(IntEnum):
    """What a tag is for. The value is the byte in the scope."""

    #: Data: epoch (u64), slot (u32). A member fills each slot of an epoch once.
    PACKET = 1
    #: Data: relay day (u64). At most one relay key per member per day.
    RELAY_KEY = 2
    #: Data: epoch (u64), slot (u32). Bounded, anonymous admission of newcomers.
    ADMIT = 3
    #: Data: the candidate's key (33 bytes). Distinct anonymous vouchers for one candidate.
    VOUCH = 4
    #: Data: epoch (u64), slot (u32). The quota of secrets.
    POST = 5
    #: Data: epoch (u64), slot (u32). The quota of replies.
    REPLY = 6
    #: Data: thread nonce (32 bytes). One persona per member per thread.
    THREAD = 7
    #: Data: id of the target (32 bytes). One heart per member.
    HEART = 8
    #: Data: id of the target (32 bytes). One flag per member.
    FLAG = 9
    #: Data: id of the target (32 bytes). One vote per member.
    VOTE = 10
    #: Data: the candidate's key (33 bytes). Anonymous vote to remove a key.
    REVOKE = 11
    #: Data: era (u64). One fresh key per member per era.
    RENEW = 12


DATA_SIZE: Final = {
    Purpose.PACKET: _SLOT_SIZE,
    Purpose.RELAY_KEY: _TIME_SIZE,
    Purpose.ADMIT: _SLOT_SIZE,
    Purpose.VOUCH: POINT_SIZE,
    Purpose.POST: _SLOT_SIZE,
    Purpose.REPLY: _SLOT_SIZE,
    Purpose.THREAD: _ID_SIZE,
    Purpose.HEART: _ID_SIZE,
    Purpose.FLAG: _ID_SIZE,
    Purpose.VOTE: _ID_SIZE,
    Purpose.REVOKE: POINT_SIZE,
    Purpose.RENEW: _TIME_SIZE,
}
assert set(DATA_SIZE) == set(Purpose)


def scope(mesh_id: bytes, purpose: Purpose, data: bytes) -> bytes:
    """The scope of one purpose in one mesh. Raises `InvalidScope` for a length other than the table's."""
    if len(mesh_id) != MESH_ID_SIZE:
        raise InvalidScope(f"a mesh id has {MESH_ID_SIZE} bytes, not {len(mesh_id)}")
    if len(data) != DATA_SIZE[purpose]:
        raise InvalidScope(f"{purpose.name} takes {DATA_SIZE[purpose]} bytes of data, not {len(data)}")
    return mesh_id + bytes([purpose]) + data
