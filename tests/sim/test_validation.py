"""Validation: it finds what is known, and would find it if something were wrong."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from rumor.sim.commands import main
from rumor.sim.validation import known
from rumor.sim.validation.known import KNOWN
from rumor.sim.validation.measured import Measured
from rumor.sim.validation.validate import Comparison, Verdict, compare_all, is_valid

#: Those that take some milliseconds once they are compiled.
QUICK = [each for each in KNOWN if "p = 0.2" in each.name or "Crowds" in each.name]


def comparison(value: float, error: float = 0.001) -> Comparison:
    return Comparison(
        known=replace(KNOWN[0], expected=0.5), measured=Measured(value=value, error=error, runs=1)
    )


def test_verdicts_are_about_standard_errors() -> None:
    assert comparison(0.5019).verdict is Verdict.AGREES
    assert comparison(0.4979).verdict is Verdict.STRAYS
    assert comparison(0.5031).verdict is Verdict.DIFFERS
    assert comparison(0.5, 0.01).verdict is Verdict.BLURRED


def test_one_in_ten_may_stray_and_none_may_differ() -> None:
    agrees, strays, differs = comparison(0.5), comparison(0.5025), comparison(0.51)
    assert is_valid([agrees] * 9 + [strays])
    assert not is_valid([agrees] * 8 + [strays] * 2)
    assert not is_valid([agrees] * 99 + [differs])
    assert not is_valid([agrees] * 99 + [comparison(0.5, 0.01)])


def test_what_is_quick_agrees() -> None:
    found = list(compare_all(QUICK, 1, 1))
    assert len(found) >= 8
    assert is_valid(found), [(each.known.name, each.errors_off) for each in found]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_agrees(seed: int) -> None:
    found = list(compare_all(KNOWN, seed, 2))
    assert is_valid(found), [(each.known.name, each.errors_off) for each in found]


def test_a_value_that_fails_ends_the_command_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(QUICK[0], expected=QUICK[0].expected * 1.1)
    monkeypatch.setattr(known, "KNOWN", (wrong,))
    result = CliRunner().invoke(main, ["validate", "--json"])
    assert result.exit_code == 1
    assert '"valid": false' in result.stdout
