"""Keys, proofs and seals: everything in Rumor that a mathematician has to trust.

Knows no network, clock or disk, and none of the other packages.
"""
