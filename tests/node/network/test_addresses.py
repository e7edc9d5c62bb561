"""Our own addresses, as invitations name them."""

from rumor.node.clock import Clock
from rumor.node.network.addresses import reachable
from rumor.node.network.transport import parse_address


def test_an_address_that_names_a_host_is_kept() -> None:
    """Nothing is added to what the person chose, and nothing is named twice."""
    given = ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/2", "/ip4/127.0.0.1/tcp/1"]
    assert reachable(given) == given[:2]


def test_every_interface_becomes_addresses_that_can_be_dialled() -> None:
    """The unspecified address is nowhere; loopback comes last, for friends on this machine."""
    found = reachable(["/ip4/0.0.0.0/tcp/14142", "/ip6/::/tcp/14142"])
    assert found[-1] == "/ip4/127.0.0.1/tcp/14142"
    for address in found:
        host, port = parse_address(address)
        assert host not in ("0.0.0.0", "::")
        assert port == 14142


def test_a_clock_that_is_set_back_stands_still() -> None:
    """The engine never sees time go backwards."""
    times = iter([10.0, 20.0, 5.0, 19.0, 21.0])
    clock = Clock(lambda: next(times))
    assert [clock.now() for _ in range(5)] == [10.0, 20.0, 20.0, 20.0, 21.0]
