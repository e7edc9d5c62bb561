"""Whispers: what passes between the author of a secret and somebody who answers it in private.

Not the onion that carries one and keeps it from all others (see `onion`); this is what is inside, and how the two know
each other again. The author has the reply key of the secret, the whisperer a one-time key of the conversation, both
X25519. Neither says anything about a member.

    key     = HKDF(X25519(own secret, other's key), label || about || sender || recipient, 32)
    mac     = HMAC-SHA256(key, canonical CBOR of [number, text])
    content = canonical CBOR of [sender, number, text, mac]

`about` is the id of the secret, so that a reply key which another secret borrows leads nowhere. The sender's key stands
in the content, so the author knows later whispers of one conversation from the same hand; the whisperer knows that an
answer comes from whoever holds the reply secret. The number is drawn at random: the same words twice are two whispers,
the same content twice is one, named by its MAC.

Not protected: the two share the key, so neither can show anybody else what the other wrote, and either could have made
it up. Whoever gets one of the secrets later reads what was kept of the conversation.

Source: RFC 7748, RFC 5869, RFC 2104. Specified in docs/protocol.md, section 22.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from . import canonical, labels, layers
from .derivation import hkdf_sha256
from .errors import InvalidKey, NotCanonical, WhisperBroken

KEY_SIZE: Final = layers.KEY_SIZE
MAC_SIZE: Final = 32
#: Numbers are below.
NUMBER_END: Final = 2**64
#: Bytes of a content, at most: 1,000 of text, two of 32, and what CBOR adds.
CONTENT_SIZE_MAX: Final = 1_081


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisper:
    """What one says to the other."""

    sender: bytes
    """The sender's key in this conversation, 32 bytes."""
    number: int
    """Drawn at random below 2^64."""
    text: str = field(repr=False)
    mac: bytes
    """32 bytes, another for every whisper."""


def seal(own_secret: bytes, recipient: bytes, about: bytes, *, number: int, text: str) -> tuple[bytes, bytes]:
    """The content of a whisper from the holder of a secret to that of a key, and its MAC.

    `about` has 32 bytes, `text` at most 1,000 of UTF-8. Raises `InvalidKey` for what is no key.
    """
    sender = layers.public_key(own_secret)
    mac = _mac(layers.agree(own_secret, recipient), about, sender, recipient, number, text)
    content = canonical.encode([sender, number, text, mac])
    assert len(content) <= CONTENT_SIZE_MAX
    return content, mac


def open_untrusted(content: bytes, own_secret: bytes, about: bytes) -> Whisper:
    """Reads the content of a whisper to the holder of this secret. Raises `WhisperBroken`, and nothing else."""
    try:
        sender, number, text, mac = canonical.decode_untrusted(content, CONTENT_SIZE_MAX)
    except (NotCanonical, ValueError):
        raise WhisperBroken from None
    if [type(each) for each in (sender, number, text, mac)] != [bytes, int, str, bytes]:
        raise WhisperBroken
    try:
        shared = layers.agree(own_secret, sender)
    except InvalidKey:
        raise WhisperBroken from None
    expected = _mac(shared, about, sender, layers.public_key(own_secret), number, text)
    if not hmac.compare_digest(mac, expected):
        raise WhisperBroken
    return Whisper(sender=sender, number=number, text=text, mac=mac)


def _mac(shared: bytes, about: bytes, sender: bytes, recipient: bytes, number: int, text: str) -> bytes:
    assert len(about) == KEY_SIZE
    key = hkdf_sha256(shared, labels.WHISPER + about + sender + recipient, MAC_SIZE)
    return hmac.digest(key, canonical.encode([number, text]), hashlib.sha256)
