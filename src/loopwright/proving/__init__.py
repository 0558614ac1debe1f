"""The promises, proved on experiments and runs."""

from loopwright.proving.audit import Audit, Row, audit, named, shortened
from loopwright.proving.bisect import Bisection, bisect
from loopwright.proving.comparing import Comparison, compare_runs, compare_states
from loopwright.proving.replay import Replay, replay
from loopwright.proving.rows import ROWS, Finding
from loopwright.proving.table import as_table, ending

__all__ = [
    "ROWS",
    "Audit",
    "Bisection",
    "Comparison",
    "Finding",
    "Replay",
    "Row",
    "as_table",
    "audit",
    "bisect",
    "compare_runs",
    "compare_states",
    "ending",
    "named",
    "replay",
    "shortened",
]
