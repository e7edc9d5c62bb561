"""Answers about mixing: how long a secret waits, what it hides among, and what becomes of it meanwhile.

Reads, and changes nothing. What is told here is told to the person at this node and to nobody else, and none of it
goes to a log or the disk. It names no secret: who shows a status to a friend, to ask for help, does not show what they
wrote. The outbox, which is asked for by itself, adds that (``speaking``).
"""

from typing import Any

from ...gossip.engine import Engine
from ...gossip.events import OutboxAdded
from ...gossip.gate import Gate, in_words
from ...gossip.pace import RETRIES_MAX, STEM_END, Pace

__all__ = ["describe_mixing", "describe_outbox", "describe_queued", "describe_waiting"]

_GUESS = "These are averages: it may well take three times as long, or no time at all."

_STARTS = (
    "It starts once you count as a member, beside one other at least, and the next epoch begins; then it never stops "
    "while the node runs."
)


def describe_mixing(engine: Engine, now: float) -> dict[str, Any]:
    """The own clock, the relay keys and what they have done since the start, at the moment ``now``."""
    gate = engine.gate(now)
    pace = engine.mixing.pace(now)
    tally, loops = engine.mixing.tally, engine.mixing.loops
    since = engine.mixing.ticking_since
    return {
        "own_clock": {
            "running": since is not None,
            "since": since,
            "waits_for": None if since is not None else _STARTS,
            "interval_s": round(pace.interval_s, 3),
            "bytes_per_day": engine.genesis.parameters.bytes_per_day,
        },
        "slot_wait_s": round(_slot_wait_s(engine, _waiting_count(engine, now), now), 3),
        "relaying_s": round(_relaying_s(engine, pace, now), 3),
        "relay_keys": gate.relay_key_count,
        "relay_keys_min": engine.genesis.parameters.relay_keys_min,
        "hides_among": gate.ring_size,
        "hides_if": _assumption(engine, gate),
        "ticks": tally.tick_count,
        "cover_packets": tally.cover_count,
        "onions": tally.onion_count,
        "relayed": tally.relayed_count,
        "loops_returned": loops.returned_count,
        "loops_lost": loops.lost_count,
        "packets_in": tally.packets_in_count,
        "packets_out": tally.packets_out_count,
        "copies_per_packet": round(tally.packets_in_count / max(1, tally.packets_kept_count), 3),
    }


def describe_queued(engine: Engine, now: float) -> dict[str, Any]:
    """What somebody who has just posted has to wait for."""
    pace = engine.mixing.pace(now)
    slot_wait_s = _slot_wait_s(engine, max(0, _waiting_count(engine, now) - 1), now)
    relaying_s = _relaying_s(engine, pace, now)
    return {
        "state": "queued",
        "slot_wait_s": round(slot_wait_s, 3),
        "relaying_s": round(relaying_s, 3),
        "sentence": f"Waiting for its slot, about {in_words(slot_wait_s)}; then about {in_words(relaying_s)} on "
        f"its way. {_GUESS}",
    }


def describe_outbox(engine: Engine, now: float) -> list[dict[str, Any]]:
    """What of ours has not come back from the network, the oldest first."""
    return [describe_waiting(engine, row, now) for row in engine.author.outbox]


def describe_waiting(engine: Engine, row: OutboxAdded, now: float) -> dict[str, Any]:
    """What becomes of one of these."""
    outbox = engine.mixing.outbox
    waiting = outbox.get(row.item_id)
    if waiting is None and row.epoch <= engine.genesis.epoch_at(now):
        obstacles = engine.gate(now, None).obstacles
        sentence = " ".join(["Cannot be signed yet.", *obstacles]) if obstacles else "Is being signed."
        return {"state": "waiting", "sent": row.sent_count, "sentence": sentence}
    if waiting is None or waiting.sent_at is None:
        if held_back := _held_back(engine, now):
            return {"state": "waiting", "sent": 0, "sentence": held_back}
        pace = engine.mixing.pace(now)
        unsent = [item.item_id for item in outbox.items() if outbox[item.item_id].sent_at is None]
        # What has its turn in a later epoch is signed then.
        unsent += [other.item_id for other in engine.author.outbox if other.item_id not in outbox]
        slot_wait = in_words(_slot_wait_s(engine, unsent.index(row.item_id), now))
        sentence = f"Waits for its slot, about {slot_wait}; then about "
        sentence += f"{in_words(_relaying_s(engine, pace, now))} on its way."
        return {"state": "waiting", "sent": 0, "sentence": sentence}
    retry_at = waiting.sent_at + engine.mixing.pace(now).retry_s
    if retry_at > now:
        sentence = f"On its way; if it is not back in {in_words(retry_at - now)}, "
        sentence += "it is given up." if waiting.given_up else "it leaves once more."
        return {"state": "on_its_way", "sent": waiting.sent_count, "sentence": sentence}
    if not waiting.has_failed(now, engine.mixing.pace(now).retry_s):
        return {
            "state": "waiting",
            "sent": waiting.sent_count,
            "sentence": f"Did not come back. {_held_back(engine, now) or 'It leaves once more.'}",
        }
    return {
        "state": "given_up",
        "sent": waiting.sent_count,
        "sentence": f"Left {RETRIES_MAX + 1} times and has not come back, so it does not leave again: more tries would "
        "help those who want to trace it. If nobody has read it, post it anew.",
    }


def _held_back(engine: Engine, now: float) -> str:
    """Why nothing of ours leaves now, whatever the clock does; nothing if it may."""
    gate = engine.gate(now, None)
    if engine.mixing.lets_out(now, agreed=gate.agreed):
        return ""
    return " ".join(["Held back for now.", *gate.obstacles])


def _waiting_count(engine: Engine, now: float) -> int:
    """What of ours leaves before anything that is posted now."""
    outbox, retry_s = engine.mixing.outbox, engine.mixing.pace(now).retry_s
    unsigned = [row for row in engine.author.outbox if row.item_id not in outbox]
    return outbox.due_count(now, retry_s) + len(unsigned)


def _slot_wait_s(engine: Engine, ahead_count: int, now: float) -> float:
    """The mean wait for the slot after so many others. A clock has no memory: it always begins now, once it runs."""
    genesis, mixing = engine.genesis, engine.mixing
    starts_in_s = genesis.start_of(genesis.epoch_at(now) + 1) - now if mixing.ticking_since is None else 0.0
    return starts_in_s + mixing.pace(now).interval_s * (ahead_count + 1)


def _relaying_s(engine: Engine, pace: Pace, now: float) -> float:
    """The mean time from the slot to publication: each relay waits, and a stem leads to each flood."""
    relays = engine.genesis.parameters.route_length if engine.mixing.can_hide(now) else 0
    return relays * pace.relay_delay_s + (relays + 1) * pace.hop_s / STEM_END


def _assumption(engine: Engine, gate: Gate) -> str:
    if engine.genesis.parameters.trial:
        return "This is a trial mesh: it hides nobody."
    if not gate.ring_size:
        return "There is no ring to hide in yet."
    return (
        f"Among {gate.ring_size} members if none of them spies. Spies know that it was none of them, and those who "
        "hold all relay keys of a route may trace it: see docs/threat-model.md."
    )
