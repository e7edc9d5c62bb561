"""Two sessions talk to each other, and a hostile friend talks to one."""

from dataclasses import dataclass, field
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumor.gossip import reconciliation
from rumor.gossip.flights import FLIGHT_MESSAGE_COUNT_MAX
from rumor.gossip.idset import IdSet
from rumor.gossip.ranges import (
    MESSAGE_SIZE_MAX,
    UPPER_MOST,
    Body,
    Message,
    Opening,
    Range,
    ReconciliationError,
    decode_untrusted,
    encode,
)
from rumor.gossip.reconciliation import Session, Step

Entry = tuple[int, bytes]
ENTRIES = st.tuples(st.integers(0, 4), st.binary(min_size=32, max_size=32))


def idset(entries: set[Entry]) -> IdSet:
    made = IdSet()
    # In order, as a node loads them: most entries then go to the end.
    for epoch, item_id in sorted(entries):
        made.insert(epoch, item_id)
    return made


def some_entries(count: int, label: str, epochs: int = 720) -> set[Entry]:
    digests = [sha256(f"{label}/{index}".encode()).digest() for index in range(count)]
    return {(490_000 + int.from_bytes(digest[:4], "big") % epochs, digest) for digest in digests}


@dataclass
class Outcome:
    """What a whole session cost and found."""

    initiator: Session
    responder: Session
    sizes: list[int]
    flight_count: int
    have: dict[str, list[bytes]] = field(default_factory=lambda: {"initiator": [], "responder": []})
    want: dict[str, list[bytes]] = field(default_factory=lambda: {"initiator": [], "responder": []})


def talk(left: IdSet, right: IdSet, floors: tuple[int, int] = (0, 0), between=lambda: None) -> Outcome:
    """Runs a session to its end; `between` is called before each message arrives."""
    initiator, opening = Session.open(left, floors[0], b"i" * 16)
    between()
    responder, step = Session.accept_untrusted(right, floors[1], b"r" * 16, opening)
    outcome = Outcome(initiator, responder, [len(opening)], 1)
    sides = {"initiator": initiator, "responder": responder}
    done = {"initiator": False, "responder": step.done}
    turn, messages = "initiator", step.messages
    while messages:
        outcome.flight_count += 1
        replies: tuple[bytes, ...] = ()
        for message in messages:
            assert replies == ()
            outcome.sizes.append(len(message))
            between()
            step = sides[turn].receive_untrusted(message)
            outcome.have[turn] += step.have
            outcome.want[turn] += step.want
            done[turn] = step.done
            replies = step.messages
        turn = "responder" if turn == "initiator" else "initiator"
        messages = replies
    assert done == {"initiator": True, "responder": True}
    assert max(outcome.sizes) <= MESSAGE_SIZE_MAX
    return outcome


def assert_exact(outcome: Outcome, left: set[Entry], right: set[Entry], floor: int) -> None:
    """Both sides know exactly what either lacks, and nothing twice."""
    for side, ours, theirs in (("initiator", left, right), ("responder", right, left)):
        session = outcome.initiator if side == "initiator" else outcome.responder
        lacked = {entry for entry in ours - theirs if entry[0] >= floor}
        lacking = {entry for entry in theirs - ours if entry[0] >= floor}
        assert sorted(outcome.have[side]) == sorted(item_id for _, item_id in lacked)
        assert sorted(outcome.want[side]) == sorted(session.short_id(*entry) for entry in lacking)


@given(st.sets(ENTRIES), st.sets(ENTRIES), st.sets(ENTRIES), st.integers(0, 5), st.integers(0, 5))
def test_any_two_small_sets_find_their_difference(
    common: set[Entry], left: set[Entry], right: set[Entry], left_floor: int, right_floor: int
) -> None:
    """Whatever the sets and floors, both sides end with the symmetric difference above the later floor."""
    left, right = left | common, right | common
    outcome = talk(idset(left), idset(right), (left_floor, right_floor))
    assert_exact(outcome, left, right, max(left_floor, right_floor))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(0, 3000), st.integers(0, 300), st.integers(0, 300), st.integers(1, 50)
)
def test_any_two_larger_sets_find_their_difference(
    seed: int, common_count: int, left_count: int, right_count: int, epochs: int
) -> None:
    """The same through several levels of splits."""
    common, left, right = (
        some_entries(count, f"{name}/{seed}", epochs)
        for name, count in (("common", common_count), ("left", left_count), ("right", right_count))
    )
    outcome = talk(idset(left | common), idset(right | common))
    assert_exact(outcome, left | common, right | common, 0)


HUNDRED_THOUSAND = some_entries(100_000, "common")


@pytest.mark.parametrize(
    ("left_count", "right_count", "epochs", "bytes_max"),
    [
        (0, 0, 720, 400),
        (10, 0, 720, 10_000),
        (5, 5, 720, 10_000),
        (0, 1_000, 720, 400_000),
        (500, 500, 720, 400_000),
        (0, 100, 1, 100_000),
    ],
)
def test_a_hundred_thousand_entries_keep_to_the_figures(
    left_count: int, right_count: int, epochs: int, bytes_max: int
) -> None:
    """Equal, few, many, one-sided, two-sided and clustered: within the bytes and three round trips."""
    left = HUNDRED_THOUSAND | some_entries(left_count, "left", epochs)
    right = HUNDRED_THOUSAND | some_entries(right_count, "right", epochs)
    outcome = talk(idset(left), idset(right))
    assert_exact(outcome, left, right, 0)
    assert sum(outcome.sizes) <= bytes_max
    assert outcome.flight_count <= 6


@pytest.mark.parametrize(("left_count", "right_count"), [(0, 65_000), (65_000, 0), (25_000, 25_000)])
def test_newcomers_and_strangers_are_served_in_bounded_flights(left_count: int, right_count: int) -> None:
    """An empty set, and disjoint sets, take several flights of bounded messages and come out right."""
    left, right = some_entries(left_count, "left"), some_entries(right_count, "right")
    outcome = talk(idset(left), idset(right))
    assert_exact(outcome, left, right, 0)
    assert sum(outcome.sizes) < 30 * (left_count + right_count)


def test_a_set_that_changes_meanwhile_disturbs_nothing() -> None:
    """A session sees the set as it began, however many items arrive and expire between messages."""
    left, right = some_entries(2_000, "left"), some_entries(2_000, "right")
    ours, theirs, random = idset(left), idset(right), Random(1)
    begun = [left, right]

    def churn() -> None:
        for which in (ours, theirs):
            which.insert(random.randrange(480_000, 500_000), random.randbytes(32))
        if len(begun) == 2:
            # The responder takes its snapshot after this first change, the initiator after the second.
            begun[:] = [begun[0], set(theirs), left]
        elif len(begun) == 3:
            begun[:] = [set(ours), begun[1], set(), set()]
        else:
            ours.expire(490_000)

    outcome = talk(ours, theirs, between=churn)
    assert_exact(outcome, begun[0], begun[1], 0)


def test_ids_of_equal_sum_are_told_apart() -> None:
    """Ground ids whose plain sums and counts agree do not hide from a session."""
    a, b = 2**255 + 12345, 2**254 + 999
    common = some_entries(5_000, "common", 1)
    epoch = next(iter(common))[0]
    left = common | {(epoch, value.to_bytes(32, "big")) for value in (a, b)}
    right = common | {(epoch, value.to_bytes(32, "big")) for value in (a + 1, b - 1)}
    assert_exact(talk(idset(left), idset(right)), left, right, 0)


def test_either_nonce_makes_another_salt() -> None:
    """Each side's half decides the fingerprints, so neither can replay or foresee them alone."""
    entries = some_entries(100, "any")
    answers = set()
    for ours, theirs in ((b"a", b"b"), (b"a", b"c"), (b"d", b"b")):
        _, opening = Session.open(idset(entries), 0, ours * 16)
        _, step = Session.accept_untrusted(idset(entries), 0, theirs * 16, opening)
        answers.add(step.messages[0][25:])
    assert len(answers) == 3


def section(**fields: object) -> bytes:
    return encode(Message(body=Body(**fields)))  # type: ignore[arg-type]


def responder(entries: set[Entry]) -> Session:
    _, opening = Session.open(IdSet(), 0, bytes(16))
    session, _ = Session.accept_untrusted(idset(entries), 0, bytes(16), opening)
    return session


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=100), max_size=5))
def test_arbitrary_bytes_raise_the_one_error_or_are_answered(messages: list[bytes]) -> None:
    """Whatever the bytes, at every point of a session."""
    session = responder(some_entries(100, "any"))
    initiator, _ = Session.open(IdSet(), 0, bytes(16))
    for message in messages:
        for call in (
            initiator.receive_untrusted,
            session.receive_untrusted,
            lambda data: Session.accept_untrusted(IdSet(), 0, bytes(16), data),
        ):
            try:
                call(message)
            except ReconciliationError:
                continue


@settings(deadline=None)
@given(st.data())
def test_a_damaged_message_is_an_error_or_a_smaller_find(data: st.DataObject) -> None:
    """With any byte of any message changed, a session raises its one error or ends, in bounded turns."""
    common = some_entries(300, "common", 5)
    left, right = common | some_entries(50, "left", 5), common | some_entries(50, "right", 5)
    initiator, opening = Session.open(idset(left), 0, b"i" * 16)
    responder, step = Session.accept_untrusted(idset(right), 0, b"r" * 16, opening)
    sides, messages = [initiator, responder], list(step.messages)
    turns = 0
    while messages:
        at = data.draw(st.integers(0, len(messages[0]) - 1))
        flipped = bytearray(messages[0])
        flipped[at] ^= data.draw(st.integers(0, 255))
        try:
            steps = [sides[0].receive_untrusted(message) for message in (bytes(flipped), *messages[1:])]
        except ReconciliationError:
            return
        messages = [message for step in steps for message in step.messages]
        sides.reverse()
        turns += 1
        assert turns <= 2 * reconciliation.FLIGHT_COUNT_MAX


def test_messages_out_of_place_are_refused() -> None:
    """An opening in the middle, a section at the beginning, a second answer, anything after the end."""
    ours = idset(some_entries(100, "any"))
    initiator, opening = Session.open(ours, 0, b"i" * 16)
    with pytest.raises(ReconciliationError, match="begins with an opening"):
        Session.accept_untrusted(ours, 0, bytes(16), section())
    with pytest.raises(ReconciliationError, match="does not belong"):
        initiator.receive_untrusted(section())
    with pytest.raises(ReconciliationError, match="does not belong"):
        initiator.receive_untrusted(opening)
    session, step = Session.accept_untrusted(ours, 0, b"r" * 16, opening)
    with pytest.raises(ReconciliationError, match="does not belong"):
        session.receive_untrusted(step.messages[0])
    last = initiator.receive_untrusted(step.messages[0])
    assert last.done
    with pytest.raises(ReconciliationError, match="over"):
        initiator.receive_untrusted(step.messages[0])
    assert session.receive_untrusted(last.messages[0]).done
    with pytest.raises(ReconciliationError, match="over"):
        session.receive_untrusted(last.messages[0])


def test_only_listed_entries_can_be_wanted_and_only_once() -> None:
    """A friend that asks for ids it made up, or repeats itself, is refused."""
    session = responder(some_entries(3, "any"))
    short_id = session.short_id(*next(iter(some_entries(3, "any"))))
    assert len(session.receive_untrusted(section(wanted=(short_id,), more_in_flight=True)).have) == 1
    with pytest.raises(ReconciliationError, match="not listed"):
        session.receive_untrusted(section(wanted=(short_id,), more_in_flight=True))
    with pytest.raises(ReconciliationError, match="not listed"):
        responder(some_entries(100, "any")).receive_untrusted(section(wanted=(bytes(8),)))


def test_ranges_ascend_through_a_whole_flight() -> None:
    """One range cannot be asked about again and again in one turn."""
    session = responder(some_entries(100, "any"))
    again = section(ranges=(Range(upper=UPPER_MOST, fingerprint=bytes(16)),), more_in_flight=True)
    session.receive_untrusted(again)
    with pytest.raises(ReconciliationError, match="do not ascend"):
        session.receive_untrusted(again)


def test_a_flight_has_few_messages() -> None:
    """A friend cannot keep its turn for ever."""
    session = responder(set())
    for _ in range(FLIGHT_MESSAGE_COUNT_MAX):
        session.receive_untrusted(section(more_in_flight=True))
    with pytest.raises(ReconciliationError, match="too many messages"):
        session.receive_untrusted(section(more_in_flight=True))


def test_a_session_has_few_turns() -> None:
    """Two sides cannot hand each other empty turns for ever."""
    session = responder(set())
    for _ in range(reconciliation.FLIGHT_COUNT_MAX):
        assert not session.receive_untrusted(section(more_later=True)).done
    with pytest.raises(ReconciliationError, match="too many turns"):
        session.receive_untrusted(section(more_later=True))


def call_all_wrong(session: Session) -> None:
    """Claims, turn after turn, that every range the session names differs."""
    uppers = [UPPER_MOST]
    for _ in range(reconciliation.FLIGHT_COUNT_MAX):
        messages: tuple[bytes, ...] = ()
        for at in range(0, len(uppers), 2000):
            ranges = tuple(Range(upper=upper, fingerprint=bytes(16)) for upper in uppers[at : at + 2000])
            more_in_flight = at + 2000 < len(uppers)
            step = session.receive_untrusted(section(ranges=ranges, more_in_flight=more_in_flight))
            messages += step.messages
        bodies = [decode_untrusted(message).body for message in messages]
        uppers = [entry.upper for body in bodies if body is not None for entry in body.ranges]


def test_invented_differences_run_out_of_work() -> None:
    """A friend that calls every fingerprint wrong is stopped after a bounded number of hashes."""
    session = responder(some_entries(10_000, "any"))
    with pytest.raises(ReconciliationError, match="more work"):
        call_all_wrong(session)


def test_a_replayed_session_says_nothing() -> None:
    """Messages recorded from an earlier session meet another salt: nothing they claim is taken for true."""
    entries = some_entries(500, "any")
    _, opening = Session.open(idset(entries), 0, b"i" * 16)
    first, step = Session.accept_untrusted(idset(entries), 0, b"1" * 16, opening)
    initiator, _ = Session.open(idset(entries), 0, b"i" * 16)
    assert initiator.receive_untrusted(step.messages[0]).done
    other, _ = Session.open(idset(entries), 0, b"j" * 16)
    replayed: Step = other.receive_untrusted(step.messages[0])
    assert not replayed.done
    assert first.short_id(*next(iter(entries))) != other.short_id(*next(iter(entries)))


@pytest.mark.parametrize(("floor", "nonce"), [(-1, bytes(16)), (2**64, bytes(16)), (0, bytes(15))])
def test_our_own_mistakes_are_value_errors(floor: int, nonce: bytes) -> None:
    """A bad floor or nonce of ours is not blamed on the friend."""
    with pytest.raises(ValueError, match="64-bit floor"):
        Session.open(IdSet(), floor, nonce)


def test_the_opening_is_short() -> None:
    """The first message tells floor and nonce and nothing of the set."""
    _, opening = Session.open(idset(some_entries(100, "any")), 7, b"n" * 16)
    assert decode_untrusted(opening) == Message(opening=Opening(floor=7, nonce=b"n" * 16))
    assert len(opening) == 25
