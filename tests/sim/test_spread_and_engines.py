"""The compiled Monte Carlo spreads packets as real engines do: on one graph, with the same spies.

Each test compares samples by two-sample tests with fixed seeds, each of which two samples of one distribution fail once
in a thousand: of Kolmogorov and Smirnov for times, of proportions for what is or is not.
"""

import math

import numpy as np
import pytest
from engines import Race
from grounds import powerlaw
from scipy import stats

from rumor.sim.spread.runs import SCHEMES

ALPHA = 0.001
KERNEL_RUNS = 5_000
TIMES = ("first_at", "t50", "t99")
SHARES = ("named", "on_stem")
#: `dandelion` is one of the others.
ALL = sorted(set(SCHEMES) - {"dandelion"})


def race(scheme: str, nodes: int = 24, spies: int = 5, seed: int = 1) -> Race:
    is_spy = np.zeros(nodes, dtype=bool)
    is_spy[np.random.default_rng(seed).choice(nodes, spies, replace=False)] = True
    return Race(graph=powerlaw(nodes, seed), spies=is_spy, scheme=scheme)


def differences(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """How likely samples of one distribution would differ as much, for each thing in which they do too much."""
    found = {}
    for name in TIMES:
        # Floods take whole steps, which are not the same to the last bit; a tick is a hundredth of a hop.
        samples = np.round(one[name], 2), np.round(other[name], 2)
        found[name] = float(stats.ks_2samp(*samples).pvalue)
    for name in SHARES:
        pooled = np.concatenate([one[name], other[name]])
        error = pooled.std() * math.sqrt(1 / len(one) + 1 / len(other))
        gap = abs(one[name].mean() - other[name].mean())
        found[name] = 2 * float(stats.norm.sf(gap / error)) if error else float(gap == 0)
    return {name: chance for name, chance in found.items() if chance < ALPHA}


@pytest.mark.parametrize("scheme", ALL)
def test_coverage_and_what_spies_see_are_those_of_engines(scheme: str) -> None:
    tried = race(scheme)
    assert not differences(tried.engines(2, 19, seed=1), tried.kernel(KERNEL_RUNS, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ALL)
def test_the_same_of_many_packets_on_another_graph(scheme: str) -> None:
    tried = race(scheme, nodes=32, spies=8, seed=2)
    assert not differences(tried.engines(25, 24, seed=2), tried.kernel(4 * KERNEL_RUNS, seed=2))


def test_schemes_are_told_apart() -> None:
    """The comparison sees a difference where there is one: so many packets are enough."""
    samples = {scheme: race(scheme).kernel(KERNEL_RUNS if scheme == "stem" else 40, seed=3) for scheme in ALL}
    for scheme in ("flood", "diffusion", "adaptive"):
        assert differences(samples[scheme], samples["stem"])
