"""Claims: what an item says of itself that costs little to check, before any membership proof is looked at.

Not the proof itself, which a verifier checks in a batch, and not the form, which decoding has checked. Specified in
docs/protocol.md.
"""

from typing import Final

from ..crypto import possession
from ..crypto.errors import CryptoError
from .errors import Fault, RemoteError
from .genesis import Genesis
from .items import Item, Kind

__all__ = ["EPOCHS_AHEAD_MAX", "check_claims", "is_final"]

#: A friend's clock may be this many epochs ahead of ours.
EPOCHS_AHEAD_MAX: Final = 1


def check_claims(item: Item, genesis: Genesis, *, epoch: int, floor: int) -> None:
    """Checks epoch, quota and the plain signatures of an item.

    Args:
        item: a well-formed item.
        genesis: the mesh.
        epoch: the present one.
        floor: the earliest epoch of which items are kept; records are kept for ever.

    Raises:
        RemoteError: what is wrong; ``is_final`` tells whether it will stay so.
    """
    if item.epoch > epoch + EPOCHS_AHEAD_MAX:
        raise RemoteError(Fault.WRONG_EPOCH, "an item from the future")
    if item.kind is not Kind.ADMISSION and item.epoch < floor:
        raise RemoteError(Fault.WRONG_EPOCH, "an item that has expired")
    if not item.within_quota(genesis.parameters):
        raise RemoteError(Fault.OVER_QUOTA, "a slot outside the quota")
    try:
        if item.admitted is not None:
            possession.verify_possession(item.admitted.key, genesis.mesh_id, item.admitted.possession)
        if item.by_founder:
            digest = possession.founder_digest(genesis.mesh_id, item.message)
            possession.verify_signature(genesis.founder, digest, item.proof)
    except CryptoError as error:
        raise RemoteError(Fault.INVALID_PROOF, "a signature that does not hold") from error


def is_final(fault: Fault, item: Item, *, floor: int) -> bool:
    """Whether no other copy of the item, now or later, can be right, so that its id may be refused unseen.

    An id covers neither the proof nor the ring: if the refusal of a garbled proof stuck to the id, one bad friend could
    keep any item from us.
    """
    return fault is Fault.OVER_QUOTA or (fault is Fault.WRONG_EPOCH and item.epoch < floor)
