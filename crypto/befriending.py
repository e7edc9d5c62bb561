"""Befriending: how the holder of an invitation and the inviter become acquainted, as two state machines.

Not the connection: messages go over a Noise connection that the joiner opens under `invitation_identity`, so
a driver carries the bytes, holds the deadline and sends what `receive_untrusted` returns. Not a friendship
either: the two people compare the words, and only then do the nodes trust each other.

    joiner → inviter   OFFER    [1, version, joiner's node key, commitment]
    inviter → joiner   ANSWER   [2, genesis, nonce_i]
    joiner → inviter   REVEAL   [3, nonce_j, joiner's addresses, signature by the joiner's node key]
    inviter → joiner   ACCEPTED [4, signature by the inviter's node key]
    either             REFUSED  [5, reason]

    commitment = SHA256("…/commitment" || mesh_id || inviter's key || joiner's key || nonce_j)
    signatures over SHA256("…/joiner" or "…/inviter" || mesh_id || inviter's key || secret || messages), where
        messages are those before, each as u32(len) || message; the joiner's adds [3, nonce_j, addresses]
    words = 4 × 11 bits of SHA256("…/words" || mesh_id || inviter's key || joiner's key || nonce_i || nonce_j)

Who replaced the invitation on its way stands between the two with keys of its own, so the two sides show
different words. It cannot search for keys or nonces that make the words alike, as in ZRTP (RFC 6189, section
4.4.1.1): it must fix its part towards each side before it sees the other's, and has one try in 2^44 in each
exchange. After the ANSWER it knows the words and may break off unseen, so how many exchanges an invitation allows,
also unfinished ones, is for the driver to bound.

Not protected: people who confirm without comparing. Specified in docs/protocol.md, section 11.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from . import canonical, labels, refusals
from .errors import InvalidKey, InvalidSignature, NotCanonical
from .identity import NODE_SIGNATURE_SIZE, NodeKey, NodeSecret
from .invites import ADDRESS_SIZE_MAX, ADDRESSES_MAX, SECRET_SIZE, Invitation, are_addresses
from .refusals import BefriendingFailed, Refusal, encode_refusal
from .words import words_of

__all__ = ["Acquaintance", "BefriendingFailed", "Inviter", "Joiner", "Refusal", "mesh_id_of"]

NONCE_SIZE: Final = 32
#: A genesis is a name, some numbers and a key.
GENESIS_SIZE_MAX: Final = 1024
#: REVEAL with as many and as long addresses as may be is the longest message.
MESSAGE_SIZE_MAX: Final = 128 + ADDRESSES_MAX * (2 + ADDRESS_SIZE_MAX) + NODE_SIGNATURE_SIZE

_VERSION: Final = 1
_DIGEST_SIZE: Final = 32
_OFFER, _ANSWER, _REVEAL, _ACCEPTED = range(1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """What befriending comes to: an acquaintance whose words are still to be compared."""

    node_key: NodeKey
    """The other side's node."""
    addresses: tuple[str, ...]
    """Where it listens, as it says; up to 8."""
    words: str
    """4 words, separated by spaces; the same on both sides if nobody stands in between."""
    genesis: bytes
    """The mesh's genesis, whose hash is in the invitation."""


class _State(Enum):
    #: The joiner before `start`.
    FRESH = 1
    #: The inviter from the beginning.
    AWAIT_OFFER = 2
    #: The joiner after `start`.
    AWAIT_ANSWER = 3
    #: The inviter after its ANSWER.
    AWAIT_REVEAL = 4
    #: The joiner after its REVEAL.
    AWAIT_ACCEPTED = 5
    #: `result` is there; nothing more may come.
    DONE = 6
    #: Nothing more may come.
    FAILED = 7


class _Party:
    """What both sides share: the transcript, strict reading, and failing once and for all."""

    def __init__(self, mesh_id: bytes, inviter: NodeKey, secret: bytes, state: _State) -> None:
        self._mesh_id = mesh_id
        self._inviter = inviter
        self._transcript = mesh_id + inviter.raw + secret
        self._state = state
        self._result: Acquaintance | None = None

    @property
    def result(self) -> Acquaintance | None:
        """The outcome, once there is one."""
        return self._result

    def refuse(self, refusal: Refusal) -> bytes:
        """Ends it from our side, at any time, and returns the message that says so; no result stays."""
        self._state, self._result = _State.FAILED, None
        return encode_refusal(refusal)

    def _failed(self, refusal: Refusal, *, is_theirs: bool = False) -> BefriendingFailed:
        """Ends it, and makes the error to raise."""
        self._state, self._result = _State.FAILED, None
        return BefriendingFailed(refusal, is_theirs=is_theirs)

    def _read(self, message: bytes, kind: int) -> list[Any]:
        """The fields after the kind, or a failure: strict, and in order."""
        try:
            received, *fields = canonical.decode_untrusted(message, MESSAGE_SIZE_MAX)
        except (NotCanonical, ValueError):
            raise self._failed(Refusal.MALFORMED) from None
        match received, fields:
            case refusals.REFUSED, [int(code)]:
                raise self._failed(refusals.decode_reason(code), is_theirs=True)
            case _ if received != kind:
                raise self._failed(Refusal.MALFORMED)
        return fields

    def _note(self, message: bytes) -> None:
        self._transcript += len(message).to_bytes(4, "big") + message

    def _digest(self, label: bytes, unsigned: bytes = b"") -> bytes:
        """What a signature is over: the transcript, and the signed message's own other fields."""
        tail = len(unsigned).to_bytes(4, "big") + unsigned if unsigned else b""
        return hashlib.sha256(label + self._transcript + tail).digest()

    def _check_signature(self, key: NodeKey, digest: bytes, signature: bytes) -> None:
        try:
            key.verify(digest, signature)
        except InvalidSignature:
            raise self._failed(Refusal.FORGED) from None

    def _commitment(self, joiner: NodeKey, nonce: bytes) -> bytes:
        data = self._mesh_id + self._inviter.raw + joiner.raw + nonce
        return hashlib.sha256(labels.BEFRIEND_COMMITMENT + data).digest()

    def _words(self, joiner: NodeKey, inviter_nonce: bytes, joiner_nonce: bytes) -> str:
        data = self._mesh_id + self._inviter.raw + joiner.raw + inviter_nonce + joiner_nonce
        return words_of(hashlib.sha256(labels.BEFRIEND_WORDS + data).digest())


class Joiner(_Party):
    """The side that holds the invitation. `start`, then `receive_untrusted` until there is a `result`."""

    def __init__(
        self,
        invitation: Invitation,
        node_secret: NodeSecret,
        addresses: Sequence[str],
        *,
        _nonce: bytes | None = None,
    ) -> None:
        """`addresses` are our own: up to 8 multiaddrs of at most 128 bytes, or none if nobody can dial us."""
        assert len(addresses) <= ADDRESSES_MAX
        assert are_addresses(addresses)
        super().__init__(invitation.mesh_id, invitation.node_key, invitation.secret, _State.FRESH)
        self._secret = node_secret
        self._own_addresses = list(addresses)
        self._addresses = invitation.addresses
        self._nonce = os.urandom(NONCE_SIZE) if _nonce is None else _nonce

    def start(self) -> bytes:
        """The OFFER to send first."""
        assert self._state is _State.FRESH
        self._state = _State.AWAIT_ANSWER
        key = self._secret.public
        offer = canonical.encode([_OFFER, _VERSION, key.raw, self._commitment(key, self._nonce)])
        self._note(offer)
        return offer

    def receive_untrusted(self, message: bytes) -> bytes | None:
        """Takes a message of the inviter and returns what to send, if anything.

        Raises `BefriendingFailed`, and nothing else, whatever the bytes and whenever they come.
        """
        match self._state:
            case _State.AWAIT_ANSWER:
                return self._receive_answer(message)
            case _State.AWAIT_ACCEPTED:
                self._receive_accepted(message)
                return None
        raise self._failed(Refusal.MALFORMED)

    def _receive_answer(self, message: bytes) -> bytes:
        match self._read(message, _ANSWER):
            case [bytes(genesis), bytes(nonce)]:
                pass
            case _:
                raise self._failed(Refusal.MALFORMED)
        if len(nonce) != NONCE_SIZE or len(genesis) > GENESIS_SIZE_MAX:
            raise self._failed(Refusal.MALFORMED)
        if mesh_id_of(genesis) != self._mesh_id:
            raise self._failed(Refusal.OTHER_MESH)
        self._note(message)
        fields = [_REVEAL, self._nonce, self._own_addresses]
        signature = self._secret.sign(self._digest(labels.BEFRIEND_JOINER, canonical.encode(fields)))
        reveal = canonical.encode([*fields, signature])
        self._note(reveal)
        self._genesis, self._inviter_nonce = genesis, nonce
        self._state = _State.AWAIT_ACCEPTED
        return reveal

    def _receive_accepted(self, message: bytes) -> None:
        match self._read(message, _ACCEPTED):
            case [bytes(signature)]:
                self._check_signature(self._inviter, self._digest(labels.BEFRIEND_INVITER), signature)
            case _:
                raise self._failed(Refusal.MALFORMED)
        self._state = _State.DONE
        self._result = Acquaintance(
            node_key=self._inviter,
            addresses=self._addresses,
            words=self._words(self._secret.public, self._inviter_nonce, self._nonce),
            genesis=self._genesis,
        )


class Inviter(_Party):
    """The side that made the invitation. One for each connection; `receive_untrusted` until there is a
    `result`.

    The last reply, ACCEPTED, comes with the result: write the result down before sending it, or `refuse`.
    """

    def __init__(
        self, secret: bytes, node_secret: NodeSecret, genesis: bytes, *, _nonce: bytes | None = None
    ) -> None:
        """`secret` is the invitation's, 16 bytes; `genesis` the mesh's, at most 1,024 bytes."""
        assert len(secret) == SECRET_SIZE
        assert len(genesis) <= GENESIS_SIZE_MAX
        super().__init__(mesh_id_of(genesis), node_secret.public, secret, _State.AWAIT_OFFER)
        self._secret = node_secret
        self._genesis = genesis
        self._nonce = os.urandom(NONCE_SIZE) if _nonce is None else _nonce

    def receive_untrusted(self, message: bytes) -> bytes | None:
        """Takes a message of the joiner and returns what to send, if anything.

        Raises `BefriendingFailed`, and nothing else, whatever the bytes and whenever they come.
        """
        match self._state:
            case _State.AWAIT_OFFER:
                return self._receive_offer(message)
            case _State.AWAIT_REVEAL:
                return self._receive_reveal(message)
        raise self._failed(Refusal.MALFORMED)

    def _receive_offer(self, message: bytes) -> bytes:
        match self._read(message, _OFFER):
            case [int(version), *_] if version != _VERSION:
                raise self._failed(Refusal.VERSION)
            case [_, bytes(key), bytes(commitment)] if len(commitment) == _DIGEST_SIZE:
                try:
                    self._joiner = NodeKey(key)
                except InvalidKey:
                    raise self._failed(Refusal.MALFORMED) from None
            case _:
                raise self._failed(Refusal.MALFORMED)
        self._note(message)
        self._committed = commitment
        answer = canonical.encode([_ANSWER, self._genesis, self._nonce])
        self._note(answer)
        self._state = _State.AWAIT_REVEAL
        return answer

    def _receive_reveal(self, message: bytes) -> bytes:
        match self._read(message, _REVEAL):
            case [bytes(nonce), [*addresses], bytes(signature)] if len(nonce) == NONCE_SIZE:
                pass
            case _:
                raise self._failed(Refusal.MALFORMED)
        if len(addresses) > ADDRESSES_MAX or not are_addresses(addresses):
            raise self._failed(Refusal.MALFORMED)
        if not hmac.compare_digest(self._commitment(self._joiner, nonce), self._committed):
            raise self._failed(Refusal.FORGED)
        unsigned = canonical.encode([_REVEAL, nonce, addresses])
        self._check_signature(self._joiner, self._digest(labels.BEFRIEND_JOINER, unsigned), signature)
        self._note(message)
        self._state = _State.DONE
        self._result = Acquaintance(
            node_key=self._joiner,
            addresses=tuple(addresses),
            words=self._words(self._joiner, self._nonce, nonce),
            genesis=self._genesis,
        )
        return canonical.encode([_ACCEPTED, self._secret.sign(self._digest(labels.BEFRIEND_INVITER))])


def mesh_id_of(genesis: bytes) -> bytes:
    """The id of the mesh that begins with this genesis: 32 bytes."""
    return hashlib.sha256(labels.GENESIS + genesis).digest()
