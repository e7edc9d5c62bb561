"""Orphans: marks wait for what they are about, each friend's within a fair share."""

from fakenet import EASY, START, Puppet, secret_item, signed, small_mesh

from rumor.gossip.bodies import HeartBody, Kind
from rumor.gossip.events import LinkId
from rumor.gossip.frames import Announce, Items, Want
from rumor.gossip.intake import Arrival, Way
from rumor.gossip.items import Item, ItemId
from rumor.gossip.orphans import ORPHANS_MAX, Orphans

EPOCH = int(START) // EASY.epoch_s
A, B, C = LinkId(1), LinkId(2), LinkId(3)


def heart(number: int, *, about: int | None = None, proof: bytes = b"p") -> Item:
    """Of another member for each number, and about something else unless that is given."""
    target, tag = number if about is None else about, number.to_bytes(33, "big")
    body = HeartBody(target=target.to_bytes(32, "big"), turn=0)
    return Item(Kind.HEART, EPOCH, body, (tag,), tag + 100 * proof, b"r" * 32)


def target_of(item: Item) -> ItemId:
    assert item.mark is not None
    return ItemId(item.mark.target)


def put(orphans: Orphans, item: Item, link: LinkId, way: Way = Way.ASKED) -> None:
    orphans.put(Arrival(item, link, way), target_of(item))


def test_the_friend_with_the_most_gives_way() -> None:
    orphans = Orphans()
    dear = heart(1)
    put(orphans, dear, A)
    for number in range(2, 2 * ORPHANS_MAX):
        put(orphans, heart(number), B)
        assert len(orphans) <= ORPHANS_MAX
    assert [each.item for each in orphans.take(target_of(dear))] == [dear]
    assert orphans.take(target_of(heart(2))) == []
    assert len(orphans.take(target_of(heart(2 * ORPHANS_MAX - 1)))) == 1


def test_a_new_link_is_no_new_share() -> None:
    """What closed links have left behind counts together, so coming again and again pushes out nobody else."""
    orphans = Orphans()
    for number in range(10):
        put(orphans, heart(number), A)
    for number in range(10, 3 * ORPHANS_MAX):
        put(orphans, heart(number), link := LinkId(number))
        orphans.link_closed(link)
    assert len(orphans) == ORPHANS_MAX
    assert all(orphans.take(target_of(heart(number))) for number in range(10))


def test_every_copy_waits_and_those_alike_go_on_once() -> None:
    """The id covers no proof, so what one friend sent says nothing of what another would."""
    orphans = Orphans()
    right, wrong = heart(1), heart(1, proof=b"w")
    assert right.item_id == wrong.item_id
    put(orphans, wrong, A)
    assert (orphans.has(A, right.item_id), orphans.has(B, right.item_id)) == (True, False)
    put(orphans, right, B)
    put(orphans, right, C)
    put(orphans, heart(2, about=1), C, Way.CARRIED)
    assert not orphans.has(C, heart(2, about=1).item_id)
    orphans.link_closed(B)
    assert not orphans.has(B, right.item_id)
    came = orphans.take(target_of(right))
    assert sorted((each.item.item_id, each.item.proof) for each in came) == sorted(
        [
            (right.item_id, right.proof),
            (right.item_id, wrong.proof),
            (heart(2, about=1).item_id, heart(2).proof),
        ]
    )
    assert (len(orphans), orphans.has(A, right.item_id), orphans._links, orphans._asked) == (0, False, {}, {})


def _send(puppet: Puppet, peer: object, item: Item) -> None:
    puppet.say(peer, Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))  # type: ignore[arg-type]


def test_one_bad_friend_does_not_push_out_what_waits_for_its_secret() -> None:
    """However many hearts for nothing it sends, also over one link after the other."""
    network, peers = small_mesh(3)
    honest, evil = (network.add_puppet(name, peers[1]) for name in ("honest", "evil"))
    network.disconnect(peers[0], peers[1])
    secret = secret_item(network, peers[0], "late")
    ring = peers[0].engine.roster.ring_at(secret.epoch)
    body = HeartBody(target=secret.item_id, turn=0)
    loved = signed(network, peers[2].secret, ring, Kind.HEART, secret.epoch, body)
    _send(honest, peers[1], loved)
    for number in range(ORPHANS_MAX + 100):
        if number % 200 == 0:
            network.disconnect(evil.peer, peers[1])
            evil.connect(peers[1])
        _send(evil, peers[1], heart(number))
    _send(honest, peers[1], secret)
    network.settle()
    assert peers[1].engine.board.tally(secret.item_id).hearts == 1


def test_no_friend_is_asked_twice_for_a_mark_that_waits() -> None:
    network, peers = small_mesh(2, EASY)
    friends = [network.add_puppet(name, peers[1]) for name in ("one", "other")]
    waiting = heart(1)
    for friend in friends:
        for _ in range(3):
            friend.say(peers[1], Announce(item_ids=[waiting.item_id]))
            if len(friend.heard_of(Want)) == 0:
                network.run(0.1)
                friend.say(peers[1], Items(items=[waiting.encoding]))
    network.run(1.0)
    assert [len(friend.heard_of(Want)) for friend in friends] == [1, 1]
