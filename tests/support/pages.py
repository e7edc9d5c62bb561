"""The page in a real browser: Debian's Chromium by Playwright, before real nodes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import trio
from playwright.sync_api import BrowserContext, Page, sync_playwright
from processes import Household, Profile, free_port, until

from rumor.gossip.genesis import TRIAL, Parameters
from rumor.node import profile as profiles
from rumor.node.account import Account
from rumor.node.config import read_config, write_config
from rumor.node.setup import opened_store, unlock

CHROMIUM = "/usr/bin/chromium"
MISSING = f"Chromium is not installed at {CHROMIUM}"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: For what has to travel: half a dozen ticks of an own clock, on a busy machine.
TRAVEL_MS = 60_000

#: A trial mesh whose clocks tick every second or two, and where one flag folds.
QUICK = msgspec.structs.replace(TRIAL, bytes_per_day=2_000_000_000, flag_threshold=1, flag_percent=1)


def has_chromium() -> bool:
    return shutil.which(CHROMIUM) is not None


@contextmanager
def browsing(folder: Path, **options: Any) -> Iterator[BrowserContext]:
    """A browser with a profile folder of its own, so that nothing is left of one test for the next."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=FLAGS, chromium_sandbox=False, headless=True, **options
        )
        context.set_default_timeout(20_000)
        try:
            yield context
        finally:
            context.close()


def keep_port(person: Profile) -> None:
    """The page is where it was after the node was started anew, as for people who set a port."""
    path = located(person).config_file
    write_config(path, msgspec.structs.replace(read_config(path), api_port=free_port()))


def located(person: Profile) -> profiles.Profile:
    return profiles.Profile.locate(person.name, {profiles.HOME_VARIABLE: str(person.home)})


def found(person: Profile, name: str, parameters: Parameters = QUICK) -> None:
    """Founds a mesh with parameters that no command offers, while the node does not run."""
    profile = located(person)

    async def work() -> None:
        async with opened_store(profile, unlock(profile, lambda: "")) as store:
            await (await Account.load(store)).found(name, trial=True, parameters=parameters)

    trio.run(work)


def open_page(context: BrowserContext, person: Profile) -> Page:
    """Logs in as a person does."""
    page = context.new_page()
    page.goto(person.ask("open", "--print").stdout.strip())
    return page


def pair(household: Household, names: tuple[str, str] = ("ann", "bob")) -> tuple[Profile, Profile]:
    """Two running nodes in a quick mesh whose people are friends and may post."""
    first, second = (household.profile(name) for name in names)
    for person in (first, second):
        person.init()
        keep_port(person)
    found(first, "Night owls")
    for person in (first, second):
        person.launch()
    for person in (first, second):
        person.wait_up()
    household.befriend(first, second)
    until(lambda: all(person.json("status")["post"]["allowed"] for person in (first, second)))
    return first, second
