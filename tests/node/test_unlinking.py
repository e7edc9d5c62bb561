"""Unlinking, on the disk: in its image nothing is left by which it could go on as an author, nor in a backup."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
import trio
import trio.testing
from people import BEGAN_AT, Disk, Person, asking, town, until

from rumor.crypto.seeds import PostSeed
from rumor.gossip.items import ItemId
from rumor.node.backup import KEPT, pack
from rumor.node.storage import database, tables
from rumor.node.storage.database import open_store
from rumor.node.storage.store import Change

MockClock = trio.testing.MockClock


def unencrypted(connection: apsw.Connection, key: bytes) -> None:
    """As ``tables.configure``, without the cipher."""
    for pragma in (
        "secure_delete = ON",
        "synchronous = FULL",
        "temp_store = MEMORY",
        "journal_mode = TRUNCATE",
    ):
        connection.execute(f"pragma {pragma}").fetchall()


def image_of(folder: Path, commits: Sequence[Sequence[Change]], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """All bytes of the files to which this was written, with the pages that are free, as if nothing were encrypted."""
    folder.mkdir()
    for module in (tables, database):
        monkeypatch.setattr(module, "configure", unencrypted)

    async def write() -> None:
        async with open_store(folder / "rumor.db", bytes(32)) as store:
            for changes in commits:
                await store.commit(changes)

    trio.run(write)
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


async def asked(person: Person, method: str, path: str, **said: Any) -> Any:
    async with asking(person) as client:
        answer = await client.request(method, path, json=said or None)
    assert answer.is_success, answer.text
    return answer.json()


async def backup_of(disk: Disk) -> bytes:
    return pack({table: await disk.load(table) for table in KEPT}, BEGAN_AT)


async def faces(person: Person, secret: str) -> list[bool]:
    """Of the replies in a thread, which are shown as one's own."""
    replies = (await asked(person, "GET", f"/secrets/{secret}"))["replies"]
    return [reply["persona"]["you"] or reply["mine"] for reply in replies]


async def lived() -> tuple[dict[str, bytes], list[Sequence[Change]], int, list[bytes]]:
    """A life with all that can be linked, and its end.

    Returns the traces by name, what was committed, how much of it before all was unlinked, and a backup of before and
    one of after that.
    """
    async with town() as place:
        ann, bob = await place.founder("ann"), await place.add("bob")
        await place.befriend(ann, bob)
        for person in (ann, bob):
            await person.until_may_post()
        secret = (await asked(ann, "POST", "/secrets", text="mine"))["id"]
        other = (await asked(bob, "POST", "/secrets", text="another's"))["id"]
        for person in (ann, bob):
            await person.until_reads("mine", "another's")
        await asked(ann, "POST", f"/secrets/{other}/replies", text="my reply")
        await asked(bob, "POST", f"/secrets/{secret}/whispers", text="is it you?")
        await ann.until_reads("my reply")
        whispers = ann.node.driver.engine.whispers
        await until(lambda: whispers.conversations)
        await asked(
            ann, "POST", f"/whispers/{whispers.conversations[0].conversation_id.hex()}", text="it is me"
        )
        await asked(bob, "POST", f"/secrets/{secret}/whispers", text="really?")
        await until(lambda: len(whispers.conversations[0].letters) == 3)
        await asked(ann, "PUT", f"/secrets/{secret}/closed")
        ann.node.driver.engine.mixing._tick_at += 10_000.0  # What comes now waits.
        waiting = (await asked(ann, "POST", "/secrets", text="still to leave"))["id"]

        author = ann.node.driver.engine.author
        seeds = [*(kept.seed for kept in author.seeds.values())]
        await asked(ann, "PUT", f"/secrets/{waiting}/closed")
        row = author.row(ItemId(bytes.fromhex(waiting)))
        assert row is not None
        seeds.append(row.seed)
        traces = {f"seed {number}": seed for number, seed in enumerate(seeds)}
        traces |= {f"opening {number}": PostSeed(seed).retraction for number, seed in enumerate(seeds)}
        traces |= {
            f"reply secret {number}": PostSeed(seed).reply_secret.raw for number, seed in enumerate(seeds)
        }
        traces |= {text: text.encode() for text in ("is it you?", "it is me", "really?")}
        traces["the whisperer's key"] = whispers.conversations[0].other_key
        assert await faces(ann, other) == [True]
        before, backups = len(ann.store.commits), [await backup_of(ann.store)]
        assert await asked(ann, "DELETE", "/links") == {"unlinked": 3}
        assert await asked(ann, "DELETE", "/links") == {"unlinked": 0}
        assert await faces(ann, other) == [False]
        backups.append(await backup_of(ann.store))
        # What waits goes on its way, and is nobody's when it has come back, also after a restart.
        after = len(ann.store.commits)
        await place.restart(ann)
        await bob.until_reads("still to leave")
        await ann.until_reads("still to leave")
        assert ann.node.driver.engine.author.seeds == {}
        assert (await asked(ann, "GET", f"/secrets/{waiting}"))["secret"]["mine"] is False
        assert ann.node.driver.engine.whispers.keys == []
        return traces, list(ann.store.commits[:after]), before, backups


@pytest.mark.parametrize("part", ["image", "backup"])
def test_nothing_is_left_of_what_is_unlinked(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of what has not left yet; what had been there is found in the image of before, so the search finds it."""
    traces, commits, before, backups = trio.run(lived, clock=MockClock(autojump_threshold=0))
    if part == "image":
        images = [
            image_of(tmp_path / str(count), commits[:count], monkeypatch) for count in (before, len(commits))
        ]
    else:
        images = backups
    found = [{name for name, trace in traces.items() if trace in image} for image in images]
    kept = {name for name in traces if not name.startswith(("opening", "reply secret"))}
    # A draft is in no backup.
    assert found[0] == (kept if part == "image" else kept - {"seed 2"})
    assert found[1] == set()
