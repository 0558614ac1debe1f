"""Runs beside each other: what differs, what came out, whether it is more than noise, what it cost."""

from loopwright.comparing.comparison import Comparison, compare
from loopwright.comparing.writing import write

__all__ = ["Comparison", "compare", "write"]
