"""`python -m loopwright.auditing.trial KIND CONFIG …`: what an audit has done in a fresh process besides training.

stop      train, and send SIGTERM to itself after a step, or SIGKILL some seconds after it
silent    the loop alone: no hooks, journal or checkpoints
evaluate  a checkpoint's metrics with several batch sizes
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from loopwright.auditing.rescan import Scans, rescanning, sizes
from loopwright.core.arithmetic import arithmetic
from loopwright.core.evaluate import evaluate
from loopwright.core.experiment import Experiment
from loopwright.core.loop import train
from loopwright.core.state import State
from loopwright.errors import Interrupted, LoopwrightError
from loopwright.protocols import Hook, NoJournal, NoStore, StepReport
from loopwright.running.config import recorded
from loopwright.running.runner import begin, train_one_experiment
from loopwright.running.session import Watchers
from loopwright.running.summary import write_json
from loopwright.store import read_saved, write_checkpoint
from loopwright.store.checkpoints import step_files

SAVE_SECONDS = 30.0
POLL_SECONDS = 0.005


class StopAfter(Hook):
    """Sends this process SIGTERM after `step`; or SIGKILL `delay` seconds after it, once a checkpoint of a step lies
    below `root`."""

    def __init__(self, step: int, delay: float | None, root: Path) -> None:
        self.step = step
        self.delay = delay
        self.root = root

    def on_step_end(self, report: StepReport) -> None:
        """Send the signal, or have it sent."""
        if report.step != self.step:
            return
        if self.delay is None:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        wait_for_checkpoint(self.root)
        timer = threading.Timer(self.delay, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()


def wait_for_checkpoint(root: Path) -> None:
    """Return when a run below `root` has a checkpoint to go on from, or after a while without.

    That of step 0 is none: what goes on from there was not resumed, it was begun again.
    """
    deadline = time.monotonic() + SAVE_SECONDS
    while time.monotonic() < deadline:
        if any(step > 0 for directory in root.glob("*/*/checkpoints") for step, _ in step_files(directory)):
            return
        time.sleep(POLL_SECONDS)


def stop(experiment: Experiment, options: argparse.Namespace) -> int:
    """Train in a run directory until the signal; the exit code that it gives."""
    watchers = Watchers(hooks=[StopAfter(options.step, options.delay, options.out)])
    _, origin = recorded(options.config, options.experiment)
    try:
        train_one_experiment(experiment, options.out, watchers, origin=origin)
    except Interrupted as stopped:
        return stopped.exit_code
    return 0


def silent(experiment: Experiment, options: argparse.Namespace) -> int:
    """Train with nothing around the loop, and leave the last state as a checkpoint."""
    with arithmetic(experiment):
        state = begin(experiment)
        train(experiment, state, journal=NoJournal(), store=NoStore())
    write_checkpoint(options.out, {"step": state.step, "state": state.state_dict()})
    return 0


def evaluate_in_batches(experiment: Experiment, options: argparse.Namespace) -> int:
    """A checkpoint's validation metrics by batch size, and how many samples there are, as JSON.

    There are no results where the task does not scan.
    """
    with arithmetic(experiment):
        state = begin(experiment)
        state.load_state_dict(read_saved(options.checkpoint)["state"], str(options.checkpoint))
        asked = Scans(experiment.task.data, None)
        reference = scanned(experiment, state, asked)
        results, samples = {}, experiment.task.data.size("val")
        if asked.asked:
            results[str(asked.asked[0])] = reference
            for size in sizes(samples):
                results.setdefault(str(size), scanned(experiment, state, Scans(experiment.task.data, size)))
    write_json(options.out, {"results": results, "samples": samples})
    return 0


def scanned(experiment: Experiment, state: State, scans: Scans) -> dict[str, float]:
    """The validation metrics where the data scan as `scans` does."""
    task = rescanning(experiment.task, scans)
    try:
        return evaluate(task, state.average.module, "val", experiment.seed)
    except Exception as error:
        # A task's own mistake, of which its author needs to know the batch size.
        raise LoopwrightError(f"in batches of {scans.size}: {type(error).__name__}: {error}") from error


KINDS: dict[str, Callable[[Experiment, argparse.Namespace], int]] = {
    "stop": stop,
    "silent": silent,
    "evaluate": evaluate_in_batches,
}


def main(arguments: Sequence[str]) -> int:
    """Carry out one trial; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m loopwright.auditing.trial")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("config", type=Path, help="a config.toml")
    parser.add_argument("out", type=Path, help="a directory for runs, a checkpoint, or a JSON file")
    parser.add_argument("--experiment", help="names the experiment again")
    parser.add_argument("--step", type=int, help="stop: after which step")
    parser.add_argument("--delay", type=float, help="stop: SIGKILL so many seconds later, instead of SIGTERM")
    parser.add_argument("--checkpoint", type=Path, help="evaluate: which one")
    options = parser.parse_args(arguments)
    made, _ = recorded(options.config, options.experiment)
    if not isinstance(made, Experiment):
        parser.error(f"{options.config} is a study's; a trial is of one run")
    return KINDS[options.kind](made.resolved().check(), options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
