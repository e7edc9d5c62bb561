"""What spies make of onions: little, unless all relays are theirs or nobody waits."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from flowmodel import flow, setting_of

from rumor.sim.estimators.observations import Handed, SeenPacket, Setting
from rumor.sim.estimators.onion_flow import OnionFlow
from rumor.sim.estimators.sightings import Sightings
from rumor.sim.estimators.stem import StemModel
from rumor.sim.evidence import of_flow, posts_of_flow
from rumor.sim.graphs.graph import Graph
from rumor.sim.metrics import wilson
from rumor.sim.spread.flow import flow as compiled_flow


def seen(name: bytes, at_s: float, friend: int, **what: bool | bytes) -> SeenPacket:
    """A packet that a spy was handed then and everybody had half a minute later."""
    announced = {node: at_s + 30.0 + node / 10 for node in range(1, 5)}
    facts: dict[str, object] = {"is_item": False, **what}
    return SeenPacket(packet_id=name, stemmed=Handed(at_s=at_s, friend=friend), announced=announced, **facts)


@pytest.fixture(scope="module")
def small() -> Setting:
    return setting_of(50, 0.2, 0, mean_degree=6)


@pytest.fixture(scope="module")
def stems(small: Setting) -> StemModel:
    return StemModel(small)


def test_without_spies_everybody_is_as_likely() -> None:
    """Who sees nothing knows nothing."""
    setting = setting_of(20, 0.0, 0, mean_degree=4)
    made = flow(setting, hours=1, post_share=0.5, seed=0)
    estimator = OnionFlow(setting, [packet for packet in made.packets if packet.announced])
    for carrier in made.authors:
        assert estimator.author(carrier) == pytest.approx(dict.fromkeys(range(20), 1 / 20))


def test_if_all_relays_are_spies_the_author_is_traced_and_only_the_stem_is_left() -> None:
    """Every onion is followed to the author's own, and P(named) is what a stem alone would give: the share of spies."""
    hits = count = 0
    largest = []
    for seed in range(2):
        setting = setting_of(50, 0.2, seed)
        made = flow(setting, hours=2, post_share=0.6, seed=seed, relays=sorted(setting.spies))
        estimator = OnionFlow(setting, made.packets)
        for carrier, author in made.authors.items():
            assert estimator.first_packets(carrier) == {made.first_packets[carrier]: pytest.approx(1.0)}
            posterior = estimator.author(carrier)
            hits += max(posterior, key=posterior.__getitem__) == author
            largest.append(max(posterior.values()))
            count += 1
    low, high = wilson(hits, count)
    assert high >= 0.2
    assert low <= np.mean(largest) <= high


def test_of_honest_relays_it_is_as_unsure_as_it_must_be() -> None:
    """With a fifth of the relays it names about one author in twenty of a mesh of 50, and knows that it does: the
    truth weighs on average what calibrated weights do, as the author's onion and as the author."""
    hits = 0
    largest: list[float] = []
    onion_gaps: list[float] = []
    author_gaps: list[float] = []
    for seed in range(3):
        setting = setting_of(50, 0.2, seed)
        made = flow(setting, hours=2, post_share=0.5, seed=seed)
        estimator = OnionFlow(setting, made.packets)
        for carrier, author in made.authors.items():
            posterior, onions = estimator.author(carrier), estimator.first_packets(carrier)
            assert math.isclose(sum(posterior.values()), 1, abs_tol=1e-9)
            assert posterior.keys() == set(setting.honest)
            hits += max(posterior, key=posterior.__getitem__) == author
            largest.append(max(posterior.values()))
            author_gaps.append(posterior[author] - sum(weight**2 for weight in posterior.values()))
            truth = onions.get(made.first_packets[carrier], 0.0)
            onion_gaps.append(truth - sum(weight**2 for weight in onions.values()))
    low, high = wilson(hits, len(largest))
    assert low <= np.mean(largest) <= high
    assert 1 / 40 < np.mean(largest) < 0.07
    for gaps in (onion_gaps, author_gaps):
        assert abs(np.mean(gaps)) < 4 * np.std(gaps) / math.sqrt(len(gaps))


def test_relays_that_hardly_wait_hide_far_less() -> None:
    """An estimator that could not tell would prove nothing: with a hop's delay at the relays instead of 22 hops', the
    author's onion weighs several times as much."""
    weights = []
    for changes in ({}, {"relay_delay_s": 2.0}):
        setting = setting_of(50, 0.2, 5, **changes)
        made = flow(setting, hours=1.5, post_share=0.5, seed=5)
        estimator = OnionFlow(setting, made.packets)
        truths = [
            estimator.first_packets(carrier).get(made.first_packets[carrier], 0.0) for carrier in made.authors
        ]
        weights.append(np.mean(truths))
    assert weights[1] > 3 * weights[0]


def test_of_two_onions_the_later_is_likelier_by_the_law_of_the_delay(
    small: Setting, stems: StemModel
) -> None:
    """A relay waits Exp(D), so two onions a time D apart weigh as e to 1 once both are well past, but for
    the small chance that the later is the child of the earlier."""
    delay_s = small.pace.relay_delay_s
    friend = small.honest[0]
    packets = [
        seen(b"earlier", 0.0, friend),
        seen(b"later", delay_s, friend),
        seen(b"item", 200.0 + 2 * delay_s, friend, is_item=True),
    ]
    weights = OnionFlow(replace(small, route_length=1), packets, stems).first_packets(b"item")
    assert weights[b"later"] / weights[b"earlier"] == pytest.approx(math.e, rel=0.1)


def test_what_spies_opened_or_made_themselves_is_nobodys_parent(small: Setting, stems: StemModel) -> None:
    """Its inside is known, and it was not this; what they relayed for others is as good as any."""
    friend = small.honest[0]
    packets = [
        seen(b"any", 0.0, friend),
        seen(b"opened", 1.0, friend, is_opened=True),
        seen(b"own cover", 2.0, friend, is_ours=True),
        seen(b"relayed", 3.0, friend, is_ours=True, parent=b"opened"),
        seen(b"between", 160.0, friend),
        seen(b"item", 320.0, friend, is_item=True),
    ]
    one, two = (
        OnionFlow(replace(small, route_length=length), packets, stems).first_packets(b"item")
        for length in (1, 2)
    )
    assert one.keys() == {b"any", b"between"}
    assert two.keys() == {b"any", b"opened"}


def test_the_order_in_which_packets_are_told_is_of_no_matter(small: Setting, stems: StemModel) -> None:
    """A pure function of what was seen."""
    made = flow(small, hours=0.5, post_share=0.5, seed=3)
    shuffled = random.Random(1).sample(made.packets, len(made.packets))
    carrier = next(iter(made.authors))
    first = OnionFlow(small, made.packets, stems).author(carrier)
    assert OnionFlow(small, shuffled, stems).author(carrier) == first


def test_of_an_item_that_nobody_saw_nothing_is_known(small: Setting, stems: StemModel) -> None:
    posterior = OnionFlow(small, [], stems).author(b"unseen")
    assert posterior == pytest.approx(dict.fromkeys(small.honest, 1 / len(small.honest)))


def test_columns_of_a_flow_and_packets_one_by_one_say_the_same() -> None:
    """Both ways in give equal posteriors to the last bit, whether an engine's ledger or the compiled flow has them."""
    setting = setting_of(50, 0.2, 1)
    graph = Graph.from_edges(50, [(node, friend) for node in range(50) for friend in setting.friends[node]])
    spies = np.isin(np.arange(50), list(setting.spies))
    made = compiled_flow(graph, spies, setting.pace, hours=1.5, post_share=0.5, seed=3, latency_s=0.05)
    columns, places = of_flow(made, spies)
    packets = []
    for number, row in enumerate(made.packets):
        first, middle = float(row["flood_at"]), float(row["opened_at"])
        announced = {int(row["flood_friend"]): first, -1: middle, -2: 2 * middle - first}
        packets.append(
            SeenPacket(
                packet_id=b"%8d" % number,
                is_item=bool(row["relay"] < 0),
                stemmed=Handed(at_s=float(row["stem_at"]), friend=int(row["stem_friend"]))
                if row["stem_friend"] >= 0
                else None,
                announced=announced if row["flood_friend"] >= 0 else {},
                is_opened=bool(row["relay"] >= 0 and spies[row["relay"]]),
                is_ours=bool(spies[row["injector"]]),
                parent=b"%8d" % row["parent"] if row["parent"] >= 0 and spies[row["injector"]] else None,
            )
        )
    single, names = Sightings.of_packets(packets)
    assert {int(name): place for name, place in names.items()} == {
        number: place for number, place in enumerate(places.tolist()) if place >= 0
    }
    for field in (
        "first_at",
        "first_friend",
        "on_stem",
        "typical_at",
        "is_item",
        "is_opened",
        "is_ours",
        "parents",
    ):
        assert np.array_equal(getattr(single, field), getattr(columns, field)), field
    # The flow keeps a sample of how announcements lie around their median; single packets have all.
    same_spread = replace(single, spread_s=columns.spread_s, spread_by=columns.spread_by)
    stems = StemModel(setting)
    posts = posts_of_flow(made, spies)
    carriers = posts.observed.carriers
    assert carriers is not None
    assert len(carriers) > 20
    found = OnionFlow(setting, columns, stems).authors(carriers)
    assert np.array_equal(OnionFlow(setting, same_spread, stems).authors(carriers), found)
    # By name and by place is the same.
    named = OnionFlow(setting, packets, stems)
    by_place = OnionFlow(setting, single, stems).authors(carriers[:3])
    for place, posterior in zip(carriers[:3].tolist(), by_place, strict=True):
        name = next(name for name, each in names.items() if each == place)
        assert list(named.author(name).values()) == pytest.approx(posterior.tolist(), rel=1e-12)
