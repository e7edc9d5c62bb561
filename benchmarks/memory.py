"""What a resident node takes: `uv run python benchmarks/memory.py [--items 10000] [--text 200] [--json]`.

Resident memory in MB of real `rumor run` processes on loopback (store, transport, API, engine): one whose mesh is
empty, as the baseline of the same run, and one that has all the items in its store and engine. Beside them one worker
process after a batch of proofs over a ring of 256; a node has at most one for each core and four in all, and they end
ten minutes after the last proof. Asked: under 200 MB with 10,000 items.

The items are well-formed and of full size, but their proofs are random bytes: a node trusts its own disk at its start,
and 10,000 true ones would take minutes to make.
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import trio

from rumor.crypto import membership
from rumor.gossip.bodies import Kind, SecretBody
from rumor.gossip.genesis import Genesis
from rumor.gossip.items import Item
from rumor.node import setup
from rumor.node.client import Client, ClientError
from rumor.node.profile import HOME_VARIABLE, Profile
from rumor.node.storage.store import Put, Table
from rumor.node.workers import open_workers

ASKED_MB = 200
RING_SIZE = 256
#: A proof over a ring of 256 in two scopes.
PROOF_SIZE = 844
BATCH_SIZE = 500


def resident_mb(pid: int) -> float:
    """VmRSS of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def made_item(epoch: int, slot: int, text_size: int) -> Item:
    tags = (b"\x02" + secrets.token_bytes(32), b"\x02" + secrets.token_bytes(32))
    body = SecretBody(
        slot=slot,
        text=secrets.token_hex(text_size // 2),
        style=0,
        thread_nonce=secrets.token_bytes(32),
        reply_key=secrets.token_bytes(32),
        retraction=secrets.token_bytes(32),
    )
    proof = b"".join(tags) + secrets.token_bytes(PROOF_SIZE - 66)
    return Item(Kind.SECRET, epoch, body, tags, proof, secrets.token_bytes(32))


async def fill(profile: Profile, genesis: Genesis, item_count: int, text_size: int) -> None:
    newest = genesis.epoch_at(time.time())
    async with setup.opened_store(profile, setup.unlock(profile, str)) as store:
        for start in range(0, item_count, BATCH_SIZE):
            items = [
                made_item(newest - number // 100, number % 4, text_size)
                for number in range(start, min(start + BATCH_SIZE, item_count))
            ]
            await store.commit(
                [Put(Table.ITEMS, item.item_id, item.encoding, epoch=item.epoch) for item in items]
            )


def measure_node(home: Path, name: str, item_count: int, text_size: int) -> tuple[float, float]:
    """Returns the resident memory of a running node, and the seconds of its start."""
    os.environ[HOME_VARIABLE] = str(home)
    profile = Profile.locate(name)
    setup.create(profile, None, "/ip4/127.0.0.1/tcp/0")
    setup.found_offline(profile, str, "memory", trial=False)

    async def genesis() -> Genesis:
        async with setup.opened_store(profile, setup.unlock(profile, str)) as store:
            found = (await setup.Account.load(store)).genesis
            assert found is not None
            return found

    trio.run(fill, profile, trio.run(genesis), item_count, text_size)
    began_at = time.monotonic()
    command = [sys.executable, "-c", "from rumor.node.cli import main; main()", "--profile", name, "run"]
    node = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: int(Client(profile).get("/status")["mesh"]["items"]) >= item_count)
        start_s = time.monotonic() - began_at
        Client(profile).get("/secrets", count=200)
        return resident_mb(node.pid), start_s
    finally:
        node.send_signal(signal.SIGTERM)
        node.wait()


def wait_for(holds: Callable[[], bool]) -> None:
    for _ in range(1_200):
        try:
            if holds():
                return
        except ClientError:
            pass
        time.sleep(0.05)
    raise SystemExit("the node did not start")


async def measure_worker() -> float:
    """The resident memory of a worker that has verified a batch."""
    members = [membership.keypair() for _ in range(RING_SIZE)]
    ring = membership.Ring([key for _, key in members])
    scopes = [membership.scope(bytes(32), membership.Purpose.POST, bytes(12))]
    proof = membership.prove(members[0][0], ring, scopes, b"")
    async with open_workers(1) as workers:
        assert all(await workers.verify_batch(ring, [(proof, scopes, b"")] * 64))
        return max(resident_mb(pid) for pid in children())


def worker_mb() -> float:
    """What ``measure_worker`` finds in a program of its own: a worker imports what its main program does."""
    code = "import sys, trio; sys.path.insert(0, sys.argv[1]); import memory; print(trio.run(memory.measure_worker))"
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def children() -> list[int]:
    """The processes that any thread of this one started."""
    lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    return [int(pid) for pid in " ".join(lists).split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--text", type=int, default=200, help="bytes of each secret's text")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rumor-memory-") as folder:
        empty_mb, empty_s = measure_node(Path(folder), "empty", 0, options.text)
        full_mb, full_s = measure_node(Path(folder), "full", options.items, options.text)
    report = {
        "items": options.items,
        "text_bytes": options.text,
        "empty_mb": round(empty_mb, 1),
        "full_mb": round(full_mb, 1),
        "kb_per_item": round((full_mb - empty_mb) * 1024 / options.items, 2),
        "worker_mb": round(worker_mb(), 1),
        "start_empty_s": round(empty_s, 2),
        "start_full_s": round(full_s, 2),
        "asked_mb": ASKED_MB,
    }
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
