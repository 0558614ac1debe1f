"""How wide a network must be to hold an automaton: widths below, at and above its number of states."""

from __future__ import annotations

from dataclasses import replace

from loopwright.core import Expect, Experiment, Study
from loopwright.experiments.regular import language
from loopwright.studies.capacity import conclude
from loopwright.tasks.regular.network import Network
from loopwright.tasks.regular.settings import CorpusSettings

PATTERN = "(b*ab*ab*ab*ab*a)*b*"
STATES = 6
"""Five counts, and the reject state, which no string reaches."""
WIDTHS = (2, 3, 4, 5, 6, 8, 16)
SEEDS = (0, 1, 2)
EPOCHS = 40
CORPUS = CorpusSettings(accepted=1500, rejected=1500, unseen_accepted=300, unseen_rejected=300)


def fsm_capacity() -> Study:
    """How wide must a GRU be to count to five? Widths below, at and above the number of states, three seeds each."""
    return Study("fsm-capacity", tuple(member(width, seed) for width in WIDTHS for seed in SEEDS), conclude)


def member(width: int, seed: int) -> Experiment:
    """One width with one seed, which decides the weights and the order of the strings."""
    counting = language(f"width{width:02d}-seed{seed}", PATTERN, states=STATES, corpus=CORPUS)
    task = replace(counting.task, network=Network(kind="gru", width=width, layers=1, tied=False))  # type: ignore[type-var]
    optimizer = replace(counting.optimizer, lr=1e-2)
    schooled = replace(counting, task=task, optimizer=optimizer, steps=None, epochs=EPOCHS, eval_every=None)
    return replace(schooled, seed=seed, metric="state_accuracy", mode="max", expect=Expect())
