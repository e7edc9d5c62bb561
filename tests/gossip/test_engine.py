"""The engine: two and more real cores, pushed through fake links."""

import msgspec
import pytest
from fakenet import EASY, small_mesh

from rumor.gossip.drafts import Draft
from rumor.gossip.errors import PostRefused


def post(network, peer, text):
    item_id = peer.engine.publish(Draft(text=text), network.now)
    network.drain(peer)
    return item_id


def test_a_secret_reaches_friends_of_friends() -> None:
    """Everybody on a line of friends reads what one end posts."""
    network, peers = small_mesh(5)
    post(network, peers[0], "I love the rain")
    network.settle()
    assert [peer.texts() for peer in peers] == [{"I love the rain"}] * 5


def test_a_node_that_was_away_catches_up_from_any_one_friend() -> None:
    """What was posted while a node was away reaches it through one friend, records and secrets alike."""
    network, peers = small_mesh(4)
    network.disconnect(peers[2], peers[3])
    for number in range(30):
        author = peers[number % 2]
        network.run(4.0)
        post(network, author, f"secret {number}")
    network.settle()
    assert peers[3].texts() == set()
    network.connect(peers[3], peers[1])
    network.settle()
    assert peers[3].texts() == {f"secret {number}" for number in range(30)}


def test_a_member_admits_by_proof_and_the_newcomer_counts_two_epochs_later() -> None:
    """After the founding, admission is by a proof in the ADMIT scope and matures."""
    network, peers = small_mesh(3, msgspec.structs.replace(EASY, founding_size=3))
    newcomer = network.add("newcomer")
    network.befriend(peers[2], newcomer, invited=True)
    network.settle()
    key = newcomer.engine.author.key
    assert all(key in peer.engine.roster for peer in peers)
    epoch = network.genesis.epoch_at(network.now)
    assert newcomer.engine.roster.ring_at(epoch).size == 3
    with pytest.raises(PostRefused, match="Your membership is new"):
        newcomer.engine.publish(Draft(text="me too"), network.now)
    network.run(25.0)
    post(network, newcomer, "me too")
    network.settle()
    assert [peer.texts() for peer in peers] == [{"me too"}] * 3


def test_quota_is_enforced_on_oneself_and_slots_are_drawn_at_random() -> None:
    network, peers = small_mesh(3)
    quota = network.genesis.parameters.secrets_per_epoch
    network.run(10 - network.now % 10 + 0.1)
    network.settle()
    for number in range(quota):
        post(network, peers[0], f"{number}")
    with pytest.raises(PostRefused, match="which is all that anybody may"):
        post(network, peers[0], "one more")
    network.settle()
    assert len(peers[2].texts()) == quota


def test_a_crash_before_the_proof_loses_nothing_and_reuses_no_slot() -> None:
    """An acknowledged post is in the outbox; after a restart it is published under the same slot and id."""
    network, peers = small_mesh(3)
    network.proving = False
    item_id = post(network, peers[1], "not lost")
    network.crash(peers[1])
    network.proving = True
    network.restart(peers[1])
    for friend in (peers[0], peers[2]):
        peers[1].engine.friend_added(friend.friend_id)
        network.connect(peers[1], friend)
    network.settle()
    assert all(item_id in peer.engine.store for peer in peers)
    assert peers[1].disk.outbox == {}
