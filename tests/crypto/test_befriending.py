"""Befriending between honest sides, and with somebody in between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mnemonic import Mnemonic

from rumor.crypto import canonical
from rumor.crypto.befriending import (
    GENESIS_SIZE_MAX,
    MESSAGE_SIZE_MAX,
    BefriendingFailed,
    Inviter,
    Joiner,
    Refusal,
    mesh_id_of,
)
from rumor.crypto.identity import NodeKey, NodeSecret
from rumor.crypto.invites import Invitation

GENESIS = b"the genesis of a mesh"
ALICE, BOB, MALLORY = (NodeSecret.from_seed(bytes([number]) * 32) for number in (1, 2, 3))
SECRET = b"invitation secret"[:16]
ADDRESSES = ["/ip4/10.0.0.2/tcp/4001"]


def invitation(node: NodeSecret = ALICE, secret: bytes = SECRET, genesis: bytes = GENESIS) -> Invitation:
    return Invitation(
        mesh_id=mesh_id_of(genesis),
        node_key=node.public,
        addresses=("/ip4/10.0.0.1/tcp/4001",),
        secret=secret,
        expires_at=1_800_000_000,
    )


def sides() -> tuple[Joiner, Inviter]:
    return Joiner(invitation(), BOB, ADDRESSES), Inviter(SECRET, ALICE, GENESIS)


def sent(message: bytes | None) -> bytes:
    assert message is not None
    return message


def befriend(joiner: Joiner, inviter: Inviter) -> None:
    answer = sent(inviter.receive_untrusted(joiner.start()))
    accepted = sent(inviter.receive_untrusted(sent(joiner.receive_untrusted(answer))))
    assert joiner.receive_untrusted(accepted) is None


def test_two_honest_sides_meet_and_show_the_same_words() -> None:
    joiner, inviter = sides()
    assert joiner.result is None
    befriend(joiner, inviter)
    assert joiner.result is not None
    assert inviter.result is not None
    assert joiner.result.node_key == ALICE.public
    assert inviter.result.node_key == BOB.public
    assert joiner.result.addresses == ("/ip4/10.0.0.1/tcp/4001",)
    assert inviter.result.addresses == tuple(ADDRESSES)
    assert joiner.result.genesis == inviter.result.genesis == GENESIS
    assert joiner.result.words == inviter.result.words
    words = joiner.result.words.split(" ")
    assert len(words) == 4
    assert set(words) <= set(Mnemonic("english").wordlist)


def test_the_words_are_those_of_the_first_version() -> None:
    """Own vector: the whole exchange is a function of the keys and nonces."""
    joiner = Joiner(invitation(), BOB, ADDRESSES, _nonce=b"j" * 32)
    inviter = Inviter(SECRET, ALICE, GENESIS, _nonce=b"i" * 32)
    befriend(joiner, inviter)
    assert joiner.result is not None
    assert joiner.result.words == "tortoise real add spider"


def test_the_longest_messages_fit() -> None:
    genesis = bytes(GENESIS_SIZE_MAX)
    joiner = Joiner(invitation(genesis=genesis), BOB, ["/" + "x" * 127] * 8)
    befriend(joiner, Inviter(SECRET, ALICE, genesis))
    assert joiner.result is not None
    befriend(Joiner(invitation(), BOB, []), Inviter(SECRET, ALICE, GENESIS))


def test_each_meeting_has_other_words() -> None:
    """Fresh nonces on both sides."""
    words = set()
    for _ in range(5):
        joiner, inviter = sides()
        befriend(joiner, inviter)
        assert joiner.result is not None
        words.add(joiner.result.words)
    assert len(words) == 5


# Somebody in between.


def test_a_replaced_invitation_shows_different_words() -> None:
    """Mallory swaps the invitation for her own and plays both sides honestly: only the words can tell."""
    joiner = Joiner(invitation(node=MALLORY), BOB, ADDRESSES)
    false_inviter = Inviter(SECRET, MALLORY, GENESIS)
    false_joiner = Joiner(invitation(), MALLORY, ADDRESSES)
    inviter = Inviter(SECRET, ALICE, GENESIS)
    befriend(joiner, false_inviter)
    befriend(false_joiner, inviter)
    assert joiner.result is not None
    assert inviter.result is not None
    assert joiner.result.words != inviter.result.words


def test_repeating_nonces_on_both_sides_does_not_help_who_stands_in_between() -> None:
    """Alike nonces under other keys still make other words."""
    joiner = Joiner(invitation(node=MALLORY), BOB, ADDRESSES, _nonce=b"j" * 32)
    inviter = Inviter(SECRET, ALICE, GENESIS, _nonce=b"i" * 32)
    befriend(joiner, Inviter(SECRET, MALLORY, GENESIS, _nonce=b"i" * 32))
    befriend(Joiner(invitation(), MALLORY, ADDRESSES, _nonce=b"j" * 32), inviter)
    assert joiner.result is not None
    assert inviter.result is not None
    assert joiner.result.words != inviter.result.words


def test_mere_relaying_changes_nothing() -> None:
    """Who only passes the messages on is no more than a wire."""
    joiner, inviter = sides()
    befriend(joiner, inviter)
    assert joiner.result is not None
    assert inviter.result is not None
    assert joiner.result.words == inviter.result.words


def test_another_nonce_than_committed_is_refused() -> None:
    """Mallory cannot look for a nonce whose words suit her once she has seen the inviter's."""
    committed, inviter = sides()
    answer = sent(inviter.receive_untrusted(committed.start()))
    # All is right but the nonce, even the signature.
    committed._nonce = b"another nonce, found by searching"[:32]
    with pytest.raises(BefriendingFailed) as caught:
        inviter.receive_untrusted(sent(committed.receive_untrusted(answer)))
    assert caught.value.refusal is Refusal.FORGED
    assert inviter.result is None


def test_another_key_than_committed_is_refused() -> None:
    """The commitment names the joiner's key, so it cannot be taken over by another."""
    joiner, inviter = sides()
    kind, version, _, commitment = canonical.decode_untrusted(joiner.start(), 1000)
    answer = sent(
        inviter.receive_untrusted(canonical.encode([kind, version, MALLORY.public.raw, commitment]))
    )
    _, nonce, addresses, _ = canonical.decode_untrusted(sent(joiner.receive_untrusted(answer)), 2000)
    for signer in (BOB, MALLORY):
        again = Inviter(SECRET, ALICE, GENESIS)
        again.receive_untrusted(canonical.encode([kind, version, MALLORY.public.raw, commitment]))
        forged = canonical.encode([3, nonce, addresses, signer.sign(bytes(32))])
        with pytest.raises(BefriendingFailed):
            again.receive_untrusted(forged)


def test_who_has_another_secret_is_refused() -> None:
    """The signatures cover the invitation's secret, should a node let a stranger past its gate."""
    joiner, inviter = Joiner(invitation(secret=bytes(16)), BOB, ADDRESSES), Inviter(SECRET, ALICE, GENESIS)
    answer = sent(inviter.receive_untrusted(joiner.start()))
    with pytest.raises(BefriendingFailed) as caught:
        inviter.receive_untrusted(sent(joiner.receive_untrusted(answer)))
    assert caught.value.refusal is Refusal.FORGED


def test_another_inviter_than_the_invitations_is_refused() -> None:
    joiner, impostor = Joiner(invitation(), BOB, ADDRESSES), Inviter(SECRET, MALLORY, GENESIS)
    answer = sent(impostor.receive_untrusted(joiner.start()))
    reveal = sent(joiner.receive_untrusted(answer))
    with pytest.raises(BefriendingFailed):
        impostor.receive_untrusted(reveal)
    forged = canonical.encode([4, MALLORY.sign(joiner._digest(b"rumor/befriending/v1/inviter"))])
    with pytest.raises(BefriendingFailed) as caught:
        joiner.receive_untrusted(forged)
    assert caught.value.refusal is Refusal.FORGED
    assert joiner.result is None


def test_another_genesis_than_the_invitations_is_refused() -> None:
    joiner, inviter = Joiner(invitation(), BOB, ADDRESSES), Inviter(SECRET, ALICE, b"another genesis")
    with pytest.raises(BefriendingFailed) as caught:
        joiner.receive_untrusted(sent(inviter.receive_untrusted(joiner.start())))
    assert caught.value.refusal is Refusal.OTHER_MESH


@given(which=st.integers(0, 3), bit=st.integers(0, 10_000))
@settings(deadline=None)
def test_any_bit_changed_on_the_way_ends_it(which: int, bit: int) -> None:
    """No side comes to a result after a changed message."""
    joiner, inviter = sides()

    def on_the_way(number: int, message: bytes | None) -> bytes:
        bent = bytearray(sent(message))
        if number == which:
            bent[bit // 8 % len(bent)] ^= 1 << bit % 8
        return bytes(bent)

    def befriend_over_a_bad_line() -> None:
        answer = on_the_way(1, inviter.receive_untrusted(on_the_way(0, joiner.start())))
        reveal = on_the_way(2, joiner.receive_untrusted(answer))
        joiner.receive_untrusted(on_the_way(3, inviter.receive_untrusted(reveal)))

    with pytest.raises(BefriendingFailed):
        befriend_over_a_bad_line()
    assert joiner.result is None
    if which < 3:
        assert inviter.result is None


def test_messages_of_another_meeting_are_refused() -> None:
    """Replays: each signature covers both sides' fresh nonces."""
    first_joiner, first_inviter = sides()
    first_answer = sent(first_inviter.receive_untrusted(first_joiner.start()))
    first_reveal = sent(first_joiner.receive_untrusted(first_answer))
    first_accepted = sent(first_inviter.receive_untrusted(first_reveal))

    again = Inviter(SECRET, ALICE, GENESIS)
    offer = Joiner(invitation(), BOB, ADDRESSES, _nonce=first_joiner._nonce).start()
    again.receive_untrusted(offer)
    with pytest.raises(BefriendingFailed) as caught:
        again.receive_untrusted(first_reveal)
    assert caught.value.refusal is Refusal.FORGED

    joiner, inviter = sides()
    joiner.receive_untrusted(sent(inviter.receive_untrusted(joiner.start())))
    with pytest.raises(BefriendingFailed) as caught:
        joiner.receive_untrusted(first_accepted)
    assert caught.value.refusal is Refusal.FORGED


# Order, and anything at all.


def test_messages_out_of_order_end_it_for_good() -> None:
    joiner, inviter = sides()
    offer = joiner.start()
    answer = sent(inviter.receive_untrusted(offer))
    with pytest.raises(BefriendingFailed):
        inviter.receive_untrusted(offer)
    reveal = sent(joiner.receive_untrusted(answer))
    with pytest.raises(BefriendingFailed):
        inviter.receive_untrusted(reveal)
    with pytest.raises(BefriendingFailed):
        joiner.receive_untrusted(answer)
    assert joiner.result is None
    assert inviter.result is None


def test_nothing_may_come_after_the_end() -> None:
    joiner, inviter = sides()
    befriend(joiner, inviter)
    for side in (joiner, inviter):
        with pytest.raises(BefriendingFailed):
            side.receive_untrusted(canonical.encode([4, bytes(64)]))
        assert side.result is None
    with pytest.raises(BefriendingFailed):
        Joiner(invitation(), BOB, []).receive_untrusted(b"")


@given(
    data=st.one_of(
        st.binary(max_size=200), st.lists(st.binary(max_size=64), max_size=4).map(canonical.encode)
    )
)
def test_whatever_the_bytes_each_state_raises_its_one_error(data: bytes) -> None:
    joiner, inviter = sides()
    offer = joiner.start()
    waiting = Inviter(SECRET, ALICE, GENESIS)
    answer = sent(waiting.receive_untrusted(offer))
    revealed = Joiner(invitation(), BOB, ADDRESSES)
    revealed_answer = sent(Inviter(SECRET, ALICE, GENESIS).receive_untrusted(revealed.start()))
    revealed.receive_untrusted(revealed_answer)
    assert answer
    for side in (joiner, inviter, waiting, revealed):
        with pytest.raises(BefriendingFailed) as caught:
            side.receive_untrusted(data)
        assert caught.value.refusal is Refusal.MALFORMED
        assert side.result is None


@pytest.mark.parametrize(
    "message",
    [
        [1, 1, bytes(31), bytes(32)],
        [1, 1, bytes(32), bytes(33)],
        [1, 1, bytes(32)],
        [1, 1, bytes(32), bytes(32), 0],
        [1, 1, "k" * 32, bytes(32)],
        [],
        [0],
        [[1]],
        [1],
    ],
)
def test_an_offer_has_one_shape(message: list[object]) -> None:
    with pytest.raises(BefriendingFailed) as caught:
        Inviter(SECRET, ALICE, GENESIS).receive_untrusted(canonical.encode(message))
    assert caught.value.refusal is Refusal.MALFORMED


@pytest.mark.parametrize(
    "addresses",
    [["/ip4/10.0.0.2/tcp/1"] * 9, ["/" + "x" * 128], ["not an address"], [b"/ip4"], ["/\x1b[2J"]],
)
def test_a_joiner_cannot_name_addresses_out_of_range(addresses: list[object]) -> None:
    """Even one that signs them rightly."""
    joiner, inviter = sides()
    answer = sent(inviter.receive_untrusted(joiner.start()))
    joiner._own_addresses = addresses  # type: ignore[assignment]
    with pytest.raises(BefriendingFailed) as caught:
        inviter.receive_untrusted(sent(joiner.receive_untrusted(answer)))
    assert caught.value.refusal is Refusal.MALFORMED


def test_an_answer_has_a_genesis_of_bounded_size_and_a_whole_nonce() -> None:
    for genesis, nonce in ((bytes(GENESIS_SIZE_MAX + 1), bytes(32)), (GENESIS, bytes(31))):
        joiner = Joiner(invitation(genesis=genesis), BOB, [])
        joiner.start()
        with pytest.raises(BefriendingFailed) as caught:
            joiner.receive_untrusted(canonical.encode([2, genesis, nonce]))
        assert caught.value.refusal is Refusal.MALFORMED
    assert MESSAGE_SIZE_MAX < 2**11


# Refusals.


def test_another_version_is_refused_by_name() -> None:
    inviter = Inviter(SECRET, ALICE, GENESIS)
    with pytest.raises(BefriendingFailed) as caught:
        inviter.receive_untrusted(canonical.encode([1, 2, "whatever is new"]))
    assert caught.value.refusal is Refusal.VERSION
    assert not caught.value.is_theirs
    assert caught.value.reply == canonical.encode([5, Refusal.VERSION])


@pytest.mark.parametrize("code", [*map(int, Refusal), 0, 99, 2**63])
def test_a_refusal_reaches_the_other_side_with_its_reason(code: int) -> None:
    joiner = Joiner(invitation(), BOB, [])
    joiner.start()
    with pytest.raises(BefriendingFailed) as caught:
        joiner.receive_untrusted(canonical.encode([5, code]))
    assert caught.value.is_theirs
    assert caught.value.reply is None
    assert caught.value.refusal is (Refusal(code) if code in set(Refusal) else Refusal.OTHER)
    assert str(caught.value).endswith(".")


def test_an_inviter_may_refuse_at_the_last_moment() -> None:
    """The node learns only from the REVEAL who it is, and may have given the invitation to another."""
    joiner, inviter = sides()
    answer = sent(inviter.receive_untrusted(joiner.start()))
    assert inviter.receive_untrusted(sent(joiner.receive_untrusted(answer)))
    assert inviter.result is not None
    refused = inviter.refuse(Refusal.USED)
    assert inviter.result is None
    with pytest.raises(BefriendingFailed, match="used already") as caught:
        joiner.receive_untrusted(refused)
    assert caught.value.is_theirs
    assert joiner.result is None


def test_keys_that_are_no_points_cannot_finish() -> None:
    """Any 32 bytes make a NodeKey, but no signature holds for the wrong ones."""
    inviter = Inviter(SECRET, ALICE, GENESIS)
    weak = NodeKey(b"\1" + bytes(31))
    nonce = bytes(32)
    inviter.receive_untrusted(canonical.encode([1, 1, weak.raw, inviter._commitment(weak, nonce)]))
    with pytest.raises(BefriendingFailed) as caught:
        inviter.receive_untrusted(canonical.encode([3, nonce, [], weak.raw + bytes(32)]))
    assert caught.value.refusal is Refusal.FORGED
