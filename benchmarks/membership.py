"""What membership proofs cost: `uv run python benchmarks/membership.py [--json] [N …]`.

CPU milliseconds, medians. Beside each figure stands what was asked for. The baseline is measured in the same
run, so that ratios survive a busy machine: the multiplications of the same three equations done one by one
for each proof, and the four per member of a linear ring signature (LSAG). The ring's table is warm; making it
is a column of its own. The figures asked for were measured at 40 µs a multiplication, and the first line says
what it is here and now.
"""

import argparse
import json
import secrets
import statistics
import time
from collections.abc import Callable
from functools import partial

from rumor.crypto import curve, generators, hashing, membership, transcript

ASKED = {
    16: ("487", "2.5–3", "1.8–2.2", "0.34–0.44"),
    64: ("649", "6–8", "4–5", "0.57"),
    256: ("811", "21–25", "12–14", "0.81"),
    1024: ("973", "83–88", "40–49", "1.1–1.3"),
}
BATCH_SIZE = 64


def cpu_ms(call: Callable[[], object], runs: int) -> float:
    """The median CPU time of some runs."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return 1000 * statistics.median(times)


def multiplications_ms(count: int, runs: int) -> float:
    """The cost of a sum of so many multiples, one multiplication for each."""
    points = [hashing.hash_to_point(b"benchmark", bytes([number])) for number in range(32)]
    terms = [(secrets.randbelow(curve.ORDER), points[number % 32]) for number in range(count)]
    return cpu_ms(lambda: curve.add(curve.multiply(point, scalar) for scalar, point in terms), runs)


def measure(size: int, runs: int) -> dict[str, float]:
    pairs = [membership.keypair() for _ in range(size)]
    ring = membership.Ring(key for _, key in pairs)
    table_ms = cpu_ms(lambda: ring._table, 1)

    def claim(number: int) -> membership.Claim:
        scopes = [b"scope %d" % number]
        return membership.prove(pairs[number % size][0], ring, scopes, b"message"), scopes, b"message"

    claims = [claim(number) for number in range(BATCH_SIZE)]
    proof, scopes, message = claims[0]

    def batch() -> None:
        transcript.tag_base.cache_clear()
        assert None not in membership.verify_batch(ring, claims)

    digits = ring.digit_count
    # E1: A, B, F and 8 per digit; E2: the ring, G and X; E3: T, H and Y.
    term_count = (3 + 8 * digits) + (size + 1 + digits) + (2 + digits)
    few = max(3, runs // 3)
    return {
        "size": size,
        "bytes": len(proof),
        "prove_ms": cpu_ms(partial(membership.prove, pairs[0][0], ring, scopes, message), runs),
        "verify_ms": cpu_ms(partial(membership.verify, proof, ring, scopes, message), runs),
        "batch_ms_each": cpu_ms(batch, few) / BATCH_SIZE,
        "term_by_term_ms": multiplications_ms(term_count, few),
        "lsag_ms": multiplications_ms(4 * size, few),
        "table_ms": table_ms,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Costs of membership proofs, in CPU milliseconds.")
    parser.add_argument("sizes", metavar="N", type=int, nargs="*", default=list(ASKED))
    parser.add_argument("--runs", type=int, default=9, help="runs per figure (default 9)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    options = parser.parse_args()
    generators.table(2)  # so that the first row does not pay for what all share
    rows = [measure(size, options.runs) for size in options.sizes]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"one multiplication: {1000 * multiplications_ms(200, 9) / 200:.0f} µs; asked for: in brackets")
    print(f"{'N':>5}  {'bytes':12}{'prove':18}{'verify 1':18}{'batch of 64, each':22}", end="")
    print(f"{'term by term':>13}{'LSAG':>8}{'table':>8}")
    for row in rows:
        asked = ASKED.get(int(row["size"]), ("–",) * 4)
        cells = [
            f"{row['bytes']:.0f} ({asked[0]})".ljust(12),
            f"{row['prove_ms']:.2f} ({asked[1]})".ljust(18),
            f"{row['verify_ms']:.2f} ({asked[2]})".ljust(18),
            f"{row['batch_ms_each']:.2f} ({asked[3]})".ljust(22),
            f"{row['term_by_term_ms']:13.2f}{row['lsag_ms']:8.1f}{row['table_ms']:8.1f}",
        ]
        print(f"{row['size']:5.0f}  {''.join(cells)}")


if __name__ == "__main__":
    main()
