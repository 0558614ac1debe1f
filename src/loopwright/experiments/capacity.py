"""How wide a network must be to hold an automaton: widths below, at and above its number of states."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.core import Expect, Experiment, Study
from loopwright.core.study import Results
from loopwright.experiments.regular import language
from loopwright.journal import read_history
from loopwright.metrics import Table as ReportTable
from loopwright.tasks.regular.network import Network
from loopwright.tasks.regular.settings import CorpusSettings
from loopwright.tasks.tables import write_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PATTERN = "(b*ab*ab*ab*ab*a)*b*"
STATES = 6
"""Five counts and the reject state."""
WIDTHS = (2, 3, 4, 6, 8, 12, 16)
SEEDS = (0, 1, 2)
EPOCHS = 40
NEVER = EPOCHS + 2
"""Where a seed that never learned is drawn."""
LEARNED = 0.99
CORPUS = CorpusSettings(accepted=1500, rejected=1500, unseen_accepted=300, unseen_rejected=300)
COLUMNS = ["width", "seed", "epochs to 0.99", "class accuracy", "state accuracy", "acceptance", "acceptance beyond"]
EXPLAINED = (
    f"A GRU of one layer learns {PATTERN}, whose automaton has {STATES} states with the reject state. Epochs are "
    f"counted until class and state accuracy on the validation split reach {LEARNED}; the other columns are the test "
    "split's at the best checkpoint, the last one that of strings up to three times as long."
)


def fsm_capacity() -> Study:
    """How wide must a GRU be to count to five? Widths below, at and above the number of states, three seeds each."""
    return Study("fsm-capacity", tuple(member(width, seed) for width in WIDTHS for seed in SEEDS), conclude)


def member(width: int, seed: int) -> Experiment:
    """One width with one seed, which decides the weights and the order of the strings."""
    counting = language(f"width{width:02d}-seed{seed}", PATTERN, states=STATES, corpus=CORPUS)
    task = replace(counting.task, network=Network(kind="gru", width=width, layers=1, tied=False))  # type: ignore[type-var]
    optimizer = replace(counting.optimizer, lr=1e-2)
    schooled = replace(counting, task=task, optimizer=optimizer, steps=None, epochs=EPOCHS, eval_every=None)
    return replace(schooled, seed=seed, metric="state_accuracy", mode="max", expect=Expect())


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
    found = [reached(experiment, metrics) for experiment, metrics in results]
    rows = [one.cells() for one in found]
    table = ReportTable(title="Capacity", columns=COLUMNS, rows=rows, note=f"{verdict(found)} {EXPLAINED}")
    write_table(table, directory / "capacity.json")
    draw(found, directory / "capacity.svg")


def reached(experiment: Experiment, metrics: Mapping[str, Any]) -> Reached:
    """The numbers of a run, from its metrics.json and its history."""
    history = read_history(Path(metrics["run"]) / "logs" / "history.jsonl")
    validations = [record["metrics"] for record in history if record["kind"] == "validation"]
    learned = [min(of["class_accuracy"], of["state_accuracy"]) >= LEARNED for of in validations]
    epochs = learned.index(True) + 1 if True in learned else math.nan
    best = metrics.get("test", {}).get("best", {})
    return Reached(experiment.task.network.width, experiment.seed, epochs, best)  # type: ignore[attr-defined]


def verdict(found: Sequence[Reached]) -> str:
    """From which width on every seed has learned, and which learned with none."""
    widths = sorted({one.width for one in found})
    never = [width for width in widths if all(math.isnan(one.epochs) for one in found if one.width == width)]
    always = [width for width in widths if not any(math.isnan(one.epochs) for one in found if one.width == width)]
    said = [
        f"Every seed learned at width {', '.join(map(str, always))}." if always else "No width learned with every seed."
    ]
    return " ".join(said + [f"None learned at width {', '.join(map(str, never))}."] * bool(never))


def draw(found: Sequence[Reached], path: Path) -> None:
    """Epochs to 0.99 and accuracy against width: a point for each seed, a line through the medians."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8), layout="constrained")
    epochs, accuracy = figure.subplots(1, 2)
    draw_values(epochs, found, [NEVER if math.isnan(one.epochs) else one.epochs for one in found])
    draw_values(accuracy, found, [one.metrics.get("state_accuracy", math.nan) for one in found])
    epochs.set_ylabel("epochs to 0.99")
    accuracy.set_ylabel("state accuracy, test")
    epochs.axhline(NEVER, color="#bdbdbd", linewidth=1)
    epochs.text(max(WIDTHS), NEVER, "never", ha="right", va="bottom", fontsize=8, color="#777777")
    accuracy.legend(fontsize=8, loc="lower right")
    figure.savefig(path, metadata={"Date": None})


def draw_values(axes: Axes, found: Sequence[Reached], values: Sequence[float]) -> None:
    """A point for each run at its width, and the medians of the widths as a line."""
    by_width: dict[int, list[float]] = {}
    for one, value in zip(found, values, strict=True):
        by_width.setdefault(one.width, []).append(value)
    axes.scatter([one.width for one in found], values, s=22, alpha=0.6, color="#2f6fb0", label="a seed")
    medians = [statistics.median(of_width) for of_width in by_width.values()]
    axes.plot(list(by_width), medians, color="#a3262a", linewidth=1.5, label="median")
    axes.axvline(STATES, color="#7a8aa0", linestyle="--", linewidth=1, label=f"{STATES} states")
    axes.set(xlabel="width", xscale="log")
    axes.set_xticks(list(by_width), [str(width) for width in by_width])
    axes.minorticks_off()
    axes.grid(alpha=0.25)
