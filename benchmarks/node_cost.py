"""What membership costs a person's machine: `uv run python benchmarks/node_cost.py [--minutes 5] [--rate 1]`.

Processor time and memory of one real node of a 150-member mesh at 200 MB a day: `rumor run` with its encrypted store,
its worker processes and its libp2p, and friends over loopback that are other processes to it (``node_traffic``). The
node comes with a month of secrets and four epochs of packets. Only its own processes are counted, from /proc. Asked:
under 3 % of one core and under 200 MB of memory.

``--rate`` multiplies the traffic, to see what a packet costs; 0 shows a node among silent friends. ``--profile`` runs
the node's main thread under cProfile, whose own cost is then part of the figures.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import trio
from node_traffic import Friends, Mesh, made_mesh, new_packets

from rumor.crypto.identity import MemberSecret
from rumor.gossip.bodies import Kind
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.packets import Packet
from rumor.gossip.wire import encode
from rumor.node import setup
from rumor.node.account import Account
from rumor.node.client import Client, ClientError
from rumor.node.friends import Friendship
from rumor.node.network.transport import NodeId
from rumor.node.profile import HOME_VARIABLE, Profile
from rumor.node.storage.store import Change, Put, Store, Table

MEMBER_COUNT = 150
ASKED_PERCENT, ASKED_MB = 3.0, 200
BATCH_SIZE = 500
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
RUN = "from rumor.node.cli import main; main()"
PROFILED_RUN = """
import cProfile, pstats, sys
from rumor.node.cli import main
file, profile = sys.argv.pop(), cProfile.Profile()
try:
    profile.runcall(main)
finally:
    pstats.Stats(profile, stream=open(file, "w")).sort_stats("tottime").print_stats(45)
"""


# What a process takes.


def processes(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            children[int(stat.read_text().rpartition(")")[2].split()[1])].append(int(stat.parent.name))
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def cpu_s(root: int) -> dict[str, float]:
    """Processor seconds of a node by part: its threads by name, its workers, and children that have ended."""
    parts: defaultdict[str, float] = defaultdict(float)
    for pid in processes(root):
        for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
            _, _, tail = stat.read_text().rpartition(")")
            is_main = stat.parent.name == str(root)
            name = "main thread" if is_main else "other threads" if pid == root else "workers"
            parts[name] += sum(map(int, tail.split()[11:13])) / TICKS_PER_S
    ended = Path(f"/proc/{root}/stat").read_text().rpartition(")")[2].split()[13:15]
    parts["workers"] += sum(map(int, ended)) / TICKS_PER_S
    return dict(parts)


def memory_mb(root: int) -> dict[str, float]:
    """Resident memory of the node, of its largest worker, of all; and of all with shared pages counted once."""

    def field(pid: int, file: str, name: str) -> float:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)

    found = processes(root)
    resident = [field(pid, "status", "VmRSS:") for pid in found]
    return {
        "node": resident[0],
        "largest_worker": max(resident[1:], default=0.0),
        "all": sum(resident),
        "all_shared_once": sum(field(pid, "smaps_rollup", "Pss:") for pid in found),
    }


# The node.


async def fill(store: Store, mesh: Mesh) -> None:
    """Puts on the node's disk what a member of long standing has there."""
    changes: list[Change] = []
    for item in mesh.items:
        if item.kind is Kind.SECRET:
            changes.append(Put(Table.ITEMS, item.item_id, item.encoding, epoch=item.epoch))
        else:
            changes.append(Put(Table.RECORDS, item.item_id, item.encoding))
    changes += [Put(Table.PACKETS, each.item_id, each.encoding, epoch=each.epoch) for each in mesh.packets]
    for day, secret in mesh.relay_secrets[1].items():
        made = (day - 1) * mesh.genesis.parameters.relay_day_epochs
        changes.append(Put(Table.RELAY_KEYS, day.to_bytes(8, "big"), made.to_bytes(8, "big") + secret))
    for start in range(0, len(changes), BATCH_SIZE):
        await store.commit(changes[start : start + BATCH_SIZE])


def befriended(friends: Friends) -> list[Change]:
    return [
        Put(
            Table.FRIENDS,
            node_id,
            encode(
                Friendship(
                    node_id=node_id,
                    name=f"friend {number}",
                    addresses=addresses,
                    words="four words go here",
                    confirmed_by_us=True,
                    confirmed_by_them=True,
                )
            ),
        )
        for number, (node_id, addresses) in enumerate(friends.addresses)
    ]


async def until_running(profile: Profile) -> None:
    for _ in range(600):
        try:
            await trio.to_thread.run_sync(lambda: Client(profile).get("/status"))
        except ClientError:
            await trio.sleep(0.2)
        else:
            return
    raise SystemExit("the node did not start")


async def feed(friends: Friends, packets: list[Packet], per_s: float) -> None:
    for packet in packets:
        await trio.sleep(random.expovariate(per_s))
        friends.publish(packet)


async def measure(options: argparse.Namespace, profile: Profile, folder: Path) -> dict[str, object]:
    members = [MemberSecret.generate() for _ in range(MEMBER_COUNT)]
    genesis = Genesis.found("cost", members[0].key.raw, Parameters())
    async with setup.opened_store(profile, setup.unlock(profile, str)) as store:
        account = await Account.load(store)
        members[1] = account.member_secret
        await account.enter(genesis)
        mesh = made_mesh(genesis, members, time.time())
        await fill(store, mesh)
    per_s = mesh.packets_per_s * options.rate
    warm_s, measured_s = options.warm_up, 60 * options.minutes
    packets = list(new_packets(mesh, int(per_s * (warm_s + measured_s) * 1.1), time.time()))
    friends = Friends(mesh, options.friends, NodeId(account.node_secret.public.raw), time.time)
    async with trio.open_nursery() as nursery:
        await nursery.start(friends.run)
        async with setup.opened_store(profile, setup.unlock(profile, str)) as store:
            await store.commit(befriended(friends))
        code = PROFILED_RUN if options.profile else RUN
        command = [sys.executable, "-c", code, "--profile", profile.name, "run"]
        began_at = time.monotonic()
        node = subprocess.Popen(  # noqa: ASYNC220 - it takes milliseconds
            [*command, options.profile] if options.profile else command,
            env={**os.environ, HOME_VARIABLE: str(folder)},
            stderr=subprocess.DEVNULL,
        )
        try:
            await until_running(profile)
            start_s, start_cpu_s = time.monotonic() - began_at, sum(cpu_s(node.pid).values())
            if packets:
                nursery.start_soon(feed, friends, packets, per_s)
            await trio.sleep(warm_s)
            linked_count = friends.linked_count
            before, cpu_before, at = status(profile), cpu_s(node.pid), time.monotonic()
            peaks: defaultdict[str, float] = defaultdict(float)
            while (elapsed_s := time.monotonic() - at) < measured_s:
                for name, megabytes in memory_mb(node.pid).items():
                    peaks[name] = max(peaks[name], megabytes)
                await trio.sleep(min(5.0, measured_s - elapsed_s))
            cpu, elapsed_s = cpu_s(node.pid), time.monotonic() - at
            after = status(profile)
        finally:
            node.send_signal(signal.SIGINT if options.profile else signal.SIGTERM)
            node.wait()
            nursery.cancel_scope.cancel()
    parts = {name: 100 * (cpu[name] - cpu_before.get(name, 0.0)) / elapsed_s for name in cpu}
    counts = {
        name: int(after[name]) - int(before[name])
        for name in ("ticks", "relayed", "packets_in", "packets_out")
    }
    kept = after["packets_in"] / after["copies_per_packet"] - before["packets_in"] / max(
        1, before["copies_per_packet"]
    )
    return {
        "seconds": round(elapsed_s),
        "rate": options.rate,
        "friends_linked": linked_count,
        "links_lost": friends.complaint_count,
        "packets_held_at_start": len(mesh.packets),
        "packets_a_minute": round(60 * kept / elapsed_s, 1),
        "stems_to_the_node": friends.stem_count,
        **counts,
        "percent_of_a_core": round(sum(parts.values()), 2),
        "percent_by_part": {name: round(percent, 2) for name, percent in sorted(parts.items())},
        "peak_mb": {name: round(megabytes, 1) for name, megabytes in peaks.items()},
        "start_s": round(start_s, 1),
        "start_cpu_s": round(start_cpu_s, 1),
        "asked_percent": ASKED_PERCENT,
        "asked_mb": ASKED_MB,
    }


def status(profile: Profile) -> dict[str, float]:
    mixing: dict[str, float] = Client(profile).get("/status")["mixing"]
    return mixing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="how long it is measured")
    parser.add_argument("--warm-up", type=float, default=60.0, help="seconds of traffic before that")
    parser.add_argument("--rate", type=float, default=1.0, help="times the traffic of such a mesh")
    parser.add_argument("--friends", type=int, default=8)
    parser.add_argument("--profile", metavar="FILE", help="writes where the main thread's time goes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rumor-cost-") as folder:
        os.environ[HOME_VARIABLE] = folder
        profile = Profile.locate("cost")
        setup.create(profile, None, "/ip4/127.0.0.1/tcp/0")
        report = trio.run(measure, options, profile, Path(folder))
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:22} {value}")


if __name__ == "__main__":
    main()
