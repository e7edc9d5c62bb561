"""The API over ASGI, with a whole node in memory behind it: shapes, statuses, and requests that make no sense."""

import json
import math

import pytest
import trio.testing
from people import asking, pair, town, until

from rumor.gossip.presets import parameters

MockClock = trio.testing.MockClock


async def test_a_mesh_from_founding_to_reading(autojump_clock: MockClock) -> None:
    """Every route does what its command needs."""
    async with town() as place:
        ann, bob = await place.add("ann"), await place.add("bob")
        async with asking(ann) as anns, asking(bob) as bobs:
            assert (await anns.get("/status")).json()["mesh"] is None
            assert (await anns.post("/invitations", json={})).status_code == 409
            founded = await anns.post("/mesh", json={"name": "town", "trial": True})
            assert founded.status_code == 201
            assert founded.json()["members"] == 1
            invitation = await anns.post("/invitations", json={"name": "bob/?#[x]", "sponsor": True})
            assert invitation.status_code == 201
            joined = await bobs.post("/friends", json={"uri": invitation.json()["uri"], "name": "ann"})
            assert joined.status_code == 202
            [friend] = (await anns.get("/friends")).json()["friends"]
            for client, path in ((anns, "bob%2F%3F%23%5Bx%5D"), (bobs, "ann")):
                done = await client.put(f"/friends/{path}/confirmation", json={"words": friend["words"]})
                assert done.status_code == 200
            await bob.until_may_post()
            posted = await bobs.post("/secrets", json={"text": "hello", "style": 3})
            assert posted.status_code == 201
            await ann.until_reads("hello")
            [secret] = (await anns.get("/secrets")).json()["secrets"]
            assert (secret["id"], secret["text"], secret["style"]) == (posted.json()["id"], "hello", 3)
            assert (await anns.get("/secrets", params={"before": secret["id"]})).json()["secrets"] == []
            renamed = await anns.patch("/friends/bob%2F%3F%23%5Bx%5D", json={"name": "bob"})
            assert renamed.json()["name"] == "bob"
            assert (await anns.delete("/friends/bob")).json() == {"removed": "bob"}
            assert (await anns.get("/status")).json()["friends"] == 0


async def test_a_mesh_is_founded_with_what_its_founder_chose(autojump_clock: MockClock) -> None:
    """A preset by its name, and whatever is given beside it; null is as good as nothing."""
    async with town() as place:
        ann = await place.add("ann")
        async with asking(ann) as client:
            body = {
                "name": "town",
                "trial": False,
                "preset": "quick",
                "bytes_per_day": None,
                "route_length": 4,
            }
            assert (await client.post("/mesh", json=body)).status_code == 201
        assert ann.node.driver is not None
        assert ann.node.driver.engine.genesis.parameters == parameters("quick", route_length=4)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/secrets", b"", 400),
        ("POST", "/secrets", b"[]", 400),
        ("POST", "/secrets", b"[" * 60_000, 400),
        ("POST", "/secrets", b'{"text": ' + b"9" * 5_000 + b"}", 400),
        ("POST", "/secrets", b"\xff", 400),
        ("POST", "/secrets", b"{}", 400),
        ("POST", "/secrets", b'{"text": 1}', 400),
        ("POST", "/secrets", b'{"text": "x", "style": 64}', 400),
        ("POST", "/secrets", b'{"text": "x", "style": true}', 400),
        ("POST", "/secrets", b'{"text": ""}', 400),
        ("POST", "/secrets", b'{"text": "\\ud800"}', 400),
        ("POST", "/secrets", b'{"text": "\\u0000"}', 400),
        ("POST", "/mesh", b'{"name": "again"}', 409),
        ("POST", "/mesh", b'{"name": "x", "trial": "yes"}', 400),
        ("POST", "/mesh", b'{"name": "x", "preset": "hasty"}', 400),
        ("POST", "/mesh", b'{"name": "x", "preset": []}', 400),
        ("POST", "/mesh", b'{"name": "x", "route_length": 6}', 400),
        ("POST", "/mesh", b'{"name": "x", "bytes_per_day": "1"}', 400),
        ("POST", "/friends", b'{"uri": "http://example.org"}', 400),
        ("POST", "/friends", b'{"uri": "rumor:\\ud800"}', 400),
        ("POST", "/friends", b'{"uri": "rumor:aaaa"}', 400),
        ("PUT", "/friends/nobody/confirmation", b'{"words": "a"}', 404),
        ("PUT", "/friends/bob/confirmation", b'{"words": "a"}', 409),
        ("PATCH", "/friends/bob", b'{"name": " \\u200b\\n"}', 409),
        ("DELETE", "/friends/nobody", b"", 404),
        ("GET", "/secrets?count=0", b"", 400),
        ("GET", "/secrets?count=201", b"", 400),
        ("GET", "/secrets?count=x", b"", 400),
        ("GET", "/secrets?before=-1", b"", 400),
        ("GET", "/nothing", b"", 404),
        ("PUT", "/status", b"", 405),
    ],
)
async def test_requests_that_make_no_sense(
    autojump_clock: MockClock, method: str, path: str, body: bytes, status: int
) -> None:
    """Each gets its status and one sentence, and the node goes on."""
    async with town() as place:
        ann, _ = await pair(place)
        async with asking(ann) as client:
            response = await client.request(method, path, content=body)
            assert (response.status_code, set(response.json())) == (status, {"error"})
            assert response.json()["error"]
        assert ann.error is None
        assert ann.friend("bob")["connected"]


async def test_a_closed_gate_says_so_with_a_status_of_its_own(autojump_clock: MockClock) -> None:
    """A script can tell "later" from "never"."""
    async with town() as place:
        ann = await place.founder("ann")
        async with asking(ann) as client:
            response = await client.post("/secrets", json={"text": "hello"})
            assert response.status_code == 425
            assert response.json()["obstacles"]


async def test_a_full_disk_is_507_and_an_ending_node_503(autojump_clock: MockClock) -> None:
    """Whoever waits for an answer gets one, and knows that nothing was done."""
    async with town() as place:
        ann, bob = await pair(place)
        async with asking(ann) as client:
            # No time passes, so that nothing is written but for who asks.
            autojump_clock.autojump_threshold = math.inf
            await trio.testing.wait_all_tasks_blocked()
            ann.store.is_full = True
            assert (await client.post("/invitations", json={})).status_code == 507
            assert ann.error is None
            autojump_clock.autojump_threshold = 0
            assert (await client.post("/secrets", json={"text": "x"})).status_code == 507
            await ann.ended()
            assert (await client.post("/secrets", json={"text": "x"})).status_code == 507
        async with asking(bob) as client:
            await bob.stop()
            assert (await client.post("/secrets", json={"text": "x"})).status_code == 503


async def test_a_follower_ends_with_the_node_over_the_api(autojump_clock: MockClock) -> None:
    """The stream of secrets ends cleanly; what it carried is JSON in server-sent events."""
    async with town() as place:
        ann, bob = await pair(place)
        await ann.node.speaker.post("a secret", 0)
        await bob.until_reads("a secret")
        bodies = []

        async def follow() -> None:
            async with asking(bob) as client:
                bodies.append((await client.get("/news", params={"count": 5})).text)

        place.nursery.start_soon(follow)
        await trio.sleep(1)
        await bob.stop()
        await until(lambda: bodies)
        [data] = [line for line in bodies[0].splitlines() if line.startswith("data: ")]
        assert json.loads(data.removeprefix("data: "))["text"] == "a secret"


async def test_what_the_page_asks_besides(autojump_clock: MockClock) -> None:
    """An invitation with its code, a thread with what is hidden in it, and how the page is to look."""
    async with town() as place:
        ann, _ = await pair(place)
        async with asking(ann) as client:
            invitation = (await client.post("/invitations", json={})).json()
            assert {len(row) for row in invitation["qr"]} == {len(invitation["qr"])}
            secret = (await client.post("/secrets", json={"text": "hello"})).json()["id"]
            await ann.until_reads("hello")
            said = await client.post(f"/secrets/{secret}/replies", json={"text": "unkind"})
            assert said.status_code == 201
            await ann.until_reads("hello", "unkind")
            [reply] = (await client.get(f"/secrets/{secret}")).json()["replies"]
            await client.put(f"/items/{reply['id']}/hidden")
            thread = (await client.get(f"/secrets/{secret}")).json()
            assert (thread["replies"], thread["left_out"]) == ([], 1)
            whole = (await client.get(f"/secrets/{secret}", params={"whole": 1})).json()
            assert [(each["text"], each["hidden"]) for each in whole["replies"]] == [("unkind", True)]
            assert (await client.get("/settings")).json()["theme"] == "auto"
            assert (await client.patch("/settings", json={"theme": "dark"})).json()["theme"] == "dark"
            for theme in ("pink", 1, None):
                assert (await client.patch("/settings", json={"theme": theme})).status_code == 400
