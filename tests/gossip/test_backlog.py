"""The backlog: however much a friend lacks, it is told in steps, each id once and in order."""

from collections import Counter

from fakenet import Peer, fill, small_mesh

from rumor.gossip.backlog import STEP_IDS_MAX, STEP_S, Backlog
from rumor.gossip.frames import Announce, Want, decode_frame_untrusted
from rumor.gossip.items import ItemId

SEND_QUEUE_SIZE = 1024 * 1024


def ids(count: int) -> list[ItemId]:
    return [ItemId(number.to_bytes(32, "big")) for number in range(count)]


def test_ids_leave_in_order_and_in_steps() -> None:
    backlog, many = Backlog(), ids(2 * STEP_IDS_MAX + 5)
    backlog.add(many)
    told, now = [], 100.0
    while (at := backlog.timer()) is not None:
        now = max(now, at)
        step = backlog.step(set(many), now)
        assert 0 < len(step) <= STEP_IDS_MAX
        assert backlog.step(set(many), now + STEP_S / 2) == []
        told += step
    assert told == many
    assert now == 100.0 + 2 * STEP_S


def test_an_id_that_waits_is_not_entered_twice_and_one_that_is_gone_is_not_told() -> None:
    backlog, many = Backlog(), ids(10)
    for _ in range(3):
        backlog.add(many)
    assert len(backlog) == 10
    assert backlog.step(set(many[5:]), 0.0) == many[5:]


def test_a_step_on_the_heels_of_another_waits() -> None:
    """Else a friend that reconciles often would be told as much at once as it liked."""
    backlog, many = Backlog(), ids(20)
    backlog.add(many[:10])
    assert backlog.step(set(many), 5.0) == many[:10]
    backlog.add(many[10:])
    assert backlog.step(set(many), 5.1) == []
    assert backlog.timer() == 5.0 + STEP_S


def test_a_newcomer_is_told_everything_and_never_more_than_fits_the_queue() -> None:
    """Reconciliation and announcements of 40,000 items, counted at every instant of the catch-up."""
    network, peers = small_mesh(2)
    held = fill(peers[0], network, 40_000)
    newcomer = network.add("newcomer")
    sizes: Counter[float] = Counter()
    told: list[bytes] = []

    def copies(sender: Peer, _receiver: Peer, data: bytes) -> int:
        frame = decode_frame_untrusted(data)
        if sender is peers[0]:
            sizes[network.now] += len(data)
            told.extend(frame.item_ids if isinstance(frame, Announce) else ())
        return not isinstance(frame, Want)

    network.copies = copies
    network.befriend(peers[0], newcomer)
    network.run(9.0)
    assert held <= set(told)
    assert len(told) == len(set(told))
    assert max(sizes.values()) < SEND_QUEUE_SIZE // 2
