"""The room for connections of strangers that still shake hands: small, and nobody can fill it for others.

Anybody on the internet can open a TCP connection and then say nothing. Here such connections are counted
while they shake hands. When the room is full, the newcomer is let in and the host (an IPv4 address, or a
/64 of IPv6) that holds the most places loses its oldest one. So a stranger with one address only ever
displaces itself, and a friend behind another address always finds room.

This does not protect against a stranger with thousands of addresses; such a flood delays friends'
handshakes, and nothing more.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from .transport import HANDSHAKE_S_MAX

#: A handshake takes 2 ms of a core, so 16 keep it busy; all friends of a household behind one router fit as
#: well.
HALF_OPEN_MAX = 16


class HalfOpen:
    """The room in which handshakes take place."""

    def __init__(self, *, count_max: int = HALF_OPEN_MAX, seconds_max: float = HANDSHAKE_S_MAX) -> None:
        self._count_max = count_max
        self._seconds_max = seconds_max
        self._places: dict[trio.CancelScope, str] = {}  # In the order of arrival.

    def __len__(self) -> int:
        return len(self._places)

    @contextmanager
    def place(self, address: str) -> Iterator[trio.CancelScope]:
        """Runs the body as a handshake from that IP address; it may be cancelled at any time."""
        if len(self._places) >= self._count_max:
            self._evict()
        with trio.move_on_after(self._seconds_max) as scope:
            self._places[scope] = _host(address)
            try:
                yield scope
            finally:
                self._places.pop(scope, None)

    def _evict(self) -> None:
        held = Counter(self._places.values())
        most = max(held.values())
        oldest = next(scope for scope, host in self._places.items() if held[host] == most)
        del self._places[oldest]
        oldest.cancel()


def _host(address: str) -> str:
    """Returns what one person can hold many of: an IPv6 customer has a whole /64."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)
