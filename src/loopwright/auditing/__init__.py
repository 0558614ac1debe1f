"""The promises, proved on an experiment."""

from loopwright.auditing.audit import Audit, Check, audit, known_checks, named, shortened
from loopwright.auditing.checks import CHECKS, Finding
from loopwright.auditing.table import as_table, ending

__all__ = ["CHECKS", "Audit", "Check", "Finding", "as_table", "audit", "ending", "known_checks", "named", "shortened"]
