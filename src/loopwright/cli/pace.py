"""How fast a run gets on, and how long it will still take, from its own records."""

from __future__ import annotations

from loopwright.lines import Record

WARM_UP = 3
"""So many steps are not measured: kernels are chosen, a model is compiled, loader workers start."""
WINDOW_SECONDS = 60.0
"""After so much time what was measured counts half, so that the pace is that of the last minutes."""


class Pace:
    """Seconds of a step, without evaluations in them, and of an evaluation. `total` steps, an evaluation after every
    `evaluation` of them and after the last; 0 where there is none.

    A step's time is that from its record to the next one's, so that what is saved or looked at in between is in it.
    """

    def __init__(self, total: int = 0, evaluation: int = 0) -> None:
        self.total, self.evaluation = total, evaluation
        self.step = 0
        self.steps = self.samples = self.seconds = 0.0
        self.evaluations, self.evaluation_seconds = 0, 0.0
        self.before: float | None = None
        self.cold = WARM_UP
        self.evaluated = False

    def see(self, record: Record) -> None:
        """Take a record of the history into account."""
        if record["kind"] == "validation":
            self.evaluated = True
        elif record["kind"] == "step":
            self.step, now = record["step"], record["seconds"]
            if self.before is not None:
                self.took(now - self.before, record["samples"])
            self.before, self.evaluated = now, False

    def took(self, seconds: float, samples: int) -> None:
        """So long took the last step, with the evaluation before it if there was one."""
        if self.cold > 0:
            self.cold -= 1
        elif self.evaluated:
            self.evaluations += 1
            self.evaluation_seconds += max(0.0, seconds - self.step_seconds)
        else:
            self.steps, self.samples, self.seconds = self.steps + 1, self.samples + samples, self.seconds + seconds
            if self.seconds > WINDOW_SECONDS:
                self.steps, self.samples, self.seconds = self.steps / 2, self.samples / 2, self.seconds / 2

    @property
    def step_seconds(self) -> float:
        """Of one step; 0 while none is measured."""
        return self.seconds / self.steps if self.steps else 0.0

    @property
    def samples_per_second(self) -> float:
        """Through the steps alone; 0 while nothing is measured."""
        return self.samples / self.seconds if self.seconds else 0.0

    @property
    def evaluations_ahead(self) -> int:
        """How many evaluations are still to come."""
        if not self.evaluation:
            return 0
        unfinished = self.total % self.evaluation > 0 and self.step < self.total
        return self.total // self.evaluation - self.step // self.evaluation + unfinished

    @property
    def known(self) -> bool:
        """Whether the time of evaluations, if there are any, is in `ahead`."""
        return self.evaluations > 0 or self.evaluations_ahead == 0

    @property
    def ahead(self) -> float | None:
        """Seconds until the last step and the last evaluation are done; None while no step is measured."""
        if not self.seconds:
            return None
        each = self.evaluation_seconds / self.evaluations if self.evaluations else 0.0
        return (self.total - self.step) * self.step_seconds + self.evaluations_ahead * each
