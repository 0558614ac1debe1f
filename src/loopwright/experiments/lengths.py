"""What becomes of a learned language on longer strings: transformers with several kinds of positions, and a GRU."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.core import AdamW, Expect, Experiment, Study
from loopwright.core.study import Results
from loopwright.experiments.regular import (
    GRU,
    TRANSFORMER,
    fsm_ab_star,
    fsm_alternating,
    fsm_mod3,
    fsm_no_bb,
    fsm_parity,
)
from loopwright.metrics import Table as ReportTable
from loopwright.tasks.tables import write_table

LANGUAGES = (fsm_ab_star, fsm_no_bb, fsm_alternating, fsm_parity, fsm_mod3)
NETWORKS = {
    "learned": TRANSFORMER,
    "rotary": replace(TRANSFORMER, positions="rotary"),
    "random": replace(TRANSFORMER, positions="random"),
    "gru": GRU,
}
"""By the transformer's kind of positions, and a GRU."""
COLORS = {"learned": "#7c838d", "rotary": "#e07b28", "random": "#2f6fb0", "gru": "#3d9a6c"}
COLUMNS = ["language", "network", "class accuracy", "acceptance", "class accuracy beyond", "acceptance beyond"]
EXPLAINED = (
    "All are trained on strings of up to 20 symbols; beyond: 21 to 60. Each at the best checkpoint, one seed. The "
    "transformers differ in their positions alone: learned ones, rotary ones, random ones."
)


def fsm_lengths() -> Study:
    """Five languages, three kinds of positions and a GRU: who is still right on strings three times as long?"""
    return Study("fsm-lengths", tuple(member(make(), name) for make in LANGUAGES for name in NETWORKS), conclude)


def member(experiment: Experiment, name: str) -> Experiment:
    """A language with a network. The GRU needs fewer steps and a higher rate."""
    task = replace(experiment.task, network=NETWORKS[name])  # type: ignore[type-var]
    changed = replace(experiment, name=f"{experiment.name}-{name}", task=task, expect=Expect())
    return changed if name != "gru" else replace(changed, steps=1500, optimizer=AdamW(lr=5e-3, weight_decay=0.0))


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
    best = metrics.get("test", {}).get("best", {})
    names = ("class_accuracy", "acceptance", "class_accuracy_beyond", "acceptance_beyond")
    return [float(best.get(name, math.nan)) for name in names]


def draw(results: Results, path: Path) -> None:
    """Acceptance by length, a panel for each language, a line for each network; the lengths of training are shaded."""
    from matplotlib.figure import Figure

    languages = list(dict.fromkeys(experiment.name.rsplit("-", 1)[0] for experiment, _ in results))
    figure = Figure(figsize=(3.0 * len(languages), 3.4), layout="constrained")
    panels = dict(zip(languages, figure.subplots(1, len(languages), sharey=True, squeeze=False)[0], strict=True))
    for language, axes in panels.items():
        axes.axvspan(0, 20.5, color="#7a8aa0", alpha=0.15, linewidth=0)
        axes.set(title=language, xlabel="symbols", ylim=(-0.02, 1.03))
        axes.grid(alpha=0.25)
    for experiment, metrics in results:
        language, network = experiment.name.rsplit("-", 1)
        middles, shares = curve(metrics)
        panels[language].plot(middles, shares, "o-", markersize=3, color=COLORS[network], label=network)
    first = panels[languages[0]]
    first.set_ylabel("whole strings taken rightly")
    figure.legend(*first.get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, metadata={"Date": None})


def curve(metrics: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """The middles of the bins of lengths, and the acceptance in each."""
    best = metrics.get("test", {}).get("best", {})
    matches = {re.fullmatch(r"acceptance_(\d+)_to_(\d+)", name): float(share) for name, share in best.items()}
    found = {(int(match[1]) + int(match[2])) / 2: share for match, share in matches.items() if match}
    return list(found), list(found.values())
