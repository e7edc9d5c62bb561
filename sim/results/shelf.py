"""The shelf: a folder where graphs are kept from task to task, each once, as files that are mapped into memory.

A graph stands in a folder named by its digest, so that all workers of a machine share one copy. Beside it, a small file
for each description that was asked for (words and seed) says which digest it gave, and what its nodes are called.
Workers that do not see the folder of the sweep, on other machines, have one of their own; graphs that come from files
are sent to them. A shelf lasts as long as a campaign, so that a file that has changed since is read again.
"""

import atexit
import hashlib
import json
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .files import put
from .program import program

if TYPE_CHECKING:
    from ..graphs.graph import Graph
    from ..graphs.tree import Tree

__all__ = ["keep", "name_of", "stamp_of", "take", "travels"]


def name_of(text: str, seed: int) -> str:
    """64 hexadecimal digits that tell what is asked for, and from which code. A file is the same for all seeds."""
    words = [program(), text, None if travels(text) else seed]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def take(folder: Path, text: str, seed: int) -> "Graph | Tree":
    """The graph of a description, made only if nobody made it before. Raises ``GraphError``."""
    from ..graphs.graph import Graph
    from ..graphs.spec import read

    folder = _reachable(folder)
    note = folder / name_of(text, seed)
    try:
        said = json.loads(note.read_bytes())
        return replace(Graph.load(folder / said["digest"]), names=said["names"])
    except (OSError, ValueError, EOFError):  # Not asked for before, or damaged since.
        graph = read(text, seed)
    if isinstance(graph, Graph):
        keep(folder, note.name, graph)
    return graph


def keep(folder: Path, name: str, graph: "Graph") -> None:
    """Puts a graph on the shelf as what a description gives."""
    folder = _reachable(folder)
    home = folder / graph.digest
    if not home.exists():
        # Workers may do this at the same time, so each writes for itself, and who is first wins.
        own = Path(tempfile.mkdtemp(prefix=".own-", dir=folder))
        try:
            graph.save(own).rename(home)
        except OSError:
            if not home.exists():
                raise
        finally:
            shutil.rmtree(own, ignore_errors=True)
    put(folder / name, json.dumps({"digest": graph.digest, "names": graph.names}).encode())


def travels(text: str) -> bool:
    """Whether a description may mean something else on another machine: a file."""
    from ..graphs.families import FAMILIES

    return text.partition(":")[0] not in FAMILIES


def stamp_of(text: str) -> str:
    """Tells a file from what it was before; empty for what is no file."""
    if not travels(text):
        return ""
    kind, colon, place = text.partition(":")
    for path in (Path(text), Path(place if colon and kind in ("file", "largest") else text)):
        if path.is_file():
            found = path.stat()
            return f"{found.st_size} {found.st_mtime_ns}"
    return ""


def _reachable(folder: Path) -> Path:
    """The folder, or one of this process where nothing is known of the place."""
    if not folder.parent.parent.exists():
        return _own()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def _own() -> Path:
    own = Path(tempfile.mkdtemp(prefix="rumor-graphs-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own
