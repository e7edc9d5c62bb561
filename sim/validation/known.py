"""Known values: closed forms and published numbers, each with its source and with how the simulator measures it.

A value is measured by the kernels and estimators that results are made with, at so many runs that three standard errors
are under 2 % of it. To add one: a function that measures it, and an entry in ``KNOWN``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from . import relays
from .first_spies import first_spy, precision, third_degree
from .measured import Measured
from .snapshots import SNAPSHOT, adaptive, complete, holders, snapshot, source_limit
from .walks import crowds, stem_length, stem_meets, stem_seen, stem_seen_expected

__all__ = ["KNOWN", "Known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One value that is known without us."""

    name: str
    source: str
    expected: float
    measure: Callable[[int, int], Measured]
    """From a seed and a number of threads."""
    expected_error: float = 0.0
    """The standard error of what is expected, where it was measured too; 0 for closed forms."""


FANTI_2017: Final = (
    "Fanti and Viswanath, Deanonymization in the Bitcoin P2P network, NIPS 2017; first spies on trees"
)
SHAH_ZAMAN: Final = "Shah and Zaman, Finding rumor sources on random trees, Operations Research 2016"
SPY_VS_SPY: Final = "Fanti, Kairouz, Oh and Viswanath, Spy vs. spy, SIGMETRICS 2015, theorem 2"

KNOWN: Final[tuple[Known, ...]] = (
    *(
        Known(
            name=f"first spy, tree of degree 2, exponential, p = {p:g}",
            source=FANTI_2017,
            expected=2 * p / (1 + p),
            measure=first_spy(2, p, "exponential", 2 * p / (1 + p)),
        )
        for p in (0.05, 0.1, 0.2, 0.3)
    ),
    *(
        Known(
            name=f"first spy, tree of degree 3, exponential, p = {p:g}",
            source=FANTI_2017,
            expected=third_degree(p),
            measure=first_spy(3, p, "exponential", third_degree(p)),
        )
        for p in (0.05, 0.1, 0.2, 0.3)
    ),
    *(
        Known(
            name=f"first spy, tree of degree {degree}, unit delays, p = {p:g}",
            source="a spy among the friends is told at once: 1 − (1 − p)^d",
            expected=1 - (1 - p) ** degree,
            measure=first_spy(degree, p, "unit", 1 - (1 - p) ** degree),
        )
        for degree, p in ((3, 0.1), (4, 0.07), (4, 0.2), (8, 0.1))
    ),
    *(
        Known(
            name=f"a stem meets a spy, p = {p:g}, q = {q:g}",
            source="geometric series: p / (p + q − pq)",
            expected=p / (p + q - p * q),
            measure=stem_meets(p, q, p / (p + q - p * q)),
        )
        for p, q in ((0.1, 0.1), (0.2, 0.1), (0.2, 0.3))
    ),
    *(
        Known(
            name=f"length of a stem, q = {q:g}",
            source="geometric: 1 / q",
            expected=1 / q,
            measure=stem_length(q),
        )
        for q in (0.1, 0.25)
    ),
    *(
        Known(
            name=f"stem with any friend next, first handed over by its author, p = {p:g}",
            source="absorbing Markov chain: the mean of [1 + (1−q) A_vv] σ_v, A = P_HH (I − (1−q) P_HH)^-1",
            expected=stem_seen_expected(p, 0.1),
            measure=stem_seen(p, 0.1),
        )
        for p in (0.1, 0.2)
    ),
    *(
        Known(
            name=f"Crowds, {n} members of whom {c} collaborate, p_f = {forward:g}",
            source="Reiter and Rubin, Crowds, ACM TISSEC 1998, section 5.2: 1 − p_f (n − c − 1) / n",
            expected=1 - forward * (n - c - 1) / n,
            measure=crowds(n, c, forward),
        )
        for n, c, forward in ((20, 4, 0.75), (50, 5, 0.9))
    ),
    Known(
        name="susceptible–infected on the complete graph of 100, until all have it",
        source="coupon collecting from both ends: 2 (n − 1)/n · H(n − 1)",
        expected=2 * 99 / 100 * sum(1 / number for number in range(1, 100)),
        measure=complete(100),
    ),
    *(
        Known(
            name=f"adaptive diffusion, tree of degree {degree}, snapshot at t = {step}",
            source=SPY_VS_SPY,
            expected=1 / (holders(degree, step) - 1),
            measure=adaptive(degree, step, 1 / (holders(degree, step) - 1)),
        )
        for degree, step in ((3, 2), (3, 4), (3, 6), (3, 8), (4, 4))
    ),
    Known(
        name="rumor centrality, tree of degree 3, 101 infected",
        source="Dong, Zhang and Tan, Rooting out the rumor culprit, ISIT 2013: 1/4 + 3/4 · 1/(2⌊n/2⌋ + 1)",
        expected=0.25 + 0.75 / 101,
        measure=snapshot(3, 101, 0.25 + 0.75 / 101),
    ),
    Known(
        name="rumor centrality, tree of degree 4, many infected",
        source=f"{SHAH_ZAMAN}: 4/π − 1",
        expected=4 / math.pi - 1,
        measure=snapshot(4, SNAPSHOT, 4 / math.pi - 1),
    ),
    Known(
        name="rumor centrality, tree of degree 8, many infected",
        source=f"{SHAH_ZAMAN}: 1 − d (1 − I_½(1/(d−2), (d−1)/(d−2)))",
        expected=source_limit(8),
        measure=snapshot(8, SNAPSHOT, source_limit(8)),
    ),
    Known(
        name="rumor centrality, tree of degree 400, many infected",
        source=f"{SHAH_ZAMAN}: 1 − ln 2 as the degree grows",
        expected=1 - math.log(2),
        measure=snapshot(400, SNAPSHOT, 1 - math.log(2)),
    ),
    *(
        Known(
            name=f"precision of first spies, Dandelion++ {name}, n = 100, p = 0.2",
            source=relays.SOURCE,
            expected=published,
            expected_error=error,
            measure=precision(name, 600),
        )
        for name, (_, published, error) in relays.PRECISIONS.items()
    ),
    Known(
        name="precision of first spies, diffusion on the same graphs",
        source=relays.SOURCE,
        expected=relays.DIFFUSION[0],
        expected_error=relays.DIFFUSION[1],
        measure=precision("diffusion", 450),
    ),
)
