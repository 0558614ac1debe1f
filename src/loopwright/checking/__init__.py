"""Checks of an experiment before it is trained: what can be known in seconds."""

from loopwright.checking import evaluations, rehearsal, resuming, samples
from loopwright.checking.check import CHECKS, Checked, Result, check_experiment

__all__ = ["CHECKS", "Checked", "Result", "check_experiment", "evaluations", "rehearsal", "resuming", "samples"]
