"""Randomness by counters: each draw is a function of a key and a number, and of no draw before it.

So the delay of one link in one run is the same whatever else is drawn, in whatever order, by however many threads; and
nothing has to be stored. The mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", 2014; constants of Stafford's variant 13). Exponential draws are made by the ziggurat
of Marsaglia and Tsang (2000), which takes a logarithm once in a hundred draws. Not for cryptography.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined

__all__ = ["Key", "derived", "exponential", "key_of", "uniform", "whole"]

Key = np.uint64

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_ONE: Final = np.uint64(1)
_LAYER: Final = np.uint64(255)
_S11, _S27, _S30, _S31, _S32 = (np.uint64(bits) for bits in (11, 27, 30, 31, 32))
#: A uniform draw has the 53 upper bits.
_BITS: Final = 2.0**53
_UNIT: Final = 1.0 / _BITS
#: The ziggurat of 256 layers: where its tail begins, and the area of a layer.
_TAIL: Final = 7.69711747013104972
_AREA: Final = 0.0039496598225815571993


def _ziggurat() -> tuple[NDArray[np.uint64], NDArray[np.float64], NDArray[np.float64]]:
    """For each layer: below which 53 bits a draw is inside, what one bit is worth, and the density at its edge."""
    inside, width, density = np.zeros(256, np.uint64), np.zeros(256), np.zeros(256)
    edge = outer = _TAIL
    base = _AREA / math.exp(-edge)
    inside[0], width[0], width[255] = int(edge / base * _BITS), base * _UNIT, edge * _UNIT
    density[0], density[255] = 1.0, math.exp(-edge)
    for layer in range(254, 0, -1):
        edge = -math.log(_AREA / edge + math.exp(-edge))
        inside[layer + 1] = int(edge / outer * _BITS)
        outer = edge
        density[layer], width[layer] = math.exp(-edge), edge * _UNIT
    return inside, width, density


_INSIDE, _WIDTH, _DENSITY = _ziggurat()


@inlined
def derived(key: Key, number: int) -> Key:
    """A further key, or 64 random bits: those of this number under this key."""
    z = key + (np.uint64(number) + _ONE) * _GOLDEN
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return z ^ (z >> _S31)


def key_of(seed: int) -> Key:
    """The key of a seed, any whole number."""
    return Key(seed % 2**64)


@inlined
def uniform(key: Key, number: int) -> float:
    """A uniform draw in [0, 1)."""
    return float(derived(key, number) >> _S11) * _UNIT


@inlined
def whole(key: Key, number: int, count: int) -> int:
    """A uniform draw of 0 … count − 1, for counts below 2^31: biased by less than one in 2^32 (Lemire, 2019)."""
    return np.int64(((derived(key, number) >> _S32) * np.uint64(count)) >> _S32)


@inlined
def exponential(key: Key, number: int) -> float:
    """An exponential draw of mean 1."""
    bits = derived(key, number)
    layer = bits & _LAYER
    place = bits >> _S11
    return float(place) * _WIDTH[layer] if place < _INSIDE[layer] else _outside(bits)


@compiled
def _outside(bits: Key) -> float:
    """What the ziggurat does with the one draw in a hundred that is not inside its layer."""
    while True:
        layer = bits & _LAYER
        drawn = float(bits >> _S11) * _WIDTH[layer]
        further = uniform(bits, 0)
        if (bits >> _S11) < _INSIDE[layer]:
            return drawn
        if layer == 0:
            return _TAIL - math.log1p(-further)
        if _DENSITY[layer] + further * (_DENSITY[layer - _ONE] - _DENSITY[layer]) < math.exp(-drawn):
            return drawn
        bits = derived(bits, 1)
