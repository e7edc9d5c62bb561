"""Whole nodes, over a network and disks in memory: what people do, in every order, and what must not disturb them."""

from collections.abc import Sequence

import pytest
import trio
import trio.lowlevel
import trio.testing
from people import Person, pair, town, until

from rumor.crypto.membership import Purpose
from rumor.gossip.errors import PostRefused
from rumor.node.account import AccountError
from rumor.node.driver import DriverEnded
from rumor.node.friends import FriendError, FriendUnknown
from rumor.node.ledger import Ledger
from rumor.node.messages import Confirmed, Moved, encode_message
from rumor.node.network.memory_transport import MemoryTransport
from rumor.node.network.transport import Connection, NodeId, Unreachable, node_id_of
from rumor.node.preferences import Settings
from rumor.node.storage.store import StoreFull, Table

MockClock = trio.testing.MockClock


def node_id(person: Person) -> NodeId:
    return node_id_of(person.node._account.node_secret.seed)


async def test_a_secret_reaches_a_friend_of_a_friend(autojump_clock: MockClock) -> None:
    """What one posts, a friend's friend reads, signed by a member of the whole ring."""
    async with town() as place:
        ann, bob = await pair(place)
        eve = await place.add("eve")
        await place.befriend(bob, eve)
        await eve.until_may_post()
        answer = await eve.node.speaker.post("I am new here", 0)
        assert answer["ring_size"] == 3
        assert answer["state"] == "queued"
        for person in (ann, bob, eve):
            await person.until_reads("I am new here")
        page = (ann.node.reader.feed("new", before=None, count=50))["secrets"]
        assert [(secret["id"], secret["text"]) for secret in page] == [(answer["id"], "I am new here")]
        assert await bob.texts() == ["I am new here"]


@pytest.mark.parametrize("first", ["ann", "bob"])
@pytest.mark.parametrize("offline", [None, "ann", "bob"])
async def test_confirmations_may_come_in_any_order_and_while_the_other_is_away(
    autojump_clock: MockClock, first: str, offline: str | None
) -> None:
    """Whoever confirms first, and whoever is away meanwhile, both become friends and can post."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        words = ann.friend("bob")["words"]
        assert bob.friend("ann")["words"] == words
        for name in (first, "bob" if first == "ann" else "ann"):
            away = place.people[offline] if offline and offline != name else None
            if away:
                await away.stop()
            await place.people[name].node.confirm("bob" if name == "ann" else "ann", words)
            if away:
                await away.start(place.nursery)
        await ann.until_may_post()
        await bob.until_may_post()
        await bob.node.speaker.post("hello", 0)
        await ann.until_reads("hello")


async def test_both_confirm_at_the_same_moment(autojump_clock: MockClock) -> None:
    """Two confirmations that cross, on slow disks, lead to one link without a fault."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        words = ann.friend("bob")["words"]
        ann.store.delay_s, bob.store.delay_s = 0.05, 0.07
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.node.confirm, "bob", words)
            nursery.start_soon(bob.node.confirm, "ann", words)
        await ann.until_may_post()
        await bob.until_may_post()
        for person in (ann, bob):
            assert person.node.driver.engine._neighbourhood.conduct == {}


async def test_a_connection_that_comes_back_while_a_confirmation_is_written_gets_one_hello(
    autojump_clock: MockClock,
) -> None:
    """A second hello on one connection is a fault; the races of reconnecting and confirming send none."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        words = ann.friend("bob")["words"]
        await ann.node.confirm("bob", words)
        await until(lambda: bob.friend("ann")["stage"] == "confirmed_by_them")
        bob.store.delay_s = 5.0  # long enough for a connection to go and come back
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.node.confirm, "ann", words)
            await trio.sleep(6.0)  # confirmed, and now the invitation is being deleted
            place.network.cut(node_id(ann), node_id(bob))
            place.network.heal()
        await bob.until_may_post()
        for person in (ann, bob):
            assert person.node.driver.engine._neighbourhood.conduct == {}


async def post_when_open(person: Person, text: str) -> None:
    await person.until_may_post()
    await person.node.speaker.post(text, 0)


async def test_restarts_in_the_middle_of_everything(autojump_clock: MockClock) -> None:
    """Both nodes are killed and started after every step of befriending and posting, and nothing has to be repeated."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        words = ann.friend("bob")["words"]
        for step in (
            lambda: ann.node.confirm("bob", words),
            lambda: bob.node.confirm("ann", words),
            lambda: post_when_open(ann, "before the restart"),
            lambda: bob.until_reads("before the restart"),
        ):
            await step()
            for person in (ann, bob):
                await place.restart(person)
        await ann.until_reads("before the restart")
        assert await bob.texts() == await ann.texts() == ["before the restart"]


async def test_a_post_survives_a_kill_right_after_its_acknowledgement(autojump_clock: MockClock) -> None:
    """What was acknowledged is published after a restart, once, from the slot that it had."""
    async with town() as place:
        ann, bob = await pair(place)

        class Never:
            async def prove(self, *_: object) -> bytes:
                await trio.sleep_forever()
                raise AssertionError

            verify_batch = ann.workers.verify_batch

        ann.node.driver._workers = Never()
        await ann.node.speaker.post("not proved yet", 0)
        await place.restart(ann)
        await bob.until_reads("not proved yet")
        await ann.until_reads("not proved yet")
        assert await ann.texts() == await bob.texts() == ["not proved yet"]
        posted = [place for place in (await Ledger(ann.store).load()).slots if place[0] is Purpose.POST]
        assert len(posted) == 1


async def test_the_disk_holds_no_trace_of_who_wrote_a_published_secret(autojump_clock: MockClock) -> None:
    """Once it is unlinked, text and seed are in no outbox row of the author, and the feeds are alike."""
    async with town() as place:
        ann, bob = await pair(place)
        await ann.node.speaker.post("who was it", 0)
        seed = ann.node.driver.engine.author.outbox[0].seed
        assert any(seed in value for value in (await ann.store.load(Table.OUTBOX)).values())
        await bob.until_reads("who was it")
        await until(lambda: not ann.node.driver.engine.author.outbox)
        await trio.sleep(1)
        values = (await ann.store.load(Table.OUTBOX)).values()
        assert any(seed in value for value in values)
        assert not any(b"who was it" in value for value in values)
        assert await ann.node.speaker.unlink(None) == {"unlinked": 1}
        for value in (await ann.store.load(Table.OUTBOX)).values():
            assert seed not in value
            assert b"who was it" not in value
        rows = [await person.store.page(Table.ITEMS, after=0) for person in (ann, bob)]
        assert [row[1:] for row in rows[0]] == [row[1:] for row in rows[1]]


@pytest.mark.parametrize("hours", [0, 1])
async def test_what_is_old_is_unlinked_by_itself(autojump_clock: MockClock, hours: int) -> None:
    """A post stays linked for as long as its author has set, and hardly longer."""
    async with town() as place:
        ann, bob = await pair(place)
        await ann.node.preferences.set(Settings(link_hours=hours))
        await ann.node.speaker.post("mine for a while", 0)
        await bob.until_reads("mine for a while")
        await until(lambda: not ann.node.driver.engine.author.outbox)
        await trio.sleep(90)
        assert len(ann.node.driver.engine.author.seeds) == hours


async def test_a_full_disk_ends_the_node_with_one_error_and_answers_the_post(
    autojump_clock: MockClock,
) -> None:
    """A post that cannot be kept is refused with the disk's error, and the node ends with the same."""
    async with town() as place:
        ann, bob = await pair(place)
        await ann.node.speaker.post("kept", 0)
        await bob.until_reads("kept")
        ann.store.is_full = True
        with pytest.raises(StoreFull):
            await ann.node.speaker.post("not kept", 0)
        await ann.ended()
        assert isinstance(ann.first_error, StoreFull)
        with pytest.raises(StoreFull):
            await ann.node.speaker.post("nor this", 0)
        ann.store.is_full = False
        await ann.start(place.nursery)
        await ann.until_may_post()
        assert await ann.texts() == await bob.texts() == ["kept"]


async def test_a_request_under_way_is_told_that_the_node_ends(autojump_clock: MockClock) -> None:
    """A post that waits for the disk when the node ends is neither acknowledged nor left waiting."""
    async with town() as place:
        ann, _ = await pair(place)
        ann.store.delay_s = 10.0
        outcomes = []

        async def post() -> None:
            with pytest.raises(DriverEnded):
                await ann.node.speaker.post("too late", 0)
            outcomes.append("told")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(post)
            await trio.sleep(0.1)
            await ann.stop()
        assert outcomes == ["told"]


async def test_a_follower_sees_each_secret_once_from_its_page_on(autojump_clock: MockClock) -> None:
    """The newest page, oldest first, and then what comes, with nothing lost or doubled in between."""
    async with town() as place:
        ann, bob = await pair(place)
        for number in range(4):
            await ann.node.speaker.post(f"old {number}", 0)
        await bob.until_reads(*(f"old {number}" for number in range(4)))
        seen: list[str] = []

        async def follow() -> None:
            async for secret in bob.node.news(count=3, waiting_max=10):
                seen.append(secret["text"])
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow)
            for number in range(3):
                await ann.node.speaker.post(f"new {number}", 0)
            await until(lambda: len(seen) == 6)
            nursery.cancel_scope.cancel()
        assert sorted(seen[:3])[0].startswith("old")
        assert len(set(seen)) == 6


async def test_a_follower_ends_with_the_node(autojump_clock: MockClock) -> None:
    """A follower is not left waiting for a node that has ended."""
    async with town() as place:
        ann, _ = await pair(place)
        async with trio.open_nursery() as nursery:

            async def follow() -> None:
                async for _ in ann.node.news(count=0, waiting_max=10):
                    pass

            nursery.start_soon(follow)
            await trio.sleep(1)
            await ann.stop()


async def test_only_an_open_gate_posts(autojump_clock: MockClock) -> None:
    """Without friends, and beyond the quota, posting is refused with sentences."""
    async with town() as place:
        ann = await place.founder("ann")
        with pytest.raises(PostRefused, match="confirmed friend"):
            await ann.node.speaker.post("alone", 0)
        eve = await place.add("eve")
        with pytest.raises(AccountError, match="no mesh"):
            await eve.node.speaker.post("nowhere", 0)
        assert (await eve.node.status())["post"]["obstacles"]


async def test_a_removed_friend_gets_nothing_more_and_can_be_invited_again(autojump_clock: MockClock) -> None:
    """After removal no gossip passes; a new invitation, taken by who still lists the remover, starts afresh."""
    async with town() as place:
        ann, bob = await pair(place)
        await ann.node.remove("bob")
        await until(lambda: not bob.friend("ann")["connected"])
        await until(lambda: "may not know this node" in bob.friend("ann")["state"])
        with pytest.raises(FriendUnknown):
            await ann.node.confirm("bob", "a b c d")
        invitation = await ann.node.invite("bob", sponsor=False)
        with pytest.raises(FriendError, match="remove them too"):
            await bob.node.join(invitation["uri"], "ann")
        await bob.node.remove("ann")
        await bob.node.join(invitation["uri"], "ann")
        words = bob.friend("ann")["words"]
        await bob.node.confirm("ann", words)
        await ann.node.confirm("bob", words)
        await ann.until_may_post()
        await bob.until_may_post()
        await bob.node.speaker.post("back again", 0)
        await ann.until_reads("back again")


async def test_who_was_removed_may_invite_the_remover(autojump_clock: MockClock) -> None:
    """A friend that takes up our invitation has lost us, so we meet it afresh although we still call it a friend."""
    async with town() as place:
        ann, bob = await pair(place)
        await ann.node.remove("bob")
        await until(lambda: not bob.friend("ann")["connected"])
        await place.meet(bob, ann, sponsor=False)
        assert bob.friend("ann")["stage"] == "met"
        words = ann.friend("bob")["words"]
        await ann.node.confirm("bob", words)
        await bob.node.confirm("ann", words)
        await bob.until_may_post()
        await bob.node.speaker.post("peace", 0)
        await ann.until_reads("peace")


async def test_wrong_words_confirm_nothing(autojump_clock: MockClock) -> None:
    """Without the very words, the friendship stays where it was."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        words = ann.friend("bob")["words"].split()
        for wrong in ("", "one two three four", " ".join(words[:3]), " ".join(reversed(words))):
            with pytest.raises(FriendError, match="not the words"):
                await ann.node.confirm("bob", wrong)
        assert ann.friend("bob")["stage"] == "met"
        await ann.node.confirm("bob", " ".join(words).upper())
        assert ann.friend("bob")["stage"] == "confirmed_by_us"


async def test_nothing_but_friendship_messages_passes_before_both_have_confirmed(
    autojump_clock: MockClock,
) -> None:
    """Gossip from somebody whom we have not confirmed is not read, whatever it believes."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        await until(lambda: ann.friend("bob")["connected"])
        bob.node._say(node_id(ann), Confirmed.of(bob.friend("ann")["words"]))
        bob.node._send(node_id(ann), b"\x01garbage that would be a fault")
        await until(lambda: ann.friend("bob")["stage"] == "confirmed_by_them")
        await trio.sleep(5)
        assert ann.node.driver.engine._links == {}
        assert ann.friend("bob")["connected"]


async def test_a_confirmation_of_other_words_counts_for_nothing(autojump_clock: MockClock) -> None:
    """A friend that claims to have compared words that it was never shown confirms nothing."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        await until(lambda: ann.friend("bob")["connected"])
        bob.node._say(node_id(ann), Confirmed(digest=bytes(32)))
        await trio.sleep(5)
        assert ann.friend("bob")["stage"] == "met"


async def test_an_address_with_control_characters_never_reaches_the_terminal(
    autojump_clock: MockClock,
) -> None:
    """Addresses are shown when they do not answer, so one that a terminal would obey is a fault."""
    async with town() as place:
        ann, bob = await pair(place)
        bob.node._say(node_id(ann), Moved(addresses=["/ip4/1.2.3.4/tcp/1\x1b[2J"]))
        await until(lambda: not ann.friend("bob")["connected"])
        assert "malformed" in ann.friend("bob")["state"]
        assert "\x1b" not in str(ann.node.friends())


async def test_a_friend_cannot_wear_out_the_disk_by_moving(autojump_clock: MockClock) -> None:
    """However often a friend says that it moved, each connection costs one write."""
    async with town() as place:
        ann, bob = await pair(place)
        await trio.sleep(30)
        before = len(ann.store.commits)
        for port in range(1, 100):
            bob.node._say(node_id(ann), Moved(addresses=[f"/ip4/127.0.0.1/tcp/{port}"]))
        await trio.sleep(5)
        moves = [
            change
            for commit in ann.store.commits[before:]
            for change in commit
            if change.table is Table.FRIENDS
        ]
        assert moves == []
        assert ann.friend("bob")["connected"]


async def test_a_friend_that_really_moved_is_found_again(autojump_clock: MockClock) -> None:
    """A node that starts on another port tells its friends, who keep it."""
    async with town() as place:
        ann, bob = await pair(place)
        await bob.stop()
        bob.port = 4_444
        await bob.start(place.nursery)
        await until(lambda: ann.friend("bob")["connected"])
        await trio.sleep(5)
        assert ann.node._book.get(node_id(bob)).addresses == ["/ip4/127.0.0.1/tcp/4444"]


async def test_removing_a_friend_that_is_just_confirming_harms_nobody(autojump_clock: MockClock) -> None:
    """A friend's messages that wait for the disk when the friend is removed are dropped, and the node goes on."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.meet(ann, bob)
        await until(lambda: ann.friend("bob")["connected"])
        await trio.sleep(5)
        ann.store.delay_s = 1.0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.node.remove, "bob")
            await trio.sleep(0.1)
            bob.node._say(node_id(ann), Confirmed.of(bob.friend("ann")["words"]))
        await trio.sleep(5)
        assert ann.error is None
        assert not ann.knows("bob")
        assert ann.node.friends()["friends"] == []


async def test_a_person_can_ask_anything_while_the_node_joins(autojump_clock: MockClock) -> None:
    """Status, friends and the feed answer at every moment of a join on a slow disk."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        bob.store.delay_s = 0.5
        invitation = await ann.node.invite("bob", sponsor=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.node.join, invitation["uri"], "ann")
            for _ in range(100):
                await bob.node.status()
                if bob.node.driver is not None:
                    bob.node.reader.feed("new", before=None, count=1)
                bob.node.friends()
                await trio.sleep(0.05)
        assert bob.knows("ann")


async def test_a_profile_enters_one_mesh_however_many_invitations_it_takes_at_once(
    autojump_clock: MockClock,
) -> None:
    """Two invitations to two meshes, taken in the same moment: one works, the other fails with a sentence."""
    async with town() as place:
        ann, bea, bob = await place.founder("ann"), await place.founder("bea"), await place.add("bob")
        assert ann.node.driver.engine.genesis.mesh_id != bea.node.driver.engine.genesis.mesh_id
        uris = [(await person.node.invite("bob", sponsor=True))["uri"] for person in (ann, bea)]
        bob.store.delay_s = 0.3
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.node.join, uris[0], "ann")
            nursery.start_soon(bob.node.join, uris[1], "bea")
        assert bob.error is None
        assert bob.knows("ann") != bob.knows("bea")
        [failed] = bob.node.friends()["joining"]
        assert "already" in failed["state"]
        entered = bob.node.driver.engine.genesis
        await place.restart(bob)
        assert bob.node.driver.engine.genesis == entered


async def test_founding_while_a_join_is_under_way_leaves_one_mesh(autojump_clock: MockClock) -> None:
    """Whichever comes first, there is one mesh and one driver, in memory and on the disk."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        uri = (await ann.node.invite("bob", sponsor=True))["uri"]
        bob.store.delay_s = 0.3

        async def found() -> None:
            try:
                await bob.node.found("mine", trial=True)
            except AccountError as error:
                assert "already" in str(error)  # noqa: PT017  # either may win

        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.node.join, uri, "ann")
            nursery.start_soon(found)
        genesis = bob.node.driver.engine.genesis
        assert bob.node._account.genesis == genesis
        await place.restart(bob)
        assert bob.node.driver.engine.genesis == genesis
        with pytest.raises(AccountError, match="already"):
            await bob.node.found("another", trial=True)


async def test_a_newcomer_with_two_inviters_is_admitted_by_the_second(autojump_clock: MockClock) -> None:
    """A first inviter that never confirms does not keep a newcomer out for ever."""
    async with town() as place:
        ann, bob = await pair(place)
        eve = await place.add("eve")
        await place.meet(ann, eve)
        await ann.stop()
        await place.befriend(bob, eve)
        await eve.until_may_post()


def test_messages_that_are_none_are_refused() -> None:
    """The first byte is part of a friendship message."""
    from rumor.gossip.errors import Malformed
    from rumor.node.messages import decode_untrusted_message

    whole = encode_message(Confirmed(digest=bytes(32)))
    for wrong in (b"", b"\x02" + whole[1:], whole[1:], whole + b"\0", b"\x00"):
        with pytest.raises(Malformed):
            decode_untrusted_message(wrong)


async def test_a_friend_cannot_make_us_scan_ports(autojump_clock: MockClock) -> None:
    """A friend that comes, tells of eight other addresses and goes, again and again, does not have us dial them all."""
    async with town() as place:
        ann, bob = await pair(place)
        seed = bob.node._account.node_secret.seed
        await bob.stop()
        tried: list[list[str]] = []

        async def watched(peer: NodeId, addresses: Sequence[str]) -> Connection:
            tried.append(list(addresses))
            raise Unreachable("nothing answers there")

        ann.node._transport.dial = watched  # type: ignore[method-assign]
        flapper = MemoryTransport(place.network, seed, admits=lambda _: True)
        async with flapper.serving():
            for number in range(15):
                await trio.sleep(5)
                connection = await flapper.dial(node_id(ann), ann.node.addresses())
                addresses = [f"/ip4/10.0.0.{number}/tcp/{port}" for port in range(1, 9)]
                await connection.send(b"\x01" + encode_message(Moved(addresses=addresses)))
                await connection.aclose()
                await trio.sleep(5)
            await trio.sleep(5)
        assert len(tried) <= 3
