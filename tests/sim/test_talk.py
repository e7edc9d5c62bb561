"""Talk: who replies, hearts and whispers is drawn by the seed, arrives as posts do, and is counted alike everywhere."""

import itertools
import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import FAULTS, PLAIN

from rumor.crypto.onion import Command
from rumor.sim import evidence, experiment, report
from rumor.sim.experiment import Run
from rumor.sim.loop import ticks
from rumor.sim.scenario import Scenario
from rumor.sim.talk import Saying

#: A tick in half a minute for each of eight members, a quarter of them spies.
TALKATIVE = {
    "scheme": "onion",
    "nodes": "8",
    "bytes_per_day": "300000000",
    "posts": "5",
    "replies": "3",
    "replies_each": "2",
    "hearts": "2",
    "whispers": "1.5",
    "later_s": "20",
    "hours": "0.5",
    "settle_s": "900",
    "spies": "0.25",
}

#: Seconds from where an item is opened until it is held somewhere, with all retries.
OPENED_S_MAX = 400


def talked(**options: str) -> Run:
    return experiment.run(Scenario.read(PLAIN | TALKATIVE | options))


@pytest.fixture(scope="module")
def run() -> Run:
    return talked()


def counted(run: Run) -> list[dict[bytes, tuple[int, int]]]:
    """At each node: the hearts and the replies of each secret."""
    return [
        {
            secret: (host.engine.board.tally(secret).hearts, len(host.engine.board.replies(nonce)))
            for secret, nonce in sorted(host.engine.board.secrets.items())
        }
        for host in run.network.hosts
        if host.engine is not None
    ]


def spoken(run: Run) -> dict[bytes, tuple[int, int]]:
    """The truth of the same."""
    said = run.talk.said
    hearts, replies = (
        Counter(each.about for each in said[saying].values()) for saying in (Saying.HEARTS, Saying.REPLIES)
    )
    return {secret: (hearts[secret], replies[secret]) for secret in run.workload.posts}


def check(run: Run) -> None:
    """What must hold of every run whose talk has had time to arrive."""
    assert all(counts == spoken(run) for counts in counted(run))
    assert run.network.complaint_count == 0
    for saying, by_id in run.talk.said.items():
        for item_id, each in by_id.items():
            assert each.about is not None
            secret = run.workload.posts[each.about]
            assert each.published_tick is not None, f"one of the {saying} never came"
            others = {host.index for host in run.network.hosts if item_id in host.disk.letters}
            if saying in (Saying.REPLIES, Saying.HEARTS):
                assert set(each.arrivals) == set(range(run.scenario.nodes)) - {each.author}
                assert not others
            else:
                # Its reader has it, and nobody else: neither in letters nor in what spies' relay keys opened.
                [reader] = each.arrivals
                assert others == {each.author, reader}
                assert reader == secret.author or saying is Saying.ANSWERS
                assert not any(item_id in host.disk.items for host in run.network.hosts)
    # What spies' relay keys open they publish, and it is held; none of them is the one who is to read a whisper.
    held = {item_id for host in run.network.hosts for item_id in host.disk.items}
    for opening in run.ledger.openings:
        assert opening.command is not Command.WHISPER
        is_late = opening.tick > run.network.loop.tick - ticks(OPENED_S_MAX)
        assert opening.item_id is None or opening.item_id in held or is_late


def test_everything_arrives_and_is_counted_alike(run: Run) -> None:
    """Replies and hearts at every node, whispers at the one who is to read them, and at nobody else."""
    check(run)
    assert all(len(said) >= 2 for said in run.talk.said.values())


def test_nobody_talks_about_what_it_does_not_hold(run: Run) -> None:
    """And each heart is a member's only one for the secret, and whispers go to others' secrets."""
    for saying, by_id in run.talk.said.items():
        for each in by_id.values():
            assert each.about is not None
            secret = run.workload.posts[each.about]
            if each.author != secret.author:
                assert each.asked_tick > secret.arrivals[each.author]
            elif saying is not Saying.ANSWERS:
                assert saying is Saying.REPLIES
    hearts = [(each.author, each.about) for each in run.talk.said[Saying.HEARTS].values()]
    assert len(hearts) == len(set(hearts))
    spies = run.ledger.spies
    assert not any(each.author in spies for said in run.talk.said.values() for each in said.values())


def test_a_persona_replies_as_often_as_it_is_told(run: Run) -> None:
    """So many replies of a member in one thread, under one tag there; another's are under another."""
    engine = run.network.hosts[0].engine
    assert engine is not None
    tags: dict[bytes, set[tuple[int, bytes | None]]] = {}
    for item_id, each in run.talk.said[Saying.REPLIES].items():
        item = engine.store.get(item_id)
        assert item is not None
        tags.setdefault(item.tags[1], set()).add((each.author, each.about))
    assert all(len(who) == 1 for who in tags.values())
    counts = Counter((each.author, each.about) for each in run.talk.said[Saying.REPLIES].values())
    assert len(tags) == len(counts)
    assert max(counts.values()) == 2


def test_an_author_who_speaks_in_the_thread_has_its_mark(run: Run) -> None:
    engine = run.network.hosts[0].engine
    assert engine is not None
    for item_id, each in run.talk.said[Saying.REPLIES].items():
        item = engine.store.get(item_id)
        assert item is not None
        assert item.reply is not None
        is_marked = item.tags[1] == engine.board.author_tag(item.reply.thread_nonce)
        assert is_marked == (each.author == run.workload.posts[each.about].author)  # type: ignore[index]


def test_the_result_says_what_became_of_it(run: Run) -> None:
    told = report.result(run)
    for saying in Saying:
        counts = told[saying.value]
        assert counts["sent"] == len(run.talk.said[saying])
        came = "read" if saying in (Saying.WHISPERS, Saying.ANSWERS) else "published"
        assert counts[came] == counts["sent"]
        assert 10 < counts["latency_p50_s"] <= counts["latency_p95_s"]
    assert told["replies"]["delivered_fraction"] == told["hearts"]["delivered_fraction"] == 1
    for kind in ("replies", "hearts"):
        judged = told["talk"][kind]
        assert judged["count"] == told[kind]["sent"]
        low, high = judged["p_named_ci95"]
        assert low - 1e-9 <= judged["p_named"] <= high
        assert 1 / 6 < judged["expected_max_posterior"] < 0.5
    for way in ("linked", "lasting"):
        assert told["talk"][way]["1"]["count"] >= told["talk"][way]["2"]["count"] > 0
        assert told["talk"][way]["5"] is None


def test_without_talk_nothing_is_said_of_it() -> None:
    told = report.result(talked(replies="0", hearts="0", whispers="0", hours="0.3"))
    assert not {"talk", *Saying} & told.keys()


def test_repetitions_are_equal_and_secrets_are_those_without_talk() -> None:
    """Talk draws from streams of its own: the same members want to post at the same times."""
    short = {"nodes": "6", "hours": "0.2", "posts": "3", "settle_s": "240"}
    one, again, silent = (
        talked(**short),
        talked(**short),
        talked(**short, replies="0", hearts="0", whispers="0"),
    )
    assert one.network.trace.digest() == again.network.trace.digest()
    assert one.network.trace.digest() != silent.network.trace.digest()
    wanted = [
        sorted((post.asked_tick, post.author) for post in made.workload.posts.values())
        for made in (one, silent)
    ]
    assert wanted[0] == wanted[1]


def test_replies_under_one_persona_are_taken_together(run: Run) -> None:
    """Of one they are what is said of it alone; of more the product, or what lasting ways leave of it."""
    setting = report._setting(run, run.ledger)
    replies = [each.item_id for each in run.talk.said[Saying.REPLIES].values()][:3]
    single = evidence.authors(setting, run.ledger, replies)
    by_product, by_way = evidence.linked(setting, run.ledger, [replies[:1], replies])
    assert by_product[0] == pytest.approx(single[0])
    product = {node: math.prod(each[node] for each in single) for node in setting.honest}
    total = sum(product.values())
    assert by_product[1] == pytest.approx({node: weight / total for node, weight in product.items()})
    for posterior in by_way:
        assert list(posterior) == setting.honest
        assert sum(posterior.values()) == pytest.approx(1)
    assert max(by_way[1].values()) < max(by_product[1].values()) + 0.1


MEANS = st.sampled_from(["0", "0.5", "2"])


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32), replies=MEANS, hearts=MEANS, whispers=MEANS, each=st.integers(1, 3))
def test_whatever_is_said_arrives_where_it_is_to(
    seed: int, replies: str, hearts: str, whispers: str, each: int
) -> None:
    check(
        talked(
            seed=str(seed),
            nodes="5",
            graph="complete",
            mean_degree="4",
            spies="0.2",
            posts="2",
            replies=replies,
            hearts=hearts,
            whispers=whispers,
            replies_each=str(each),
            hours="0.32",
        )
    )


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_tallies_are_equal_after_all_faults_at_once(seed: int) -> None:
    """However replies and hearts came, how often, and whether before what they are about."""
    made = talked(
        **{fault: FAULTS[fault] for fault in FAULTS if fault != "skew"},
        seed=str(seed),
        scheme="flood",
        nodes="10",
        spies="0",
        whispers="0",
        posts="8",
        hearts="3",
        hours="0.6",
        settle_s="1200",
    )
    counts = counted(made)
    assert all(one == other for one, other in itertools.pairwise(counts))
    assert counts[0] == spoken(made)


def test_talk_survives_crashes() -> None:
    """Also whispers: what waits and what was read is on the disk."""
    check(talked(crash="0.1:60", nodes="6", hours="0.5"))


def test_hearts_and_replies_travel_by_any_scheme() -> None:
    made: Any = talked(scheme="diffusion", whispers="0", hours="0.3", settle_s="600")
    check(made)
