"""How often first spies are right: on infinite trees, and in the simulations of Dandelion++."""

import math
from collections.abc import Callable

from ..graphs.tree import Tree
from ..spread.montecarlo import Growing, Rules
from . import relays
from .measured import Measured, enough, mean, share

__all__ = ["first_spy", "precision", "third_degree"]


def first_spy(degree: int, spies: float, delay: str, expected: float) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:
        growing = Growing(tree=Tree(degree), spy_chance=spies, rules=Rules(scheme="diffusion", delay=delay))
        contacts = growing.run(enough(expected), seed, threads=threads)
        return share(contacts["distance"] == 0)

    return measure


def third_degree(spies: float) -> float:
    return 3 * spies * (1 - spies**2 + 2 * spies * math.log(spies)) / (1 - spies) ** 3


def precision(name: str, graphs: int) -> Callable[[int, int], Measured]:
    def measure(seed: int, threads: int) -> Measured:  # noqa: ARG001
        return mean(relays.precisions(name, graphs, seed))

    return measure
