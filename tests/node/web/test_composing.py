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


def test_the_meter_is_said_once_and_tells_what_it_assumes(scene: Scene) -> None:
    """Beside a composer it is not repeated; what it assumes unfolds, and stays so while the figures change."""
    page, sizes = scene.bobs, [33]

    def grown(route: Route) -> None:
        answer = route.fetch()
        status, size = answer.json(), sizes[-1]
        status["meter"] |= {
            "sentence": f"A post hides among about {size} of the 50 members.",
            "set_size": size,
            "assumes": "It takes it that one of your friends is honest.",
            "by_spies": [{"spies": 0.1, "set_size": size}, {"spies": 0.2, "set_size": 22}],
        }
        route.fulfill(response=answer, json=status)

    page.route("**/api/status", grown)
    page.reload()
    expect(page.get_by_role("complementary").get_by_text("A post hides among")).to_be_visible()
    open_thread(page, "Composed upon")
    expect(page.get_by_text("A post hides among").and_(page.locator(":visible"))).to_have_count(1)
    form = page.locator("form").filter(has=page.get_by_label("Your reply"))
    assumed = form.get_by_text("one of your friends is honest")
    expect(assumed).to_be_hidden()
    form.get_by_text("What this assumes").click()
    expect(assumed).to_be_visible()
    expect(form.get_by_text("If one member in 5 works with spies, it hides among about 22.")).to_be_visible()
    sizes.append(34)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(form.get_by_text("A post hides among about 34")).to_be_visible()
    expect(assumed).to_be_visible()
    page.unroute("**/api/status")
    page.reload()


def test_the_counter_counts_as_people_do(scene: Scene) -> None:
    """Characters, exactly while each is a byte and about otherwise; what it says fits, and what is over does not."""
    page = scene.bobs
    show(page, "new")
    page.get_by_role("button", name="Write").click()
    field, counter = page.get_by_label("Your secret"), page.get_by_role("dialog").locator(".counter")
    expect(counter).to_have_text("Up to 1,000 characters")
    for text, said in (
        ("I hum.", "994 characters left"),
        ("x" * 999, "1 character left"),
        ("x" * 1_001, "1 character too long"),
        ("é" * 100, "About 400 more characters"),
        ("é" * 490, "About 10 more characters"),
        ("é" * 501, "About 1 character too long"),
        ("\U0001f469\u200d\U0001f469\u200d\U0001f467" * 50, "About 5 more characters"),
    ):
        field.fill(text)
        expect(counter).to_have_text(said)
    field.fill("x" * 990)
    page.get_by_role("button", name="Add a poll").click()
    page.get_by_label("Choice 1").fill("y" * 20)
    expect(counter).to_have_text("10 characters too long")
    page.get_by_role("button", name="No poll").click()
    field.fill("")
    page.keyboard.press("Escape")


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
