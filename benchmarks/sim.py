"""How fast `spread` is, beside what others have: `uv run --group benchmarks python benchmarks/sim.py [--all] [--json]`.

Each row is measured in a process of its own, so that its memory is its own: CPU time, the best of several repetitions,
on one thread, after compilation; and by how much the process grew at its largest from before it read its graph. All
libraries get the same graph, from the same files, and the same delays: exponential draws, the same in both directions
of an edge. What they need to turn these into their own form is not timed. Arrival times of all but NDlib are compared
with scipy's and must be equal.

NDlib knows no delays of edges: it takes steps, here of a tenth of a mean delay, until all are reached. EoN and NDlib
take minutes and gigabytes for a million nodes and are asked for these with ``--all`` only. A library that is not
installed is reported as such. ethp2psim is not on PyPI and is not run here.
"""

import argparse
import importlib.metadata
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from rumor.sim.graphs.graph import Graph

GROWTH: Final = (10_000, 100_000, 1_000_000)
NODES: Final = (1_000, *GROWTH)
#: CPU seconds that a prototype took on another machine, and others with it; ``asked`` is to be no slower.
ASKED: Final = {
    "arrival times, 100,000 nodes": 0.029,
    "arrival times, 1,000,000 nodes": 0.77,
    "1,000 messages on 1,000 nodes": 0.13,
    "1,000 messages, up to the first contact": 0.001,
    "1,000,000 messages on 10,000 nodes, first contact": 0.94,
    "rumor centrality, 100 infected": 0.000_36,
    "rumor centrality, 1,000 infected": 0.060,
    "100,000 runs on a tree of degree 4": 2.0,
    "edge list of 1,000,000 nodes": 10.0,
}
MISSING: Final = "not installed"
BASELINE: Final = "scipy"
OURS: Final = "rumor"
#: Of the nodes; what the prototype had is not known.
SPIES: Final = 0.2


def megabytes() -> float:
    """The most that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def best(work: Callable[[], object], repetitions: int) -> float:
    """CPU seconds of the quickest repetition."""
    taken = []
    for _ in range(repetitions):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def load(folder: Path, nodes: int) -> tuple[Graph, np.ndarray]:
    """The graph of this size and the delays of its links."""
    home = folder / str(nodes)
    graph = Graph.load(next(each for each in home.iterdir() if each.is_dir()))
    return graph, np.load(home / "delays.npy", mmap_mode="r")


def prepare(folder: Path, nodes: int) -> dict[str, Any]:
    """Draws a graph and its delays, and writes its edge list if it is the largest."""
    from rumor.sim.graphs.spec import read

    drawn = read(f"barabasi-albert:n={nodes},mean_degree=10", 1)
    assert isinstance(drawn, Graph)
    graph, _ = drawn.relabelled()
    home = folder / str(nodes)
    graph.save(home)
    heads, tails = graph.heads, graph.friends
    delays = np.random.default_rng(1).exponential(1.0, len(tails)).astype(np.float32)
    np.save(home / "delays.npy", np.where(heads < tails, delays, delays[graph.twins]))
    if nodes == NODES[-1]:
        np.savetxt(folder / "edges.txt", np.random.default_rng(2).permutation(graph.edges), fmt="%d")
    return {}


# Arrival times, each by the library that it is named after: what is timed, and the times if it has them.


def of_rumor(graph: Graph, delays: np.ndarray) -> Callable[[], Any]:
    from rumor.sim.spread.arrivals import arrival_times

    return lambda: arrival_times(graph, delays, 0)


def of_scipy(graph: Graph, delays: np.ndarray) -> Callable[[], Any]:
    from scipy import sparse
    from scipy.sparse import csgraph

    shape = (graph.node_count,) * 2
    matrix = sparse.csr_matrix((delays.astype(np.float64), graph.friends, graph.starts), shape=shape)
    return lambda: csgraph.dijkstra(matrix, indices=0)


def of_igraph(graph: Graph, delays: np.ndarray) -> Callable[[], Any]:
    import igraph

    other = igraph.Graph(n=graph.node_count, edges=graph.edges)
    weights = delays[graph.heads < graph.friends].astype(np.float64).tolist()
    return lambda: np.array(other.distances(source=0, weights=weights)[0])


def of_networkit(graph: Graph, delays: np.ndarray) -> Callable[[], Any]:
    import networkit

    networkit.setNumberOfThreads(1)
    once = graph.heads < graph.friends
    one, two = graph.heads[once].astype(np.uint64), graph.friends[once].astype(np.uint64)
    other = networkit.GraphFromCoo(
        (delays[once].astype(np.float64), (one, two)), n=graph.node_count, weighted=True
    )

    def work() -> Any:
        search = networkit.distance.Dijkstra(other, 0, False)
        search.run()
        return np.array(search.getDistances())

    return work


def of_eon(graph: Graph, delays: np.ndarray) -> Callable[[], Any]:
    import EoN

    other = as_networkx(graph)
    heads, friends = graph.heads.tolist(), graph.friends.tolist()
    for one, two, delay in zip(heads, friends, delays.tolist(), strict=True):
        other[one][two]["delay"] = delay

    def work() -> Any:
        found = EoN.fast_nonMarkov_SIR(
            other,
            trans_time_fxn=lambda one, two: other[one][two]["delay"],
            rec_time_fxn=lambda _: float("inf"),
            initial_infecteds=[0],
        )
        return found[0]  # The times alone, ascending: who they are of takes as long again.

    return work


def of_ndlib(graph: Graph, delays: np.ndarray) -> Callable[[], Any]:  # noqa: ARG001
    from ndlib.models import ModelConfig
    from ndlib.models.epidemics import SIModel

    other = as_networkx(graph)

    def work() -> None:
        model = SIModel(other, seed=1)
        config = ModelConfig.Configuration()
        config.add_model_parameter("beta", 0.1)
        config.add_model_initial_configuration("Infected", [0])
        model.set_initial_status(config)
        while model.iteration(node_status=False)["node_count"][0]:
            pass

    return work


def as_networkx(graph: Graph) -> Any:
    import networkx

    other = networkx.Graph()
    other.add_nodes_from(range(graph.node_count))
    other.add_edges_from(graph.edges.tolist())
    return other


#: By library: how arrival times are had, the name of its package, and whether a million nodes take minutes.
LIBRARIES: Final[dict[str, tuple[Callable[[Graph, np.ndarray], Callable[[], Any]], str, bool]]] = {
    BASELINE: (of_scipy, "scipy", False),
    OURS: (of_rumor, "rumor", False),
    "igraph": (of_igraph, "igraph", False),
    "networkit": (of_networkit, "networkit", False),
    "NDlib": (of_ndlib, "ndlib", True),
    "EoN": (of_eon, "eon", True),
}


def arrivals(folder: Path, library: str, nodes: int) -> dict[str, Any]:
    """CPU seconds and megabytes of the arrival times of one rumor."""
    make, package, is_slow = LIBRARIES[library]
    importlib.metadata.version(package)
    make(*load(folder, NODES[0]))()  # Compiles and imports.
    before = megabytes()
    graph, delays = load(folder, nodes)
    work = make(graph, delays)
    found = work()
    figures = {"seconds": best(work, 1 if is_slow else 7), "MB": megabytes() - before}
    if library == BASELINE:
        np.save(folder / f"{nodes}.npy", found)
    elif found is not None:
        expected = np.load(folder / f"{nodes}.npy")
        if library == "EoN":
            expected = np.sort(expected)
        assert np.allclose(found, expected, rtol=1e-5), f"arrival times of {library} are not scipy's"
        figures["equal"] = True
    return figures


# What nobody else has, or one other.


def messages(folder: Path, nodes: int, count: int, first_contact: bool) -> dict[str, Any]:
    """Dandelion++ messages, each from a random author, and whom the first spy has them from."""
    from rumor.sim.spread.montecarlo import Rules, Spreading

    before = megabytes()
    graph, _ = load(folder, nodes)
    spies = np.random.default_rng(3).random(nodes) < SPIES
    spreading = Spreading(
        graph=graph, spies=spies, rules=Rules(scheme="dandelion"), first_contact=first_contact
    )
    spreading.run(2, 1)
    seen = spreading.run(count, 1)
    seconds = best(lambda: spreading.run(count, 1), 1 if nodes > 100_000 else 3)
    named = float((seen["author"] == seen["first_friend"]).mean())
    return {"seconds": seconds, "MB": megabytes() - before, "named": named}


def centrality(folder: Path, infected: int, library: str) -> dict[str, Any]:
    """Rumor centrality of all that a rumor reached first on 10,000 nodes."""
    from rumor.sim.estimators.rumor_centrality import log_centralities
    from rumor.sim.spread.arrivals import arrival_times

    graph, delays = load(folder, 10_000)
    reached = np.sort(np.argsort(arrival_times(graph, delays, 0))[:infected])
    if library == OURS:
        log_centralities(graph, reached)
        return {"seconds": best(lambda: log_centralities(graph, reached), 7)}
    importlib.metadata.version("cosasi")
    from cosasi.source_inference.single_source.rumor_centrality import rumor_centrality

    snapshot = as_networkx(graph.restricted(reached))
    try:
        return {"seconds": best(lambda: rumor_centrality(snapshot, snapshot), 3)}
    except OverflowError:
        return {"failed": "overflows"}


def tree(folder: Path) -> dict[str, Any]:  # noqa: ARG001
    """First spies on an infinite tree."""
    from rumor.sim.graphs.tree import Tree
    from rumor.sim.spread.montecarlo import Growing, Rules

    growing = Growing(tree=Tree(4), spy_chance=0.07, rules=Rules(scheme="diffusion"))
    growing.run(1, 1)
    return {"seconds": best(lambda: growing.run(100_000, 1), 5)}


def reading(folder: Path) -> dict[str, Any]:
    """An edge list in no order, with twice as many entries as there are friendships."""
    from rumor.sim.graphs.files import load as read

    (folder / "few.txt").write_text("0 1\n1 2\n")
    read(folder / "few.txt")
    before = megabytes()
    seconds = best(lambda: read(folder / "edges.txt"), 3)
    return {"seconds": seconds, "MB": megabytes() - before}


def rows(everything: bool) -> Iterator[tuple[str, str, str]]:
    """What is measured: its name, by whom, and the call."""
    for nodes in GROWTH:
        for library, (_, _, is_slow) in LIBRARIES.items():
            if everything or not is_slow or nodes < GROWTH[-1]:
                yield f"arrival times, {nodes:,} nodes", library, f"arrivals(folder, {library!r}, {nodes})"
    yield "1,000 messages on 1,000 nodes", OURS, "messages(folder, 1_000, 1_000, False)"
    yield "1,000 messages, up to the first contact", OURS, "messages(folder, 1_000, 1_000, True)"
    name = "1,000,000 messages on 10,000 nodes, first contact"
    yield name, OURS, "messages(folder, 10_000, 1_000_000, True)"
    for infected in (100, 1_000):
        for library in (OURS, "cosasi"):
            name = f"rumor centrality, {infected:,} infected"
            yield name, library, f"centrality(folder, {infected}, {library!r})"
    yield "100,000 runs on a tree of degree 4", OURS, "tree(folder)"
    yield "edge list of 1,000,000 nodes", OURS, "reading(folder)"
    for nodes in GROWTH:
        yield f"5 messages to all of {nodes:,} nodes", OURS, f"messages(folder, {nodes}, 5, False)"


def apart(folder: Path, call: str) -> dict[str, Any]:
    """Makes one of the calls in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--folder", str(folder), "--call", call],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        return {"failed": f"exit status {done.returncode}"}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def exponent(sizes: tuple[int, ...], values: list[float]) -> float:
    """The power of the size that the value grows with, by least squares in logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-9)), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of spread.")
    parser.add_argument("--all", action="store_true", help="NDlib and EoN on a million nodes as well")
    parser.add_argument("--only", default="", help="the rows with these words in their name")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--call", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.call:
        try:
            figures = eval(options.call, globals(), {"folder": options.folder})
        except (ImportError, importlib.metadata.PackageNotFoundError):
            figures = {"failed": MISSING}
        print(json.dumps(figures))
        return
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="rumor-benchmark-") as name:
        folder = Path(name)
        for nodes in NODES:
            apart(folder, f"prepare(folder, {nodes})")
        for work, library, call in rows(options.all):
            if options.only not in work:
                continue
            figures = {"work": work, "by": library, **apart(folder, call)}
            found.append(figures)
            if not options.json:
                print(line(figures), flush=True)
    for what in ("arrival times, {:,} nodes", "5 messages to all of {:,} nodes"):
        of = [each for each in found for size in GROWTH if each["work"] == what.format(size)]
        for library in LIBRARIES:
            own = [each for each in of if each["by"] == library and "seconds" in each]
            if len(own) == len(GROWTH):
                powers = {
                    f"{unit} ~ n^": exponent(GROWTH, [each[unit] for each in own])
                    for unit in ("seconds", "MB")
                }
                found.append({"work": what.replace("{:,}", "n"), "by": library, **powers})
                if not options.json:
                    print(line(found[-1]))
    if options.json:
        print(json.dumps(found, indent=1))


def line(figures: dict[str, Any]) -> str:
    """A row for people."""
    told = [f"{figures['work']:50} {figures['by']:10}"]
    for name, figure in figures.items():
        if name == "seconds":
            told.append(f"{figure:10.4f} s")
        elif isinstance(figure, float):
            told.append(f"{name} {figure:.3g}")
        elif name not in ("work", "by"):
            told.append(str(figure) if name == "failed" else name)
    if figures["by"] == OURS and figures["work"] in ASKED:
        told.append(f"asked for: {ASKED[figures['work']]:g} s")
    return "  ".join(told)


if __name__ == "__main__":
    main()
