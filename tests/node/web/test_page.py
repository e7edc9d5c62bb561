"""The page before two real nodes whose people are friends: what they say reaches the other's page by itself."""

import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pages import MISSING, TRAVEL_MS, browsing, has_chromium, located, open_page, pair
from playwright.sync_api import BrowserContext, Locator, Page, expect
from processes import Household, Profile, until

from rumor.node.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]

AXE = (Path(__file__).parent / "axe.min.js").read_text()
VIEWS = ("new", "loved", "mine", "hidden", "outbox", "friends", "mesh", "settings", "welcome")
HOSTILE = (
    "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">\n"
    "\u202egnissim si siht\u202c zero\u200b\u200d\u2066width\ufeff " + "Z" + "\u0301" * 200 + " " + "W" * 60
)


@dataclass
class Scene:
    """Two people at their browsers."""

    ann: Profile
    bob: Profile
    context: BrowserContext
    anns: Page
    bobs: Page
    requests: list[str]
    complaints: list[str]

    def client(self, person: Profile) -> Client:
        return Client(located(person))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("page")
    household = Household(home)
    try:
        ann, bob = pair(household)
        with browsing(home / "browser", viewport={"width": 1280, "height": 900}) as context:
            requests: list[str] = []
            complaints: list[str] = []
            anns, bobs = open_page(context, ann), open_page(context, bob)
            for page in (anns, bobs):
                page.on("request", lambda request: requests.append(request.url))
                page.on(
                    "console",
                    lambda message: message.type == "error" and complaints.append(message.text),
                )
                page.on("pageerror", lambda error: complaints.append(str(error)))
                page.reload()
            yield Scene(ann, bob, context, anns, bobs, requests, complaints)
    finally:
        household.close()


def show(page: Page, section: str) -> None:
    page.goto(f"{page.url.split('#')[0]}#{section}")


def card(page: Page, text: str) -> Locator:
    return page.get_by_role("article").filter(has_text=text)


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


def choose(place: Locator, entry: str) -> None:
    place.get_by_label("More to do").first.click()
    place.get_by_role("button", name=entry, exact=True).click()


def test_a_conversation(scene: Scene) -> None:
    """A secret comes without a reload; a reply goes back, with a face; the author's own reply is marked."""
    say(scene, "I read the last page first.")
    card(scene.bobs, "last page").get_by_role("link", name="I read").click()
    expect(scene.bobs.get_by_role("heading", name="No reply yet")).to_be_visible()
    assert scene.bobs.url.endswith("#thread"), "an address tells what was read"
    scene.bobs.get_by_label("Your reply").fill("So do I, always.")
    scene.bobs.get_by_role("button", name="Reply", exact=True).click()
    card(scene.anns, "last page").get_by_role("link", name="I read").click()
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


def test_taking_back(scene: Scene) -> None:
    """What the author takes back leaves the other's page too, which stays where it is."""
    say(scene, "I never said this.")
    choose(card(scene.anns, "never said"), "Take it back")
    scene.anns.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    expect(card(scene.bobs, "never said")).to_have_count(0, timeout=TRAVEL_MS)
    expect(card(scene.anns, "never said")).to_have_count(0, timeout=TRAVEL_MS)


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
    show(scene.anns, "subscribed")
    expect(card(scene.anns, "stairs").get_by_text("subscribed")).to_be_visible()


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


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways, if anything does."""
    wide: list[str] = page.evaluate(
        """document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > innerWidth)
            .map((each) => each.outerHTML.slice(0, 80))"""
    )
    return wide


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(scene: Scene, scheme: Any, width: int) -> None:
    """No view, dialog or thread violates a rule that axe knows, in either theme, on a desk and on a phone."""
    page = scene.anns
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for view in VIEWS:
        show(page, view)
        page.wait_for_load_state("networkidle") if view == "welcome" else page.wait_for_timeout(300)
        assert violations(page) == [], view
        assert too_wide(page) == [], view
    show(page, "new")
    page.get_by_role("article").first.get_by_role("link").first.click()
    expect(page.get_by_label("Your reply")).to_be_visible()
    assert violations(page) == []
    show(page, "new")
    page.get_by_role("button", name="Write").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_another_page_gets_nothing(scene: Scene, tmp_path: Path) -> None:
    """Requests, event streams and websockets from another origin are refused, though the browser has a session."""
    (tmp_path / "index.html").write_text("<title>elsewhere</title>")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = scene.context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        node = scene.anns.url.split("#")[0]
        outcome = page.evaluate(
            """async (node) => {
                const opened = (source) => new Promise((resolve) => {
                    source.onopen = () => resolve("open");
                    source.onerror = () => resolve("refused");
                });
                const post = { method: "POST", body: '{"text": "planted"}', credentials: "include" };
                const asked = (path, how) =>
                    fetch(node + path, how).then(async (r) => r.type + (await r.text()), () => "refused");
                return [
                    await asked("api/secrets", { credentials: "include" }),
                    await asked("api/secrets", { ...post, mode: "no-cors" }),
                    await asked("api/secrets", { ...post, headers: { "Content-Type": "application/json" } }),
                    await opened(new EventSource(node + "api/news", { withCredentials: true })),
                    await opened(new WebSocket(node.replace("http", "ws") + "api/news")),
                ];
            }""",
            node,
        )
        server.shutdown()
        page.close()
    assert outcome[0] == outcome[2] == outcome[3] == outcome[4] == "refused"
    assert outcome[1] in ("refused", "opaque")
    status = scene.client(scene.ann).get("/outbox")["waiting"]
    assert [each for each in status if each.get("text") == "planted"] == []


def test_what_is_written_survives_the_node(scene: Scene) -> None:
    """While the node is away the page says so and keeps the draft; after `rumor open` the same page posts it."""
    page = scene.bobs
    show(page, "new")
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Your secret").fill("I waited for you.")
    scene.bob.end()
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Your node does not answer")
    expect(page.get_by_label("Your secret")).to_have_value("I waited for you.")
    expect(page.locator("#banner")).to_contain_text("rumor run")
    scene.bob.start()
    until(lambda: scene.bob.json("status")["post"]["allowed"])
    open_page(scene.context, scene.bob).close()
    expect(page.locator("#banner")).to_be_empty(timeout=TRAVEL_MS)
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")  # Further down a new secret waits behind a button, so that nothing moves.
    expect(card(page, "I waited")).to_be_visible(timeout=TRAVEL_MS)


def test_nobody_else_was_asked(scene: Scene) -> None:
    """Of all requests that the pages made none went elsewhere, and no policy was ever violated."""
    origins = tuple(page.url.split("#")[0] for page in (scene.anns, scene.bobs))
    assert scene.requests
    assert [url for url in scene.requests if not url.startswith(origins)] == []
    # A failed request is a line of the console as well, and some of these tests make requests fail.
    real = [
        each for each in scene.complaints if "Failed to load resource" not in each and "net::ERR" not in each
    ]
    assert real == []
