"""An experiment: one run of one scenario, from its seed to its end.

Puts the parts together: mesh, graph, network, adversaries, weather and workload, each with a stream of its own. A run
is a pure function of the scenario; only how long it takes is not.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from . import topology
from .adversaries import Action, Adversary, Bystander, Delay, Drop, Junk, Replay
from .codecs import SharedCodec
from .friendships import Conditions
from .graphs.graph import Graph, GraphError
from .hosts import Build
from .ledger import Ledger
from .loop import ticks
from .mesh import found
from .network import Network
from .scenario import Scenario, ScenarioError
from .seeds import Stream
from .suites import SUITES
from .talk import Talk
from .weather import Weather
from .workload import Workload

__all__ = ["Progress", "Run", "prepare", "run"]

#: How late a delayer passes on: later than most embargoes, and not so late that its friends give up.
DELAYED_S: Final = 10.0
#: Allocations between two looks of the collector. Nearly nothing here is in cycles, and what stays, stays long: at the
#: usual 700 it took an eighth of a run.
COLLECTED_COUNT: Final = 100_000
#: Parts of a run between which progress is told.
STEPS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is."""

    share: float
    """Of virtual time, 0 to 1."""
    elapsed_s: float
    left_s: float
    event_count: int


@dataclass(slots=True, kw_only=True)
class Run:
    """A run, prepared or done."""

    scenario: Scenario
    graph: Graph
    network: Network
    ledgers: tuple[Ledger, ...]
    """One for each share of spies, in their order. The spies of each are among those of the next."""
    bystander: Bystander
    workload: Workload
    talk: Talk
    setup_s: float
    """Seconds of real time that the preparation took."""
    elapsed_s: float = 0.0
    """Seconds of real time that the run took."""
    busy_s: float = 0.0
    """Seconds of processor time among them: what the machine's other users did is not in it."""
    version: str = version("rumor")

    @property
    def ledger(self) -> Ledger:
        """What the most spies know."""
        return self.ledgers[-1]


def prepare(scenario: Scenario) -> Run:
    """Builds the world of a scenario. Raises ``ScenarioError`` if no connected graph was drawn."""
    began = time.perf_counter()
    random = Stream(scenario.seed)
    try:
        graph = topology.draw(
            scenario.graph, scenario.nodes, scenario.mean_degree, scenario.shape, random.stream("graph")
        )
    except GraphError as error:
        raise ScenarioError(f"--graph: {error}") from error
    cryptography = SUITES[scenario.crypto](random.stream("cryptography"))
    mesh = found(
        scenario.nodes, scenario.parameters, cryptography, random.stream("mesh"), onions=scenario.onions
    )
    last = ticks(scenario.duration_s - scenario.quiet_s)
    network = Network(
        build=Build(
            mesh=mesh,
            suite=cryptography,
            codec=SharedCodec(),
            strategy=scenario.strategy,
            onions=scenario.onions,
        ),
        cryptography=cryptography,
        conditions=Conditions(
            latency=scenario.latency,
            jitter=scenario.jitter,
            loss=scenario.loss,
            duplication=scenario.duplication,
            reordering=scenario.reordering,
            disturbed_until=last,
        ),
        random=random.stream("network"),
    )
    network.populate(graph)
    ledgers = _corrupt(network, scenario, graph, random.stream("adversaries"))
    bystander = Bystander()
    watched = random.stream("bystander").sample(
        network.friendships, round(scenario.observed * len(network.friendships))
    )
    for friendship in watched:
        friendship.bystander = bystander
    Weather(network, scenario, random.stream("weather"), last)
    authors = [host.index for host in network.hosts if host.is_honest]
    workload = Workload(
        network, authors, scenario.posts, ticks(scenario.warmup_s), last, random.stream("workload")
    )
    talk = Talk(network, workload, authors, scenario, last, random.stream("talk"))
    network.start()
    return Run(
        scenario=scenario,
        graph=graph,
        network=network,
        ledgers=ledgers,
        bystander=bystander,
        workload=workload,
        talk=talk,
        setup_s=time.perf_counter() - began,
    )


def run(scenario: Scenario, tell: Callable[[Progress], None] | None = None) -> Run:
    """Prepares a run and does it, telling how far it is now and then."""
    prepared = prepare(scenario)
    # A thousand engines are a million objects that live to the end of the run; the collector need not look at them.
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECTED_COUNT, *thresholds[1:])
    try:
        return _run(prepared, tell)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _run(prepared: Run, tell: Callable[[Progress], None] | None) -> Run:
    began, began_busy, scenario = time.perf_counter(), time.process_time(), prepared.scenario
    for step in range(1, STEPS + 1):
        prepared.network.loop.run(ticks(scenario.duration_s * step / STEPS))
        prepared.elapsed_s = time.perf_counter() - began
        prepared.busy_s = time.process_time() - began_busy
        if tell is not None:
            share = step / STEPS
            tell(
                Progress(
                    share=share,
                    elapsed_s=prepared.elapsed_s,
                    left_s=prepared.elapsed_s / share * (1 - share),
                    event_count=prepared.network.event_count,
                )
            )
    return prepared


def _corrupt(network: Network, scenario: Scenario, graph: Graph, random: Stream) -> tuple[Ledger, ...]:
    """Puts the adversary's people in their places. Those who do more than look are taken from the spies first.

    Spies who only look change nothing, so those of several shares can look at one run: each share has a ledger of its
    own, and who is a spy in one is a spy in all larger ones.
    """
    order = random.sample(range(scenario.nodes), scenario.nodes)
    if scenario.surround:
        order = _around(order, graph, random)
    actions: list[Action] = []
    makers: list[tuple[float, Callable[[Stream], Action]]] = [
        (scenario.droppers, lambda _: Drop()),
        (scenario.delayers, lambda _: Delay(ticks(DELAYED_S))),
        (scenario.replayers, Replay),
        (scenario.flooders, Junk),
    ]
    for share, make in makers:
        count = round(share * scenario.nodes)
        actions += [make(random.stream(f"action {len(actions) + more}")) for more in range(count)]
    counts = [max(round(share * scenario.nodes), len(actions)) for share in scenario.spies]
    ledgers = tuple(
        Ledger(spies=frozenset(order[:count]), loop=network.loop, codec=network.build.codec)
        for count in counts
    )
    for place, index in enumerate(order[: counts[-1]]):
        network.hosts[index].is_honest = False
        action = actions[place] if place < len(actions) else None
        own = [ledger for ledger in ledgers if index in ledger.spies]
        network.hosts[index].adversary = Adversary(index, own, action)
    return ledgers


def _around(order: list[int], graph: Graph, random: Stream) -> list[int]:
    """The order in which members are corrupted if all friends of one are to be spies, and that one is not."""
    victim = random.randrange(graph.node_count)
    friends = graph.friends_of(victim)
    others = [node for node in order if node != victim and node not in friends]
    return [*friends, *others, victim]
