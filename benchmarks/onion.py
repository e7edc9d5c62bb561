"""What onions cost: `uv run python benchmarks/onion.py [--json] [--runs N]`.

CPU microseconds, medians of batches. The baseline is measured in the same run, so that ratios survive a busy machine:
one bare multiplication on Curve25519, which nobody who opens an onion can do without. A node opens every
packet of the mesh once for each of its relay secrets, and nearly all are foreign; asked for is 200 µs at most.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from nacl.bindings import crypto_scalarmult

from rumor.crypto import onion
from rumor.crypto.errors import OnionBroken

BATCH_SIZE = 50
BASELINE = "one multiplication"
FOREIGN_ASKED_US = 200


def cpu_us(call: Callable[[], object], runs: int) -> float:
    """The median over some batches of the CPU time of one call."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        for _ in range(BATCH_SIZE):
            call()
        times.append(time.process_time() - started)
    return 1_000_000 * statistics.median(times) / BATCH_SIZE


def open_foreign(wrapped: bytes, secret: bytes, public: bytes | None = None) -> None:
    with suppress(OnionBroken):
        onion.open_onion(wrapped, secret, public)


def measure(runs: int) -> dict[str, float]:
    pairs = [onion.relay_keypair(os.urandom) for _ in range(onion.HOPS_MAX)]
    route = [key for _, key in pairs]
    payload = onion.Payload(command=onion.Command.ITEM, content=bytes(2300))
    ours, last = (onion.wrap(route[:count], payload, os.urandom) for count in (3, 1))
    foreign, _ = onion.relay_keypair(os.urandom)
    assert isinstance(onion.open_onion(ours, pairs[0][0]), onion.Forwarded)
    assert isinstance(onion.open_onion(last, pairs[0][0]), onion.Delivered)
    calls = {
        BASELINE: partial(crypto_scalarmult, foreign, route[0]),
        "open a foreign onion": partial(open_foreign, ours, foreign),
        "try a letter key": partial(open_foreign, ours, *onion.relay_keypair(os.urandom)),
        "open ours, relay on": partial(onion.open_onion, ours, pairs[0][0]),
        "open ours, last": partial(onion.open_onion, last, pairs[0][0]),
        "check a relay key": partial(onion.check_relay_key, route[0]),
        **{
            f"wrap, {count} layers": partial(onion.wrap, route[:count], payload, os.urandom)
            for count in (1, 3, 5)
        },
    }
    return {name: cpu_us(call, runs) for name, call in calls.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Costs of onions, in CPU microseconds.")
    parser.add_argument("--runs", type=int, default=40, help="batches per figure (default 40)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures = measure(options.runs)
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"opening a foreign onion: asked for at most {FOREIGN_ASKED_US} µs")
    print(f"{'':24}{'µs':>8}{'multiplications':>18}")
    for name, figure in figures.items():
        print(f"{name:24}{figure:8.1f}{figure / figures[BASELINE]:18.2f}")


if __name__ == "__main__":
    main()
