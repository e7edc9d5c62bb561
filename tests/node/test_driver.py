"""The driver on a disk and workers of its own: order, wake-ups, and what becomes of those who wait."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
import trio
import trio.testing
from people import PARAMETERS, Disk, pair, town, until, wall

from rumor.crypto.identity import MemberSecret
from rumor.gossip.drafts import Draft
from rumor.gossip.errors import PostRefused
from rumor.gossip.events import FriendId
from rumor.gossip.genesis import Genesis
from rumor.node import driver as drivers
from rumor.node.clock import Clock
from rumor.node.driver import READERS_MAX, UNFLUSHED_MAX, Driver, DriverEnded
from rumor.node.friends import Role
from rumor.node.ledger import Ledger
from rumor.node.storage.store import Change, Put, Table
from rumor.node.workers import InlineWorkers, WorkerError

MockClock = trio.testing.MockClock
FRIEND = FriendId(bytes(32))


class Watched:
    """A driver that is alone, with everything that it does in one list."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.disk = Disk()
        secret = MemberSecret.generate()
        self.driver = Driver(
            Genesis.found("alone", secret.key.raw, PARAMETERS),
            secret,
            Ledger(self.disk),
            InlineWorkers(),
            Clock(wall),
            send=lambda _, frame: self.log.append(f"send {frame[0]}"),
            refuse=lambda _, reason: self.log.append(f"refuse: {reason}"),
            sponsored=self._sponsored,
        )

    async def _sponsored(self, friends: Sequence[FriendId], also: Sequence[Change]) -> None:
        self.log.append("sponsored")


async def test_nothing_leaves_before_it_is_durable(autojump_clock: MockClock) -> None:
    """While the disk has not taken a step's events, none of the step's frames leaves, and nobody is told it is done."""
    async with town() as place:
        ann, bob = await pair(place)
        await trio.sleep(5)
        log: list[str] = []
        commit, send = ann.store.commit, ann.node.driver._send

        async def logged(changes: Sequence[Change]) -> None:
            log.append("keeping")
            await trio.sleep(0.5)
            await commit(changes)
            log.extend(f"kept {change.table.value}" for change in changes if isinstance(change, Put))
            log.append("kept")

        def sent(friend: FriendId, frame: bytes) -> None:
            log.append("sent")
            send(friend, frame)

        ann.store.commit, ann.node.driver._send = logged, sent
        await ann.node.speaker.post("slowly", 0)
        log.append("acknowledged")
        await bob.until_reads("slowly")
        assert "kept outbox" in log[: log.index("acknowledged")]
        assert "sent" in log[log.index("acknowledged") :]
        assert "sent" not in [entry for before, entry in pairwise(log) if before == "keeping"]


async def test_a_touch_while_the_disk_is_busy_is_not_lost(autojump_clock: MockClock) -> None:
    """Posts that come while another one is being written are all acknowledged, without waiting for a timer."""
    async with town() as place:
        ann, bob = await pair(place)
        ann.store.delay_s = 0.2
        began_at = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(ann.node.speaker.post, f"post {number}", 0)
                await trio.sleep(0.05)
        assert trio.current_time() - began_at < 2.0
        await bob.until_reads(*(f"post {number}" for number in range(10)))


async def test_a_second_up_on_one_connection_says_no_second_hello(autojump_clock: MockClock) -> None:
    """A second hello is a fault on the other side."""
    alone = Watched()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alone.driver.run)
        alone.driver.link_up(FRIEND)
        await alone.driver.settled()
        alone.driver.link_up(FRIEND)
        await alone.driver.settled()
        assert len(alone.log) == 1
        alone.driver.link_down(FRIEND)
        alone.driver.link_up(FRIEND)
        await alone.driver.settled()
        assert len(alone.log) == 2
        nursery.cancel_scope.cancel()


async def test_a_friend_that_breaks_the_protocol_is_refused_once(autojump_clock: MockClock) -> None:
    """The engine's refusal closes the connection; frames that are under way from it are ignored."""
    alone = Watched()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alone.driver.run)
        alone.driver.engine.friend_added(FRIEND)
        alone.driver.link_up(FRIEND)
        for _ in range(50):
            await alone.driver.receive(FRIEND, b"garbage")
        await alone.driver.settled()
        assert [entry for entry in alone.log if entry.startswith("refuse")] == [
            "refuse: broke the protocol: malformed"
        ]
        nursery.cancel_scope.cancel()


async def test_a_flood_of_frames_waits_for_the_disk(autojump_clock: MockClock) -> None:
    """Answers are made ready for so many frames at the most before the disk has been heard of."""
    alone = Watched()
    taken = 0

    async def flood() -> None:
        nonlocal taken
        while True:
            await alone.driver.receive(FRIEND, b"")
            taken += 1
            await trio.lowlevel.checkpoint()

    alone.driver.link_up(FRIEND)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flood)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert taken == UNFLUSHED_MAX - 1


async def test_a_dead_worker_ends_the_node_and_loses_nothing(autojump_clock: MockClock) -> None:
    """When workers keep dying the node ends with that error, and the secret is proved after a restart."""
    async with town() as place:
        ann, bob = await pair(place)

        class Dying(InlineWorkers):
            async def prove(self, *_: object) -> bytes:
                raise WorkerError("Two worker processes died over one job.")

        ann.node.driver._workers = Dying()
        await ann.node.speaker.post("survives", 0)
        await ann.ended()
        assert isinstance(ann.first_error, WorkerError)
        with pytest.raises(WorkerError):
            await ann.node.driver.settled()
        await ann.start(place.nursery)
        await bob.until_reads("survives")


async def test_too_many_waiting_secrets_are_refused_and_not_the_end(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outbox has a fixed number of rows; a person who fills them is told to wait."""
    async with town() as place:
        ann, _ = await pair(place)

        class Never(InlineWorkers):
            async def prove(self, *_: object) -> bytes:
                await trio.sleep_forever()
                raise AssertionError

        ann.node.driver._workers = Never()
        monkeypatch.setattr(drivers, "OUTBOX_ROW_COUNT", 3)
        for number in range(3):
            await ann.node.speaker.post(f"waiting {number}", 0)
        with pytest.raises(PostRefused, match="wait already"):
            await ann.node.driver.publish(Draft(text="one too many"))
        assert ann.error is None
        status = await ann.node.status()
        assert "Secrets of yours that wait for a slot: 3." in status["pending"]
        assert [entry["state"] for entry in status["outbox"]] == ["waiting"] * 3


async def test_readers_are_bounded_and_slow_ones_cut_off(autojump_clock: MockClock) -> None:
    """One too many cuts off the oldest; who does not read is cut off; who has left makes room."""
    async with town() as place:
        ann, _ = await pair(place)
        driver = ann.node.driver
        for _ in range(100):
            driver.follow(1).close()
        readers = [driver.follow(1) for _ in range(READERS_MAX + 1)]
        with pytest.raises(trio.EndOfChannel):
            readers[0].receive_nowait()
        await ann.node.speaker.post("one", 0)
        await ann.node.speaker.post("two", 0)
        await until(lambda: not driver._readers)
        assert (await readers[1].receive()).item_id
        with pytest.raises(trio.EndOfChannel):
            await readers[1].receive()
        for reader in readers:
            reader.close()


async def test_a_machine_that_slept_notices_the_epoch_within_a_minute(autojump_clock: MockClock) -> None:
    """Timers do not count while a machine sleeps, the wall clock does."""
    alone = Watched()
    ahead_s = 0.0
    alone.driver._clock = Clock(lambda: wall() + ahead_s)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alone.driver.run)
        await trio.sleep(1)
        ahead_s = 8 * 3_600.0
        await trio.sleep(61)
        now = alone.driver._clock.now()
        timer = alone.driver.engine.timer()
        assert timer is not None
        assert timer > now
        nursery.cancel_scope.cancel()


async def test_nobody_can_wait_for_a_driver_that_has_ended(autojump_clock: MockClock) -> None:
    """Asking a node that ends is answered at once."""
    alone = Watched()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alone.driver.run)
        await alone.driver.settled()
        nursery.cancel_scope.cancel()
    for ask in (alone.driver.settled, lambda: alone.driver.publish(Draft(text="x"))):
        with pytest.raises(DriverEnded):
            await ask()
    with pytest.raises(DriverEnded):
        alone.driver.follow(1)


async def test_an_admission_and_that_it_is_done_once_are_kept_together(autojump_clock: MockClock) -> None:
    """No crash leaves the record of a friend's admission without the note that the friend has been admitted."""
    async with town() as place:
        ann, bob = await pair(place)
        [node_id] = [friend.node_id for friend in ann.node._book]
        records = [
            commit
            for commit in ann.store.commits
            if any(isinstance(change, Put) and change.table is Table.RECORDS for change in commit)
        ]
        assert any(change.table is Table.FRIENDS and change.key == node_id for change in records[-1])
        assert all(friend.role == Role.NONE for friend in ann.node._book)
        assert bob.node._is_member()
