"""The report: a run's result as one JSON object."""

import math
from collections.abc import Sequence
from typing import Any

from .estimators import first_spy
from .estimators.observations import Setting
from .experiment import Run
from .fields import rounded
from .ledger import Ledger
from .loop import TICKS_PER_S
from .metrics import Ranking, calibrate, judge, quantile
from .workload import Post

__all__ = ["result"]


def result(run: Run) -> dict[str, Any]:
    """The fields of a result; None where there is nothing to measure."""
    scenario, network = run.scenario, run.network
    posts = list(run.workload.posts.values())
    honest = [host.index for host in network.hosts if host.is_honest]
    published = [post for post in posts if post.published_tick is not None]
    by_spies = [
        {"spies": share, **_judged(run, ledger, published)}
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
    scenario, friendships = run.scenario, run.network.friendships
    honest = [node for node in range(run.graph.node_count) if node not in ledger.spies]
    rankings = [
        Ranking(suspects=first_spy.rank(ledger.heard_of(post.item_id)), author=post.author) for post in posts
    ]
    judged = {"first-spy": calibrate(rankings, honest)} if ledger.spies else {}
    if judged and (scenario.onions or scenario.strategy == "stem"):
        from . import evidence  # numpy takes a quarter of a second, and only this needs it.

        setting = Setting(
            friends=[run.graph.friends_of(node) for node in range(run.graph.node_count)],
            spies=ledger.spies,
            pace=scenario.pace,
            route_length=scenario.route_length,
            latency_s=sum(each.latency_s for each in friendships) / len(friendships),
        )
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
