"""Small grounds for estimators: graphs with spies on them."""

import networkx
import numpy as np

from rumor.sim.estimators.seen import Ground
from rumor.sim.graphs.graph import Graph


def graph_of(graph: networkx.Graph) -> Graph:
    return Graph.from_edges(len(graph), list(graph.edges))


def powerlaw(nodes: int, seed: int = 1) -> Graph:
    return graph_of(networkx.powerlaw_cluster_graph(nodes, 4, 0.3, seed=seed))


def spies_of(nodes: int, share: float, seed: int = 0) -> np.ndarray:
    spies = np.zeros(nodes, dtype=bool)
    spies[np.random.default_rng(seed).permutation(nodes)[: round(share * nodes)]] = True
    return spies


def ground_of(nodes: int, share: float, seed: int = 0, **rules: object) -> Ground:
    return Ground(graph=powerlaw(nodes, seed + 1), spies=spies_of(nodes, share, seed), **rules)
