"""Comparisons: all schemes on one graph against several shares of spies, as a sweep and the page that it makes.

The sweep is an ordinary sweep file, which the page shows: whoever wants other cells takes it from there.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ..estimators import ESTIMATORS, Need
from ..graphs.families import FAMILIES
from ..graphs.graph import GraphError
from ..graphs.spec import parse
from .campaign import carry_out
from .engines import Engine
from .files import ResultsError, put
from .gallery import draw_all
from .shelf import stamp_of
from .spreading import nodes_of_file
from .sweep import Sweep

__all__ = ["SCHEMES", "SOURCE", "TABLE", "check", "compare", "estimators_of", "sweep_text"]

#: What is compared unless said otherwise: the undefended, the published, ours without its onions, and ours.
SCHEMES = ("flood", "diffusion", "adaptive", "dandelion", "stem", "onion")
#: Of the folder of a report.
TABLE = "results.parquet"
SOURCE = "sweep.toml"
#: Packets that a curve of coverage is the mean of.
COVERAGE_RUNS = 64
#: Estimators that take a hundred times as long as others: up to how many nodes they are asked, and of how many runs.
COSTLY = {"timestamps": (1_000, 500)}
#: Nodes that can still be told apart in a picture of the graph.
PICTURED_MAX = 600
#: The two worlds whose traffic is shown: a mesh so small that an hour of both is simulated in seconds.
TRAFFIC = {"nodes": 16, "graph": '"random-regular"', "mean_degree": 4, "hours": 0.5, "settle_s": 900}


def estimators_of(scheme: str, node_count: int) -> list[str]:
    """Those that are worth asking about a scheme: all that have a model of it or need none, as far as they are quick.

    Who sees a snapshot instead of spies is another adversary, and not among them.
    """
    asked = [
        each
        for each in ESTIMATORS.values()
        if each.suits(scheme)
        and Need.SNAPSHOT not in each.needs
        and node_count <= COSTLY.get(each.name, (node_count, 0))[0]
    ]
    # A flow of onions is no row of single packets.
    flows = [each for each in asked if Need.FLOW in each.needs]
    return [each.name for each in flows or asked]


def sweep_text(
    graph: str,
    spies: Sequence[str],
    schemes: Sequence[str] = SCHEMES,
    *,
    runs: int = 10_000,
    seed: int = 1,
    repeat: int = 1,
    traffic: bool = True,
    real: str = "",
) -> str:
    """The sweep file of a comparison.

    Args:
        graph: in words.
        spies: shares, as text.
        schemes: what is compared.
        runs: for each scheme, share and estimator; costly ones get fewer.
        seed: of the first graph and spies.
        repeat: how many of them.
        traffic: whether two worlds are simulated whose traffic is shown.
        real: further lines, settings of ``rumor sim run``, for cells with real engines.

    Raises:
        ResultsError: there is no such graph, or none that can be compared on.
    """
    nodes = _node_count(graph)
    cells: list[dict[str, str]] = []
    for scheme in schemes:
        asked = estimators_of(scheme, nodes)
        quick = [name for name in asked if name not in COSTLY]
        parts = [(quick, runs), *(([name], min(runs, COSTLY[name][1])) for name in asked if name in COSTLY)]
        cells += [
            {
                "kind": '"spread"',
                "graph": _quoted(graph),
                "scheme": _quoted(scheme),
                "spies": _listed(spies),
                "estimator": _listed(names),
                "runs": str(count),
            }
            for names, count in parts
            if names
        ]
    cells.append(
        {
            "kind": '"coverage"',
            "graph": _quoted(graph),
            "scheme": _listed(schemes),
            "runs": str(COVERAGE_RUNS),
        }
    )
    if nodes <= PICTURED_MAX:
        cells.append({"kind": '"spreading"', "graph": _quoted(graph)})
    if traffic:
        cells.append({"kind": '"traffic"', **{name: str(value) for name, value in TRAFFIC.items()}})
    lines = ["# Made by `rumor sim compare`.", f"seed = {seed}", f"repeat = {repeat}"]
    for cell in cells:
        lines += ["", "[[cells]]", *(f"{name} = {value}" for name, value in cell.items())]
    if real:
        lines += ["", "[[cells]]", 'kind = "run"', f"spies = {_listed(spies)}", real]
    return "\n".join(lines) + "\n"


def check(text: str) -> None:
    """Raises ``ResultsError`` if the sweep of a comparison will not do, which names the option and no line of ours."""
    try:
        Sweep.read(text, "")
    except ResultsError as error:
        sentence = re.sub(r"^, line \d+, (\w+)", lambda found: f"--{found[1].replace('_', '-')}", str(error))
        raise ResultsError(sentence) from error


def _node_count(text: str) -> int:
    """How many nodes a graph has. A file is read, so that what is wrong with it is said before anything runs."""
    try:
        spec = parse(text)
        if "n" in spec.numbers:
            return int(spec.numbers["n"])
        if spec.kind not in FAMILIES:
            return nodes_of_file(text, stamp_of(text))
    except GraphError as error:
        raise ResultsError(f"--graph: {error}") from error
    raise ResultsError(
        "--graph: most schemes cannot be grown on an infinite tree; take random-regular:n=…,degree=…."
    )


def compare(
    text: str,
    folder: Path,
    engine: Callable[[Path], Engine],
    command: str,
    *,
    heading: str,
    seed: int = 1,
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
    return [source, results, *draw_all(results, folder, heading=heading, seed=seed)]


def _quoted(text: str) -> str:
    if "\n" in text or '"' in text or "\\" in text:
        raise ResultsError(f"{text!r} cannot stand in a sweep file; give the file another name.")
    return f'"{text}"'


def _listed(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, values)) + "]"
