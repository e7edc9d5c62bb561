"""Onions: what passes relays one after another, none of which learns more than the next layer.

Not the keys of a layer (`layers`), nor the packet around an onion, the choice of relays, the waiting or the memory of
replay tags (gossip). A route is a list of relay keys, X25519, of which nobody knows whose they are. After Sphinx
(Danezis and Goldberg, IEEE S&P 2009), with a fresh ephemeral key for each layer instead of a blinded one.

    onion = slot 0 (48 B) || … || slot 4 (48 B) || body (2,835 B)               3,075 B at every layer
    slot  = ephemeral X25519 key (32 B) || MAC (16 B)
    rest  = slot 1 || … || slot 4 || body                                       3,027 B, encrypted for the relay

    keys       = of the layer, from its ephemeral key and the relay's secret: cipher key, MAC key, filler, replay tag
    two MACs   = over rest: one says "relay on", the other "you are the last"
    plain      = rest, decrypted
    next onion = plain slots (192 B) || filler || plain body                    if the first MAC is in slot 0
    payload    = plain body = u8(command) || u16(length) || content || zeros    if the second MAC is

The role is told by which MAC holds, so no field of the layer tells it. The sender computes forwards which fillers
the relays will append, puts them under the last layer, and encrypts backwards.

Not protected:

- Who holds a relay secret later opens all onions that were kept; there is no forward secrecy but to delete the secret.
- The last relay knows that it is the last, and reads the payload.
- Relays recognise an onion that passes from one straight to the next; an honest one in between parts them.
- A sender knows every later form of its onion. If it also watches many links, it may learn over many onions which
  node a relay key belongs to.
- A repeated onion opens again, to the same bytes: the caller keeps the replay tags.
- Whether the next relay could open what it got is not to be seen; dropping an onion is silent.
- The sender is unknown even to the last relay. It may wrap what no relay opens, and say what it likes: a payload is
  checked by whoever acts on it. It may name one relay at every place: the caller bounds what it carries for others.
- An onion is not random bytes: it begins with a point of the curve. Who needs one that nobody opens wraps for a key
  whose secret is thrown away.
- Memory, as in `keys`, and a computer that can take discrete logarithms.

Specified in docs/protocol.md, section 18.
"""

import enum
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from . import layers
from .errors import CannotWrap, InvalidKey, OnionBroken
from .layers import FILLER_SIZE, MAC_SIZE, LayerKeys

RELAY_KEY_SIZE: Final = layers.KEY_SIZE
SLOT_SIZE: Final = RELAY_KEY_SIZE + MAC_SIZE
#: Layers of an onion, at most. Three are the default; each costs 48 bytes of every packet and one more flood.
SLOT_COUNT: Final = 5
HOPS_MAX: Final = SLOT_COUNT
#: All slots but the first: the part of the header that is encrypted.
_HIDDEN_SIZE: Final = (SLOT_COUNT - 1) * SLOT_SIZE
#: What is left of a packet of 4,096 bytes beside its proof and the slots.
BODY_SIZE: Final = 2835
ONION_SIZE: Final = SLOT_SIZE + _HIDDEN_SIZE + BODY_SIZE
_LENGTH_SIZE: Final = 2
_PREFIX_SIZE: Final = 1 + _LENGTH_SIZE
CONTENT_SIZE_MAX: Final = BODY_SIZE - _PREFIX_SIZE
REPLAY_TAG_SIZE: Final = layers.REPLAY_TAG_SIZE

assert ONION_SIZE == 3075
assert CONTENT_SIZE_MAX < 1 << 8 * _LENGTH_SIZE
assert FILLER_SIZE == SLOT_SIZE


class Command(enum.IntEnum):
    """What the last relay shall do with the content. The value is the byte on the wire."""

    #: Nothing: this was cover.
    DROP = 0
    #: Publish it: an item.
    ITEM = 1
    #: Nothing, but it has come home: this node wrapped it to see whether relays work.
    LOOP = 2
    #: Read it, if the key that opened this is one for whispers: nobody else can tell that there is anything to read.
    WHISPER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What is inside the last layer."""

    command: Command
    """What to do with the content."""
    content: bytes = field(repr=False)
    """At most `CONTENT_SIZE_MAX` bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """An onion opened at a relay that is not the last."""

    onion: bytes = field(repr=False)
    """The next onion, `ONION_SIZE` bytes, which only another relay can judge."""
    replay_tag: bytes
    """`REPLAY_TAG_SIZE` bytes, the same whenever this onion is opened. Secret towards all but the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """An onion opened at its last relay."""

    payload: Payload
    """What the sender wrapped."""
    replay_tag: bytes
    """As in `Forwarded`."""


def relay_keypair(randbytes: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """A new (secret, public key) of a relay, from 32 bytes of `randbytes`."""
    secret = randbytes(RELAY_KEY_SIZE)
    return secret, relay_public(secret)


def relay_public(secret: bytes) -> bytes:
    """The public key of a secret of 32 bytes. Raises `InvalidKey` for another size."""
    return layers.public_key(secret)


def check_relay_key(key: bytes) -> None:
    """Raises `InvalidKey` unless `wrap` takes this key: 32 bytes, the one encoding of a point not of small order."""
    layers.agree(bytes(RELAY_KEY_SIZE), key)


def wrap(route: Sequence[bytes], payload: Payload, randbytes: Callable[[int], bytes]) -> bytes:
    """An onion of `ONION_SIZE` bytes that the relays of the route open in turn; the last gets the payload.

    As `wrap_marked`, without the mark.
    """
    return wrap_marked(route, payload, randbytes)[0]


def wrap_marked(
    route: Sequence[bytes], payload: Payload, randbytes: Callable[[int], bytes]
) -> tuple[bytes, bytes]:
    """As `wrap`, with the innermost onion, by which its sender knows it again.

    All of it: a relay that changed one byte has made it into one that nobody opens.

    `route` has 1 to 5 relay keys. `randbytes` gives 32 bytes for each, then 48 for each slot that stays empty;
    they must be unpredictable and never repeat. Raises `CannotWrap` for a route or a content of another size,
    `InvalidKey` for a key that is none.
    """
    if not 1 <= len(route) <= HOPS_MAX or len(payload.content) > CONTENT_SIZE_MAX:
        raise CannotWrap
    ephemerals, keys = [], []
    for relay_key in route:
        secret, ephemeral = relay_keypair(randbytes)
        ephemerals.append(ephemeral)
        keys.append(LayerKeys.derive(layers.agree(secret, relay_key), ephemeral, relay_key))
    # What the relays before the last will have appended, and decrypted since.
    fillers = b""
    for layer in keys[:-1]:
        unknown_size = _HIDDEN_SIZE - len(fillers)
        fillers = layer.crypt(bytes(unknown_size) + fillers)[unknown_size:] + layer.filler
    # Decrypted beforehand, so that it is these very bytes once the last layer is encrypted.
    slots = keys[-1].crypt(randbytes(_HIDDEN_SIZE - len(fillers)) + fillers)
    onion = innermost = _seal(keys[-1], ephemerals[-1], slots + _encode(payload), is_last=True)
    for layer, ephemeral in zip(keys[-2::-1], ephemerals[-2::-1], strict=True):
        assert onion[-BODY_SIZE - SLOT_SIZE : -BODY_SIZE] == layer.filler
        onion = _seal(layer, ephemeral, onion[:_HIDDEN_SIZE] + onion[-BODY_SIZE:], is_last=False)
    return onion, innermost


def _seal(keys: LayerKeys, ephemeral: bytes, plain: bytes, *, is_last: bool) -> bytes:
    """Puts one layer around the hidden slots and the body."""
    rest = keys.crypt(plain)
    return ephemeral + keys.macs(rest)[is_last] + rest


def open_onion(onion: bytes, secret: bytes, public: bytes | None = None) -> Forwarded | Delivered:
    """Opens one layer with a relay's secret of 32 bytes; `public` is its key, if that is known already.

    Raises `OnionBroken`, and nothing else whatever the onion, if it is not for this key, was changed, or says
    something that no sender says. Raises `InvalidKey` for a secret of another size.
    """
    relay_key = relay_public(secret) if public is None else public
    if len(onion) != ONION_SIZE:
        raise OnionBroken
    ephemeral, mac, rest = onion[:RELAY_KEY_SIZE], onion[RELAY_KEY_SIZE:SLOT_SIZE], onion[SLOT_SIZE:]
    try:
        shared = layers.agree(secret, ephemeral)
    except InvalidKey:
        raise OnionBroken from None
    keys = LayerKeys.derive(shared, ephemeral, relay_key)
    relay_on, last = keys.macs(rest)
    if hmac.compare_digest(mac, relay_on):
        plain = keys.crypt(rest)
        onion = plain[:_HIDDEN_SIZE] + keys.filler + plain[_HIDDEN_SIZE:]
        return Forwarded(onion=onion, replay_tag=keys.replay_tag)
    if hmac.compare_digest(mac, last):
        payload = _decode(keys.crypt(rest)[_HIDDEN_SIZE:])
        return Delivered(payload=payload, replay_tag=keys.replay_tag)
    raise OnionBroken


def _encode(payload: Payload) -> bytes:
    """The body of the last layer."""
    prefix = bytes([payload.command]) + len(payload.content).to_bytes(_LENGTH_SIZE, "big")
    return (prefix + payload.content).ljust(BODY_SIZE, b"\0")


def _decode(body: bytes) -> Payload:
    """The payload in the body of a last layer. Raises `OnionBroken` for what `_encode` does not make."""
    end = _PREFIX_SIZE + int.from_bytes(body[1:_PREFIX_SIZE], "big")
    if end > BODY_SIZE or any(body[end:]):
        raise OnionBroken
    try:
        command = Command(body[0])
    except ValueError:
        raise OnionBroken from None
    return Payload(command=command, content=body[_PREFIX_SIZE:end])
