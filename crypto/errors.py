"""Every error that the cryptography raises.

One root, and one class per thing that can fail. A forgery has one error and no reason, because a reason
helps only the forger. The docstrings are the sentences that a user reads, where a user can meet the error.
"""


class CryptoError(Exception):
    """Something in the cryptography did not hold."""


class InvalidKey(CryptoError):
    """These bytes are not a key of the kind that was expected."""


class InvalidScope(CryptoError):
    """A scope, its data or the number of scopes is not one that the format allows."""


class InvalidRing(CryptoError):
    """These keys do not make a ring: it takes 2 to 1,024 distinct member keys."""


class NotInRing(CryptoError):
    """Your member key is not in this ring, so it cannot prove membership of it."""


class InvalidProof(CryptoError):
    """This membership proof does not hold for the ring, the scopes and the message."""


class InvalidSignature(CryptoError):
    """This signature does not hold for the key and the message."""


class SealBroken(CryptoError):
    """This box was not sealed for this key, or it was changed."""


class CannotWrap(CryptoError):
    """An onion takes 1 to 5 relay keys and a content of at most 2,832 bytes."""


class OnionBroken(CryptoError):
    """This onion was not wrapped for this key, or it was changed."""


class WhisperBroken(CryptoError):
    """This whisper was not sealed for this key, about this secret, or it was changed."""


class WrongRetraction(CryptoError):
    """This value does not retract the post."""


class WrongPassphrase(CryptoError):
    """The passphrase is wrong, or the file was changed."""


class InvalidVault(CryptoError):
    """This file does not hold a locked key that this version can read."""


class InvalidWords(CryptoError):
    """These are not the 24 words of a profile: look at each, and at their order."""


class InvalidArchive(CryptoError):
    """This is not a backup that this version can read, or it is damaged."""


class InvalidInvitation(CryptoError):
    """This is not an invitation that can be used."""


class NotCanonical(CryptoError):
    """These bytes are not the one encoding of a message."""

    def __init__(self, reason: str, *, is_cut_short: bool = False) -> None:
        super().__init__(reason)
        #: Whether the bytes are a beginning, as far as can be told.
        self.is_cut_short = is_cut_short
