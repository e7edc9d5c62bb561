"""The look of all pictures: colours that everybody can tell apart, labels beside what they name, nothing else.

Colours are those of Okabe and Ito (2008), one for each scheme in every picture. Ink and paper are exact colours, so
that a page can put its own in their place and be dark or light.
"""

import io
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import matplotlib.colors
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import ResultsError, put

__all__ = [
    "COLOURS",
    "FAINT",
    "HALO",
    "IDLE",
    "IDLE_SPY",
    "INK",
    "PAPER",
    "QUIET",
    "canvas",
    "colour",
    "dark",
    "in_words",
    "inline",
    "label_ends",
    "panel_title",
    "picture",
    "save",
    "share_axis",
    "time_axis",
    "title",
]

INK: Final = "#1b1f24"
QUIET: Final = "#6a727b"
"""What is read second."""
FAINT: Final = "#dfe3e7"
"""Lines that only guide the eye."""
PAPER: Final = "#fdfdfe"
IDLE: Final = "#b9c0c7"
"""Who has nothing yet."""
IDLE_SPY: Final = "#eab38f"

COLOURS: Final = {
    "flood": "#d55e00",
    "diffusion": "#e69f00",
    "adaptive": "#cc79a7",
    "dandelion": "#56b4e9",
    "dandelion-one-to-one": "#56b4e9",
    "dandelion-per-edge": "#3f97cf",
    "dandelion-per-transaction": "#2b7bb0",
    "dandelion-all-to-one": "#86cdf3",
    "stem": "#0072b2",
    "onion": "#009e73",
}
#: For what has no colour of its own.
_MORE: Final = ("#7f4fa3", "#8a6d3b", "#4d4d4d", "#b8a600")
#: What is cut from the coordinates of a picture.
_SHORTER: Final = re.compile(rb"(\.\d\d)\d+")
#: Points between the lines of two labels.
_LABEL_GAP: Final = 12.5
#: Points by which a label may be off without a line that leads to it.
_LED: Final = 4.0
#: Behind labels among lines.
HALO: Final = {"facecolor": PAPER, "alpha": 0.8, "edgecolor": "none", "pad": 1.0}
_RULES: Final[Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "figure.facecolor": PAPER,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 10,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "savefig.facecolor": PAPER,
    # Text stays text: it can be searched, read aloud, and is a tenth of the size.
    "svg.fonttype": "none",
    # The same picture has the same bytes.
    "svg.hashsalt": "rumor",
    "text.color": INK,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9,
    "xtick.minor.size": 0,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}


@cache
def colour(name: str) -> str:
    """The colour of a scheme."""
    if name in COLOURS:
        return COLOURS[name]
    return _MORE[sum(name.encode()) % len(_MORE)]


def canvas(
    columns: int = 1, rows: int = 1, *, width: float = 7.4, height: float = 4.4, **more: Any
) -> Figure:
    """A figure with ``figure.axes`` in reading order. No window, no global state."""
    with mpl.rc_context(_RULES):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.subplots(rows, columns, squeeze=False, **more)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.1, h_pad=0.08, wspace=0.04, hspace=0.06)
    return figure


def title(figure: Figure, says: str, of: str = "") -> None:
    """What a picture says, in a sentence, and of what world."""
    figure.suptitle(says, x=0.012, ha="left", fontsize=12.5, fontweight="bold", color=INK)
    if of:
        # In the first panel's title, so that the layout leaves room.
        panel_title(figure.axes[0], of)


def panel_title(axes: Axes, text: str) -> None:
    """What one panel shows, quietly."""
    axes.set_title(text, loc="left", fontsize=9.5, color=QUIET, pad=8)


def dark(ink: str) -> str:
    """A colour that thin letters can be read in."""
    red, green, blue = mpl.colors.to_rgb(ink)
    return ink if ink in (INK, QUIET) else mpl.colors.to_hex((0.78 * red, 0.78 * green, 0.78 * blue))


def share_axis(axes: Axes, low: float, high: float) -> None:
    """A logarithmic axis of probabilities, upwards, with ticks in per cent."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    ticks = [tick for power in range(-7, 1) for tick in (10.0**power, 3 * 10.0**power) if low <= tick <= high]
    axes.set_yticks(ticks, [_percent(tick) for tick in ticks])
    axes.set_yticks([], minor=True)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def time_axis(axes: Axes, low_s: float, high_s: float) -> None:
    """A logarithmic axis of times, to the right, with ticks that people use."""
    axes.set_xscale("log")
    axes.set_xlim(low_s, high_s)
    steps = [0.01, 0.1, 1, 5, 20, 60, 300, 1_200, 3_600, 4 * 3_600, 12 * 3_600, 86_400, 7 * 86_400]
    ticks = [step for step in steps if low_s <= step <= high_s]
    axes.set_xticks(ticks, [in_words(tick) for tick in ticks])
    axes.set_xticks([], minor=True)


def in_words(seconds: float) -> str:
    """A time with one unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{1_000 * seconds:.3g} ms"


def label_ends(axes: Axes, labels: Sequence[tuple[float, float, str, str]], *, shift: float = 12) -> None:
    """Writes names beside the ends of lines: (x, y, text, colour), moved apart where they would overlap."""
    if not labels:
        return
    figure: Any = axes.figure
    # The layout decides where points are.
    figure.draw_without_rendering()
    points = [axes.transData.transform((x, y))[1] * 72 / figure.dpi for x, y, _, _ in labels]
    gaps = [_LABEL_GAP * (1 + text.count("\n")) for _, _, text, _ in labels]
    places = _apart(np.array(points), np.array(gaps))
    for (x, y, text, ink), point, place in zip(labels, points, places, strict=True):
        axes.annotate(
            text,
            (x, y),
            (shift, place - point),
            textcoords="offset points",
            color=dark(ink),
            fontsize=9.5,
            va="center",
            annotation_clip=False,
            # Who was moved away is led back.
            arrowprops=None
            if abs(place - point) < _LED
            else {
                "arrowstyle": "-",
                "color": ink,
                "linewidth": 0.7,
                "alpha": 0.7,
                "relpos": (0, 0.5),
                "shrinkB": 4,
            },
        )


def _apart(points: "np.ndarray[Any, Any]", gaps: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Places as near to points as can be that leave gaps between: pushes neighbours apart until all fit."""
    order = np.argsort(points, kind="stable")
    places = points[order].astype(float)
    needed = (gaps[order][1:] + gaps[order][:-1]) / 2
    for _ in range(200):
        lack = needed - np.diff(places)
        if not len(lack) or lack.max() < 0.1:
            break
        push = np.clip(lack, 0, None) / 2
        places[:-1] -= push
        places[1:] += push
    apart = np.empty_like(places)
    apart[order] = places
    return apart


def inline(figure: Figure, name: str) -> str:
    """A picture as a part of a page, in the page's own ink and paper; ``name`` sets its ids apart."""
    svg = picture(figure, "svg").decode()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    # On a narrow screen it is scrolled rather than shrunk until nobody can read it.
    width = float(re.search(r' width="([\d.]+)pt"', svg)[1])  # type: ignore[index]
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = svg.replace("<svg", f'<svg style="min-width: {0.9 * width:.0f}px"', 1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|xlink:href="#)', rf"\g<1>{name}-", svg)
    for ink in (*COLOURS.values(), *_MORE):
        # Letters come nearer to the ink, which is light on dark paper.
        svg = svg.replace(f"fill: {dark(ink)}", f"fill: color-mix(in srgb, {ink} 72%, currentColor)")
    of_page = {
        INK: "currentColor",
        PAPER: "var(--paper)",
        FAINT: "var(--line)",
        QUIET: "var(--quiet)",
        IDLE: "var(--idle)",
        IDLE_SPY: "var(--idle-spy)",
    }
    for own, name in of_page.items():
        svg = svg.replace(own, name)
    return svg


def picture(figure: Figure, ending: str) -> bytes:
    """The bytes of a picture; ``ending`` is svg, png or pdf."""
    file = io.BytesIO()
    with mpl.rc_context(_RULES):
        when = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending, {})
        figure.savefig(file, format=ending, dpi=200, metadata=when)
    if ending != "svg":
        return file.getvalue()
    # A hundredth of a point is finer than any screen; this halves what has many lines.
    return re.sub(
        rb'( (?:d|x|y)=")([^"]*)', lambda found: found[1] + _SHORTER.sub(rb"\1", found[2]), file.getvalue()
    )


def save(figure: Figure, path: Path) -> None:
    """Writes a picture, of the kind that the name ends with. Raises ``ResultsError``."""
    ending = path.suffix.removeprefix(".").lower()
    if ending not in ("svg", "png", "pdf"):
        raise ResultsError(f"{path}: pictures are .svg, .png or .pdf.")
    put(path, picture(figure, ending))
