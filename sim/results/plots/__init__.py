"""Plots: pictures that are drawn from tables, and from nothing else.

One file a plot: it has a ``PLOT`` that says which columns it needs and draws a figure from a data frame. To add one,
add a file; ``rumor sim plot`` and the report find it and draw it from every table that has the columns. The look is in
``style``.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars
    from matplotlib.figure import Figure

__all__ = ["Plot", "all_plots", "drawable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One way to draw a table."""

    name: str
    """Of the file that is written, without its ending."""
    title: str
    """What it shows, for the report."""
    needs: tuple[str, ...]
    """Columns that a table must have, with at least one value each."""
    draw: "Callable[..., Figure]"
    """From a data frame; and, if ``takes_seed``, a number that decides what is left to chance."""
    suits: "Callable[[polars.DataFrame], bool]" = lambda _: True
    """Whether a table that has the columns is worth drawing."""
    place: int = 100
    """Where it comes in the report; the least first."""
    takes_seed: bool = False
    """Whether chance has a part in how it looks, though none in what it says."""

    def figure(self, frame: "polars.DataFrame", seed: int = 1) -> "Figure":
        """Draws it."""
        return self.draw(frame, seed) if self.takes_seed else self.draw(frame)


@cache
def all_plots() -> tuple[Plot, ...]:
    """All plots that there are, in the order of a report."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    plots = [module.PLOT for module in modules if hasattr(module, "PLOT")]
    return tuple(sorted(plots, key=lambda plot: (plot.place, plot.name)))


def drawable(frame: "polars.DataFrame") -> list[Plot]:
    """The plots that this table has the columns for, and that it is worth drawing by."""
    has = {name for name in frame.columns if frame[name].null_count() < frame.height}
    return [plot for plot in all_plots() if has.issuperset(plot.needs) and plot.suits(frame)]
