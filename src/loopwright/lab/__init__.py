"""The fault lab: break an experiment on purpose, beside its healthy twin, and see whether the doctor names the cause."""

from loopwright.lab.breaking import Broken, Lab, break_experiment

__all__ = ["Broken", "Lab", "break_experiment"]
