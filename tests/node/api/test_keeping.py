"""Keeping by the API: files as the command line writes them, for who may have them."""

import json
from pathlib import Path

import pytest
import trio.testing
from nacl import pwhash
from people import asking, town, until

from rumor.crypto import archive
from rumor.node.api.credentials import Credentials
from rumor.node.api.locking import PageLock
from rumor.node.backup import unpack
from rumor.node.profile import HOME_VARIABLE, Profile
from rumor.node.setup import create
from rumor.node.storage.store import Table

MockClock = trio.testing.MockClock
LISTEN = "/ip4/127.0.0.1/tcp/14142"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase that takes no second to stretch."""
    monkeypatch.setattr(pwhash.argon2id, "OPSLIMIT_MODERATE", pwhash.argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(pwhash.argon2id, "MEMLIMIT_MODERATE", pwhash.argon2id.MEMLIMIT_MIN)


def made(home: Path, passphrase: str | None) -> Profile:
    profile = Profile.locate("ann", {HOME_VARIABLE: str(home)})
    create(profile, passphrase, LISTEN)
    return profile


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return made(tmp_path, "correct horse")


@pytest.fixture
def open_profile(tmp_path: Path) -> Profile:
    return made(tmp_path, None)


def lock_of(profile: Profile) -> PageLock:
    return PageLock(Credentials(), profile.read_key, lambda: 0)


async def test_a_reading_copy_holds_what_there_is_to_read(
    autojump_clock: MockClock, profile: Profile
) -> None:
    """A secret with its reply, in both formats, as a file that no browser shows."""
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.befriend(ann, bob)
        await ann.until_may_post()
        async with asking(ann, (), lock_of(profile), profile) as client:
            secret = (await client.post("/secrets", json={"text": "a <b>secret</b>"})).json()["id"]
            await until(lambda: bytes.fromhex(secret) in ann.node.driver.engine.store)
            reply = (await client.post(f"/secrets/{secret}/replies", json={"text": "oh"})).json()["id"]
            await until(lambda: bytes.fromhex(reply) in ann.node.driver.engine.store)
            copy = await client.get("/export")
            assert "    a <b>secret</b>" in copy.text
            assert "    oh" in copy.text
            assert copy.headers["content-type"] == "application/octet-stream"
            assert copy.headers["content-disposition"] == 'attachment; filename="rumor-ann.md"'
            read = json.loads((await client.get("/export", params={"format": "json"})).content)
            assert read["mesh"] == ann.node.reader.mesh_name
            assert [each["text"] for each in read["secrets"]] == ["a <b>secret</b>"]
            assert [each["text"] for each in read["secrets"][0]["replies"]] == ["oh"]
            assert (await client.get("/export", params={"format": "pdf"})).status_code == 400


async def test_without_a_mesh_there_is_nothing_to_copy(autojump_clock: MockClock, profile: Profile) -> None:
    """It says so, instead of an empty file."""
    async with town() as place:
        new = await place.add("new")
        async with asking(new, (), lock_of(profile), profile) as client:
            assert (await client.get("/export")).status_code == 409


async def test_a_backup_is_what_restore_takes(autojump_clock: MockClock, profile: Profile) -> None:
    """Sealed under the profile's passphrase, which has to be said."""
    async with town() as place:
        ann = await place.founder("ann")
        async with asking(ann, (), lock_of(profile), profile) as client:
            saved = await client.post("/backup", json={"passphrase": "correct horse"})
            assert saved.headers["content-disposition"] == 'attachment; filename="rumor-ann.backup"'
            puts, _ = unpack(archive.open_untrusted(saved.content, "correct horse"))
            assert Table.PROFILE in {put.table for put in puts}


async def test_a_backup_is_no_way_to_guess_the_passphrase(
    autojump_clock: MockClock, profile: Profile
) -> None:
    """A wrong one is refused and costs time, as at the lock, of which it has the count."""
    async with town() as place:
        ann = await place.founder("ann")
        async with asking(ann, (), lock_of(profile), profile) as client:
            assert (await client.post("/backup", json={"passphrase": "wrong"})).status_code == 403
            soon = await client.post("/backup", json={"passphrase": "correct horse"})
            assert soon.status_code == 429
            assert soon.headers["Retry-After"] == "1"
            assert (await client.post("/backup", json={"passphrase": ""})).status_code == 400


async def test_a_profile_without_a_passphrase_gets_its_backup_under_a_new_one(
    autojump_clock: MockClock, open_profile: Profile
) -> None:
    """Any but none, since the file is carried away."""
    async with town() as place:
        ann = await place.founder("ann")
        async with asking(ann, (), lock_of(open_profile), open_profile) as client:
            assert (await client.post("/backup", json={"passphrase": ""})).status_code == 400
            saved = await client.post("/backup", json={"passphrase": "another"})
            unpack(archive.open_untrusted(saved.content, "another"))
            assert open_profile.exists
            told = (await client.get("/profile")).json()
            assert told == {"name": "ann", "command": "rumor --profile ann"}
