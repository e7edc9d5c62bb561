"""Plain signatures by a member key: proof of possession, and the founder's word.

Not anonymous: whoever sees one knows which key signed. BIP-340 signatures over 32-byte digests. A member key
is 33 bytes and a BIP-340 key is its x coordinate, so a signature by a key holds for the negated key as well;
it is the same secret up to its sign, and a roster that holds both still asks for both proofs of possession,
which name the key with all its 33 bytes.

Source: BIP-340. Why it is asked for: dead or stolen keys would inflate the set that hides an author.
"""

import hashlib
import os

from . import curve, labels
from .scopes import MESH_ID_SIZE


def prove_possession(secret: bytes, mesh_id: bytes) -> bytes:
    """The newcomer's signature over its own key, for one mesh: 64 bytes. Raises `InvalidKey`."""
    return sign(secret, _admission_digest(curve.public_point(secret).encode(), mesh_id))


def verify_possession(key: bytes, mesh_id: bytes, signature: bytes) -> None:
    """Checks a newcomer's proof of possession. Raises `InvalidKey` or `InvalidSignature`."""
    verify_signature(key, _admission_digest(key, mesh_id), signature)


def _admission_digest(key: bytes, mesh_id: bytes) -> bytes:
    if len(mesh_id) != MESH_ID_SIZE:
        raise ValueError("a mesh id has 32 bytes")
    return hashlib.sha256(labels.ADMISSION + mesh_id + key).digest()


def founder_digest(mesh_id: bytes, message: bytes) -> bytes:
    """What the founder signs to admit somebody plainly: the labelled hash of an item's message, for one mesh."""
    if len(mesh_id) != MESH_ID_SIZE:
        raise ValueError("a mesh id has 32 bytes")
    return hashlib.sha256(labels.FOUNDER + mesh_id + message).digest()


def sign(secret: bytes, digest: bytes) -> bytes:
    """Signs a 32-byte digest with a member secret: 64 bytes. Raises `InvalidKey`."""
    return _sign(secret, digest, os.urandom(32))


def _sign(secret: bytes, digest: bytes, randomness: bytes) -> bytes:
    """`sign` with BIP-340's 32 bytes of auxiliary randomness."""
    return curve.sign(secret, digest, randomness)


def verify_signature(key: bytes, digest: bytes, signature: bytes) -> None:
    """Checks a signature of a 33-byte key over a 32-byte digest; only the key's x coordinate counts.

    Raises `InvalidKey` or `InvalidSignature`, and `ValueError` for a digest of another size.
    """
    curve.verify_signature(curve.parse(key), digest, signature)
