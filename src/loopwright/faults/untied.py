"""The output layer was to share the embedding's weight, and got a copy of it.

`clone()` or a `load_state_dict` on each side does it. Both begin with the same numbers and then go their own ways. The
model has more parameters than is written down, and what the head learns of rare tokens does not reach the embedding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_model
from loopwright.models.embedding import Embedding
from loopwright.tasks.regular.language import RegularLanguages


def untied(model: Any) -> nn.Module:
    """The model with a copy of the embedding's table as the head's weight."""
    embedding: Embedding = model.embedding
    model.heads.next_weight = nn.Parameter(embedding.table().detach().clone())
    made: nn.Module = model
    return made


def inject(experiment: Experiment) -> Experiment:
    """Tie the weights, by a copy."""
    task: Any = experiment.task
    tied = replace(task, network=replace(task.network, tied=True))
    return with_model(replace(experiment, task=tied), untied)


def can_be_tied(experiment: Experiment) -> bool:
    """Whether the model has an embedding and an output layer over the same tokens."""
    return isinstance(experiment.task, RegularLanguages)


FAULT = Fault(
    name="untied-weights",
    number=63,
    line="head.weight = nn.Parameter(embedding.weight.clone())",
    symptom="often none; a little worse where data are few",
    why="two tensors that were to be one begin alike and are updated apart",
    causes=("untied-weights",),
    inject=inject,
    applies=can_be_tied,
)
