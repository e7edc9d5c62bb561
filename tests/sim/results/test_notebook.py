"""The notebook of the documentation: small, executed, of no machine in particular, and still true of the API."""

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

import rumor.sim
from rumor.sim import Trial
from rumor.sim.results.tasks import KINDS

PATH = Path(__file__).parents[3] / "docs" / "simulator.ipynb"
SIZE_MAX = 500_000


def notebook() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return read


def code_cells() -> list[dict[str, Any]]:
    return [cell for cell in notebook()["cells"] if cell["cell_type"] == "code"]


def calls() -> list[ast.Call]:
    trees = [ast.parse("".join(cell["source"])) for cell in code_cells()]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_it_was_executed_and_is_small_enough_to_be_kept() -> None:
    """In order, each cell with an output but the imports, and none of them an error or a warning."""
    assert PATH.stat().st_size < SIZE_MAX
    cells = code_cells()
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [[output["output_type"] for output in cell["outputs"]] for cell in cells]
    assert kinds == [[], *[["execute_result"]] * (len(cells) - 1)]
    pictures = [cell for cell in cells if "image/svg+xml" in str(cell["outputs"])]
    assert len(pictures) == 4


def test_nothing_in_it_tells_of_a_machine() -> None:
    """Neither paths nor times nor versions of Python: it is the same wherever it was executed."""
    text = PATH.read_text(encoding="utf-8")
    assert not re.search(r"/(work|tmp|home|root|usr|var)/|site-packages|[A-Z]:\\\\", text)
    assert notebook()["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(cell["metadata"] == {} for cell in notebook()["cells"])


def test_it_uses_what_there_is() -> None:
    """Every name that it imports, every argument that it gives, and every setting of its sweeps."""
    names = {
        alias.name
        for cell in code_cells()
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.ImportFrom) and node.module == "rumor.sim"
        for alias in node.names
    }
    assert {"compare", "plot", "spread", "sweep"} <= names <= set(rumor.sim.__all__)
    given: dict[str, set[str]] = {"spread": set(), "compare": set(), "plot": set()}
    for call in calls():
        name = getattr(call.func, "id", "")
        if name in given:
            given[name] |= {word.arg for word in call.keywords if word.arg}
        elif name == "sweep":
            settings: dict[str, Any] = ast.literal_eval(call.args[0])
            known = KINDS[settings.get("kind", "spread")].settings()
            assert settings.keys() <= {*known, "kind", "seed", "repeat"}
    assert given["spread"] <= set(inspect.signature(Trial).parameters)
    for name in ("compare", "plot"):
        assert given[name] <= set(inspect.signature(getattr(rumor.sim, name)).parameters)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_still_runs() -> None:
    """All cells, in a kernel of its own; and what it prints of compiled code is what it printed before."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    made = nbformat.read(PATH, as_version=4)
    nbclient.NotebookClient(made, timeout=600, kernel_name="python3").execute()
    for cell, kept in zip(
        [each for each in made.cells if each.cell_type == "code"], code_cells(), strict=True
    ):
        for output, before in zip(cell.outputs, kept["outputs"], strict=True):
            text = "".join(before["data"]["text/plain"])
            assert output["data"]["text/plain"] == text
