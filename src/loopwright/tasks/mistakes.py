"""What a classifier got wrong, the worst first: samples that it took for something else, and how certain it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from loopwright.metrics import Table
from loopwright.protocols import Data, Split

SHOWN = 24


@dataclass(frozen=True, eq=False)
class Mistake:
    """Sample number `sample` of its split is a `label` and was taken for `taken`, with `certainty` in (0, 1].

    `inputs`: what the model saw of it, on the CPU.
    """

    certainty: float
    sample: int
    label: int
    taken: int
    inputs: Tensor


def find_mistakes(model: nn.Module, data: Data, split: Split, inputs: str) -> list[Mistake]:
    """Every sample of `split` whose likeliest class, by `model` of the tensors `inputs`, is not its label."""
    device = next(model.parameters()).device
    found = []
    for batch in data.scan(split):
        probability = model(batch[inputs].to(device)).float().softmax(-1).cpu()
        predicted = probability.argmax(-1)
        for row in (predicted != batch["label"]).nonzero().flatten().tolist():
            label, taken = int(batch["label"][row]), int(predicted[row])
            seen = batch[inputs][row].clone()
            found.append(Mistake(float(probability[row, taken]), int(batch.samples[row]), label, taken, seen))
    return sorted(found, key=lambda mistake: (-mistake.certainty, mistake.sample))


def mistakes_table(
    found: Sequence[Mistake],
    total: int,
    what: str,
    columns: Sequence[str],
    describe: Callable[[Mistake], Sequence[str | int | float]],
    names: Sequence[str] | None = None,
) -> Table:
    """The worst of the mistakes `found` among `total` samples, as a table for the report.

    `what`: the samples in a word or two, in the plural. `describe` gives the cells of `columns`: the sample itself.
    """
    shown = found[:SHOWN]
    told = [str(mistake.label) if names is None else names[mistake.label] for mistake in shown]
    taken = [str(mistake.taken) if names is None else names[mistake.taken] for mistake in shown]
    rows = [
        [mistake.sample, label, wrong, round(mistake.certainty, 4), *describe(mistake)]
        for mistake, label, wrong in zip(shown, told, taken, strict=True)
    ]
    counted = f"{len(found):,} of {total:,} {what} were taken for something else"
    worst = f"; these {SHOWN} with the most certainty" if len(found) > SHOWN else ""
    head = ["no.", "is", "taken for", "certainty", *columns]
    return Table(title=f"{what[:1].upper()}{what[1:]}", columns=head, rows=rows, note=f"{counted}{worst}.")
