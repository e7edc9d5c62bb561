"""The demo: a whole mesh of real nodes on this machine, in one process and under a minute.

Real transports over loopback, real invitations, real proofs in worker processes, encrypted stores in a temporary
folder, and everything that is posted travels as in any mesh: own clocks, onions over three relay keys, cover. Only the
times are short and the people are missing: words are compared by the program. The friendships form a small world (Watts
and Strogatz, Nature 393, 1998): a ring of neighbours with a few shortcuts.
"""

import os
import random
import resource
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from ..gossip.bodies import Kind
from ..gossip.events import ItemAccepted
from ..gossip.genesis import TRIAL, Parameters
from ..gossip.pace import PACKET_SIZE
from .account import Account
from .network.libp2p_transport import Libp2pTransport
from .node import Node
from .storage.database import open_store
from .workers import open_workers

__all__ = ["DemoError", "run_demo", "small_world"]

#: A relay day of 24 s: relay keys are made in the first seconds of membership and may be used 12 s later.
PARAMETERS: Final = msgspec.structs.replace(
    TRIAL, epoch_s=2, relay_day_epochs=12, friends_min=2, item_lifetime_epochs=100_000
)
#: Mean seconds between two ticks of an own clock; and packets that all nodes together may have to verify in a second,
#: which is what keeps larger demos from being quicker than the machine.
INTERVAL_S: Final = 1.5
VERIFICATIONS_PER_S: Final = 200
POSTS_PER_NODE: Final = 2
#: Neighbours on each side, and the share of friendships that become shortcuts.
REACH: Final = 2
SHORTCUT_SHARE: Final = 0.2
TEXTS: Final = (
    "I still have the library book from 2009.",
    "I practise my laugh before parties.",
    "I told everyone I quit. I was let go.",
    "I water my neighbour's plants when she is away, without being asked.",
    "I have never liked the coffee I recommend.",
    "I answer the quiz in the paper in pen, after looking.",
    "I miss a friend and do not know how to begin.",
    "My best idea at work was my daughter's.",
)

Say = Callable[[str], None]


class DemoError(Exception):
    """The demo did not come to its end; the message says where it stopped."""


def small_world(count: int, choice: random.Random) -> list[tuple[int, int]]:
    """Friendships of a connected small world over ``count`` nodes, each (lower, higher), sorted."""
    edges = set()
    for node in range(count):
        for step in range(1, REACH + 1):
            other = (node + step) % count
            if step > 1 and choice.random() < SHORTCUT_SHARE:
                other = choice.randrange(count)
            if other != node:
                edges.add((min(node, other), max(node, other)))
    return sorted(edges)


def invitation_order(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The friendships as (inviter, invited), those that bring somebody into the mesh first, outwards from node 0."""
    order, known, queue = [], {0}, deque([0])
    while queue:
        node = queue.popleft()
        for pair in edges:
            other = sum(pair) - node
            if node in pair and other not in known:
                known.add(other)
                queue.append(other)
                order.append((node, other))
    brought = {frozenset(pair) for pair in order}
    return order + [pair for pair in edges if frozenset(pair) not in brought]


def parameters_for(count: int) -> Parameters:
    """The parameters of a demo with so many nodes: relay keys enough before anybody posts, and a quick pace."""
    floods = PARAMETERS.route_length + 1
    interval_s = max(INTERVAL_S, count**2 * floods / VERIFICATIONS_PER_S)
    return msgspec.structs.replace(
        PARAMETERS,
        bytes_per_day=int(count * floods * PACKET_SIZE * 86_400 / interval_s),
        relay_keys_min=max(PARAMETERS.route_length, count // 2),
    )


def run_demo(count: int, seconds: int, say: Say) -> dict[str, Any]:
    """Runs the demo and returns its report. Raises ``DemoError``."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="rumor-demo-") as folder:
        report = trio.run(_demo, count, seconds, say, Path(folder))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = time.process_time() - began + children.ru_utime + children.ru_stime
    return {**report, "cpu_s_per_node": round(cpu_s / count, 3)}


async def _demo(count: int, seconds: int, say: Say, folder: Path) -> dict[str, Any]:
    stage = "starting"

    def at(sentence: str) -> None:
        nonlocal stage
        stage = sentence
        say(sentence)

    with trio.move_on_after(seconds) as limit:
        async with AsyncExitStack() as stack:
            workers = await stack.enter_async_context(open_workers())
            at(f"Starting {count} nodes on loopback.")
            stores = [
                await stack.enter_async_context(open_store(folder / f"{number}.db", os.urandom(32)))
                for number in range(count)
            ]
            # Innermost, so that the nodes have ended when their stores close, however this ends.
            nursery = await stack.enter_async_context(trio.open_nursery())
            nodes = []
            for store in stores:
                await Account.make(store)
                node = Node(
                    store,
                    workers,
                    lambda seed, admits: Libp2pTransport(seed, admits=admits),
                )
                await node.open()
                await nursery.start(node.run)
                nodes.append(node)
            report = await _meet_and_post(nodes, at)
            nursery.cancel_scope.cancel()
            return report
    assert limit.cancelled_caught
    raise DemoError(f"{seconds} s were not enough; it stopped at: {stage}")


async def _meet_and_post(nodes: list[Node], at: Say) -> dict[str, Any]:
    count = len(nodes)
    # Who is whose friend is no secret here, and the same at every run.
    order = invitation_order(small_world(count, random.Random(count)))  # noqa: S311
    await nodes[0].found("demo", trial=True, parameters=parameters_for(count))
    at(f"Node 0 founded a mesh; {len(order)} friendships by invitation.")
    for inviter, invited in order:
        await _befriend(nodes[inviter], nodes[invited], f"node {inviter}", f"node {invited}")
    at("Everybody has met; waiting until all are members, have relay keys and share one view.")
    for node in nodes:
        await _until(partial(_ready, node, count))
    status = await nodes[0].status()
    mesh, mixing = status["mesh"], status["mixing"]
    at(
        f"{mesh['members']} members, a ring of {mesh['ring_size']}, {mixing['relay_keys']} relay keys; posting. A "
        f"secret waits {mixing['slot_wait_s']:.1f} s for a slot, then {mixing['relaying_s']:.1f} s, on average."
    )

    posted: dict[str, float] = {}
    seen: list[dict[str, float]] = [{} for _ in nodes]
    async with trio.open_nursery() as readers:
        for number, node in enumerate(nodes):
            await readers.start(_read, node, seen[number])
        for turn in range(POSTS_PER_NODE):
            for number, node in enumerate(nodes):
                text = f"{TEXTS[(number + turn) % len(TEXTS)]} ({turn * count + number + 1})"
                # As a person would: while relay keys come in, friends' views differ for a moment.
                await _until(partial(_may_post, node))
                asked_at = trio.current_time()
                posted[(await node.speaker.post(text, 0))["id"]] = asked_at
                await trio.sleep(0.2)
        await _until(lambda: _all_seen(seen, posted))
        readers.cancel_scope.cancel()
    latencies = sorted(
        times[secret] - posted[secret] for times in seen for secret in posted if secret in times
    )
    tallies = [node.driver.engine.mixing.tally for node in nodes if node.driver is not None]

    def total(count: str) -> int:
        return sum(getattr(tally, count) for tally in tallies)

    at("Done.")
    return {
        "nodes": count,
        "members": status["mesh"]["members"],
        "friendships": len(order),
        "posted": len(posted),
        "delivered_fraction": len(latencies) / (count * len(posted)),
        "latency_s": {"p50": _quantile(latencies, 0.5), "p95": _quantile(latencies, 0.95)},
        "ring_size": status["mesh"]["ring_size"],
        "relay_keys": status["mixing"]["relay_keys"],
        "onions": total("onion_count"),
        "cover_packets": total("cover_count"),
        "copies_per_node": round(total("packets_in_count") / max(1, total("packets_kept_count")), 3),
        "stem_copies_per_node": round(total("stems_in_count") / max(1, total("packets_kept_count")), 3),
        "bytes_per_node": sum(node.sent_size for node in nodes) // count,
    }


async def _befriend(inviter: Node, invited: Node, inviter_name: str, invited_name: str) -> None:
    """What two people do: hand over an invitation, compare the words, confirm on both sides."""
    invitation = await inviter.invite(invited_name, sponsor=True)
    await invited.join(invitation["uri"], inviter_name)

    async def words(node: Node, name: str) -> str | None:
        found = [friend for friend in node.friends()["friends"] if friend["name"] == name]
        return found[0]["words"] if found else None

    async def met() -> bool:
        return (
            await words(inviter, invited_name) is not None and await words(invited, inviter_name) is not None
        )

    await _until(met)
    spoken = await words(inviter, invited_name)
    assert spoken is not None
    await invited.confirm(inviter_name, spoken)
    await inviter.confirm(invited_name, await words(invited, inviter_name) or spoken)


async def _ready(node: Node, count: int) -> bool:
    """Whether it may post, and everybody's membership and relay key counts."""
    status = await node.status()
    sizes = status["mesh"]["ring_size"], status["mixing"]["relay_keys"]
    return bool(status["post"]["allowed"]) and sizes == (count, count)


async def _may_post(node: Node) -> bool:
    return bool((await node.status())["post"]["allowed"])


async def _all_seen(seen: list[dict[str, float]], posted: dict[str, float]) -> bool:
    return all(times.keys() >= posted.keys() for times in seen)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():  # noqa: ASYNC110  # what is waited for is spread over many nodes
        await trio.sleep(0.05)


async def _read(
    node: Node, seen: dict[str, float], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    assert node.driver is not None
    async with node.driver.follow(1_000) as events:
        task_status.started()
        async for event in events:
            if isinstance(event, ItemAccepted) and event.item.kind is Kind.SECRET:
                seen[event.item.item_id.hex()] = trio.current_time()


def _quantile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
