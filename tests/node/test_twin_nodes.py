"""Twin worlds of real nodes: what they send and what they write shows nothing of a post.

The same three people twice from the same disks and seed, once with a post and once without (tests/support/twins.py).
Times, sizes and recipients of all frames must be the same until the secret is published by its last relay, and so must
what the author's disk is told. Where relays open nothing it never is published; then both must stay the same through
every retry, a broken connection and a restart of the author. Each leak that is put in must show.

Two things may differ. The size of a reconciliation's messages: how shortly ranges of ids can be named depends on the
ids, which are as random with a post as without. And one commit at the moment of the post, since it must survive a crash:
it overwrites rows of the outbox, which were there before (docs/threat-model.md).
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest
import trio
from twins import POSTED_S, Sent, World, disks, live

from rumor.crypto.errors import OnionBroken
from rumor.gossip.suite import Real
from rumor.node.storage.database import KEY_SIZE, open_store
from rumor.node.storage.store import Change, Put, Table
from rumor.node.storage.tables import PAGE_SIZE, configure

#: Long enough for a secret to be published, where relays work.
OPEN_S = 355.0
KEY = bytes(KEY_SIZE)
#: Tables whose keys are hashes, in an order that is chance.
HASHED = (Table.PACKETS, Table.ITEMS, Table.RECORDS, Table.RINGS, Table.ONIONS)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Relays open nothing."""
    # The people meet beforehand, while everything works.
    disks()

    def open_nothing(self: Real, data: bytes, secret: bytes) -> None:
        raise OnionBroken

    monkeypatch.setattr(Real, "open_onion", open_nothing)


def seen(world: World, until_s: float = float("inf")) -> list[Sent]:
    """The frames, without sizes of reconciliation."""
    return [
        sent._replace(size=0) if sent.is_reconciliation else sent
        for sent in world.sent
        if sent.at_s < until_s
    ]


def first_difference(one: Sequence[object], other: Sequence[object]) -> tuple[object, object] | None:
    """Where two worlds part, if they do; short enough to be read."""
    for left, right in zip(one, other, strict=False):
        if left != right:
            return left, right
    if len(one) != len(other):
        return f"ends after {len(one)}", f"ends after {len(other)}"
    return None


# What is written.


def is_post(at_s: float, changes: Sequence[Change]) -> bool:
    """Whether it is the one commit that may come on top."""
    return at_s == POSTED_S and all(
        isinstance(change, Put) and change.table is Table.OUTBOX for change in changes
    )


def written(world: World, until_s: float = float("inf")) -> list[tuple[float, list[object]]]:
    """Times of commits, and kinds, tables and sizes of what they change; all rows of the outbox have one size."""

    def shape(change: Change) -> object:
        value = change.value if isinstance(change, Put) and change.table is not Table.OUTBOX else b""
        return type(change), change.table, len(change.key), len(value)

    return [
        (at_s, [shape(change) for change in changes])
        for at_s, changes in world.commits
        if at_s < until_s and not is_post(at_s, changes)
    ]


class Measured(NamedTuple):
    """A file after a commit."""

    at_s: float
    size: int
    page_count: int
    free_count: int
    rewritten_count: int
    """Pages that are not what they were."""


async def _grow(path: Path, world: World) -> list[Measured]:
    numbers = {b"": 0}
    measured: list[Measured] = []
    async with open_store(path, KEY) as store:
        looking = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        configure(looking, KEY)
        before = path.read_bytes()
        for at_s, changes in world.commits:
            await store.commit(_numbered(changes, numbers))
            after = path.read_bytes()
            starts = range(0, len(after), PAGE_SIZE)
            rewritten = [
                start for start in starts if not before.startswith(after[start : start + PAGE_SIZE], start)
            ]
            counts = looking.pragma("page_count"), looking.pragma("freelist_count")
            measured.append(Measured(at_s, len(after), *counts, len(rewritten)))
            before = after
        looking.close()
    return measured


def _numbered(changes: Sequence[Change], numbers: dict[bytes, int]) -> list[Change]:
    """With the hash of a number for each hash, and in the order of the numbers."""
    numbered: list[tuple[str, int, Change]] = []
    for change in changes:
        number = numbers.setdefault(change.key, len(numbers)) if change.table in HASHED else 0
        key = hashlib.sha256(b"%d" % number).digest()[: len(change.key)] if number else change.key
        numbered.append((change.table.value, number, dataclasses.replace(change, key=key)))
    return [change for _, _, change in sorted(numbered, key=lambda each: each[:2])]


def grow(path: Path, world: World) -> list[Measured]:
    """Writes what the author committed to a new encrypted file, and measures it after each commit.

    Hashes are replaced by those of their numbers in order of arrival: where a key stands in an index is as random with
    a post as without, and would here and there make a page more.
    """
    return trio.run(_grow, path, world)


def without_the_post(measured: Sequence[Measured]) -> list[Measured]:
    """All but what was measured after the post, which must be as large as what was measured before."""
    [index] = [index for index, each in enumerate(measured) if each.at_s == POSTED_S]
    before, after = measured[index - 1 : index + 1]
    assert after[1:4] == before[1:4]
    return [*measured[:index], *measured[index + 1 :]]


import os

SEEDS = os.environ.get("SEEDS", "a").split(",")


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_post_a_world_repeats_itself(seed: str) -> None:
    """Byte for byte, so whatever differs between the two worlds comes from the post."""
    once, again = (live(seed, post=False, ended_s=OPEN_S) for _ in range(2))
    assert len(once.sent) > 300
    assert first_difference(once.sent, again.sent) is None
    assert once.commits == again.commits


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_shows_until_the_last_relay_publishes(seed: str) -> None:
    """Sizes, times and recipients on each connection, and all that is written, are the same."""
    silent, posting = (live(seed, post=post, ended_s=OPEN_S) for post in (False, True))
    published_s = posting.published_s
    assert published_s is not None
    assert len([sent for sent in seen(posting, published_s) if sent.at_s > POSTED_S]) > 20
    assert first_difference(seen(silent, published_s), seen(posting, published_s)) is None
    assert first_difference(written(silent, published_s), written(posting, published_s)) is None
    assert first_difference(seen(silent), seen(posting)) is not None, "it was published"


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_shows_when_a_secret_never_comes_back(seed: str, tmp_path) -> None:
    """Neither do the retries, nor a connection that is made anew, nor a restart of the author."""
    silent, posting = (live(seed, post=post) for post in (False, True))
    print("sent_count", posting.sent_count)
    assert len(silent.sent) > 1_000
    assert first_difference(seen(silent), seen(posting)) is None
    assert first_difference(written(silent), written(posting)) is None
    assert posting.sent_count == 4, "it was tried four times"
    files = grow(tmp_path / "silent", silent), grow(tmp_path / "posting", posting)
    assert first_difference(files[0], without_the_post(files[1])) is None
