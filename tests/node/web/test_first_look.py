"""The page at first sight: one node, one browser, no mesh yet. Quick enough for every run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import MISSING, browsing, has_chromium, open_page
from playwright.sync_api import Playwright, expect
from processes import Household

pytestmark = pytest.mark.skipif(not has_chromium(), reason=MISSING)


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    made = Household(tmp_path)
    yield made
    made.close()


def test_from_a_locked_door_to_a_refused_post(
    household: Household, playwright: Playwright, tmp_path: Path
) -> None:
    """Without a link the page is locked; with one it leads to a mesh, and says why nobody may post there yet."""
    ann = household.profile("ann")
    ann.init()
    ann.start()
    with browsing(playwright, tmp_path / "browser") as context:
        page = context.pages[0]
        page.goto(ann.ask("open", "--print").stdout.split("login")[0])
        expect(page.get_by_role("heading", name="This page is locked")).to_be_visible()
        assert ann.json("open")["seconds"] == 300
        page = open_page(context, ann)
        assert "code" not in page.url
        page.get_by_label("Its name").fill("Night owls")
        page.get_by_label("To try it out").check()
        page.get_by_role("button", name="Start the mesh").click()
        expect(page.get_by_role("heading", name="Night owls is yours")).to_be_visible()
        page.get_by_role("button", name="Write").click()
        page.get_by_label("Your secret").fill("I talk to my plants.")
        page.get_by_role("button", name="Post", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("This mesh asks for 1 confirmed friend")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Write").click()
        expect(page.get_by_label("Your secret")).to_have_value("I talk to my plants.")
