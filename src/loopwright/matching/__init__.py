"""Two runs beside each other, bit by bit: tensors, histories, everything."""

from loopwright.matching.runs import Comparison, compare_runs, compare_states

__all__ = ["Comparison", "compare_runs", "compare_states"]
