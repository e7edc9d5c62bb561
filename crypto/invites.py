"""Invitations: what one person hands another outside of Rumor so that their nodes can meet.

Not yet a friendship (see `befriending`), and not a proof of who sent it: whoever reads an invitation first
can use it, and whoever replaces it on its way stands in the middle until the two people compare words.

    rumor:<base32 of body || check>, lower case, no padding
    body  = CBOR [1, mesh_id (32 B), node key (32 B), [address, …], secret (16 B), expires_at]
    check = the first 4 bytes of SHA256("rumor/invitation/v1/check" || body)

A URI survives mail programs (white space and line breaks anywhere) and capitals, which make smaller QR codes.
The secret also gives the joiner a throw-away Ed25519 identity: `invitation_identity`. It connects once under
that one, so that the inviter's node lets the holder of a live invitation past the handshake, and strangers
never.

Specified in docs/protocol.md, section 10; RFC 4648 section 6 (base32); RFC 8949 section 4.2.1.
"""

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import segno

from . import canonical, labels
from .derivation import hkdf_sha256
from .errors import InvalidInvitation, InvalidKey, NotCanonical
from .identity import NodeKey, NodeSecret
from .scopes import MESH_ID_SIZE

SCHEME: Final = "rumor:"
SECRET_SIZE: Final = 16
#: Loopback, the local network, IPv6, a mapped port, a relay, and some to spare.
ADDRESSES_MAX: Final = 8
#: A relayed address with two peer ids takes 120 characters.
ADDRESS_SIZE_MAX: Final = 128

_VERSION: Final = 1
_CHECK_SIZE: Final = 4
#: The longest body: head and version, mesh id, key, addresses and their head, secret, time.
_BODY_SIZE_MAX: Final = 2 + 34 + 34 + (1 + ADDRESSES_MAX * (2 + ADDRESS_SIZE_MAX)) + 17 + 9
#: A longest invitation, and as much white space again.
_TEXT_SIZE_MAX: Final = 2 * (len(SCHEME) + (_BODY_SIZE_MAX + _CHECK_SIZE) * 8 // 5 + 1)

_NOT_ONE: Final = "This is not an invitation: an invitation starts with “rumor:”."
_CUT_SHORT: Final = "This invitation is cut short: copy all of it, up to its last letter."
_MISTYPED: Final = "This invitation is mistyped or damaged: copy it again, or ask for a new one."
_OTHER_VERSION: Final = "This invitation was made by another version of Rumor: update, or ask for a new one."
_EXPIRED: Final = "This invitation has expired: ask your friend for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A one-time invitation. Raises `InvalidInvitation` if a field is out of its range."""

    mesh_id: bytes
    """The mesh that the newcomer enters: the hash of its genesis, 32 bytes."""
    node_key: NodeKey
    """The inviter's node."""
    addresses: tuple[str, ...]
    """Where it listens: 1 to 8 multiaddrs, each at most 128 bytes of ASCII."""
    secret: bytes = field(repr=False)
    """16 random bytes that make whoever knows them the guest."""
    expires_at: int
    """Unix time in seconds, below 2^64; from then on the inviter refuses."""

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if len(self.mesh_id) != MESH_ID_SIZE or len(self.secret) != SECRET_SIZE:
            raise InvalidInvitation("a mesh id has 32 bytes and a secret 16")
        if not 1 <= len(self.addresses) <= ADDRESSES_MAX or not are_addresses(self.addresses):
            raise InvalidInvitation("an invitation has 1 to 8 addresses of at most 128 bytes of ASCII")
        if not 0 <= self.expires_at < 2**64:
            raise InvalidInvitation("the time of expiry is out of range")

    def to_uri(self) -> str:
        """The invitation as text to send: `rumor:` and lower-case base32."""
        body = canonical.encode(
            [
                _VERSION,
                self.mesh_id,
                self.node_key.raw,
                list(self.addresses),
                self.secret,
                self.expires_at,
            ]
        )
        return SCHEME + base64.b32encode(body + _check(body)).decode().rstrip("=").lower()

    @classmethod
    def from_uri_untrusted(cls, text: str) -> "Invitation":
        """Reads an invitation, in either case and with any white space.

        Raises `InvalidInvitation`, and nothing else, whatever the text, with a sentence that tells the user
        what to do. Whether it has expired is `check_current`'s question.
        """
        compact = "".join(text[:_TEXT_SIZE_MAX].split())
        # The kelvin sign has an ASCII k for its small letter.
        compact = compact.lower() if compact.isascii() else compact
        if len(text) > _TEXT_SIZE_MAX or not compact.startswith(SCHEME):
            raise InvalidInvitation(_NOT_ONE)
        body = _checked_body(compact.removeprefix(SCHEME))
        try:
            invitation = _from_message(canonical.decode_untrusted(body, _BODY_SIZE_MAX))
        except (NotCanonical, InvalidKey):
            raise InvalidInvitation(_MISTYPED) from None
        if invitation.to_uri() != compact:
            raise InvalidInvitation(_MISTYPED)
        return invitation

    def check_current(self, now: float) -> None:
        """Raises `InvalidInvitation` if it has expired at `now`, a Unix time in seconds."""
        if now >= self.expires_at:
            raise InvalidInvitation(_EXPIRED)


def are_addresses(addresses: Sequence[object]) -> bool:
    """Whether all look like multiaddrs: a slash, then visible ASCII, of at most 128 bytes. More is libp2p's
    to say.
    """
    return all(
        type(address) is str
        and 2 <= len(address) <= ADDRESS_SIZE_MAX
        and address.startswith("/")
        and all("!" <= character <= "~" for character in address)
        for address in addresses
    )


def invitation_identity(secret: bytes) -> NodeSecret:
    """The throw-away node identity of whoever holds the invitation with this 16-byte secret."""
    if len(secret) != SECRET_SIZE:
        raise InvalidInvitation("the secret of an invitation has 16 bytes")
    return NodeSecret.from_seed(hkdf_sha256(secret, labels.INVITATION_IDENTITY, NodeSecret.SIZE))


def qr_terminal(uri: str) -> str:
    """The invitation as a QR code of half blocks, lines of text for a terminal."""
    out = io.StringIO()
    _qr(uri).terminal(out, compact=True, border=4)
    return out.getvalue()


def qr_rows(uri: str) -> list[str]:
    """The invitation as a QR code: a string for each row, with a `1` for each dark module; no border."""
    return ["".join("01"[module] for module in row) for row in _qr(uri).matrix]


def _qr(uri: str) -> segno.QRCode:
    """Capitals fit the alphanumeric mode: 5.5 bits a character, not 8."""
    return segno.make_qr(uri.upper(), error="l", boost_error=True)


def _check(body: bytes) -> bytes:
    return hashlib.sha256(labels.INVITATION_CHECK + body).digest()[:_CHECK_SIZE]


def _checked_body(encoded: str) -> bytes:
    """Decodes base32 and takes off the check, or says what went wrong."""
    if not encoded.isascii() or len(encoded) % 8 in (1, 3, 6):
        # These lengths come of no number of bytes: the end is missing, if the rest is right.
        raise InvalidInvitation(_CUT_SHORT if encoded.isascii() and encoded.isalnum() else _MISTYPED)
    try:
        data = base64.b32decode(encoded.upper() + "=" * (-len(encoded) % 8))
    except ValueError:
        raise InvalidInvitation(_MISTYPED) from None
    body, check = data[:-_CHECK_SIZE], data[-_CHECK_SIZE:]
    if check == _check(body):
        return body
    try:
        canonical.decode_untrusted(body, _BODY_SIZE_MAX)
    except NotCanonical as error:
        raise InvalidInvitation(_CUT_SHORT if error.is_cut_short else _MISTYPED) from None
    raise InvalidInvitation(_MISTYPED)


def _from_message(message: list[Any]) -> Invitation:
    if message[:1] != [_VERSION]:
        raise InvalidInvitation(_OTHER_VERSION)
    match message:
        case [_, bytes(mesh_id), bytes(node_key), [*addresses], bytes(secret), int(expires_at)]:
            try:
                return Invitation(
                    mesh_id=mesh_id,
                    node_key=NodeKey(node_key),
                    addresses=tuple(addresses),
                    secret=secret,
                    expires_at=expires_at,
                )
            except InvalidInvitation:
                raise InvalidInvitation(_MISTYPED) from None
    raise InvalidInvitation(_MISTYPED)
