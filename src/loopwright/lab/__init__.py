"""The fault lab: break an experiment on purpose, beside its healthy twin; does the doctor name the cause?"""

from loopwright.lab.breaking import Broken, Lab, break_experiment

__all__ = ["Broken", "Lab", "break_experiment"]
