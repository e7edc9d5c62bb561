"""The page's voice: what it says stands for as long as it is true, for some seconds at the most, and never in heaps.

The browser's clock is stopped here, so that what goes has not gone by the time that it had.
"""

import re
from collections.abc import Iterator

import pytest
from pages import (
    MISSING,
    TRAVEL_MS,
    Scene,
    browsing,
    card,
    choose,
    has_chromium,
    open_page,
    open_thread,
    show,
    write,
)
from playwright.sync_api import Locator, Page, Playwright, expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


@pytest.fixture(scope="module")
def still(stage: Scene, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Another browser of Ann's, in which no time passes but by ``run_for``."""
    folder = tmp_path_factory.mktemp("still")
    with browsing(playwright, folder, viewport={"width": 1280, "height": 900}) as context:
        context.clock.install()
        page = open_page(context, stage.ann)
        expect(page.get_by_role("navigation", name="Sections")).to_be_visible()
        context.clock.pause_at(page.evaluate("Date.now()") + 1_000)
        yield page


@pytest.fixture
def page(still: Page) -> Page:
    while still.get_by_role("dialog").count():
        still.keyboard.press("Escape")
    show(still, "mesh")
    show(still, "new")
    return still


def toasts(page: Page) -> Locator:
    return page.get_by_role("status").locator(".toast")


def test_a_post_that_has_come_is_not_said_to_wait(page: Page) -> None:
    """What says that it is in the outbox goes once it is not there any more."""
    write(page, "I talk to the kettle.")
    expect(toasts(page)).to_contain_text("In your outbox")
    expect(card(page, "kettle")).to_be_visible(timeout=TRAVEL_MS)
    expect(toasts(page)).to_have_count(0)


def test_a_flag_that_has_come_is_not_said_to_be_on_its_way(page: Page) -> None:
    """It goes with the news that the flag is counted."""
    choose(card(page, "kettle"), "Flag as hurtful")
    expect(toasts(page)).to_contain_text("on its way")
    expect(page.get_by_text("1 member flagged this.")).to_be_visible(timeout=TRAVEL_MS)
    expect(toasts(page)).to_have_count(0)
    page.get_by_role("button", name="Show anyway").click()
    expect(card(page, "kettle")).to_be_visible()


def test_what_stands_on_the_page_is_said_to_the_ear_alone(page: Page) -> None:
    """A reply that waits stands in its thread."""
    open_thread(page, "kettle")
    page.get_by_label("Your reply").fill("It answers.")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="It answers.")).to_be_visible()
    expect(page.locator("#spoken")).to_contain_text("In your outbox")
    expect(toasts(page)).to_have_count(0)


def test_a_toast_goes_with_its_view_or_after_some_seconds(page: Page) -> None:
    """And not before: whoever reads slowly has as long as the sentence is."""
    choose(card(page, "kettle"), "Subscribe")
    expect(toasts(page)).to_contain_text("You follow this thread")
    page.clock.run_for(3_000)
    expect(toasts(page)).to_have_count(1)
    page.clock.run_for(5_000)
    expect(toasts(page)).to_have_count(0)
    choose(card(page, "kettle"), "Unsubscribe")
    expect(toasts(page)).to_have_count(1)
    show(page, "friends")
    expect(toasts(page)).to_have_count(0)


def test_what_is_said_about_leaving_a_view_is_said_in_the_next(page: Page) -> None:
    """Hiding an open thread leads back to the feed, and the sentence comes after."""
    open_thread(page, "kettle")
    choose(page.get_by_role("article"), "Hide")
    expect(page.get_by_role("navigation", name="Feeds")).to_be_visible()
    expect(toasts(page)).to_contain_text("Hidden, for you alone")
    show(page, "hidden")
    expect(toasts(page)).to_have_count(0)
    choose(card(page, "kettle"), "Show again")
    expect(toasts(page)).to_contain_text("It is shown again")


def test_toasts_do_not_pile_up(page: Page) -> None:
    """The newest takes the place of the one before; why something failed may stand beside it."""
    show(page, "settings")
    for theme in ("Dark", "Light", "As my system has it"):
        with page.expect_response("**/api/settings"):
            page.get_by_label("Theme").select_option(theme)
    expect(toasts(page)).to_have_text(["Saved."])
    page.route(
        "**/api/settings", lambda route: route.fulfill(status=507, json={"error": "The disk is full."})
    )
    page.get_by_label("Theme").select_option("Dark")
    expect(toasts(page)).to_have_text(["Saved.", "The disk is full."])
    page.unroute_all()
    page.get_by_label("Theme").select_option("As my system has it")
    expect(toasts(page)).to_have_text(["Saved."])  # And not any more why it failed before.


def test_over_a_dialog_it_is_seen_and_heard_in_it(page: Page) -> None:
    """Behind an open dialog nothing is: neither by the eyes nor for a screen reader."""
    show(page, "friends")
    page.get_by_role("button", name="Invite a friend").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your own name for them").fill("Cleo")
    dialog.get_by_role("button", name="Make an invitation").click()
    dialog.get_by_role("button", name="Copy the link").click()
    expect(dialog.get_by_role("status").get_by_text(re.compile("Copied|by hand"))).to_be_visible()
