"""Whole nodes that mix: a secret waits, travels in onions, survives kills, and the status says so honestly."""

import random
from collections import Counter

import msgspec
import pytest
import trio
import trio.testing
from people import PARAMETERS, Person, Town, town, until

from rumor.crypto.onion import Command, Payload
from rumor.gossip.errors import PostRefused
from rumor.gossip.genesis import Parameters
from rumor.gossip.pace import RETRIES_MAX
from rumor.node.ledger import Ledger
from rumor.node.speaking import TooLate
from rumor.node.storage.store import Put, Table

MockClock = trio.testing.MockClock

#: Relay days of half a minute, whose keys count after 10 s, and clocks of two members that tick every two seconds.
BRISK = msgspec.structs.replace(PARAMETERS, relay_day_epochs=3, bytes_per_day=1_400_000_000)


async def pair(place: Town, parameters: Parameters = BRISK) -> tuple[Person, Person]:
    ann, bob = await place.founder("ann", parameters), await place.add("bob")
    await place.befriend(ann, bob)
    return ann, bob


async def until_keys(*people: Person, count: int = 2) -> None:
    """Until so many relay keys may be used by each of them, and they may post."""
    for person in people:

        async def ready(person: Person = person) -> bool:
            status = await person.node.status()
            return status["mixing"]["relay_keys"] >= count and bool(status["post"]["allowed"])

        await until(ready)


def used_twice(person: Person, table: Table) -> list[bytes]:
    """Keys that this disk was told of more than once in all its commits."""
    commits = (change for commit in person.store.commits for change in commit)
    keys = Counter(change.key for change in commits if isinstance(change, Put) and change.table is table)
    return [key for key, count in keys.items() if count > 1]


async def test_a_secret_travels_in_an_onion_at_a_tick(autojump_clock: MockClock) -> None:
    """Between two nodes with relay keys nothing leaves at the post; it comes to both feeds by way of relays."""
    async with town() as place:
        ann, bob = await pair(place)
        await until_keys(ann, bob)
        answer = await ann.node.speaker.post("by onion", 0)
        assert answer["state"] == "queued"
        assert answer["slot_wait_s"] > 0
        assert answer["relaying_s"] > 0
        assert "for its slot, about" in answer["sentence"]
        assert (await ann.node.status())["outbox"][0]["state"] == "waiting"
        assert answer["id"] not in {item.hex() for _, item in ann.node.driver.engine.store.sets[1]}
        relayed = [person.node.driver.engine.mixing.tally.relayed_count for person in (ann, bob)]
        await ann.until_reads("by onion")
        await bob.until_reads("by onion")
        await until(lambda: not ann.node.driver.engine.author.outbox)
        assert (await ann.node.status())["outbox"] == []
        now = [person.node.driver.engine.mixing.tally.relayed_count for person in (ann, bob)]
        assert sum(now) > sum(relayed)


async def test_what_may_not_leave_yet_says_why(autojump_clock: MockClock) -> None:
    """Not how long the next slot takes: without a friend who shares our view none is used."""
    async with town() as place:
        ann, bob = await pair(place)
        await until_keys(ann, bob)
        ann.node.driver.engine.mixing._tick_at += 1_000.0  # A slow clock.
        await ann.node.speaker.post("all alone", 0)

        async def says(words: str) -> bool:
            [waiting] = (await ann.node.status())["outbox"]
            assert waiting["state"] == "waiting"
            return words in waiting["sentence"]

        await until(lambda: says("Waits for its slot, about"))
        await bob.stop()
        await place.restart(ann)
        await until(lambda: says("No friend of yours has shown"))
        assert not await says("its slot")


async def test_the_first_slot_is_in_the_next_epoch(autojump_clock: MockClock) -> None:
    """A clock starts when an epoch begins, and whoever may post before that is told of the wait."""
    async with town() as place:
        ann, _ = await pair(place)
        await ann.until_may_post()
        mixing = (await ann.node.status())["mixing"]
        assert not mixing["own_clock"]["running"]
        assert "the next epoch begins" in mixing["own_clock"]["waits_for"]
        said_at = trio.current_time()
        await until(lambda: ann.node.driver.engine.mixing.ticking_since is not None)
        waited = trio.current_time() - said_at
        assert waited > 1
        assert mixing["slot_wait_s"] == pytest.approx(waited + mixing["own_clock"]["interval_s"], abs=0.2)


async def test_the_status_tells_what_there_is_to_wait_for(autojump_clock: MockClock) -> None:
    """Before there is a mesh, before one is a member, and afterwards."""
    async with town() as place:
        ann, bob = await place.founder("ann", BRISK), await place.add("bob")
        assert (await bob.node.status())["mixing"] is None
        await place.meet(ann, bob)
        before = (await bob.node.status())["mixing"]["own_clock"]
        assert (before["running"], before["since"]) == (False, None)
        assert "once you count as a member" in before["waits_for"]
        words = ann.friend("bob")["words"]
        await bob.node.confirm("ann", words)
        await ann.node.confirm("bob", words)
        await until_keys(ann, bob)
        await until(lambda: bob.node.driver.engine.mixing.loops.returned_count)
        mixing = (await bob.node.status())["mixing"]
        clock = mixing["own_clock"]
        assert clock["running"]
        assert clock["waits_for"] is None
        assert clock["bytes_per_day"] == BRISK.bytes_per_day
        assert mixing["slot_wait_s"] == pytest.approx(clock["interval_s"])
        assert 0 < mixing["relaying_s"] < 10
        assert mixing["hides_among"] == 2
        assert "hides nobody" in mixing["hides_if"]
        assert mixing["relay_keys"] == 2
        assert mixing["relay_keys_min"] == 0
        assert mixing["ticks"] >= mixing["cover_packets"] > 0
        assert mixing["onions"] > 0
        assert mixing["loops_returned"] > 0
        assert mixing["packets_in"] > 0
        assert mixing["packets_out"] > 0
        assert 0.5 < mixing["copies_per_packet"] < 3


async def test_below_the_minimum_of_relay_keys_posting_is_refused_with_the_reason(
    autojump_clock: MockClock,
) -> None:
    """Two members make two relay keys; a mesh that asks for three says so, and what to do."""
    async with town() as place:
        ann, bob = await pair(place, msgspec.structs.replace(BRISK, relay_keys_min=3))
        await until(
            lambda: (
                len(ann.node.driver.engine.relay_book.eligible(ann.node.driver.engine.calendar.epoch)) == 2
            )
        )
        with pytest.raises(
            PostRefused, match=r"asks for 3 relay keys.*by now 2 may be used.*Wait until more"
        ):
            await ann.node.speaker.post("too early", 0)
        status = await bob.node.status()
        assert not status["post"]["allowed"]
        assert status["mixing"]["relay_keys_min"] == 3
        assert status["mixing"]["own_clock"]["running"]


async def test_kills_in_the_middle_lose_nothing_and_use_nothing_twice(autojump_clock: MockClock) -> None:
    """Nodes are killed while their secrets and onions wait: each secret comes out once, nothing is used twice."""
    choice = random.Random(1)
    async with town() as place:
        ann, bob = await pair(place)
        await until_keys(ann, bob)
        texts = []
        for number in range(6):
            for person in (ann, bob):
                await person.until_may_post()
                texts.append(f"secret {number} of {person.name}")
                await person.node.speaker.post(texts[-1], 0)
            await trio.sleep(choice.uniform(0, 3))
            await place.restart(choice.choice((ann, bob)))
        for person in (ann, bob):
            await person.until_reads(*texts)
            assert Counter(await person.texts()) == Counter(texts)
            assert used_twice(person, Table.SLOTS) == []
            assert used_twice(person, Table.ONIONS) == []
            assert len(await person.store.load(Table.ONIONS)) > 0


def lose_onions(person: Person) -> None:
    """From here on until its next start, no onion of this node carries anything."""
    mixing = person.node.driver.engine.mixing
    wrap = mixing._wrap
    mixing._wrap = lambda route, _: wrap(route, Payload(command=Command.DROP, content=b""))  # type: ignore[method-assign]


async def test_tries_are_counted_across_kills(autojump_clock: MockClock) -> None:
    """A secret that has left twice has left twice after a restart, too, and still gets out."""
    async with town() as place:
        ann, bob = await pair(place)
        await until_keys(ann, bob)
        lose_onions(ann)
        await ann.node.speaker.post("nobody hears", 0)
        [row] = ann.node.driver.engine.author.outbox
        # It is signed first; a record of a relay key may wait there already.
        await until(lambda: row.item_id in ann.node.driver.engine.mixing.outbox)
        await until(lambda: ann.node.driver.engine.mixing.outbox[row.item_id].sent_count == 2)
        await place.restart(ann)
        [row] = (await Ledger(ann.store).load()).outbox
        assert row.sent_count == 2
        assert ann.node.driver.engine.author.outbox == [row]
        await bob.until_reads("nobody hears")
        await ann.until_reads("nobody hears")


async def test_the_secret_half_of_a_relay_key_goes_after_the_day_of_grace(autojump_clock: MockClock) -> None:
    """The disk holds keys of yesterday, today and tomorrow, and no others."""
    async with town() as place:
        ann, _ = await pair(place)
        engine = ann.node.driver.engine
        first = engine.genesis.parameters.relay_day_at(engine.calendar.epoch)
        seen: dict[bytes, bytes] = {}

        async def has_turned() -> bool:
            seen.update(await ann.store.load(Table.RELAY_KEYS))
            return engine.genesis.parameters.relay_day_at(engine.calendar.epoch) >= first + 3

        await until(has_turned)
        await trio.sleep(1)
        today = engine.genesis.parameters.relay_day_at(engine.calendar.epoch)
        remembered = await Ledger(ann.store).load()
        near = {today - 1, today, today + 1}
        assert len(seen) >= 3
        assert {key.relay_day for key in remembered.relay_keys} <= near
        assert {onion.relay_day for onion in remembered.spent} <= near
        gone = [value for day, value in seen.items() if int.from_bytes(day, "big") not in near]
        assert gone
        kept = (await ann.store.load(Table.RELAY_KEYS)).values()
        assert not [half for half in gone if half in kept]


async def test_a_secret_that_does_not_come_back_is_given_up_and_says_so(autojump_clock: MockClock) -> None:
    """After four onions no further one leaves, and the person is told."""
    async with town() as place:
        ann, bob = await pair(place)
        await until_keys(ann, bob)
        lose_onions(ann)
        await ann.node.speaker.post("into the void", 0)
        states = Counter[str]()

        async def given_up() -> bool:
            [entry] = (await ann.node.status())["outbox"]
            states[entry["state"]] += 1
            return bool(entry["state"] == "given_up")

        await until(given_up)
        assert set(states) == {"waiting", "on_its_way", "given_up"}
        await trio.sleep(100)
        status = await ann.node.status()
        assert status["outbox"][0]["sent"] == RETRIES_MAX + 1
        assert "post it anew" in status["outbox"][0]["sentence"]
        assert "Secrets of yours that did not come back and are given up: 1." in status["pending"]


async def test_what_is_given_up_can_be_dismissed_and_what_is_on_its_way_cannot(
    autojump_clock: MockClock,
) -> None:
    async with town() as place:
        ann, bob = await pair(place)
        await until_keys(ann, bob)
        lose_onions(ann)
        await ann.node.speaker.post("into the void", 0)
        speaker = ann.node.speaker

        async def is_in(state: str) -> bool:
            [entry] = speaker.outbox()["waiting"]
            return bool(entry["state"] == state)

        await until(lambda: is_in("on_its_way"))
        [entry] = speaker.outbox()["waiting"]
        assert not entry["withdrawable"]
        with pytest.raises(TooLate):
            await speaker.withdraw(speaker.find_waiting(entry["id"]))
        await until(lambda: is_in("given_up"))
        [entry] = speaker.outbox()["waiting"]
        assert entry["withdrawable"]
        await speaker.withdraw(speaker.find_waiting(entry["id"]))
        assert speaker.outbox() == {"waiting": []}
        assert not any("given up" in each for each in (await ann.node.status())["pending"])
