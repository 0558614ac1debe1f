"""What a study of networks on longer strings concludes: accuracy within and beyond the lengths of training."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from loopwright.core.study import Results
from loopwright.metrics import Table as ReportTable
from loopwright.studies.members import panels, reached, shared_legend
from loopwright.tasks.tables import write_table

COLORS = ("#7c838d", "#e07b28", "#2f6fb0", "#3d9a6c", "#a45fc0")
COLUMNS = ["language", "network", "class accuracy", "acceptance", "class accuracy beyond", "acceptance beyond"]
EXPLAINED = (
    "All are trained on strings of up to 20 symbols; beyond: 21 to 60. Each at the best checkpoint, one seed. The "
    "transformers differ in their positions alone: learned ones, rotary ones, random ones."
)


def conclude(results: Results, directory: Path) -> None:
    """Write the table lengths.json and the picture lengths.svg."""
    rows: list[list[str | int | float]] = [
        [*experiment.name.rsplit("-", 1), *numbers(metrics)] for experiment, metrics in results
    ]
    table = ReportTable(title="Beyond the lengths of training", columns=COLUMNS, rows=rows, note=EXPLAINED)
    write_table(table, directory / "lengths.json")
    draw(results, directory / "lengths.svg")


def numbers(metrics: Mapping[str, Any]) -> list[float]:
    """The columns behind the names; NaN for a run that failed."""
    names = ("class_accuracy", "acceptance", "class_accuracy_beyond", "acceptance_beyond")
    return [float(reached(metrics, "test").get(name, math.nan)) for name in names]


def draw(results: Results, path: Path) -> None:
    """Acceptance by length, a panel for each language, a line for each network; the lengths of training are shaded."""
    names = [experiment.name.rsplit("-", 1) for experiment, _ in results]
    languages, networks = (list(dict.fromkeys(part)) for part in zip(*names, strict=True))
    colors = dict(zip(networks, cycle(COLORS), strict=False))
    with panels(path, len(languages), (3.0 * len(languages), 3.4), sharey=True) as row:
        for language, axes in zip(languages, row, strict=True):
            axes.axvspan(0, 20.5, color="#7a8aa0", alpha=0.15, linewidth=0)
            axes.set(title=language, xlabel="symbols", ylim=(-0.02, 1.03))
            axes.grid(alpha=0.25)
        for (language, network), (_, metrics) in zip(names, results, strict=True):
            middles, shares = curve(metrics)
            axes = row[languages.index(language)]
            axes.plot(middles, shares, "o-", markersize=3, color=colors[network], label=network)
        row[0].set_ylabel("whole strings taken rightly")
        shared_legend(row[0])


def curve(metrics: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """The middles of the bins of lengths, and the acceptance in each."""
    matches = {
        re.fullmatch(r"acceptance_(\d+)_to_(\d+)", name): float(share)
        for name, share in reached(metrics, "test").items()
    }
    found = {(int(match[1]) + int(match[2])) / 2: share for match, share in matches.items() if match}
    return list(found), list(found.values())
