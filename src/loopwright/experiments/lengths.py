"""What becomes of a learned language on longer strings: transformers with several kinds of positions, and a GRU."""

from __future__ import annotations

from dataclasses import replace

from loopwright.core import AdamW, Expect, Experiment, Study
from loopwright.experiments.regular import (
    GRU,
    TRANSFORMER,
    fsm_ab_star,
    fsm_alternating,
    fsm_mod3,
    fsm_no_bb,
    fsm_parity,
)
from loopwright.studies.lengths import conclude

LANGUAGES = (fsm_ab_star, fsm_no_bb, fsm_alternating, fsm_parity, fsm_mod3)
NETWORKS = {
    "learned": TRANSFORMER,
    "rotary": replace(TRANSFORMER, positions="rotary"),
    "random": replace(TRANSFORMER, positions="random"),
    "gru": GRU,
}
"""By the transformer's kind of positions, and a GRU."""


def fsm_lengths() -> Study:
    """Five languages, three kinds of positions and a GRU: who is still right on strings three times as long?"""
    return Study("fsm-lengths", tuple(member(make(), name) for make in LANGUAGES for name in NETWORKS), conclude)


def member(experiment: Experiment, name: str) -> Experiment:
    """A language with a network. The GRU needs fewer steps and a higher rate."""
    task = replace(experiment.task, network=NETWORKS[name])  # type: ignore[type-var]
    changed = replace(experiment, name=f"{experiment.name}-{name}", task=task, expect=Expect())
    return changed if name != "gru" else replace(changed, steps=1500, optimizer=AdamW(lr=5e-3, weight_decay=0.0))
