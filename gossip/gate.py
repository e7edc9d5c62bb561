"""The gate: whether this node may post now, and if not, why and what to do.

A node posts only as a member, in a ring that is large enough, with enough friends, and with a view of the mesh that
at least two friends share (all of them, if it has fewer than three). The last is what protects the author: a friend
who showed a made-up roster could otherwise make the ring a ring of its own. Everybody may know these rules; only this
node applies them to itself.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from ..crypto.membership import Purpose, Ring
from .genesis import Genesis
from .quota import quota_of
from .roster import MATURITY_EPOCHS
from .views import View

__all__ = ["AGREEING_FRIENDS_MIN", "Gate", "in_words", "inspect"]

#: A view that only one friend shares may be that friend's invention.
AGREEING_FRIENDS_MIN: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What stands between the user and a post."""

    obstacles: tuple[str, ...]
    """One sentence each; empty if the node may post."""
    open_at: float | None
    """Seconds since 1970 when waiting alone will help, as far as is known; None if it will not."""
    ring_size: int
    """Among how many members a post would hide; 0 without a ring."""
    agreeing_count: int
    """Friends that share this node's view of the ring and of the relay keys."""
    agreed: bool
    """Whether as many do as it takes."""
    relay_key_count: int
    """Relay keys that may be used now."""


def inspect(
    *,
    genesis: Genesis,
    now: float,
    eligible_at: int | None,
    ring: Ring | None,
    friend_count: int,
    relay_keys: Collection[bytes],
    relay_root: bytes,
    views: Collection[View],
    clocks: Sequence[int] = (),
    purpose: Purpose | None,
    slots_left: int,
    silent_until: int = 0,
) -> Gate:
    """Applies the rules.

    Args:
        genesis: the mesh.
        now: seconds since 1970.
        eligible_at: the epoch from which our key stands in the ring; None if it was not admitted.
        ring: the ring that we would post with.
        friend_count: confirmed friends.
        relay_keys: those that may be used now.
        relay_root: their digest.
        views: the roots of ring and relay keys that each friend reports as its own.
        clocks: epochs by which the clocks of other friends are ahead of ours.
        purpose: what is to be posted takes a slot of; None for marks, which take none.
        slots_left: slots of this purpose and epoch that we have not used.
        silent_until: the first epoch in which a node speaks that was restored from a backup.
    """
    parameters = genesis.parameters
    epoch = genesis.epoch_at(now)
    obstacles: list[str] = []
    waits: list[float | None] = []

    def obstacle(sentence: str, until: float | None = None) -> None:
        obstacles.append(sentence)
        waits.append(until)

    ring_size = ring.size if ring is not None else 0
    agreeing = sum(ring is not None and view == (ring.root, relay_root) for view in views)
    if eligible_at is None:
        count = parameters.admissions_per_epoch
        newcomers = "one newcomer" if count == 1 else f"{count} newcomers"
        obstacle(
            f"You are not a member yet: the friend who invited you can admit {newcomers} in "
            f"{in_words(parameters.epoch_s)}, once both nodes are online and your friend counts as a member. "
            f"You count at once if your friend founded the mesh and it is small, and else up to "
            f"{in_words(MATURITY_EPOCHS * parameters.epoch_s)} later."
        )
    elif eligible_at > epoch:
        obstacle(
            f"Your membership is new. It counts in {in_words(genesis.start_of(eligible_at) - now)}, when the whole "
            "mesh knows of it.",
            genesis.start_of(eligible_at),
        )
    if silent_until > epoch:
        speaks_at = genesis.start_of(silent_until)
        obstacle(
            f"This profile was restored from a backup. It is silent for {in_words(speaks_at - now)}, so that nothing "
            "is said twice.",
            speaks_at,
        )
    if friend_count < parameters.friends_min:
        obstacle(
            f"This mesh asks for {_count(parameters.friends_min, 'confirmed friend')} before you post; you have "
            f"{friend_count}. Invite more, or accept more invitations."
        )
    counted = ring_size or int(eligible_at is not None and eligible_at <= epoch)
    if ring_size < parameters.members_min:
        obstacle(
            f"This mesh asks for {_count(parameters.members_min, 'member')} before anybody posts; "
            f"by now there {'is' if counted == 1 else 'are'} {counted}."
        )
    needed = min(friend_count, AGREEING_FRIENDS_MIN)
    if eligible_at is not None and agreeing < needed and clocks:
        # The middle one: a single friend's clock may be anywhere.
        ahead = sorted(clocks)[len(clocks) // 2]
        apart = in_words(abs(ahead) * parameters.epoch_s)
        whose = "The clock of a friend" if len(clocks) == 1 else f"The clocks of {len(clocks)} friends"
        obstacle(
            f"{whose} {'is' if len(clocks) == 1 else 'are'} {apart} {'ahead of' if ahead > 0 else 'behind'} yours, and "
            "nobody takes what comes from another time. Look whether yours is right, and start your node again if you "
            "have set it."
        )
    elif eligible_at is not None and agreeing < needed:
        if not views:
            heard = "No friend of yours has shown its list of members and relay keys yet"
        else:
            heard = f"{_count(agreeing, 'friend')} of the {needed} it takes {'has' if agreeing == 1 else 'have'} the "
            heard += "same lists of members and relay keys as you"
        waited = "more of them are online and have" if needed > 1 else "your friend is online and has"
        obstacle(f"{heard}. Wait until {waited} caught up.")
    if len(relay_keys) < parameters.relay_keys_min:
        half_day_s = parameters.relay_day_epochs // 2 * parameters.epoch_s
        obstacle(
            f"This mesh asks for {_count(parameters.relay_keys_min, 'relay key')} before anybody posts; by now "
            f"{len(relay_keys)} may be used. Every member's node makes one a day, and it counts {in_words(half_day_s)} "
            "later. Wait until more members have been online."
        )
    if purpose is not None and slots_left <= 0 and silent_until <= epoch:
        done = "replied" if purpose is Purpose.REPLY else "posted"
        obstacle(
            f"You have {done} {quota_of(purpose, parameters)} times in this epoch, which is all that anybody may.",
            genesis.start_of(epoch + 1),
        )
    if eligible_at is None:
        del obstacles[1:], waits[1:]  # The rest is beside the point until then.
    known = [until for until in waits if until is not None]
    return Gate(
        obstacles=tuple(obstacles),
        open_at=max(known) if known and len(known) == len(waits) else None,
        ring_size=ring_size,
        agreeing_count=agreeing,
        agreed=ring is not None and agreeing >= needed,
        relay_key_count=len(relay_keys),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def in_words(seconds: float) -> str:
    """A time to wait, for people: rounded up, in the largest unit that it is twice or exactly once."""
    for size, one, many in (
        (86_400, "a day", "days"),
        (3_600, "an hour", "hours"),
        (60, "a minute", "minutes"),
        (1, "a second", "seconds"),
    ):
        if seconds >= 2 * size:
            return f"{math.ceil(seconds / size)} {many}"
        if seconds == size:
            return one
    return "a second"
