"""The house style of all plots: calm, transparent, and legible on white and on near-black alike."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from loopwright.report.marking import harmless

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRAIN, VALIDATION, TEXT, ALARM = "#4b87e8", "#e07b28", "#7c838d", "#d84a3f"
PALETTE = (TRAIN, VALIDATION, "#35a671", "#ad62cf", "#d2566f", "#27a3b0", "#a08f2c", "#7c838d")
"""For several curves of one kind."""

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": TEXT,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": TEXT,
    "axes.linewidth": 0.8,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": TEXT,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "grid.alpha": 0.22,
    "grid.color": TEXT,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "legend.labelcolor": TEXT,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "path.simplify": False,
    "savefig.dpi": 72,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "loopwright",
    "text.color": TEXT,
    "xtick.color": TEXT,
    "xtick.major.size": 3,
    "ytick.color": TEXT,
    "ytick.major.size": 0,
}
# Layout is measured in DejaVu Sans, which comes with matplotlib and is wider than what readers' systems use.
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def render(draw: Callable[[Figure], None], width: float, height: float) -> str:
    """What `draw` draws as an SVG of `width` times `height` pixels: the same drawing, the same bytes.

    A sign that the font of the layout has not is no matter: the browser's has it.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        draw(figure)
        text = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=nothing)
    # No control character may be in XML, by no spelling.
    svg = re.sub(r"<!DOCTYPE.*?>\n?", "", harmless(text.getvalue()), count=1, flags=re.DOTALL)
    # A point is 4/3 of a pixel in a browser; these plots are laid out for pixels.
    svg = re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', r'width="\1" height="\2"', svg, count=1)
    return svg.replace("'DejaVu Sans', sans-serif", _FONTS)


def count_axis(axes: Axes, last: int) -> None:
    """The horizontal axis, from 0 to the last step, with labels such as 500, 20k, 1.5M."""
    from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

    axes.set_xlim(-0.015 * max(last, 1), 1.03 * max(last, 1))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_xlabel("step", loc="right", labelpad=1)
    plain = FuncFormatter(lambda step, _: f"{step:.0f}")
    axes.xaxis.set_major_formatter(EngFormatter(sep="") if last >= 10_000 else plain)


def value_axis(axes: Axes, log: bool) -> None:
    """The vertical axis: plain decimal labels, on a linear or a logarithmic scale."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

    if log:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        few = high < 300 * low
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=7))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
