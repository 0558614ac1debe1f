"""What classification tasks share: the loss of a batch, the metrics of a split, the tables of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from loopwright import losses
from loopwright.metrics import Classification, confusion_table, per_class_report
from loopwright.protocols import Batch, Data, Split
from loopwright.tasks.tables import write_table


def classification_loss(
    model: nn.Module, batch: Batch, inputs: str, *, label_smoothing: float = 0.0
) -> Mapping[str, Tensor]:
    """Cross-entropy of `model` on the tensors `inputs` and `label`, summed; the component `cross_entropy`."""
    logits = model(batch[inputs])
    return {"cross_entropy": losses.cross_entropy(logits, batch["label"], label_smoothing=label_smoothing)}


def gather(model: nn.Module, data: Data, split: Split, inputs: str, *, classes: int) -> Classification:
    """Run `model` over a whole split, on the model's device, and gather everything that is asked of a classifier."""
    device = next(model.parameters()).device
    gathered = Classification(classes)
    for batch in data.scan(split):
        on_device = batch.to(device)
        gathered.update(model(on_device[inputs]), on_device["label"])
    return gathered


def write_tables(gathered: Classification, directory: Path, names: Sequence[str] | None = None) -> None:
    """The confusion matrix and the per-class report of a split as the report's tables."""
    write_table(confusion_table(gathered.confusion, names), directory / "confusion-matrix.json")
    write_table(per_class_report(gathered.confusion, names), directory / "per-class.json")
