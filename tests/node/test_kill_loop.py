"""The kill loop: a node that is killed at any moment while it posts, relays and receives keeps its word."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from processes import Household, Profile, until

from rumor.gossip.genesis import TRIAL
from rumor.gossip.items import Item
from rumor.node import profile as profiles
from rumor.node.account import Account
from rumor.node.client import Client, ClientError, NotNow
from rumor.node.setup import opened_store, unlock
from rumor.node.storage.store import Table


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    made = Household(tmp_path)
    yield made
    made.close()


def located(person: Profile) -> profiles.Profile:
    return profiles.Profile.locate(person.name, {profiles.HOME_VARIABLE: str(person.home)})


def found(person: Profile) -> None:
    """Founds a mesh whose clocks tick every second, on a stopped node's disk."""

    async def work() -> None:
        profile = located(person)
        async with opened_store(profile, unlock(profile, str)) as store:
            await (await Account.load(store)).found("kill loop", trial=True, parameters=PARAMETERS)

    trio.run(work)


def stored_items(person: Profile) -> list[Item]:
    """All secrets on a stopped node's disk."""

    async def read() -> list[Item]:
        profile = located(person)
        async with opened_store(profile, unlock(profile, str)) as store:
            items, last = [], 0
            while page := await store.page(Table.ITEMS, after=last):
                items += [Item.decode_untrusted(row.value) for row in page]
                last = page[-1].seq
            return items

    return trio.run(read)


#: About a second between two ticks of three nodes, and relay keys that count after five seconds.
PARAMETERS = msgspec.structs.replace(TRIAL, epoch_s=2, relay_day_epochs=6, bytes_per_day=4_000_000_000)
#: Secrets leave one by one, so that nobody posts faster than this.
POST_EVERY_S = 0.4


class Posting:
    """People who post whenever their node lets them, and note what was acknowledged."""

    def __init__(self) -> None:
        self.count = 0
        self.acknowledged: set[str] = set()
        self._next_at = 0.0

    def post(self, person: Profile) -> None:
        if time.monotonic() < self._next_at:
            time.sleep(0.05)
            return
        self._next_at = time.monotonic() + POST_EVERY_S
        self.count += 1
        text = f"secret {self.count} of {person.name}"
        try:
            Client(located(person)).send("POST", "/secrets", text=text)
        except NotNow:
            time.sleep(0.05)
        except ClientError:
            return  # not acknowledged: it may or may not appear
        else:
            self.acknowledged.add(text)


def settle(people: list[Profile], wanted: set[str]) -> None:
    """Waits until everybody's feed has all of these."""

    def settled() -> bool:
        feeds = [{secret["text"] for secret in person_feed(person)} for person in people]
        return all(wanted <= feed for feed in feeds) and all(feed == feeds[0] for feed in feeds)

    until(settled, every_s=0.3)


def person_feed(person: Profile) -> list[dict[str, Any]]:
    """The whole feed, page by page."""
    secrets: list[dict[str, Any]] = []
    client = Client(located(person))
    before = None
    while page := client.get("/secrets", count=200, before=before)["secrets"]:
        secrets += page
        before = page[-1]["id"]
    return secrets


def run_kill_loop(household: Household, names: list[str], kill_count: int, choice: random.Random) -> None:
    people = [household.profile(name) for name in names]
    for person in people:
        person.init()
    found(people[0])
    for person in people:
        person.launch()
    for person in people:
        person.wait_up()
    for one, other in pairwise(people):
        household.befriend(one, other)
    until(lambda: all(person.json("status")["post"]["allowed"] for person in people))

    posting = Posting()
    for _ in range(kill_count):
        victim = choice.choice(people)
        kill_at = time.monotonic() + choice.uniform(0.2, 1.5)
        while time.monotonic() < kill_at:
            posting.post(victim if choice.random() < 0.7 else choice.choice(people))
        victim.kill()
        victim.launch()
        # The others go on while it comes back.
        for person in people:
            if person is not victim:
                posting.post(person)
        victim.wait_up()
    settle(people, posting.acknowledged)

    for person in people:
        texts = Counter(secret["text"] for secret in person_feed(person))
        assert set(texts.values()) == {1}
        code, said = person.end()
        assert (code, "Traceback" in said) == (0, False), said
    disks = [stored_items(person) for person in people]
    assert all({item.item_id for item in disk} == {item.item_id for item in disks[0]} for disk in disks)
    # The first tag of a secret is of its author's slot: one slot, one secret.
    tags = Counter(item.tags[0] for item in disks[0])
    assert set(tags.values()) == {1}
    assert len(posting.acknowledged) > kill_count


def test_a_few_kills_lose_nothing(household: Household) -> None:
    """After some kills every acknowledged post is in every feed once, and no slot was used twice."""
    run_kill_loop(household, ["ann", "bob"], 3, random.Random(1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_many_kills_lose_nothing(household: Household, seed: int) -> None:
    """As above, with three nodes in a row and many kills."""
    run_kill_loop(household, ["ann", "bob", "eve"], 20, random.Random(seed))
