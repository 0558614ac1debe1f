"""What a study of the ways to draw the first weights concludes: a table, a ranking, the losses of all runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.core import Experiment
from loopwright.core.study import Results
from loopwright.metrics import Table as ReportTable
from loopwright.studies.members import panels, reached, records, shared_legend
from loopwright.tasks.tables import write_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLOCK = 5  # steps
NEAR = 1.3  # times the lowest first loss
LINES = ("-", "--", ":", "-.")
COLORS = ("#7c838d", "#d84a3f", "#4b87e8", "#e07b28", "#3d9a6c", "#a45fc0")
COLUMNS = ["strategy", "seed", "status", "loss at step 1", "val loss at the end", "best val accuracy", "test accuracy"]
EXPLAINED = (
    "All runs differ in the first weights and the seed alone; clipping and the warm-up of the rate are at work in all. "
    "Loss at step 1 is that of the weights as they were drawn; chance is log(10) = 2.303. Best validation accuracy and "
    "test accuracy are those of the checkpoint with the best validation accuracy."
)


@dataclass(frozen=True)
class Start:
    """What became of a way to draw the weights with a seed; `losses` are the steps'. What was not reached is NaN."""

    strategy: str
    seed: int
    status: str
    losses: tuple[float, ...]
    val_loss: float
    val_accuracy: float
    test_accuracy: float

    def cells(self) -> list[str | int | float]:
        """The run as a row of the table."""
        first = self.losses[0] if self.losses else math.nan
        return [self.strategy, self.seed, self.status, first, self.val_loss, self.val_accuracy, self.test_accuracy]


def conclude(results: Results, directory: Path) -> None:
    """Write the table initialization.json with its conclusion, and the picture initialization.svg."""
    starts = [measured(experiment, metrics) for experiment, metrics in results]
    rows = [start.cells() for start in starts]
    table = ReportTable(title="Initialization", columns=COLUMNS, rows=rows, note=f"{ranking(starts)} {EXPLAINED}")
    write_table(table, directory / "initialization.json")
    draw(starts, directory / "initialization.svg")


def measured(experiment: Experiment, metrics: Mapping[str, Any]) -> Start:
    """The numbers of a run, finished or failed, from its metrics.json and its history."""
    return Start(
        strategy=experiment.init,
        seed=experiment.seed,
        status=metrics["status"],
        losses=tuple(float(record["loss"]["total"]) for record in records(metrics, "step")),
        val_loss=float(reached(metrics, "val", "last").get("loss", math.nan)),
        val_accuracy=float(reached(metrics, "val").get("accuracy", math.nan)),
        test_accuracy=float(reached(metrics, "test").get("accuracy", math.nan)),
    )


def ranking(starts: Sequence[Start]) -> str:
    """The strategies by validation loss, and whether the seeds agree on their order."""
    losses: dict[str, dict[int, float]] = {}
    for start in starts:
        known = start.val_loss if math.isfinite(start.val_loss) else math.inf
        losses.setdefault(start.strategy, {})[start.seed] = known
    means = {strategy: statistics.fmean(by_seed.values()) for strategy, by_seed in losses.items()}
    best_first = sorted(means, key=lambda strategy: means[strategy])
    listed = ", ".join(f"{strategy} {means[strategy]:.4g}" for strategy in best_first)
    seeds = sorted({start.seed for start in starts})
    pairs = list(combinations(losses.values(), 2))
    alike = sum(len({one[seed] < other[seed] for seed in seeds}) == 1 for one, other in pairs)
    agree = "the ranking is the same" if alike == len(pairs) else "the ranking is not the same"
    return (
        f"By mean validation loss at the end: {listed}. Over the seeds {', '.join(map(str, seeds))} {agree}: "
        f"{alike} of {len(pairs)} pairs of strategies come in one order with every seed."
    )


def draw(starts: Sequence[Start], path: Path) -> None:
    """The training loss of every run, on a logarithmic scale, and closely for those that begin near the lowest."""
    lowest = min((start.losses[0] for start in starts if start.losses), default=1.0)
    with panels(path, 2, (11, 4)) as (wide, close):
        draw_losses(wide, starts)
        draw_losses(close, starts)
        wide.set(yscale="log", title=f"Training loss, means of {BLOCK} steps")
        close.set(ylim=(0, NEAR * lowest), title="The same, closer")
        shared_legend(wide)


def draw_losses(axes: Axes, starts: Sequence[Start]) -> None:
    """The losses in blocks of steps: a color for each strategy, a kind of line for each seed."""
    colors = dict(zip(dict.fromkeys(start.strategy for start in starts), cycle(COLORS), strict=False))
    lines = dict(zip(sorted({start.seed for start in starts}), cycle(LINES), strict=False))
    for start in starts:
        firsts = range(0, len(start.losses), BLOCK)
        means = [statistics.fmean(start.losses[first : first + BLOCK]) for first in firsts]
        label = f"{start.strategy}, seed {start.seed}"
        axes.plot(firsts, means, lines[start.seed], color=colors[start.strategy], label=label)
    axes.set_xlabel("step")
