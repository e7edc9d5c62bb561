"""The genesis: its id is the hash of all that it fixes, and what makes no mesh is refused."""

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.gossip.errors import LocalError, Malformed
from rumor.gossip.genesis import GENESIS_SIZE_MAX, TRIAL, Genesis, Parameters

KEY = membership.keypair()[1]
GENESIS = Genesis.found("Our mesh", KEY)


def test_it_survives_the_wire() -> None:
    assert Genesis.decode_untrusted(GENESIS.encode()) == GENESIS
    assert len(GENESIS.encode()) < GENESIS_SIZE_MAX


@pytest.mark.parametrize("field", Parameters.__struct_fields__)
def test_every_parameter_is_part_of_the_id(field: str) -> None:
    parameters = msgspec.structs.replace(
        GENESIS.parameters, **{field: getattr(GENESIS.parameters, field) + 1}
    )
    assert Genesis(GENESIS.name, parameters, KEY).mesh_id != GENESIS.mesh_id


def test_name_and_founder_are_part_of_the_id() -> None:
    ids = {
        GENESIS.mesh_id,
        Genesis.found("Other", KEY).mesh_id,
        Genesis.found("Our mesh", membership.keypair()[1]).mesh_id,
    }
    assert len(ids) == 3


@given(st.binary(max_size=200) | st.integers(0, 400).map(lambda cut: GENESIS.encode()[:cut]))
def test_a_decoder_returns_or_raises_its_one_error(data: bytes) -> None:
    try:
        genesis = Genesis.decode_untrusted(data)
    except Malformed:
        return
    assert genesis.encode() == data


LIMITS = {
    name: (meta.ge, meta.le)
    for name, annotation in Parameters.__annotations__.items()
    for meta in annotation.__metadata__
}


@pytest.mark.parametrize(("field", "limits"), LIMITS.items())
def test_parameters_have_limits_that_are_enforced(field: str, limits: tuple[int, int]) -> None:
    low, high = limits
    # Together, the two largest are too much: see below.
    small = {"epoch_s": {"bytes_per_day": 1_000_000}, "bytes_per_day": {"epoch_s": 1}}.get(field, {})
    genesis = Genesis("Our mesh", msgspec.structs.replace(Parameters(), **small), KEY)
    for value, within in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        tree = cbor2.loads(genesis.encode())
        tree[2][Parameters.__struct_fields__.index(field)] = value
        data = cbor2.dumps(tree, canonical=True)
        if within:
            assert getattr(Genesis.decode_untrusted(data).parameters, field) == value
        else:
            with pytest.raises(Malformed):
                Genesis.decode_untrusted(data)


@pytest.mark.parametrize(
    ("epoch_s", "bytes_per_day", "is_right"),
    [(3_600, 1_610_612_736, True), (3_600, 1_610_612_737, False), (86_400, 200_000_000, False)],
)
def test_a_budget_whose_packets_nobody_could_hold_gets_a_sentence(
    epoch_s: int, bytes_per_day: int, is_right: bool
) -> None:
    """Else nodes would drop the packets of the present epoch for want of room, and take none any more."""
    parameters = Parameters(epoch_s=epoch_s, bytes_per_day=bytes_per_day)
    if is_right:
        assert Genesis.found("Large", KEY, parameters).parameters == parameters
        return
    with pytest.raises(LocalError, match=r"With a budget of .* MB a day an epoch may last .* seconds .*\."):
        Genesis.found("Large", KEY, parameters)
    with pytest.raises(Malformed):
        Genesis.decode_untrusted(Genesis("Large", parameters, KEY).encode())


@pytest.mark.parametrize(
    "founder", [bytes(33), b"\x02" + b"\xff" * 32, b"\x04" + KEY[1:]], ids=["zeros", "no point", "no form"]
)
def test_a_founder_without_a_key_is_refused(founder: bytes) -> None:
    """Else the first ring could not be made, in the middle of everything."""
    with pytest.raises(Malformed):
        Genesis.decode_untrusted(Genesis("x", Parameters(), founder).encode())


@pytest.mark.parametrize("name", ["", " ", "a" * 65, "two\nlines", "e\u0301\x07", "\u202e\x00"])
def test_a_name_that_will_not_do_gets_a_sentence(name: str) -> None:
    with pytest.raises(LocalError, match=r"The name of a mesh .*\."):
        Genesis.found(name, KEY)


@pytest.mark.parametrize("name", ["", "two\nlines", "e\u0301", "a" * 65])
def test_such_a_name_from_others_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        Genesis.decode_untrusted(Genesis(name, Parameters(), KEY).encode())


@pytest.mark.parametrize(
    "parameters", [Parameters(), TRIAL, Parameters(epoch_s=1), Parameters(epoch_s=86_400)]
)
@given(moment=st.integers(0, 2**33))
def test_the_start_of_an_epoch_lies_in_it(parameters: Parameters, moment: int) -> None:
    """For any moment of the next 250 years, and to the millisecond."""
    genesis = Genesis("x", parameters, KEY)
    epoch = genesis.epoch_at(moment)
    assert genesis.epoch_at(genesis.start_of(epoch)) == epoch
    assert genesis.epoch_at(genesis.start_of(epoch + 1) - 0.001) == epoch
