"""docs/openapi.json and docs/api.md name what there is, and a node answers as they say."""

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio.testing
from jsonschema import Draft202012Validator
from nacl import pwhash
from openapi import DOCUMENT, METHODS, operations, seen
from people import asking, town, until
from starlette.routing import Route

from rumor.crypto import vault
from rumor.gossip.presets import BYTES_PER_DAY_RANGE, PRESETS, ROUTE_LENGTH_RANGE
from rumor.node.api.credentials import Credentials
from rumor.node.api.locking import PageLock
from rumor.node.api.page import Page
from rumor.node.api.routes import make_app
from rumor.node.node import Node
from rumor.node.preferences import FILTER_SIZE_MAX, FILTERS_MAX, THEMES
from rumor.node.profile import HOME_VARIABLE, Profile
from rumor.node.reading import FEEDS, PREFIX_MIN
from rumor.node.setup import create

MockClock = trio.testing.MockClock
GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text()
WRAPPED = vault._lock(
    bytes(32),
    "correct horse",
    b"s" * 16,
    b"n" * 24,
    pwhash.argon2id.OPSLIMIT_MIN,
    pwhash.argon2id.MEMLIMIT_MIN,
)


def page_and_lock() -> tuple[Page, PageLock]:
    credentials = Credentials()
    lock = PageLock(credentials, lambda: WRAPPED, lambda: 5)
    return Page(credentials, "http://127.0.0.1:8123", lambda: 0.0), lock


def routes() -> set[tuple[str, str]]:
    """Methods and paths of the JSON API, as the application has them."""
    page, lock = page_and_lock()
    profile = Profile.locate("nobody")
    node: Any = Node.__new__(Node)  # Routes are made without asking it anything.
    return {
        (method, re.sub(r":\w+\}", "}", route.path).removeprefix("/api"))
        for route in make_app(node, page.routes, lock, profile).routes
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_the_file_has_the_routes_that_there_are_and_no_others() -> None:
    """Method by method, with those of the page and its lock."""
    assert {(method, path) for method, path, _ in operations()} == routes()


def test_the_guide_names_every_route_once() -> None:
    """Its table is the set of routes, too, and says the same of each."""
    rows = re.findall(r"^\| `([A-Z]+) (/[^` ]*)` \| (.*) \|$", GUIDE, re.MULTILINE)
    assert {(method, path) for method, path, _ in rows} == routes()
    assert sorted(rows) == sorted((method, path, said["summary"]) for method, path, said in operations())


def test_every_operation_says_what_it_is() -> None:
    """A name of its own, a summary, each parameter of its path, one success, and the guard's refusals."""
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        references = [
            part["$ref"].rsplit("/")[-1] for part in operation.get("parameters", ()) if "$ref" in part
        ]
        named = [DOCUMENT["components"]["parameters"][name]["name"] for name in references]
        assert named == re.findall(r"\{(\w+)\}", path), (method, path)
        statuses = set(operation["responses"])
        assert len([status for status in statuses if status < "300"]) == 1, (method, path)
        assert {"401", "403", "421"} <= statuses, (method, path)
        assert ("requestBody" in operation) == ({"413", "415"} <= statuses), (method, path)


def test_schemas_are_schemas_and_references_lead_somewhere() -> None:
    """Each by the meta-schema; no part of the file is left that nothing refers to."""
    parts = DOCUMENT["components"]
    for name, schema in parts["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema["description"], name
    references = set(re.findall(r"'#/components/(\w+)/(\w+)'", str(DOCUMENT)))
    kinds = ("schemas", "parameters", "responses")
    assert references == {(kind, name) for kind in kinds for name in parts[kind]}
    assert all(item.keys() <= set(METHODS) for item in DOCUMENT["paths"].values())


def test_what_the_schemas_bound_is_bounded_so_in_the_code() -> None:
    """Words and limits that requests may have."""
    schemas, paths = DOCUMENT["components"]["schemas"], DOCUMENT["paths"]
    founding = paths["/mesh"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert founding["preset"]["enum"] == [*PRESETS, None]
    for key, limits in (("bytes_per_day", BYTES_PER_DAY_RANGE), ("route_length", ROUTE_LENGTH_RANGE)):
        assert (founding[key]["minimum"], founding[key]["maximum"]) == limits
    assert tuple(paths["/secrets"]["get"]["parameters"][0]["schema"]["enum"]) == FEEDS
    settings = schemas["Settings"]["properties"]
    assert settings == schemas["SettingsChange"]["properties"]
    assert tuple(settings["theme"]["enum"]) == THEMES
    assert (settings["filters"]["maxItems"], settings["filters"]["items"]["maxLength"]) == (
        FILTERS_MAX,
        FILTER_SIZE_MAX,
    )
    assert f"{{{PREFIX_MIN}," in DOCUMENT["components"]["parameters"]["Item"]["schema"]["pattern"]


async def test_an_answer_that_the_file_does_not_describe_is_noticed(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field too many, one too few, one of another type, and a status."""
    async with town() as place:
        ann = await place.founder()
        async with asking(ann) as client:
            told = ann.node.friends()
            wrong = (
                {**told, "more": 1},
                {"friends": []},
                {**told, "invitations": "1"},
                {**told, "joining": [{}]},
            )
            for answer in wrong:
                monkeypatch.setattr(ann.node, "friends", lambda: answer)  # noqa: B023
                with pytest.raises(AssertionError, match="says otherwise"):
                    await client.get("/friends")
            monkeypatch.setattr(ann.node, "friends", lambda: 1 / 0)
            with pytest.raises(AssertionError, match="does not know"):
                await client.get("/friends")


def _const(reference: str) -> str:
    schema = DOCUMENT["components"]["schemas"][reference.rsplit("/")[-1]]
    return str(schema["properties"]["news"]["const"])


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """Files to keep, under a passphrase that takes no second to stretch."""
    monkeypatch.setattr(pwhash.argon2id, "OPSLIMIT_MODERATE", pwhash.argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(pwhash.argon2id, "MEMLIMIT_MODERATE", pwhash.argon2id.MEMLIMIT_MIN)
    made = Profile.locate("ann", {HOME_VARIABLE: str(tmp_path)})
    create(made, "correct horse", "/ip4/127.0.0.1/tcp/14142")
    return made


async def test_every_success_is_as_described(autojump_clock: MockClock, profile: Profile) -> None:
    """Nodes are asked for everything once, and one is followed meanwhile; ``asking`` compares with the file."""
    page, lock = page_and_lock()
    seen.clear()
    heard: list[str] = []
    async with town() as place, AsyncExitStack() as stack:
        ann, new = await place.founder("ann"), await place.add("new")
        async with asking(ann, page.routes, lock, profile) as anns, asking(new) as news:

            async def follow() -> None:
                heard.append((await anns.get("/news", params={"count": 5})).text)

            place.nursery.start_soon(follow)
            bob = await place.add("bob")
            bobs = await stack.enter_async_context(asking(bob))
            await place.befriend(ann, bob)
            await ann.until_may_post()
            await bob.until_may_post()

            async def ok(method: str, path: str, **said: Any) -> Any:
                answer = await anns.request(method, path, **said)
                assert answer.is_success, answer.text
                return answer.json()

            await news.get("/status")
            await news.post("/mesh", json={"name": "other", "trial": True})
            invitation = await ok("POST", "/invitations", json={"name": "x", "sponsor": False})
            newer = await place.add("newer")
            async with asking(newer) as newers:
                await newers.post("/friends", json={"uri": invitation["uri"], "name": "ann"})

            # What Bob says, Ann reads, answers and marks.
            secret = (await bobs.post("/secrets", json={"text": "or", "choices": ["a", "b"]})).json()["id"]
            await until(lambda: bytes.fromhex(secret) in ann.node.driver.engine.store)
            await ok("PUT", f"/secrets/{secret}/vote", json={"choice": 1})
            await ok("GET", "/outbox")
            reply = (await ok("POST", f"/secrets/{secret}/replies", json={"text": "well"}))["id"]
            await until(lambda: bytes.fromhex(reply) in ann.node.driver.engine.store)
            await ok("POST", f"/secrets/{secret}/whispers", json={"text": "psst"})
            await ok("GET", "/outbox")
            await ok("GET", "/secrets", params={"order": "new", "count": 5})
            await ok("GET", f"/secrets/{secret}", params={"whole": 1})
            for mark in ("heart", "flag"):
                await ok("PUT", f"/items/{reply}/{mark}")
                await ok("DELETE", f"/items/{reply}/{mark}")
            for note in ("items/{}/hidden", "items/{}/unfolded", "secrets/{}/muted", "secrets/{}/subscribed"):
                await ok("PUT", f"/{note.format(secret)}")
                await ok("DELETE", f"/{note.format(secret)}")

            # Whispers.
            [conversation] = (await ok("GET", "/whispers"))["conversations"]
            await ok("POST", f"/whispers/{conversation['id']}", json={"text": "again"})
            await ok("PUT", f"/whispers/{conversation['id']}/read")
            await ok("PUT", f"/whispers/{conversation['id']}/ended")
            await ok("POST", f"/secrets/{secret}/whispers", json={"text": "once more"})
            [conversation] = (await ok("GET", "/whispers", params={"whole": 1}))["conversations"]
            await ok("DELETE", f"/whispers/{conversation['id']}")

            # The outbox, and what is one's own.
            waiting = (await ok("POST", "/secrets", json={"text": "wait", "style": 3}))["id"]
            await ok("DELETE", f"/items/{waiting}/link")
            await ok("DELETE", f"/outbox/{waiting}")
            await ok("DELETE", f"/items/{reply}")
            await ok("GET", "/outbox")
            await until(lambda: bytes.fromhex(reply) not in ann.node.driver.engine.store)
            other = (await ok("POST", "/secrets", json={"text": "other"}))["id"]
            await until(lambda: bytes.fromhex(other) in ann.node.driver.engine.store)
            await ok("PUT", f"/secrets/{other}/closed")
            await ok("DELETE", f"/secrets/{other}/closed")
            await ok("DELETE", f"/items/{other}/link")
            await ok("DELETE", "/links")

            # The page.
            await ok("PATCH", "/settings", json={"filters": ["x"], "theme": "dark"})
            await ok("GET", "/settings")
            await ok("GET", "/lock")
            await ok("POST", "/lock")
            await ok("POST", "/unlock", json={"passphrase": "correct horse"})
            assert (await anns.post("/logins")).status_code == 403
            await ok("POST", "/logins", headers={"Authorization": "Bearer x"})

            # Keeping.
            await ok("GET", "/profile")
            await ok("GET", "/export", params={"format": "json"})
            assert (await anns.post("/backup", json={"passphrase": "correct horse"})).is_success

            # Friends, and what had been happening.
            friend = next(each for each in (await ok("GET", "/friends"))["friends"] if each["name"] == "bob")
            assert (await ok("GET", "/status"))["connected"]
            await ok("PATCH", f"/friends/{friend['id']}", json={"name": "b/b"})
            newcomer = next(
                each for each in (await ok("GET", "/friends"))["friends"] if each["name"] != "b/b"
            )
            await ok("PUT", f"/friends/{newcomer['id']}/confirmation", json={"words": newcomer["words"]})
            await ok("DELETE", "/friends/b%2Fb")

            await ann.stop()
            await until(lambda: heard)
    successes = {(method, path, status) for method, path, status in seen if status < 300}
    assert {(method, path) for method, path, _ in successes} == routes()
    kinds = {_const(name["$ref"]) for name in DOCUMENT["components"]["schemas"]["News"]["oneOf"]}
    assert set(re.findall("^event: (.*)$", heard[0], re.MULTILINE)) == kinds
