"""The training, with its seams, and what a tool may be given there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from doctor_score.peers.reports import BATCH, CLASSES, EPOCHS, TRAINED, Said


@dataclass
class Parts:
    """What a tool may be given."""

    model: Any
    optimizer: Any
    loss: Callable[..., Any]
    training: Any
    validation: Any


class Tool:
    """A tool at the seams of the loop. This one does nothing: the loop as it stands is plain PyTorch."""

    name = "none"
    package = ""
    called = ""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def around(self) -> AbstractContextManager[Any]:
        """Around everything, the data included."""
        return nullcontext()

    def begin(self, parts: Parts) -> None:
        """Before the first epoch."""

    def forward(self, parts: Parts, x: Any) -> Any:
        """The model's forward pass in training."""
        return parts.model(x)

    def backward(self, loss: Any) -> None:
        """The backward pass."""
        loss.backward()

    def before_step(self, parts: Parts) -> None:
        """Where gradients are clipped or logged."""

    def step(self, optimizer: Any) -> None:
        """The optimizer's step."""
        optimizer.step()

    def after_step(self, loss: float) -> None:
        """Behind each step."""

    def after_epoch(self, loss: float) -> None:
        """Behind each validation, with its loss."""

    def end(self, parts: Parts) -> list[Said]:
        """What the tool has to say."""
        return []


def digits(fault: str) -> tuple[Any, ...]:
    """The rows of both splits, as float32 and int64 arrays."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    if fault == "random labels":
        labels = np.random.default_rng(0).permutation(labels)
    x, x_v, y, y_v = train_test_split(pixels, labels, train_size=TRAINED, random_state=0)
    if fault == "train rows in validation":
        x_v, y_v = np.concatenate([x_v, x[:200]]), np.concatenate([y_v, y[:200]])
    mean, std = x.mean(), x.std()
    x_v = x_v / 16 if fault == "validation scaled otherwise" else (x_v - mean) / std
    return (*broken_rows(fault, (x - mean) / std, y), *broken_rows(fault, x_v, y_v))


def broken_rows(fault: str, x: Any, y: Any) -> tuple[Any, Any]:
    """The rows of a split, with the faults that strike both splits alike."""
    import numpy as np

    x, y = x.astype("float32"), y.astype("int64")
    if fault == "label in the input":
        x[:, 0] = (y - 4.5) / 2.9
    elif fault == "inputs all zero":
        x = np.zeros_like(x)
    elif fault == "NaN rows":
        x[np.random.default_rng(1).random(len(x)) < 0.1] = np.nan
    elif fault == "labels shifted by one":
        y = np.roll(y, 1)
    elif fault == "sorted, unshuffled":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    return x, y


def network(fault: str) -> Any:
    """An MLP of two blocks with batch normalization and dropout, and a head."""
    import torch
    from torch import nn

    class Net(nn.Module):
        """64 pixels to 10 logits."""

        def __init__(self) -> None:
            super().__init__()
            self.wide, self.narrow = nn.Linear(64, 128, bias=False), nn.Linear(128, 64, bias=False)
            self.norm = nn.BatchNorm1d(64)
            self.first = nn.Sequential(self.wide, nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.2))
            self.second = nn.Sequential(self.narrow, self.norm, nn.ReLU())
            self.head = nn.Linear(64, CLASSES)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """(B, 64) to (B, 10)."""
            h = self.first(x)
            if fault == "graph cut":
                h = h.detach()
            logits: torch.Tensor = self.head(self.second(h))
            return logits.softmax(1) if fault == "double softmax" else logits

    model = Net()
    if fault == "dead ReLU":
        nn.init.constant_(model.norm.bias, -10)
    elif fault == "constant init":
        for layer in (model.wide, model.narrow, model.head):
            nn.init.constant_(layer.weight, 0.02)
    elif fault == "frozen by accident":
        model.first.requires_grad_(False)
    return model


def build(fault: str) -> Parts:
    """Model, optimizer and loaders."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    x, y, x_v, y_v = (torch.from_numpy(each) for each in digits(fault))
    training = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=fault != "sorted, unshuffled")
    validation = DataLoader(TensorDataset(x_v, y_v), batch_size=256)
    model = network(fault)
    rate = {"lr 1.0": 1.0, "lr 1e-8": 1e-8}.get(fault, 1e-3)
    given = [model.first, model.second] if fault == "head not in optimizer" else [model]
    optimizer = torch.optim.Adam([one for each in given for one in each.parameters()], lr=rate)
    if fault == "head replaced later":
        model.head = nn.Linear(64, CLASSES)
    return Parts(model, optimizer, nn.CrossEntropyLoss(), training, validation)


def train(fault: str, seed: int, tool: Tool) -> tuple[list[Said], float]:
    """The training under a tool: what the tool said, and the last validation accuracy."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    accuracy = 0.0
    with tool.around():
        parts = build(fault)
        tool.begin(parts)
        for epoch in range(EPOCHS):
            if fault != "training in eval mode":
                parts.model.train()
            elif epoch == 0:
                parts.model.eval()
            train_epoch(parts, fault, tool)
            loss, accuracy = validate(parts, fault)
            tool.after_epoch(loss)
    return tool.end(parts), accuracy


def train_epoch(parts: Parts, fault: str, tool: Tool) -> None:
    """One pass over the training set."""
    for x, y in parts.training:
        if fault not in ("no zero_grad", "zero_grad before step"):
            parts.optimizer.zero_grad()
        loss = parts.loss(tool.forward(parts, x), y)
        tool.backward(loss)
        if fault == "zero_grad before step":
            parts.optimizer.zero_grad()
        tool.before_step(parts)
        if fault != "never step":
            tool.step(parts.optimizer)
        tool.after_step(loss.item())


def validate(parts: Parts, fault: str) -> tuple[float, float]:
    """Mean loss and accuracy over the validation set."""
    import torch

    parts.model.train(fault == "validation in train mode")
    total, right, count = 0.0, 0, 0
    with torch.no_grad():
        for x, y in parts.validation:
            logits = parts.model(x)
            total += parts.loss(logits, y).item() * len(y)
            right += int((logits.argmax(1) == y).sum())
            count += len(y)
    return total / count, right / count
