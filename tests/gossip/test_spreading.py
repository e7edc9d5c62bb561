"""Spreading: strategies decide, the agenda keeps their steps, the engine obeys."""

import random
from collections.abc import Sequence

from fakenet import small_mesh

from rumor.gossip.authoring import Draft
from rumor.gossip.engine import Engine
from rumor.gossip.events import FriendId, LinkId
from rumor.gossip.items import ItemId
from rumor.gossip.spreading import REGISTRY, Agenda, Announce, Flood, Neighbour, Step, Wake

ITEM = ItemId(b"i" * 32)
NEIGHBOURS = [Neighbour(link=LinkId(number), friend=FriendId(bytes([number]))) for number in range(3)]


class Hesitant:
    """Tells the first friend at once and the others one by one, each time that it wakes."""

    name = "hesitant"

    def __init__(self) -> None:
        self.told: dict[ItemId, int] = {}

    def accepted(
        self,
        item_id: ItemId,
        source: LinkId | None,
        neighbours: Sequence[Neighbour],
        random: object,
        now: float,
    ) -> Sequence[Step]:
        return self.woken(item_id, neighbours, random, now)

    def woken(
        self, item_id: ItemId, neighbours: Sequence[Neighbour], random: object, now: float
    ) -> Sequence[Step]:
        place = self.told.get(item_id, 0)
        self.told[item_id] = place + 1
        if place >= len(neighbours):
            return []
        return [Announce(links=(neighbours[place].link,), delay_s=0.0), Wake(delay_s=5.0)]


def test_flooding_tells_everybody_but_the_source() -> None:
    flood = Flood()
    for source, told in ((None, (0, 1, 2)), (LinkId(1), (0, 2))):
        (step,) = flood.accepted(ITEM, source, NEIGHBOURS, random.Random(0), 0.0)
        assert isinstance(step, Announce)
        assert step.links == told
    assert flood.accepted(ITEM, LinkId(1), NEIGHBOURS[1:2], random.Random(0), 0.0) == []


def test_the_agenda_takes_each_step_once_at_its_time() -> None:
    agenda = Agenda(Hesitant(), random.Random(0))
    agenda.accepted(ITEM, None, NEIGHBOURS, 10.0)
    told = []
    for _ in range(4):
        at = agenda.timer()
        assert at is not None
        assert agenda.due(NEIGHBOURS, at - 0.001) == {}
        told.append((at, agenda.due(NEIGHBOURS, at)))
    assert told[0] == (10.0, {LinkId(0): [ITEM]})
    assert [at for at, _ in told] == [10.0, 15.0, 20.0, 25.0]
    assert told[-1] == (25.0, {}), "it woke once more and had nothing to add"
    assert agenda.timer() is None


def test_steps_towards_a_link_that_has_gone_are_dropped() -> None:
    agenda = Agenda(Flood(), random.Random(0))
    agenda.accepted(ITEM, None, NEIGHBOURS, 0.0)
    assert set(agenda.due(NEIGHBOURS[:1], 1.0)) == {LinkId(0)}


def test_every_registered_strategy_bears_its_name() -> None:
    assert all(make().name == name for name, make in REGISTRY.items())


def test_an_engine_spreads_as_its_strategy_says() -> None:
    """A slow strategy in the middle of a line: the item arrives, when the strategy woke and no sooner."""
    network, peers = small_mesh(3)
    middle = peers[1]
    for friend in (peers[0], peers[2]):
        network.disconnect(middle, friend)
    disk = middle.engine.store.records()
    engine = Engine(network.genesis, network.random, network.now, secret=middle.secret, strategy=Hesitant())
    engine.restore(items=list(disk), slots=[], outbox=[], now=network.now)
    middle.engine = engine
    for friend in (peers[0], peers[2]):
        engine.friend_added(friend.friend_id)
        network.connect(middle, friend)
    network.settle()
    peers[0].engine.publish(Draft(text="slowly"), network.now)
    network.drain(peers[0])
    network.run(4.0)
    assert (middle.texts(), peers[2].texts()) == ({"slowly"}, set())
    network.run(3.0)
    assert peers[2].texts() == {"slowly"}
