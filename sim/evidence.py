"""Evidence: what stands in the spies' ledger, packet by packet, as the estimators want it.

Nothing is added to what spies know: who told them of a packet and when, which onions their relay keys have opened and
what they injected themselves. The same for the packets of ``spread.flow``, which has no ledger.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .estimators.lasting import LastingModel
from .estimators.linked import posterior
from .estimators.observations import Handed, SeenPacket, Setting
from .estimators.onion_flow import OnionFlow
from .estimators.sightings import Sightings
from .estimators.stem import StemModel
from .ledger import Ledger
from .loop import TICKS_PER_S

if TYPE_CHECKING:
    from .estimators.seen import Practice
    from .spread.flow import Flow

__all__ = ["authors", "injectors", "linked", "of_flow", "posts_of_flow", "seen_packets"]


def seen_packets(ledger: Ledger) -> list[SeenPacket]:
    """All packets that honest nodes told spies of."""
    opened = {opening.onion for opening in ledger.openings}
    heads = {packet_id: head for head, packet_id in ledger.onions.items()}
    parents = _parents(ledger)
    items = {packet_id for carriers in ledger.carriers.values() for packet_id in carriers}
    packets = []
    for packet_id in {**dict.fromkeys(heads), **dict.fromkeys(items)}:
        stem = ledger.stemmed.get(packet_id)
        parent = parents.get(packet_id)
        packets.append(
            SeenPacket(
                packet_id=packet_id,
                is_item=packet_id in items,
                stemmed=Handed(at_s=stem[0] / TICKS_PER_S, friend=stem[2]) if stem is not None else None,
                announced={
                    friend: tick / TICKS_PER_S
                    for friend, tick in ledger.first_heard.get(packet_id, {}).items()
                    if stem is None or (tick, friend) != (stem[0], stem[2])
                },
                is_opened=heads.get(packet_id) in opened,
                is_ours=packet_id in ledger.ours,
                parent=parent if packet_id in ledger.ours else None,
            )
        )
    return packets


def _parents(ledger: Ledger) -> dict[bytes, bytes]:
    """The packet that each one was found in, as far as spies opened it."""
    parents: dict[bytes, bytes] = {}
    for opening in ledger.openings:
        outer = ledger.onions.get(opening.onion)
        if outer is None:
            continue
        inner = ledger.onions.get(opening.inner) if opening.inner is not None else None
        if inner is not None:
            parents[inner] = outer
        if opening.item_id is not None:
            for carrier in ledger.carriers.get(opening.item_id, ()):
                if carrier in ledger.ours:
                    parents[carrier] = outer
    return parents


def authors(setting: Setting, ledger: Ledger, item_ids: Sequence[bytes]) -> list[Mapping[int, float]]:
    """What the flow of onions says of the authors of these items: a posterior over the honest nodes for each."""
    flow = OnionFlow(setting, seen_packets(ledger))
    return [flow.author(_first_carrier(ledger, item_id)) for item_id in item_ids]


def linked(
    setting: Setting, ledger: Ledger, groups: Sequence[Sequence[bytes]]
) -> tuple[list[Mapping[int, float]], list[Mapping[int, float]]]:
    """The same of groups of items that are known to be of one author each, taken together.

    First as though the way of each packet were drawn anew (``estimators.linked``), then as though ways last for as long
    as the run (``estimators.lasting``).
    """
    flow = OnionFlow(setting, seen_packets(ledger))
    model = LastingModel(setting, flow.stems, flow.sightings)
    items = list(dict.fromkeys(item_id for group in groups for item_id in group))
    places = [flow.place(_first_carrier(ledger, item_id)) for item_id in items]
    single, seen = flow.authors(places), flow.walks(places)
    rows = {item_id: row for row, item_id in enumerate(items)}
    by_product: list[Mapping[int, float]] = []
    by_way: list[Mapping[int, float]] = []
    for group in groups:
        own = [rows[item_id] for item_id in group]
        for found, together in (
            (by_product, posterior(single[own])),
            (by_way, model.together(seen[own][seen[own].any(axis=1)])),
        ):
            found.append(dict(zip(setting.honest, together.tolist(), strict=True)))
    return by_product, by_way


def injectors(setting: Setting, ledger: Ledger, item_ids: Sequence[bytes]) -> list[Mapping[int, float]]:
    """What stems say of the authors of these items if there are no onions, and injectors are authors."""
    model = StemModel(setting, bare=True)
    packets = {packet.packet_id: packet for packet in seen_packets(ledger)}
    unseen = SeenPacket(packet_id=b"", is_item=True, stemmed=None, announced={})
    return [model.injector(packets.get(_first_carrier(ledger, item_id), unseen)) for item_id in item_ids]


def _first_carrier(ledger: Ledger, item_id: bytes) -> bytes:
    """The packet in which spies first heard of an item; empty if in none."""
    heard = [
        (min(told.values()), carrier)
        for carrier in ledger.carriers.get(item_id, ())
        if (told := ledger.first_heard.get(carrier))
    ]
    return min(heard)[1] if heard else b""


def of_flow(flow: "Flow", spies: NDArray[np.bool_]) -> tuple[Sightings, NDArray[np.intp]]:
    """What spies have of a flow, in columns; and of each of its packets the place there, −1 if spies never saw it."""
    packets = flow.packets
    first_at = np.minimum(packets["stem_at"], packets["flood_at"])
    order = np.argsort(first_at, kind="stable")
    order = order[np.isfinite(first_at[order])]
    places = np.full(len(packets), -1, dtype=np.intp)
    places[order] = np.arange(len(order))
    seen = packets[order]
    on_stem = seen["stem_at"] <= seen["flood_at"]
    is_ours = spies[seen["injector"]]
    known = is_ours & (seen["parent"] >= 0)
    columns = Sightings(
        first_at=first_at[order],
        first_friend=np.where(on_stem, seen["stem_friend"], seen["flood_friend"]),
        on_stem=on_stem,
        typical_at=np.where(np.isfinite(seen["opened_at"]), seen["opened_at"], first_at[order]),
        is_item=seen["relay"] < 0,
        is_opened=(seen["relay"] >= 0) & spies[seen["relay"]],
        is_ours=is_ours,
        parents=np.where(known, places[seen["parent"]], -1),
        spread_s=flow.spread_s,
        spread_by=flow.spread_by,
    )
    return columns, places


def posts_of_flow(flow: "Flow", spies: NDArray[np.bool_]) -> "Practice":
    """The posts of a flow: what spies have of each and of all packets, and apart from it who wrote them."""
    from .estimators.seen import Observed, Practice

    sightings, places = of_flow(flow, spies)
    packets = flow.packets
    shown = np.flatnonzero(packets["is_post"] & (packets["relay"] < 0))
    seen, carriers = packets[shown], places[shown]
    told = carriers >= 0
    on_stem = told & (seen["stem_at"] <= seen["flood_at"])
    first = np.where(on_stem, seen["stem_friend"], seen["flood_friend"])
    observed = Observed(
        first_friend=np.where(told, first, -1).astype(np.int32),
        first_at=np.minimum(seen["stem_at"], seen["flood_at"]).astype(np.float32),
        on_stem=on_stem,
        sightings=sightings,
        carriers=carriers,
    )
    # What own clocks injected comes first, in the order of ticks.
    return Practice(observed=observed, authors=packets["injector"][seen["tick"]])
