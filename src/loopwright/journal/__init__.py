"""The record of a run: its directory, its history, its environment."""

from loopwright.journal.environment import describe_machine, describe_run, uncommitted
from loopwright.journal.journal import RunJournal, Sink
from loopwright.journal.runs import create_run, list_runs, open_run
from loopwright.lines import Record, comparable, read_history, revive, scan_history, to_line

__all__ = [
    "Record",
    "RunJournal",
    "Sink",
    "comparable",
    "create_run",
    "describe_machine",
    "describe_run",
    "list_runs",
    "open_run",
    "read_history",
    "revive",
    "scan_history",
    "to_line",
    "uncommitted",
]
