"""Items: one encoding each, an id that covers what is said and not how it was proved, and texts that are safe."""

import unicodedata

import cbor2
import msgspec
import pytest
from fakenet import secret_item, small_mesh
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.gossip.bodies import AdmissionBody, Kind, SecretBody
from rumor.gossip.errors import Malformed
from rumor.gossip.genesis import Parameters
from rumor.gossip.items import ITEM_SIZE_MAX, Item
from rumor.gossip.text import TEXT_SIZE_MAX, tidy_text

NETWORK, PEERS = small_mesh(3)
SECRET = secret_item(NETWORK, PEERS[1], "hello")
RECORD = next(PEERS[0].engine.store.records())


@pytest.mark.parametrize("item", [SECRET, RECORD], ids=["secret", "founder's admission"])
def test_it_survives_the_wire(item: Item) -> None:
    again = Item.decode_untrusted(item.encoding)
    assert again == item
    assert (again.item_id, again.message) == (item.item_id, item.message)


@given(st.data())
def test_any_byte_changed_is_another_item_or_none(data: st.DataObject) -> None:
    """A changed item is malformed, has another id, or differs only in proof and ring, which the verifier judges."""
    encoding = bytearray(SECRET.encoding)
    at = data.draw(st.integers(0, len(encoding) - 1))
    encoding[at] ^= data.draw(st.integers(1, 255))
    try:
        item = Item.decode_untrusted(bytes(encoding))
    except Malformed:
        return
    assert item.encoding == bytes(encoding)
    if item.item_id == SECRET.item_id:
        assert (item.proof, item.ring_root) != (SECRET.proof, SECRET.ring_root)


def with_fields(item: Item, **changes: object) -> bytes:
    fields = {name: getattr(item, name) for name in ("kind", "epoch", "body", "tags", "proof", "ring_root")}
    return Item(**{**fields, **changes}).encoding


@pytest.mark.parametrize(
    "encoding",
    [
        with_fields(SECRET, tags=(SECRET.tags[1], SECRET.tags[0])),
        with_fields(SECRET, tags=SECRET.tags[:1]),
        with_fields(SECRET, tags=()),
        with_fields(SECRET, tags=(*SECRET.tags, SECRET.tags[0])),
        with_fields(SECRET, tags=(b"\x02" * 33, SECRET.tags[1])),
        with_fields(SECRET, ring_root=b""),
        with_fields(SECRET, ring_root=b"short"),
        with_fields(SECRET, ring_root=b"", tags=(), proof=bytes(64)),
        with_fields(SECRET, kind=3),
        with_fields(SECRET, kind=Kind.ADMISSION),
        with_fields(SECRET, epoch=2**48),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, style=64)),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, text=" padded ")),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, text="")),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, text="bell\x07")),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, text="e\u0301")),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, text="a" * (TEXT_SIZE_MAX + 1))),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, slot=2**32)),
        with_fields(SECRET, body=msgspec.structs.replace(SECRET.body, thread_nonce=bytes(31))),
        with_fields(RECORD, tags=(bytes(33),)),
        with_fields(RECORD, ring_root=bytes(32)),
        with_fields(RECORD, proof=bytes(65)),
        cbor2.dumps([2, *cbor2.loads(SECRET.encoding)[1:]], canonical=True),
    ],
)
def test_what_is_no_item_is_malformed(encoding: bytes) -> None:
    with pytest.raises(Malformed):
        Item.decode_untrusted(encoding)


def test_a_proof_made_anew_is_no_new_item() -> None:
    again = secret_item(NETWORK, PEERS[1], "hello")
    assert again.proof != SECRET.proof
    assert again.item_id == SECRET.item_id


@pytest.mark.parametrize("purpose", ["epoch", "slot", "thread_nonce", "mesh"])
def test_what_a_tag_counts_is_in_its_scope(purpose: str) -> None:
    """Another epoch, slot, thread or mesh is another scope, and nothing else in the body is."""
    mesh = NETWORK.genesis.mesh_id
    changed = {
        "epoch": Item(SECRET.kind, SECRET.epoch + 1, SECRET.body, (), b"", b""),
        "slot": Item(SECRET.kind, SECRET.epoch, msgspec.structs.replace(SECRET.body, slot=1), (), b"", b""),
        "thread_nonce": Item(
            SECRET.kind,
            SECRET.epoch,
            msgspec.structs.replace(SECRET.body, thread_nonce=b"?" * 32),
            (),
            b"",
            b"",
        ),
        "mesh": SECRET,
    }[purpose]
    scopes = changed.scopes(mesh if purpose != "mesh" else bytes(32))
    assert scopes != SECRET.scopes(mesh)
    other_text = Item(SECRET.kind, SECRET.epoch, msgspec.structs.replace(SECRET.body, text="?"), (), b"", b"")
    assert other_text.scopes(mesh) == SECRET.scopes(mesh)


def test_the_quota_is_that_of_the_kind() -> None:
    parameters = Parameters(secrets_per_epoch=2, admissions_per_epoch=1, founding_size=3)

    def within(body: SecretBody | AdmissionBody, ring_root: bytes = bytes(32)) -> bool:
        kind = Kind.SECRET if isinstance(body, SecretBody) else Kind.ADMISSION
        return Item(kind, 0, body, (), b"", ring_root).within_quota(parameters)

    secret = [within(msgspec.structs.replace(SECRET.body, slot=slot)) for slot in range(4)]
    admission = [within(msgspec.structs.replace(RECORD.body, slot=slot)) for slot in range(3)]
    plain = [within(msgspec.structs.replace(RECORD.body, slot=slot), b"") for slot in range(5)]
    assert secret == [True, True, False, False]
    assert admission == [True, False, False]
    assert plain == [False, True, True, False, False], "the founder is number 0"


def test_the_largest_item_fits() -> None:
    body = msgspec.structs.replace(SECRET.body, slot=2**32 - 1, text="a" * TEXT_SIZE_MAX)
    proof = bytes(membership.proof_size(1_024, 4))
    item = Item(Kind.SECRET, 2**48 - 1, body, (bytes(33),) * 4, proof, bytes(32))
    assert len(item.encoding) <= ITEM_SIZE_MAX


@given(st.text(max_size=60) | st.text(alphabet="a \t\r\n\u0301e\u2028\x1f\ud800é"))
def test_a_tidy_text_is_tidy(text: str) -> None:
    """Tidying twice is tidying once, so that what one node publishes every other takes."""
    tidy = tidy_text(text)
    if tidy is not None:
        assert tidy_text(tidy) == tidy
        assert "\r" not in tidy
        assert "\t" not in tidy


def test_texts_are_tidied() -> None:
    assert tidy_text("  e\u0301\r\nb\tc\r") == "é\nb   c"
    assert tidy_text("é" * 500) == "é" * 500
    assert tidy_text("é" * 501) is None
    assert [tidy_text(text) for text in ("", " \n ", "\x1b[2J", "a\x00b", "\ud800", "a\x85b")] == [None] * 6


def test_every_control_character_but_the_line_feed_is_refused() -> None:
    for number in range(0x110000):
        character = chr(number)
        if unicodedata.category(character) == "Cc":
            assert (tidy_text(f"a{character}b") is None) == (character not in "\n\r\t")
