"""Ways to draw the first weights, compared: the same network, data and settings, each way with two seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from loopwright.core import Expect, Experiment, Study
from loopwright.experiments.digits import digits_mlp
from loopwright.initializers import Strategy
from loopwright.studies.init import conclude

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
SEEDS = (0, 1)
EPOCHS = 10


def digits_init() -> Study:
    """Six ways to draw the first weights of digits-mlp, two seeds each: do they matter, and is the ranking luck?"""
    members = [member(strategy, seed) for strategy in STRATEGIES for seed in SEEDS]
    return Study("digits-init", tuple(members), conclude)


def member(strategy: Strategy, seed: int) -> Experiment:
    """A short `digits-mlp`; the seed decides the weights, the order of the samples, dropout and augmentation."""
    name = f"{strategy}-seed{seed}"
    return replace(digits_mlp(), name=name, init=strategy, seed=seed, epochs=EPOCHS, threads=1, expect=Expect())
