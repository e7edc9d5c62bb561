"""From nothing to a conversation, on two pages and nothing else: what somebody does who has never seen the project."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import MISSING, TRAVEL_MS, browsing, has_chromium, open_page
from playwright.sync_api import Page, Playwright, expect
from processes import Household

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    made = Household(tmp_path)
    yield made
    made.close()


def confirm(page: Page, words: str) -> None:
    page.get_by_role("button", name="Compare words").click(timeout=TRAVEL_MS)
    page.get_by_label("Type the words").fill(words)
    page.get_by_role("button", name="They are the same").click()


def test_a_friendship_by_the_page_alone(household: Household, playwright: Playwright, tmp_path: Path) -> None:
    """One founds a mesh and invites; the other takes the link up; both compare words; one says something."""
    ann, bob = household.profile("ann"), household.profile("bob")
    for person in (ann, bob):
        person.init()
        person.launch()
    for person in (ann, bob):
        person.wait_up()
    with browsing(playwright, tmp_path / "browser") as context:
        anns, bobs = open_page(context, ann), open_page(context, bob)
        bobs.set_viewport_size({"width": 390, "height": 844})
        anns.get_by_role("button", name="Start the mesh").click()
        expect(anns.get_by_role("alert").filter(has_text="Give the mesh a name")).to_be_visible()
        anns.get_by_label("Its name").fill("Night owls")
        anns.get_by_label("To try it out").check()
        anns.get_by_role("button", name="Start the mesh").click()
        expect(anns.get_by_label("Your own name for them")).to_be_visible()
        expect(anns.get_by_text("They are in this mesh already")).to_have_count(0)  # Nobody is.
        anns.get_by_label("Your own name for them").fill("Bob")
        anns.get_by_role("button", name="Make an invitation").click()
        expect(anns.get_by_role("img", name="The invitation as a QR code")).to_be_visible()
        link = anns.get_by_label("The invitation", exact=True).input_value()

        bobs.get_by_label("The invitation, the whole of it").fill(link[:-9])
        bobs.get_by_role("button", name="Take it up").click()
        expect(bobs.get_by_role("alert").filter(has_text="invitation")).to_be_in_viewport(ratio=1)
        bar = bobs.get_by_role("navigation", name="Sections").bounding_box()
        why = bobs.get_by_role("alert").filter(has_text="invitation").bounding_box()
        assert bar is not None
        assert why is not None
        assert why["y"] + why["height"] <= bar["y"]
        bobs.get_by_label("The invitation, the whole of it").fill(link)
        bobs.get_by_label("Your own name for the friend").fill("Ann")
        bobs.get_by_role("button", name="Take it up").click()

        anns.get_by_role("button", name="Compare words").click(timeout=TRAVEL_MS)
        words = anns.get_by_label("Your words").inner_text()
        assert len(words.split()) == 4
        anns.get_by_role("button", name="They are the same").click()
        expect(anns.get_by_role("alert")).to_contain_text("Type the four words")
        anns.get_by_label("Type the words").fill("abandon ability able about")
        anns.get_by_role("button", name="They are the same").click()
        expect(anns.get_by_role("alert")).to_contain_text("not the words")
        anns.keyboard.press("Escape")
        confirm(anns, words)
        confirm(bobs, words)
        for page in (anns, bobs):
            expect(page.get_by_role("heading", name="You have a friend here")).to_be_visible(
                timeout=TRAVEL_MS
            )
            expect(page.get_by_role("status").get_by_text("waiting for them")).to_have_count(0)
            page.get_by_role("link", name="To the secrets").click()
        # Why not yet stands above the feed as long as it is so.
        expect(bobs.get_by_text("You cannot post yet.")).to_have_count(0, timeout=TRAVEL_MS)
        bobs.get_by_role("button", name="Write").click()
        bobs.get_by_label("Your secret").fill("I already like it here.")
        bobs.get_by_role("button", name="Post", exact=True).click()
        expect(anns.get_by_role("article").filter(has_text="I already like")).to_be_visible(timeout=TRAVEL_MS)
