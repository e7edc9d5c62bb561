"""The book of friends: names, stages, and changes that cross."""

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from people import Disk

from rumor.node.friends import (
    NAME_SIZE_MAX,
    Friendbook,
    FriendError,
    FriendUnknown,
    Role,
    Stage,
)
from rumor.node.network.transport import NodeId
from rumor.node.storage.store import StoreFull, Table

MockClock = trio.testing.MockClock
BOB, EVE = (NodeId(bytes([number]) * 32) for number in (1, 2))
WORDS = "suit exchange tag now"


async def book_with_bob(disk: Disk) -> Friendbook:
    book = Friendbook(disk)
    await book.met(BOB, "bob", [], WORDS, Role.NONE)
    return book


@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_any_name_becomes_one_that_can_be_shown_and_found(names: list[str]) -> None:
    """Whatever people call their friends, names stay visible, distinct, bounded, and survive the disk."""

    async def check() -> None:
        disk = Disk()
        book = Friendbook(disk)
        for number, name in enumerate(names):
            await book.met(NodeId(bytes([number]) * 32), name, [], WORDS, Role.NONE)
        again = Friendbook(disk)
        await again.load()
        kept = [friend.name for friend in again]
        assert len({name.casefold() for name in kept}) == len(names)
        for name in kept:
            assert name.isprintable()
            assert 1 <= len(name) <= NAME_SIZE_MAX
            assert again.find(name).name == name

    trio.run(check)


async def test_a_change_that_the_disk_did_not_take_did_not_happen() -> None:
    """Meeting, confirming, renaming and removing all leave the book as the disk has it."""
    disk = Disk()
    book = await book_with_bob(disk)
    bob = book.find("bob")
    disk.is_full = True
    for change in (
        lambda: book.met(EVE, "eve", [], WORDS, Role.NONE),
        lambda: book.confirm(bob, WORDS),
        lambda: book.rename(bob, "robert"),
        lambda: book.remove(bob),
    ):
        with pytest.raises(StoreFull):
            await change()
    assert [(friend.name, friend.stage) for friend in book] == [("bob", Stage.MET)]


async def test_a_confirmation_that_crosses_a_new_meeting_confirms_nothing(autojump_clock: MockClock) -> None:
    """The words were compared for a meeting that is over."""
    disk = Disk()
    book = await book_with_bob(disk)
    bob = book.find("bob")
    disk.delay_s = 1.0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(book.met, BOB, "", [], "four other words here", Role.NONE)
        await trio.sleep(0.1)
        with pytest.raises(FriendError, match="met bob anew"):
            await book.confirm(bob, WORDS)
    assert book.find("bob").stage is Stage.MET


async def test_what_crosses_a_removal_finds_nobody(autojump_clock: MockClock) -> None:
    """A removed friend does not come back by a change that was waiting."""
    disk = Disk()
    book = await book_with_bob(disk)
    bob = book.find("bob")
    disk.delay_s = 1.0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(book.remove, bob)
        await trio.sleep(0.1)
        with pytest.raises(FriendUnknown):
            await book.moved(bob, ["/ip4/127.0.0.1/tcp/1"])
    assert await disk.load(Table.FRIENDS) == {}


async def test_friends_are_found_by_name_and_by_the_beginning_of_an_id() -> None:
    """A name comes first; what fits nobody, or two, is refused with what to do."""
    book = await book_with_bob(Disk())
    await book.met(EVE, "Bobby", [], WORDS, Role.NONE)
    assert book.find(" BOB ").node_id == BOB
    bob = book.get(BOB)
    assert bob is not None
    assert book.find(bob.short_id[:4]).node_id == BOB
    for wrong in ("", " ", "nobody"):
        with pytest.raises(FriendUnknown):
            book.find(wrong)
