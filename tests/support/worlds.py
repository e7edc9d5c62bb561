"""Small simulated worlds for tests: a few dozen engines, prepared from a scenario."""

from rumor.gossip.drafts import Draft
from rumor.gossip.items import ItemId
from rumor.sim.experiment import Run, prepare
from rumor.sim.hosts import Host
from rumor.sim.network import Network
from rumor.sim.scenario import Scenario

#: Floods of twelve nodes for half an hour, without a workload.
PLAIN = {
    "scheme": "flood",
    "nodes": "12",
    "graph": "random-regular",
    "mean_degree": "4",
    "hours": "0.5",
    "posts": "0",
}

#: Everything that can go wrong with nodes, links and clocks; nobody lies.
FAULTS = {
    "loss": "0.1",
    "duplication": "0.1",
    "reordering": "0.2",
    "churn": "0.15:120",
    "crash": "0.1:60",
    "partition": "0.3:120",
    "slow": "0.2:60",
    "skew": "0.2:300",
}


def world(**options: str) -> Run:
    """A run that is prepared and has its links open."""
    made = prepare(Scenario.read(PLAIN | options))
    made.network.run(10.0)
    return made


def post(network: Network, host: Host, text: str) -> ItemId:
    """A post that must not be refused."""
    item_id = network.publish(host, Draft(text=text))
    assert item_id is not None
    return item_id


def holders(network: Network, item_id: ItemId) -> set[int]:
    """Who has an item, on its disk and in its engine."""
    return {
        host.index
        for host in network.hosts
        if item_id in host.disk.items and (host.engine is None or item_id in host.engine.store)
    }


def view(host: Host) -> tuple[frozenset[ItemId], bytes, bytes]:
    """All that nodes are to agree on: items, roster, relay keys."""
    assert host.engine is not None
    engine = host.engine
    epoch = engine.calendar.epoch
    ring = engine.roster.ring_at(epoch)
    assert ring is not None
    return frozenset(host.disk.items), ring.root, engine.relay_book.root(epoch)
