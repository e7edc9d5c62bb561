"""The table of all labels: what keeps a hash made for one purpose from being read for another.

Not a place for logic. Every hash, key derivation and generator of this package starts with exactly one of
these byte strings. A label is never reused and never a prefix of another; changing one is a new version of
its format. The same strings stand in docs/protocol.md. Source: membership-proof, "Encoding", and the modules
named beside each block.
"""

from typing import Final

# membership, rings: the proof and the things it is made of.
TAG_BASE: Final = b"rumor/membership/v1/tag"
GENERATORS: Final = b"rumor/membership/v1/gen"
RING_ROOT: Final = b"rumor/membership/v1/root"
TAG_MIX: Final = b"rumor/membership/v1/mu"
CHALLENGE: Final = b"rumor/membership/v1/xi"
PROVER_NONCES: Final = b"rumor/membership/v1/nonces"

# possession: what a newcomer signs with the key that is to be admitted.
ADMISSION: Final = b"rumor/admission/v1"
