"""Whispers on the page: two people who do not know each other talk alone, and see it without a reload."""

import re

import pytest
from pages import (
    HOSTILE,
    MISSING,
    TRAVEL_MS,
    Scene,
    card,
    choose,
    has_chromium,
    open_thread,
    say,
    show,
    too_wide,
)
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


@pytest.fixture(scope="module", autouse=True)
def _nothing_whispered(stage: Scene) -> None:
    """What other tests have whispered is not counted here."""
    for person in (stage.ann, stage.bob):
        client = stage.client(person)
        for each in client.get("/whispers")["conversations"]:
            client.send("DELETE", f"/whispers/{each['id']}")
    for page in (stage.anns, stage.bobs):
        page.reload()


def section(page: Page) -> Locator:
    """The link to the whispers, with a number if any are unread."""
    return page.get_by_role("navigation", name="Sections").get_by_role("link", name="Whispers")


def whisper_from_card(page: Page, secret: str, text: str) -> None:
    choose(card(page, secret), "Whisper to the author")
    dialog = page.get_by_role("dialog", name="Whisper to the author")
    expect(dialog).to_contain_text(secret)
    dialog.get_by_label("Your whisper").fill(text)
    dialog.get_by_role("button", name="Whisper", exact=True).click()
    expect(dialog).to_have_count(0)


def enter(page: Page, text: str) -> None:
    """From the list into the conversation about a secret."""
    show(page, "whispers")
    page.get_by_role("main").get_by_role("link").filter(has_text=text).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Whispers")


def test_a_whisper_and_its_answer(scene: Scene) -> None:
    """From a card to the author's list and back; unread is counted beside the section until somebody has seen it."""
    say(scene, "I sing in the lift.")
    show(scene.anns, "whispers")
    whisper_from_card(scene.bobs, "lift", "So do I. Which song?")
    row = scene.anns.get_by_role("main").get_by_role("link").filter(has_text="I sing")
    expect(row).to_contain_text("1 new", timeout=TRAVEL_MS)
    expect(row).to_contain_text("About your secret")
    expect(row).to_contain_text("Which song?")
    expect(section(scene.anns)).to_contain_text("1")

    row.click()
    letter = scene.anns.get_by_role("listitem").filter(has_text="Which song?")
    expect(letter).to_be_visible()
    assert scene.anns.url.endswith("#conversation"), "an address tells who whispers"
    scene.anns.keyboard.press("Shift")  # Somebody is there to see it.
    expect(letter.get_by_text("new", exact=True)).to_have_count(0)
    expect(section(scene.anns)).not_to_contain_text("1")
    scene.anns.get_by_label("Your answer").fill("The one about the sea.")
    scene.anns.get_by_role("button", name="Whisper", exact=True).click()
    own = scene.anns.get_by_role("listitem").filter(has_text="about the sea")
    expect(own).to_be_visible()

    show(scene.bobs, "new")
    choose(card(scene.bobs, "lift"), "Your whispers with the author")
    answer = scene.bobs.get_by_role("listitem").filter(has_text="about the sea")
    expect(answer).to_be_visible(timeout=TRAVEL_MS)
    expect(scene.bobs.get_by_role("heading", name="Whispers with the author")).to_be_visible()
    # What waited says so, and no more once it has left.
    expect(
        own.get_by_text(re.compile("on its way|leaves once more|waits for its slot", re.IGNORECASE))
    ).to_have_count(0, timeout=TRAVEL_MS)


def test_a_thread_leads_to_its_whispers(scene: Scene) -> None:
    """Between the secret and its replies: for a reader the way to begin, for both the way back to what was begun."""
    say(scene, "I water plastic flowers.")
    open_thread(scene.bobs, "plastic")
    scene.bobs.get_by_role("button", name="Whisper to the author").click()
    scene.bobs.get_by_label("Your whisper").fill("Do they grow?")
    scene.bobs.get_by_role("dialog").get_by_role("button", name="Whisper", exact=True).click()
    expect(scene.bobs.get_by_role("button", name="Your whispers with the author")).to_be_visible()
    expect(scene.bobs.get_by_role("button", name="Whisper to the author")).to_have_count(0)
    open_thread(scene.anns, "plastic")
    expect(scene.anns.get_by_role("button", name="Whisper to the author")).to_have_count(0)
    found = scene.anns.get_by_role("button", name="Somebody whispers about this")
    expect(found).to_be_visible(timeout=TRAVEL_MS)
    found.click()
    expect(scene.anns.get_by_text("Do they grow?")).to_be_visible()
    scene.anns.get_by_role("button", name="Back").click()
    expect(scene.anns.get_by_label("Your reply")).to_be_visible()


def test_a_hostile_whisper(scene: Scene) -> None:
    """In the list and in the conversation markup is text and nothing leaves its place, on the narrowest phone."""
    conversation = scene.client(scene.bob).get("/whispers")["conversations"][0]["id"]
    scene.client(scene.bob).send("POST", f"/whispers/{conversation}", text=HOSTILE)
    page = scene.anns
    page.set_viewport_size({"width": 360, "height": 740})
    show(page, "whispers")
    row = page.get_by_role("main").get_by_role("link").filter(has_text="<script>")
    expect(row).to_be_visible(timeout=TRAVEL_MS)
    assert too_wide(page) == []
    row.click()
    letter = page.get_by_role("listitem").filter(has_text="<script>")
    expect(letter).to_be_visible()
    assert "<img src=x onerror=" in letter.inner_text()
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", letter.inner_text())
    assert letter.locator("img, script").count() == 0
    assert "owned" not in page.title()
    assert too_wide(page) == []


def test_a_letter_with_a_word_that_nobody_wants_to_see(scene: Scene) -> None:
    """It is folded and calls nobody, and can be looked at all the same."""
    page = scene.anns
    scene.client(scene.ann).send("PATCH", "/settings", filters=["marzipan"])
    conversation = scene.client(scene.bob).get("/whispers")["conversations"][0]["id"]
    enter(page, "plastic")
    scene.client(scene.bob).send("POST", f"/whispers/{conversation}", text="I would trade it for marzipan.")
    letter = page.get_by_role("listitem").filter(has_text="a word that you do not want to see")
    expect(letter).to_be_visible(timeout=TRAVEL_MS)
    assert "marzipan" not in page.content()
    expect(section(page)).not_to_contain_text("1")
    letter.get_by_role("button", name="Show anyway").click()
    expect(page.get_by_text("trade it for marzipan")).to_be_visible()
    show(page, "whispers")
    expect(page.get_by_text("Folded: it has a word")).to_be_visible()
    scene.client(scene.ann).send("PATCH", "/settings", filters=[])


def test_an_author_takes_no_new_whispers(scene: Scene) -> None:
    """From the card or the conversation, and back; it is said in both."""
    page = scene.anns
    enter(page, "plastic")
    main = page.get_by_role("main")
    choose(main, "Take no new whispers")
    expect(main.get_by_text("Nobody can begin to whisper to you about this secret.")).to_be_visible()
    show(page, "new")
    choose(card(page, "plastic"), "Take whispers again")
    enter(page, "plastic")
    expect(main.get_by_text("Nobody can begin")).to_have_count(0)
    main.get_by_label("More to do").click()
    expect(page.get_by_role("button", name="Erase the letters")).to_be_visible()
    page.keyboard.press("Escape")


def test_ending_a_conversation(scene: Scene) -> None:
    """It asks first, and leaves nothing behind here; without any conversation the list says what to do."""
    for about in ("lift", "plastic"):
        enter(scene.bobs, about)
        scene.bobs.get_by_role("main").get_by_label("More to do").click()
        scene.bobs.get_by_role("button", name="End the conversation").click()
        dialog = scene.bobs.get_by_role("dialog", name="End this conversation?")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        dialog.get_by_role("button", name="End it").click()
        expect(scene.bobs.get_by_role("heading", name="Whispers", exact=True)).to_be_visible()
    expect(scene.bobs.get_by_role("heading", name="Nobody whispers yet")).to_be_visible()
    assert scene.client(scene.bob).get("/whispers")["conversations"] == []


def test_a_whisper_by_keyboard(scene: Scene) -> None:
    """The menu, the dialog and the letter without a pointer; the focus comes back to the menu."""
    page = scene.bobs
    show(page, "new")
    more = card(page, "lift").get_by_label("More to do")
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your whisper")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(more).to_be_focused()
