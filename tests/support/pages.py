"""The page in a real browser: Debian's Chromium by Playwright, before real nodes, and what people do with it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import trio
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect
from processes import PASSPHRASE, Household, Profile, free_port, until

from rumor.gossip.genesis import TRIAL, Parameters
from rumor.node import profile as profiles
from rumor.node.account import Account
from rumor.node.client import Client
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
#: For what the page does at once, on a machine that is busy with other tests.
PROMPT_MS = 20_000
#: For what has to travel: half a dozen ticks of an own clock, on a busy machine.
TRAVEL_MS = 60_000

#: Markup, turned writing, what nobody sees, a pile of marks, and a word that is wider than a phone.
HOSTILE = (
    "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">\n"
    "\u202egnissim si siht\u202c zero\u200b\u200d\u2066width\ufeff " + "Z" + "\u0301" * 200 + " " + "W" * 60
)

#: A trial mesh whose clocks tick every second or two, and where one flag folds.
QUICK = msgspec.structs.replace(TRIAL, bytes_per_day=2_000_000_000, flag_threshold=1, flag_percent=1)


def has_chromium() -> bool:
    return shutil.which(CHROMIUM) is not None


@contextmanager
def browsing(playwright: Playwright, folder: Path, **options: Any) -> Iterator[BrowserContext]:
    """A browser with a profile folder of its own, so that nothing is left of one test for the next."""
    context = playwright.chromium.launch_persistent_context(
        folder, executable_path=CHROMIUM, args=FLAGS, chromium_sandbox=False, headless=True, **options
    )
    context.set_default_timeout(PROMPT_MS)
    expect.set_options(timeout=PROMPT_MS)
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
        async with opened_store(profile, unlock(profile, lambda: PASSPHRASE)) as store:
            await (await Account.load(store)).found(name, trial=True, parameters=parameters)

    trio.run(work)


def open_page(context: BrowserContext, person: Profile) -> Page:
    """Logs in as a person does."""
    page = context.new_page()
    page.goto(person.ask("open", "--print").stdout.strip())
    return page


def pair(household: Household, names: tuple[str, str] = ("ann", "bob")) -> tuple[Profile, Profile]:
    """Two running nodes in a quick mesh whose people are friends and may post; the first has a passphrase."""
    first, second = (household.profile(name) for name in names)
    first.init("--json")  # With a passphrase, by any option but the one against it.
    second.init()
    for person in (first, second):
        keep_port(person)
    found(first, "Night owls")
    for person in (first, second):
        person.launch()
    for person in (first, second):
        person.wait_up()
    household.befriend(first, second)
    until(lambda: all(person.json("status")["post"]["allowed"] for person in (first, second)))
    return first, second


@dataclass
class Scene:
    """Two people at their browsers."""

    ann: Profile
    """Has a passphrase."""
    bob: Profile
    """Has none."""
    context: BrowserContext
    anns: Page
    bobs: Page
    requests: list[str] = field(default_factory=list)
    """What the pages have asked for."""
    complaints: list[str] = field(default_factory=list)
    """What the browser has said of them on its console."""

    def client(self, person: Profile) -> Client:
        return Client(located(person))

    def watch(self) -> None:
        """Takes down what both pages do from now on."""
        for page in (self.anns, self.bobs):
            page.on("request", lambda request: self.requests.append(request.url))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on(
                "console", lambda message: message.type == "error" and self.complaints.append(message.text)
            )
            page.reload()

    def tidy(self) -> None:
        """Nothing of the test before is left on the pages: no dialog, no size or colours of its own."""
        for page in (self.anns, self.bobs):
            while page.get_by_role("dialog").count():
                page.keyboard.press("Escape")
            page.set_viewport_size({"width": 1280, "height": 900})
            page.emulate_media(color_scheme="null", reduced_motion="null")


def show(page: Page, section: str) -> None:
    page.goto(f"{page.url.split('#')[0]}#{section}")


def card(page: Page, text: str) -> Locator:
    return page.get_by_role("article").filter(has_text=text)


def open_thread(page: Page, text: str) -> None:
    show(page, "new")
    card(page, text).get_by_role("link").first.click()
    expect(page.get_by_label("Your reply")).to_be_visible()


def choose(place: Locator, entry: str) -> None:
    place.get_by_label("More to do").first.click()
    place.get_by_role("button", name=entry, exact=True).click()


def write(page: Page, text: str, *choices: str) -> None:
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Your secret").fill(text)
    if choices:
        page.get_by_role("button", name="Add a poll").click()
        for number in range(len(choices) - 2):
            page.get_by_role("button", name="Another choice").click()
            expect(page.get_by_label(f"Choice {number + 3}")).to_be_focused()
        for number, choice in enumerate(choices):
            page.get_by_label(f"Choice {number + 1}").fill(choice)
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def say(scene: Scene, text: str, *choices: str) -> None:
    """Ann says it on her page, and it is on Bob's."""
    show(scene.bobs, "new")
    write(scene.anns, text, *choices)
    expect(card(scene.bobs, text)).to_be_visible(timeout=TRAVEL_MS)
    show(scene.anns, "new")
    expect(card(scene.anns, text)).to_be_visible(timeout=TRAVEL_MS)


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways, if anything does."""
    wide: list[str] = page.evaluate(
        """document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth)
            .map((each) => each.outerHTML.slice(0, 80))"""
    )
    return wide
