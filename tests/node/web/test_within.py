"""What comes in from elsewhere and what goes out: nothing. The last of the tests before two nodes, by its name."""

import http.server
import threading
from functools import partial
from pathlib import Path

import pytest
from pages import MISSING, TRAVEL_MS, Scene, card, has_chromium, open_page, show
from playwright.sync_api import expect
from processes import until

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


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
