"""Real engines that spread one packet after the other, as rows that compare with those of ``sim.spread``.

All nodes are engines of the node in ``sim.network``, with ideal cryptography and links of one short latency. A packet
is posted in each epoch, which is a relay day as well, so that what is fixed for one of these is drawn anew for each
packet. Guards stay for weeks, and change with the network.
"""

from dataclasses import dataclass

import numpy as np

from rumor.gossip.drafts import Draft
from rumor.gossip.pace import HOPS_PER_EMBARGO
from rumor.gossip.spreading import GATHERING_S
from rumor.gossip.spreading.dandelion import FAIL_SAFE_HOPS
from rumor.sim.adversaries import Adversary
from rumor.sim.codecs import SharedCodec
from rumor.sim.estimators.seen import Ground
from rumor.sim.faults import Latency
from rumor.sim.friendships import Conditions
from rumor.sim.graphs.graph import Graph
from rumor.sim.hosts import Build, Host
from rumor.sim.ledger import Ledger
from rumor.sim.loop import TICKS_PER_S
from rumor.sim.mesh import found
from rumor.sim.network import Network
from rumor.sim.scenario import Scenario
from rumor.sim.seeds import Stream
from rumor.sim.spread.observations import observe
from rumor.sim.suites import SUITES

__all__ = ["ROW", "Race"]

LATENCY_S = 0.001
#: 240 hops: nearly every packet has reached everybody before the next one.
EPOCH_S = 24
#: So much that a hop takes a tenth of a second and reconciliations, every five minutes, are few for each packet.
BYTES_PER_DAY = 3_400_000_000
#: Links open within five seconds, and all friends have reconciled by then.
WARMUP_S = 30.0

#: Of each packet: its author; when spies were first told, the chance that who told them was the author, and whether on
#: a stem; and when half and 99 % of the other honest nodes had it. In hops, since the author sent it.
ROW = np.dtype(
    [
        ("author", np.int32),
        ("first_at", np.float64),
        ("named", np.float64),
        ("on_stem", np.bool_),
        ("t50", np.float64),
        ("t99", np.float64),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Race:
    """A graph, spies on it, and a scheme."""

    graph: Graph
    spies: np.ndarray
    scheme: str

    @property
    def scenario(self) -> Scenario:
        return Scenario(
            nodes=self.graph.node_count,
            scheme=self.scheme,
            epoch_s=EPOCH_S,
            relay_day_epochs=1,
            bytes_per_day=BYTES_PER_DAY,
            latency=Latency("constant", LATENCY_S),
        )

    @property
    def hop_s(self) -> float:
        """Flooding is as quick as it gathers what it announces."""
        return GATHERING_S if self.scheme == "flood" else self.scenario.pace.hop_s

    @property
    def embargo(self) -> float:
        """Mean of the timers on a stem, in hops."""
        if self.scheme.startswith("dandelion"):
            return FAIL_SAFE_HOPS
        return HOPS_PER_EMBARGO if self.scheme == "stem" else 0.0

    def kernel(self, runs: int, seed: int) -> np.ndarray:
        """Rows of the compiled Monte Carlo."""
        ground = Ground(
            graph=self.graph,
            spies=self.spies,
            scheme=self.scheme,
            delay="unit" if self.scheme == "flood" else "exponential",
            embargo=self.embargo,
            latency=LATENCY_S / self.hop_s,
        )
        _, seen = observe(ground, runs=runs, seed=seed, spy_times=False, random_ties=True)
        rows = np.zeros(runs, dtype=ROW)
        for name in ("author", "first_at", "on_stem"):
            rows[name] = seen[name]
        rows["named"] = seen["author"] == seen["first_friend"]
        for name in ("t50", "t99"):
            rows[name] = seen[name] + seen["opened_at"]
        return rows

    def engines(self, networks: int, posts: int, seed: int) -> np.ndarray:
        """Rows of real engines: so many posts in each of so many networks, one after the other."""
        return np.concatenate(
            [self._network(posts, Stream(f"{seed} {number}")) for number in range(networks)]
        )

    def _network(self, posts: int, random: Stream) -> np.ndarray:
        scenario = self.scenario
        cryptography = SUITES["ideal"](random.stream("cryptography"))
        mesh = found(scenario.nodes, scenario.parameters, cryptography, random.stream("mesh"), onions=False)
        build = Build(mesh=mesh, suite=cryptography, codec=SharedCodec(), strategy=self.scheme, onions=False)
        network = Network(
            build=build,
            cryptography=cryptography,
            conditions=Conditions(latency=scenario.latency),
            random=random.stream("network"),
        )
        network.populate(self.graph)
        spies = np.flatnonzero(self.spies).tolist()
        ledger = Ledger(spies=frozenset(spies), loop=network.loop, codec=build.codec)
        for spy in spies:
            network.hosts[spy].is_honest = False
            network.hosts[spy].adversary = Adversary(spy, [ledger])
        arrivals: dict[bytes, dict[int, int]] = {}

        def arrived(tick: int, host: Host, item_id: bytes) -> None:
            arrivals.setdefault(item_id, {}).setdefault(host.index, tick)

        network.on_item.append(arrived)
        network.start()
        network.run(WARMUP_S)
        # Nobody a second time before all others: an author's packets of one network share its guard.
        honest = np.flatnonzero(~self.spies).tolist()
        honest = random.sample(honest, len(honest))
        posted = []
        for number in range(posts):
            author = honest[number % len(honest)]
            item_id = network.publish(network.hosts[author], Draft(text=f"post {number}"))
            assert item_id is not None, "a member with friends may post once in an epoch"
            posted.append((item_id, author, network.loop.tick))
            network.run(EPOCH_S)
        rows = np.zeros(posts, dtype=ROW)
        for row, (item_id, author, tick) in zip(rows, posted, strict=True):
            self._note(row, author, tick, ledger, item_id, arrivals.get(item_id, {}))
        for name in ("first_at", "t50", "t99"):
            rows[name] /= TICKS_PER_S * self.hop_s
        return rows

    def _note(
        self, row: np.void, author: int, tick: int, ledger: Ledger, item_id: bytes, arrivals: dict[int, int]
    ) -> None:
        heard = ledger.heard_of(item_id)
        first = min(heard.values(), default=np.inf)
        equals = [friend for friend, at in heard.items() if at == first]
        handed = min(
            (ledger.stemmed[each][0] for each in ledger.carriers.get(item_id, ()) if each in ledger.stemmed),
            default=np.inf,
        )
        others = [node for node in np.flatnonzero(~self.spies).tolist() if node != author]
        times = np.sort([arrivals.get(node, np.inf) for node in others]) - tick
        row["author"], row["first_at"] = author, first - tick
        row["named"] = (author in equals) / max(1, len(equals))
        row["on_stem"] = handed == first
        row["t50"] = times[(len(times) + 1) // 2 - 1]
        row["t99"] = times[min(len(times) - 1, int(np.ceil(0.99 * len(times))) - 1)]
