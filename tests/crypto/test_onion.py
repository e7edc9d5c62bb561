"""Onions: who can open what, what a change does, and what a layer shows of its place."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.crypto import layers
from rumor.crypto.errors import CannotWrap, InvalidKey, OnionBroken
from rumor.crypto.onion import (
    BODY_SIZE,
    CONTENT_SIZE_MAX,
    HOPS_MAX,
    ONION_SIZE,
    RELAY_KEY_SIZE,
    REPLAY_TAG_SIZE,
    SLOT_SIZE,
    Command,
    Delivered,
    Forwarded,
    Payload,
    check_relay_key,
    open_onion,
    relay_keypair,
    relay_public,
    wrap,
    wrap_marked,
)

from . import onion_reference as reference

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "onion.json").read_text())["onions"]
HOPS = range(1, HOPS_MAX + 1)
SLOTS_END = ONION_SIZE - BODY_SIZE


def stream(seed: str) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


PAIRS = [relay_keypair(stream(f"relay {number}")) for number in range(HOPS_MAX)]
SECRETS = [secret for secret, _ in PAIRS]
ROUTE = [key for _, key in PAIRS]
STRANGER, _ = relay_keypair(stream("stranger"))
HELLO = Payload(command=Command.ITEM, content=b"hello")


def passed_on(onion: bytes, secret: bytes) -> bytes:
    opened = open_onion(onion, secret)
    assert isinstance(opened, Forwarded)
    return opened.onion


def forms(hop_count: int, seed: str, payload: Payload = HELLO) -> list[bytes]:
    """An onion as each of its relays gets it."""
    onions = [wrap(ROUTE[:hop_count], payload, stream(seed))]
    for secret in SECRETS[: hop_count - 1]:
        onions.append(passed_on(onions[-1], secret))
    return onions


@given(
    hop_count=st.sampled_from(HOPS),
    command=st.sampled_from(Command),
    content=st.binary(max_size=40) | st.integers(0, CONTENT_SIZE_MAX).map(lambda size: b"\xa5" * size),
    seed=st.text(max_size=5),
)
def test_relays_in_turn_bring_out_what_was_wrapped(
    hop_count: int, command: Command, content: bytes, seed: str
) -> None:
    payload = Payload(command=command, content=content)
    onions = forms(hop_count, seed, payload)
    assert {len(onion) for onion in onions} == {ONION_SIZE}
    opened = open_onion(onions[-1], SECRETS[hop_count - 1])
    assert isinstance(opened, Delivered)
    assert opened.payload == payload


@pytest.mark.parametrize("size", [0, 1, CONTENT_SIZE_MAX - 1, CONTENT_SIZE_MAX])
def test_contents_of_the_least_and_greatest_size(size: int) -> None:
    payload = Payload(command=Command.LOOP, content=b"\0" * size)
    opened = open_onion(wrap(ROUTE[:1], payload, stream("")), SECRETS[0])
    assert isinstance(opened, Delivered)
    assert opened.payload == payload


def test_a_relay_may_stand_on_a_route_twice() -> None:
    """Choosing relays is not the onion's business."""
    onion = wrap([ROUTE[0], ROUTE[0]], HELLO, stream("twice"))
    assert isinstance(open_onion(passed_on(onion, SECRETS[0]), SECRETS[0]), Delivered)


# What a change does.


@pytest.mark.parametrize("hop_count", [1, 2])
def test_a_flipped_bit_of_the_first_slot_breaks_the_onion(hop_count: int) -> None:
    """Every one of them: the key with its unused top bit, and the MAC."""
    onion = forms(hop_count, "slot")[0]
    for bit in range(8 * SLOT_SIZE):
        with pytest.raises(OnionBroken):
            open_onion(flipped(onion, bit), SECRETS[0])


@given(hop_count=st.sampled_from(HOPS), bit=st.integers(0, 8 * ONION_SIZE - 1), data=st.data())
@settings(max_examples=300)
def test_any_flipped_bit_breaks_the_onion_at_the_next_relay(
    hop_count: int, bit: int, data: st.DataObject
) -> None:
    """No tag that a relay puts on an onion survives to be recognised behind the next one."""
    hop = data.draw(st.integers(0, hop_count - 1))
    onion = forms(hop_count, "flip")[hop]
    with pytest.raises(OnionBroken):
        open_onion(flipped(onion, bit), SECRETS[hop])


def flipped(onion: bytes, bit: int) -> bytes:
    changed = bytearray(onion)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_another_point_with_the_same_shared_secret_breaks_the_onion() -> None:
    """X25519 alone does not bind the ephemeral key: adding the point of order two, u -> 1/u, changes no secret."""
    onion = forms(1, "order two")[0]
    twin = pow(int.from_bytes(onion[:32], "little"), -1, reference.P).to_bytes(32, "little")
    assert layers.agree(SECRETS[0], twin) == layers.agree(SECRETS[0], onion[:32])
    with pytest.raises(OnionBroken):
        open_onion(twin + onion[32:], SECRETS[0])


def test_slots_cannot_be_exchanged_between_onions() -> None:
    one, other = forms(2, "one")[0], forms(2, "other")[0]
    for cut in (RELAY_KEY_SIZE, SLOT_SIZE, 2 * SLOT_SIZE, SLOTS_END):
        with pytest.raises(OnionBroken):
            open_onion(one[:cut] + other[cut:], SECRETS[0])


def test_only_the_relay_whose_turn_it_is_opens_a_layer() -> None:
    for hop, onion in enumerate(forms(HOPS_MAX, "turns")):
        for other, secret in enumerate([*SECRETS, STRANGER]):
            if other != hop:
                with pytest.raises(OnionBroken):
                    open_onion(onion, secret)


SMALL_ORDER = [
    bytes(32),
    b"\1" + bytes(31),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_an_ephemeral_key_of_small_order_is_refused(point: bytes) -> None:
    """Everybody would know its keys. Source: RFC 7748 section 6.1; cr.yp.to/ecdh.html."""
    plain = bytes(ONION_SIZE - SLOT_SIZE)
    keys = reference.keys_of(bytes(32), point, ROUTE[0])
    rest = reference.chacha20(keys.cipher_key, plain)
    mac = reference.hmac.new(keys.mac_key, rest, reference.hashlib.sha256).digest()[16:]
    with pytest.raises(OnionBroken):
        open_onion(point + mac + rest, SECRETS[0])


@given(data=st.binary(max_size=200), low=st.sampled_from([b"", *SMALL_ORDER]))
def test_whatever_the_bytes_opening_raises_its_one_error(data: bytes, low: bytes) -> None:
    for onion in (low + data, (low + data).ljust(ONION_SIZE, b"\0"), low + data + bytes(ONION_SIZE)):
        with pytest.raises(OnionBroken):
            open_onion(onion, SECRETS[0])


@pytest.mark.parametrize("change", [-1, 1])
def test_an_onion_of_another_size_is_refused_though_its_mac_holds(change: int) -> None:
    """All sizes follow from one; a shorter body would tell layers apart."""
    onion = forms(2, "size")[0]
    keys = reference.peel(onion, SECRETS[0])[2]
    rest = (onion[SLOT_SIZE:] + b"\0")[: ONION_SIZE - SLOT_SIZE + change]
    mac = reference.hmac.new(keys.mac_key, rest, reference.hashlib.sha256).digest()[:16]
    with pytest.raises(OnionBroken):
        open_onion(onion[:RELAY_KEY_SIZE] + mac + rest, SECRETS[0])


# Roles and payloads that only a dishonest sender makes.


def sealed(role: int, body: bytes, slots: bytes = bytes(SLOTS_END - SLOT_SIZE)) -> bytes:
    return reference.seal(stream("dishonest")(32), ROUTE[0], role, slots + body)


def test_a_layer_to_relay_on_is_never_read_as_the_last() -> None:
    """Even if its body would make a payload."""
    body = (b"\1\0\5hello").ljust(BODY_SIZE, b"\0")
    assert isinstance(open_onion(sealed(reference.RELAY_ON, body), SECRETS[0]), Forwarded)


def test_a_last_layer_is_never_relayed_on() -> None:
    """Even if an onion for another relay is in it."""
    inner = wrap(ROUTE[1:2], HELLO, stream("inner"))
    onion = sealed(reference.LAST, (b"\1\0\5hello").ljust(BODY_SIZE, b"\0"), inner[: SLOTS_END - SLOT_SIZE])
    assert open_onion(onion, SECRETS[0]) == Delivered(
        payload=HELLO, replay_tag=reference.peel(onion, SECRETS[0])[2].replay_tag
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\4\0\0", id="unknown command"),
        pytest.param(b"\xff\0\0", id="last unknown command"),
        pytest.param(b"\1" + (CONTENT_SIZE_MAX + 1).to_bytes(2, "big"), id="length one too many"),
        pytest.param(b"\1\xff\xff", id="greatest length"),
        pytest.param(b"\1\0\0\1", id="first byte after the content"),
        pytest.param(b"\0\0\0" + bytes(CONTENT_SIZE_MAX - 1) + b"\1", id="last byte"),
    ],
)
def test_a_payload_that_no_sender_makes_is_as_broken_as_a_mac(body: bytes) -> None:
    """One payload has one form, so nobody hides a mark in it; and no reason is given."""
    with pytest.raises(OnionBroken) as caught:
        open_onion(sealed(reference.LAST, body.ljust(BODY_SIZE, b"\0")), SECRETS[0])
    assert caught.value.args == ()
    assert caught.value.__cause__ is None


# What a layer shows of its place.


@pytest.mark.parametrize("hop_count", HOPS)
def test_no_form_of_an_onion_has_a_run_of_zeros_or_repeats_itself(hop_count: int) -> None:
    """Slots that are not used, what relays append and the padding of the body look like everything else."""
    for content in (b"", bytes(CONTENT_SIZE_MAX)):
        for onion in forms(hop_count, f"runs {hop_count}", Payload(command=Command.DROP, content=content)):
            blocks = [onion[start : start + 8] for start in range(0, ONION_SIZE - 8, 8)]
            assert bytes(4) not in onion[:SLOTS_END]
            assert bytes(8) not in onion
            assert len(set(blocks)) == len(blocks)


def test_every_bit_of_the_hidden_slots_is_as_often_set_at_every_place_of_every_route() -> None:
    """Neither the wire nor the last relay tells from the slots how many relays there were or are.

    Looked at: each form of onions of 1 and of 5 layers, and the slots that the last relay decrypts.
    """
    onion_count = 120
    seen: dict[tuple[int, int], list[bytes]] = {}
    for number in range(onion_count):
        for hop_count in (1, HOPS_MAX):
            onions = forms(hop_count, f"bits {number}")
            for hop, onion in enumerate(onions):
                seen.setdefault((hop_count, hop), []).append(onion[RELAY_KEY_SIZE:SLOTS_END])
            keys = layers.LayerKeys.derive(
                layers.agree(SECRETS[hop_count - 1], onions[-1][:32]), onions[-1][:32], ROUTE[hop_count - 1]
            )
            left_over = keys.crypt(onions[-1][SLOT_SIZE:])[: SLOTS_END - SLOT_SIZE]
            seen.setdefault((hop_count, HOPS_MAX), []).append(left_over)
    for place, samples in seen.items():
        for column in zip(*samples, strict=True):
            for bit in range(8):
                # 5.5 standard deviations off the half, in a run that is the same every time.
                count = sum(byte >> bit & 1 for byte in column)
                assert abs(count - onion_count / 2) < 5.5 * (onion_count / 4) ** 0.5, place


def test_two_onions_have_nothing_in_common() -> None:
    """Not with the same route and payload, nor do the forms of one, so that relays with an honest one between part."""
    onions = [*forms(3, "this"), *forms(3, "that")]
    blocks = [onion[start : start + 6] for onion in onions for start in range(0, ONION_SIZE - 6, 3)]
    assert len(set(blocks)) == len(blocks)


def test_what_is_drawn_does_not_depend_on_the_payload() -> None:
    """Else a post would shift later draws, and with them what a friend sees."""
    asked: list[list[int]] = []
    for payload in (HELLO, Payload(command=Command.DROP, content=bytes(CONTENT_SIZE_MAX))):
        sizes: list[int] = []
        source = stream("draws")

        def draw(size: int, sizes: list[int] = sizes, source: Callable[[int], bytes] = source) -> bytes:
            sizes.append(size)
            return source(size)

        wrap(ROUTE[:3], payload, draw)
        asked.append(sizes)
    assert asked[0] == asked[1] == [32, 32, 32, 2 * SLOT_SIZE]


# Replay tags.


def test_a_replay_tag_belongs_to_one_layer_of_one_onion() -> None:
    tags = [
        open_onion(onion, SECRETS[hop]).replay_tag
        for seed in ("these", "those")
        for hop, onion in enumerate(forms(HOPS_MAX, seed))
    ]
    assert len(set(tags)) == 2 * HOPS_MAX
    assert {len(tag) for tag in tags} == {REPLAY_TAG_SIZE}


def test_a_repeated_onion_has_the_same_replay_tag() -> None:
    for hop, onion in enumerate(forms(HOPS_MAX, "again")):
        assert open_onion(onion, SECRETS[hop]) == open_onion(onion, SECRETS[hop])


def test_a_replay_tag_is_not_to_be_read_from_any_form() -> None:
    """Who watches the network does not learn what a relay remembers."""
    onions = forms(HOPS_MAX, "secret tags")
    for hop, onion in enumerate(onions):
        tag = open_onion(onion, SECRETS[hop]).replay_tag
        assert not any(tag[:4] in form for form in onions)


# What a sender may not ask for.


def test_a_route_has_one_to_five_relays() -> None:
    for route in ([], [*ROUTE, ROUTE[0]]):
        with pytest.raises(CannotWrap):
            wrap(route, HELLO, stream(""))


def test_a_content_that_is_too_long_is_refused() -> None:
    with pytest.raises(CannotWrap):
        wrap(ROUTE, Payload(command=Command.ITEM, content=bytes(CONTENT_SIZE_MAX + 1)), stream(""))


@pytest.mark.parametrize(
    "key",
    [
        *SMALL_ORDER,
        b"",
        ROUTE[0][:-1],
        ROUTE[0] + b"\0",
        pytest.param(ROUTE[0][:-1] + bytes([ROUTE[0][-1] | 0x80]), id="top bit"),
        pytest.param((reference.P + 9).to_bytes(32, "little"), id="not reduced"),
    ],
)
def test_what_is_no_relay_key_is_refused(key: bytes) -> None:
    """By the check that records go through, and at every place of a route."""
    with pytest.raises(InvalidKey):
        check_relay_key(key)
    for route in ([key], [key, *ROUTE[:2]], [*ROUTE[:2], key]):
        with pytest.raises(InvalidKey):
            wrap(route, HELLO, stream(""))


def test_relay_keys_pass_their_check() -> None:
    for key in ROUTE:
        check_relay_key(key)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_secret_of_another_size_is_refused(size: int) -> None:
    """The binding would read past its end."""
    with pytest.raises(InvalidKey):
        relay_public(bytes(size))
    with pytest.raises(InvalidKey):
        open_onion(bytes(ONION_SIZE), bytes(size))
    with pytest.raises(InvalidKey):
        layers.agree(bytes(size), ROUTE[0])


def test_contents_do_not_show_in_logs() -> None:
    opened = open_onion(wrap(ROUTE[:1], HELLO, stream("")), SECRETS[0])
    assert "hello" not in repr(opened)


# The document.


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_vectors(vector: dict[str, Any]) -> None:
    """The reference and the program make the same onion of the same randomness, layer by layer."""
    secrets, route, ephemeral_secrets = (
        [bytes.fromhex(value) for value in vector[name]] for name in ("secrets", "route", "ephemeral_secrets")
    )
    content, empty, onion = (bytes.fromhex(vector[name]) for name in ("content", "empty", "onion"))
    payload = Payload(command=Command(vector["command"]), content=content)
    draws = iter([*ephemeral_secrets, empty])
    assert wrap(route, payload, lambda _: next(draws)) == onion
    assert reference.wrap(route, payload.command, content, ephemeral_secrets, empty) == onion
    for hop, (secret, layer) in enumerate(zip(secrets, vector["layers"], strict=True)):
        assert reference.hashlib.sha256(onion).hexdigest() == layer["sha256"]
        assert relay_public(secret) == reference.x25519_public(secret) == route[hop]
        assert reference.x25519(secret, onion[:32]).hex() == layer["shared"]
        role, plain, keys = reference.peel(onion, secret)
        assert {name: value.hex() for name, value in vars(keys).items()} == {
            name: layer[name] for name in ("cipher_key", "mac_key", "filler", "replay_tag")
        }
        opened = open_onion(onion, secret)
        assert opened.replay_tag == keys.replay_tag
        if hop < len(secrets) - 1:
            assert role == reference.RELAY_ON
            onion = plain[:192] + keys.filler + plain[192:]
            assert opened == Forwarded(onion=onion, replay_tag=keys.replay_tag)
        else:
            assert role == reference.LAST
            assert opened == Delivered(payload=payload, replay_tag=keys.replay_tag)


@pytest.mark.parametrize("hops", HOPS)
def test_a_sender_knows_the_innermost_onion_again_and_relays_do_not(hops: int) -> None:
    """Whole, so that no relay changes it unnoticed; and it stands nowhere in the onions before."""
    payload = Payload(command=Command.WHISPER, content=b"psst")
    data, mark = wrap_marked([public for _, public in PAIRS[:hops]], payload, stream("marked"))
    for secret, public in PAIRS[: hops - 1]:
        assert mark not in data
        layer = open_onion(data, secret, public)
        assert isinstance(layer, Forwarded)
        data = layer.onion
    assert data == mark
    assert open_onion(data, *PAIRS[hops - 1]) == open_onion(data, PAIRS[hops - 1][0])
