"""What the tests of the page share: one driver of browsers, since there can be only one, and one scene for all that
needs two nodes, since starting and befriending them takes longer than most tests."""

from collections.abc import Iterator

import pytest
from pages import Scene, browsing, open_page, pair
from playwright.sync_api import Playwright, sync_playwright
from processes import Household


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def stage(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("page")
    household = Household(home)
    try:
        ann, bob = pair(household)
        with browsing(playwright, home / "browser", viewport={"width": 1280, "height": 900}) as context:
            scene = Scene(ann, bob, context, open_page(context, ann), open_page(context, bob))
            scene.watch()
            yield scene
    finally:
        household.close()


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.tidy()
    return stage
