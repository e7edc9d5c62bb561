"""Composing: what every composer says before something goes, and what becomes of what was written."""

from collections.abc import Iterator

import pytest
from pages import MISSING, Scene, has_chromium, open_thread, say, show
from playwright.sync_api import Locator, Page, Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


def test_a_second_look(scene: Scene) -> None:
    """A friend's name, a number, an address or a link is asked about once more; what is kind of neither is not."""
    page = scene.anns
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Your secret").fill(
        "Ask Bob, 0176 5550 1234, bob@example.org, 12 Old Mill Road, www.example.org"
    )
    page.get_by_role("button", name="Post", exact=True).click()
    asked = page.get_by_role("dialog", name="A second look")
    for hint in ("as you call a friend", "phone number", "e-mail address", "street address", "a link"):
        expect(asked).to_contain_text(hint)
    expect(asked.get_by_role("button", name="Change it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your secret")).to_be_focused()
    page.get_by_label("Your secret").fill("")
    page.keyboard.press("Escape")
    assert scene.client(scene.ann).get("/outbox")["waiting"] == []


def composers(page: Page) -> Iterator[Locator]:
    """Each place where something is written, open."""
    show(page, "new")
    page.get_by_role("button", name="Write").click()
    yield page.get_by_role("dialog")
    page.get_by_role("button", name="Add a poll").click()
    yield page.get_by_role("dialog")
    page.get_by_role("button", name="No poll").click()
    page.keyboard.press("Escape")
    open_thread(page, "Composed upon")
    yield page.locator("form").filter(has=page.get_by_label("Your reply"))
    page.get_by_role("button", name="Whisper to the author").click()
    yield page.get_by_role("dialog")
    page.keyboard.press("Escape")


def test_every_composer_says_how_one_hides_and_why_one_cannot_post(scene: Scene) -> None:
    """Secret, poll, reply and whisper: the sentence, the picture and, while the gate is closed, the obstacle."""
    say(scene, "Composed upon.")
    page = scene.bobs
    for composer in composers(page):
        expect(composer.get_by_text("This is a trial mesh: it hides nobody.")).to_be_visible()
        expect(composer.get_by_role("img", name="Nobody to hide among")).to_be_visible()
        expect(composer.get_by_text("Not yet:")).to_have_count(0)

    def closed(route: Route) -> None:
        answer = route.fetch()
        status = answer.json()
        status["post"].update(allowed=False, obstacles=["Somebody has to be there first."])
        route.fulfill(response=answer, json=status)

    page.route("**/api/status", closed)
    page.reload()
    for composer in composers(page):
        expect(composer.get_by_text("Not yet: Somebody has to be there first.")).to_be_visible()
    page.unroute("**/api/status")
    page.reload()


def test_a_refusal_stands_beside_what_was_refused(scene: Scene) -> None:
    """A reply that the node does not take keeps its text, and says each reason."""
    page = scene.bobs
    open_thread(page, "Composed upon")
    reasons = ["Your slots of this hour are used.", "Two friends see another ring."]
    page.route(
        "**/replies", lambda route: route.fulfill(status=425, json={"error": "x", "obstacles": reasons})
    )
    page.get_by_label("Your reply").fill("Kindly meant.")
    page.get_by_role("button", name="Reply", exact=True).click()
    for reason in reasons:
        expect(page.get_by_role("alert").get_by_text(reason)).to_be_visible()
    expect(page.get_by_label("Your reply")).to_have_value("Kindly meant.")
    page.unroute("**/replies")
    # Another view and back: it is still there.
    open_thread(page, "Composed upon")
    expect(page.get_by_label("Your reply")).to_have_value("Kindly meant.")
    page.get_by_label("Your reply").fill("")


def test_writing_while_the_node_does_not_answer(scene: Scene) -> None:
    """A whisper waits in its dialog, which says so, and goes when the node is there again."""
    page = scene.bobs
    open_thread(page, "Composed upon")
    page.get_by_role("button", name="Whisper to the author").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your whisper").fill("Are you there?")
    page.route("**/api/**", lambda route: route.abort())
    dialog.get_by_role("button", name="Whisper", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Your node does not answer")
    expect(dialog.get_by_label("Your whisper")).to_have_value("Are you there?")
    page.unroute("**/api/**")
    dialog.get_by_role("button", name="Whisper", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Your whispers with the author")).to_be_visible()
