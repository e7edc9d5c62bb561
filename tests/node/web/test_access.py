"""For everybody: by keyboard alone, by what axe knows, on a desk and on a phone, light and dark."""

import re
from pathlib import Path
from typing import Any

import pytest
from pages import MISSING, TRAVEL_MS, Scene, card, choose, has_chromium, open_thread, show, too_wide
from playwright.sync_api import Page, expect
from processes import PASSPHRASE, until

AXE = (Path(__file__).parent / "axe.min.js").read_text()
VIEWS = ("new", "loved", "mine", "hidden", "whispers", "outbox", "friends", "mesh", "settings", "welcome")

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


def test_by_keyboard_alone(scene: Scene) -> None:
    """The skip link, a post, its heart and its menu, without a pointer; the focus stays inside a dialog."""
    page = scene.anns
    show(page, "settings")
    page.reload()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    show(page, "new")
    page.get_by_role("button", name="Write").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your secret")).to_be_focused()
    page.keyboard.type("I type with two fingers.")
    for _ in range(30):
        page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        assert page.evaluate(inside), "the focus left the dialog"
    page.get_by_role("button", name="Post", exact=True).focus()
    page.keyboard.press("Enter")
    expect(card(page, "two fingers")).to_be_visible(timeout=TRAVEL_MS)
    expect(page.get_by_role("dialog")).to_have_count(0)
    card(page, "two fingers").get_by_role("link").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    heart = card(page, "two fingers").get_by_label(re.compile("^Heart"))
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(heart).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(card(page, "two fingers").get_by_role("button", name="Subscribe")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page, "two fingers").get_by_role("button", name="Subscribe")).to_be_hidden()
    expect(card(page, "two fingers").get_by_label("More to do")).to_be_focused()


#: Cards out of sight have no layout of their own, and axe measures all of them.
LAID_OUT = """
(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".card { content-visibility: visible !important }");
  document.adoptedStyleSheets = [sheet];
})()
"""


def violations(page: Page) -> list[Any]:
    page.evaluate(LAID_OUT)
    page.evaluate(AXE)
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)"
    )
    return [
        (each["id"], [(node["html"], node["failureSummary"]) for node in each["nodes"]]) for each in found
    ]


@pytest.fixture(scope="module")
def talked(stage: Scene) -> Scene:
    """A secret with a reply and a conversation, so that there is something to look at."""
    ann, bob = stage.client(stage.ann), stage.client(stage.bob)
    secret = ann.send("POST", "/secrets", text="I keep every ticket stub.", style=12)["id"]
    until(lambda: secret in [each["id"] for each in bob.get("/secrets")["secrets"]])
    bob.send("POST", f"/secrets/{secret}/replies", text="In a box, I hope.")
    bob.send("POST", f"/secrets/{secret}/whispers", text="Which is the oldest?")
    until(lambda: ann.get("/whispers")["unread"] and ann.get(f"/secrets/{secret}")["replies"])
    conversation = ann.get("/whispers")["conversations"][0]["id"]
    ann.send("POST", f"/whispers/{conversation}", text="A tram, in the rain.")
    return stage


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(talked: Scene, scene: Scene, scheme: Any, width: int) -> None:
    """No view, dialog, thread or conversation violates a rule that axe knows or scrolls sideways."""
    page = scene.anns
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    def check(what: str) -> None:
        assert violations(page) == [], what
        assert too_wide(page) == [], what

    for view in VIEWS:
        show(page, view)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        page.wait_for_timeout(200)
        check(view)
    show(page, "whispers")
    page.get_by_role("main").get_by_role("link").filter(has_text="ticket stub").click()
    expect(page.get_by_label("Your answer")).to_be_visible()
    check("a conversation")
    open_thread(page, "ticket stub")
    check("a thread")
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Write").click()
    check("the composer")
    page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_a_whisper_or_at_the_lock(scene: Scene, scheme: Any, width: int) -> None:
    """The dialog is looked at on a page whose person has not begun a conversation about that secret yet."""
    for page in (scene.anns, scene.bobs):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page = scene.bobs
    show(page, "new")
    choose(card(page, "two fingers"), "Whisper to the author")
    expect(page.get_by_label("Your whisper")).to_be_focused()
    assert violations(page) == []
    assert too_wide(page) == []
    page = scene.anns
    scene.client(scene.ann).send("POST", "/lock")
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert violations(page) == []
    assert too_wide(page) == []
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Sections")).to_be_visible()
