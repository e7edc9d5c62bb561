"""What the fuzzer and its smoke test run: every decoder, and an engine with two friends who say anything.

The first byte of an input chooses the target, the rest is its food. Whatever it is, nothing may be raised but the
target's one error, and nothing may grow beyond its limit.
"""

import contextlib
from collections.abc import Callable

from fakenet import Seeded

from rumor.crypto import membership, onion, possession, proofs, vault, whispers
from rumor.crypto.errors import InvalidProof, InvalidVault, OnionBroken, WhisperBroken
from rumor.crypto.membership import Purpose, Ring
from rumor.crypto.onion import Command, Payload
from rumor.gossip import ranges
from rumor.gossip.answers import WAITING_MAX
from rumor.gossip.bodies import AdmissionBody, Kind, SecretBody, slot_scope, thread_nonce
from rumor.gossip.carriage import PRIVATE_MAX
from rumor.gossip.engine import Engine
from rumor.gossip.errors import Malformed
from rumor.gossip.events import FriendId, LinkId, RelayKeyMade, VerifyWanted
from rumor.gossip.frames import (
    Announce,
    Complaint,
    Digest,
    Hello,
    Items,
    Packets,
    Petition,
    Reconcile,
    RingDifference,
    RingWanted,
    Steer,
    Stemmed,
    Want,
    decode_frame_untrusted,
)
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import Item, message_of
from rumor.gossip.packets import Content, Packet, pad_item, unpad_item
from rumor.gossip.ranges import ReconciliationError
from rumor.gossip.relays import WAITING_MAX as WAITING_ONIONS_MAX
from rumor.gossip.ringsearch import PARKED_BY_LINK_MAX
from rumor.gossip.stems import STEMS_WAITING_MAX
from rumor.gossip.wants import ITEMS_IN_FLIGHT_MAX, WANTED_MAX
from rumor.gossip.wire import encode

__all__ = ["TARGETS", "fuzz_one", "seeds"]

NOW = 1_000_000.0
SECRETS = [bytes([number]) * 32 for number in range(1, 5)]
KEYS = [membership.public_key(secret) for secret in SECRETS]
GENESIS = Genesis.found(
    "fuzz", KEYS[0], Parameters(epoch_s=10, friends_min=1, members_min=2, item_lifetime_epochs=5)
)
EPOCH = GENESIS.epoch_at(NOW)
DAY = GENESIS.parameters.relay_day_at(EPOCH)
RELAY_SECRET = b"r" * 32
FRIENDS = FriendId(b"one"), FriendId(b"other")


def _founding(number: int) -> Item:
    proof = possession.prove_possession(SECRETS[number], GENESIS.mesh_id)
    body = AdmissionBody(slot=number, key=KEYS[number], possession=proof)
    unsigned = Item(Kind.ADMISSION, EPOCH, body, (), b"", b"")
    digest = possession.founder_digest(GENESIS.mesh_id, unsigned.message)
    return Item(Kind.ADMISSION, EPOCH, body, (), possession.sign(SECRETS[0], digest), b"")


RECORDS = [_founding(number) for number in (1, 2)]
RING = Ring(KEYS[:3])


def _secret(slot: int) -> Item:
    tag = membership.tag(SECRETS[1], slot_scope(GENESIS.mesh_id, Purpose.POST, EPOCH, slot))
    nonce = thread_nonce(tag, b"k" * 32, b"r" * 32, ["x"])
    body = SecretBody(
        slot=slot, text="x", style=0, thread_nonce=nonce, reply_key=b"k" * 32, retraction=b"r" * 32
    )
    scopes = body.scopes(GENESIS.mesh_id, EPOCH)
    proof = membership.prove(SECRETS[1], RING, scopes, message_of(EPOCH, body))
    return Item(Kind.SECRET, EPOCH, body, tuple(membership.tags_in(proof, 2)), proof, RING.root)


def _packet(content: Content, payload: bytes, slot: int) -> Packet:
    unsigned = Packet(content, EPOCH, slot, RING.root, b"", payload)
    proof = membership.prove(SECRETS[2], RING, unsigned.scopes(GENESIS.mesh_id), unsigned.message)
    return Packet(content, EPOCH, slot, RING.root, proof, payload)


def _open_onion(data: bytes) -> object:
    return onion.open_onion(data, RELAY_SECRET)


def _open_whisper(data: bytes) -> object:
    return whispers.open_untrusted(data, RELAY_SECRET, bytes(32))


def _only(error: type[Exception], decode: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        with contextlib.suppress(error):
            decode(data)

    return target


def _converse(data: bytes) -> None:
    """Plays a conversation: a byte for what happens, two for a length, and so many bytes of it; and again."""
    engine = Engine(GENESIS, Seeded("fuzz"), NOW, secret=SECRETS[1])
    key = RelayKeyMade(relay_day=DAY, epoch=EPOCH, secret=RELAY_SECRET)
    engine.restore(items=RECORDS, slots=[], outbox=[], now=NOW, relay_keys=[key])
    links = [LinkId(1), LinkId(2)]
    for link, friend in zip(links, FRIENDS, strict=True):
        engine.friend_added(friend)
        engine.link_opened(link, friend, NOW)
        hello = Hello(versions=[1], mesh_id=GENESIS.mesh_id, nonce=bytes([255 * (link == 1)]) * 32)
        engine.receive(link, encode(hello), NOW)
    engine.sponsor(FRIENDS[0])
    now, batches = NOW, []
    while len(data) >= 3:
        what, size = data[0], int.from_bytes(data[1:3], "big")
        food, data = data[3 : 3 + size], data[3 + size :]
        if what % 8 < 6:
            engine.receive(links[what % 2], food, now)
        elif what % 8 == 6:
            now += 1 + sum(food[:4])
            engine.handle_timer(now)
        elif batches:
            # The verifier may say anything: a member may have signed what the fuzzer could not.
            batch = batches.pop(0)
            held = [not food[index : index + 1] for index in range(len(batch.jobs))]
            engine.verified(batch.batch_id, held, now)
        engine.frames_to_send()
        while (event := engine.next_event()) is not None:
            if isinstance(event, VerifyWanted):
                batches.append(event)
        timer = engine.timer()
        assert timer is not None
        if timer <= now:
            engine.handle_timer(now)
            again = engine.timer()
            assert again is None or again > now, "a timer that is not handled"
        _check_bounds(engine)


def _check_bounds(engine: Engine) -> None:
    reception = engine._reception
    assert len(reception._wants) <= WANTED_MAX
    assert len(reception._intake) <= 2 * (ITEMS_IN_FLIGHT_MAX + STEMS_WAITING_MAX)
    assert len(reception.searches) <= 2 * PARKED_BY_LINK_MAX
    assert len(engine._views._reports) <= len(FRIENDS)
    assert len(engine._carriage._private) <= PRIVATE_MAX
    assert len(engine.mixing.relays._waiting) <= WAITING_ONIONS_MAX
    assert engine.author.petition_count <= 1
    assert len(engine.roster) <= 64
    for link in engine._links.values():
        assert len(link.backlog) <= len(engine.store) + engine.store.packet_count
        assert len(link.answers) <= WAITING_MAX


def _proof(data: bytes) -> object:
    return proofs.decode_untrusted(data[1:], 2 + data[0] if data else 2, 2)


TARGETS: list[Callable[[bytes], None]] = [
    _only(Malformed, decode_frame_untrusted),
    _only(Malformed, Item.decode_untrusted),
    _only(Malformed, Genesis.decode_untrusted),
    _only(ReconciliationError, ranges.decode_untrusted),
    _only(InvalidProof, _proof),
    _only(InvalidVault, vault.needs_passphrase),
    _only(InvalidVault, vault.unlock_without_passphrase),
    _converse,
    _only(Malformed, Packet.decode_untrusted),
    _only(Malformed, unpad_item),
    _only(OnionBroken, _open_onion),
    _only(WhisperBroken, _open_whisper),
]


def fuzz_one(data: bytes) -> None:
    """Runs one input."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def seeds() -> dict[str, bytes]:
    """Inputs that get past the first checks of each target, by name."""
    secret, other = _secret(0), _secret(1)
    petition = Petition(key=KEYS[3], possession=possession.prove_possession(SECRETS[3], GENESIS.mesh_id))
    stranger = Item(secret.kind, EPOCH, secret.body, secret.tags, secret.proof, b"\x07" * 32)
    relays = [onion.relay_public(RELAY_SECRET)] * 2
    wrapped = onion.wrap(
        relays, Payload(command=Command.ITEM, content=secret.encoding), Seeded("onion").randbytes
    )
    whispered, _ = whispers.seal(b"w" * 32, relays[0], bytes(32), number=1, text="psst")
    packet, carrier = (
        _packet(Content.ONION, wrapped, 0),
        _packet(Content.ITEM, pad_item(other.encoding), 1),
    )
    opening = ranges.encode(ranges.Message(opening=ranges.Opening(floor=0, nonce=b"n" * 16)))
    frames = {
        "announce": Announce(item_ids=[secret.item_id, other.item_id]),
        "items": Items(items=[secret.encoding, other.encoding]),
        "stranger": Items(items=[stranger.encoding]),
        "want": Want(item_ids=[RECORDS[0].item_id]),
        "digest": Digest(epoch=EPOCH, ring_root=RING.root, relay_root=bytes(32)),
        "packets": Packets(packets=[packet.encoding]),
        "stemmed": Stemmed(packet=packet.encoding),
        "stemmed-item": Stemmed(packet=carrier.encoding),
        "announce-packet": Announce(item_ids=[packet.item_id]),
        "steer": Steer(packet_id=packet.item_id, word=b"up"),
        "reconcile": Reconcile(collection=0, session=1, message=opening),
        "ring_wanted": RingWanted(root=RING.root, base_root=b""),
        "ring": RingDifference(root=b"\x07" * 32, base_root=RING.root, added=[], removed=[KEYS[1]]),
        "petition": petition,
        "complaint": Complaint(fault=1),
    }
    encoded = {name: encode(frame) for name, frame in frames.items()}

    def conversation(*names: str) -> bytes:
        said = [
            (0, encoded[name]) if name in encoded else ({"wait": 6, "verdict": 7}[name], b"")
            for name in names
        ]
        return b"\x07" + b"".join(bytes([what]) + len(food).to_bytes(2, "big") + food for what, food in said)

    return {
        **{f"frame-{name}": b"\x00" + frame for name, frame in encoded.items()},
        "item": b"\x01" + secret.encoding,
        "record": b"\x01" + RECORDS[0].encoding,
        "genesis": b"\x02" + GENESIS.encode(),
        "opening": b"\x03" + opening,
        "proof": b"\x04\x01" + secret.proof,
        "vault": b"\x05" + vault.lock_without_passphrase(b"k" * 32),
        "open-vault": b"\x06" + vault.lock_without_passphrase(b"k" * 32),
        "talk-secret": conversation("announce", "items", "verdict", "want", "wait"),
        "talk-ring": conversation("announce", "stranger", "wait", "ring", "wait", "verdict"),
        "talk-petition": conversation("petition", "wait", "digest", "ring_wanted"),
        "packet": b"\x08" + packet.encoding,
        "carrier": b"\x08" + carrier.encoding,
        "payload": b"\x09" + carrier.payload,
        "onion": b"\x0a" + wrapped,
        "whisper": b"\x0b" + whispered,
        "talk-packet": conversation("announce-packet", "packets", "verdict", "wait", "wait", "want"),
        "talk-stem": conversation("stemmed", "stemmed-item", "verdict", "steer", "wait", "wait", "verdict"),
        "talk-reconcile": conversation("reconcile", "wait", "reconcile", "complaint"),
    }
