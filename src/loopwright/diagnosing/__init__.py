"""Findings from a record alone: a run's, or one of another tool."""

from loopwright.diagnosing.curves import Curves
from loopwright.diagnosing.judging import judge
from loopwright.diagnosing.reading import read_curves

__all__ = ["Curves", "judge", "read_curves"]
