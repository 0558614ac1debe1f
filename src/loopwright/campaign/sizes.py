"""How much of each experiment `loopwright run-all` does: the small size is for a machine of two cores and 15 minutes.

Small is as much as that time allows. Whatever claims something is run as it claims it, so that a small run judges the
claims themselves; shortened are two studies, which claim nothing, and MNIST, which on a CPU takes its time. What is
shortened claims less, and the results say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from loopwright.core.experiment import Claim

Size = Literal["small", "full"]

SHORTENED: Mapping[str, tuple[str, ...]] = {
    "fsm-lengths": ("--steps", "250"),
    "fsm-capacity": ("--epochs", "10"),
    "mnist-cnn": ("--epochs", "1"),
    "mnist-resnet": ("--steps", "150"),
}
"""The flags of `loopwright train` that make an experiment small; what is not here is as it is."""

LEARNS = (Claim("test.best.accuracy", at_least=0.9),)
SMALLER_CLAIMS: Mapping[str, tuple[Claim, ...]] = {"mnist-cnn": LEARNS, "mnist-resnet": LEARNS}
"""What a shortened experiment claims: that it learns something."""


def flags_of(name: str, size: Size) -> tuple[str, ...]:
    """What is changed of an experiment at a size."""
    return SHORTENED.get(name, ()) if size == "small" else ()


def claims_of(name: str, size: Size) -> tuple[Claim, ...]:
    """What is claimed in the place of the experiment's own claims, where it is shortened."""
    return SMALLER_CLAIMS.get(name, ()) if size == "small" else ()
