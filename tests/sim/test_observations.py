"""Observations: the runs of the simulator, with all that spies may see of them."""

import numpy as np
import pytest
from grounds import ground_of, powerlaw

from rumor.sim.estimators.seen import Ground, Practice
from rumor.sim.spread.adaptive import ball
from rumor.sim.spread.arrivals import front
from rumor.sim.spread.counter import key_of
from rumor.sim.spread.observations import observe
from rumor.sim.spread.runs import DELAYS, SCHEMES, SEEN, make_runs
from rumor.sim.spread.stems import walk


@pytest.mark.parametrize("scheme", ["diffusion", "stem", "dandelion", "adaptive"])
def test_runs_are_those_of_the_simulator(scheme: str) -> None:
    """Row by row, and in whatever blocks they are made."""
    ground = ground_of(80, 0.2, scheme=scheme, embargo=50.0, latency=0.1)
    graph, rows = ground.graph, np.zeros(20, dtype=SEEN)
    work, step = front(graph.node_count, len(graph.friends), 1.0, 28.3)
    rules = SCHEMES[scheme], DELAYS["exponential"], ground.end, 50.0, True, 0.1
    make_runs(
        graph.starts,
        graph.friends,
        graph.twins,
        ground.spies,
        ground.suspects,
        0.0,
        key_of(9),
        0,
        *rules,
        work,
        step,
        walk(),
        ball(graph.node_count, len(graph.friends)),
        False,
        rows,
        np.empty((20, 0), dtype=np.float32),
    )
    _, found = observe(ground, runs=20, seed=9)
    assert found.tobytes() == rows.tobytes()
    _, later = observe(ground, runs=5, seed=9, first_run=15)
    assert later.tobytes() == rows[15:].tobytes()


@pytest.mark.parametrize("scheme", ["diffusion", "stem"])
def test_spies_times_fit_the_first_sighting(scheme: str) -> None:
    """No spy is told before the first, who was told by that friend; all are told by friends of theirs."""
    ground = ground_of(80, 0.2, scheme=scheme)
    practice, rows = observe(ground, runs=30, seed=2, told_at=True)
    observed = practice.observed
    assert observed.spy_times is not None
    assert observed.spy_tellers is not None
    assert observed.told_at is not None
    assert observed.spy_times.min(axis=1) == pytest.approx(rows["first_at"])
    assert observed.told_at.min(axis=1) == pytest.approx(rows["first_at"])
    first = observed.spy_times.argmin(axis=1)
    assert (observed.spy_tellers[np.arange(30), first] == rows["first_friend"]).all()
    assert (ground.tellers[observed.told_at.argmin(axis=1)] == rows["first_friend"]).all()
    for tellers in observed.spy_tellers:
        for spy, teller in zip(ground.spy_nodes.tolist(), tellers.tolist(), strict=True):
            assert teller in ground.graph.friends_of(spy)


def test_a_snapshot_has_as_many_as_were_asked_for_and_the_author() -> None:
    """Equal times too are cut at the number."""
    for delay in DELAYS:
        ground = Ground(graph=powerlaw(60), spies=np.zeros(60, dtype=bool), delay=delay)
        practice, _ = observe(ground, runs=10, seed=1, snapshot=25)
        infected = practice.observed.infected
        assert infected is not None
        assert (infected.sum(axis=1) == 25).all()
        assert infected[np.arange(10), practice.authors].all()


def test_runs_of_an_epoch_share_its_relays_and_others_do_not() -> None:
    """The first hop of every run goes to one of its author's relays, as the routes say that it does."""
    ground = ground_of(60, 0.3, scheme="dandelion")
    practice, rows = observe(ground, runs=120, seed=4, epoch_runs=60)
    observed = practice.observed
    assert observed.relays is not None
    assert observed.routes is not None
    assert observed.epochs is not None
    assert observed.relays.shape == (2, 60, 2)
    assert observed.epochs.tolist() == [0] * 60 + [1] * 60
    assert (observed.relays[0] != observed.relays[1]).any()
    for epoch, author, friend, on_stem in zip(
        observed.epochs, practice.authors, observed.first_friend, observed.on_stem, strict=True
    ):
        route = [node for node in observed.routes[epoch, author].tolist() if node >= 0]
        assert route[0] in observed.relays[epoch, author]
        if on_stem:
            way = [int(author), *route]
            assert ground.spies[way[-1]]
            assert way[-2] == friend
    assert rows["on_stem"].sum() > 20


def test_authors_may_be_given_and_practice_cut_and_joined() -> None:
    ground = ground_of(40, 0.2)
    authors = np.repeat(ground.suspects[:4], 3)
    practice, _ = observe(ground, runs=12, seed=1, authors=authors)
    assert (practice.authors == authors).all()
    again = Practice.joined([practice.of_runs(slice(0, 5)), practice.of_runs(slice(5, None))])
    assert (again.authors == authors).all()
    assert (again.observed.first_at == practice.observed.first_at).all()
    assert again.observed.infected is None
