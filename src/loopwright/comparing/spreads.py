"""Pictures of what a varied field does: each run a dot, the mean of each value a line, its spread a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopwright.comparing.comparison import Comparison
from loopwright.comparing.fields import Scatter
from loopwright.comparing.overlays import COLORS, LONGEST, Drawing, plain
from loopwright.report.charts import Chart, Line, Trace, short
from loopwright.report.curves import wants_log
from loopwright.report.history import Series
from loopwright.report.ink import render, value_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXIS = "value"


def scatter_drawings(comparison: Comparison) -> list[Drawing]:
    """A picture for each field of which three or more values were tried."""
    return [
        drawn(comparison, scatter, place) for place, scatter in enumerate(comparison.scatters, start=1) if scatter.drawn
    ]


def drawn(comparison: Comparison, scatter: Scatter, place: int) -> Drawing:
    """One field: static, and where its values are numbers also interactive."""
    measure = comparison.deciding.measure
    values = np.array([number for one in scatter.places for number in one.numbers])
    log = wants_log([Series(np.arange(len(values), dtype=np.float64), values)])
    name, title = f"field-{place}", f"{measure.name} over {scatter.field}"
    others = " All other fields vary with it." if len(comparison.scatters) > 1 else ""
    text = f"A dot for each seed; line: mean; band: one sample standard deviation.{others}"

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        at = [one.at for one in scatter.places]
        for one in scatter.places:
            axes.plot([one.at] * len(one.numbers), one.numbers, "o", color=COLORS[0], alpha=0.6, markersize=4)
        means = np.array([one.mean for one in scatter.places])
        spread = np.array([one.deviation or 0.0 for one in scatter.places])
        low = np.maximum(means - spread, values.min() / 2 if log else -np.inf)
        axes.fill_between(at, low, means + spread, color=COLORS[0], alpha=0.14, linewidth=0)
        axes.plot(at, means, color=COLORS[0])
        if scatter.log:
            axes.set_xscale("log")
        axes.set_xticks(at, [plain(one.value[:LONGEST]) if one.value.isascii() else "?" for one in scatter.places])
        axes.minorticks_off()
        value_axis(axes, log)
        axes.set_xlabel(plain(scatter.field), loc="right", labelpad=1)

    chart = interactive(scatter, name, title, text, log=log) if scatter.numeric else None
    return Drawing(name, title, text, render(draw, 830, 300), chart)


def interactive(scatter: Scatter, name: str, title: str, text: str, *, log: bool) -> Chart:
    """The dots and the mean with its band, over the field's values."""
    # Two dots at one place would be taken for one, so each is moved by less than can be seen.
    width = scatter.places[-1].at - scatter.places[0].at
    pairs = [
        (one.at + 1e-6 * nth * (one.at if scatter.log else width), number)
        for one in scatter.places
        for nth, number in enumerate(one.numbers)
    ]
    dots = Trace({AXIS: [at for at, _ in pairs]}, short([number for _, number in pairs]))
    at, means = [one.at for one in scatter.places], [one.mean for one in scatter.places]
    spreads = [one.deviation or 0.0 for one in scatter.places]
    mean = Line(
        "mean",
        Trace({AXIS: at}, short(means)),
        low=short([mean - spread for mean, spread in zip(means, spreads, strict=True)]),
        high=short([mean + spread for mean, spread in zip(means, spreads, strict=True)]),
    )
    each = Line("each seed", dots, color=2, dots=True)
    return Chart(
        name,
        title,
        [mean, each],
        axes={AXIS: scatter.field},
        log=log,
        log_x=scatter.log,
        note=text,
        source="metrics.json",
    )
