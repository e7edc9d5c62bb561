"""Keys, proofs and seals: everything in Rumor that a mathematician has to trust.

Knows no network, clock or disk, and none of the other packages. Start at `membership` (signed by some
member), `identity` (the keys of nodes and members), `befriending` (how two nodes meet) and `vault` (how a key
rests).
"""

__all__ = [
    "archive",
    "befriending",
    "canonical",
    "curve",
    "derivation",
    "errors",
    "generators",
    "hashing",
    "identity",
    "invites",
    "keys",
    "labels",
    "layers",
    "membership",
    "onion",
    "possession",
    "proofs",
    "refusals",
    "rings",
    "roots",
    "scopes",
    "sealing",
    "seeds",
    "tensors",
    "transcript",
    "vault",
    "words",
]
