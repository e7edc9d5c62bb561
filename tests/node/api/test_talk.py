"""Conversations over the API, between two whole nodes in memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
import trio.testing
from people import Person, asking, pair, town, until

from rumor.node.api import answers
from rumor.node.preferences import Preferences, Sort

MockClock = trio.testing.MockClock


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[Person, httpx.AsyncClient, Person, httpx.AsyncClient]]:
    """Ann and Bob, who may post, each with a client of their node."""
    async with town() as place, AsyncExitStack() as stack:
        ann, bob = await pair(place)
        anns = await stack.enter_async_context(asking(ann))
        yield ann, anns, bob, await stack.enter_async_context(asking(bob))


async def secret_of(anns: httpx.AsyncClient, *people: Person, **fields: Any) -> str:
    """The id of a secret of Ann's, once all of these have it; Ann herself has it when it has come back to her."""
    answer = await anns.post("/secrets", json={"text": "hello", **fields})
    assert answer.status_code == 201, answer.text
    secret_id: str = answer.json()["id"]
    for person in people:
        await until(lambda: bytes.fromhex(secret_id) in person.node.driver.engine.store)  # noqa: B023
    return secret_id


async def card(client: httpx.AsyncClient, secret_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/secrets/{secret_id}")).json()["secret"]
    return answer


async def test_a_thread_has_faces_and_the_author_is_known_in_it(autojump_clock: MockClock) -> None:
    """The author is OP on both sides, and each sees which face is its own; a reply's id leads to its thread."""
    async with talking() as (ann, anns, bob, bobs):
        secret_id = await secret_of(anns, ann, bob)
        for client in (bobs, anns):
            reply = await client.post(f"/secrets/{secret_id[:10]}/replies", json={"text": "well"})
            assert reply.status_code == 201

        async def both() -> bool:
            threads = [(await client.get(f"/secrets/{secret_id}")).json() for client in (anns, bobs)]
            return all(len(thread["replies"]) == 2 for thread in threads)

        await until(both)
        for client, own in ((anns, True), (bobs, False)):
            replies = (await client.get(f"/secrets/{secret_id}")).json()["replies"]
            by_reply = (await client.get(f"/secrets/{replies[1]['id']}")).json()
            assert (by_reply["secret"]["id"], by_reply["replies"]) == (secret_id, replies)
            refused = await client.post(f"/secrets/{replies[0]['id']}/whispers", json={"text": "psst"})
            assert (refused.status_code, "a reply" in refused.json()["error"]) == (400, True)
            faces = {(reply["persona"]["op"], reply["persona"]["you"]) for reply in replies}
            assert faces == {(True, own), (False, not own)}
        assert (await anns.get(f"/secrets/{secret_id}")).json()["secret"]["mine"]


async def test_who_has_said_much_under_one_face_is_told_what_more_costs(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret counts, and what waits; not what was unlinked. In a trial mesh there is nothing to lose."""
    async with talking() as (ann, anns, bob, bobs):
        secret_id = await secret_of(anns, ann, bob)
        path = f"/secrets/{secret_id}"
        assert (await anns.get(path)).json()["face"] == {"said": 1, "warning": None}
        assert (await bobs.get(path)).json()["face"] == {"said": 0, "warning": None}
        for said in (2, 3):
            answer = await anns.post(f"{path}/replies", json={"text": "and"})
            assert answer.json()["face"] == {"said": said, "warning": None}

        async def among_a_hundred() -> str | None:
            with monkeypatch.context() as patched:
                patched.setattr(answers, "describe_meter", lambda *_: {"by_spies": [{}], "members": 100})
                warning: str | None = (await anns.get(path)).json()["face"]["warning"]
                return warning

        assert "spoken 3 times" in (await among_a_hundred() or "")
        await anns.delete("/links")
        assert await among_a_hundred() is None


async def test_hearts_flags_and_votes_travel_and_can_be_taken_back(autojump_clock: MockClock) -> None:
    async with talking() as (ann, anns, bob, bobs):
        poll = await secret_of(anns, ann, bob, choices=["yes", "no"])
        given = await bobs.put(f"/items/{poll}/heart", json={})
        assert (given.json()["hearts"], given.json()["hearted"]) == (0, "on_its_way")
        assert (await bobs.put(f"/secrets/{poll}/vote", json={"choice": 1})).status_code == 200
        assert (await bobs.put(f"/items/{poll}/flag", json={})).status_code == 200

        async def arrived() -> bool:
            seen = await card(anns, poll)
            return bool(seen["hearts"] and seen["flags"] and seen["poll"]["choices"][1]["votes"])

        await until(arrived)
        await until(lambda: not bob.node.driver.engine.author.outbox)
        own = await card(bobs, poll)
        assert (own["hearted"], own["flagged"], own["poll"]["voted"]) == ("given", "given", 1)
        taken = await bobs.delete(f"/items/{poll}/heart")
        assert taken.json()["hearted"] == "being_taken_back"
        await until(lambda: ann.node.driver.engine.board.tally(bytes.fromhex(poll)).hearts == 0)
        loved = (await anns.get("/secrets", params={"order": "loved"})).json()["secrets"]
        assert loved == []


async def test_a_heart_that_has_not_left_is_simply_withdrawn(autojump_clock: MockClock) -> None:
    async with talking() as (ann, anns, bob, bobs):
        secret_id = await secret_of(anns, ann, bob)
        await bobs.put(f"/items/{secret_id}/heart", json={})
        assert len((await bobs.get("/outbox")).json()["waiting"]) == 1
        answer = await bobs.delete(f"/items/{secret_id}/heart")
        if answer.json()["hearted"] is None:  # The own clock has not ticked in between.
            assert (await bobs.get("/outbox")).json()["waiting"] == []


async def test_flags_fold_and_one_may_look_all_the_same(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with talking() as (ann, anns, bob, bobs):
        secret_id = await secret_of(anns, ann, bob)
        monkeypatch.setattr(type(ann.node.driver.engine.genesis.parameters), "flags_to_fold", lambda *_: 1)
        await bobs.put(f"/items/{secret_id}/flag", json={})
        await until(lambda: ann.node.driver.engine.board.tally(bytes.fromhex(secret_id)).flags == 1)
        assert (await card(anns, secret_id))["folded"]
        assert (await anns.put(f"/items/{secret_id}/unfolded", json={})).status_code == 200
        assert not (await card(anns, secret_id))["folded"]


async def test_a_secret_is_retracted_only_by_its_author_and_only_while_linked(
    autojump_clock: MockClock,
) -> None:
    async with talking() as (ann, anns, bob, bobs):
        first, second = [await secret_of(anns, ann, bob, text=text) for text in ("one", "two")]
        await until(lambda: len(ann.node.driver.engine.author.seeds) == 2)
        assert (await bobs.delete(f"/items/{first}")).status_code == 400
        assert (await anns.delete(f"/items/{first}/link")).json() == {"unlinked": 1}
        assert (await anns.delete(f"/items/{first}")).status_code == 400
        mine = (await anns.get("/secrets", params={"order": "mine"})).json()["secrets"]
        assert [secret["id"] for secret in mine] == [second]
        assert (await anns.delete(f"/items/{second}")).status_code == 202
        for person in (ann, bob):
            await until(lambda: bytes.fromhex(second) not in person.node.driver.engine.store)  # noqa: B023
        again = await anns.delete(f"/items/{second}")
        assert (again.status_code, "was taken back" in again.json()["error"]) == (404, True)
        assert (await bobs.get(f"/secrets/{second}")).status_code == 404


async def test_what_is_on_its_way_can_be_taken_back(autojump_clock: MockClock) -> None:
    """It does not leave again, and whoever gets it drops it; what has not left is withdrawn instead."""
    async with talking() as (ann, _, bob, bobs):
        engine = bob.node.driver.engine
        await until(lambda: engine.mixing._tick_at is not None)
        engine.mixing._tick_at += 1_000.0
        waiting = (await bobs.post("/secrets", json={"text": "on second thought"})).json()["id"]
        refused = await bobs.delete(f"/items/{waiting}")
        assert (refused.status_code, "withdraw it" in refused.json()["error"]) == (400, True)
        await bobs.delete(f"/outbox/{waiting}")

        left = (await bobs.post("/secrets", json={"text": "oops"})).json()["id"]
        item_id = bytes.fromhex(left)
        await until(lambda: item_id in engine.mixing.outbox)
        # It has left, and nobody knows what became of it.
        engine.mixing.outbox[item_id].sent_count = 4
        item = engine.mixing.outbox[item_id].item
        assert "may be retracted" in (await bobs.delete(f"/outbox/{left}")).json()["error"]
        assert (await bobs.delete(f"/items/{left[:8]}")).status_code == 202
        [row] = (await bobs.get("/outbox")).json()["waiting"]
        assert row["kind"] == "retraction"
        engine.mixing._tick_at = 0.0
        bob.node.driver._touched()
        await until(lambda: ann.node.driver.engine.board.is_retracted(item.commitment))
        assert ann.node.driver.engine._holdings.is_displaced(item)
        assert (await bobs.delete(f"/items/{left}")).status_code == 404


async def test_what_one_does_not_want_to_see_is_left_out_here_and_nowhere_else(
    autojump_clock: MockClock,
) -> None:
    """Hidden, muted and filtered, and all of it again after a restart; nothing of it leaves."""
    async with talking() as (ann, anns, bob, bobs):
        texts = ["cats", "about Spiders", "dogs", "rain"]
        ids = {text: await secret_of(anns, ann, bob, text=text) for text in texts}
        sent = len(bob.node.driver.engine.author.outbox)
        await bobs.put(f"/items/{ids['cats']}/hidden", json={})
        await bobs.put(f"/secrets/{ids['dogs']}/muted", json={})
        changed = await bobs.patch("/settings", json={"filters": ["  SPIDERS ", "spiders", ""]})
        assert changed.json()["filters"] == ["spiders"]
        assert len(bob.node.driver.engine.author.outbox) == sent

        async def shown(client: httpx.AsyncClient, order: str = "new") -> list[str]:
            page = (await client.get("/secrets", params={"order": order})).json()
            return [secret["text"] for secret in page["secrets"]]

        assert await shown(bobs) == ["rain"]
        assert set(await shown(bobs, "hidden")) == {"cats", "dogs"}
        assert len(await shown(anns)) == 4
        again = Preferences(bob.store)
        await again.load()
        assert again.is_filtered("no spiders, please")
        for hidden in ("\u200b", "\u2060", "\u00ad", "\ufe0f", "\u202e"):
            assert again.is_filtered(f"no Spi{hidden}ders{hidden}, please")
        assert not again.is_filtered("no spidersilk")
        assert again.has(Sort.HIDDEN, bytes.fromhex(ids["cats"]))
        assert len(again.all(Sort.MUTED)) == 1


async def test_subscribed_threads_count_what_is_unread(autojump_clock: MockClock) -> None:
    async with talking() as (ann, anns, bob, bobs):
        secret_id = await secret_of(anns, ann, bob)
        await bobs.put(f"/secrets/{secret_id}/subscribed", json={})
        await anns.post(f"/secrets/{secret_id}/replies", json={"text": "and another thing"})
        board = bob.node.driver.engine.board
        await until(lambda: len(board.replies(board.secrets[bytes.fromhex(secret_id)])) == 1)
        subscribed = (await bobs.get("/secrets", params={"order": "subscribed"})).json()["secrets"]
        assert [(secret["id"], secret["unread"]) for secret in subscribed] == [(secret_id, 1)]
        await bobs.put(f"/secrets/{secret_id}/subscribed", json={})
        assert (await card(bobs, secret_id))["unread"] == 0
        await bobs.patch("/settings", json={"filters": ["thing"]})
        await bobs.put(f"/secrets/{secret_id}/subscribed", json={})
        assert (await card(bobs, secret_id))["unread"] == 0
        await bobs.delete(f"/secrets/{secret_id}/subscribed")
        assert not (await card(bobs, secret_id))["subscribed"]


async def test_the_feed_has_pages_and_a_search(autojump_clock: MockClock) -> None:
    """A search finds what is in the chosen part of the feed, and nothing beside it."""
    async with talking() as (ann, anns, bob, bobs):
        ids = [await secret_of(anns, ann, bob, text=f"number {number} café") for number in range(5)]
        first = (await bobs.get("/secrets", params={"count": 3})).json()
        assert ([secret["id"] for secret in first["secrets"]], first["more"]) == (ids[:1:-1], True)
        rest = (await bobs.get("/secrets", params={"before": first["secrets"][-1]["id"]})).json()
        assert ([secret["id"] for secret in rest["secrets"]], rest["more"]) == (ids[1::-1], False)
        found = (await bobs.get("/secrets", params={"query": "CAFE numb"})).json()["secrets"]
        assert len(found) == 5
        assert (await bobs.get("/secrets", params={"query": '3 " OR *'})).json()["secrets"] == []

        await bobs.put(f"/secrets/{ids[1]}/subscribed", json={})
        await bobs.put(f"/items/{ids[2]}/hidden", json={})
        seen = [ids[4], ids[3], ids[1], ids[0]]
        for order, expected in (("mine", []), ("subscribed", [ids[1]]), ("hidden", [ids[2]]), ("new", seen)):
            found = (await bobs.get("/secrets", params={"query": "cafe", "order": order})).json()["secrets"]
            assert [secret["id"] for secret in found] == expected


async def test_news_tells_of_all_that_happens(autojump_clock: MockClock) -> None:
    async with talking() as (ann, anns, bob, bobs):
        heard: list[dict[str, Any]] = []

        async def listen() -> None:
            async for each in bob.node.news(count=0, waiting_max=100):
                heard.append(each)  # noqa: PERF401  # as they come

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            secret_id = await secret_of(anns, ann, bob)
            await bobs.post(f"/secrets/{secret_id}/replies", json={"text": "hm"})
            await anns.put(f"/items/{secret_id}/heart", json={})
            await until(lambda: {"secret", "reply", "tally", "outbox"} <= {each["news"] for each in heard})
            await until(lambda: bytes.fromhex(secret_id) in ann.node.driver.engine.author.seeds)
            await anns.delete(f"/items/{secret_id}")
            await until(lambda: {"news": "gone", "id": secret_id} in heard)
            nursery.cancel_scope.cancel()
        [tally] = [each for each in heard if each["news"] == "tally"]
        assert (tally["id"], tally["hearts"]) == (secret_id, 1)


async def test_news_tell_nothing_of_what_is_not_wanted(autojump_clock: MockClock) -> None:
    """Else a page or a terminal that follows would show what its filters keep from it."""
    async with talking() as (ann, anns, bob, bobs):
        muted = await secret_of(anns, ann, bob, text="dogs")
        await bobs.put(f"/secrets/{muted}/muted", json={})
        await bobs.patch("/settings", json={"filters": ["spiders"]})
        heard: list[dict[str, Any]] = []

        async def listen() -> None:
            async for each in bob.node.news(count=0, waiting_max=100):
                heard.append(each)  # noqa: PERF401  # as they come

        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            for text in ("about spiders", "rain"):
                thread = await secret_of(anns, ann, bob, text=text)
            await anns.post(f"/secrets/{muted}/replies", json={"text": "more dogs"})
            await anns.post(f"/secrets/{thread}/replies", json={"text": "more spiders"})
            await bob.until_reads("more dogs", "more spiders")
            await anns.post(f"/secrets/{thread}/replies", json={"text": "the last"})
            await until(lambda: any(each.get("text") == "the last" for each in heard))
            nursery.cancel_scope.cancel()
        assert [each["text"] for each in heard if "text" in each] == ["rain", "the last"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/secrets/abc", None, 404),
        ("GET", "/secrets/" + "00" * 32, None, 404),
        ("POST", "/secrets/" + "00" * 32 + "/replies", {"text": "x"}, 404),
        ("PUT", "/items/" + "00" * 32 + "/heart", {}, 404),
        ("PUT", "/secrets/" + "00" * 32 + "/vote", {"choice": 9}, 400),
        ("DELETE", "/items/zz", None, 404),
        ("DELETE", "/outbox/00", None, 404),
        ("GET", "/secrets?order=best", None, 400),
        ("GET", "/secrets?before=xyz", None, 400),
        ("POST", "/secrets", {"text": "x", "choices": "yes"}, 400),
        ("POST", "/secrets", {"text": "x", "choices": ["yes"]}, 400),
        ("PATCH", "/settings", {"colour": "red"}, 400),
        ("PATCH", "/settings", {"filters": ["x" * 65]}, 400),
        ("PATCH", "/settings", {"link_hours": -1}, 400),
    ],
)
async def test_what_makes_no_sense_is_one_sentence(
    autojump_clock: MockClock, method: str, path: str, body: Any, status: int
) -> None:
    async with talking() as (_, anns, _bob, _bobs):
        answer = await anns.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        assert set(answer.json()) <= {"error", "obstacles"}
