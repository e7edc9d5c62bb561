"""Wants: each id is asked of one friend at a time, of all that have it in turn, and of nobody too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.gossip import wants
from rumor.gossip.events import LinkId
from rumor.gossip.items import ItemId
from rumor.gossip.wants import ASK_TIMEOUT_S, ITEMS_IN_FLIGHT_MAX, LATE_MAX, URGENT_MAX, WINDOW_MIN, Wants

A, B, C = LinkId(1), LinkId(2), LinkId(3)


def ids(count: int, start: int = 0) -> list[ItemId]:
    return [ItemId(number.to_bytes(32, "big")) for number in range(start, start + count)]


def opened(*links: LinkId) -> Wants:
    made = Wants()
    for link in links:
        made.link_opened(link)
    return made


def test_an_id_is_asked_of_one_friend_at_a_time() -> None:
    made = opened(A, B)
    made.announced(A, ids(1))
    made.announced(B, ids(1))
    assert made.requests(A, 10, 0.0) == ids(1)
    assert made.requests(B, 10, 0.0) == []


def test_the_next_friend_is_asked_when_time_is_up() -> None:
    made = opened(A, B)
    made.announced(A, ids(1))
    made.announced(B, ids(1))
    made.requests(A, 10, 0.0)
    assert made.timer() == ASK_TIMEOUT_S
    made.handle_timer(ASK_TIMEOUT_S)
    assert made.requests(B, 10, ASK_TIMEOUT_S) == ids(1)
    made.handle_timer(2 * ASK_TIMEOUT_S)
    assert len(made) == 0
    assert made.timer() is None


def test_what_failed_is_asked_of_the_next_and_what_is_done_of_nobody() -> None:
    made = opened(A, B)
    for link in (A, B):
        made.announced(link, ids(2))
    made.requests(A, 10, 0.0)
    assert made.arrived(A, ids(1)[0])
    assert made.requests(B, 10, 0.0) == []
    made.failed(A, ids(1)[0])
    assert made.requests(B, 10, 0.0) == ids(1)
    made.done(ids(1)[0])
    made.announced(A, ids(1))
    assert made.arrived(B, ids(1)[0]), "B's answer was asked for, though it is no longer needed"


def test_a_link_that_goes_hands_its_questions_on() -> None:
    made = opened(A, B)
    for link in (A, B):
        made.announced(link, ids(3))
    made.requests(A, 2, 0.0)
    made.link_closed(A)
    assert set(made.requests(B, 10, 0.0)) == set(ids(3))
    made.link_closed(B)
    assert len(made) == 0


def test_nothing_is_asked_beyond_the_window_which_follows_the_link() -> None:
    """A friend that does not answer in time is asked for less at once, down to a least; one that does, for more."""
    made = opened(A)
    made.announced(A, ids(2_000))
    asked, now = 0, 0.0
    for _ in range(20):
        asked = 0
        while asking := made.requests(A, 10_000, now):
            asked += len(asking)
        now += ASK_TIMEOUT_S
        made.handle_timer(now)
    assert asked == WINDOW_MIN
    made.announced(A, ids(2_000, 5_000))
    for _ in range(2 * ITEMS_IN_FLIGHT_MAX):
        for item_id in made.requests(A, 10_000, now):
            made.arrived(A, item_id)
            made.done(item_id)
    assert made._peers[A].window == ITEMS_IN_FLIGHT_MAX


def test_late_answers_are_remembered_but_not_for_ever() -> None:
    made = opened(A)
    made.announced(A, ids(3 * LATE_MAX))
    now = 0.0
    while len(made):
        made.requests(A, 10_000, now)
        now += ASK_TIMEOUT_S
        made.handle_timer(now)
    assert len(made._peers[A].late) == LATE_MAX
    assert not made.arrived(A, ids(1)[0])
    assert made.arrived(A, ids(1, 3 * LATE_MAX - 1)[0])


def test_the_friend_that_announced_the_most_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wants, "WANTED_MAX", 100)
    made = opened(A, B, C)
    made.announced(A, ids(500))
    assert len(made) == 100
    made.announced(B, ids(30, 1_000))
    made.announced(C, ids(30, 2_000))
    assert len(made) == 100
    assert set(made.requests(B, 100, 0.0)) == set(ids(30, 1_000))
    assert set(made.requests(C, 100, 0.0)) == set(ids(30, 2_000))


def test_urgent_ids_come_first_and_have_room_when_there_is_none() -> None:
    """What others wait for is asked for although the window is full; but not without limit."""
    made = opened(A)
    made.announced(A, ids(ITEMS_IN_FLIGHT_MAX + 10))
    while made.requests(A, 1_000, 0.0):
        pass
    assert made.in_flight_count(A) == ITEMS_IN_FLIGHT_MAX
    made.announced(A, ids(2 * URGENT_MAX, 5_000), urgent=True)
    made.announced(A, ids(1, ITEMS_IN_FLIGHT_MAX + 5), urgent=True)
    assert made.requests(A, 0, 0.0) == ids(URGENT_MAX, 5_000)
    assert made.requests(A, 0, 0.0) == []


LINKS = st.sampled_from([A, B, C])
ID = st.sampled_from(ids(6))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["announced", "requests", "arrived", "done", "failed", "late", "reopen", "urgent"]),
        LINKS,
        ID,
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_the_books_balance(steps: list[tuple[str, LinkId, ItemId]]) -> None:
    """No id is asked of two friends at once, none is kept that nobody has, and what is asked for is known as such."""
    made = opened(A, B, C)
    now = 0.0
    for name, link, item_id in steps:
        match name:
            case "announced":
                made.announced(link, [item_id])
            case "urgent":
                made.announced(link, [item_id], urgent=True)
            case "requests":
                made.requests(link, 2, now)
            case "arrived":
                made.arrived(link, item_id)
            case "done":
                made.done(item_id)
            case "failed":
                made.failed(link, item_id)
            case "late":
                now += ASK_TIMEOUT_S
                made.handle_timer(now)
            case _:
                made.link_closed(link)
                made.link_opened(link)
        asked = [item_id for peer in made._peers.values() for item_id in peer.asked]
        assert len(asked) == len(set(asked))
        for wanted_id, wanted in made._wanted.items():
            assert wanted.announcers or wanted.in_hand or wanted.asked
            if wanted.asked is None and not wanted.in_hand:
                assert any(
                    wanted_id in queue
                    for other in wanted.announcers
                    for queue in (made._peers[other].queue, made._peers[other].urgent)
                )
        for link_id, peer in made._peers.items():
            assert all(made._wanted[item_id].asked == link_id for item_id in peer.asked)
            assert all(item_id in made._wanted for item_id in [*peer.queue, *peer.urgent])
            assert not peer.queue.keys() & peer.urgent.keys()
