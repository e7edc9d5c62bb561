"""The gallery: all pictures of a table in a folder, and the page that has them all."""

from pathlib import Path

from .files import ResultsError
from .page import write_page
from .plots import all_plots, drawable
from .table import origin_of, read

__all__ = ["draw_all"]


def draw_all(path: Path, folder: Path, ending: str = "svg", heading: str = "", seed: int = 1) -> list[Path]:
    """Draws what a table has the columns for; the paths of the pictures and, last, of the page.

    ``seed`` decides where the nodes of a graph are drawn, and nothing else.

    Raises ``ResultsError`` if the table is none, has nothing to draw, or the folder cannot be written.
    """
    from .plots.style import save

    frame, origin = read(path), origin_of(path)
    plots = drawable(frame)
    if not plots:
        known = "; ".join(f"{plot.name} needs {', '.join(plot.needs)}" for plot in all_plots())
        raise ResultsError(f"{path} has nothing to draw: {known}.")
    paths = [folder / f"{plot.name}.{ending}" for plot in plots]
    drawn = [(plot, plot.figure(frame, seed)) for plot in plots]
    for (_, figure), place in zip(drawn, paths, strict=True):
        save(figure, place)
    page = folder / "index.html"
    write_page(page, frame, origin, heading or path.name, drawn)
    return [*paths, page]
