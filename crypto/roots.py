"""The root: the 32 bytes that both keys of a profile come from, and the 24 words that a person writes down for it.

    node seed     = HKDF(root, "rumor/root/v1/node", 32)
    member secret = HKDF(root, "rumor/root/v1/member", 64) mod (q - 1) + 1

The member secret is uniform up to 2^-256. Neither key tells the other or the root; who has the root has both. The words
are BIP-39's for 256 bits of entropy, without its passphrase and without its key stretching: the root is the entropy
itself, and the last word checks the others, a wrong one in 255 of 256 cases.

Source: BIP-39, English word list; RFC 5869; docs/protocol.md, section 3.6.
"""

import os
import unicodedata
from functools import lru_cache
from typing import Final

from mnemonic import Mnemonic

from . import labels
from .curve import ORDER, SCALAR_SIZE
from .derivation import hkdf_sha256
from .errors import InvalidKey, InvalidWords
from .identity import MemberSecret, NodeSecret

ROOT_SIZE: Final = 32
WORD_COUNT: Final = 24

#: Twice a scalar's size: what is left after reduction is uniform but for 2^-256.
_WIDE_SIZE: Final = 64


class Root:
    """What a profile's keys come from. Immutable, and shows nothing of itself."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        """Raises ``InvalidKey`` unless there are 32 bytes."""
        if len(raw) != ROOT_SIZE:
            raise InvalidKey(f"a root has {ROOT_SIZE} bytes, not {len(raw)}")
        self._raw = bytes(raw)

    @classmethod
    def generate(cls) -> "Root":
        """A new root from the operating system's generator."""
        return cls(os.urandom(ROOT_SIZE))

    @classmethod
    def from_words_untrusted(cls, text: str) -> "Root":
        """The root of 24 words, whatever white space and capitals they are written with. Raises ``InvalidWords``."""
        words = unicodedata.normalize("NFKD", text).lower().split()
        if len(words) != WORD_COUNT:
            raise InvalidWords(f"A profile has {WORD_COUNT} words; these are {len(words)}.")
        try:
            return cls(bytes(_bip39().to_entropy(words)))
        except (ValueError, LookupError):
            raise InvalidWords from None

    @property
    def words(self) -> str:
        """24 words, separated by spaces."""
        return str(_bip39().to_mnemonic(self._raw))

    @property
    def raw(self) -> bytes:
        """The 32 bytes, for the store alone."""
        return self._raw

    @property
    def node_secret(self) -> NodeSecret:
        return NodeSecret(hkdf_sha256(self._raw, labels.ROOT_NODE, NodeSecret.SIZE))

    @property
    def member_secret(self) -> MemberSecret:
        wide = int.from_bytes(hkdf_sha256(self._raw, labels.ROOT_MEMBER, _WIDE_SIZE), "big")
        return MemberSecret((wide % (ORDER - 1) + 1).to_bytes(SCALAR_SIZE, "big"))

    def __repr__(self) -> str:
        return "<Root>"


@lru_cache(maxsize=1)
def _bip39() -> Mnemonic:
    return Mnemonic("english")
