"""Progress: seldom, with what is left, and on one line of a terminal."""

import pytest

from rumor.sim.commands import progress
from rumor.sim.commands.progress import Teller, duration


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min")]
)
def test_durations_have_two_parts_at_the_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("is_terminal", "lines"), [(True, 30), (False, 3)])
def test_it_is_told_every_second_on_a_terminal_and_else_every_ten(
    is_terminal: bool, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    teller = Teller(is_terminal=is_terminal, began_at=0.0, _told_at=0.0)
    for tenths in range(1, 301):
        now = tenths / 10
        teller.tell(tenths / 300, f"{tenths} runs")
    out = capsys.readouterr()
    assert out.out == ""
    told = out.err.replace("\r", "\n").split("\n")
    assert len([line for line in told if line]) == lines
    assert "33%, 100 runs, 20 s left" in out.err
    assert out.err.rstrip(" \n").endswith("100%, 300 runs")
    assert out.err.endswith("\n")
