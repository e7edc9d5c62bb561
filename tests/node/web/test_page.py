"""The page before two real nodes whose people are friends: what they say reaches the other's page by itself."""

import re

import pytest
from pages import HOSTILE, MISSING, TRAVEL_MS, Scene, card, choose, has_chromium, say, show, too_wide
from playwright.sync_api import Route, expect
from processes import until

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


def test_a_conversation(scene: Scene) -> None:
    """A secret comes without a reload; a reply goes back, with a face; the author's own reply is marked."""
    say(scene, "I read the last page first.")
    card(scene.bobs, "last page").get_by_role("link", name="I read").click()
    expect(scene.bobs.get_by_role("heading", name="No reply yet")).to_be_visible()
    assert scene.bobs.url.endswith("#thread"), "an address tells what was read"
    scene.bobs.get_by_label("Your reply").fill("So do I, always.")
    scene.bobs.get_by_role("button", name="Reply", exact=True).click()
    card(scene.anns, "last page").get_by_role("link", name="I read").click()
    # Until it has come back, what one has said stands here as what it is: on its way.
    own = scene.bobs.get_by_role("listitem").filter(has_text="So do I")
    expect(own).to_be_visible()
    reply = scene.anns.get_by_role("listitem").filter(has_text="So do I")
    expect(reply).to_be_visible(timeout=TRAVEL_MS)
    expect(reply.get_by_text("OP", exact=True)).to_have_count(0)
    expect(reply.get_by_text("you", exact=True)).to_have_count(0)
    scene.anns.get_by_label("Your reply").fill("Then we spoil each other nothing.")
    scene.anns.get_by_role("button", name="Reply", exact=True).click()
    answer = scene.bobs.get_by_role("listitem").filter(has_text="spoil")
    expect(answer.get_by_text("OP", exact=True)).to_be_visible(timeout=TRAVEL_MS)
    own = scene.bobs.get_by_role("listitem").filter(has_text="So do I")
    expect(own.get_by_text("you", exact=True)).to_be_visible()


def test_what_comes_while_the_feed_is_asked_for(scene: Scene) -> None:
    """The news of a secret may overtake an answer that does not know of it; it is shown all the same."""
    page = scene.bobs
    show(page, "mesh")

    def late(route: Route) -> None:
        answer = route.fetch()
        scene.client(scene.ann).send("POST", "/secrets", text="I overtake on stairs.")
        until(lambda: "I overtake" in page.locator("#spoken").inner_text())
        route.fulfill(response=answer)

    page.route("**/api/secrets?*", late, times=1)
    show(page, "new")
    expect(card(page, "I overtake")).to_be_visible(timeout=TRAVEL_MS)


def test_the_feed_is_as_fresh_as_the_moment_when_it_is_opened(scene: Scene) -> None:
    """What the browser has loaded ahead is for a page that begins with the feed, and is not shown minutes later."""
    page = scene.bobs
    show(page, "settings")
    page.reload()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    said = scene.client(scene.ann).send("POST", "/secrets", text="I keep my socks on.")["id"]
    until(lambda: said in [each["id"] for each in scene.client(scene.bob).get("/secrets")["secrets"]])
    show(page, "new")
    expect(card(page, "my socks")).to_be_visible()


def test_a_heart_shows_at_once_and_counts_when_it_has_come(scene: Scene) -> None:
    """Within 100 ms as on its way, on the other page when it is there; and it can be taken back."""
    say(scene, "I love the rain.")
    heart = card(scene.bobs, "rain").get_by_label(re.compile("^Heart"))
    shown_ms = heart.evaluate(
        """async (button) => {
            const article = button.closest("article"), feed = article.parentElement, began = performance.now();
            button.click();
            const shown = `[data-id="${article.dataset.id}"] .heart.moving`;
            while (!feed.querySelector(shown)) await new Promise(requestAnimationFrame);
            return performance.now() - began;
        }"""
    )
    assert shown_ms < 100
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(card(scene.anns, "rain").get_by_label("Heart, 1 heart")).to_be_visible(timeout=TRAVEL_MS)
    expect(card(scene.bobs, "rain").get_by_label("Heart, 1 heart", exact=True)).to_be_visible(
        timeout=TRAVEL_MS
    )
    heart.click()
    expect(card(scene.anns, "rain").get_by_label("Heart, 0 hearts")).to_be_visible(timeout=TRAVEL_MS)


def test_a_poll(scene: Scene) -> None:
    """A vote is counted on both pages."""
    say(scene, "Tea or coffee?", "Tea", "Coffee", "Both, in one cup")
    card(scene.bobs, "Tea or").get_by_role("button", name="Both").click()
    expect(card(scene.anns, "Tea or").get_by_role("button", name="Both")).to_contain_text(
        "1 vote", timeout=TRAVEL_MS
    )
    expect(card(scene.anns, "Tea or").get_by_text("1 vote in all")).to_be_visible()
    expect(card(scene.bobs, "Tea or").get_by_text("You can still choose another.")).to_be_visible()


def test_taking_back(scene: Scene) -> None:
    """What the author takes back leaves the other's page too, which stays where it is."""
    say(scene, "I never said this.")
    choose(card(scene.anns, "never said"), "Take it back")
    scene.anns.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    expect(card(scene.bobs, "never said")).to_have_count(0, timeout=TRAVEL_MS)
    expect(card(scene.anns, "never said")).to_have_count(0, timeout=TRAVEL_MS)


def test_withdrawing(scene: Scene) -> None:
    """What waits says so, and what is withdrawn in time never leaves; the last of a queue has time enough."""
    client, page = scene.client(scene.ann), scene.anns
    queue = [f"I count to {number}." for number in range(10)]
    ids = [client.send("POST", "/secrets", text=text)["id"] for text in queue]
    show(page, "outbox")
    last = page.get_by_role("listitem").filter(has_text=queue[-1])
    expect(last).to_contain_text("Waiting")
    last.get_by_role("button", name="Withdraw").click()
    expect(last).to_have_count(0)
    expect(page.get_by_text("Withdrawn: it never left this node.")).to_be_visible()
    until(lambda: client.get("/outbox")["waiting"] == [])
    held = [each["id"] for each in client.get("/secrets?count=100")["secrets"]]
    assert ids[-1] not in held
    assert ids[0] in held


def test_hiding_and_flagging(scene: Scene) -> None:
    """Hiding is for oneself and can be undone; a flag folds for everybody, who may look all the same."""
    say(scene, "Something unkind.")
    choose(card(scene.bobs, "unkind"), "Hide")
    expect(card(scene.bobs, "unkind")).to_have_count(0)
    expect(card(scene.anns, "unkind")).to_be_visible()
    show(scene.bobs, "hidden")
    choose(card(scene.bobs, "unkind"), "Show again")
    show(scene.bobs, "new")
    choose(card(scene.bobs, "unkind"), "Flag as hurtful")
    folded = scene.anns.get_by_role("article").filter(has_text="1 member flagged this.")
    expect(folded).to_be_visible(timeout=TRAVEL_MS)
    expect(card(scene.anns, "unkind")).to_have_count(0)
    folded.get_by_role("button", name="Show anyway").click()
    expect(card(scene.anns, "unkind")).to_be_visible()


def test_subscribing(scene: Scene) -> None:
    """What one follows says how much is new, until it was read."""
    say(scene, "I count my steps on stairs.")
    choose(card(scene.anns, "stairs"), "Subscribe")
    card(scene.bobs, "stairs").get_by_role("link", name="I count").click()
    scene.bobs.get_by_label("Your reply").fill("Seventeen, at mine.")
    scene.bobs.get_by_role("button", name="Reply", exact=True).click()
    show(scene.anns, "subscribed")
    expect(card(scene.anns, "stairs").get_by_text("1 new")).to_be_visible(timeout=TRAVEL_MS)
    card(scene.anns, "stairs").get_by_role("link", name="I count").click()
    expect(scene.anns.get_by_text("Seventeen")).to_be_visible()
    expect(scene.anns.get_by_role("article").get_by_text("subscribed")).to_be_visible()
    show(scene.anns, "subscribed")
    expect(card(scene.anns, "stairs").get_by_text("subscribed")).to_be_visible()


def test_each_figure_of_the_mesh_is_explained(scene: Scene) -> None:
    """With a sentence of what it means, and nearly all with a word on whether it is good."""
    page = scene.anns
    show(page, "mesh")
    figures = page.get_by_role("region", name="Figures").locator(".fact")
    expect(figures).to_have_count(9)
    for text in figures.all_inner_texts():
        assert re.search(r"\n[A-Z0-9][^\n]* [^\n]*\.$", text), f"{text} says nothing of itself"
    for name, verdict in (("Members", "too few"), ("Epoch", "short"), ("Budget of a day", "heavy")):
        figure = figures.filter(has=page.get_by_role("term").get_by_text(name, exact=True))
        expect(figure.locator(".verdict")).to_have_text(verdict)


def test_a_hostile_secret(scene: Scene) -> None:
    """Markup is text, nothing turns round or hides, and nothing leaves its card, on the narrowest phone."""
    scene.client(scene.ann).send("POST", "/secrets", text=HOSTILE, style=0)
    page = scene.bobs
    page.set_viewport_size({"width": 360, "height": 740})
    show(page, "new")
    shown = card(page, "<script>")
    expect(shown).to_be_visible(timeout=TRAVEL_MS)
    text = shown.locator(".words").inner_text()
    assert "<img src=x onerror=" in text
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", text)
    assert "owned" not in page.title()
    assert shown.locator("img, script").count() == 0
    assert too_wide(page) == []
    shown.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="No reply yet")).to_be_visible()
    assert too_wide(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})
