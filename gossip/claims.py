"""Claims: what an item or a packet says of itself that costs little to check, before any membership proof is looked at.

Not the proof itself, which a verifier checks in a batch, and not the form, which decoding has checked. Specified in
docs/protocol.md.
"""

from typing import Final

from ..crypto import onion, possession
from ..crypto.errors import CryptoError
from .bodies import thread_nonce
from .errors import Fault, RemoteError
from .genesis import Genesis
from .items import Item
from .packets import Content, Packet, unpad_item

__all__ = ["EPOCHS_AHEAD_MAX", "check_claims", "check_packet", "is_final"]

#: A friend's clock may be this many epochs ahead of ours.
EPOCHS_AHEAD_MAX: Final = 1


def check_claims(item: Item, genesis: Genesis, *, epoch: int, expired: bool) -> None:
    """Checks epoch, quota, thread and the plain signatures of an item.

    Args:
        item: a well-formed item.
        genesis: the mesh.
        epoch: the present one.
        expired: whether it is too old to be kept; records never are.

    Raises:
        RemoteError: what is wrong; ``is_final`` tells whether it will stay so.
    """
    if item.epoch > epoch + EPOCHS_AHEAD_MAX:
        raise RemoteError(Fault.WRONG_EPOCH, "an item from the future")
    if expired:
        raise RemoteError(Fault.WRONG_EPOCH, "an item that has expired")
    if not item.within_quota(genesis.parameters):
        raise RemoteError(Fault.OVER_QUOTA, "a slot outside the quota")
    secret = item.secret
    if secret is not None and secret.thread_nonce != thread_nonce(
        item.tags[0], secret.reply_key, secret.retraction, secret.said
    ):
        raise RemoteError(Fault.MALFORMED, "a thread that is not its author's own")
    try:
        if item.admitted is not None:
            possession.verify_possession(item.admitted.key, genesis.mesh_id, item.admitted.possession)
        if item.relay_key is not None:
            onion.check_relay_key(item.relay_key.key)
        if item.by_founder:
            digest = possession.founder_digest(genesis.mesh_id, item.message)
            possession.verify_signature(genesis.founder, digest, item.proof)
    except CryptoError as error:
        raise RemoteError(Fault.INVALID_PROOF, "a signature that does not hold") from error


def check_packet(packet: Packet, *, epoch: int, expired: bool) -> None:
    """Checks the epoch of a packet; its slot is checked with its ring. Raises as ``check_claims``.

    Not whether what it carries is an item: a later version may know more kinds, and another table of Unicode other
    texts; who hands on such a packet is not to blame.
    """
    if packet.epoch > epoch + EPOCHS_AHEAD_MAX:
        raise RemoteError(Fault.WRONG_EPOCH, "a packet from the future")
    if expired:
        raise RemoteError(Fault.WRONG_EPOCH, "a packet that is too old")
    if packet.content is Content.ITEM:
        unpad_item(packet.payload)


def is_final(fault: Fault, *, expired: bool) -> bool:
    """Whether no other copy of the item, now or later, can be right, so that its id may be refused unseen.

    An id covers neither the proof nor the ring: if the refusal of a garbled proof stuck to the id, one bad friend could
    keep any item from us.
    """
    return fault in (Fault.OVER_QUOTA, Fault.MALFORMED) or (fault is Fault.WRONG_EPOCH and expired)
