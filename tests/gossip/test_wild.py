"""Wild: whatever friends say and the owner does, an engine raises nothing and forgets nothing."""

import pytest
from wild import World


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_memory_and_disk_stay_one_and_bounded(seed: int) -> None:
    """So a crash between any two steps splits no persona, uses no slot twice and loses or revives no letter."""
    world = World(seed)
    for _ in range(400):
        world.step()
