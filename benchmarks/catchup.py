"""Catch-up: how many secrets a second a node takes in from one friend, proofs and all.

Two engines in one process, joined by a list of frames; what the newcomer asks to be verified goes to worker processes
in the engine's own batches, as in a node. Reported with it: the processor time per secret, in the engine and in the
workers, and the same with every proof verified by itself. No disk, no socket: those are the node's.

    uv run python benchmarks/catchup.py [--secrets 2000] [--ring 256] [--workers 2] [--profile]

The proofs take half a minute to make and are kept in a temporary file for the next run.
"""

import argparse
import cProfile
import hashlib
import os
import pickle
import pstats
import random
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

from rumor.crypto import membership
from rumor.crypto.membership import Claim, Purpose, Ring
from rumor.gossip.bodies import AdmissionBody, Kind, SecretBody, slot_scope, thread_nonce
from rumor.gossip.engine import Engine
from rumor.gossip.events import FriendId, ItemAccepted, LinkId, VerifyWanted
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import Item, ItemId, message_of

NOW = 1_000_000.0
LINK = LinkId(1)
SLOTS = 250
BATCH_SIZES: list[int] = []
#: The ring as one worker knows it, since making it costs as much as a proof.
_RING: Ring | None = None


def secret_of(number: int) -> bytes:
    return hashlib.sha256(b"benchmark member" + number.to_bytes(4, "big")).digest()


def make_genesis() -> Genesis:
    parameters = Parameters(friends_min=1, members_min=2, secrets_per_epoch=1_000, founding_size=2)
    return Genesis.found("catch-up", membership.public_key(secret_of(0)), parameters)


def make_records(genesis: Genesis, ring_size: int) -> list[Item]:
    """Admissions that both engines restore; a restored item is trusted, so these need no proof."""
    epoch = genesis.epoch_at(NOW) - 10
    bodies = [
        AdmissionBody(slot=0, key=membership.public_key(secret_of(number)), possession=bytes(64))
        for number in range(1, ring_size)
    ]
    tags = [number.to_bytes(33, "big") for number in range(len(bodies))]
    return [
        Item(Kind.ADMISSION, epoch, body, (tag,), tag + bytes(31), bytes(32))
        for tag, body in zip(tags, bodies, strict=True)
    ]


def make_secret(number: int, ring_size: int) -> bytes:
    """The encoding of one secret; a pure function but for its proof."""
    global _RING
    if _RING is None or _RING.size != ring_size:
        _RING = Ring([membership.public_key(secret_of(member)) for member in range(ring_size)])
    genesis = make_genesis()
    epoch = genesis.epoch_at(NOW)
    nonce = hashlib.sha256(number.to_bytes(4, "big")).digest()
    text = f"Secret number {number}." + " I have never told anybody that I do not like music." * 3
    author, slot = secret_of(number // SLOTS), number % SLOTS
    tag = membership.tag(author, slot_scope(genesis.mesh_id, Purpose.POST, epoch, slot))
    thread = thread_nonce(tag, nonce, nonce, [text])
    body = SecretBody(slot=slot, text=text, style=0, thread_nonce=thread, reply_key=nonce, retraction=nonce)
    scopes = body.scopes(genesis.mesh_id, epoch)
    proof = membership.prove(author, _RING, scopes, message_of(epoch, body))
    tags = tuple(membership.tags_in(proof, len(scopes)))
    return Item(Kind.SECRET, epoch, body, tags, proof, _RING.root).encoding


def load_secrets(count: int, ring_size: int, pool: ProcessPoolExecutor) -> list[Item]:
    key = hashlib.sha256(repr((count, ring_size, SLOTS, make_genesis().mesh_id)).encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"rumor-benchmark-{key}.pickle"
    if path.exists() and path.stat().st_uid == os.getuid():
        encodings = pickle.loads(path.read_bytes())
    else:
        began = time.perf_counter()
        encodings = list(pool.map(make_secret, range(count), [ring_size] * count, chunksize=50))
        path.write_bytes(pickle.dumps(encodings))
        print(f"made {count} proofs in {time.perf_counter() - began:.0f} s, kept in {path}")
    return [Item.decode_untrusted(encoding) for encoding in encodings]


def verify_together(ring: Ring, claims: list[Claim]) -> tuple[list[bool], float]:
    began = time.process_time()
    held = [tags is not None for tags in membership.verify_batch(ring, claims)]
    return held, time.process_time() - began


def verify_singly(ring: Ring, claims: list[Claim]) -> tuple[list[bool], float]:
    began = time.process_time()
    for claim in claims:
        proof, scopes, message = claim
        membership.verify(proof, ring, scopes, message)
    return [True] * len(claims), time.process_time() - began


def catch_up(
    genesis: Genesis, records: list[Item], secrets: list[Item], pool: ProcessPoolExecutor, *, singly: bool
) -> tuple[float, float, float]:
    """Returns seconds, the engine's processor seconds and the workers', from the first frame to the last secret.

    The giver's share is measured apart and left out: it is another machine's.
    """
    giver, taker = (Engine(genesis, random.Random(number), NOW) for number in (1, 2))
    giver.restore(items=[*records, *secrets], slots=[], outbox=[], now=NOW)
    taker.restore(items=records, slots=[], outbox=[], now=NOW)
    for engine in (giver, taker):
        engine.friend_added(FriendId(b"friend"))
        engine.link_opened(LINK, FriendId(b"friend"), NOW)
    pending: dict[Future[tuple[list[bool], float]], int] = {}
    accepted: set[ItemId] = set()
    workers_s = engine_s = 0.0
    began = time.perf_counter()
    while len(accepted) < len(secrets):
        now = NOW + time.perf_counter() - began
        moved = False
        for _, frame in giver.frames_to_send():
            start = time.thread_time()
            taker.receive(LINK, frame, now)
            engine_s += time.thread_time() - start
            moved = True
        start = time.thread_time()
        timer = taker.timer()
        if timer is not None and timer <= now:
            taker.handle_timer(now)
        frames = taker.frames_to_send()
        wanted = []
        while (event := taker.next_event()) is not None:
            if isinstance(event, ItemAccepted):
                accepted.add(event.item.item_id)
            elif isinstance(event, VerifyWanted):
                wanted.append(event)
        engine_s += time.thread_time() - start
        for event in wanted:
            BATCH_SIZES.append(len(event.jobs))
            claims = [(job.proof, job.scopes, job.message) for job in event.jobs]
            verify = verify_singly if singly else verify_together
            pending[pool.submit(verify, event.ring, claims)] = event.batch_id
        for _, frame in frames:
            giver.receive(LINK, frame, now)
            moved = True
        if (timer := giver.timer()) is not None and timer <= now:
            giver.handle_timer(now)
        done, _ = wait(pending, timeout=0 if moved else 0.05, return_when=FIRST_COMPLETED)
        for future in done:
            held, cost_s = future.result()
            workers_s += cost_s
            start = time.thread_time()
            taker.verified(pending.pop(future), held, NOW + time.perf_counter() - began)
            engine_s += time.thread_time() - start
    return time.perf_counter() - began, engine_s, workers_s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--secrets", type=int, default=2_000)
    parser.add_argument("--ring", type=int, default=256)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--profile", action="store_true", help="also show where the engine's time goes")
    options = parser.parse_args()
    if options.secrets > SLOTS * options.ring:
        parser.error(f"{options.ring} members can sign {SLOTS * options.ring} secrets")
    genesis = make_genesis()
    with ProcessPoolExecutor(options.workers) as pool:
        records = make_records(genesis, options.ring)
        secrets = load_secrets(options.secrets, options.ring, pool)
        catch_up(
            genesis, records, secrets[: 64 * options.workers], pool, singly=False
        )  # Warms the workers' tables.
        print(
            f"{options.secrets} secrets of {len(secrets[0].encoding)} bytes, ring of {options.ring}, ", end=""
        )
        print(f"{options.workers} workers on {os.cpu_count()} cores")
        print(f"{'':12} {'secrets/s':>10} {'CPU ms each: engine':>20} {'workers':>8} {'mean batch':>11}")
        single_count = min(len(secrets), 512)
        for name, items, singly in (
            ("in batches", secrets, False),
            ("one by one", secrets[:single_count], True),
        ):
            BATCH_SIZES.clear()
            profiler = cProfile.Profile()
            if options.profile and not singly:
                profiler.enable()
            seconds, engine_s, workers_s = catch_up(genesis, records, items, pool, singly=singly)
            profiler.disable()
            count = len(items)
            mean = sum(BATCH_SIZES) / len(BATCH_SIZES)
            print(
                f"{name:12} {count / seconds:10.0f} {1e3 * engine_s / count:20.2f} "
                f"{1e3 * workers_s / count:8.2f} {mean:11.1f}"
            )
            if options.profile and not singly:
                pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
