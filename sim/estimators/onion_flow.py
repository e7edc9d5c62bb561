"""Onion-flow Bayes: who wrote an item that relays published.

What spies do who share all that they see, hold some of the relay keys and know everything but others' draws. They go
back from the packet that showed the item: a relay had opened an onion and injected this an exponential delay later.
If the relay was a spy they know which onion it was. If not, it was any onion that none of them opened, the likelier
the better its time fits. After as many steps as a route has relays they have weights for all onions that may have
been the author's own, and for each of these what ``stem`` says of its injector; the sum is the posterior.

*Weights.* An honest node's onion c is its own clock's, with rate ``o`` over all honest nodes, or from a relay that
opened some p: rate ``f(c − p)``, if p held another onion, which holds for a share ``a`` of them. So c is the first
of its route with probability ``ρ_0(c) = o / (a·Z_c + o)``, where ``Z_c = Σ_p f(c − p)``, and the next after p at
place i with ``ρ_i(c) = Σ_p ρ_{i−1}(p)·f(c − p) / (a·Z_c + o)``. Where a spy relayed, ``ρ_i(c) = ρ_{i−1}(p) / a``.
For an item c at the end the last relay's onion has ``Σ_p ρ_{k−1}(p)·f(c − p)``, normed.

*Times.* Spies see neither when a packet was injected nor when a relay had it. ``f`` is the density of what they do
see: from the median of honest nodes' announcements of the parent to the first sighting of the child. It is the
convolution of the relay's delay, of the lag from injection to the first sighting (hops as ``stem`` counts them; one
density for stems, one for floods) and of how openings spread around that median, which all floods show alike.

Assumed, and so the limits of what it can find out: all honest nodes tick and relay alike; relays are uniform; an
onion's parent is independent of those of others (that a packet has but one child is not used); the injector of a
relayed onion is no clue, since nobody knows whose a relay key is; the lag and the injector are independent given
how the packet was first seen; packets that spies dropped or held back are not told apart; a post is its
first carrier's.

Cost: P packets take ``O(P)`` and two convolutions over the run; a post takes ``route_length`` convolutions over the
time that a route may take, by FFT, and one product with the table of ``stem``, ``O(H²)``, or what ``wide_stem`` takes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

from ...crypto.onion import HOPS_MAX
from ...gossip.mixing import LOOP_SHARE
from ...gossip.pace import Pace
from ..arrays import Array
from .observations import SeenPacket, Setting
from .sightings import Sightings
from .stem import StemModel
from .wide_stem import WideStemModel

if TYPE_CHECKING:
    from .seen import Ground, Observed

__all__ = ["OnionFlow", "posterior", "routes_s"]

#: Steps of the grid of times in a hop's mean delay.
STEPS_PER_HOP: Final = 4
#: Steps in a relay's mean delay, at the most: where relays wait for hours, seconds tell nothing.
STEPS_PER_DELAY_MAX: Final = 1_500
#: One relay in so many waits for longer than is looked back, and so do as many routes.
LATE: Final = 3_000
#: Mean delays after which a relay has injected all but those.
DELAYS_MAX: Final = math.log(LATE)
#: Hops' mean delays that stem and flood may take together.
LAG_HOPS_MAX: Final = 60.0
#: Hops' mean delays that an opening may lie off the median.
SPREAD_HOPS_MAX: Final = 15.0
#: Posts whose weights are put before ``stem`` at one time.
TOGETHER: Final = 64
#: Spectra of a density that are kept: windows of posts in one run are nearly all as long.
KERNELS_MAX: Final = 64
#: What a convolution by FFT leaves where nothing is, of the largest value.
NOISE: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Density:
    """A density on the grid."""

    values: Array
    """Per second."""
    first: int
    """The step of the first value; may be negative."""
    kernels: dict[int, NDArray[np.complex128]] = field(default_factory=dict)
    """Its spectra, by size."""

    def kernel(self, size: int) -> NDArray[np.complex128]:
        """Its spectrum on a grid of this size."""
        found = self.kernels.get(size)
        if found is None:
            if len(self.kernels) >= KERNELS_MAX:
                self.kernels.clear()
            found = self.kernels[size] = fft.rfft(self.values, size)
        return found


def routes_s(pace: Pace, route_length: int) -> float:
    """After so many seconds all but one in ``LATE`` items are out that were in so many layers."""
    # Waits of relays add up to one of Erlang's distribution.
    waits = float(special.gammainccinv(route_length, 1 / LATE))
    return waits * pace.relay_delay_s + (route_length + 1) * (LAG_HOPS_MAX + SPREAD_HOPS_MAX) * pace.hop_s


def posterior(observed: "Observed", ground: "Ground") -> Array:
    """Of shape (runs, suspects): a run is a post, and all packets of the mesh are asked about it."""
    assert observed.sightings is not None
    assert observed.carriers is not None
    return OnionFlow(ground.setting, observed.sightings, ground.stems).authors(observed.carriers)


class OnionFlow:
    """All that spies have seen, ready to be asked."""

    def __init__(
        self,
        setting: Setting,
        packets: Sequence[SeenPacket] | Sightings,
        stems: StemModel | WideStemModel | None = None,
    ) -> None:
        """``stems``: that of the same setting, if it is at hand."""
        self._setting = setting
        self._stems = stems or StemModel(setting)
        pace = setting.pace
        self._step_s = max(pace.hop_s / STEPS_PER_HOP, pace.relay_delay_s / STEPS_PER_DELAY_MAX)
        self._reach_s = setting.pace.hop_s * SPREAD_HOPS_MAX
        self._back_s = routes_s(pace, setting.route_length)
        self._places: Mapping[bytes, int] = {}
        if isinstance(packets, Sightings):
            self._seen = packets
        else:
            self._seen, self._places = Sightings.of_packets(packets)
        seen = self._seen
        self._seen_at, self._open_at = seen.first_at, seen.typical_at
        self._on_stem, self._is_ours, self._parents = seen.on_stem, seen.is_ours, seen.parents
        self._sightings = self._stems.columns(seen.first_friend, seen.on_stem)
        # What spies injected of their own accord they know to the end, and have no use for here.
        self._may_hold = ~seen.is_item & ~seen.is_opened & ~(seen.is_ours & (seen.parents < 0))
        self._weigh()

    def author(self, carrier: bytes) -> Mapping[int, float]:
        """The posterior over the honest nodes, for the packet that first showed the item; uniform if none was seen."""
        posterior = self.authors([self._places.get(carrier, -1)])[0]
        return dict(zip(self._setting.honest, posterior.tolist(), strict=True))

    def first_packets(self, carrier: bytes) -> Mapping[bytes, float]:
        """The weight of each onion as the author's own; nothing if the carrier was not seen, or has no parent."""
        weights = self.first_places(self._places.get(carrier, -1))
        names = {place: name for name, place in self._places.items()}
        return {names[int(place)]: float(weights[place]) for place in np.flatnonzero(weights)}

    def authors(self, carriers: Sequence[int] | NDArray[np.intp]) -> Array:
        """Of shape (carriers, honest), for the places of packets that first showed an item, −1 if none did."""
        honest = len(self._setting.honest)
        found = np.full((len(carriers), honest), 1 / honest)
        for first in range(0, len(carriers), TOGETHER):
            walks = self.walks(carriers[first : first + TOGETHER])
            rows = np.flatnonzero(walks.any(axis=1))
            if len(rows):
                found[first + rows] = self._stems.injectors(walks[rows])
        return found

    def walks(self, carriers: Sequence[int] | NDArray[np.intp]) -> Array:
        """Of shape (carriers, columns): how the packets that may have been the author's own were first seen, by
        ``stems.columns``; all 0 if nothing leads to any."""
        found = np.zeros((len(carriers), 2 * len(self._setting.honest)))
        for row, place in enumerate(carriers):
            walked = self._walk(int(place))
            if walked is not None:
                window, weights = walked
                found[row] = np.bincount(self._sightings[window], weights, minlength=found.shape[1])
        return found

    def place(self, carrier: bytes) -> int:
        """Where the packet of this id stands, for ``authors``; −1 if it was not seen."""
        return self._places.get(carrier, -1)

    @property
    def stems(self) -> StemModel | WideStemModel:
        """What a packet's first sighting says of who injected it."""
        return self._stems

    @property
    def sightings(self) -> NDArray[np.intp]:
        """By ``stems.columns``, how each packet was first seen that is no spy's."""
        return np.asarray(self._sightings[~self._is_ours])

    def first_places(self, carrier: int) -> Array:
        """By place: the weight of each packet as the author's own; all 0 if nothing leads there."""
        found = np.zeros(len(self._seen))
        walked = self._walk(carrier)
        if walked is not None:
            window, weights = walked
            found[window] = weights
        return found

    def _walk(self, place: int) -> tuple[slice, Array] | None:
        """Goes back from a packet; returns the window of packets that a route may take, and their weights."""
        if place < 0:
            return None
        steps = self._setting.route_length
        at = self._seen_at[place]
        # A parent may be seen a little later than its child, if relays hardly wait.
        start, stop = np.searchsorted(self._seen_at, [at - self._back_s, at + self._reach_s])
        window = slice(int(start), max(int(stop), place + 1))
        grid = _Grid(self._seen_at[window], self._open_at[window], self._step_s)
        weights = np.zeros(window.stop - window.start)
        weights[place - window.start] = 1.0
        for step in range(steps):
            # The item's packet is what was asked about; it is no onion and has no rates to be weighed against.
            rates = self._rates[window] if step else np.ones(len(weights))
            known_share = self._known_share if step else 1.0
            weights = self._back(weights, window, grid, rates, known_share)
        weights *= np.where(self._is_ours[window], 0.0, self._own_rate / self._rates[window])
        total = weights.sum()
        return None if total <= 0 else (window, weights / total)

    def _back(self, weights: Array, window: slice, grid: "_Grid", rates: Array, known_share: float) -> Array:
        ours, on_stem = self._is_ours[window], self._on_stem[window]
        honest = np.where(ours, 0.0, weights / rates)
        parts = [(np.where(on_stem == kind, honest, 0.0), each) for kind, each in self._density.items()]
        earlier = grid.backward(parts) * self._may_hold[window]
        parents = self._parents[window] - window.start
        known = np.flatnonzero((weights > 0) & ours & (parents >= 0))
        np.add.at(earlier, parents[known], weights[known] / known_share)
        return earlier

    def _weigh(self) -> None:
        setting = self._setting
        drop, loop = setting.route_length, min(setting.route_length, HOPS_MAX - 1) + 1
        onions = (1 - LOOP_SHARE) * drop + LOOP_SHARE * loop
        self._known_share = (onions - 1) / onions
        self._own_rate = len(setting.honest) / setting.pace.interval_s
        self._density = self._densities()
        self._rates = np.full(len(self._seen), self._own_rate)
        if not len(self._seen):
            return
        grid = _Grid(self._seen_at, self._open_at, self._step_s)
        for kind, density in self._density.items():
            held = grid.forward(self._may_hold.astype(np.float64), density)
            self._rates += np.where(self._on_stem == kind, self._known_share * held, 0.0)

    def _densities(self) -> dict[bool, _Density]:
        """By whether the child was first seen on its stem."""
        pace, step_s = self._setting.pace, self._step_s
        hops = np.arange(0.0, LAG_HOPS_MAX * pace.hop_s + 2 * self._setting.transfer_s, step_s)
        hop = _normed(np.exp(-hops / pace.hop_s))
        hop = np.concatenate([np.zeros(round(self._setting.latency_s / step_s)), hop])[: len(hops)]
        delays = np.arange(0.0, DELAYS_MAX * pace.relay_delay_s, step_s)
        delay = _normed(np.exp(-delays / pace.relay_delay_s))
        spread, first = self._spread()
        relayed = np.convolve(delay, spread)
        heard = np.minimum(self._stems.hearing_s / step_s, len(hops) - 1).astype(np.intp)
        hearing = _normed(np.bincount(heard, minlength=len(hops)) + 1e-9)
        flood_lag = np.convolve(_hops(hop, self._stems.start_hops, len(hops)), np.convolve(hop, hearing))
        lags = {True: _hops(hop, self._stems.seen_hops, len(hops)), False: flood_lag[: len(hops)]}
        return {
            kind: _Density(values=_normed(np.convolve(relayed, lag)) / step_s, first=first)
            for kind, lag in lags.items()
        }

    def _spread(self) -> tuple[Array, int]:
        """How openings at honest nodes lie around the median announcement, on the grid, and the first step."""
        hop_s, seen = self._setting.pace.hop_s, self._seen
        spies = np.array(
            [sum(friend in self._setting.spies for friend in friends) for friends in self._setting.friends]
        )
        # A node with so many spies for friends tells the first of them so long after it opened the packet.
        telling_s = hop_s / np.maximum(1, spies[seen.spread_by]) + self._setting.latency_s
        offsets = seen.spread_s - telling_s if len(seen.spread_s) else np.zeros(1)
        reach = round(self._reach_s / self._step_s)
        steps = np.clip(np.round(offsets / self._step_s), -reach, reach).astype(np.intp)
        return _normed(np.bincount(steps + reach, minlength=2 * reach + 1)), -reach


class _Grid:
    """Sightings and openings in steps of time, to be convolved."""

    def __init__(self, seen_at: Array, open_at: Array, step_s: float) -> None:
        origin = min(seen_at.min(), open_at.min())
        self._seen = np.floor((seen_at - origin) / step_s).astype(np.intp)
        self._open = np.floor((open_at - origin) / step_s).astype(np.intp)
        self._last = int(max(self._seen.max(), self._open.max())) + 1

    def forward(self, weights: Array, density: _Density) -> Array:
        """At each sighting, the sum of weighted densities since the openings."""
        size = self._size([density])
        opened = np.bincount(self._open, weights, minlength=size)
        sums = _clean(fft.irfft(fft.rfft(opened) * density.kernel(size), size))
        return np.asarray(sums[(self._seen - density.first) % size])

    def backward(self, parts: Sequence[tuple[Array, _Density]]) -> Array:
        """At each opening, the sum of weighted densities up to the sightings; each part has a density of its own."""
        size = self._size([density for _, density in parts])
        first = parts[0][1].first
        total = np.zeros(size // 2 + 1, dtype=np.complex128)
        for weights, density in parts:
            assert density.first == first
            if weights.any():
                seen = np.bincount(self._seen, weights, minlength=size)
                total += fft.rfft(seen) * density.kernel(size).conj()
        sums = _clean(fft.irfft(total, size))
        return np.asarray(sums[(self._open + first) % size])

    def _size(self, densities: Sequence[_Density]) -> int:
        longest = max(len(density.values) - density.first for density in densities)
        # Rounded up, so that few sizes and so few spectra are wanted.
        unit = 1 << max(0, (self._last + longest).bit_length() - 4)
        return int(fft.next_fast_len(-(-(self._last + longest) // unit) * unit, real=True))


def _clean(sums: Array) -> Array:
    return np.where(sums > NOISE * sums.max(), sums, 0.0)


def _hops(hop: Array, counts: Array, size: int) -> Array:
    """The density of as many hops as this distribution says."""
    total, summed = np.zeros(size), np.zeros(size)
    summed[0] = 1.0
    for share in counts:
        total += share * summed
        summed = np.convolve(summed, hop)[:size]
    return _normed(total + 1e-15)


def _normed(weights: NDArray[Any]) -> Array:
    return np.asarray(weights / max(float(weights.sum()), 1e-300), dtype=np.float64)
