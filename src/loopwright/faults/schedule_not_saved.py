"""The scheduler counts by itself, and its count is not in the checkpoint.

A resumed run has its weights and begins the schedule anew: warm-up, full rate, and a decay that will never get to its
end. The loss jumps up at the resumption, and the run ends at too high a rate.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core.experiment import Experiment
from loopwright.core.schedules import Schedule
from loopwright.faults.fault import Fault


class Counting(Schedule):
    """A schedule at its own count: one more with each new step, and 0 where a run begins or goes on in the middle."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.step = -1
        self.count = -1

    def __call__(self, step: int, total: int) -> float:
        """The factor at the count."""
        if step != self.step:
            self.count = self.count + 1 if step == self.step + 1 else 0
            self.step = step
        return self.schedule(self.count, total)


def inject(experiment: Experiment) -> Experiment:
    """Let the schedule begin anew when a run is resumed."""
    return replace(experiment, schedule=Counting(experiment.schedule))  # type: ignore[arg-type]


def moves(experiment: Experiment) -> bool:
    """Whether the rate is not the same in all steps."""
    total = experiment.cadence().total
    return len({experiment.schedule(step, total) for step in range(total)}) > 1


FAULT = Fault(
    name="schedule-not-saved",
    number=80,
    line="torch.save({'model': …, 'optimizer': …}, path)   # 'scheduler': scheduler.state_dict()",
    symptom="none until a run is resumed; then the rate begins anew, and the loss jumps",
    why="the place in the schedule is a number that nobody has saved",
    causes=("schedule-not-saved",),
    inject=inject,
    applies=moves,
)
