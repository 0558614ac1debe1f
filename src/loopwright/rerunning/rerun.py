"""A run done again from one of its states, step by step, in memory: nothing is written."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.core.arithmetic import arithmetic
from loopwright.core.experiment import Experiment
from loopwright.core.interrupt import Interrupt
from loopwright.core.loop import close_step, train_step
from loopwright.core.parallel import ALONE
from loopwright.core.state import State
from loopwright.errors import CheckpointError
from loopwright.journal.journal import step_records
from loopwright.protocols import Batch, Hook, NoJournal
from loopwright.rerunning.trace import Trace, Watching, tensors_of, trace_step, unwatched
from loopwright.running.config import load_config
from loopwright.running.runner import begin, check_unchanged
from loopwright.running.session import Watchers
from loopwright.store import read_saved
from loopwright.store.checkpoints import by_age, step_files

SILENT = Watchers()
FIRST_STATE = "the first state, a function of the seed"


class Walk:
    """A run from one of its states on, each step as the loop does it, under the run's own arithmetic.

    `origin` says where the state comes from, `began` how many steps it had.
    """

    def __init__(self, experiment: Experiment, state: State, origin: str, watchers: Watchers = SILENT) -> None:
        self.experiment, self.state, self.origin, self.watchers = experiment, state, origin, watchers
        self.began = state.step
        self.cadence = experiment.cadence()
        self.batches: Iterator[Sequence[Batch]] = experiment.task.data.batches(experiment.plan(), start=state.step)
        state.model.train()

    def to(self, step: int) -> Walk:
        """Go on until `step` steps are done; the walk itself."""
        with arithmetic(self.experiment):
            while self.state.step < step:
                self.close()
                report = train_step(self.experiment, self.state, self.cadence, next(self.batches))
                for sink in self.watchers.sinks:
                    sink(step_records([report], [0.0])[0])
        return self

    def trace(self, watching: Watching = unwatched) -> Trace:
        """Do the next step and keep what was seen of it."""
        with arithmetic(self.experiment):
            self.close()
            return trace_step(self.experiment, self.state, self.cadence, next(self.batches), watching)

    def close(self) -> None:
        """The evaluation that may be due: a schedule may depend on it."""
        alone: dict[str, Any] = {"journal": NoJournal(), "hook": Hook(), "interrupt": Interrupt(), "workers": ALONE}
        close_step(self.experiment, self.state, self.cadence, **alone)

    def again(self, experiment: Experiment | None = None) -> Walk:
        """A walk of its own from the state reached here, or from this state on under another `experiment`.

        The first state is made anew, for it depends on the experiment.
        """
        experiment = experiment or self.experiment
        with arithmetic(experiment):
            state = begin(experiment)
        if self.state.step > 0:
            state.load_state_dict(copy.deepcopy(self.state.state_dict()), self.origin)
        return Walk(experiment, state, self.origin, self.watchers)

    def tensors(self) -> dict[str, Any]:
        """Copies of the tensors that the next step depends on."""
        return tensors_of(self.state)


@dataclass(frozen=True)
class Recorded:
    """A run on disk whose steps can be done again here."""

    run: Path
    experiment: Experiment
    watchers: Watchers = SILENT
    reference: str | None = None

    @staticmethod
    def open(run: Path, reference: str | None = None, watchers: Watchers = SILENT) -> Recorded:
        """The run in the directory `run`; `reference` names its experiment again where it is one's own.

        Raises RunError where its configuration, code or data are not what they were.
        """
        experiment = load_config(run / "config.toml", reference).resolved().check()
        with arithmetic(experiment):
            check_unchanged(run, experiment)
        return Recorded(run, experiment, watchers, reference)

    def anew(self) -> Experiment:
        """The experiment imported anew: of one's own file, its module-level variables are new too."""
        return load_config(self.run / "config.toml", self.reference).resolved()

    def after(self, steps: int) -> Walk:
        """The run with `steps` steps done, from the nearest good checkpoint, else from its first state."""
        with arithmetic(self.experiment):
            state, origin = begin(self.experiment), FIRST_STATE
        found = nearest_good(self.run / "checkpoints", steps, self.watchers)
        if found is not None:
            path, content = found
            state.load_state_dict(content["state"], str(path))
            origin = f"{path.name} (step {state.step})"
        self.watchers.begin(steps, 0)
        return Walk(self.experiment, state, origin, self.watchers).to(steps)


def nearest_good(directory: Path, steps: int, watchers: Watchers = SILENT) -> tuple[Path, dict[str, Any]] | None:
    """The checkpoint with the most steps, but at most `steps`, of those that verify; each damaged one is told."""
    named = {path: number for number, path in step_files(directory)}
    found: tuple[Path, dict[str, Any]] | None = None
    for path in by_age(directory):
        if named.get(path, 0) > steps or (found and path in named):
            continue
        try:
            content = read_saved(path)
        except CheckpointError as error:
            watchers.say(f"passed over: {error}")
            continue
        step = content.get("step")
        if isinstance(step, int) and (found[1]["step"] if found else -1) < step <= steps:
            found = path, content
    return found
