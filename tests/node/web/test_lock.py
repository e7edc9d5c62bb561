"""The lock of the page: whoever sits down before it sees nothing and can do nothing without the passphrase."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import MISSING, Scene, browsing, has_chromium, open_page, say, show
from playwright.sync_api import Page, Playwright, expect
from processes import PASSPHRASE, Household, Profile

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


def unlock(page: Page) -> None:
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()


def everything(page: Page) -> str:
    """All that is in the document, shown or not, fields included."""
    texts: str = page.evaluate(
        """document.documentElement.outerHTML + document.title
            + [...document.querySelectorAll("input, textarea")].map((each) => each.value).join()"""
    )
    return texts


def test_locked_by_hand(scene: Scene) -> None:
    """Nothing that was shown is in the document; a wrong passphrase says so; the right one gives all of it back."""
    page = scene.anns
    say(scene, "I hum when I lie.")
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Your secret").fill("Only half of this is")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    expect(page.get_by_label("Passphrase")).to_be_focused()
    left = everything(page)
    for trace in ("I hum", "half of this", "Night owls", "bob", "article"):
        assert trace not in left, trace
    show(page, "friends")
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()

    page.get_by_label("Passphrase").fill("wrong horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not the passphrase")
    page.wait_for_timeout(1_100)  # What a wrong one costs.
    unlock(page)
    expect(page.get_by_role("heading", name="Friends")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    show(page, "new")
    expect(page.get_by_role("article").filter(has_text="I hum")).to_be_visible()
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_label("Your secret")).to_have_value("Only half of this is")
    page.get_by_label("Your secret").fill("")


def test_locked_by_the_node(scene: Scene) -> None:
    """The page learns it by the end of its news, wherever it is, with a dialog open; reloading changes nothing."""
    page = scene.anns
    show(page, "new")
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Your secret").fill("Unfinished")
    scene.client(scene.ann).send("POST", "/lock")
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert "Unfinished" not in everything(page)
    page.reload()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert page.get_by_role("navigation").count() == 0
    unlock(page)
    expect(page.get_by_role("article").first).to_be_visible()


def test_locked_in_one_window_is_locked_in_all(scene: Scene) -> None:
    """A second window learns it by the end of its news, and opens with the first, without the passphrase again."""
    page, other = scene.anns, scene.context.new_page()
    show(page, "new")
    other.goto(page.url)
    expect(other.get_by_role("article").first).to_be_visible()
    page.get_by_role("button", name="Lock now").click()
    expect(other.get_by_role("heading", name="Locked")).to_be_visible()
    assert other.get_by_role("article").count() == 0
    unlock(page)
    expect(page.get_by_role("article").first).to_be_visible()
    other.evaluate("dispatchEvent(new Event('focus'))")
    expect(other.get_by_role("article").first).to_be_visible()
    other.close()


class Hasty(Profile):
    """Its node takes a second without use for two minutes, so that nobody has to wait for the shortest that one can
    set."""

    def _command(self, *arguments: str) -> list[str]:
        hurry = (
            "from rumor.node.api import locking; since = locking._since_boot; "
            "locking.PageLock.__init__.__kwdefaults__['now'] = lambda: 120 * since(); "
            "from rumor.node.cli import main; main()"
        )
        return [sys.executable, "-c", hurry, "--profile", self.name, *arguments]


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Hasty]:
    household = Household(tmp_path)
    person = Hasty(tmp_path, "eve")
    household.profiles.append(person)
    person.init("--json")  # With a passphrase.
    person.start()
    yield person
    household.close()


def test_left_alone_it_locks(hasty: Hasty, playwright: Playwright, tmp_path: Path) -> None:
    """As set on the page, though that asks for something all the time: what it asks by itself is no use of it."""
    with browsing(playwright, tmp_path / "browser") as context:
        page = open_page(context, hasty)
        show(page, "settings")
        page.get_by_label("Lock it when nobody has used it for").select_option("2 minutes")
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.evaluate("setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 300)")
        expect(page.get_by_role("heading", name="Locked")).to_be_visible(timeout=15_000)
        unlock(page)
        expect(page.get_by_role("heading", name="Locked")).to_have_count(0)


def test_the_page_says_when_a_person_asks(scene: Scene) -> None:
    """What a click or a key brings about is marked for the lock; what the page asks by itself is not."""
    page = scene.anns
    show(page, "new")
    page.wait_for_timeout(1_100)  # For so long what follows is taken for the doing of whoever did something.
    with page.expect_request("**/api/status") as polled:
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert "x-rumor-person" not in polled.value.headers
    with page.expect_request("**/api/outbox") as asked:
        page.get_by_role("link", name="Outbox").click()
    assert asked.value.headers["x-rumor-person"] == "1"


def test_when_it_locks_is_set_where_there_is_a_passphrase(scene: Scene) -> None:
    """It is kept by the node; a profile without a passphrase is told how to get one, and has no button to lock."""
    show(scene.anns, "settings")
    scene.anns.get_by_label("Lock it when nobody has used it for").select_option("An hour")
    expect(scene.anns.get_by_text("Saved.").first).to_be_visible()
    assert scene.client(scene.ann).get("/lock")["minutes"] == 60
    show(scene.bobs, "settings")
    expect(scene.bobs.get_by_text("rumor --profile bob passphrase").first).to_be_visible()
    expect(scene.bobs.get_by_role("button", name="Lock now")).to_have_count(0)
    assert "whisper conversations about it end" in scene.bobs.get_by_role("main").inner_text()
