"""Catch-up of a whole node: secrets a second that it receives over libp2p, verifies and stores, from one friend.

Two real nodes over loopback in one process, with encrypted stores and worker processes, so that the friend's own work
is part of the time. ``catchup`` measures the engines and the proofs alone and is the baseline to read this beside.

    uv run python benchmarks/node_catchup.py [--secrets 2000]
"""

import argparse
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import trio
from catchup import NOW, load_secrets, make_genesis, make_records

from rumor.crypto.identity import NodeSecret
from rumor.crypto.membership import Ring
from rumor.gossip.bodies import Kind
from rumor.gossip.items import Item
from rumor.gossip.wire import encode
from rumor.node.account import Account
from rumor.node.clock import Clock
from rumor.node.friends import Friendship
from rumor.node.network.libp2p_transport import Libp2pTransport
from rumor.node.node import Node
from rumor.node.storage.database import open_store
from rumor.node.storage.store import Put, Store, Table
from rumor.node.workers import Workers, open_workers

RING_SIZE = 256


async def make_node(
    store: Store, workers: Workers, items: list[Item], friend: NodeSecret | None, addresses: list[str]
) -> tuple[Node, NodeSecret]:
    account = await Account.make(store)
    await account.enter(make_genesis())
    changes = [
        Put(Table.RECORDS, item.item_id, item.encoding)
        if item.kind is Kind.ADMISSION
        else Put(Table.ITEMS, item.item_id, item.encoding, epoch=item.epoch)
        for item in items
    ]
    await store.commit(changes)
    if friend is not None:
        await befriend(store, friend, addresses)
    began = time.monotonic()
    node = Node(
        store,
        workers,
        lambda seed, admits: Libp2pTransport(seed, admits=admits),
        clock=Clock(lambda: NOW + time.monotonic() - began),
    )
    return node, account.node_secret


async def warm(workers: Workers, secrets: list[Item]) -> None:
    """Starts both workers, which import this program with everything that it imports: a node's are lighter."""
    genesis = make_genesis()
    ring = Ring(
        [item.admitted.key for item in make_records(genesis, RING_SIZE) if item.admitted] + [genesis.founder]
    )
    claims = [(item.proof, item.scopes(genesis.mesh_id), item.message) for item in secrets]
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(workers.verify_batch, ring, claims)


async def befriend(store: Store, friend: NodeSecret, addresses: list[str]) -> None:
    record = Friendship(
        node_id=friend.public.raw,
        name="friend",
        addresses=addresses,
        words="four words go here",
        confirmed_by_us=True,
        confirmed_by_them=True,
    )
    await store.commit([Put(Table.FRIENDS, friend.public.raw, encode(record))])


async def catch_up(records: list[Item], secrets: list[Item], folder: Path) -> tuple[float, float]:
    """Returns wall and processor seconds from the start of the taker to its last stored secret."""
    async with AsyncExitStack() as stack:
        workers = await stack.enter_async_context(open_workers())
        stores = [
            await stack.enter_async_context(open_store(folder / name, os.urandom(32)))
            for name in ("giver", "taker")
        ]
        taker, taker_secret = await make_node(stores[1], workers, records, None, [])
        giver, giver_secret = await make_node(stores[0], workers, [*records, *secrets], taker_secret, [])
        nursery = await stack.enter_async_context(trio.open_nursery())
        await warm(workers, secrets[:8])
        await giver.open()
        await nursery.start(giver.run)
        await befriend(stores[1], giver_secret, giver.addresses())
        await taker.open()
        began, cpu = time.perf_counter(), time.process_time()
        await nursery.start(taker.run)
        while len(await stores[1].entries(Table.ITEMS)) < len(secrets):  # noqa: ASYNC110
            await trio.sleep(0.05)
        result = time.perf_counter() - began, time.process_time() - cpu
        nursery.cancel_scope.cancel()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--secrets", type=int, default=2_000)
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        secrets = load_secrets(options.secrets, RING_SIZE, pool)
    records = make_records(make_genesis(), RING_SIZE)
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu = trio.run(catch_up, records, secrets, Path(folder))
    count = len(secrets)
    print(f"{count} secrets, ring of {RING_SIZE}, {os.cpu_count()} cores; asked: 500 a second")
    print(
        f"{count / seconds:.0f} secrets a second; CPU of both nodes without workers {1e3 * cpu / count:.2f} ms each"
    )


if __name__ == "__main__":
    main()
