"""Twin worlds of real nodes: what they send and what they write shows nothing of a post.

The same three people twice from the same disks and seed, once with a post and once without (tests/support/twins.py).
Times, sizes and recipients of all frames must be the same until the secret is published by its last relay, and so must
what the author's disk is told. Where relays open nothing it never is published; then both must stay the same through
every retry, a broken connection and a restart of the author. Each leak that is put in must show.

One thing differs: a commit at the moment of the post, since it must survive a crash. It overwrites rows of the outbox,
which were there before (docs/threat-model.md).
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest
import trio
from leaks import LEAKS, Leak
from twins import CUT_S, ENDED_S, POSTED_S, RESTARTED_S, Sent, World, disks, live

from rumor.crypto.membership import Purpose
from rumor.gossip.events import Event, OutboxAdded, OutboxTurned, SlotUsed
from rumor.node.ledger import Ledger
from rumor.node.storage.database import KEY_SIZE, open_store
from rumor.node.storage.store import PREALLOCATED, Change, Put, Table
from rumor.node.storage.tables import PAGE_SIZE, configure

#: Long enough for a secret to be published, where relays work.
OPEN_S = 355.0
KEY = bytes(KEY_SIZE)
SEEDS = pytest.mark.parametrize(
    "seed", ["a", *(pytest.param(seed, marks=pytest.mark.slow) for seed in "bcde")]
)
#: Tables whose keys are hashes, in an order that is chance.
HASHED = (Table.PACKETS, Table.ITEMS, Table.RECORDS, Table.RINGS, Table.ONIONS)


@cache
def twins(seed: str, *, deaf: bool) -> tuple[World, World]:
    """Both worlds, the one without a post first."""
    ended_s = ENDED_S if deaf else OPEN_S
    silent, posting = (live(seed, post=post, deaf=deaf, ended_s=ended_s) for post in (False, True))
    return silent, posting


def seen(world: World, until_s: float = float("inf")) -> list[Sent]:
    """The frames that were sent so far."""
    return [sent for sent in world.sent if sent.at_s < until_s]


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
        isinstance(change, Put) and change.table in PREALLOCATED for change in changes
    )


def written(world: World, until_s: float = float("inf")) -> list[tuple[float, list[object]]]:
    """Times of commits, and kinds, tables and sizes of what they change; all preallocated rows have one size."""

    def shape(change: Change) -> object:
        value = change.value if isinstance(change, Put) and change.table not in PREALLOCATED else b""
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
    """Pages that are not what they were; of the post itself not counted, whose two rows may share one."""


async def _grow(path: Path, world: World) -> list[Measured]:
    numbers = {b"": 0}
    measured: list[Measured] = []
    async with open_store(path, KEY) as store:
        looking = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        configure(looking, KEY)
        before = _pages(path)
        for at_s, changes in world.commits:
            await store.commit(_numbered(changes, numbers))
            after = _pages(path)
            rewritten_count = sum(new != old for new, old in zip_longest(after, before))
            counts = looking.pragma("page_count"), looking.pragma("freelist_count")
            is_own = at_s == POSTED_S
            measured.append(Measured(at_s, await store.size(), *counts, 0 if is_own else rewritten_count))
            before = after
        looking.close()
    return measured


def _pages(path: Path) -> list[bytes]:
    image = path.read_bytes()
    return [image[start : start + PAGE_SIZE] for start in range(0, len(image), PAGE_SIZE)]


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


def expected_of_a_post(silent: Sequence[Measured]) -> list[Measured]:
    """The file of a world with a post: one more commit, after which it is as large as it was before."""
    before = [each for each in silent if each.at_s < POSTED_S]
    post = before[-1]._replace(at_s=POSTED_S, rewritten_count=0)
    return [*before, post, *silent[len(before) :]]


def test_without_a_post_a_world_repeats_itself() -> None:
    """So whatever differs between the two worlds comes from the post."""
    once, again = twins("a", deaf=False)[0], live("a", post=False, ended_s=OPEN_S)
    assert len(once.sent) > 300
    assert first_difference(seen(once), seen(again)) is None
    assert first_difference(written(once), written(again)) is None


@SEEDS
def test_nothing_shows_until_the_last_relay_publishes(seed: str) -> None:
    """Sizes, times and recipients on each connection, and all that is written, are the same."""
    silent, posting = twins(seed, deaf=False)
    published_s = posting.published_s
    assert published_s is not None
    assert len([sent for sent in seen(posting, published_s) if sent.at_s > POSTED_S]) > 20
    assert first_difference(seen(silent, published_s), seen(posting, published_s)) is None
    assert first_difference(written(silent, published_s), written(posting, published_s)) is None
    assert first_difference(seen(silent), seen(posting)) is not None, "it was published"


@SEEDS
def test_nothing_shows_when_a_secret_never_comes_back(seed: str) -> None:
    """Neither do the retries, nor a connection that is made anew, nor a restart of the author."""
    silent, posting = twins(seed, deaf=True)
    assert posting.sent_count == 4, "it was tried four times"
    assert len(silent.sent) > 1_000
    assert first_difference(seen(silent), seen(posting)) is None
    assert first_difference(written(silent), written(posting)) is None
    assert len(posting.commits) == len(silent.commits) + 1


@SEEDS
def test_nothing_shows_of_a_whisper_that_never_arrives(seed: str, tmp_path: Path) -> None:
    """Neither on the line nor in what is written, through the same retries, breaks and restarts as for a secret."""
    silent, whispering = twins(seed, deaf=True)[0], live(seed, post=False, whisper=True, deaf=True)
    assert whispering.sent_count == 4, "it was tried four times"
    assert first_difference(seen(silent), seen(whispering)) is None
    assert first_difference(written(silent), written(whispering)) is None
    assert len(whispering.commits) == len(silent.commits) + 1
    files = [grow(tmp_path / f"{number}", world) for number, world in enumerate((silent, whispering))]
    assert first_difference(expected_of_a_post(files[0]), files[1]) is None


@SEEDS
def test_the_disk_grows_alike(seed: str, tmp_path: Path) -> None:
    """In bytes, pages, free pages and rewritten pages, after each commit; and by nothing with the post itself."""
    silent, posting = (grow(tmp_path / f"{n}", world) for n, world in enumerate(twins(seed, deaf=True)))
    assert silent[-1].size > silent[0].size + 10 * PAGE_SIZE
    assert first_difference(expected_of_a_post(silent), posting) is None


# Leaks: each must make the worlds differ.


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_shows_on_the_line(leak: Leak, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison of what is sent is worth something."""
    disks()
    leak(monkeypatch)
    silent, posting = (live("a", post=post, deaf=True, ended_s=RESTARTED_S) for post in (False, True))
    assert first_difference(seen(silent), seen(posting)) is not None


def slot_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """A secret's slot has a row in the table of slots, like others."""
    slot_changes = Ledger._slot_changes

    def leaking(self: Ledger, event: Event) -> list[Change]:
        changes = slot_changes(self, event)
        if isinstance(event, SlotUsed) and event.purpose is Purpose.POST:
            key = bytes([event.purpose]) + event.epoch.to_bytes(8, "big") + event.slot.to_bytes(4, "big")
            changes.append(Put(Table.SLOTS, key, b""))
        return changes

    patch.setattr(Ledger, "_slot_changes", leaking)


def packet_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """A secret stands among the packets before its onion has left."""
    outbox_changes = Ledger._outbox_changes

    def leaking(self: Ledger, event: Event) -> list[Change]:
        changes = outbox_changes(self, event)
        if isinstance(event, OutboxAdded):
            changes.append(Put(Table.PACKETS, event.item_id, bytes(4_096), epoch=event.epoch))
        return changes

    patch.setattr(Ledger, "_outbox_changes", leaking)


def unwritten_cover(patch: pytest.MonkeyPatch) -> None:
    """When cover leaves, no row of the outbox is overwritten."""
    outbox_changes = Ledger._outbox_changes

    def leaking(self: Ledger, event: Event) -> list[Change]:
        is_cover = isinstance(event, OutboxTurned) and event.item_id is None
        return [] if is_cover else outbox_changes(self, event)

    patch.setattr(Ledger, "_outbox_changes", leaking)


@pytest.mark.parametrize(
    ("leak", "measures"),
    [
        # Thirteen bytes, on a page that has room: seen in the commits only.
        (slot_of_its_own, []),
        (packet_of_its_own, ["size", "page_count"]),
        (unwritten_cover, ["rewritten_count"]),
    ],
)
def test_a_leak_shows_in_what_is_written(
    leak: Leak, measures: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The comparison of commits is worth something, and so is that of the files in what is measured of them."""
    disks()
    leak(monkeypatch)
    silent, posting = (live("a", post=post, deaf=True, ended_s=CUT_S) for post in (False, True))
    assert first_difference(seen(silent), seen(posting)) is None, "it does not show on the line"
    assert first_difference(written(silent), written(posting)) is not None
    files = grow(tmp_path / "silent", silent), grow(tmp_path / "posting", posting)
    expected, found = expected_of_a_post(files[0]), files[1]
    for measure in measures:
        assert [getattr(each, measure) for each in expected] != [getattr(each, measure) for each in found]
