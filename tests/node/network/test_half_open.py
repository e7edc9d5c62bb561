"""Who waits for a handshake, how many, and who has to go."""

import trio
import trio.testing

from rumor.node.network.half_open import HalfOpen


async def test_time_is_bounded(autojump_clock: trio.testing.MockClock) -> None:
    """A handshake that does not end is ended."""
    room = HalfOpen(seconds_max=10)
    with room.place("192.0.2.1") as scope:
        await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() == 10
    assert len(room) == 0


async def test_the_newcomer_always_gets_in(autojump_clock: trio.testing.MockClock) -> None:
    """When the room is full the oldest goes, so silent connections cannot keep anybody out."""
    room = HalfOpen(count_max=4, seconds_max=100)
    ended: list[int] = []

    async def wait(number: int) -> None:
        with room.place("192.0.2.1"):
            await trio.sleep_forever()
        ended.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(7):
            nursery.start_soon(wait, number)
            await trio.testing.wait_all_tasks_blocked()
            assert len(room) <= 4
        assert ended == [0, 1, 2]


async def test_a_crowd_displaces_itself(autojump_clock: trio.testing.MockClock) -> None:
    """A hundred connections from one host, or one /64, never cost another host its place."""
    room = HalfOpen(count_max=4, seconds_max=100)

    async def wait(address: str) -> None:
        with room.place(address):
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        with room.place("192.0.2.1") as friend:
            for number in range(100):
                nursery.start_soon(wait, f"2001:db8::{number:x}")
                await trio.testing.wait_all_tasks_blocked()
            assert not friend.cancel_called
        assert len(room) == 3
        nursery.cancel_scope.cancel()


async def test_an_unknown_address_counts_too(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that hung up before we could ask for its address has its place as well."""
    room = HalfOpen()
    with room.place(""), room.place("fe80::1%eth0"):
        assert len(room) == 2
