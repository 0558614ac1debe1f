"""What a study of widths concludes: how soon each learned an automaton, and how much each got right."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from loopwright.core import Experiment
from loopwright.core.study import Results
from loopwright.metrics import Table as ReportTable
from loopwright.studies.members import panels, reached, records
from loopwright.tasks.regular.language import RegularLanguages
from loopwright.tasks.tables import write_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEARNED = 0.99
COLUMNS = ["width", "seed", "epochs to 0.99", "class accuracy", "state accuracy", "acceptance", "acceptance beyond"]
EXPLAINED = (
    f"Epochs are counted until class and state accuracy on the validation split reach {LEARNED}; the other columns are "
    "the test split's at the best checkpoint, the last one that of strings up to three times as long."
)
BEHIND = 2
"""By how many epochs a seed that never learned is drawn behind the last one."""


@dataclass(frozen=True)
class Reached:
    """What a width came to with a seed. `epochs` is NaN where it never learned."""

    width: int
    seed: int
    epochs: float
    metrics: Mapping[str, float]

    def cells(self) -> list[str | int | float]:
        """The run as a row of the table."""
        names = ("class_accuracy", "state_accuracy", "acceptance", "acceptance_beyond")
        epochs = "never" if math.isnan(self.epochs) else int(self.epochs)
        return [self.width, self.seed, epochs, *(self.metrics.get(name, math.nan) for name in names)]


def conclude(results: Results, directory: Path) -> None:
    """Write the table capacity.json and the picture capacity.svg."""
    found = [measured(experiment, metrics) for experiment, metrics in results]
    first = results[0][0]
    task = task_of(first)
    states = len({0, *chain(*task.automaton.transitions[: task.automaton.reject])})
    what = f"Strings reach {states} states of the automaton of {' and '.join(task.patterns)}."
    rows = [one.cells() for one in found]
    table = ReportTable(title="Capacity", columns=COLUMNS, rows=rows, note=f"{verdict(found)} {what} {EXPLAINED}")
    write_table(table, directory / "capacity.json")
    draw(found, directory / "capacity.svg", states=states, never=first.epochs + BEHIND)


def task_of(experiment: Experiment) -> RegularLanguages:
    """The task of a member: all of them learn a language."""
    return cast(RegularLanguages, experiment.task)


def measured(experiment: Experiment, metrics: Mapping[str, Any]) -> Reached:
    """The numbers of a run, finished or failed, from its metrics.json and its history."""
    learned = (
        float(record["epoch"] + 1)
        for record in records(metrics, "validation")
        if min(record["metrics"]["class_accuracy"], record["metrics"]["state_accuracy"]) >= LEARNED
    )
    epochs = next(learned, math.nan)
    return Reached(task_of(experiment).network.width, experiment.seed, epochs, reached(metrics, "test"))


def verdict(found: Sequence[Reached]) -> str:
    """From which width on every seed has learned, and which learned with none."""
    widths = sorted({one.width for one in found})
    never = [width for width in widths if all(math.isnan(one.epochs) for one in found if one.width == width)]
    always = [width for width in widths if not any(math.isnan(one.epochs) for one in found if one.width == width)]
    said = [
        f"Every seed learned at width {', '.join(map(str, always))}." if always else "No width learned with every seed."
    ]
    return " ".join(said + [f"None learned at width {', '.join(map(str, never))}."] * bool(never))


def draw(found: Sequence[Reached], path: Path, *, states: int, never: float) -> None:
    """Epochs to 0.99 and accuracy against width: a point for each seed, a line through the medians."""
    with panels(path, 2, (10, 3.8)) as (epochs, accuracy):
        draw_values(epochs, found, [never if math.isnan(one.epochs) else one.epochs for one in found])
        draw_values(accuracy, found, [one.metrics.get("state_accuracy", math.nan) for one in found])
        for axes in (epochs, accuracy):
            axes.axvline(states, color="#7a8aa0", linestyle="--", linewidth=1, label=f"{states} states")
        epochs.set_ylabel("epochs to 0.99")
        accuracy.set_ylabel("state accuracy, test")
        epochs.axhline(never, color="#bdbdbd", linewidth=1)
        widest = max(one.width for one in found)
        epochs.text(widest, never, "never", ha="right", va="bottom", fontsize=8, color="#777777")
        accuracy.legend(fontsize=8, loc="lower right")


def draw_values(axes: Axes, found: Sequence[Reached], values: Sequence[float]) -> None:
    """A point for each run at its width, and the medians of the widths as a line."""
    by_width: dict[int, list[float]] = {}
    for one, value in zip(found, values, strict=True):
        by_width.setdefault(one.width, []).append(value)
    axes.scatter([one.width for one in found], values, s=22, alpha=0.6, color="#2f6fb0", label="a seed")
    medians = [statistics.median(of_width) for of_width in by_width.values()]
    axes.plot(list(by_width), medians, color="#a3262a", linewidth=1.5, label="median")
    axes.set(xlabel="width", xscale="log")
    axes.set_xticks(list(by_width), [str(width) for width in by_width])
    axes.minorticks_off()
    axes.grid(alpha=0.25)
