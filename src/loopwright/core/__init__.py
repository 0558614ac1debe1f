"""The loop, and what it is made of."""

from loopwright.core.arithmetic import arithmetic
from loopwright.core.evaluate import evaluate
from loopwright.core.experiment import Cadence, Claim, Expect, Experiment
from loopwright.core.interrupt import Interrupt
from loopwright.core.loop import train, train_step
from loopwright.core.optimizers import SGD, Adam, AdamW, Muon, build_optimizer
from loopwright.core.schedules import Constant, Cosine, Linear, MultiStep, Plateau, Step, WarmupStableDecay
from loopwright.core.state import State
from loopwright.core.study import Study

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Cadence",
    "Claim",
    "Constant",
    "Cosine",
    "Expect",
    "Experiment",
    "Interrupt",
    "Linear",
    "MultiStep",
    "Muon",
    "Plateau",
    "State",
    "Step",
    "Study",
    "WarmupStableDecay",
    "arithmetic",
    "build_optimizer",
    "evaluate",
    "train",
    "train_step",
]
