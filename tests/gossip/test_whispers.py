"""Whispers among real cores: from the whisperer's own clock to the author's eyes, and to nobody else's."""

import msgspec
from fakenet import MIXING, FakeNetwork, Peer, small_mesh

from rumor.gossip.drafts import Draft
from rumor.gossip.items import ItemId

SEED = b"s" * 32
ABOUT = ItemId(b"a" * 32)


def mesh(count: int = 4, **changes: object) -> tuple[FakeNetwork, list[Peer], ItemId]:
    """A ring of friends that has relay keys, and a secret by one of them that all hold."""
    network, peers = small_mesh(
        count, msgspec.structs.replace(MIXING, **changes), onions=True, strategy="stem"
    )
    network.befriend(peers[0], peers[-1])
    network.run(70.0)
    secret = peers[0].engine.publish(Draft(text="whisper to me"), network.now)
    network.drain(peers[0])
    until(network, lambda: all(secret in peer.engine.store for peer in peers))
    return network, peers, secret


def until(network: FakeNetwork, holds, seconds: float = 240.0) -> None:
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


def test_two_talk_and_nobody_else_can_tell() -> None:
    """There and back, in one conversation; all others have packets alike and no letter, and nothing waits at the end."""
    network, peers, secret = mesh()
    author, whisperer = peers[0], peers[2]
    whisper(network, whisperer, secret, "is that you?")
    assert texts(author) == []
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
    network.run(60.0)
    assert not any(peer.disk.outbox for peer in peers)
    assert [len(peer.disk.letters) for peer in peers] == [3, 0, 3, 0]
    assert len({packet.content for packet in peers[1].engine.store.packets_apart()}) == 2
    assert not any(peer.complaints or peer.refused for peer in peers)
