"""What a reconciliation session costs, beside what was asked of it and beside sending all ids.

    python benchmarks/reconciliation.py [--entries 100000] [--json]

Bytes count both directions. CPU is both sides together in one process, with the salting of both sets.
"""

import argparse
import json
import time
from hashlib import sha256

from rumor.gossip.idset import IdSet
from rumor.gossip.reconciliation import Session

EPOCHS = 720  # a lifetime of 30 days in hours
NEWEST = 490_000 + EPOCHS - 1


def entries(count: int, label: str, *, newest: bool = False) -> list[tuple[int, bytes]]:
    """Returns reproducible entries, scattered over all epochs or all in the newest."""
    ids = [sha256(f"{label}/{index}".encode()).digest() for index in range(count)]
    return [(NEWEST if newest else NEWEST - int.from_bytes(i[:4], "big") % EPOCHS, i) for i in ids]


def idset(*groups: list[tuple[int, bytes]]) -> IdSet:
    made = IdSet()
    # In order, as a node loads them from its store.
    for epoch, item_id in sorted(entry for group in groups for entry in group):
        made.insert(epoch, item_id)
    return made


def session(left: IdSet, right: IdSet) -> dict[str, float]:
    """Runs one session and returns its figures."""
    began_at = time.process_time()
    initiator, opening = Session.open(left, 0, sha256(b"left").digest()[:16])
    responder, step = Session.accept_untrusted(right, 0, sha256(b"right").digest()[:16], opening)
    sides, turn = [initiator, responder], 0
    sizes, flights, found = [len(opening)], 1, 0
    messages = step.messages
    while messages:
        flights += 1
        sizes += map(len, messages)
        steps = [sides[turn].receive_untrusted(message) for message in messages]
        found += sum(len(step.have) for step in steps)
        messages, turn = steps[-1].messages, 1 - turn
    cpu_ms = (time.process_time() - began_at) * 1000
    return {
        "found": found,
        "bytes": sum(sizes),
        "messages": len(sizes),
        "largest": max(sizes),
        "round_trips": flights / 2,
        "cpu_ms": round(cpu_ms, 1),
    }


def all_ids(left: IdSet, right: IdSet) -> dict[str, float]:
    """The baseline: both sides send every id and compare."""
    began_at = time.process_time()
    sent = [b"".join(item_id for _, item_id in side) for side in (left, right)]
    ours, theirs = ({ids[at : at + 32] for at in range(0, len(ids), 32)} for ids in sent)
    found = len(ours ^ theirs)
    cpu_ms = (time.process_time() - began_at) * 1000
    return {"found": found, "bytes": sum(map(len, sent)), "cpu_ms": round(cpu_ms, 1)}


def cases(count: int) -> list[tuple[str, IdSet, IdSet, int | None]]:
    """Returns (name, one set, other set, bytes asked for 100,000 entries)."""
    common = entries(count, "common")

    def pair(left: int, right: int, *, newest: bool = False) -> tuple[IdSet, IdSet]:
        sides = (entries(size, side, newest=newest) for size, side in ((left, "left"), (right, "right")))
        return tuple(idset(common, side) for side in sides)  # type: ignore[return-value]

    return [
        ("equal sets", *pair(0, 0), 400),
        ("10 missing on one side", *pair(0, 10), 10_000),
        ("10 missing, on both sides", *pair(5, 5), 10_000),
        ("1,000 missing on one side", *pair(0, 1_000), 400_000),
        ("1,000 missing, on both sides", *pair(500, 500), 400_000),
        ("10 in the newest epoch", *pair(0, 10, newest=True), 10_000),
        ("1,000 in the newest epoch", *pair(500, 500, newest=True), 400_000),
        ("a newcomer, empty", idset(), idset(common), None),
        ("disjoint sets", idset(common), idset(entries(count, "others")), None),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000, help="entries that both sides hold")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args()
    results = [
        {"case": name, "asked_bytes": asked, **session(left, right), "baseline": all_ids(left, right)}
        for name, left, right, asked in cases(options.entries)
    ]
    if options.json:
        print(json.dumps({"entries": options.entries, "results": results}, indent=2))
        return
    print(f"{options.entries:,} entries in common; asked: at most 3 round trips where bytes are asked\n")
    print(
        f"{'case':30}{'found':>9}{'bytes':>11}{'asked':>9}{'messages':>10}{'largest':>9}{'trips':>7}"
        f"{'CPU ms':>8}{'all ids: bytes':>16}{'CPU ms':>8}"
    )
    for row in results:
        asked = f"{row['asked_bytes']:,}" if row["asked_bytes"] else "–"
        print(
            f"{row['case']:30}{row['found']:>9,}{row['bytes']:>11,}{asked:>9}{row['messages']:>10}"
            f"{row['largest']:>9,}{row['round_trips']:>7}{row['cpu_ms']:>8.0f}"
            f"{row['baseline']['bytes']:>16,}{row['baseline']['cpu_ms']:>8.0f}"
        )


if __name__ == "__main__":
    main()
