"""Whispers among whole nodes, asked for over the API: two people talk alone, and disks forget when they are told."""

from typing import Any

import trio
import trio.testing
from people import Person, Town, asking, town, until

from rumor.node.commands.cards import SHORT_ID_SIZE
from rumor.node.storage.store import Table

MockClock = trio.testing.MockClock

#: So long that no key holds it by chance.
BOTHER = "you know who this is"


async def asked(person: Person, method: str, path: str, status: int = 200, **said: Any) -> Any:
    async with asking(person) as client:
        answer = await client.request(method, path, json=said or None)
    assert answer.status_code == status, answer.text
    return answer.json()


async def letters(person: Person) -> list[tuple[str, str]]:
    conversations = (await asked(person, "GET", "/whispers"))["conversations"]
    return [(letter["text"], letter["state"]) for each in conversations for letter in each["letters"]]


async def until_letters(person: Person, *expected: tuple[str, str]) -> None:
    async def there() -> bool:
        return await letters(person) == list(expected)

    await until(there)


def on_disk(person: Person, *traces: bytes) -> list[bool]:
    """Which of these stand anywhere in the tables."""
    values = [row.value for rows in person.store._rows.values() for row in rows.values()]
    return [any(trace in value for value in values) for trace in traces]


async def three(place: Town) -> tuple[Person, Person, Person, str]:
    """Ann, who has posted a secret, and two friends who have read it."""
    ann, bob, cleo = [await place.founder("ann"), await place.add("bob"), await place.add("cleo")]
    for friend in (bob, cleo):
        await place.befriend(ann, friend)
    for person in (ann, bob, cleo):
        await person.until_may_post()
    posted = await ann.node.speaker.post("whisper to me", 7)
    for person in (ann, bob, cleo):
        await person.until_reads("whisper to me")
    return ann, bob, cleo, posted["id"]


async def test_two_people_talk_alone_through_restarts(autojump_clock: MockClock) -> None:
    """Every route does what the page needs; the third person's node knows of nothing."""
    async with town() as place:
        ann, bob, cleo, secret = await three(place)
        heard: list[dict[str, Any]] = []

        async def follow() -> None:
            async for each in ann.node.news(count=0, waiting_max=100):
                heard.append(each)  # noqa: PERF401  (one by one, as they come)

        place.nursery.start_soon(follow)
        cards = {
            person.name: (await asked(person, "GET", f"/secrets/{secret}"))["secret"] for person in (ann, bob)
        }
        assert (cards["ann"]["may_whisper"], cards["ann"]["conversation"]) == (False, None)
        assert (cards["bob"]["may_whisper"], cards["bob"]["conversation"]) == (True, None)
        await asked(ann, "POST", f"/secrets/{secret}/whispers", 400, text="to myself")

        said = await asked(bob, "POST", f"/secrets/{secret}/whispers", 201, text=" is it you? ")
        assert said["state"] == "queued"
        [waiting] = (await asked(bob, "GET", "/outbox"))["waiting"]
        assert (waiting["kind"], waiting["text"], waiting["id"]) == ("whisper", "is it you?", said["id"])
        assert (await letters(bob))[0] in {("is it you?", "waiting"), ("is it you?", "on_its_way")}
        await place.restart(bob)
        await until_letters(ann, ("is it you?", "received"))
        await until_letters(bob, ("is it you?", "sent"))
        whispered = [each for each in heard if each["news"] == "whisper"]
        assert [each["mine"] for each in whispered] == [False]

        [conversation] = (await asked(ann, "GET", "/whispers"))["conversations"]
        assert conversation["id"] == whispered[0]["conversation"]
        assert (conversation["mine"], conversation["unread"], conversation["may_answer"]) == (True, 1, True)
        assert conversation["secret"] == {"id": secret, "text": "whisper to me", "style": 7}
        path = f"/whispers/{conversation['id']}"
        await asked(ann, "PUT", f"{path}/read")
        assert (await asked(ann, "GET", "/whispers"))["unread"] == 0
        await asked(ann, "POST", path, 400, text="\x00")
        assert (await asked(ann, "POST", path, 201, text="who asks?"))["conversation"] == conversation["id"]
        await until_letters(bob, ("is it you?", "sent"), ("who asks?", "received"))
        await place.restart(ann)
        await until_letters(ann, ("is it you?", "received"), ("who asks?", "sent"))
        card = (await asked(bob, "GET", f"/secrets/{secret}"))["secret"]
        assert card["conversation"] == said["conversation"]
        assert await letters(cleo) == []
        assert on_disk(cleo, b"is it you?", b"who asks?") == [False, False]

        assert on_disk(bob, b"who asks?") == [True]
        await asked(bob, "DELETE", f"/whispers/{said['conversation'][:8]}")
        await asked(bob, "DELETE", f"/whispers/{said['conversation']}", 404)
        assert (await letters(bob), on_disk(bob, b"is it you?", b"who asks?")) == ([], [False, False])


async def test_unlinking_erases_what_was_whispered_to_the_author(autojump_clock: MockClock) -> None:
    """Neither the letters nor the keys by which they could be opened are on the disk any more; a draft goes, too."""
    async with town() as place:
        ann, bob, _, secret = await three(place)
        await asked(bob, "POST", f"/secrets/{secret}/whispers", 201, text="is it you?")
        await until_letters(ann, ("is it you?", "received"))
        [conversation] = ann.node.driver.engine.whispers.conversations
        [kept] = ann.node.driver.engine.author.seeds.values()
        await asked(ann, "POST", f"/whispers/{conversation.conversation_id.hex()}", 201, text="no answer")
        traces = (b"is it you?", b"no answer", kept.seed, conversation.other_key)
        assert on_disk(ann, *traces) == [True] * 4
        await asked(ann, "DELETE", f"/items/{secret}/link")
        assert on_disk(ann, *traces) == [False] * 4
        assert await letters(ann) == []
        await place.restart(ann)
        assert await letters(ann) == []


async def test_a_filtered_word_folds_a_letter_and_calls_nobody(autojump_clock: MockClock) -> None:
    """Of the other's letters, and not of one's own; who wants to see it asks for the whole."""
    async with town() as place:
        ann, bob, _, secret = await three(place)
        for person in (ann, bob):
            await asked(person, "PATCH", "/settings", filters=["spiders"])
        await asked(bob, "POST", f"/secrets/{secret}/whispers", 201, text="I like SPIDERS!")
        await until_letters(ann, ("", "received"))
        await until_letters(bob, ("I like SPIDERS!", "sent"))
        found = await asked(ann, "GET", "/whispers")
        [conversation] = found["conversations"]
        [letter] = conversation["letters"]
        assert (found["unread"], conversation["unread"], letter["filtered"]) == (0, 0, True)
        [whole] = (await asked(ann, "GET", "/whispers?whole=1"))["conversations"]
        assert (whole["letters"][0]["text"], whole["letters"][0]["filtered"]) == ("I like SPIDERS!", True)
        await asked(ann, "PATCH", "/settings", theme="dark", filters=[])
        assert (await asked(ann, "GET", "/whispers"))["unread"] == 1


async def test_who_bothers_is_not_heard_any_more(autojump_clock: MockClock) -> None:
    """Ended, the other's further letters are dropped; closed, nobody new is heard; an unlinked secret tells neither."""
    async with town() as place:
        ann, bob, cleo, secret = await three(place)
        await asked(bob, "POST", f"/secrets/{secret}/whispers", 201, text=BOTHER)
        await until_letters(ann, (BOTHER, "received"))
        [conversation] = (await asked(ann, "GET", "/whispers"))["conversations"]
        ended = await asked(ann, "PUT", f"/whispers/{conversation['id'][:6]}/ended")
        assert ended == {"ended": conversation["id"]}
        await asked(ann, "PUT", f"/whispers/{conversation['id'][:6]}/ended", 404)
        await place.restart(ann)
        await asked(bob, "POST", f"/secrets/{secret}/whispers", 201, text=BOTHER + " again")
        await until_letters(bob, (BOTHER, "sent"), (BOTHER + " again", "sent"))
        await asked(cleo, "POST", f"/secrets/{secret}/whispers", 201, text="hello")
        await until_letters(ann, ("hello", "received"))

        await asked(bob, "PUT", f"/secrets/{secret}/closed", 400)
        assert await asked(ann, "PUT", f"/secrets/{secret}/closed") == {"closed": True}
        card = (await asked(ann, "GET", f"/secrets/{secret}"))["secret"]
        assert (card["closed"], (await asked(ann, "GET", "/whispers"))["conversations"][0]["closed"]) == (
            True,
            True,
        )
        await place.restart(ann)
        [began] = (await asked(bob, "GET", "/whispers"))["conversations"]
        await asked(bob, "DELETE", f"/whispers/{began['id']}")
        await asked(bob, "POST", f"/secrets/{secret}/whispers", 201, text=BOTHER + " anew")
        await until_letters(bob, (BOTHER + " anew", "sent"))
        await asked(cleo, "POST", f"/secrets/{secret}/whispers", 201, text="hello again")
        await until_letters(ann, ("hello", "received"), ("hello again", "received"))
        assert on_disk(ann, BOTHER.encode()) == [False]

        [reply_key] = [key.public for key in ann.node.driver.engine.whispers.keys]
        rows = [row.value for row in ann.store._rows[Table.LETTERS].values()]
        assert sum(reply_key in row for row in rows) == 4
        await asked(ann, "DELETE", f"/items/{secret}/link")
        rows = [row.value for row in ann.store._rows[Table.LETTERS].values()]
        assert sum(reply_key in row for row in rows) == 0


async def test_a_whisper_can_be_withdrawn_until_it_leaves(autojump_clock: MockClock) -> None:
    """With its letter, and the conversation if there is no other in it."""
    async with town() as place:
        _, bob, _, secret = await three(place)
        bob.node.driver.engine.mixing._tick_at += 1_000.0  # A slow clock.
        said = await asked(bob, "POST", f"/secrets/{secret}/whispers", 201, text="on second thought")
        assert await letters(bob) == [("on second thought", "waiting")]
        await asked(bob, "DELETE", f"/outbox/{said['id']}")
        assert (await letters(bob), bob.node.speaker.outbox()) == ([], {"waiting": []})
        assert on_disk(bob, b"on second thought") == [False]
        await asked(bob, "POST", f"/whispers/{said['conversation']}", 404, text="hm")
        assert len(await bob.store.load(Table.LETTERS)) == 256


async def test_each_of_those_who_whisper_about_one_secret_is_answered(autojump_clock: MockClock) -> None:
    """The first digits of an id tell conversations apart, as the command line shows no more of them."""
    async with town() as place:
        ann, bob, cleo, secret = await three(place)
        for person in (bob, cleo):
            await asked(person, "POST", f"/secrets/{secret}/whispers", 201, text=f"I am {person.name}")
        await until(lambda: len(ann.node.driver.engine.whispers.conversations) == 2)
        for conversation in (await asked(ann, "GET", "/whispers"))["conversations"]:
            text = f"so {conversation['letters'][0]['text']}"
            await asked(ann, "POST", f"/whispers/{conversation['id'][:SHORT_ID_SIZE]}", 201, text=text)
        await until_letters(bob, ("I am bob", "sent"), ("so I am bob", "received"))
        await until_letters(cleo, ("I am cleo", "sent"), ("so I am cleo", "received"))
