"""Comparisons: all schemes on one graph against several shares of spies, as a sweep and the page that it makes.

The sweep is an ordinary sweep file, which the page shows: whoever wants other cells takes it from there.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from .campaign import carry_out
from .engines import Engine
from .files import ResultsError, put
from .gallery import draw_all
from .sweep import Sweep

__all__ = ["SCHEMES", "SOURCE", "TABLE", "compare", "sweep_text"]

#: What is compared unless said otherwise: the undefended, the published, ours without its onions, and ours.
SCHEMES = ("flood", "diffusion", "adaptive", "dandelion", "stem", "onion")
#: Of the folder of a report.
TABLE = "results.parquet"
SOURCE = "sweep.toml"
#: Packets that a curve of coverage is the mean of.
COVERAGE_RUNS = 64


def sweep_text(
    graph: str,
    spies: Sequence[str],
    schemes: Sequence[str] = SCHEMES,
    *,
    runs: int = 10_000,
    seed: int = 1,
    repeat: int = 1,
    real: str = "",
) -> str:
    """The sweep file of a comparison. ``real`` holds further lines, settings of ``rumor sim run``, for its cells."""
    lines = [
        "# Made by `rumor sim compare`.",
        f"seed = {seed}",
        f"repeat = {repeat}",
        "",
        "[[cells]]",
        'kind = "spread"',
        f"graph = {_quoted(graph)}",
        f"scheme = {_listed(schemes)}",
        f"spies = {_listed(spies)}",
        f"runs = {runs}",
        "",
        "[[cells]]",
        'kind = "coverage"',
        f"graph = {_quoted(graph)}",
        f"scheme = {_listed(schemes)}",
        f"runs = {COVERAGE_RUNS}",
    ]
    if real:
        lines += ["", "[[cells]]", 'kind = "run"', f"spies = {_listed(spies)}", real]
    return "\n".join(lines) + "\n"


def compare(
    text: str,
    folder: Path,
    engine: Callable[[Path], Engine],
    command: str,
    *,
    heading: str,
    tell: Callable[[float, str], None] | None = None,
) -> list[Path]:
    """Does the sweep of a comparison and draws it; the paths of what is in the folder then.

    Raises ``ResultsError``.
    """
    sweep = Sweep.read(text, "the comparison")
    results = folder / TABLE
    carry_out(sweep, results, engine, command, tell)
    source = folder / SOURCE
    put(source, text.encode())
    return [source, results, *draw_all(results, folder, heading=heading)]


def _quoted(text: str) -> str:
    if "\n" in text or '"' in text or "\\" in text:
        raise ResultsError(f"{text!r} cannot stand in a sweep file; give the file another name.")
    return f'"{text}"'


def _listed(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, values)) + "]"
