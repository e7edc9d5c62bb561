"""Words that two people read to each other: a digest that can be spoken.

Not a secret and not a seed phrase. 4 words of BIP-39's English list, 11 bits each from the digest's start;
the list's words are told apart by their first four letters. 44 bits are enough where an attacker has a single
try.

Source: BIP-39, the English word list.
"""

from functools import lru_cache
from typing import Final

from mnemonic import Mnemonic

WORD_COUNT: Final = 4
_WORD_BITS: Final = 11


def words_of(digest: bytes) -> str:
    """The first 44 bits of a digest as 4 words, separated by spaces."""
    bits = int.from_bytes(digest, "big")
    first = 8 * len(digest) - _WORD_BITS
    shifts = range(first, first - _WORD_BITS * WORD_COUNT, -_WORD_BITS)
    return " ".join(_word_list()[bits >> shift & (1 << _WORD_BITS) - 1] for shift in shifts)


@lru_cache(maxsize=1)
def _word_list() -> list[str]:
    return list(Mnemonic("english").wordlist)
