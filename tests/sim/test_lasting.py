"""Ways that last: what several posts say together is no more than they do, and is learnt from all that is seen."""

import numpy as np
import pytest
from grounds import ground_of

from rumor.sim.estimators import lasting, linked
from rumor.sim.estimators.lasting import LastingModel
from rumor.sim.estimators.stem import StemModel

SETTING = ground_of(40, 0.2, 3, scheme="stem").setting
STEMS = StemModel(SETTING)


def test_ways_together_are_what_tables_of_stems_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which were counted out, and are of fresh choices."""
    monkeypatch.setattr(lasting, "WAYS", 1_000)
    model = LastingModel(SETTING, STEMS, np.empty(0, dtype=np.intp))
    count = len(STEMS.index)
    drawn = model._laws.reshape(count, 1_000, -1).mean(axis=1)
    told = np.hstack([STEMS.seen, STEMS.starts @ STEMS.announces])
    assert drawn == pytest.approx(told / told.sum(axis=1, keepdims=True), abs=0.05)


def test_posts_by_lasting_ways_are_as_telling_as_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as sure as it is right, where whoever multiplies is far too sure; and it is right more often."""
    random = np.random.default_rng(5)
    count = len(STEMS.index)
    named: dict[str, list[tuple[float, float]]] = {"lasting": [], "linked": []}
    for day in range(8):
        with monkeypatch.context() as within:
            within.setattr(lasting, "WAYS", 1)
            truth = LastingModel(SETTING, STEMS, np.empty(0, dtype=np.intp), seed=100 + day)._laws
        seen = np.array([random.choice(2 * count, p=truth[node]) for node in range(count) for _ in range(50)])
        model = LastingModel(SETTING, STEMS, seen)
        shares = np.bincount(seen, minlength=2 * count) / len(seen)
        for author in range(count):
            walks = np.array([0.5 * shares for _ in range(8)])
            for post in walks:
                # The author's own packet, or as likely somebody's.
                post[random.choice(2 * count, p=truth[author] if random.random() < 0.5 else shares)] += 0.5
            for name, posterior in (
                ("lasting", model.together(walks)),
                ("linked", linked.posterior(STEMS.injectors(walks))),
            ):
                named[name].append((float(posterior.argmax() == author), float(posterior.max())))
    hits = {name: np.mean([hit for hit, _ in found]) for name, found in named.items()}
    sure = {name: np.mean([largest for _, largest in found]) for name, found in named.items()}
    assert sure["lasting"] == pytest.approx(hits["lasting"], abs=0.07)
    assert sure["linked"] > 1.5 * hits["linked"]
    assert hits["lasting"] > hits["linked"]
