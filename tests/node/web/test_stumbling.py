"""What somebody stumbled over who used the page for the first time: things out of reach, and sentences not true."""

import pytest
from pages import MISSING, TRAVEL_MS, Scene, card, choose, has_chromium, open_thread, say, show
from playwright.sync_api import Page, Route, expect
from processes import until

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


def covered(page: Page) -> list[str]:
    """The entries of the open menu that something else lies on, or that are out of sight."""
    hidden: list[str] = page.evaluate(
        """[...document.querySelectorAll(".menu[open] .menu-entry")]
            .filter((each) => {
                const { left, right, top, bottom } = each.getBoundingClientRect();
                const spots = [[left + 9, top + 5], [right - 9, top + 5], [right - 9, bottom - 5]];
                return spots.some(([x, y]) => document.elementFromPoint(x, y) !== each);
            })
            .map((each) => each.innerText)"""
    )
    return hidden


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568), (1280, 700)])
def test_all_of_a_menu_is_in_reach(scene: Scene, width: int, height: int) -> None:
    """Wherever its card stands: at the bottom it opens upwards, and the button to write does not lie on it."""
    page = scene.anns
    if not card(page, "I count the stairs.").count():
        say(scene, "I count the stairs.")
        say(scene, "I skip every third.")
    page.set_viewport_size({"width": width, "height": height})
    for text in ("I count the stairs.", "I skip every third."):
        for place in ("start", "center", "end"):
            more = card(page, text).get_by_label("More to do").first
            more.evaluate("(element, block) => element.scrollIntoView({ block })", place)
            more.evaluate("(element) => element.click()")
            expect(page.locator(".menu[open]")).to_have_count(1)
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert covered(page) == []
            page.keyboard.press("Escape")


def test_what_is_left_out_is_counted_at_once(scene: Scene) -> None:
    """With the card that goes, and still when another secret comes."""
    page = scene.anns
    say(scene, "I hide in the pantry.")
    say(scene, "I know where the key is.")
    page.reload()
    expect(card(page, "pantry")).to_be_visible()
    before = page.get_by_text("left out: hidden").count()
    choose(card(page, "pantry"), "Hide")
    expect(page.get_by_text("left out: hidden")).to_have_count(1)
    counted = page.get_by_text("left out: hidden").inner_text()
    assert before or counted.startswith("1 secret ")
    choose(card(page, "the key"), "Mute the thread")
    expect(page.get_by_text("left out: hidden")).not_to_have_text(counted)
    counted = page.get_by_text("left out: hidden").inner_text()
    say(scene, "I have eaten it all.")
    expect(page.get_by_text(counted)).to_be_visible()
    show(page, "hidden")
    choose(card(page, "pantry"), "Show again")
    choose(card(page, "the key"), "Unmute the thread")
    expect(card(page, "the key")).to_have_count(0)


def test_without_friends_nothing_is_said_to_leave(scene: Scene) -> None:
    """How long something takes is said only while there is somebody whom it could reach."""
    page = scene.anns

    def alone(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "connected": []})

    page.route("**/api/status", alone)
    page.reload()
    page.get_by_role("button", name="Write").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("No friend’s node is connected now")).to_be_visible()
    expect(dialog.get_by_text("Leaves in about")).to_have_count(0)
    page.unroute_all()
    page.reload()


def test_a_day_is_said_as_people_do(scene: Scene) -> None:
    """A friend who was here a minute ago is away since today."""
    page = scene.anns
    since = {"day": ""}

    def away(route: Route) -> None:
        answer = route.fetch()
        friends = answer.json()
        friends["friends"][0] |= {"connected": False, "state": f"unreachable since {since['day']}: it is off"}
        route.fulfill(response=answer, json=friends)

    page.route("**/api/friends", away)
    show(page, "friends")
    for day, said in (("new Date()", "since today"), ("new Date(Date.UTC(2025, 1, 3))", "since February 3")):
        since["day"] = page.evaluate(f"{day}.toISOString().slice(0, 10)")
        expect(page.get_by_text(f"Unreachable {said}: it is off.")).to_be_visible()
    page.unroute_all()


def test_a_heart_does_not_move_the_cards(scene: Scene) -> None:
    """A notice above them is for what no card shows."""
    page = scene.anns
    show(page, "new")
    kinds = ["heart", "vote", "flag"]

    def waiting(route: Route) -> None:
        answer = route.fetch()
        rows = [{"state": "waiting", "sent": 0, "sentence": "Is being signed."} for _ in kinds]
        route.fulfill(response=answer, json={**answer.json(), "outbox": rows})

    page.route("**/api/status", waiting)
    page.route(
        "**/api/outbox", lambda route: route.fulfill(json={"waiting": [{"kind": each} for each in kinds]})
    )
    with page.expect_response("**/api/outbox"):
        page.reload()
    outbox = page.get_by_role("navigation", name="Sections").get_by_role("link", name="Outbox")
    expect(outbox).to_contain_text("3")
    expect(page.locator(".notice")).to_have_count(0)
    kinds.append("secret")
    page.reload()
    expect(page.locator(".notice")).to_have_text("1 in your outbox waits to leave, or is on its way.")
    page.unroute_all()
    page.reload()


def test_what_waits_stays_under_the_finger(scene: Scene) -> None:
    """The wait runs down, and the button that somebody is just pressing is still the same."""
    page = scene.anns
    row = {"id": "0" * 64, "kind": "secret", "text": "soon", "state": "waiting", "withdrawable": True}
    waits = iter(["nine", "four"])
    told = {"wait": "nine"}

    def waiting(route: Route) -> None:
        told["wait"] = next(waits, told["wait"])
        route.fulfill(json={"waiting": [{**row, "sentence": f"Leaves in about {told['wait']} seconds."}]})

    show(page, "mesh")
    page.route("**/api/outbox", waiting)
    show(page, "outbox")
    button = page.get_by_role("button", name="Withdraw").element_handle()
    assert button is not None
    expect(page.get_by_text("Leaves in about four seconds.")).to_be_visible()
    assert button.evaluate("(element) => element.isConnected")
    page.unroute_all()


def test_ones_own_reply_is_read_out_as_ones_own(scene: Scene) -> None:
    """By the ear alone nobody could tell it from another's."""
    page = scene.anns
    say(scene, "I talk to the moth.")
    open_thread(page, "moth")
    page.get_by_label("Your reply").fill("It listens.")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.locator("#spoken")).to_have_text("You replied: It listens.", timeout=TRAVEL_MS)


def test_a_whisper_is_said_to_wait_once_its_dialog_is_gone(scene: Scene) -> None:
    """What was said in the dialog went with it, so that nothing seemed to have happened."""
    page = scene.bobs
    say(scene, "I collect lost gloves.")
    page.route("**/api/outbox", lambda route: route.abort())  # It does not leave meanwhile.
    choose(card(page, "gloves"), "Whisper to the author")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your whisper").fill("One of them is mine.")
    dialog.get_by_role("button", name="Whisper", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("status").locator(".toast")).to_contain_text("In your outbox")
    page.unroute_all()
    for person in (scene.ann, scene.bob):  # Others count what is whispered.
        client = scene.client(person)
        until(lambda client=client: client.get("/whispers")["conversations"])
        for each in client.get("/whispers")["conversations"]:
            client.send("DELETE", f"/whispers/{each['id']}")
