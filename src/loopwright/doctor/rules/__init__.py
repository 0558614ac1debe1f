"""The rules, in families. A rule that fires on any healthy program is wrong, however many faults it names."""

from loopwright.doctor.rules import (
    checkpoints,
    data,
    datasets,
    gradients,
    leaks,
    losses,
    modes,
    nodes,
    numerics,
    order,
    padding,
    series,
    structure,
    tokens,
    updates,
    validation,
)

__all__ = [
    "checkpoints",
    "data",
    "datasets",
    "gradients",
    "leaks",
    "losses",
    "modes",
    "nodes",
    "numerics",
    "order",
    "padding",
    "series",
    "structure",
    "tokens",
    "updates",
    "validation",
]
