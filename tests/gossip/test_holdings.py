"""Holdings: items, tags, members and rings change together, and the same after a restart."""

import pytest

from rumor.crypto import membership
from rumor.crypto.membership import Ring
from rumor.gossip import ringbook
from rumor.gossip.bodies import AdmissionBody, Kind, SecretBody
from rumor.gossip.events import ItemAccepted, ItemRemoved, RingForgotten, RingKept
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.holdings import Holdings
from rumor.gossip.items import Item, ItemId
from rumor.gossip.refusals import REFUSED_IDS_MAX

KEYS = [membership.keypair()[1] for _ in range(5)]
GENESIS = Genesis.found("holdings", KEYS[0], Parameters())
RING = Ring(KEYS[:2])


def secret(text: str, tag: int = 1, epoch: int = 9) -> Item:
    body = SecretBody(
        slot=0, text=text, style=0, thread_nonce=bytes(32), reply_key=bytes(32), retraction=bytes(32)
    )
    tags = (tag.to_bytes(33, "big"), bytes(33))
    return Item(Kind.SECRET, epoch, body, tags, b"".join(tags), RING.root)


def record(key: bytes, epoch: int, tag: int) -> Item:
    body = AdmissionBody(slot=0, key=key, possession=bytes(64))
    return Item(Kind.ADMISSION, epoch, body, (tag.to_bytes(33, "big"),), bytes(64), RING.root)


FIRST = record(KEYS[1], 1, 100)
WINNER, LOSER = sorted((secret("a"), secret("b")), key=lambda item: item.message_hash)


def holding(*items: Item) -> Holdings:
    holdings = Holdings(GENESIS)
    for item in (FIRST, *items):
        holdings.keep(item, RING)
    return holdings


def test_what_is_kept_is_said_once() -> None:
    holdings = holding()
    assert holdings.keep(WINNER, RING) == [ItemAccepted(item=WINNER)]
    assert holdings.keep(WINNER, RING) is None
    assert holdings.lacking([WINNER.item_id, LOSER.item_id]) == [LOSER.item_id]


def test_the_loser_goes_and_is_not_fetched_again() -> None:
    holdings = holding(LOSER)
    assert holdings.keep(WINNER, RING) == [ItemRemoved(item_id=LOSER.item_id), ItemAccepted(item=WINNER)]
    assert holdings.lacking([LOSER.item_id]) == []
    assert holdings.is_displaced(LOSER)
    assert holdings.keep(LOSER, RING) is None


def test_a_restart_changes_nothing() -> None:
    """Tags and named rings are what they were: a loser is still one, and a late record still has its ring kept."""
    again = Holdings(GENESIS)
    again.restore([WINNER, FIRST], [], [])
    assert again.is_displaced(LOSER)
    assert again.keep(LOSER, RING) is None
    late = record(KEYS[2], 2, 101)
    again.keep(Item(late.kind, late.epoch, late.body, late.tags, late.proof, bytes(32)), None)
    assert again.roster.rings.changes() == [RingKept(ring_root=RING.root, keys=RING.keys)]
    assert again.roster.rings.known(RING.root) == RING


def test_a_kept_ring_is_restored_and_forgotten_with_its_items() -> None:
    again = Holdings(GENESIS)
    named = Item(
        WINNER.kind, WINNER.epoch, WINNER.body, WINNER.tags, WINNER.proof, Ring([KEYS[0], KEYS[3]]).root
    )
    again.restore([FIRST, named], [[KEYS[0], KEYS[3]]], [])
    assert again.roster.rings.known(named.ring_root) is not None
    assert again.expire(item_epoch=10, relay_epoch=0, packet_epoch=0) == [ItemRemoved(item_id=named.item_id)]
    assert again.roster.rings.changes() == [RingForgotten(ring_root=named.ring_root)]


def test_rivals_of_an_admission_are_not_displaced() -> None:
    one, other = record(KEYS[2], 3, 7), record(KEYS[3], 3, 7)
    holdings = holding(one)
    assert not holdings.is_displaced(other)
    assert holdings.keep(other, RING) == [ItemAccepted(item=other)]
    assert len(set(KEYS[2:4]) & set(holdings.roster)) == 1


def test_refused_ids_have_a_limit() -> None:
    holdings = holding()
    ids = [ItemId(number.to_bytes(32, "big")) for number in range(REFUSED_IDS_MAX + 1)]
    for item_id in ids:
        holdings.refuse(item_id)
    assert holdings.lacking(ids) == ids[:1]


@pytest.mark.parametrize("restored", [False, True])
def test_the_rings_of_admissions_outlast_those_of_secrets(
    monkeypatch: pytest.MonkeyPatch, restored: bool
) -> None:
    """However old: without its ring a newcomer would lack a member."""
    monkeypatch.setattr(ringbook, "KEPT_RINGS_SIZE_MAX", RING.size * 33)
    odd, other = Ring([KEYS[0], KEYS[3]]), Ring([KEYS[0], KEYS[4]])
    late, fresh = record(KEYS[2], 2, 101), secret("a", epoch=20)
    named = Item(late.kind, late.epoch, late.body, late.tags, late.proof, odd.root)
    holdings = holding() if not restored else Holdings(GENESIS)
    if restored:
        holdings.restore([FIRST, named], [odd.keys], [])
    else:
        holdings.keep(named, odd)
    holdings.keep(Item(fresh.kind, fresh.epoch, fresh.body, fresh.tags, fresh.proof, other.root), other)
    assert RingForgotten(ring_root=odd.root) not in holdings.roster.rings.changes()


def test_forks_go_their_own_ways() -> None:
    """A node that starts with another's holdings has the same, and what either learns or drops is its own."""
    first = holding(LOSER)
    forks = [first.fork(), first.fork()]
    for fork in forks:
        assert set(fork.roster) == set(first.roster)
        assert fork.roster.ring_at(9) == first.roster.ring_at(9)
        assert fork.lacking([LOSER.item_id, FIRST.item_id]) == []
    learnt = record(KEYS[2], 2, 101)
    forks[0].keep(learnt, RING)
    forks[0].keep(WINNER, RING)
    first.expire(item_epoch=10, relay_epoch=0, packet_epoch=0)
    assert [KEYS[2] in holdings.roster for holdings in (first, *forks)] == [False, True, False]
    assert [LOSER.item_id in holdings.store for holdings in (first, *forks)] == [False, False, True]
    assert [WINNER.item_id in holdings.store for holdings in (first, *forks)] == [False, True, False]
    assert [len(holdings.store.sets[0]) for holdings in (first, *forks)] == [1, 2, 1]
    assert not forks[1].is_displaced(LOSER)
    assert forks[0].is_displaced(LOSER)
