"""The report: a run's result as one JSON object."""

import math
from collections.abc import Sequence
from typing import Any, Final

from ..gossip.items import ItemId
from .estimators import first_spy
from .estimators.observations import Setting
from .experiment import Run
from .fields import rounded
from .ledger import Ledger
from .loop import TICKS_PER_S
from .metrics import Anonymity, Ranking, calibrate, judge, quantile
from .talk import Saying
from .workload import Post

__all__ = ["LINKED", "result"]

#: Replies under one persona that are taken together.
LINKED: Final = (1, 2, 5, 10)


def result(run: Run) -> dict[str, Any]:
    """The fields of a result; None where there is nothing to measure."""
    scenario, network = run.scenario, run.network
    posts = list(run.workload.posts.values())
    honest = [host.index for host in network.hosts if host.is_honest]
    published = [post for post in posts if post.published_tick is not None]
    by_spies = [
        {"spies": share, **_judged(run, ledger, published), **_talk_judged(run, ledger)}
        for share, ledger in zip(scenario.spies, run.ledgers, strict=True)
    ]
    latencies = [_seconds(post.published_tick or 0, post.asked_tick) for post in published]
    low_degree, high_degree = int(run.graph.degrees.min()), int(run.graph.degrees.max())
    counts = [host.packet_counts() for host in network.hosts]
    copies, kept = sum(came for came, _ in counts), sum(kept for _, kept in counts)
    fields: dict[str, Any] = {
        "scheme": scenario.scheme,
        "graph": scenario.graph,
        "nodes": scenario.nodes,
        "mean_degree": run.graph.mean_degree,
        "degree_min": low_degree,
        "degree_max": high_degree,
        "hours": scenario.hours,
        "crypto": scenario.crypto,
        "own_clock_s": scenario.pace.interval_s if scenario.onions else None,
        "seed": scenario.seed,
        "posts": len(posts),
        "posts_published": len(published),
        "posts_refused": run.workload.refused_count,
        **by_spies[-1],
        **({"by_spies": by_spies} if len(by_spies) > 1 else {}),
        **_talk(run, honest),
        "coverage_t50_s": quantile([_coverage(post, honest, 0.50) for post in published], 0.5),
        "coverage_t99_s": quantile([_coverage(post, honest, 0.99) for post in published], 0.5),
        "latency_p50_s": quantile(latencies, 0.50),
        "latency_p95_s": quantile(latencies, 0.95),
        "copies_per_node": copies / kept if kept else None,
        "bytes_per_node_day": sum(host.sent_size for host in network.hosts)
        / scenario.nodes
        / scenario.duration_s
        * 86_400,
        "delivered_fraction": _delivered(posts, honest),
        "complaints": network.complaint_count,
        "links_refused": network.refused_count,
        "events": network.event_count,
        "frames": network.trace.frame_count,
        "events_per_s": network.event_count / run.busy_s,
        "virtual_s_per_s": scenario.duration_s / run.busy_s,
        "setup_s": run.setup_s,
        "trace": network.trace.digest(),
        "version": run.version,
        "command": scenario.command(),
    }
    return {name: rounded(value) for name, value in fields.items()}


def _judged(run: Run, ledger: Ledger, posts: Sequence[Post]) -> dict[str, Any]:
    """What the spies of one ledger make of these posts. The estimator that names most counts."""
    scenario = run.scenario
    honest = [node for node in range(run.graph.node_count) if node not in ledger.spies]
    rankings = [
        Ranking(suspects=first_spy.rank(ledger.heard_of(post.item_id)), author=post.author) for post in posts
    ]
    judged = {"first-spy": calibrate(rankings, honest)} if ledger.spies else {}
    if judged and (scenario.onions or scenario.strategy == "stem"):
        from . import evidence  # numpy takes a quarter of a second, and only this needs it.

        setting = _setting(run, ledger)
        name, ask = ("onion-flow", evidence.authors) if scenario.onions else ("stem", evidence.injectors)
        posteriors = ask(setting, ledger, [post.item_id for post in posts])
        judged[name] = judge(posteriors, [post.author for post in posts])
    estimator, anonymity = max(
        ((name, each) for name, each in judged.items() if each is not None),
        key=lambda entry: entry[1].p_named,
        default=(None, None),
    )
    sureness = anonymity.fields() if anonymity else {"entropy_bits": None, "expected_max_posterior": None}
    return {
        "estimator": estimator,
        "p_named": anonymity and rounded(anonymity.p_named),
        "p_named_ci95": anonymity and rounded(list(anonymity.p_named_ci95)),
        **({name: rounded(value) for name, value in sureness.items()}),
        "estimators": {
            name: {
                "p_named": rounded(each.p_named),
                "entropy_bits": rounded(each.entropy_bits),
                "expected_max_posterior": rounded(each.expected_max_posterior),
            }
            for name, each in judged.items()
            if each is not None
        },
    }


def _setting(run: Run, ledger: Ledger) -> Setting:
    """What these spies know beforehand."""
    friendships = run.network.friendships
    return Setting(
        friends=[run.graph.friends_of(node) for node in range(run.graph.node_count)],
        spies=ledger.spies,
        pace=run.scenario.pace,
        route_length=run.scenario.route_length,
        latency_s=sum(each.latency_s for each in friendships) / len(friendships),
    )


def _talk(run: Run, honest: Sequence[int]) -> dict[str, Any]:
    """What became of what members said about secrets; nothing if nobody was to say anything."""
    if not run.scenario.talks:
        return {}
    fields: dict[str, Any] = {}
    for saying, by_id in run.talk.said.items():
        said = list(by_id.values())
        came = [each for each in said if each.published_tick is not None]
        is_letter = saying in (Saying.WHISPERS, Saying.ANSWERS)
        latencies = [_seconds(each.published_tick or 0, each.asked_tick) for each in came]
        fields[saying.value] = {
            "sent": len(said),
            "read" if is_letter else "published": len(came),
            "refused": run.talk.refused_counts[saying],
            "latency_p50_s": rounded(quantile(latencies, 0.50)),
            "latency_p95_s": rounded(quantile(latencies, 0.95)),
            **({} if is_letter else {"delivered_fraction": rounded(_delivered(said, honest))}),
        }
    return fields


def _talk_judged(run: Run, ledger: Ledger) -> dict[str, Any]:
    """What the spies of one ledger make of replies and hearts, and of several replies under one persona."""
    if not (run.scenario.talks and run.scenario.onions and ledger.spies):
        return {}
    from . import evidence

    fields: dict[str, Any] = {}
    for saying in (Saying.REPLIES, Saying.HEARTS):
        said = [each for each in run.talk.said[saying].values() if each.published_tick is not None]
        posteriors = evidence.authors(_setting(run, ledger), ledger, [each.item_id for each in said])
        fields[saying.value] = _sureness(judge(posteriors, [each.author for each in said]))
    if run.scenario.replies_each > 1:
        fields |= _linked(run, ledger)
    return {"talk": fields}


def _linked(run: Run, ledger: Ledger) -> dict[str, Any]:
    """The same of the first so many replies under each persona, which has as many, taken together."""
    from . import evidence

    personas: dict[tuple[int, ItemId | None], list[Post]] = {}
    replies = [each for each in run.talk.said[Saying.REPLIES].values() if each.published_tick is not None]
    for reply in sorted(replies, key=lambda each: each.published_tick or 0):
        personas.setdefault((reply.author, reply.about), []).append(reply)
    groups = [
        (author, [each.item_id for each in found[:count]])
        for count in LINKED
        for (author, _), found in personas.items()
        if len(found) >= count
    ]
    fields: dict[str, Any] = {}
    for name, posteriors in zip(
        ("linked", "lasting"),
        evidence.linked(_setting(run, ledger), ledger, [group for _, group in groups]),
        strict=True,
    ):
        judged = [
            (author, len(group), posterior)
            for (author, group), posterior in zip(groups, posteriors, strict=True)
        ]
        fields[name] = {
            str(count): _sureness(
                judge(
                    [posterior for _, size, posterior in judged if size == count],
                    [author for author, size, _ in judged if size == count],
                )
            )
            for count in LINKED
        }
    return fields


def _sureness(anonymity: Anonymity | None) -> dict[str, Any] | None:
    """How well whoever said such things is hidden."""
    if anonymity is None:
        return None
    return {
        "count": anonymity.posts,
        "p_named": rounded(anonymity.p_named),
        "p_named_ci95": rounded(list(anonymity.p_named_ci95)),
        "expected_max_posterior": rounded(anonymity.expected_max_posterior),
        "effective_set": rounded(anonymity.effective_set),
        "calibrated": anonymity.calibration.holds,
    }


def _seconds(later: int, earlier: int) -> float:
    return (later - earlier) / TICKS_PER_S


def _coverage(post: Post, honest: Sequence[int], share: float) -> float:
    """Seconds from publication until so many of the honest nodes had it; infinity if they never did."""
    assert post.published_tick is not None
    others = [node for node in honest if node != post.author]
    ticks = sorted(post.arrivals[node] for node in others if node in post.arrivals)
    needed = math.ceil(share * len(others))
    return _seconds(ticks[needed - 1], post.published_tick) if 0 < needed <= len(ticks) else math.inf


def _delivered(posts: Sequence[Post], honest: Sequence[int]) -> float | None:
    """The share of honest nodes, other than the author, that got a post, over all posts."""
    wanted = sum(len(honest) - (post.author in honest) for post in posts)
    got = sum(node in post.arrivals for post in posts for node in honest)
    return got / wanted if wanted else None
