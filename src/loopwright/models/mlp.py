"""The multi-layer perceptron.

Shape legend: B samples, I inputs, O outputs; `*` any dimensions that multiply to I.
"""

from __future__ import annotations

from torch import Tensor, nn


class MLP(nn.Module):
    """Linear layers with ReLU between them, and dropout after each ReLU.

    `inputs` I; `hidden` the hidden layers' widths, none for a linear model; `outputs` O; `dropout` in [0, 1).
    """

    def __init__(self, inputs: int, hidden: tuple[int, ...], outputs: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        widths = (inputs, *hidden)
        layers: list[nn.Module] = []
        for width, following in zip(widths, hidden, strict=False):
            layers += [nn.Linear(width, following), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], outputs))

    def forward(self, x: Tensor) -> Tensor:
        """`x` float (B, *) to (B, O)."""
        y_BO: Tensor = self.layers(x)
        return y_BO
