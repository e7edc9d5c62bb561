"""Presets are what a genesis may hold, and the default is what a mesh has without any."""

from typing import Any, get_type_hints

import msgspec

from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.pace import Pace
from rumor.gossip.presets import BYTES_PER_DAY_RANGE, DEFAULT, PRESETS, ROUTE_LENGTH_RANGE, parameters

FOUNDER = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


def test_every_preset_founds_a_mesh() -> None:
    for name in PRESETS:
        founded = Genesis.found("town", FOUNDER, parameters(name))
        assert Genesis.decode_untrusted(founded.encode()).parameters == parameters(name)


def test_without_a_choice_it_is_the_default() -> None:
    assert parameters() == parameters(DEFAULT) == Parameters()


def test_what_is_given_goes_before_the_preset() -> None:
    assert parameters("quick", route_length=5) == msgspec.structs.replace(parameters("quick"), route_length=5)
    assert parameters("careful", bytes_per_day=5_000_000).bytes_per_day == 5_000_000


def test_ranges_are_those_of_the_genesis() -> None:
    hints: dict[str, Any] = get_type_hints(Parameters, include_extras=True)
    for name, (low, high) in {
        "bytes_per_day": BYTES_PER_DAY_RANGE,
        "route_length": ROUTE_LENGTH_RANGE,
    }.items():
        (limits,) = hints[name].__metadata__
        assert (limits.ge, limits.le) == (low, high)


def test_more_careful_is_slower_and_hides_no_worse() -> None:
    """By the pace that follows, and by what was measured."""
    quick, balanced, careful = PRESETS.values()
    for first, second in ((quick, balanced), (balanced, careful)):
        for members in (50, 150, 1_000):
            paces = [
                Pace.of(Parameters(bytes_per_day=each.bytes_per_day, route_length=each.route_length), members)
                for each in (first, second)
            ]
            assert paces[0].interval_s < paces[1].interval_s
        assert first.figures.keys() == second.figures.keys() >= {50, 150, 500, 1_000}
        for members, slower in second.figures.items():
            faster = first.figures[members]
            assert faster.wait_p50_s < slower.wait_p50_s
            assert faster.wait_p95_s < slower.wait_p95_s
            assert faster.p_named.keys() == slower.p_named.keys() == {0.1, 0.2}
