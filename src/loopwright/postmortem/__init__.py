"""What went wrong in a run, and what the runs and labs beside it teach: every statement with a run and a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.errors import RunError
from loopwright.journal.runs import check_contents, located
from loopwright.postmortem.case import Case
from loopwright.postmortem.labs import read_labs
from loopwright.postmortem.questions import answered
from loopwright.postmortem.statements import Answer
from loopwright.postmortem.survey import survey
from loopwright.postmortem.trouble import happened
from loopwright.report.record import Record

__all__ = ["Answer", "Postmortem", "examine"]

FILES = ("config.toml", "env.json", "metrics.json", "logs/history.jsonl")


@dataclass(frozen=True)
class Postmortem:
    """What is known about a run: `happened`, its own story, and `questions`, the five that its project answers.

    `notes`: what is missing or damaged in its record.
    """

    run: Path
    experiment: str
    status: str
    steps: int
    happened: tuple[Answer, ...]
    questions: tuple[Answer, ...]
    notes: tuple[str, ...]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All of them, in their order."""
        return (*self.happened, *self.questions)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "run": str(self.run),
            "experiment": self.experiment,
            "status": self.status,
            "steps": self.steps,
            "happened": [answer.as_dict() for answer in self.happened],
            "questions": [answer.as_dict() for answer in self.questions],
            "notes": list(self.notes),
        }


def examine(
    path: Path,
    labs: Sequence[Path] | None = None,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = iter,
) -> Postmortem:
    """Look at the run at `path`, at the runs beside it, and at the labs at `labs` (None: here, and beside the runs).

    Nothing is written. `progress` shows how far the runs are read. Raises RunError where `path` holds nothing of a run.
    """
    run = opened(path)
    own = Case(Record.load(run))
    found = survey(own, progress)
    root = run.absolute().parent.parent
    harms = read_labs([Path("lab"), root.parent / "lab"] if labs is None else labs)
    return Postmortem(
        run=run,
        experiment=own.record.experiment,
        status=own.status,
        steps=own.steps,
        happened=happened(own, found.twin),
        questions=answered(found, harms),
        notes=() if own.record.is_study else tuple(own.record.notes),  # a study has no curves of its own
    )


def opened(path: Path) -> Path:
    """The run directory that `path` names, however little is left in it. Raises RunError where it is none."""
    run = located(path)
    if not any((run / name).is_file() for name in FILES):
        raise RunError(f"{path}: not a run, it has none of {', '.join(FILES)}; `loopwright runs` lists those there are")
    check_contents(run)
    return run
