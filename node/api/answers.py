"""Answers: what a node tells a person about itself, as plain dictionaries.

Reads, and changes nothing. The same for the command line, the page and the demo; ``api`` sends them as they are. No
answer tells own secrets from others' or a time finer than a day next to a friend.
"""

from collections.abc import Sequence
from typing import Any, Final

from ...crypto.identity import NodeKey
from ...gossip.engine import Engine
from ...gossip.meter import SPIES, measure
from ..friends import Friendship, Stage
from ..network.connections import PeerState
from .mixing import describe_outbox

__all__ = [
    "describe_face",
    "describe_friend",
    "describe_mesh",
    "describe_meter",
    "describe_pending",
    "describe_posting",
]

#: Who has said so much under one face is told what one more costs: about half of what there was to hide in.
WARNED_FROM: Final = 3

#: In smaller circles nothing was measured, and there is next to nothing to hide in.
MEASURED_MIN: Final = 8


def describe_mesh(engine: Engine, now: float) -> dict[str, Any]:
    """The mesh as this node knows it at the moment ``now``."""
    genesis = engine.genesis
    ring = engine.roster.ring_at(genesis.epoch_at(now))
    return {
        "name": genesis.name,
        "id": genesis.mesh_id.hex(),
        "trial": bool(genesis.parameters.trial),
        "epoch_s": genesis.parameters.epoch_s,
        "members": len(engine.roster),
        "ring_size": ring.size if ring is not None else 0,
        "items": len(engine.store),
        "outbox": len(engine.author.outbox),
    }


def describe_friend(friend: Friendship, state: PeerState) -> dict[str, Any]:
    """One friend, and honestly what there is to wait for."""
    return {
        "id": friend.short_id,
        "name": friend.name,
        "node": NodeKey(friend.node_id).peer_id,
        "stage": friend.stage.name.lower(),
        "connected": state.connected,
        "state": _friend_state(friend, state),
        "words": friend.words if friend.stage is not Stage.FRIENDS else None,
    }


def _friend_state(friend: Friendship, state: PeerState) -> str:
    if state.connected:
        return "connected" if friend.stage is Stage.FRIENDS else friend.stage.value
    reason = state.last_failure or "not connected yet"
    if friend.stage is not Stage.FRIENDS:
        return f"{friend.stage.value} ({reason})"
    if not state.last_failure:
        return "connecting"
    since = f" since {state.since_day}" if state.since_day is not None else ""
    return f"unreachable{since}: {reason}"


def describe_pending(
    friends: Sequence[dict[str, Any]],
    joining: Sequence[dict[str, str]],
    engine: Engine | None,
    now: float,
) -> list[str]:
    """What is under way or waits for somebody, one sentence each."""
    pending = [f"{friend['name']}: {friend['state']}" for friend in friends if friend["stage"] != "friends"]
    pending += [f"Joining {join['name']}: {join['state']}" for join in joining]
    if engine is not None:
        if engine.author.petition_count:
            pending.append(
                "A newcomer waits for its admission; it takes one of your slots in a coming epoch."
            )
        states = [entry["state"] for entry in describe_outbox(engine, now)]
        for state, words in (
            ("waiting", "that wait for a slot"),
            ("on_its_way", "on their way and not back yet"),
            ("given_up", "that did not come back and are given up"),
        ):
            if state in states:
                pending.append(f"Secrets of yours {words}: {states.count(state)}.")
    return pending


def describe_meter(engine: Engine, now: float) -> dict[str, Any]:
    """In how large a set a post hides now, and what that assumes; see ``gossip.meter``."""
    genesis, ring = engine.genesis, engine.roster.ring_at(engine.genesis.epoch_at(now))
    members = ring.size if ring is not None else 0
    if genesis.parameters.trial or members < MEASURED_MIN:
        sentence = (
            "This is a trial mesh: it hides nobody."
            if genesis.parameters.trial
            else "There are too few members to hide among yet."
        )
        return {"sentence": sentence, "set_size": 1, "assumes": None, "members": members, "by_spies": []}
    meters = [measure(genesis.parameters, members, spies) for spies in SPIES]
    first = meters[0]
    length = genesis.parameters.route_length
    return {
        "sentence": f"A post hides among about {first.set_size} of the {members} members, if no more than one member "
        f"in {round(1 / first.spies)} works with spies.",
        "set_size": first.set_size,
        "assumes": f"This is measured, on average, and takes it that at least one of your friends is honest. Spies who "
        f"hold a tenth of the relay keys hold all {length} of a route once in {round(1 / first.caught):,} posts, and "
        f"may trace that one.",
        "members": members,
        "by_spies": [
            {"spies": each.spies, "set_size": each.set_size, "p_named": round(each.named, 5)}
            for each in meters
        ],
    }


def describe_face(engine: Engine, said: int, now: float) -> dict[str, Any]:
    """What one has said under one face in a thread, and from some point on what one more costs."""
    meter = describe_meter(engine, now)
    warning = None
    if said >= WARNED_FROM and meter["by_spies"]:
        first = measure(engine.genesis.parameters, meter["members"], SPIES[0])
        warning = (
            f"You have spoken {said} times in this thread under one face, and spies can take it together. Once more, "
            f"and you hide as among about {first.set_of(said + 1)} members; who speaks once, among {first.set_size}."
        )
    return {"said": said, "warning": warning}


def describe_posting(engine: Engine | None, now: float) -> dict[str, Any]:
    """Whether one may post at the moment ``now``, and if not, why."""
    if engine is None:
        return {
            "allowed": False,
            "obstacles": ["There is no mesh yet: found one or join one."],
            "open_at": None,
            "ring_size": 0,
            "agreeing_friends": 0,
        }
    gate = engine.gate(now)
    return {
        "allowed": not gate.obstacles,
        "obstacles": list(gate.obstacles),
        "open_at": gate.open_at,
        "ring_size": gate.ring_size,
        "agreeing_friends": gate.agreeing_count,
    }
