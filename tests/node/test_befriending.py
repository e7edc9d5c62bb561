"""Invitations between whole nodes: one use, one holder, the words' few tries, and honest states."""

from collections.abc import Sequence

import pytest
import trio
import trio.testing
from people import BEGAN_AT, Person, Town, town, until

from rumor.crypto.befriending import BefriendingFailed, Inviter, Joiner, Refusal
from rumor.crypto.errors import CryptoError
from rumor.crypto.identity import NodeSecret
from rumor.crypto.invites import Invitation, invitation_identity
from rumor.node.befriending import DAY_S, INVITATIONS_MAX, USES_MAX
from rumor.node.friends import FRIENDS_MAX, NAME_SIZE_MAX, FriendError
from rumor.node.invitations import ANSWERS_MAX, REVEALS_MAX
from rumor.node.network.memory_transport import MemoryTransport
from rumor.node.network.transport import Connection, ConnectionLost, NodeId, Unreachable
from rumor.node.storage.store import Change, Table

MockClock = trio.testing.MockClock


async def take_up(place: Town, uri: str, seed: bytes) -> Joiner:
    """Takes an invitation up by the protocol alone, as another implementation would; returns the joiner's side."""
    invitation = Invitation.from_uri_untrusted(uri)
    transport = MemoryTransport(place.network, seed, admits=lambda _: True)
    async with transport.serving():
        connection = await transport.dial_as(
            invitation_identity(invitation.secret).seed, NodeId(invitation.node_key.raw), invitation.addresses
        )
        joiner = Joiner(invitation, NodeSecret.from_seed(seed), ["/ip4/127.0.0.1/tcp/9"])
        await connection.send(joiner.start())
        while joiner.result is None:
            reply = joiner.receive_untrusted(await connection.receive())
            if reply is not None:
                await connection.send(reply)
        await connection.aclose()
    return joiner


async def lost(connection: Connection) -> None:
    """Reads until the other side hangs up."""
    try:
        while True:
            await connection.receive()
    except ConnectionLost:
        return


async def uri_of(person: Person, name: str = "bob") -> str:
    uri: str = (await person.node.invite(name, sponsor=True))["uri"]
    return uri


async def test_a_join_waits_for_an_inviter_that_is_offline(autojump_clock: MockClock) -> None:
    """It says what it waits for, survives restarts, and works as soon as the inviter is there."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        uri = await uri_of(ann)
        await ann.stop()
        answer = await bob.node.join(uri, "ann")
        assert "waiting for them to be online" in answer["state"]
        await place.restart(bob)
        assert [join["name"] for join in bob.node.friends()["joining"]] == ["ann"]
        await ann.start(place.nursery)
        await until(lambda: bob.knows("ann"))
        assert bob.node.friends()["joining"] == []
        assert await bob.store.load(Table.INVITATIONS) == {}
        assert bob.friend("ann")["words"] == ann.friend("bob")["words"]


async def test_a_join_while_the_node_ends(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written down by then is pursued when the node runs again."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        uri = await uri_of(ann)
        commit = bob.store.commit
        with trio.CancelScope() as scope:

            async def end_meanwhile(changes: Sequence[Change]) -> None:
                monkeypatch.undo()
                await commit(changes)
                await bob.stop()
                scope.cancel()

            monkeypatch.setattr(bob.store, "commit", end_meanwhile)
            await bob.node.join(uri, "ann")
        assert scope.cancelled_caught
        await place.restart(bob)
        await until(lambda: bob.knows("ann"))


async def test_an_invitation_is_the_first_takers(autojump_clock: MockClock) -> None:
    """Somebody else with a copy is refused in words, before and after the friendship is confirmed."""
    async with town() as place:
        ann, bob, eve = await place.founder("ann"), await place.add("bob"), await place.add("eve")
        uri = await uri_of(ann)
        await bob.node.join(uri, "ann")
        answer = await eve.node.join(uri, "ann")
        assert "used already" in answer["state"]
        words = ann.friend("bob")["words"]
        await ann.node.confirm("bob", words)
        await bob.node.confirm("ann", words)
        await until(lambda: ann.friend("bob")["stage"] == "friends")
        answer = await eve.node.join(uri, "ann")
        assert "ask for a new one" in answer["state"]
        assert [friend["name"] for friend in ann.node.friends()["friends"]] == ["bob"]
        assert not eve.knows("ann")


async def test_two_copies_taken_at_the_same_moment_make_one_friend(autojump_clock: MockClock) -> None:
    """However the two handshakes interleave, one holder wins."""
    async with town() as place:
        ann, bob, eve = await place.founder("ann"), await place.add("bob"), await place.add("eve")
        uri = await uri_of(ann)
        ann.store.delay_s = 0.5
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.node.join, uri, "ann")
            nursery.start_soon(eve.node.join, uri, "ann")
        assert len(ann.node.friends()["friends"]) == 1
        assert bob.knows("ann") != eve.knows("ann")


async def test_a_holder_that_lost_our_last_word_may_come_again_but_not_for_ever(
    autojump_clock: MockClock,
) -> None:
    """Each time shows new words, so the number of times is bounded, across restarts too."""
    async with town() as place:
        ann = await place.founder("ann")
        uri = await uri_of(ann)
        words = set()
        for number in range(USES_MAX):
            joiner = await take_up(place, uri, bytes([7]) * 32)
            assert joiner.result is not None
            words.add(joiner.result.words)
            assert ann.friend("bob")["words"] == joiner.result.words
            if number == 3:
                await place.restart(ann)
        assert len(words) == USES_MAX
        with pytest.raises(BefriendingFailed) as failure:
            await take_up(place, uri, bytes([7]) * 32)
        assert failure.value.refusal is Refusal.USED
        assert ann.friend("bob")["words"] in words


async def test_meeting_again_takes_back_a_confirmation(autojump_clock: MockClock) -> None:
    """Words that a person confirmed are not those of a later meeting."""
    async with town() as place:
        ann = await place.founder("ann")
        uri = await uri_of(ann)
        await take_up(place, uri, bytes([7]) * 32)
        await ann.node.confirm("bob", ann.friend("bob")["words"])
        await take_up(place, uri, bytes([7]) * 32)
        assert ann.friend("bob")["stage"] == "met"


async def test_an_invitation_expires_for_both_sides(autojump_clock: MockClock) -> None:
    """After its time the gate is shut, a pursuit fails with a sentence, and its rows are gone."""
    async with town() as place:
        ann, bob, eve = await place.founder("ann"), await place.add("bob"), await place.add("eve")
        uri = await uri_of(ann)
        await ann.stop()
        await bob.node.join(uri, "ann")
        await trio.sleep(3 * DAY_S + 60)
        await ann.start(place.nursery)
        [join] = bob.node.friends()["joining"]
        assert "expired" in join["state"]
        assert await bob.store.load(Table.INVITATIONS) == {}
        with pytest.raises(CryptoError, match="expired"):
            await eve.node.join(uri, "ann")
        with pytest.raises((Unreachable, ConnectionLost)):
            await take_up(place, uri, bytes([7]) * 32)
        await uri_of(ann, "next")
        assert len(await ann.store.load(Table.INVITATIONS)) == 1


async def test_what_is_kept_of_an_invitation_tells_no_time_finer_than_a_day(
    autojump_clock: MockClock,
) -> None:
    """It names a friend, so its expiry is midnight; it works for two days at least and three at most."""
    async with town() as place:
        ann = await place.founder("ann")
        invitation = Invitation.from_uri_untrusted(await uri_of(ann))
        assert invitation.expires_at % DAY_S == 0
        assert 2 * DAY_S <= invitation.expires_at - BEGAN_AT <= 3 * DAY_S


async def test_invitations_that_cannot_be_taken_say_why(autojump_clock: MockClock) -> None:
    """One's own, another mesh's, one cut short, and one of a friend."""
    async with town() as place:
        ann, bob, bea = await place.founder("ann"), await place.add("bob"), await place.founder("bea")
        uri = await uri_of(ann)
        with pytest.raises(FriendError, match="of your own"):
            await ann.node.join(uri, "")
        with pytest.raises(FriendError, match="another mesh"):
            await bea.node.join(uri, "")
        with pytest.raises(CryptoError, match=r"short|typed"):
            await bob.node.join(uri[:60], "")
        await place.befriend(ann, bob)
        with pytest.raises(FriendError, match="friends already"):
            await bob.node.join(await uri_of(ann), "")


async def test_invitations_and_friends_are_bounded(autojump_clock: MockClock) -> None:
    """Too many open invitations are refused; who comes when the book is full is refused in words and may come again."""
    async with town() as place:
        ann = await place.founder("ann")
        uri = await uri_of(ann)
        for _ in range(INVITATIONS_MAX - 1):
            await uri_of(ann)
        with pytest.raises(FriendError, match="invitations are open"):
            await uri_of(ann)
        book = ann.node._book
        for number in range(FRIENDS_MAX):
            await book.met(NodeId(number.to_bytes(32, "big")), "", [], "a b c d", 0)
        with pytest.raises(BefriendingFailed) as failure:
            await take_up(place, uri, bytes([7]) * 32)
        assert failure.value.refusal is Refusal.OTHER
        await book.remove(next(iter(book)))
        assert (await take_up(place, uri, bytes([7]) * 32)).result is not None


async def test_a_holder_that_sends_garbage_or_nothing_is_let_go(autojump_clock: MockClock) -> None:
    """Whatever the holder of an invitation sends, the invitation stays good and the node goes on."""
    async with town() as place:
        ann = await place.founder("ann")
        uri = await uri_of(ann)
        invitation = Invitation.from_uri_untrusted(uri)
        transport = MemoryTransport(place.network, bytes([7]) * 32, admits=lambda _: True)
        async with transport.serving():
            for frames in ([b"garbage"], [b"\x00" * 4_000], []):
                connection = await transport.dial_as(
                    invitation_identity(invitation.secret).seed,
                    NodeId(invitation.node_key.raw),
                    invitation.addresses,
                )
                for frame in frames:
                    await connection.send(frame)
                await lost(connection)
        assert ann.error is None
        assert (await take_up(place, uri, bytes([7]) * 32)).result is not None


@pytest.mark.parametrize("written", range(6))
async def test_a_crash_between_meeting_and_entering_leaves_nothing_half_done(
    autojump_clock: MockClock, written: int
) -> None:
    """A newcomer that is killed after so many writes of its join becomes a friend and a member all the same."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        uri = await uri_of(ann)
        bob.store.commits_left = written
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.node.join, uri, "ann")
            await trio.sleep(20)
            await bob.stop()
            nursery.cancel_scope.cancel()
        bob.store.commits_left = None
        await bob.start(place.nursery)
        if written == 0:
            await bob.node.join(uri, "ann")
        await until(lambda: bob.knows("ann"))
        words = bob.friend("ann")["words"]
        await until(lambda: ann.friend("bob")["words"] == words)
        await bob.node.confirm("ann", words)
        await ann.node.confirm("bob", words)
        await bob.until_may_post()


async def peek(place: Town, uri: str) -> str:
    """Offers, reads the answer, which shows the inviter's part of the words, and hangs up; returns what came."""
    invitation = Invitation.from_uri_untrusted(uri)
    transport = MemoryTransport(place.network, bytes([7]) * 32, admits=lambda _: True)
    async with transport.serving():
        try:
            connection = await transport.dial_as(
                invitation_identity(invitation.secret).seed,
                NodeId(invitation.node_key.raw),
                invitation.addresses,
            )
            joiner = Joiner(invitation, NodeSecret.from_seed(bytes([7]) * 32), [])
            await connection.send(joiner.start())
            joiner.receive_untrusted(await connection.receive())
            await connection.aclose()
        except (Unreachable, ConnectionLost):
            return "shut out"
        except BefriendingFailed as failure:
            return failure.refusal.name
    return "answered"


async def test_an_invitation_is_void_once_its_words_were_looked_at_too_often(
    autojump_clock: MockClock,
) -> None:
    """Who stands between sees words after the answer and may hang up; how often is bounded, across restarts too."""
    async with town() as place:
        ann = await place.founder("ann")
        uri = await uri_of(ann)
        for number in range(ANSWERS_MAX):
            assert await peek(place, uri) == "answered"
            if number == 3:
                await place.restart(ann)
        assert await peek(place, uri) == "shut out"
        assert ann.node.friends()["invitations"] == 0
        await place.restart(ann)
        assert await peek(place, uri) == "shut out"
        await uri_of(ann, "next")
        assert len(await ann.store.load(Table.INVITATIONS)) == 1


async def test_answers_are_counted_before_they_are_sent(autojump_clock: MockClock) -> None:
    """Connections at once, on a slow disk, get no more answers than one after the other."""
    async with town() as place:
        ann = await place.founder("ann")
        uri = await uri_of(ann)
        for _ in range(ANSWERS_MAX - 1):
            await peek(place, uri)
        ann.store.delay_s = 1.0
        outcomes: list[str] = []

        async def one() -> None:
            outcomes.append(await peek(place, uri))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(one)
        assert sorted(outcomes) == ["USED", "USED", "answered"]


async def break_off(place: Town, inviter_seed: bytes, address: str, genesis: bytes, secret: bytes) -> int:
    """Answers every offer as the inviter would, reads what is revealed, and hangs up; returns how often in two days."""
    transport = MemoryTransport(place.network, inviter_seed, admits=lambda _: True, listen=[address])
    count = 0
    async with transport.serving():
        with trio.move_on_after(2 * DAY_S):
            while True:
                connection = await transport.accept()
                inviter = Inviter(secret, NodeSecret.from_seed(inviter_seed), genesis)
                try:
                    reply = inviter.receive_untrusted(await connection.receive())
                    assert reply is not None
                    await connection.send(reply)
                    inviter.receive_untrusted(await connection.receive())
                    count += 1
                except (ConnectionLost, BefriendingFailed):
                    pass
                await connection.aclose()
    return count


async def test_a_pursuit_shows_its_words_so_often_and_no_more(autojump_clock: MockClock) -> None:
    """An inviter that breaks off after each reveal is given up, also if the node is restarted or joins again."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        genesis = ann.node._account.genesis
        assert genesis is not None
        seed, address = bytes([9]) * 32, "/ip4/127.0.0.1/tcp/9999"
        invitation = Invitation(
            mesh_id=genesis.mesh_id,
            node_key=NodeSecret.from_seed(seed).public,
            addresses=(address,),
            secret=bytes(16),
            expires_at=int(BEGAN_AT) // DAY_S * DAY_S + 3 * DAY_S,
        )

        async def meddle() -> None:
            await bob.node.join(invitation.to_uri(), "")
            await trio.sleep(600)
            await place.restart(bob)
            await bob.node.join(invitation.to_uri(), "")

        place.nursery.start_soon(meddle)
        count = await break_off(place, seed, address, genesis.encode(), invitation.secret)
        assert count == REVEALS_MAX
        [join] = bob.node.friends()["joining"]
        assert "somebody may be between you" in join["state"]
        assert await bob.store.load(Table.INVITATIONS) == {}


async def test_a_joiner_says_why_it_refuses(autojump_clock: MockClock) -> None:
    """An inviter that shows another mesh, or garbage, hears so instead of a connection that breaks."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        genesis = ann.node._account.genesis
        assert genesis is not None
        seed, address = bytes([9]) * 32, "/ip4/127.0.0.1/tcp/9999"
        invitation = Invitation(
            mesh_id=genesis.mesh_id,
            node_key=NodeSecret.from_seed(seed).public,
            addresses=(address,),
            secret=bytes(16),
            expires_at=int(BEGAN_AT) // DAY_S * DAY_S + 3 * DAY_S,
        )
        transport = MemoryTransport(place.network, seed, admits=lambda _: True, listen=[address])
        async with transport.serving():
            place.nursery.start_soon(bob.node.join, invitation.to_uri(), "")
            connection = await transport.accept()
            inviter = Inviter(invitation.secret, NodeSecret.from_seed(seed), genesis.encode())
            inviter.receive_untrusted(await connection.receive())
            await connection.send(b"garbage")
            with pytest.raises(BefriendingFailed) as failure:
                inviter.receive_untrusted(await connection.receive())
            await connection.aclose()
        assert failure.value.is_theirs
        assert failure.value.refusal is Refusal.MALFORMED


@pytest.mark.parametrize("name", ["x" * 15_000, "\ud800", "\U0001f600" * 4_000, "a\x1b[2Jb"])
async def test_no_name_makes_a_profile_unreadable(autojump_clock: MockClock, name: str) -> None:
    """What a person calls a friend to be is kept as it can be shown and read back, so the node starts again."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        uri = await uri_of(ann, name)
        await ann.stop()
        await bob.node.join(uri, name)
        await place.restart(bob)
        await ann.start(place.nursery)
        await until(lambda: ann.node.friends()["friends"] and bob.node.friends()["friends"])
        for person in (ann, bob):
            [friend] = person.node.friends()["friends"]
            assert len(friend["name"]) <= NAME_SIZE_MAX
            assert friend["name"].isprintable()


@pytest.mark.parametrize("written", range(5))
async def test_an_inviter_that_crashes_in_the_middle_meets_all_the_same(
    autojump_clock: MockClock, written: int
) -> None:
    """An inviter that is killed after so many writes of a befriending ends with a friend and the same words."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        uri = await uri_of(ann)
        ann.store.commits_left = written
        place.nursery.start_soon(bob.node.join, uri, "ann")
        await trio.sleep(20)
        await ann.stop()
        ann.store.commits_left = None
        await ann.start(place.nursery)
        await until(lambda: ann.knows("bob") and bob.knows("ann"))
        await until(lambda: ann.friend("bob")["words"] == bob.friend("ann")["words"])
        words = bob.friend("ann")["words"]
        await bob.node.confirm("ann", words)
        await ann.node.confirm("bob", words)
        await bob.until_may_post()
