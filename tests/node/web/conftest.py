"""One scene for all tests of the page before two nodes: starting and befriending them takes longer than most tests."""

from collections.abc import Iterator

import pytest
from pages import Scene, browsing, open_page, pair
from processes import Household


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("page")
    household = Household(home)
    try:
        ann, bob = pair(household)
        with browsing(home / "browser", viewport={"width": 1280, "height": 900}) as context:
            scene = Scene(ann, bob, context, open_page(context, ann), open_page(context, bob))
            scene.watch()
            yield scene
    finally:
        household.close()


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.tidy()
    return stage
