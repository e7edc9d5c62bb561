"""Where friends can reach this node: the addresses that go into invitations.

A node that listens on every interface has no one address. It names those of the routes to the outside and, last,
loopback, for friends on the same machine. A node behind a router or with a name of its own says so in its
configuration (``announce``).
"""

import socket
from collections.abc import Iterable

from .transport import format_address, parse_address

__all__ = ["reachable"]

#: Documentation addresses (RFC 5737, RFC 3849): connecting a UDP socket to one sends nothing and shows the route.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def reachable(listening: Iterable[str]) -> list[str]:
    """The multiaddrs under which others may reach these listening ones, best first, without repetition."""
    found: list[str] = []
    loopback: list[str] = []
    for address in listening:
        host, port = parse_address(address)
        if host in _EVERYWHERE:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            found += [format_address(own, port) for own in _own_hosts(family)]
            loopback.append(format_address(_EVERYWHERE[host], port))
        else:
            found.append(address)
    return list(dict.fromkeys(found + loopback[:1]))


def _own_hosts(family: socket.AddressFamily) -> list[str]:
    hosts = []
    for kind, elsewhere in _ELSEWHERE:
        if kind is family:
            with socket.socket(kind, socket.SOCK_DGRAM) as probe:
                try:
                    probe.connect((elsewhere, 9))
                    hosts.append(probe.getsockname()[0])
                except OSError:
                    continue
    return hosts
