"""A small task on three classes, its experiment, and a model that is what another one is, but for some answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from loopwright.core import AdamW, Experiment
from loopwright.models.heads import Outputs
from loopwright.tasks.regular.language import RegularLanguages
from loopwright.tasks.regular.network import Network
from loopwright.tasks.regular.settings import CorpusSettings

CORPUS = CorpusSettings(
    longest=8, accepted=90, rejected=90, fractions=(0.4, 0.3, 0.3), beyond=12, unseen_accepted=30, unseen_rejected=30
)
NETWORK = Network(width=16, layers=2, heads=2)
TASK = RegularLanguages(patterns=("a*b", "(ab)*", "c+"), alphabet="abc", corpus=CORPUS, network=NETWORK)


def small(task: RegularLanguages = TASK, **changes: Any) -> Experiment:
    """Ten steps on the task."""
    base = Experiment(
        name="small",
        task=task,
        steps=10,
        batch_size=16,
        optimizer=AdamW(lr=0.01),
        eval_every=5,
        metric="loss",
        mode="min",
        device="cpu",
        threads=1,
    )
    return replace(base, **changes)


class Changed(nn.Module):
    """`model`, whose outputs `change` changes, given the tokens."""

    def __init__(self, model: nn.Module, change: Callable[[Tensor, Outputs], Outputs]) -> None:
        super().__init__()
        self.model, self.change = model, change

    @property
    def embedding(self) -> nn.Module:
        return self.model.embedding  # type: ignore[return-value]

    def forward(self, tokens: Tensor, mask: Tensor) -> Outputs:
        return self.change(tokens, self.model(tokens, mask))


def new_model(task: RegularLanguages = TASK) -> nn.Module:
    """A model of the task with its first weights, always the same."""
    torch.manual_seed(0)
    return task.model().eval()
