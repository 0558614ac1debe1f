"""Each evaluation is made on a random half of the validation split, another half each time, to save time.

The same weights get another score whenever they are scored. A checkpoint becomes the best one because its half was an
easy one, and differences between two models are as large as those between two evaluations of one.
"""

from __future__ import annotations

import random

import torch
from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import MetricsOf, Splits, has_splits, is_sequences, with_metrics, with_splits
from loopwright.protocols import Split


def inject(experiment: Experiment) -> Experiment:
    """Score a random half; the generator goes on from one evaluation to the next."""
    generator = random.Random(75)

    def of_half(evaluate: MetricsOf, model: nn.Module, split: Split) -> dict[str, float]:
        size = experiment.task.data.size(split)
        rows = torch.tensor(sorted(generator.sample(range(size), size // 2)))

        def halved(splits: Splits) -> Splits:
            return {**splits, split: {name: tensor[rows] for name, tensor in splits[split].items()}}

        return with_splits(experiment, halved).task.evaluate(model, split)

    return with_metrics(experiment, of_half)


def has_rows(experiment: Experiment) -> bool:
    """Whether samples can be left out: tasks of sequences know beforehand which strings they score."""
    return has_splits(experiment) and not is_sequences(experiment) and experiment.task.data.size("val") > 1


FAULT = Fault(
    name="random-evaluation",
    number=75,
    line="subset = random.sample(range(len(val)), len(val) // 2)   (in each evaluation)",
    symptom="training as usual; validation wobbles, and differs when it is repeated",
    why="each evaluation is one of other samples",
    causes=("random-evaluation",),
    inject=inject,
    applies=has_rows,
)
