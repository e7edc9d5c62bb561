"""Draws for graphs: uniform numbers by a key and a place, in whole arrays.

The same numbers as those of ``spread/counter``, made by numpy: a small graph is drawn without a compiler.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["key_of", "uniforms"]


def key_of(*words: object) -> int:
    """The 64-bit key of some words: a seed, a concern, an attempt."""
    text = "/".join(map(str, words))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def uniforms(key: int, count: int) -> NDArray[np.float64]:
    """The first draws in [0, 1) under a key; more of them begin with the same."""
    bits = np.arange(1, count + 1, dtype=np.uint64)
    bits *= np.uint64(0x9E3779B97F4A7C15)
    bits += np.uint64(key)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    bits >>= np.uint64(11)
    return bits.astype(np.float64) * np.float64(2.0**-53)
