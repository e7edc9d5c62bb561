"""Conversations: replies, hearts, polls, flags and retractions among real cores."""

import msgspec
import pytest
from fakenet import EASY, garbled, secret_item, signed, small_mesh

from rumor.gossip.board import Tally
from rumor.gossip.bodies import FlagBody, HeartBody, Kind, ReplyBody, VoteBody, thread_nonce
from rumor.gossip.drafts import Draft, MarkDraft, ReplyDraft, RetractionDraft
from rumor.gossip.errors import Fault, LocalError, PostRefused
from rumor.gossip.frames import Announce, Items, Want
from rumor.gossip.items import Item


def say(network, peer, draft):
    """Publishes and lets everybody hear it."""
    item_id = peer.engine.publish(draft, network.now)
    network.drain(peer)
    network.settle()
    return item_id


def nonce_of(peer, item_id):
    return peer.engine.store.get(item_id).secret.thread_nonce


def test_members_have_one_persona_in_a_thread_and_another_in_every_other() -> None:
    """The author's replies carry the tag of the secret; nobody else's tag comes twice in two threads."""
    network, peers = small_mesh(3)
    secrets = [say(network, peers[0], Draft(text=text)) for text in ("one", "two")]
    nonces = [nonce_of(peers[2], each) for each in secrets]
    for nonce in nonces:
        for peer in (*peers, peers[1]):
            say(network, peer, ReplyDraft(thread_nonce=nonce, text="hm"))
    tags = []
    for nonce in nonces:
        board, store = peers[2].engine.board, peers[2].engine.store
        replies = [store.get(each) for each in board.replies(nonce)]
        assert [reply.tags[1] for reply in replies].count(board.author_tag(nonce)) == 1
        tags.append({reply.tags[1] for reply in replies})
        assert (len(replies), len(tags[-1])) == (4, 3)
    assert not tags[0] & tags[1]


def test_a_nonce_cannot_be_borrowed_for_another_thread() -> None:
    """Who answered under a borrowed nonce would be known again by its tag, and the author of the first by its own."""
    network, peers = small_mesh(3)
    nonce = nonce_of(peers[2], say(network, peers[0], Draft(text="the first")))
    mallory = network.add_puppet("mallory", peers[1])
    honest = secret_item(network, peers[2], "the trap", slot=1)
    body = msgspec.structs.replace(honest.body, thread_nonce=nonce)
    ring, epoch = peers[2].engine.roster.ring_at(honest.epoch), honest.epoch
    trap = signed(network, peers[2].secret, ring, Kind.SECRET, epoch, body)
    mallory.say(peers[1], Announce(item_ids=[trap.item_id]))
    mallory.say(peers[1], Items(items=[trap.encoding]))
    network.settle()
    assert mallory.complaints == [Fault.MALFORMED]
    assert trap.item_id not in peers[1].engine.store


def test_an_author_cannot_change_what_others_have_replied_to() -> None:
    """Of two secrets in one slot the lower hash stays everywhere; the replies to the other must not stand below it."""
    network, peers = small_mesh(3)
    mallory = network.add_puppet("mallory", peers[1])
    epoch = network.genesis.epoch_at(network.now)
    ring = peers[1].engine.roster.ring_at(epoch)
    first = max(
        (secret_item(network, peers[2], f"I like puppies {number}", slot=1) for number in range(8)),
        key=lambda item: item.precedence,
    )
    mallory.say(peers[1], Announce(item_ids=[first.item_id]), Items(items=[first.encoding]))
    network.settle()
    say(network, peers[0], ReplyDraft(thread_nonce=nonce_of(peers[0], first.item_id), text="me too"))

    def changed(number: int, **also: bytes) -> Item:
        body = msgspec.structs.replace(first.body, text=f"I eat puppies {number}", **also)
        return signed(network, peers[2].secret, ring, Kind.SECRET, epoch, body)

    second = next(item for item in map(changed, range(1_000)) if item.precedence < first.precedence)
    bound = [
        (number, thread_nonce(first.tags[0], *_promised(first), [f"I eat puppies {number}"]))
        for number in range(100)
    ]
    third = next(
        item
        for item in (changed(number, thread_nonce=nonce) for number, nonce in bound)
        if item.precedence < first.precedence
    )
    for item in (second, third):
        mallory.say(peers[1], Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
        network.settle()
    assert mallory.complaints == [Fault.MALFORMED]
    for peer in peers:
        assert {first.item_id, second.item_id, third.item_id} & peer.engine.board.secrets.keys() == {
            third.item_id
        }
        assert list(peer.engine.board.replies(nonce_of(peer, third.item_id))) == []


def _promised(item: Item) -> tuple[bytes, bytes]:
    return item.secret.reply_key, item.secret.retraction


def test_a_heart_is_given_once_taken_back_and_given_again() -> None:
    network, peers = small_mesh(3)
    secret = say(network, peers[0], Draft(text="love me"))
    for count, hearts in ((1, 1), (2, 0), (3, 1)):
        say(network, peers[1], MarkDraft(kind=Kind.HEART, target=secret))
        assert [peer.engine.board.tally(secret).hearts for peer in peers] == [hearts] * 3
        assert peers[1].engine.own_mark(Kind.HEART, secret).turn == count - 1
    assert peers[2].engine.own_mark(Kind.HEART, secret) is None
    say(network, peers[2], MarkDraft(kind=Kind.HEART, target=secret))
    assert peers[0].engine.board.tally(secret) == Tally(hearts=2)
    assert len(peers[0].engine.board.marks_on(secret)) == 2
    for _ in range(5):
        say(network, peers[1], MarkDraft(kind=Kind.HEART, target=secret))
    with pytest.raises(LocalError, match="changed your mind"):
        peers[1].engine.publish(MarkDraft(kind=Kind.HEART, target=secret), network.now)


def test_a_vote_may_be_changed_and_every_node_counts_alike() -> None:
    network, peers = small_mesh(4)
    poll = say(network, peers[0], Draft(text="where to?", choices=("sea", "hills")))
    for peer, choice in ((peers[1], 0), (peers[2], 0), (peers[3], 1), (peers[2], 1)):
        say(network, peer, MarkDraft(kind=Kind.VOTE, target=poll, choice=choice))
    assert [peer.engine.board.tally(poll).votes for peer in peers] == [(1, 2)] * 4


@pytest.mark.parametrize(
    "choices",
    [("one",), ("a", "a"), ("a", " a"), ("a", ""), ("a", "b\nc"), tuple("abcdefg"), ("a", "b" * 995)],
)
def test_choices_that_will_not_do_are_refused_before_anything_is_spent(choices: tuple[str, ...]) -> None:
    network, peers = small_mesh(2)
    with pytest.raises(LocalError, match="choices"):
        peers[0].engine.publish(Draft(text="which?", choices=choices), network.now)
    assert peers[0].engine.next_event() is None or not peers[0].engine.author.outbox


def test_an_author_takes_a_secret_back_and_it_stays_gone() -> None:
    """Also from a node that was away when it was taken back, and brings it along."""
    network, peers = small_mesh(4)
    secret = say(network, peers[0], Draft(text="what was I thinking"))
    say(network, peers[1], MarkDraft(kind=Kind.HEART, target=secret))
    network.disconnect(peers[2], peers[3])
    retraction = RetractionDraft(seed=peers[0].engine.author.seeds[secret].seed)
    say(network, peers[0], retraction)
    assert [secret in peer.engine.store for peer in peers] == [False, False, False, True]
    assert secret not in peers[0].engine.author.seeds
    network.connect(peers[3], peers[2])
    network.settle()
    assert not any(secret in peer.engine.store for peer in peers)
    assert all(peer.texts() == set() for peer in peers)
    network.crash(peers[1])
    network.restart(peers[1])
    assert not peers[1].engine.store.get(secret)


def test_nobody_else_can_take_it_back() -> None:
    network, peers = small_mesh(3)
    secret = say(network, peers[0], Draft(text="mine"))
    say(network, peers[1], RetractionDraft(seed=b"g" * 32))
    assert all(secret in peer.engine.store for peer in peers)


def test_what_is_unlinked_cannot_be_gone_on_with() -> None:
    network, peers = small_mesh(3)
    kept, unlinked = (say(network, peers[0], Draft(text=text)) for text in ("kept", "unlinked"))
    assert set(peers[0].engine.author.seeds) == {kept, unlinked}
    peers[0].engine.unlink([unlinked, b"?" * 32], network.now)
    network.drain(peers[0])
    network.crash(peers[0])
    network.restart(peers[0])
    assert set(peers[0].engine.author.seeds) == {kept}


def test_a_mark_waits_for_what_it_is_about() -> None:
    """A heart that runs ahead of its secret counts once the secret is there, and is not asked for again."""
    network, peers = small_mesh(3)
    ahead = network.add_puppet("ahead", peers[1])
    network.disconnect(peers[0], peers[1])
    secret = secret_item(network, peers[0], "late")
    ring = peers[0].engine.roster.ring_at(secret.epoch)
    body = HeartBody(target=secret.item_id, turn=0)
    heart = signed(network, peers[2].secret, ring, Kind.HEART, secret.epoch, body)
    for item in (heart, secret):
        assert item.item_id not in peers[1].engine.store
        ahead.say(peers[1], Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
        network.run(1.0)
    network.settle()
    assert peers[1].engine.board.tally(secret.item_id).hearts == 1
    assert [want.item_ids for want in ahead.heard_of(Want)] == [[heart.item_id], [secret.item_id]]


def test_only_secrets_and_replies_can_be_marked_and_only_polls_voted_on() -> None:
    """Marks take no slot, so marks on marks, on records or on packets would let one member fill the mesh."""
    network, peers = small_mesh(3)
    mallory = network.add_puppet("mallory", peers[1])
    secret = say(network, peers[0], Draft(text="mark me"))
    poll = say(network, peers[0], Draft(text="or me", choices=("yes", "no")))
    reply = say(network, peers[0], ReplyDraft(thread_nonce=nonce_of(peers[0], secret), text="or me"))
    epoch = network.genesis.epoch_at(network.now)
    ring = peers[1].engine.roster.ring_at(epoch)

    def mark(kind, body):
        return signed(network, peers[2].secret, ring, kind, epoch, body)

    hearts = [mark(Kind.HEART, HeartBody(target=target, turn=0)) for target in (secret, poll, reply)]
    record = next(iter(peers[1].engine.store.records())).item_id
    packet = next(iter(peers[1].engine.store.packets))
    wrong = [
        mark(Kind.HEART, HeartBody(target=target, turn=0)) for target in (hearts[0].item_id, record, packet)
    ]
    wrong.append(mark(Kind.FLAG, FlagBody(target=wrong[0].item_id, turn=0)))
    wrong += [
        mark(Kind.VOTE, VoteBody(target=target, turn=0, choice=0)) for target in (secret, reply, record)
    ]
    vote = mark(Kind.VOTE, VoteBody(target=poll, turn=0, choice=1))
    # The first before what they are about is here, so that they wait for it.
    for item in (*wrong[:1], *hearts, vote, *wrong[1:]):
        mallory.say(peers[1], Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
        network.run(0.2)
    network.settle()
    for peer in peers:
        assert all(item.item_id in peer.engine.store for item in (*hearts, vote))
        assert not any(item.item_id in peer.engine.store for item in wrong)
    assert mallory.complaints == []


def test_a_garbled_copy_does_not_keep_a_waiting_mark_out() -> None:
    """A mark that waits for its target is not verified yet, and its id covers neither its proof nor its ring."""
    network, peers = small_mesh(3)
    honest, evil = (network.add_puppet(name, peers[1]) for name in ("honest", "evil"))
    network.disconnect(peers[0], peers[1])
    secret = secret_item(network, peers[0], "late")
    ring = peers[0].engine.roster.ring_at(secret.epoch)
    body = HeartBody(target=secret.item_id, turn=0)
    heart = signed(network, peers[2].secret, ring, Kind.HEART, secret.epoch, body)
    ringless = Item(heart.kind, heart.epoch, heart.body, heart.tags, heart.proof, b"r" * 32)
    for puppet, item in (
        (evil, garbled(heart)),
        (evil, ringless),
        (honest, heart),
        (evil, garbled(heart)),
        (evil, ringless),
        (honest, secret),
    ):
        puppet.say(peers[1], Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
        network.run(0.5)
    network.settle()
    assert peers[1].engine.board.tally(secret.item_id).hearts == 1
    assert honest.complaints == []


def test_marks_on_nothing_fill_no_node() -> None:
    """Hearts for secrets that do not exist are kept nowhere, and only so many are remembered."""
    network, peers = small_mesh(2)
    mallory = network.add_puppet("mallory", peers[1])
    epoch = network.genesis.epoch_at(network.now)
    held = len(peers[1].engine.store)
    hearts = [
        Item(
            Kind.HEART,
            epoch,
            HeartBody(target=number.to_bytes(32, "big"), turn=0),
            (b"t" * 33,),
            b"t" * 200,
            b"r" * 32,
        )
        for number in range(700)
    ]
    for each in hearts:
        mallory.say(peers[1], Announce(item_ids=[each.item_id]), Items(items=[each.encoding]))
    network.settle()
    assert len(peers[1].engine.store) == held
    assert mallory.complaints == []


def test_what_has_not_left_can_be_withdrawn_and_what_has_cannot() -> None:
    network, peers = small_mesh(3)
    network.proving = False
    item_id = peers[1].engine.publish(Draft(text="on second thought"), network.now)
    network.drain(peers[1])
    assert peers[1].engine.withdraw(item_id, network.now)
    network.drain(peers[1])
    assert not peers[1].engine.withdraw(item_id, network.now)
    network.proving = True
    network.settle()
    assert peers[1].disk.outbox == {}
    assert all(peer.texts() == set() for peer in peers)
    assert peers[1].engine.author.seeds == {}


def test_replies_have_a_quota_of_their_own() -> None:
    parameters = msgspec.structs.replace(EASY, replies_per_epoch=2, secrets_per_epoch=1)
    network, peers = small_mesh(2, parameters)
    network.run(10 - network.now % 10 + 0.1)
    nonce = nonce_of(peers[1], say(network, peers[0], Draft(text="talk to me")))
    for _ in range(2):
        peers[0].engine.publish(ReplyDraft(thread_nonce=nonce, text="me"), network.now)
    with pytest.raises(PostRefused, match="replied 2 times"):
        peers[0].engine.publish(ReplyDraft(thread_nonce=nonce, text="me"), network.now)


def test_a_reply_over_the_quota_is_refused() -> None:
    network, peers = small_mesh(2)
    mallory = network.add_puppet("mallory", peers[1])
    epoch = network.genesis.epoch_at(network.now)
    ring = peers[0].engine.roster.ring_at(epoch)
    slot = network.genesis.parameters.replies_per_epoch
    body = ReplyBody(slot=slot, text="spam", thread_nonce=bytes(32), retraction=bytes(32))
    reply = signed(network, peers[0].secret, ring, Kind.REPLY, epoch, body)
    mallory.say(peers[1], Announce(item_ids=[reply.item_id]), Items(items=[reply.encoding]))
    network.settle()
    assert mallory.complaints == [Fault.OVER_QUOTA]
