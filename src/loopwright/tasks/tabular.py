"""A table of numbers and a column of classes: learned by a network and, on the same rows, by what it has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from textwrap import wrap

import numpy as np
import torch
from torch import Tensor, nn

from loopwright.data.permutation import Int64
from loopwright.data.splits import stratified
from loopwright.data.table import Table
from loopwright.data.tensors import TensorData, count
from loopwright.metrics import Table as ReportTable
from loopwright.models.mlp import MLP
from loopwright.protocols import Batch, Split
from loopwright.tasks.baselines import (
    Floats,
    comparison,
    confusion_of,
    fit_baselines,
    save_baseline,
)
from loopwright.tasks.mistakes import Mistake, find_mistakes, mistakes_table
from loopwright.tasks.packages import require_packages
from loopwright.tasks.sources import Bundled, read_table
from loopwright.tasks.supervised import classification_loss, gather, write_tables
from loopwright.tasks.tables import write_table

WIDE, STANDING_OUT = 16, 6
"""Of more features than these, a mistake is shown by those that are furthest from the mean."""
FRACTIONS: dict[Split, float] = {"train": 0.7, "val": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Scaler:
    """Brings features to mean 0 and standard deviation 1 over the rows that it was fitted on; `mean`, `spread` (F,)."""

    mean: Floats
    spread: Floats

    @classmethod
    def fit(cls, features: Floats) -> Scaler:
        """The scaler of `features` (N, F). One that is constant is only moved to 0."""
        spread = features.std(axis=0)
        # Rounding can give a constant feature a deviation above 0, and tiny differences one of 0.
        varies = (features.max(axis=0) > features.min(axis=0)) & (spread > 0)
        return cls(features.mean(axis=0), np.where(varies, spread, 1.0))

    def __call__(self, features: Floats) -> Floats:
        """(features - mean) / spread, (N, F)."""
        scaled: Floats = (features - self.mean) / self.spread
        return scaled


@dataclass(frozen=True)
class Tabular:
    """Which class a row of numbers belongs to. `source` is read when it is first used, and then may raise DataError."""

    source: Bundled | Path = field(default="wine", metadata={"help": "wine, breast-cancer, digits, or a CSV file"})
    label: str | None = field(default=None, metadata={"help": "the column of the CSV file that is to be predicted"})
    hidden: tuple[int, ...] = (128, 128)
    dropout: float = 0.2
    split_seed: int = 42

    @cached_property
    def table(self) -> Table:
        """All rows as they were read."""
        require_packages("sklearn", "skops")
        return read_table(self.source, self.label)

    @cached_property
    def rows(self) -> dict[Split, Int64]:
        """The rows of each split, stratified by class: 70, 15 and 15 %."""
        return stratified(self.table.labels, FRACTIONS, self.split_seed)

    @cached_property
    def scaler(self) -> Scaler:
        """Fitted on the training rows alone: what validation and test rows look like must not be known before."""
        return Scaler.fit(self.table.features[self.rows["train"]])

    @cached_property
    def data(self) -> TensorData:
        """Three splits of `x` float32 (N, F), scaled, and `label` int64 (N,)."""
        x = torch.from_numpy(self.scaler(self.table.features)).float()
        label = torch.from_numpy(self.table.labels)
        splits = {split: {"x": x[rows], "label": label[rows]} for split, rows in self.rows.items()}
        return TensorData(splits, count("cross_entropy"))

    def model(self) -> nn.Module:
        """A multi-layer perceptron."""
        return MLP(len(self.table.feature_names), self.hidden, len(self.table.class_names), dropout=self.dropout)

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy."""
        return classification_loss(model, batch, "x")

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """Loss, accuracy, macro-F1, calibration error."""
        return gather(model, self.data, split, "x", classes=len(self.table.class_names)).result()

    def show(self, batch: Batch, row: int) -> str:
        """The row's features by name, scaled as the network sees them, and its class."""
        values = zip(self.table.feature_names, batch["x"][row].tolist(), strict=True)
        shown = ", ".join(f"{name} {value:.3g}" for name, value in values)
        return "\n".join([*wrap(shown, 100), f"class {self.table.class_names[int(batch['label'][row])]}"])

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """The test split's tables and mistakes; the baselines, fitted on the same rows; how all compare; the scaler."""
        names = self.table.class_names
        gathered = gather(model, self.data, "test", "x", classes=len(names))
        write_tables(gathered, directory, names)
        write_table(self.mistakes(model), directory / "mistakes.json")
        confusions = {"MLP (best checkpoint)": gathered.confusion}
        for name, baseline in fit_baselines(*self.part("train")).items():
            save_baseline(baseline, directory / f"{name.replace(' ', '-')}.skops")
            confusions[name] = confusion_of(baseline, *self.part("test"), len(names))
        write_table(comparison(confusions, self.note()), directory / "baselines.json")
        write_table(self.scaling(), directory / "scaler.json")

    def mistakes(self, model: nn.Module) -> ReportTable:
        """The test rows that the network is most wrong about, as they were read; of a wide table what stands out."""
        (features, _), names = self.part("test"), self.table.feature_names
        found = find_mistakes(model, self.data, "test", "x")
        told = ("test rows", names if len(names) <= WIDE else ["stands out, in standard deviations"])

        def row(wrong: Mistake) -> list[str | float]:
            if len(names) <= WIDE:
                return [*features[wrong.sample].tolist()]
            scaled = self.scaler(features[wrong.sample])
            most = sorted(range(len(names)), key=lambda place: -abs(scaled[place]))[:STANDING_OUT]
            return [", ".join(f"{names[place]} {scaled[place]:+.1f}" for place in most)]

        return mistakes_table(found, len(features), *told, row, self.table.class_names)

    def part(self, split: Split) -> tuple[Floats, Int64]:
        """The rows of `split` as they were read, (N, F), and their labels (N,)."""
        rows = self.rows[split]
        return self.table.features[rows], self.table.labels[rows]

    def note(self) -> str:
        """What a reader must know to judge the comparison."""
        (train, _), (test, _) = self.part("train"), self.part("test")
        seen = {row.tobytes() for row in train}
        repeated = sum(row.tobytes() in seen for row in test)
        return (
            f"All models were fitted on the same {len(train)} rows and tested on the same {len(test)}, "
            f"of which each is worth {1 / len(test):.2%} of accuracy. "
            "Rows that repeat another one were left out before the split. "
            f"Test rows whose features also occur in a training row, with another label: {repeated}."
        )

    def scaling(self) -> ReportTable:
        """What the network's inputs were scaled with."""
        columns = zip(self.table.feature_names, self.scaler.mean.tolist(), self.scaler.spread.tolist(), strict=True)
        return ReportTable(
            title="Scaling of the network's inputs",
            columns=["feature", "mean", "standard deviation"],
            rows=[list(column) for column in columns],
            note="Mean and deviation of the training rows alone; a feature that is constant there is only moved to 0.",
        )
