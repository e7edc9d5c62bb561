"""Range-based set reconciliation: two friends find out which items either of them lacks.

Both sides compare fingerprints of ranges of their sorted sets; where two fingerprints differ the range is
split into 16 and compared again, and where few entries remain they are listed. After Meyer, "Range-Based Set
Reconciliation" (SRDS 2023, https://arxiv.org/abs/2212.13567), with negentropy as the model of a wire format.
This module is the session: what to answer to what. It finds differences and moves no items; whoever holds
what the other lacks offers it by the ordinary way of the links.

A session takes *flights* in turn, each of one or a few messages (`ranges` has their bytes):

    initiator  opening: floor, nonce
    responder  answer:  floor, nonce; fingerprints of its set in 16 ranges
    both       section: for each range that differs, a split into 16 or a listing;
                        for each listing, the short ids that only one side holds
    …          until a flight names no range

100,000 entries take four levels, that is six flights or three round trips. Sixteen-way splits reach listings
a round trip sooner than eight-way ones and cost a fifth more bytes.

*Floor.* Each side names the lowest epoch that it still keeps; the session covers epochs from the later of the
two, so differing clocks and evictions never make one side offer what the other has just dropped.

*Salt.* SHA256(label || initiator's nonce || responder's nonce). Fingerprints need the common floor, so none
can be in the opening, and letting both sides give half of the salt costs nothing. The initiator's half is
fixed before it hears the responder's, and either honest half makes the salt fresh. What the salt defends is
two *honest* friends against the author of items: all ids in both sets were chosen before the salt was drawn,
so nobody can have ground them to collide (`idset` has the figures). Against the friend itself it need not
defend: a friend that wants us not to find a difference can just claim equality, and one that replays an old
session meets another salt. The responder speaks second and could search for a nonce under which two of *our*
ids get one short id; it would only hide from us what it can hide anyway, its own answers.

*Short ids.* Listings name entries by 8 bytes of the salted hash. If a short id of one side happens to equal
that of another entry of the other side (2^-64 a pair; 10^-9 a session at 100,000 entries each), both are
taken for one and stay unfound until the next session, which has another salt. Nothing fails. `Step.want`
consists of short ids: the friend that holds those entries resolves them and offers them.

*A changing set.* A session sees the snapshot taken when the salt was known. What arrives later may be offered
twice or be missed; the next session finds it. An id in `Step.have` may have been dropped meanwhile.

*Costs.* A 25-byte opening makes the responder hash its whole set (0.1 s for 100,000). The caller allows one
session per link at a time and a few per hour, and drops a session whose friend falls silent: there is no
clock here. Everything a friend can grow inside a session has a limit below.

*What a session tells.* Which entries this node holds. The caller puts an item of its own into the set only
once it has come back from the network, else a session would name its author.
"""

from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from typing import Final

from ..crypto.labels import RECONCILIATION_SALT
from .flights import FLIGHT_MESSAGE_COUNT_MAX, Unsaid
from .idset import EPOCH_MAX, UPPER_MOST, IdSet, Snapshot, key_of
from .ranges import (
    LISTING_COUNT_MAX,
    NONCE_SIZE,
    Message,
    Opening,
    Range,
    ReconciliationError,
    decode_untrusted,
    encode,
)

__all__ = ["ReconciliationError", "Session", "Step"]

SPLIT_COUNT: Final = 16

# The splits of 2^40 entries take ten flights; the rest is for newcomers, who hear 60,000 short ids a flight.
FLIGHT_COUNT_MAX: Final = 64

# An honest session lists or compares each entry once and sees at most about five fingerprints an entry (a
# split of at least 65 entries is answered with at most 16 splits of 16). A friend that invents differences is
# stopped at this many units per own entry, a unit being one hash.
WORK_PER_ENTRY_MAX: Final = 8
WORK_BASE_MAX: Final = 4096

# Head, floor and nonce, flags and three counts.
BODY_OVERHEAD_SIZE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What follows from one message of the friend."""

    messages: tuple[bytes, ...] = ()
    """Messages to send now, in order; 0 to FLIGHT_MESSAGE_COUNT_MAX, each at most MESSAGE_SIZE_MAX bytes."""
    have: tuple[bytes, ...] = ()
    """32-byte ids of entries that we held when the session began and the friend lacks."""
    want: tuple[bytes, ...] = ()
    """Short ids (8 bytes) of entries that the friend says it holds and we lack; see `Session.short_id`.

    A friend can make them up, 60,000 in a flight: a reason to expect items, not to keep a list of them all.
    """
    done: bool = False
    """The session is over, once `messages` are sent; it takes no more."""


class _State(Enum):
    AWAITING_ANSWER = auto()  #: the initiator has sent its opening
    RECEIVING = auto()  #: the friend has its turn
    DONE = auto()  #: neither side has anything to say


class Session:
    """One side of a reconciliation session. Made by `open` or `accept_untrusted`."""

    def __init__(self, idset: IdSet, opening: Opening) -> None:
        self._idset = idset
        self._opening = opening
        self._state = _State.AWAITING_ANSWER
        self._snapshot = Snapshot([], b"")
        self._work_left = WORK_BASE_MAX
        self._flights_left = FLIGHT_COUNT_MAX
        # The friend's present flight: where its next range begins, how many messages came, whether any range.
        self._cursor = b""
        self._flight_message_count = 0
        self._flight_has_ranges = False
        self._unsaid = Unsaid()
        # What we listed and the friend may want.
        self._listed: dict[bytes, int] = {}

    @classmethod
    def open(cls, idset: IdSet, floor: int, nonce: bytes) -> tuple["Session", bytes]:
        """Begins a session and returns it with the first message, 25 bytes.

        `floor` is the lowest epoch that this node still keeps; `nonce` is 16 fresh bytes from a
        cryptographic generator. ValueError if either is out of range.
        """
        session = cls(idset, _checked_opening(floor, nonce))
        return session, encode(Message(opening=session._opening))

    @classmethod
    def accept_untrusted(
        cls, idset: IdSet, floor: int, nonce: bytes, opening: bytes
    ) -> tuple["Session", Step]:
        """Answers a friend's first message; arguments as for `open`.

        Raises ReconciliationError if the bytes are not an opening.
        """
        session = cls(idset, _checked_opening(floor, nonce))
        message = decode_untrusted(opening)
        if message.opening is None or message.body is not None:
            raise ReconciliationError("a session begins with an opening")
        session._begin(message.opening, message.opening.nonce + nonce)
        snapshot = session._snapshot
        session._describe(b"", UPPER_MOST, 0, len(snapshot), listing_count_max=SPLIT_COUNT)
        return session, Step(messages=session._unsaid.flight(session._opening))

    def short_id(self, epoch: int, item_id: bytes) -> bytes:
        """Returns the 8 bytes that stand for an entry in this session's `Step.want`."""
        return self._snapshot.short_id(key_of(epoch, item_id))

    def receive_untrusted(self, message: bytes) -> Step:
        """Takes the friend's next message.

        Raises ReconciliationError for anything malformed, unexpected or beyond a limit; the session is then
        of no further use.
        """
        if self._state is _State.DONE:
            raise ReconciliationError("the session is over")
        decoded = decode_untrusted(message)
        body = decoded.body
        if body is None or (decoded.opening is not None) != (self._state is _State.AWAITING_ANSWER):
            raise ReconciliationError("the message does not belong here")
        if decoded.opening is not None:
            self._begin(decoded.opening, self._opening.nonce + decoded.opening.nonce)
        self._flight_message_count += 1
        if self._flight_message_count > FLIGHT_MESSAGE_COUNT_MAX:
            raise ReconciliationError("the flight has too many messages")

        have = [self._resolve(short_id) for short_id in body.wanted]
        want = list(body.held)
        for entry in body.ranges:
            self._compare(entry, have, want)
        if body.more_in_flight:
            return Step(have=tuple(have), want=tuple(want))
        messages, done = self._take_turn(friend_has_more=body.more_later)
        return Step(messages=messages, have=tuple(have), want=tuple(want), done=done)

    def _begin(self, theirs: Opening, nonces: bytes) -> None:
        """Takes the snapshot, now that floor and salt are known."""
        self._snapshot = self._idset.snapshot(
            max(self._opening.floor, theirs.floor), sha256(RECONCILIATION_SALT + nonces).digest()
        )
        self._work_left = WORK_BASE_MAX + WORK_PER_ENTRY_MAX * len(self._snapshot)
        self._state = _State.RECEIVING

    def _spend(self, units: int) -> None:
        self._work_left -= units
        if self._work_left < 0:
            raise ReconciliationError("the session takes more work than two sets can need")

    def _resolve(self, short_id: bytes) -> bytes:
        """Returns the full id of an entry that we listed and the friend wants, once."""
        index = self._listed.pop(short_id, None)
        if index is None:
            raise ReconciliationError("a short id is wanted that was not listed")
        return self._snapshot.item_id(index)

    def _compare(self, entry: Range, have: list[bytes], want: list[bytes]) -> None:
        """Holds one of the friend's ranges against our entries and notes what to answer."""
        lower, upper, snapshot = self._cursor, entry.upper, self._snapshot
        if upper <= lower:
            raise ReconciliationError("the ranges of a flight do not ascend")
        self._cursor = upper
        if entry.fingerprint is not None:
            self._flight_has_ranges = True
            self._spend(1)
            first, last = snapshot.index(lower), snapshot.index(upper)
            if snapshot.fingerprint(first, last) != entry.fingerprint:
                self._describe(lower, upper, first, last, listing_count_max=LISTING_COUNT_MAX)
        elif entry.listing is not None:
            self._flight_has_ranges = True
            ours = self._short_ids(snapshot.index(lower), snapshot.index(upper))
            theirs = frozenset(entry.listing)
            for short_id in ours.keys() - theirs:
                self._unsaid.held.append(short_id)
                have.append(snapshot.item_id(ours[short_id]))
            lacking = theirs - ours.keys()
            self._unsaid.wanted += lacking
            want += lacking

    def _short_ids(self, first: int, last: int) -> dict[bytes, int]:
        """Returns short id to index for a range; of two entries with one short id, the later."""
        self._spend(last - first)
        snapshot = self._snapshot
        return {snapshot.short_id(snapshot.key(index)): index for index in range(first, last)}

    def _describe(self, lower: bytes, upper: bytes, first: int, last: int, *, listing_count_max: int) -> None:
        """Notes what we hold in a range: all of it if it is little, else the fingerprints of 16 parts."""
        snapshot, count = self._snapshot, last - first
        if count <= listing_count_max:
            ours = self._short_ids(first, last)
            self._listed |= ours
            self._unsaid.ranges.append((lower, Range(upper=upper, listing=tuple(sorted(ours)))))
            return
        self._spend(SPLIT_COUNT)
        cuts = [first + count * part // SPLIT_COUNT for part in range(SPLIT_COUNT + 1)]
        bounds = [lower, *(snapshot.bound_before(cut) for cut in cuts[1:-1]), upper]
        for part in range(SPLIT_COUNT):
            fingerprint = snapshot.fingerprint(cuts[part], cuts[part + 1])
            self._unsaid.ranges.append((bounds[part], Range(upper=bounds[part + 1], fingerprint=fingerprint)))

    def _take_turn(self, *, friend_has_more: bool) -> tuple[tuple[bytes, ...], bool]:
        """Answers the flight that has just ended; returns the messages and whether the session is over."""
        flight_had_ranges = self._flight_has_ranges
        self._cursor, self._flight_message_count, self._flight_has_ranges = b"", 0, False
        self._flights_left -= 1
        if self._flights_left < 0:
            raise ReconciliationError("the session takes too many turns")
        messages: tuple[bytes, ...] = ()
        friend_waits = bool(self._unsaid) or flight_had_ranges or friend_has_more
        we_ask = bool(self._unsaid.ranges)
        if friend_waits:
            messages = self._unsaid.flight(None)
        # A flight that asks nothing and leaves nothing over is the last one, and both sides know it.
        done = not (we_ask or self._unsaid or friend_has_more)
        if done:
            self._state = _State.DONE
        return messages, done


def _checked_opening(floor: int, nonce: bytes) -> Opening:
    if not 0 <= floor <= EPOCH_MAX or len(nonce) != NONCE_SIZE:
        raise ValueError("a session takes an unsigned 64-bit floor and a 16-byte nonce")
    return Opening(floor=floor, nonce=nonce)
