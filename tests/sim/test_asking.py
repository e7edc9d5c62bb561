"""Asking: the same answers for any number of threads, and none about a run that was practised on."""

import numpy as np
import pytest
from grounds import ground_of

from rumor.gossip.genesis import Parameters
from rumor.gossip.pace import Pace
from rumor.sim import asking
from rumor.sim.estimators import ESTIMATORS
from rumor.sim.estimators.seen import Ground


@pytest.mark.parametrize("name", ["first-spy", "trained", "epoch-routes"])
def test_threads_and_blocks_change_nothing_but_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "BLOCK_SIZE", 20_000)
    scheme = "dandelion" if name == "epoch-routes" else "diffusion"
    told: list[int] = []
    one, two = (
        asking.ask(
            ESTIMATORS[name],
            ground_of(60, 0.2, scheme=scheme),
            runs=1_500,
            seed=4,
            threads=threads,
            tell=told.append,
        )
        for threads in (1, 2)
    )
    assert one == two
    assert told == sorted(told[: len(told) // 2]) * 2
    assert one.anonymity.posts == told[-1] >= 1_500


def test_what_ranks_is_as_sure_as_it_is_right() -> None:
    """First spy on flooding, with the sureness learnt on other runs."""
    answers = asking.ask(ESTIMATORS["first-spy"], ground_of(100, 0.2), runs=4_000, seed=1)
    assert answers.anonymity.calibration.holds
    assert answers.guessed is None


def test_in_batches_there_are_precision_and_recall() -> None:
    """Recall of the first guess is how often it names; and matching is the more precise."""
    answers = asking.ask(ESTIMATORS["trained"], ground_of(60, 0.2), runs=2_000, seed=1, in_batches=True)
    assert answers.guessed is not None
    assert answers.matched is not None
    assert answers.guessed.recall == pytest.approx(answers.anonymity.p_named, abs=0.01)
    assert answers.matched.precision > answers.guessed.precision > 0.1


def test_onions_leave_nearly_all_bits() -> None:
    base, pace = ground_of(50, 0.1), Pace.of(Parameters(), 50)
    ground = Ground(graph=base.graph, spies=base.spies, scheme="onion", pace=pace, latency=0.05 / pace.hop_s)
    found = asking.ask_onions(ground, hours=1, post_share=0.5, seed=1)
    assert found is not None
    assert np.log2(45) - 0.5 < found.entropy_bits <= np.log2(45)
