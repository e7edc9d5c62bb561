"""The worked examples of docs/protocol.md hold: made again by the code, and read once more from the document alone.

The second reading shares no line with `rumor`: its own CBOR, hashing and key derivation, and the curve of the
independent reference in tests/crypto.
"""

import base64
import hashlib
import hmac
import json
import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mnemonic import Mnemonic
from nacl.bindings import crypto_scalarmult
from nacl.public import PrivateKey
from nacl.signing import SigningKey, VerifyKey

from rumor.gossip.frames import decode_frame_untrusted
from rumor.gossip.items import Item

from .crypto import reference

FOLDER = Path(__file__).parent / "vectors"
VECTORS = json.loads((FOLDER / "protocol.json").read_text())
GENESIS, RING, NODE = VECTORS["genesis"], VECTORS["ring"], VECTORS["node"]
INVITATION, BEFRIENDING, CONNECTION = (VECTORS[name] for name in ("invitation", "befriending", "connection"))
MESH_ID = bytes.fromhex(GENESIS["mesh_id"])
FRAMES = {vector["name"]: vector["encoding"] for vector in VECTORS["frames"]}


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def cbor(value: Any) -> bytes:
    """Deterministic CBOR of integers, bytes, text and arrays (RFC 8949, section 4.2.1)."""
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(4, len(value)) + b"".join(map(cbor, value))


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + number.to_bytes(size, "big")


def labelled(label: str, *parts: bytes) -> bytes:
    return hashlib.sha256(label.encode() + b"".join(parts)).digest()


def hkdf(secret: bytes, label: str, size: int = 32) -> bytes:
    assert size == 32
    key = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(key, label.encode() + b"\x01", "sha256")


def counted(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


def plain_signature_holds(key: bytes, digest: bytes, signature: bytes) -> bool:
    """BIP-340, verification."""

    def tagged(tag: str, data: bytes) -> bytes:
        prefix = hashlib.sha256(tag.encode()).digest()
        return hashlib.sha256(prefix + prefix + data).digest()

    point = reference.decode(b"\x02" + key[1:])
    challenge = int.from_bytes(tagged("BIP0340/challenge", signature[:32] + key[1:] + digest), "big")
    s = int.from_bytes(signature[32:], "big")
    found = reference.add(
        reference.mul(s, reference.G), reference.mul(reference.Q - challenge % reference.Q, point)
    )
    return found is not None and found[1] % 2 == 0 and found[0] == int.from_bytes(signature[:32], "big")


def test_the_code_makes_the_same_vectors_today() -> None:
    """A change of any format changes the file, and shows."""
    made = runpy.run_path(str(FOLDER / "make_protocol.py"))["vectors"]()
    assert json.loads(json.dumps(made)) == VECTORS


def test_genesis() -> None:
    founder = raw(GENESIS["founder"])
    assert reference.public(int(GENESIS["founder_secret"], 16)) == founder
    encoding = cbor([1, GENESIS["name"], list(GENESIS["parameters"].values()), founder])
    assert encoding.hex() == GENESIS["encoding"]
    assert labelled("rumor/genesis/v1", encoding) == MESH_ID


def test_ring() -> None:
    keys = sorted(reference.public(int(secret, 16)) for secret in RING["secrets"])
    assert [key.hex() for key in keys] == RING["keys"]
    shape = len(keys).to_bytes(4, "big") + bytes([4, RING["digit_count"]])
    assert labelled("rumor/membership/v1/root", shape, *keys).hex() == RING["root"]


def test_node_key() -> None:
    key = bytes(SigningKey(raw(NODE["seed"])).verify_key)
    assert key.hex() == NODE["key"]
    assert labelled("rumor/fingerprint/v1", key).hex()[:8] == NODE["fingerprint"]
    number, digits = int.from_bytes(raw("002408011220") + key, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + digits
    assert "1" + digits == NODE["peer_id"]


@pytest.mark.parametrize("vector", VECTORS["roots"])
def test_a_root_of_the_words(vector: dict[str, str]) -> None:
    """24 words of 11 bits each, the last 8 of which are a checksum; and both keys, by RFC 5869 alone."""
    root = raw(vector["root"])
    bits = int.from_bytes(root + hashlib.sha256(root).digest()[:1], "big")
    words = Mnemonic("english").wordlist
    assert vector["words"].split() == [words[bits >> 11 * (23 - place) & 2047] for place in range(24)]
    key = hmac.digest(bytes(32), root, "sha256")
    assert vector["node_seed"] == hkdf(root, "rumor/root/v1/node").hex()
    assert vector["node_key"] == bytes(SigningKey(raw(vector["node_seed"])).verify_key).hex()
    first = hmac.digest(key, b"rumor/root/v1/member\x01", "sha256")
    second = hmac.digest(key, first + b"rumor/root/v1/member\x02", "sha256")
    member = int.from_bytes(first + second, "big") % (reference.Q - 1) + 1
    assert vector["member_secret"] == member.to_bytes(32, "big").hex()
    assert vector["member_key"] == reference.public(member).hex()


def test_invitation() -> None:
    secret = raw(INVITATION["secret"])
    body = cbor(
        [
            1,
            MESH_ID,
            raw(INVITATION["node_key"]),
            INVITATION["addresses"],
            secret,
            INVITATION["expires_at"],
        ]
    )
    check = labelled("rumor/invitation/v1/check", body)[:4]
    encoded = base64.b32encode(body + check).decode().rstrip("=").lower()
    assert f"rumor:{encoded}" == INVITATION["uri"]
    seed = hkdf(secret, "rumor/invitation/v1/identity")
    assert seed.hex() == INVITATION["holder_seed"]
    assert bytes(SigningKey(seed).verify_key).hex() == INVITATION["holder_key"]


def test_befriending() -> None:
    """Every message of the exchange, both signatures and the words."""
    inviter, joiner = raw(NODE["key"]), raw(BEFRIENDING["joiner_key"])
    nonce_j, nonce_i = raw(BEFRIENDING["joiner_nonce"]), raw(BEFRIENDING["inviter_nonce"])
    addresses = BEFRIENDING["joiner_addresses"]
    commitment = labelled("rumor/befriending/v1/commitment", MESH_ID, inviter, joiner, nonce_j)
    offer = cbor([1, 1, joiner, commitment])
    answer = cbor([2, raw(GENESIS["encoding"]), nonce_i])
    base = MESH_ID + inviter + raw(INVITATION["secret"]) + counted(offer) + counted(answer)
    unsigned = cbor([3, nonce_j, addresses])
    digest = labelled("rumor/befriending/v1/joiner", base, counted(unsigned))
    signature = SigningKey(raw(BEFRIENDING["joiner_seed"])).sign(digest).signature
    reveal = cbor([3, nonce_j, addresses, signature])
    accepted = raw(BEFRIENDING["accepted"])
    digest = labelled("rumor/befriending/v1/inviter", base, counted(reveal))
    assert accepted == cbor([4, accepted[-64:]])
    VerifyKey(inviter).verify(digest, accepted[-64:])
    assert [BEFRIENDING[name] for name in ("offer", "answer", "reveal")] == [
        message.hex() for message in (offer, answer, reveal)
    ]
    assert BEFRIENDING["refused_because_used"] == cbor([5, 5]).hex()
    bits = f"{int.from_bytes(labelled('rumor/befriending/v1/words', MESH_ID, inviter, joiner, nonce_i, nonce_j)):0256b}"
    words = " ".join(Mnemonic("english").wordlist[int(bits[at : at + 11], 2)] for at in range(0, 44, 11))
    assert words == BEFRIENDING["words"]
    assert labelled("rumor/words/v1/confirm", words.encode()).hex() == BEFRIENDING["confirmation_digest"]


#: The fields of each kind's body, in order; those that are bytes.
FIELDS = {
    1: "slot text style thread_nonce reply_key retraction",
    2: "slot key possession",
    3: "relay_day key",
    4: "slot text thread_nonce retraction",
    5: "slot text style thread_nonce reply_key retraction choices",
    6: "target turn",
    7: "target turn",
    8: "target turn choice",
    9: "slot opening",
}
PLAIN = {"slot", "text", "style", "choices", "turn", "choice", "relay_day"}


def body_of(vector: dict[str, Any]) -> list[Any]:
    names = FIELDS[vector["kind"]].split()
    return [vector[name] if name in PLAIN else raw(vector[name]) for name in names]


def scopes_of(vector: dict[str, Any]) -> list[bytes]:
    slot = vector["epoch"].to_bytes(8, "big") + vector.get("slot", 0).to_bytes(4, "big")
    thread = b"\x07" + raw(vector.get("thread_nonce", ""))
    target = raw(vector.get("target", ""))
    data = {
        1: [b"\x05" + slot, thread],
        2: [b"\x03" + slot],
        3: [b"\x02" + vector.get("relay_day", 0).to_bytes(8, "big")],
        4: [b"\x06" + slot, thread],
        5: [b"\x05" + slot, thread],
        6: [b"\x08" + target],
        7: [b"\x09" + target],
        8: [b"\x0a" + target],
        9: [b"\x06" + slot],
    }
    return [MESH_ID + each for each in data[vector["kind"]]]


def test_whisper() -> None:
    """Each way has a key of its own, which is bound to the secret."""
    vector = VECTORS["whisper"]
    own_key, reply_key = raw(vector["own_key"]), raw(vector["reply_key"])
    assert vector["about"] == VECTORS["items"]["secret"]["item_id"]
    assert vector["reply_key"] == VECTORS["items"]["secret"]["reply_key"]
    assert bytes(PrivateKey(raw(vector["own_secret"])).public_key) == own_key
    shared = crypto_scalarmult(raw(vector["own_secret"]), reply_key)
    assert shared == crypto_scalarmult(raw(vector["reply_secret"]), own_key)
    for whisper, sender, recipient in zip(
        vector["whispers"], (own_key, reply_key), (reply_key, own_key), strict=True
    ):
        label = b"rumor/whisper/v1/mac" + raw(vector["about"]) + sender + recipient
        said = [whisper["number"], whisper["text"]]
        key = hmac.digest(hmac.digest(bytes(32), shared, "sha256"), label + b"\x01", "sha256")
        mac = hmac.digest(key, cbor(said), "sha256")
        assert cbor([sender, *said, mac]).hex() == whisper["content"]


@pytest.mark.parametrize("name", VECTORS["items"])
def test_item(name: str) -> None:
    """Message, id, encoding, scopes and the proof or the founder's signature."""
    vector = VECTORS["items"][name]
    signed = [1, vector["kind"], vector["epoch"], body_of(vector)]
    tags, proof, root = [raw(tag) for tag in vector["tags"]], raw(vector["proof"]), raw(vector["ring_root"])
    assert cbor(signed).hex() == vector["message"]
    assert hashlib.sha256(cbor(signed)).hexdigest() == vector["message_hash"]
    assert labelled("rumor/item/v1", cbor([*signed, tags])).hex() == vector["item_id"]
    assert cbor([*signed, tags, proof, root]).hex() == vector["encoding"]
    assert Item.decode_untrusted(raw(vector["encoding"])).item_id.hex() == vector["item_id"]
    if not root:
        digest = labelled("rumor/founder/v1", MESH_ID, cbor(signed))
        assert digest.hex() == vector["signed_digest"]
        assert plain_signature_holds(raw(GENESIS["founder"]), digest, proof)
        return
    scopes = scopes_of(vector)
    assert [scope.hex() for scope in scopes] == vector["scopes"]
    assert b"".join(tags) == proof[: 33 * len(tags)]
    assert reference.verify(proof, [raw(key) for key in RING["keys"]], scopes, cbor(signed))


def test_values_of_a_secret_come_from_its_seed() -> None:
    vector = VECTORS["items"]["secret"]
    seed = raw(vector["seed"])
    reply = PrivateKey(hkdf(seed, "rumor/secret/v1/reply"))
    assert bytes(reply.public_key).hex() == vector["reply_key"]
    value = hkdf(seed, "rumor/secret/v1/retraction")
    assert value.hex() == vector["opening"] == VECTORS["items"]["retraction"]["opening"]
    assert labelled("rumor/retraction/v1", value).hex() == vector["retraction"]


@pytest.mark.parametrize("name", ["secret", "poll"])
def test_a_thread_is_its_authors(name: str) -> None:
    """The nonce follows from the tag of the slot and from what is said; the author has one persona in its thread."""
    vector = VECTORS["items"][name]
    bound = [raw(vector["tags"][0]), raw(vector["reply_key"]), raw(vector["retraction"])]
    bound.append(cbor([vector["text"], *vector.get("choices", [])]))
    assert labelled("rumor/thread/v1", *bound).hex() == vector["thread_nonce"]
    reply = VECTORS["items"]["reply"]
    assert reply["tags"][1] == VECTORS["items"]["secret"]["tags"][1]


@pytest.mark.parametrize("name", ["admission", "founder's admission"])
def test_proof_of_possession(name: str) -> None:
    vector = VECTORS["items"][name]
    key = raw(vector["key"])
    digest = labelled("rumor/admission/v1", MESH_ID, key)
    assert plain_signature_holds(key, digest, raw(vector["possession"]))


def test_a_relay_key_is_the_public_half_of_its_secret() -> None:
    vector = VECTORS["items"]["relay key"]
    assert bytes(PrivateKey(raw(vector["relay_secret"])).public_key).hex() == vector["key"]
    assert vector["relay_day"] == vector["epoch"] // GENESIS["parameters"]["relay_day_epochs"] + 1


def test_the_digest_of_relay_keys() -> None:
    vector = VECTORS["relays"]
    day = vector["relay_day"].to_bytes(8, "big")
    keys = sorted(raw(key) for key in vector["keys"])
    assert labelled("rumor/relays/v1/root", day, *keys).hex() == vector["root"]
    assert labelled("rumor/relays/v1/root", day).hex() == vector["root_of_none"]


@pytest.mark.parametrize("name", VECTORS["packets"])
def test_packet(name: str) -> None:
    """Layout, id, message, scope and proof."""
    vector = VECTORS["packets"][name]
    epoch, slot = vector["epoch"].to_bytes(8, "big"), vector["slot"].to_bytes(4, "big")
    head = bytes([1, vector["content"]]) + epoch + slot
    proof, root, payload = (raw(vector[field]) for field in ("proof", "ring_root", "payload"))
    encoding = head + root + len(proof).to_bytes(2, "big") + proof.ljust(973, b"\0") + payload
    assert len(encoding) == 4096
    assert encoding.hex() == vector["encoding"]
    assert labelled("rumor/packet/v1", head, proof[:33], payload).hex() == vector["packet_id"]
    assert hashlib.sha256(head + payload).hexdigest() == vector["message_hash"]
    scope = MESH_ID + b"\x01" + epoch + slot
    assert scope.hex() == vector["scope"]
    assert reference.verify(proof, [raw(key) for key in RING["keys"]], [scope], head + payload)


def test_the_item_in_a_packet() -> None:
    item = raw(VECTORS["items"]["relay key"]["encoding"])
    padded = (len(item).to_bytes(2, "big") + item).ljust(3075, b"\0")
    assert VECTORS["packets"]["item"]["payload"] == padded.hex()


def test_frames() -> None:
    """One of each type, from its fields."""
    items = VECTORS["items"]
    secret, admission, founders = items["secret"], items["admission"], items["founder's admission"]
    ids = [raw(item["item_id"]) for item in (secret, admission, founders)]
    root = raw(RING["root"])
    hello = raw(FRAMES["Hello"])
    opening = raw(FRAMES["Reconcile"])[-25:]
    assert opening[:9] == bytes([1]) + bytes(8)
    packets = [raw(VECTORS["packets"][name]["encoding"]) for name in ("onion", "item")]
    petition = [raw(admission["key"]), raw(admission["possession"])]
    expected = {
        "Hello": [0, [1], MESH_ID, hello[-32:]],
        "Digest": [1, secret["epoch"], root, raw(VECTORS["relays"]["root"])],
        "Announce": [2, ids],
        "Want": [3, ids[:2]],
        "Items": [4, [raw(item["encoding"]) for item in (secret, admission)]],
        "Reconcile": [5, 0, 1, opening],
        "RingWanted": [6, root, b""],
        "RingDifference": [7, root, b"", [raw(key) for key in RING["keys"]], []],
        "Petition": [8, *petition],
        "Complaint": [9, 7],
        "Packets": [10, packets],
        "Stemmed": [11, packets[0]],
        "Steer": [12, raw(VECTORS["packets"]["onion"]["packet_id"]), b"word"],
    }
    assert {name: cbor(fields).hex() for name, fields in expected.items()} == FRAMES


@pytest.mark.parametrize("name", FRAMES)
def test_the_code_reads_the_frames(name: str) -> None:
    assert type(decode_frame_untrusted(raw(FRAMES[name]))).__name__ == name


def test_layers_of_a_connection() -> None:
    """Length, channel, sort of payload, message."""
    confirmed = cbor([0, raw(CONNECTION["confirmed_digest"])])
    moved = cbor([1, CONNECTION["moved_addresses"]])
    assert CONNECTION["ping"] == counted(b"\0\1").hex()
    assert CONNECTION["pong"] == counted(b"\0\2").hex()
    assert CONNECTION["goodbye"] == counted(b"").hex()
    assert CONNECTION["confirmed"] == counted(b"\1\0" + confirmed).hex()
    assert CONNECTION["moved"] == counted(b"\1\0" + moved).hex()
    assert CONNECTION["hello"] == counted(b"\1\1" + raw(FRAMES["Hello"])).hex()


def entry(pair: list[Any]) -> bytes:
    return int(pair[0]).to_bytes(8, "big") + raw(pair[1])


class Reader:
    """Reads a reconciliation message by the document's grammar."""

    def __init__(self, message: str) -> None:
        self.data = raw(message)

    def take(self, size: int) -> bytes:
        assert len(self.data) >= size
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    def varint(self) -> int:
        byte = self.take(1)[0]
        return byte if byte < 128 else (byte & 127) + (self.varint() << 7)

    def short_ids(self) -> list[bytes]:
        return [self.take(8) for _ in range(self.varint())]

    def range(self) -> None:
        mode, length = divmod(self.take(1)[0], 64)
        if length != 63:
            self.varint()
            assert not self.take(length).endswith(b"\0")
        if mode == 1:
            self.take(16)
        elif mode == 2:
            assert len(self.short_ids()) <= 64

    def body(self) -> tuple[list[bytes], list[bytes]]:
        """What is held and what is wanted."""
        if self.take(1) != b"\3":
            self.take(8 + 16)
        assert self.take(1)[0] in (0, 1, 2)
        for _ in range(self.varint()):
            self.range()
        found = self.short_ids(), self.short_ids()
        assert not self.data
        return found


SESSIONS = pytest.mark.parametrize("vector", VECTORS["reconciliation"], ids=["few entries", "many entries"])


@SESSIONS
def test_reconciliation_finds_what_each_side_lacks(vector: dict[str, Any]) -> None:
    """The two sides announce exactly what they hold alone."""
    own = {side: sorted(item_id for _, item_id in pairs) for side, pairs in vector["own"].items()}
    assert vector["to_announce"] == own


@SESSIONS
def test_a_whole_session_reads_by_the_grammar(vector: dict[str, Any]) -> None:
    """Every message is read to its end, and what it names as held or wanted is what only one side holds."""
    nonces = [raw(vector["nonces"][side]) for side in ("initiator", "responder")]
    salt = labelled("rumor/reconciliation/v1/salt", *nonces)
    own = {
        side: {labelled("rumor/reconciliation/v1/id", salt, entry(pair))[:8] for pair in pairs}
        for side, pairs in vector["own"].items()
    }
    opening, *others = vector["transcript"]
    assert raw(opening["message"]) == b"\1" + vector["floors"]["initiator"].to_bytes(8, "big") + nonces[0]
    named: dict[str, set[bytes]] = {side: set() for side in own}
    for said in others:
        other = "initiator" if said["from"] == "responder" else "responder"
        held, wanted = Reader(said["message"]).body()
        assert held == sorted(held)
        named[said["from"]] |= set(held)
        named[other] |= set(wanted)
    assert named == own


def test_the_first_flight_of_few_entries_lists_them() -> None:
    """Salt, salted ids and the bytes of an answer, from the document alone."""
    vector = VECTORS["reconciliation"][0]
    nonces = [raw(vector["nonces"][side]) for side in ("initiator", "responder")]
    salt = labelled("rumor/reconciliation/v1/salt", *nonces)
    held = [entry(pair) for pair in vector["common"] + vector["own"]["responder"]]
    short_ids = sorted(labelled("rumor/reconciliation/v1/id", salt, key)[:8] for key in held)
    listing = bytes([2 << 6 | 63, len(short_ids)]) + b"".join(short_ids)
    answer = b"\2" + bytes(8) + nonces[1] + b"\0\1" + listing + b"\0\0"
    assert vector["transcript"][1] == {"from": "responder", "message": answer.hex()}


def test_the_first_flight_of_many_entries_fingerprints_16_parts() -> None:
    """Where a set is cut, how bounds are written, and what a fingerprint is."""
    vector = VECTORS["reconciliation"][1]
    nonces = [raw(vector["nonces"][side]) for side in ("initiator", "responder")]
    salt = labelled("rumor/reconciliation/v1/salt", *nonces)
    held = sorted(entry(pair) for pair in vector["common"] + vector["own"]["responder"])
    cuts = [len(held) * part // 16 for part in range(17)]
    body, epoch_before = b"\0\x10", 0
    for first, last in pairwise(cuts):
        ids = [labelled("rumor/reconciliation/v1/id", salt, key) for key in held[first:last]]
        total = sum(int.from_bytes(salted, "big") for salted in ids) % 2**256
        state = salt + total.to_bytes(32, "big") + len(ids).to_bytes(8, "big")
        fingerprint = labelled("rumor/reconciliation/v1/fingerprint", state)[:16]
        if last == len(held):
            body += bytes([1 << 6 | 63]) + fingerprint
            continue
        left, right = held[last - 1], held[last]
        size = next(size for size in range(8, 41) if left[:size] != right[:size])
        epoch = int.from_bytes(right[:8], "big")
        delta, varint = epoch - epoch_before, b""
        while delta > 127:
            delta, varint = delta >> 7, varint + bytes([delta & 127 | 128])
        body += bytes([1 << 6 | size - 8]) + varint + bytes([delta]) + right[8:size] + fingerprint
        epoch_before = epoch
    answer = b"\2" + bytes(8) + nonces[1] + body + b"\0\0"
    assert vector["transcript"][1]["message"] == answer.hex()
