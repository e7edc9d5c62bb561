"""The outbox: what leaves when, how often, and in which order."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rumor.gossip.bodies import AdmissionBody, Kind, RelayKeyBody, SecretBody
from rumor.gossip.items import Item
from rumor.gossip.outbox import Outbox
from rumor.gossip.pace import RETRIES_MAX

RETRY_S = 100.0


def secret(text: str) -> Item:
    body = SecretBody(
        slot=0, text=text, style=0, thread_nonce=bytes(32), reply_key=bytes(32), retraction=bytes(32)
    )
    return Item(Kind.SECRET, 5, body, (bytes(33), bytes(33)), bytes(66), bytes(32))


def relay_key(day: int) -> Item:
    return Item(
        Kind.RELAY_KEY, 5, RelayKeyBody(relay_day=day, key=bytes(32)), (bytes(33),), bytes(64), bytes(32)
    )


ADMISSION = Item(
    Kind.ADMISSION,
    5,
    AdmissionBody(slot=0, key=bytes(33), possession=bytes(64)),
    (bytes(33),),
    b"",
    bytes(32),
)


def taken(outbox: Outbox, now: float, *, secrets: bool = True) -> Item | None:
    waiting = outbox.take(now, RETRY_S, secrets=secrets)
    return waiting.item if waiting is not None else None


def test_items_leave_one_at_a_time_in_order_and_relay_keys_before_all() -> None:
    outbox = Outbox()
    items = [secret("one"), ADMISSION, secret("two"), relay_key(1)]
    for item in items:
        outbox.put(item, 0.0)
    assert [taken(outbox, 0.0) for _ in range(5)] == [items[3], items[0], items[1], items[2], None]


def test_what_has_not_come_back_leaves_again_after_a_while_and_is_given_up_at_last() -> None:
    outbox = Outbox()
    item = secret("lost")
    outbox.put(item, 0.0)
    times = [now for now in range(1_000) if taken(outbox, float(now)) is not None]
    assert times == [100 * count for count in range(RETRIES_MAX + 1)]
    assert outbox[item.item_id].given_up
    assert item.item_id in outbox, "a friend may bring it back yet"


def test_a_relay_key_is_never_given_up() -> None:
    """Without relay keys nobody could post, and it shows nothing of anybody."""
    outbox = Outbox()
    outbox.put(relay_key(1), 0.0)
    assert sum(taken(outbox, float(now)) is not None for now in range(0, 2_000, 50)) == 20


def test_without_agreement_only_relay_keys_leave() -> None:
    outbox = Outbox()
    for item in (secret("wait"), ADMISSION, relay_key(1)):
        outbox.put(item, 0.0)
    assert taken(outbox, 0.0, secrets=False) == relay_key(1)
    assert taken(outbox, 1.0, secrets=False) is None
    assert taken(outbox, 2.0) == secret("wait")


def test_what_left_before_a_restart_waits_its_turn_again() -> None:
    """The onion may still be on its way; and the retries that are left are those that were left."""
    outbox = Outbox()
    outbox.put(secret("sent"), 10.0, sent_count=2)
    times = [now for now in range(1_000) if taken(outbox, float(now)) is not None]
    assert times == [110, 210]


def test_what_has_come_back_leaves_no_more_and_others_are_not_missed() -> None:
    outbox = Outbox()
    outbox.put(secret("mine"), 0.0)
    outbox.remove(secret("another's").item_id)
    assert len(outbox) == 1
    outbox.remove(secret("mine").item_id)
    assert taken(outbox, 0.0) is None
    assert secret("mine").item_id not in outbox


@given(st.lists(st.tuples(st.floats(0, 80), st.booleans()), max_size=40))
def test_no_item_leaves_twice_within_the_time_of_a_retry(steps: list[tuple[float, bool]]) -> None:
    outbox = Outbox()
    items = [secret(str(number)) for number in range(3)]
    for item in items:
        outbox.put(item, 0.0)
    now, left = 0.0, {item.item_id: [] for item in items}
    for step_s, secrets in steps:
        now += step_s
        item = taken(outbox, now, secrets=secrets)
        if item is not None:
            assert secrets
            left[item.item_id].append(now)
    for times in left.values():
        assert len(times) <= RETRIES_MAX + 1
        assert all(later - earlier >= RETRY_S for earlier, later in itertools.pairwise(times))
