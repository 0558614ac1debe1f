"""What clipping does: the same network at a rate that is too high for it, without clipping and with two thresholds."""

from __future__ import annotations

from dataclasses import replace

from loopwright.core import SGD, Constant, Expect, Experiment, Study
from loopwright.experiments.digits import digits_mlp
from loopwright.studies.clipping import conclude

THRESHOLDS = (0.0, 1.0, 0.5)
SEEDS = (0, 1)


def digits_clipping() -> Study:
    """digits-mlp at a rate that is too high, without clipping and with thresholds of 1.0 and 0.5, two seeds each."""
    members = [member(clip_norm, seed) for clip_norm in THRESHOLDS for seed in SEEDS]
    return Study("digits-clipping", tuple(members), conclude)


def member(clip_norm: float, seed: int) -> Experiment:
    """A short `digits-mlp` under momentum at a constant, high rate."""
    hot = replace(digits_mlp(), optimizer=SGD(lr=0.5), schedule=Constant(), epochs=10.0, threads=1, expect=Expect())
    return replace(hot, name=f"clip{clip_norm:g}-seed{seed}", clip_norm=clip_norm, seed=seed)
