"""The repository holds to its own map: who may import whom, which packages exist, and pinned versions."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = ("crypto", "gossip", "node", "sim")
MAY_IMPORT = {
    "crypto": {"crypto"},
    "gossip": {"crypto", "gossip"},
    "node": {"crypto", "gossip", "node"},
    "sim": {"crypto", "gossip", "sim"},
}


def sources(folder: str) -> Iterator[Path]:
    yield from sorted((ROOT / folder).rglob("*.py"))


def imported_folders(path: Path) -> Iterator[tuple[int, str]]:
    """Yields (line, folder) for each import of one of our own folders, relative or absolute."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "rumor" and len(parts) > 1:
                    yield node.lineno, parts[1]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = ("rumor", *package)[: len(package) + 2 - node.level]
                full = (*base, *(node.module.split(".") if node.module else ()))
                names = [full[1]] if len(full) > 1 else [alias.name for alias in node.names]
                yield from ((node.lineno, name) for name in names)
            elif node.module and node.module.split(".")[0] == "rumor":
                parts = node.module.split(".")
                names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
                yield from ((node.lineno, name) for name in names)


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_import_only_what_stands_below_them(folder: str) -> None:
    """crypto knows nobody, gossip knows crypto, node and sim know both and never each other."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(folder)
        for line, name in imported_folders(path)
        if name not in MAY_IMPORT[folder]
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", [*FOLDERS, "tests", "benchmarks"])
def test_nobody_imports_a_folder_by_its_bare_name(folder: str) -> None:
    """A top-level `crypto` would be somebody else's package on a case-insensitive disk."""
    bare = re.compile(r"^\s*(?:import|from)\s+(crypto|gossip|node|sim)\b", re.MULTILINE)
    assert [str(path) for path in sources(folder) if bare.search(path.read_text())] == []


def test_only_the_curve_touches_libsecp256k1() -> None:
    """libsecp256k1 aborts the process on illegal arguments, so one module makes all calls."""
    users = [
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in sources(folder)
        if re.search(r"^\s*(?:import|from)\s+coincurve", path.read_text(), re.MULTILINE)
    ]
    assert users == ["crypto/curve.py"]


def test_the_core_touches_no_clock_socket_disk_or_global_randomness() -> None:
    """crypto may draw from the operating system; gossip is given everything."""
    forbidden = {
        "time",
        "socket",
        "os",
        "pathlib",
        "random",
        "secrets",
        "trio",
        "threading",
        "asyncio",
        "datetime",
    }
    wrong = []
    for path in sources("gossip"):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            wrong += [f"{path.name}: {name}" for name in names if name.split(".")[0] in forbidden]
    assert wrong == []


def test_the_package_list_is_complete() -> None:
    """A folder with an __init__ that setuptools is not told of would be missing from every wheel."""
    found = sorted(
        "rumor." + ".".join(path.parent.relative_to(ROOT).parts)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("__init__.py")
    )
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_the_links_for_type_checkers_point_home() -> None:
    for folder in FOLDERS:
        assert os.readlink(ROOT / "links" / "rumor" / folder) == f"../../{folder}"


def test_every_dependency_is_pinned_exactly() -> None:
    """There is no lock file, so the constraints carry the versions."""
    pins = {pin.split("==")[0] for pin in PROJECT["tool"]["uv"]["constraint-dependencies"] if "==" in pin}
    named = [
        *PROJECT["project"]["dependencies"],
        *(entry for group in PROJECT["project"].get("optional-dependencies", {}).values() for entry in group),
        *(entry for group in PROJECT["dependency-groups"].values() for entry in group),
    ]
    names = {re.split(r"[\[<>=!~; ]", entry)[0] for entry in named}
    assert names - pins == {"rumor"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_says_what_it_is(folder: str) -> None:
    assert [str(path) for path in sources(folder) if not ast.get_docstring(ast.parse(path.read_text()))] == []
