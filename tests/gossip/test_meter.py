"""The meter: what it says was measured, and it never says more than theory allows."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.gossip.genesis import Parameters
from rumor.gossip.meter import SPIES, measure
from rumor.gossip.presets import PRESETS, parameters


@pytest.mark.parametrize("name", PRESETS)
def test_where_it_was_measured_it_says_what_was_measured(name: str) -> None:
    for members, figures in PRESETS[name].figures.items():
        for spies in SPIES:
            meter = measure(parameters(name), members, spies)
            assert meter.named == pytest.approx(figures.p_named[spies], rel=1e-6)
            assert meter.set_size == round(1 / meter.named)


@given(
    members=st.integers(8, 1_024),
    route_length=st.integers(1, 5),
    spies=st.sampled_from(SPIES),
)
def test_it_stays_between_the_bound_and_certainty_and_more_members_hide_better(
    members: int, route_length: int, spies: float
) -> None:
    chosen = msgspec.structs.replace(Parameters(), route_length=route_length)
    meter = measure(chosen, members, spies)
    caught = spies**route_length
    assert meter.caught == caught
    assert caught * spies + (1 - caught) * meter.guess <= meter.named + 1e-12
    assert meter.guess <= meter.named <= 1
    assert measure(chosen, members + 50, spies).named <= meter.named
    assert measure(chosen, members, 0.2).named >= measure(chosen, members, 0.1).named


def test_more_under_one_face_hides_worse() -> None:
    """As measured: about half as well with the fourth reply, and a quarter with the tenth; never below one."""
    meter = measure(parameters("balanced"), 150, 0.1)
    assert meter.set_of(1) == meter.set_size
    assert meter.set_of(4) == pytest.approx(meter.set_size / 2, abs=1)
    assert meter.set_of(10) == pytest.approx(meter.set_size / 4, abs=1)
    assert meter.set_of(10_000) == 1


def test_more_relays_hide_better() -> None:
    lengths = [msgspec.structs.replace(Parameters(), route_length=each) for each in (1, 2, 3, 4)]
    named = [measure(each, 500, 0.2).named for each in lengths]
    assert named == sorted(named, reverse=True)
