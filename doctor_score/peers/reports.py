"""The faults, and what reports of each tool name."""

from __future__ import annotations

import re
from dataclasses import dataclass

OURS = "loopwright"
HEALTHY = "healthy"
SEEDS = (0, 1, 2)
EPOCHS, BATCH, TRAINED, CLASSES = 12, 64, 1344, 10

# A fault, and the causes that name it.
FAULTS: dict[str, tuple[str, ...]] = {
    "lr 1.0": ("lr-too-large", "exploding-gradients"),
    "lr 1e-8": ("lr-too-small",),
    "no zero_grad": ("no-zero-grad",),
    "zero_grad before step": ("zero-before-step",),
    "never step": ("no-step",),
    "training in eval mode": ("train-mode-missing",),
    "validation in train mode": ("eval-mode-missing",),
    "sorted, unshuffled": ("no-shuffle",),
    "random labels": ("random-labels",),
    "labels shifted by one": ("shifted-labels",),
    "double softmax": ("double-softmax",),
    "head not in optimizer": ("missing-from-optimizer",),
    "head replaced later": ("stale-optimizer", "missing-from-optimizer"),
    "graph cut": ("graph-cut",),
    "frozen by accident": ("frozen",),
    "validation scaled otherwise": ("split-preprocessing",),
    "train rows in validation": ("split-overlap",),
    "label in the input": ("label-leak",),
    "inputs all zero": ("constant-input",),
    "NaN rows": ("non-finite-input",),
    "dead ReLU": ("dead-units",),
    "constant init": ("symmetric-init",),
}

# Per tool: a pattern, looked for in "rule level text", and the causes that such a report names. No entry: alarm only.
NAMES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "torch-audit": (
        (r"^TA100", ("non-finite",)),
        (r"^TA102", ("exploding-gradients", "lr-too-large")),  # "check learning rate"
        (r"^TA10[35]", ("dead-units",)),
        (r"^TA104", ("frozen", "zero-before-step")),  # "no gradients found", seen behind step; "not frozen"
        (r"^TA301", ("unscaled-input", "split-preprocessing")),
        (r"^TA302", ("constant-input",)),
        (r"^TA305", ("target-range",)),
    ),
    "torchmortem": (
        (r"^Update ratio too high", ("lr-too-large",)),
        (r"^Update ratio too low", ("lr-too-small", "vanishing-gradients", "frozen")),  # "effectively frozen"
        (
            r"^Stagnant weight norms",
            ("lr-too-small", "frozen", "graph-cut"),
        ),  # "may not be learning", "connected in the graph"
        (r"^Gradient stalling", ("graph-cut", "zeroed-gradient")),
        (r"^Vanishing gradients", ("vanishing-gradients",)),
        (r"^Exploding gradients", ("exploding-gradients", "lr-too-large")),
        (r"^Weight norm explosion", ("lr-too-large",)),  # "reduce the learning rate"
        (r"^Training divergence", ("lr-too-large",)),
        (r"^Instability feedback loop", ("exploding-gradients", "lr-too-large")),
        (r"^(Dead units|Gradient starvation)", ("dead-units",)),
    ),
    "torchtest2": (
        (r"^optimizer_coverage FAIL", ("missing-from-optimizer", "stale-optimizer")),
        (r"^optimizer_coverage WARN", ("stale-optimizer",)),
        (r"^gradient_flow FAIL", ("graph-cut",)),
        (r"^gradient_flow WARN", ("dead-units", "zeroed-gradient")),  # "dead ReLUs, multiplied by zero"
        (r"^gradient_magnitude FAIL", ("non-finite",)),
        (r"^gradient_magnitude WARN", ("exploding-gradients", "lr-too-large")),
        (r"^initial_loss WARN .*leak", ("label-leak",)),
        (r"^initial_loss WARN .*over-confident", ("bad-init-scale", "unscaled-input")),
        (r"^overfit_batch FAIL .*(lr too high)", ("lr-too-large", "exploding-gradients")),
        (r"^overfit_batch FAIL .*check the learning rate", ("lr-too-large", "lr-too-small")),
        (r"^overfit_batch WARN .*lr may be too low", ("lr-too-small",)),
        (r"^input_dependency FAIL", ("graph-cut",)),
        (r"^batch_independence", ("batch-mixing",)),
    ),
    "trainproof": (
        (r"^TP-NAN", ("non-finite",)),
        (r"^TP-ZERO-LR", ("lr-too-small",)),
        (r"^TP-ZERO-GRAD", ("frozen", "graph-cut", "zero-before-step")),  # "no gradient reached the weights"
        (r"^TP-GRAD-SPIKE", ("exploding-gradients",)),
        (r"^TP-OVERFIT", ("overfitting",)),
        (r"^TP-LOADER-BOUND", ("slow-loader",)),
        (r"^TP-OBJ-TARGET-OUT-OF-RANGE", ("target-range",)),
    ),
}
ADVICE = re.compile(r"^(TA2|TA40[0-4])")  # how fast tensor cores are, weight decay of biases, even kernels
LOUD = {"WARN", "WARNING", "ERROR", "FATAL", "FAIL", "CRITICAL"}


@dataclass(frozen=True)
class Said:
    """A report of a tool: its rule, its level in the tool's own words, its text."""

    rule: str
    level: str
    text: str

    @property
    def alarm(self) -> bool:
        """Is it of warning level or above, and not advice?"""
        return self.level.upper() in LOUD and not ADVICE.match(self.rule)

    def causes(self, tool: str) -> tuple[str, ...]:
        """The causes that it names. The doctor's rules are causes."""
        if tool == OURS:
            return (self.rule,)
        told = f"{self.rule} {self.level} {self.text}"
        return tuple(cause for pattern, causes in NAMES[tool] if re.search(pattern, told) for cause in causes)
