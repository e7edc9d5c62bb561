"""Sweeps, comparisons and pictures from Python, as they read in a notebook.

>>> from rumor.sim import plot, sweep
>>> table = sweep({"graph": "random-regular:n=1000,degree=4", "scheme": ["diffusion", "stem"], "spies": [0.1, 0.2]})
>>> plot(table)

What comes back are Polars data frames, with the columns of the tables on disk.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from . import compare as comparison
from .campaign import carry_out
from .engines import Engine, Here, open_engine
from .files import ResultsError
from .plots import Plot, drawable
from .sweep import Sweep
from .table import read

if TYPE_CHECKING:
    import polars
    from matplotlib.figure import Figure

__all__ = ["Picture", "compare", "plot", "sweep"]

#: For results that nobody wants to keep.
_COMMAND = "rumor.sim.sweep(…) in Python"


@dataclass(frozen=True)
class Picture:
    """A picture that a notebook shows."""

    figure: "Figure"
    """Matplotlib's, for whoever wants to change it."""

    def save(self, path: Path | str) -> None:
        """Writes it as .svg, .png or .pdf. Raises ``ResultsError``."""
        from .plots.style import save

        save(self.figure, Path(path))

    def _repr_svg_(self) -> str:
        from .plots.style import picture

        return picture(self.figure, "svg").decode()


def sweep(
    source: Path | str | Mapping[str, Any],
    out: Path | str | None = None,
    *,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    tell: Callable[[float, str], None] | None = None,
) -> "polars.DataFrame":
    """Does all tasks of a sweep.

    Args:
        source: the path of a sweep file, or what would stand in one: settings with a value or a list of them each,
            ``kind``, ``seed``, ``repeat`` and ``cells``.
        out: where the table is kept; the same call goes on where it stopped. Without it the table is only returned.
        workers: processes at the same time, by default one for each core; 0 for this process.
        engine: ``local`` or ``dask``.
        address: the scheduler of the cluster.
        tell: told the share that is done, and some words.

    Raises:
        ResultsError: with a sentence.
    """
    made = Sweep.read(tomli_w.dumps(source)) if isinstance(source, Mapping) else Sweep.load(Path(source))
    with _somewhere(out) as path:
        carry_out(made, path, _engine(workers, engine, address), _COMMAND, tell)
        return read(path)


def compare(
    graph: str,
    spies: Sequence[float | str] = (0.05, 0.1, 0.2, 0.3),
    schemes: Sequence[str] = comparison.SCHEMES,
    *,
    out: Path | str | None = None,
    runs: int = 10_000,
    seed: int = 1,
    repeat: int = 1,
    traffic: bool = False,
    workers: int | None = None,
    tell: Callable[[float, str], None] | None = None,
) -> "polars.DataFrame":
    """Compares schemes on one graph; with ``out``, a folder, it also writes the report.

    Of each scheme all estimators are asked that are worth it. With ``traffic`` two small meshes are simulated as well.
    Raises ``ResultsError``.
    """
    text = comparison.sweep_text(
        graph, [str(each) for each in spies], schemes, runs=runs, seed=seed, repeat=repeat, traffic=traffic
    )
    if out is None:
        with _somewhere(None) as path:
            carry_out(Sweep.read(text), path, _engine(workers, "local", None), _COMMAND, tell)
            return read(path)
    heading = f"Anonymity on {graph}"
    comparison.compare(
        text,
        Path(out),
        _engine(workers, "local", None),
        "rumor.sim.compare(…) in Python",
        heading=heading,
        seed=seed,
        tell=tell,
    )
    return read(Path(out) / comparison.TABLE)


def plot(table: "polars.DataFrame | Path | str", name: str | None = None, *, seed: int = 1) -> Picture:
    """Draws a table: the picture of this name, by default the first that the table has the columns for.

    ``seed`` decides where the nodes of a graph are drawn, and nothing else.

    Raises ``ResultsError`` if there is none.
    """
    frame = read(table) if isinstance(table, Path | str) else table
    plots: list[Plot] = [plot for plot in drawable(frame) if name in (None, plot.name)]
    if not plots:
        has = ", ".join(plot.name for plot in drawable(frame))
        raise ResultsError(
            f"The table has no columns for {name or 'any picture'}; what can be drawn is: {has or '–'}."
        )
    return Picture(plots[0].figure(frame, seed))


def _engine(workers: int | None, engine: str, address: str | None) -> Callable[[Path], Engine]:
    if workers == 0:
        return Here
    return lambda graphs: open_engine(engine, workers, address, graphs)


@contextmanager
def _somewhere(out: Path | str | None) -> Iterator[Path]:
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="rumor-sweep-") as folder:
        yield Path(folder) / "results.parquet"
