"""Whispers among real cores: from the whisperer's own clock to the author's eyes, and to nobody else's."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from fakenet import MIXING, FakeNetwork, Peer, small_mesh
from whisperers import ABOUT, SEED, SOURCE, carried, heard, pair, said

from rumor.crypto import onion, whispers
from rumor.crypto.onion import Command, Forwarded, Payload
from rumor.gossip.conversations import LETTERS_MAX
from rumor.gossip.drafts import Draft
from rumor.gossip.errors import LocalError, PostRefused
from rumor.gossip.events import LetterKept, LettersForgotten
from rumor.gossip.items import ItemId
from rumor.gossip.letters import SealedLetter
from rumor.gossip.suite import Real
from rumor.gossip.whispers import KEYS_MAX, Whispers, takes_whispers


@dataclass
class Mesh:
    """A ring of friends that has relay keys, and a secret by each of the first three that all hold."""

    network: FakeNetwork
    peers: list[Peer]
    secrets: list[ItemId]


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    network, peers = small_mesh(4, MIXING, onions=True, strategy="stem")
    network.befriend(peers[0], peers[-1])
    network.run(70.0)
    secrets = [peer.engine.publish(Draft(text="whisper to me"), network.now) for peer in peers[:3]]
    for peer in peers:
        network.drain(peer)
    until(network, lambda: all(secret in peer.engine.store for secret in secrets for peer in peers))
    return Mesh(network, peers, secrets)


def until(network: FakeNetwork, holds: Callable[[], object], seconds: float = 240.0) -> None:
    end = network.now + seconds
    while not holds():
        assert network.now < end
        network.run(1.0)


def whisper(network: FakeNetwork, peer: Peer, about: ItemId, text: str) -> ItemId:
    letter_id = peer.engine.whisper(about, text, network.now)
    network.drain(peer)
    return letter_id


def answer(network: FakeNetwork, peer: Peer, text: str) -> ItemId:
    [conversation] = peer.engine.whispers.conversations
    letter_id = peer.engine.answer(conversation.conversation_id, text, network.now)
    network.drain(peer)
    return letter_id


def texts(peer: Peer) -> list[str]:
    return [letter.text for each in peer.engine.whispers.conversations for letter in each.letters.values()]


def rejoin(network: FakeNetwork, peer: Peer, friends: list[Peer]) -> None:
    network.restart(peer)
    for friend in friends:
        peer.engine.friend_added(friend.friend_id)
        network.connect(peer, friend)


def test_two_talk_and_nobody_else_can_tell(mesh: Mesh) -> None:
    """There and back in one conversation; all others have packets alike and no letter, and nothing is left waiting."""
    network, peers, secret = mesh.network, mesh.peers, mesh.secrets[0]
    author, whisperer = peers[0], peers[2]
    whisper(network, whisperer, secret, "is that you?")
    assert (texts(author), texts(whisperer)) == ([], ["is that you?"])
    until(network, lambda: texts(author) == ["is that you?"])
    until(network, lambda: not whisperer.disk.outbox)
    answer(network, author, "who asks?")
    until(network, lambda: texts(whisperer) == ["is that you?", "who asks?"])
    whisper(network, whisperer, secret, "someone")
    until(network, lambda: texts(author)[2:] == ["someone"])
    [here], [there] = (each.engine.whispers.conversations for each in (author, whisperer))
    assert (here.own_key, here.other_key) == (there.other_key, there.own_key)
    assert (here.is_author, there.is_author) == (True, False)
    assert [letter.is_own for letter in here.letters.values()] == [False, True, False]
    until(network, lambda: not any(peer.disk.outbox for peer in peers))
    assert [len(peer.disk.letters) for peer in peers] == [3, 0, 3, 0]
    assert not any(peer.complaints or peer.refused for peer in peers)
    # The words are in no packet, and no packet is of another size than all.
    encodings = [packet.encoding for packet in peers[1].engine.store.packets_apart()]
    assert not any(b"someone" in encoding for encoding in encodings)
    assert {len(encoding) for encoding in encodings} == {4_096}


def test_both_sides_go_on_after_a_restart_and_an_unlinked_author_does_not(mesh: Mesh) -> None:
    """The whisperer is killed before its letter left, the author with it unread; then the author unlinks."""
    network, peers, secret = mesh.network, mesh.peers, mesh.secrets[1]
    author, whisperer = peers[1], peers[3]
    letter_id = whisper(network, whisperer, secret, "are you there?")
    network.crash(whisperer)
    rejoin(network, whisperer, [peers[2], peers[0]])
    assert [row.item_id for row in whisperer.engine.author.outbox] == [letter_id]
    until(network, lambda: texts(author) == ["are you there?"])
    network.crash(author)
    rejoin(network, author, [peers[0], peers[2]])
    [conversation] = author.engine.whispers.conversations
    assert (conversation.unread_count, texts(author)) == (1, ["are you there?"])
    author.engine.read_whispers(conversation.conversation_id, network.now)
    until(network, lambda: not author.engine.gate(network.now).obstacles)
    answer(network, author, "yes")
    until(network, lambda: texts(whisperer) == ["are you there?", "yes"])
    until(network, lambda: not author.disk.outbox)
    answer(network, author, "and this waits")
    author.engine.unlink([secret], network.now)
    network.drain(author)
    assert (author.engine.whispers.conversations, author.disk.letters, author.disk.outbox) == ([], {}, {})
    assert len(author.engine.mixing.outbox) == 0
    whisper(network, whisperer, secret, "still?")
    until(network, lambda: not whisperer.disk.outbox)
    assert author.disk.letters == {}


def test_a_whisper_that_is_not_seen_to_arrive_leaves_again_and_comes_once(mesh: Mesh) -> None:
    """A further onion over other relays at the own clock's ticks, as for a secret; two copies are one letter."""
    network, peers, secret = mesh.network, mesh.peers, mesh.secrets[2]
    author, whisperer = peers[2], peers[0]
    seen = whisperer.engine.mixing.whisper_seen
    whisperer.engine.mixing.whisper_seen = lambda payload: None  # type: ignore[method-assign]
    letter_id = whisper(network, whisperer, secret, "hello?")
    until(network, lambda: whisperer.disk.outbox[letter_id].sent_count == 2)
    network.run(30.0)
    assert texts(author).count("hello?") == 1
    whisperer.engine.mixing.whisper_seen = seen  # type: ignore[method-assign]
    until(network, lambda: not whisperer.disk.outbox)
    assert texts(author).count("hello?") == 1


def test_a_relay_that_garbles_the_last_onion_does_not_pass_for_a_delivery(mesh: Mesh) -> None:
    """The sender sees what begins like its innermost onion, and sends again, since nobody can open that."""
    network, peers, secret = mesh.network, mesh.peers, mesh.secrets[0]
    author, whisperer = peers[0], peers[2]
    garbled: list[bytes] = []
    for peer in peers:
        relays = peer.engine.mixing.relays

        def hold(day: int, layer: object, at: float, really: Callable[..., None] = relays.hold) -> None:
            if isinstance(layer, Forwarded) and layer.onion in whisperer.engine.mixing._marks and not garbled:
                garbled.append(layer.onion)
                layer = replace(layer, onion=layer.onion[:-1] + bytes([layer.onion[-1] ^ 1]))
            really(day, layer, at)

        relays.hold = hold  # type: ignore[method-assign]
    whisper(network, whisperer, secret, "lost on its way?")
    until(network, lambda: garbled)
    until(network, lambda: "lost on its way?" in texts(author))
    until(network, lambda: not whisperer.disk.outbox)
    for peer in peers:
        del peer.engine.mixing.relays.hold


def test_a_closed_gate_lets_no_whisper_out() -> None:
    """What stands before a post stands before a whisper, but for the slot; without onions there are none."""
    network, peers = small_mesh(3)
    secret = peers[0].engine.publish(Draft(text="alone"), network.now)
    network.drain(peers[0])
    network.settle()
    with pytest.raises(LocalError, match="onion"):
        peers[1].engine.whisper(secret, "hi", network.now)
    for friend in ("0", "2"):
        peers[1].engine.friend_removed(network.peers[friend].friend_id)
    with pytest.raises(PostRefused):
        peers[1].engine.whisper(secret, "hi", network.now)


# The conversations by themselves.


def test_the_same_words_twice_are_two_whispers_and_the_same_onion_is_one() -> None:
    author, whisperer, reply_key = pair()
    first = said(whisperer, reply_key, "hm")
    assert [type(each) for each in author.came(first, 10)] == [LetterKept]
    assert author.came(first, 11) == []
    author.came(said(whisperer, reply_key, "hm"), 10)
    assert heard(author) == ["hm", "hm"]
    assert len(author.conversations) == 1


def test_each_whisperer_has_a_conversation_and_one_key_does_not_join_two_secrets() -> None:
    """Also if a hostile whisperer uses the same key for both."""
    author, one, reply_key = pair()
    two, other_secret = Whispers(Real()), ItemId(b"b" * 32)
    author.listen(other_secret, 10, b"t" * 32)
    other_key = next(key.public for key in author.keys if key.about == other_secret)
    author.came(said(one, reply_key, "one"), 10)
    author.came(said(two, reply_key, "two"), 10)
    assert len(author.conversations) == 2
    begun = one.begun(ABOUT)
    row, _ = one._write(replace(begun.key, about=other_secret), b"", other_key, "again", 10, SOURCE)
    author.came(carried(row.body), 10)
    assert sorted(heard(author)) == ["again", "one", "two"]
    assert len(author.conversations) == 3


def test_only_the_author_answers() -> None:
    """Somebody who learnt the whisperer's key cannot speak as the author, though all else is in order."""
    author, whisperer, reply_key = pair()
    author.came(said(whisperer, reply_key, "hi"), 10)
    [conversation] = author.conversations
    false, _ = Whispers(Real())._write(
        replace(author.keys[0], secret=b"f" * 32, public=onion.relay_public(b"f" * 32)),
        b"",
        conversation.other_key,
        "it is me",
        10,
        SOURCE,
    )
    assert whisperer.came(carried(false.body), 10) == []
    row, _ = author.answer(conversation, "it is me", 10, SOURCE)
    whisperer.came(carried(row.body), 10)
    assert heard(whisperer) == ["hi", "it is me"]


def test_a_borrowed_reply_key_leads_nowhere() -> None:
    """Who puts the reply key of another's secret into its own has its readers' whispers opened by nobody."""
    author, whisperer, reply_key = pair()
    assert author.came(said(whisperer, reply_key, "to you", about=ItemId(b"m" * 32)), 10) == []
    assert heard(author) == []


@pytest.mark.parametrize("text", ["", " a", "a\x00", "x" * 1_001])
def test_a_text_that_may_not_be_published_may_not_be_whispered(text: str) -> None:
    """Neither from here nor to here: a terminal obeys the control characters of strangers, too."""
    author, whisperer, reply_key = pair()
    if text != " a":
        with pytest.raises(LocalError):
            whisperer.whisper(ABOUT, reply_key, text, 10, SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whispers, "CONTENT_SIZE_MAX", 2_000)  # At the hostile whisperer.
        content, _ = whispers.seal(b"w" * 32, reply_key, ABOUT, number=1, text=text)
    sealed = SealedLetter(own_key=bytes(32), recipient=reply_key, content=content)
    assert author.came(carried(sealed), 10) == []


def test_what_is_no_whisper_is_passed_over() -> None:
    """Another command, another content and an onion that goes on, all for a letter key."""
    author, _, reply_key = pair()
    for command in Command:
        payload = Payload(command=command, content=b"what is this")
        for route in ([reply_key], [reply_key, reply_key]):
            assert author.came(onion.wrap(route, payload, SOURCE.randbytes), 10) == []
    assert author.conversations == []


def test_nobody_whispers_to_a_key_that_is_none_nor_to_themselves() -> None:
    author, whisperer, reply_key = pair()
    assert takes_whispers(reply_key)
    for key in (bytes(32), b"\xff" * 32):
        assert not takes_whispers(key)
        with pytest.raises(LocalError, match="reply key"):
            whisperer.whisper(ABOUT, key, "hi", 10, SOURCE)
    with pytest.raises(LocalError, match="yours"):
        author.whisper(ABOUT, reply_key, "hi", 10, SOURCE)
    assert whisperer.conversations == []


def test_strangers_push_out_strangers() -> None:
    """However many write, what we have answered stays; then the oldest go."""
    author, friend, reply_key = pair()
    author.came(said(friend, reply_key, "kept"), 10)
    author.answer(author.conversations[0], "so is this", 10, SOURCE)
    stranger = Whispers(Real())
    forgotten = 0
    for number in range(LETTERS_MAX):
        events = author.came(said(stranger, reply_key, f"{number}"), 10)
        forgotten += sum(isinstance(each, LettersForgotten) for each in events)
        assert len(heard(author)) <= LETTERS_MAX
    assert forgotten == 2
    assert set(heard(author)) == {"kept", "so is this", *(f"{number}" for number in range(2, LETTERS_MAX))}


def test_whom_we_have_answered_pushes_out_nobody_else() -> None:
    """One answer must not be enough to have all other conversations forgotten."""
    author, friend, reply_key = pair()
    bully = Whispers(Real())
    for stranger, text in ((friend, "dear"), (bully, "hello")):
        author.came(said(stranger, reply_key, text), 10)
        author.answer(author.conversations[0], "hi", 10, SOURCE)
    for number in range(LETTERS_MAX):
        author.came(said(bully, reply_key, f"{number}"), 10)
    assert len(heard(author)) == LETTERS_MAX
    assert {"dear", "hi"} <= set(heard(author))
    assert {f"{number}" for number in range(3, LETTERS_MAX)} <= set(heard(author))


def test_whom_we_have_answered_pushes_out_no_stranger_either() -> None:
    """One answer must not be enough to keep everybody else from being read."""
    author, friend, reply_key = pair()
    bully = Whispers(Real())
    author.came(said(bully, reply_key, "hello"), 10)
    author.answer(author.conversations[0], "hi", 10, SOURCE)
    author.came(said(friend, reply_key, "shy"), 10)
    for number in range(2 * LETTERS_MAX):
        author.came(said(bully, reply_key, f"{number}"), 10)
    assert len(heard(author)) == LETTERS_MAX
    assert "shy" in heard(author)


def test_a_flood_under_many_keys_about_one_secret_leaves_what_is_about_others() -> None:
    """Nobody knows which secrets have one author, so who would silence an author has to flood all that there are."""
    author, friend, reply_key = pair()
    other = ItemId(b"o" * 32)
    author.listen(other, 10, b"t" * 32)
    quiet = next(key.public for key in author.keys if key.about == other)
    author.came(said(friend, quiet, "about the other", other), 10)
    for number in range(LETTERS_MAX + 10):
        author.came(said(Whispers(Real()), reply_key, f"{number}"), 10)
    assert len(heard(author)) == LETTERS_MAX
    assert "about the other" in heard(author)


def test_so_many_keys_are_tried_and_the_newest_first() -> None:
    whispering = Whispers(Real())
    for number in range(KEYS_MAX + 3):
        whispering.listen(ItemId(bytes([number]) * 32), number, bytes([number]) * 32)
    assert [key.epoch for key in whispering.keys] == list(range(KEYS_MAX + 2, 2, -1))


def test_letters_expire_and_are_forgotten_and_their_keys_with_them() -> None:
    """A conversation that we began cannot be answered once it is gone."""
    author, whisperer, reply_key = pair()
    for epoch in (10, 20):
        row, _ = whisperer.whisper(ABOUT, reply_key, f"{epoch}", epoch, SOURCE)
        author.came(carried(row.body), epoch)
    assert [len(each.letter_ids) for each in author.expire(11)] == [1]
    assert (heard(author), author.expire(11)) == (["20"], [])
    answer, _ = author.answer(author.conversations[0], "late", 20, SOURCE)
    whisperer.forget(whisperer.conversations[0].conversation_id)
    assert (whisperer.keys, whisperer.conversations) == ([], [])
    assert whisperer.came(carried(answer.body), 20) == []


def test_what_was_kept_comes_back_and_what_is_unlinked_does_not() -> None:
    """Letters to the author of a secret whose seed is gone cannot be answered, and go, too."""
    author, whisperer, reply_key = pair()
    author.came(said(whisperer, reply_key, "hi"), 10)
    letters = [letter for each in author.conversations for letter in each.letters.values()]
    again, unlinked = Whispers(Real()), Whispers(Real())
    again.listen(ABOUT, 10, SEED)
    assert again.restore(letters) == []
    assert again.conversations == author.conversations
    assert [type(each) for each in unlinked.restore(letters)] == [LettersForgotten]
    own = [letter for each in whisperer.conversations for letter in each.letters.values()]
    began = Whispers(Real())
    assert began.restore(own) == []
    row, _ = again.answer(again.conversations[0], "hello again", 10, SOURCE)
    began.came(carried(row.body), 10)
    assert heard(began) == ["hi", "hello again"]
