"""Writes protocol.json: worked examples of every message that docs/protocol.md describes, from fixed inputs.

`uv run python tests/vectors/make_protocol.py`. Made by this implementation itself; tests/test_protocol_vectors.py
checks them with a CBOR encoder and hashes of its own.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from rumor.crypto import membership, onion, possession, whispers
from rumor.crypto.befriending import Inviter, Joiner
from rumor.crypto.identity import NodeSecret
from rumor.crypto.invites import Invitation, invitation_identity
from rumor.crypto.membership import Purpose
from rumor.crypto.refusals import Refusal, encode_refusal
from rumor.crypto.roots import Root
from rumor.crypto.seeds import PostSeed
from rumor.gossip import frames
from rumor.gossip.bodies import (
    AdmissionBody,
    Body,
    FlagBody,
    HeartBody,
    Kind,
    PollBody,
    RelayKeyBody,
    ReplyBody,
    RetractionBody,
    SecretBody,
    VoteBody,
    slot_scope,
    thread_nonce,
)
from rumor.gossip.errors import Fault
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.idset import IdSet
from rumor.gossip.items import Item, message_of
from rumor.gossip.packets import Content, Packet, pad_item
from rumor.gossip.reconciliation import Session
from rumor.gossip.relay_book import RelayBook
from rumor.gossip.wire import Message, encode
from rumor.node.friends import words_digest
from rumor.node.messages import Confirmed, Moved, encode_message
from rumor.node.network.conversation import PING, PONG
from rumor.node.network.transport import GOODBYE, encode_frame

EPOCH = 490_000
ADDRESSES = ["/ip4/192.0.2.7/tcp/4001", "/dns/node.example/tcp/4001"]

Vector = dict[str, object]


def digest(text: str) -> bytes:
    """The fixed 32 bytes behind a name."""
    return hashlib.sha256(f"rumor protocol vector {text}".encode()).digest()


MEMBERS = [digest(f"member {number}") for number in range(5)]
FOUNDER = membership.public_key(MEMBERS[0])
GENESIS = Genesis.found("The Porch", FOUNDER, Parameters(members_min=2))
MESH_ID = GENESIS.mesh_id
RING = membership.Ring(membership.public_key(secret) for secret in MEMBERS)
NEWCOMER = digest("newcomer")
INVITER = NodeSecret.from_seed(digest("inviter's node"))
JOINER = NodeSecret.from_seed(digest("joiner's node"))
INVITATION = Invitation(
    mesh_id=MESH_ID,
    node_key=INVITER.public,
    addresses=tuple(ADDRESSES),
    secret=digest("invitation")[:16],
    expires_at=1_800_000_000,
)


def plain_signature(secret: bytes, message_digest: bytes, name: str) -> bytes:
    """BIP-340 with fixed auxiliary randomness."""
    return possession._sign(secret, message_digest, digest(f"randomness of {name}"))


def possession_of(secret: bytes) -> bytes:
    admission = possession._admission_digest(membership.public_key(secret), MESH_ID)
    return plain_signature(secret, admission, "possession")


def genesis() -> Vector:
    return {
        "name": GENESIS.name,
        "parameters": msgspec.structs.asdict(GENESIS.parameters),
        "founder_secret": MEMBERS[0].hex(),
        "founder": FOUNDER.hex(),
        "encoding": GENESIS.encode().hex(),
        "mesh_id": MESH_ID.hex(),
    }


def ring() -> Vector:
    return {
        "secrets": [secret.hex() for secret in MEMBERS],
        "keys": [key.hex() for key in RING.keys],
        "digit_count": RING.digit_count,
        "root": RING.root.hex(),
    }


def node() -> Vector:
    public = INVITER.public
    return {
        "seed": INVITER.seed.hex(),
        "key": public.raw.hex(),
        "peer_id": public.peer_id,
        "fingerprint": public.fingerprint,
    }


def roots() -> list[Vector]:
    """What a person writes down, and the keys that come of it."""
    made = []
    for raw in (digest("a root"), bytes(32)):
        root = Root(raw)
        made.append(
            {
                "root": raw.hex(),
                "words": root.words,
                "node_seed": root.node_secret.seed.hex(),
                "node_key": root.node_secret.public.raw.hex(),
                "member_secret": root.member_secret.raw.hex(),
                "member_key": root.member_secret.key.raw.hex(),
            }
        )
    return made


def invitation() -> Vector:
    holder = invitation_identity(INVITATION.secret)
    return {
        "mesh_id": MESH_ID.hex(),
        "node_key": INVITER.public.raw.hex(),
        "addresses": ADDRESSES,
        "secret": INVITATION.secret.hex(),
        "expires_at": INVITATION.expires_at,
        "uri": INVITATION.to_uri(),
        "holder_seed": holder.seed.hex(),
        "holder_key": holder.public.raw.hex(),
        "holder_peer_id": holder.public.peer_id,
    }


def befriending() -> Vector:
    joiner_nonce, inviter_nonce = digest("joiner's nonce"), digest("inviter's nonce")
    joiner = Joiner(INVITATION, JOINER, ADDRESSES[:1], _nonce=joiner_nonce)
    inviter = Inviter(INVITATION.secret, INVITER, GENESIS.encode(), _nonce=inviter_nonce)
    offer = joiner.start()
    answer = inviter.receive_untrusted(offer)
    assert answer is not None
    reveal = joiner.receive_untrusted(answer)
    assert reveal is not None
    accepted = inviter.receive_untrusted(reveal)
    assert accepted is not None
    joiner.receive_untrusted(accepted)
    assert joiner.result is not None
    return {
        "joiner_seed": JOINER.seed.hex(),
        "joiner_key": JOINER.public.raw.hex(),
        "joiner_nonce": joiner_nonce.hex(),
        "joiner_addresses": ADDRESSES[:1],
        "inviter_seed": INVITER.seed.hex(),
        "inviter_nonce": inviter_nonce.hex(),
        "offer": offer.hex(),
        "answer": answer.hex(),
        "reveal": reveal.hex(),
        "accepted": accepted.hex(),
        "refused_because_used": encode_refusal(Refusal.USED).hex(),
        "words": joiner.result.words,
        "confirmation_digest": words_digest(joiner.result.words).hex(),
    }


def _proved(body: Body, entropy: bytes) -> Item:
    scopes = body.scopes(MESH_ID, EPOCH)
    proof = membership._prove(MEMBERS[1], RING, scopes, message_of(EPOCH, body), entropy)
    return Item(body.kind, EPOCH, body, tuple(membership.tags_in(proof, len(scopes))), proof, RING.root)


def _secret_fields(slot: int, seed: PostSeed, *said: str) -> dict[str, Any]:
    reply_key, retraction = seed.reply_secret.public.raw, seed.retraction_commitment
    tag = membership.tag(MEMBERS[1], slot_scope(MESH_ID, Purpose.POST, EPOCH, slot))
    nonce = thread_nonce(tag, reply_key, retraction, said)
    return {"slot": slot, "thread_nonce": nonce, "reply_key": reply_key, "retraction": retraction}


def secret_item() -> tuple[Item, Vector]:
    seed = PostSeed(digest("seed of the secret"))
    text = "I never liked the café.\nNobody knows."
    body = SecretBody(text=text, style=7, **_secret_fields(2, seed, text))
    entropy = digest("entropy of the secret")
    item = _proved(body, entropy)
    return item, {
        **_described(item),
        **_fields(body),
        "seed": seed.raw.hex(),
        "opening": seed.retraction.hex(),
        "entropy": entropy.hex(),
    }


def conversation(secret: Item) -> dict[str, Vector]:
    """A poll, and what is said about the secret."""
    assert secret.secret is not None
    seed = PostSeed(digest("seed of the poll"))
    question, choices = "Tea or coffee?", ["Tea", "Coffee"]
    bodies: dict[str, Body] = {
        "reply": ReplyBody(
            slot=3,
            text="Me neither.",
            thread_nonce=secret.secret.thread_nonce,
            retraction=PostSeed(digest("seed of the reply")).retraction_commitment,
        ),
        "poll": PollBody(
            text=question,
            style=0,
            choices=choices,
            **_secret_fields(1, seed, question, *choices),
        ),
        "heart": HeartBody(target=secret.item_id, turn=0),
        "flag": FlagBody(target=secret.item_id, turn=1),
        "retraction": RetractionBody(slot=4, opening=PostSeed(digest("seed of the secret")).retraction),
    }
    made = {name: _proved(body, digest(f"entropy of the {name}")) for name, body in bodies.items()}
    body = VoteBody(target=made["poll"].item_id, turn=0, choice=1)
    made["vote"] = _proved(body, digest("entropy of the vote"))
    return {
        name: {
            **_described(item),
            **_fields(item.body),
            "entropy": digest(f"entropy of the {name}").hex(),
        }
        for name, item in made.items()
    }


def whisper(secret: Item) -> Vector:
    """The first whisper to the author of the secret, and an answer."""
    reply_secret = PostSeed(digest("seed of the secret")).reply_secret.raw
    own_secret = digest("one-time secret of the whisperer")
    keys = onion.relay_public(own_secret), onion.relay_public(reply_secret)
    first = {"number": 7, "text": "Is it the café at the corner?"}
    second = {"number": 2**64 - 1, "text": "It is."}
    return {
        "about": secret.item_id.hex(),
        "own_secret": own_secret.hex(),
        "own_key": keys[0].hex(),
        "reply_secret": reply_secret.hex(),
        "reply_key": keys[1].hex(),
        "whispers": [
            {**said, "content": whispers.seal(own, other, secret.item_id, **said)[0].hex()}
            for own, other, said in ((own_secret, keys[1], first), (reply_secret, keys[0], second))
        ],
    }


def _fields(body: Body) -> Vector:
    fields = msgspec.structs.asdict(body)
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}


def admission_item() -> tuple[Item, Vector]:
    body = AdmissionBody(slot=0, key=membership.public_key(NEWCOMER), possession=possession_of(NEWCOMER))
    entropy = digest("entropy of the admission")
    item = _proved(body, entropy)
    return item, {**_described(item), **_admitted(body), "entropy": entropy.hex()}


def relay_key_item() -> tuple[Item, Vector]:
    """For the day after that of its epoch."""
    secret = digest("relay secret")
    body = RelayKeyBody(relay_day=GENESIS.parameters.relay_day_at(EPOCH) + 1, key=onion.relay_public(secret))
    entropy = digest("entropy of the relay key")
    item = _proved(body, entropy)
    return item, {
        **_described(item),
        "relay_day": body.relay_day,
        "relay_secret": secret.hex(),
        "key": body.key.hex(),
        "entropy": entropy.hex(),
    }


def relays() -> Vector:
    """The digest of three relay keys, and that of none."""
    day = GENESIS.parameters.relay_day_at(EPOCH) + 1
    keys = [onion.relay_public(digest(f"relay {number}")) for number in range(3)]
    book, nobody = (RelayBook(GENESIS.parameters) for _ in range(2))
    for number, key in enumerate(keys):
        body = RelayKeyBody(relay_day=day, key=key)
        book.add(Item(Kind.RELAY_KEY, EPOCH, body, (number.to_bytes(33, "big"),), b"", RING.root))
    epoch = (day + 1) * GENESIS.parameters.relay_day_epochs - 1
    return {
        "relay_day": day,
        "keys": [key.hex() for key in keys],
        "root": book.root(epoch).hex(),
        "root_of_none": nobody.root(epoch).hex(),
    }


def packet(content: Content, slot: int, payload: bytes) -> tuple[Packet, Vector]:
    entropy = digest(f"entropy of the packet in slot {slot}")
    unsigned = Packet(content, EPOCH, slot, RING.root, b"", payload)
    scopes = unsigned.scopes(MESH_ID)
    proof = membership._prove(MEMBERS[2], RING, scopes, unsigned.message, entropy)
    made = Packet(content, EPOCH, slot, RING.root, proof, payload)
    return made, {
        "content": int(content),
        "epoch": EPOCH,
        "slot": slot,
        "scope": scopes[0].hex(),
        "proof": proof.hex(),
        "ring_root": RING.root.hex(),
        "payload": payload.hex(),
        "entropy": entropy.hex(),
        "message_hash": made.message_hash.hex(),
        "encoding": made.encoding.hex(),
        "packet_id": made.item_id.hex(),
    }


def founder_item() -> tuple[Item, Vector]:
    body = AdmissionBody(slot=1, key=membership.public_key(MEMBERS[1]), possession=possession_of(MEMBERS[1]))
    message_digest = possession.founder_digest(MESH_ID, message_of(EPOCH, body))
    signature = plain_signature(MEMBERS[0], message_digest, "founder's signature")
    item = Item(Kind.ADMISSION, EPOCH, body, (), signature, b"")
    return item, {**_described(item), **_admitted(body), "signed_digest": message_digest.hex()}


def _admitted(body: AdmissionBody) -> Vector:
    return {"key": body.key.hex(), "possession": body.possession.hex()}


def _described(item: Item) -> Vector:
    scopes = [] if item.by_founder else item.scopes(MESH_ID)
    return {
        "kind": int(item.kind),
        "epoch": item.epoch,
        **({"slot": item.body.slot} if hasattr(item.body, "slot") else {}),
        "scopes": [scope.hex() for scope in scopes],
        "message": item.message.hex(),
        "message_hash": item.message_hash.hex(),
        "tags": [tag.hex() for tag in item.tags],
        "proof": item.proof.hex(),
        "ring_root": item.ring_root.hex(),
        "encoding": item.encoding.hex(),
        "item_id": item.item_id.hex(),
    }


def example_frames(items: list[Item], packets: list[Packet], relay_root: bytes) -> list[Message]:
    """One frame of each type."""
    ids = [bytes(item.item_id) for item in items]
    idset = IdSet()
    _, opening = Session.open(idset, 0, digest("opening nonce")[:16])
    return [
        frames.Hello(versions=[1], mesh_id=MESH_ID, nonce=digest("hello nonce")),
        frames.Digest(epoch=EPOCH, ring_root=RING.root, relay_root=relay_root),
        frames.Announce(item_ids=ids),
        frames.Want(item_ids=ids[:2]),
        frames.Items(items=[item.encoding for item in items[:2]]),
        frames.Reconcile(collection=0, session=1, message=opening),
        frames.RingWanted(root=RING.root, base_root=b""),
        frames.RingDifference(root=RING.root, base_root=b"", added=list(RING.keys), removed=[]),
        frames.Petition(key=membership.public_key(NEWCOMER), possession=possession_of(NEWCOMER)),
        frames.Complaint(fault=int(Fault.WRONG_EPOCH)),
        frames.Packets(packets=[packet.encoding for packet in packets]),
        frames.Stemmed(packet=packets[0].encoding),
        frames.Steer(packet_id=packets[0].item_id, word=b"word"),
    ]


def connection(hello: bytes) -> Vector:
    """The bytes on a stream, with every layer around them."""
    confirmed = encode_message(Confirmed(digest=digest("words")))
    moved = encode_message(Moved(addresses=ADDRESSES))
    return {
        "ping": encode_frame(PING).hex(),
        "pong": encode_frame(PONG).hex(),
        "goodbye": GOODBYE.hex(),
        "confirmed_digest": digest("words").hex(),
        "confirmed": encode_frame(b"\x01" + confirmed).hex(),
        "moved_addresses": ADDRESSES,
        "moved": encode_frame(b"\x01" + moved).hex(),
        "hello": encode_frame(b"\x01\x01" + hello).hex(),
    }


def session(count: int) -> Vector:
    """A reconciliation of two sets that share `count` entries, each with two of its own."""
    common = [(EPOCH + number % 7, digest(f"entry {number}")) for number in range(count)]
    own = {
        side: [(EPOCH + number, digest(f"entry {number} of {side}")) for number in range(2)]
        for side in ("initiator", "responder")
    }
    sets = {}
    for side, entries in own.items():
        sets[side] = IdSet()
        for epoch, item_id in common + entries:
            sets[side].insert(epoch, item_id)
    nonces = {side: digest(f"nonce of {side}")[:16] for side in own}
    initiator, opening = Session.open(sets["initiator"], EPOCH, nonces["initiator"])
    responder, step = Session.accept_untrusted(sets["responder"], 0, nonces["responder"], opening)
    transcript = [{"from": "initiator", "message": opening.hex()}]
    found: dict[str, list[str]] = {"initiator": [], "responder": []}
    speaker = "responder"
    while step.messages:
        transcript += [{"from": speaker, "message": message.hex()} for message in step.messages]
        speaker, listener = ("initiator", initiator) if speaker == "responder" else ("responder", responder)
        for message in step.messages:
            step = listener.receive_untrusted(message)
            found[speaker] += [item_id.hex() for item_id in step.have]
    return {
        "floors": {"initiator": EPOCH, "responder": 0},
        "nonces": {side: nonce.hex() for side, nonce in nonces.items()},
        "common": [[epoch, item_id.hex()] for epoch, item_id in common],
        "own": {
            side: [[epoch, item_id.hex()] for epoch, item_id in entries] for side, entries in own.items()
        },
        "transcript": transcript,
        "to_announce": {side: sorted(ids) for side, ids in found.items()},
    }


def vectors() -> Vector:
    """Everything that stands in the file."""
    secret, secret_vector = secret_item()
    admission, admission_vector = admission_item()
    founders, founders_vector = founder_item()
    relay_key, relay_key_vector = relay_key_item()
    wrapped = digest("no onion") * 96 + bytes(3)
    onions, onion_vector = packet(Content.ONION, 5, wrapped)
    carrier, carrier_vector = packet(Content.ITEM, 6, pad_item(relay_key.encoding))
    relay_vector = relays()
    relay_root = bytes.fromhex(str(relay_vector["root"]))
    examples = example_frames([secret, admission, founders], [onions, carrier], relay_root)
    return {
        "source": "Rumor, version 1; checked by tests/test_protocol_vectors.py",
        "specification": "docs/protocol.md",
        "genesis": genesis(),
        "ring": ring(),
        "node": node(),
        "roots": roots(),
        "invitation": invitation(),
        "befriending": befriending(),
        "items": {
            "secret": secret_vector,
            "admission": admission_vector,
            "founder's admission": founders_vector,
            "relay key": relay_key_vector,
            **conversation(secret),
        },
        "whisper": whisper(secret),
        "relays": relay_vector,
        "packets": {"onion": onion_vector, "item": carrier_vector},
        "frames": [{"name": type(frame).__name__, "encoding": encode(frame).hex()} for frame in examples],
        "connection": connection(encode(examples[0])),
        "reconciliation": [session(3), session(100)],
    }


def main() -> None:
    path = Path(__file__).with_name("protocol.json")
    path.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
