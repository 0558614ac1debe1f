"""`python -m docs.making.figures`: the two figures that every course leaves blank, as SVG that is light and dark.

`figures/loop.svg` is the training loop, its boxes filled with the lines of core/loop.py themselves.
`figures/overfitting.svg` is the two losses of a real run: `points`, a hundred points learned by heart.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from docs.making.links import ROOT
from loopwright.core import Cosine
from loopwright.core.loop import train, train_step
from loopwright.experiments.points import points
from loopwright.report import curves
from loopwright.report.ink import ALARM, TEXT, TRAIN, VALIDATION, render
from loopwright.report.overfitting import onset
from loopwright.report.record import Record
from loopwright.report.strokes import draw_noisy, draw_points, finish
from loopwright.running import train_one_experiment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = ROOT / "docs" / "figures"
STEPS = 300
STAGES = (
    ("the rate of this step", "factor = experiment.schedule("),
    ("random numbers, from integers", "seed_generators("),
    ("forward: sums of losses", "sums = experiment.task.loss("),
    ("loss: divided once", "loss = totals.share("),
    ("backward", "backward()"),
    ("clip", "clip("),
    ("step", "state.scaler.step("),
    ("zero_grad", "zero_grad("),
)
AROUND = (
    ("evaluate, where due", "close_step("),
    ("enough?", "reason_to_end("),
    ("save, where due", "save_if_due("),
    ("one step", "report = train_step("),
    ("write it down", "journal.step("),
)
"""What stands in a box, and how the line of the source begins, or ends, that does it."""
STYLE = """
text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; fill: #1d2024; }
.code { font: 11.5px ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; fill: #656c76; }
.word { font-weight: 620; } .title { font-size: 15px; font-weight: 640; }
.box { fill: #ffffff; stroke: #c9ccc8; } .hot { fill: #e9f0fd; stroke: #4b87e8; }
.arrow { fill: none; stroke: #7c838d; stroke-width: 1.5; marker-end: url(#head); } .head { fill: #7c838d; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e8ea; } .code { fill: #989fa8; } .box { fill: #181b1e; stroke: #3b4148; }
  .hot { fill: #1b2942; stroke: #6ea3f7; }
}
"""


def lines_of(function: object, wanted: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each word with the source line that does it, in the order of the source. Raises ValueError where one is gone."""
    source = [line.strip() for line in inspect.getsource(function).splitlines()]  # type: ignore[arg-type]
    found, place = [], 0
    for word, sign in wanted:
        place = next((at for at in range(place, len(source)) if sign in source[at]), -1)
        if place < 0:
            raise ValueError(f"{sign} is not where it was in {function}; the figure has to be drawn anew")
        found.append((word, source[place]))
    return found


def loop_figure() -> str:
    """The loop on the left, the step inside of it on the right."""
    around, inside = lines_of(train, AROUND), lines_of(train_step, STAGES)
    left = [box(24, 84 + 76 * at, 340, word, code, hot=word == "one step") for at, (word, code) in enumerate(around)]
    right = [box(440, 66 + 56 * at, 436, word, code, high=44) for at, (word, code) in enumerate(inside)]
    down = [arrow(f"M194 {136 + 76 * at}V{157 + 76 * at}") for at in range(len(around) - 1)]
    down += [arrow(f"M658 {110 + 56 * at}V{119 + 56 * at}") for at in range(len(inside) - 1)]
    back = arrow("M24 414H10V66H194V81")
    curve = "M364 312C404 312 400 66 440 66M364 364C404 364 400 502 440 502"
    into = f'<path d="{curve}" class="arrow" style="marker-end:none"/>'
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 520" width="900" height="520" role="img">',
        "<title>The training loop, and what one step of it does</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="6" refY="3.5" orient="auto">'
        '<path d="M0 0L7 3.5L0 7z" class="head"/></marker></defs>',
        '<text x="24" y="36" class="title">The loop: train()</text>',
        '<text x="440" y="36" class="title">One step: train_step()</text>',
        into,
        *down,
        back,
        *left,
        *right,
        "</svg>\n",
    ]
    return "\n".join(parts)


def box(x: int, y: int, wide: int, word: str, code: str, *, high: int = 52, hot: bool = False) -> str:
    """A box with a word or two and a line of code."""
    most = (wide - 28) // 7
    shown = code if len(code) <= most else f"{code[: most - 1]}…"
    return (
        f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="8" class="{"hot" if hot else "box"}"/>'
        f'<text x="{x + 14}" y="{y + high // 2 - 4}" class="word">{escape(word)}</text>'
        f'<text x="{x + 14}" y="{y + high // 2 + 14}" class="code">{escape(shown)}</text>'
    )


def arrow(path: str) -> str:
    """An arrow along a path."""
    return f'<path d="{path}" class="arrow"/>'


def overfitting_figure(record: Record) -> str:
    """Training and validation loss of a run that overfits, the onset marked. Raises ValueError where it does not."""
    train_loss, validation = record.history.curve("loss"), record.history.validation("loss")
    found = onset(train_loss, validation)
    if found is None:
        raise ValueError(f"{record.directory}: does not overfit; nothing is to be seen in its curves")
    last = record.history.last_step

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        draw_noisy(axes, train_loss, "training")
        draw_points(axes, validation, VALIDATION, "validation")
        finish(axes, [train_loss, validation], last, log=False)
        axes.set_ylim(0, 1.3 * float(curves.finite(train_loss).values.max()))
        axes.axvline(found.step, color=TEXT, linewidth=0.9, linestyle=(0, (3, 3)))
        axes.axvspan(found.step, last, color=ALARM, alpha=0.06, linewidth=0)
        top = axes.get_ylim()[1]
        words(axes, found.step - 0.01 * last, top, "what carries over", "right")
        words(axes, found.step + 0.01 * last, top, f"from step {found.step} on: the samples by heart", "left")
        end = float(curves.finite(validation).values[-1])
        words(
            axes,
            0.99 * last,
            end - 0.015 * top,
            "validation loss: on samples that it never trained on",
            "right",
            VALIDATION,
        )
        words(axes, 0.99 * last, 0.14 * top, "training loss: on the samples that it trains on", "right", TRAIN)

    return render(draw, 900, 380)


def words(axes: Axes, x: float, y: float, text: str, side: str, color: str = TEXT) -> None:
    """A label in the picture, below a place."""
    axes.annotate(text, (x, y), (0, -4), textcoords="offset points", ha=side, va="top", color=color, fontsize=11)


def overfitting_run(root: Path) -> Path:
    """A run that overfits in a few seconds."""
    return train_one_experiment(replace(points(), steps=STEPS, eval_every=10, schedule=Cosine(warmup=20)), root)


def main() -> int:
    """Draw both."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "loop.svg").write_text(loop_figure(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        record = Record.load(overfitting_run(Path(folder)))
        (FOLDER / "overfitting.svg").write_text(overfitting_figure(record), encoding="utf-8")
    print(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
