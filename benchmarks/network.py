"""How fast the simulator is: `uv run python benchmarks/network.py [--nodes 150 500 1000] [--json] [--profile]`.

Runs the scheme `onion` with ideal cryptography at the default budget of 200 MB a node and day, and counts CPU time.
*Warming up* is the first minute, in which all friends connect and reconcile all that they have; what is told beside it
is the minute and a half that follow. An event is a call into an engine. The baseline is measured between pieces of that
time: the bare loop, whose receivers do nothing but enter the next delivery. It fits a processor's cache and a thousand
engines do not, so neighbours that use the memory make the ratio worse as well. Asked for are 60,000 events a second at
1,000 nodes. The last line has four times the budget: how cost grows with messages.
"""

import argparse
import cProfile
import gc
import json
import pstats
import resource
import sys
import time

from rumor.sim.experiment import COLLECTED_COUNT, Run, prepare
from rumor.sim.loop import Loop, ticks
from rumor.sim.scenario import Scenario
from rumor.sim.seeds import Stream

ASKED_EVENTS_PER_S = 60_000
WARMUP_S = 60.0
PIECES = 6
PIECE_S = 15.0
BARE_COUNT = 100_000


def bare_loop_us(receivers: int) -> float:
    """CPU microseconds of one delivery of the loop alone, with so many receivers that do nothing."""
    loop, random = Loop(), Stream("bare loop")
    delays = [random.randrange(1, 2_000) for _ in range(4_096)]
    count = 0

    def deliver(receiver: int, _: object) -> None:
        nonlocal count
        count += 1
        loop.at(loop.tick + delays[count & 4_095], deliver, receiver)

    for receiver in range(receivers):
        loop.at(delays[receiver & 4_095], deliver, receiver)
    began = time.process_time()
    while count < BARE_COUNT:
        loop.run(loop.tick + 100)
    return 1_000_000 * (time.process_time() - began) / count


def measure(nodes: int, bytes_per_day: int, profile: cProfile.Profile | None) -> dict[str, float]:
    gc.collect()  # What the size before left.
    began = time.process_time()
    run = prepare(Scenario(nodes=nodes, bytes_per_day=bytes_per_day, posts=0, hours=24.0))
    figures: dict[str, float] = {"nodes": nodes, "MB a day": bytes_per_day / 1e6}
    figures["set up, s"] = time.process_time() - began
    gc.collect()
    gc.freeze()  # As ``experiment.run`` does, and the same threshold.
    gc.set_threshold(COLLECTED_COUNT)
    figures["warm up, s"], warm_count = _let_pass(run, WARMUP_S)
    figures["warm up, events/s"] = warm_count / figures["warm up, s"]
    pieces, bare = [], []
    for piece in range(1, PIECES + 1):
        bare.append(bare_loop_us(nodes))
        if profile is not None:
            profile.enable()
        pieces.append(_let_pass(run, WARMUP_S + piece * PIECE_S))
        if profile is not None:
            profile.disable()
    busy_s, event_count = (sum(column) for column in zip(*pieces, strict=True))
    figures["events/s"] = event_count / busy_s
    figures["bare/s"] = 1_000_000 * PIECES / sum(bare)
    figures["bare loops"] = figures["bare/s"] / figures["events/s"]
    figures["events/virtual s"] = event_count / (PIECES * PIECE_S)
    figures["x real time"] = PIECES * PIECE_S / busy_s
    figures["MB so far"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    gc.unfreeze()
    return figures


def _let_pass(run: Run, until_s: float) -> tuple[float, int]:
    """CPU seconds and events until this moment."""
    began, count = time.process_time(), run.network.event_count
    run.network.loop.run(ticks(until_s))
    return time.process_time() - began, run.network.event_count - count


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the simulator.")
    parser.add_argument("--nodes", type=int, nargs="+", default=[150, 500, 1_000])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--profile", action="store_true", help="also print where the time goes; makes all slower"
    )
    options = parser.parse_args()
    profile = cProfile.Profile() if options.profile else None
    runs = [measure(nodes, 200_000_000, profile) for nodes in options.nodes]
    runs.append(measure(options.nodes[0], 800_000_000, None))
    if options.json:
        print(json.dumps(runs, indent=1))
    else:
        print(f"asked for: {ASKED_EVENTS_PER_S:,} events a second at 1,000 nodes")
        print("".join(f"{name:>19}" for name in runs[0]))
        for figures in runs:
            print("".join(f"{figure:19,.1f}" for figure in figures.values()))
    if profile is not None:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
