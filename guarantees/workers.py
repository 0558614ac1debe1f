"""Any number of workers, changed at any step: the same bits. Each life of a run is a group of forked processes."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, zip_longest
from pathlib import Path
from typing import Any, cast

import torch
import torch._dynamo  # the optimizers import it: a second for each child, or once here
from torch.distributed import FileStore  # type: ignore[attr-defined]  # it is exported, but not by name

from guarantees.equal import Bits, bits
from guarantees.forks import fork, wait
from guarantees.models import CASES
from guarantees.section import Scale, Section, shown
from loopwright.core import Experiment, Interrupt, State, train
from loopwright.core.experiment import Parallel
from loopwright.core.fsdp import arranged, layout_of
from loopwright.core.gradients import add
from loopwright.core.group import GRACE, Group
from loopwright.core.parallel import ALONE, Workers
from loopwright.protocols import Hook, NoJournal, NoStore, StepReport

Schedule = Sequence[tuple[int, int, Parallel]]
"""(workers, step, parallel): so many workers, which hold all of each weight or a part, until that step; then the next
group of processes."""
Trajectory = tuple[Bits, list[str]]
"""Every leaf of the last state, and the lines of the history."""
MOST = 4


class CrashedError(Exception):
    """Workers that should have trained to the end did not."""


class Until(Hook):
    """Asks for the end of a life after `step`, as a signal would, on this worker alone."""

    def __init__(self, interrupt: Interrupt, step: int) -> None:
        self.interrupt = interrupt
        self.step = step

    def on_step_end(self, report: StepReport) -> None:
        """The signal comes with the step."""
        if report.step >= self.step:
            self.interrupt.requested = 15


class Told(NoJournal):
    """What a history would hold, every number in full."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, report: StepReport) -> None:
        """A step."""
        parts = {name: part.item() for name, part in report.parts.items()}
        numbers = (report.lr, report.samples, report.loss.item(), report.grad_norm.item(), parts)
        self.lines.append(f"step {report.step} {report.epoch} {numbers!r}")

    def validation(self, step: int, epoch: int, metrics: Any) -> None:
        """An evaluation."""
        self.lines.append(f"validation {step} {epoch} {metrics!r}")


def life(experiment: Experiment, place: Path, size: int, until: int, *, seed: int = 0) -> None:
    """Train from `place` on `size` workers until a step, then save there."""
    meeting = Path(tempfile.mktemp(dir=place))
    stopping = random.Random(seed).randrange(size)
    ends = [until if rank == stopping else None for rank in range(size)]
    together([partial(live, experiment, place, end) for end in ends], meeting)


def together(works: Sequence[Callable[[Workers], None]], meeting: Path) -> None:
    """Each of `works` on a worker of its own; all in one group. Raises CrashedError where one has failed."""
    codes = wait(*[fork(partial(one, work, meeting, rank, len(works))) for rank, work in enumerate(works)])
    if any(codes):
        raise CrashedError(f"the workers ended with {codes}")


def one(work: Callable[[Workers], None], meeting: Path, rank: int, size: int) -> None:
    """What a child process does as one of `size` workers."""
    group = Group.join(FileStore(str(meeting), size), rank, size) if size > 1 else None
    work(group or ALONE)
    if group:
        group.leave(GRACE)


def live(experiment: Experiment, place: Path, until: int | None, workers: Workers) -> None:
    """What a worker of a life does."""
    workers = arranged(experiment, workers)
    state, told, interrupt = State.create(experiment, layout_of(experiment, workers)), Told(), Interrupt()
    saved = place / "saved.pt"
    if saved.exists():
        state.load_state_dict(torch.load(saved, weights_only=True))
    hooks = [Until(interrupt, until)] if until is not None else []
    train(experiment, state, journal=told, store=NoStore(), hooks=hooks, interrupt=interrupt, workers=workers)
    content = state.state_dict()
    if workers.worker.rank == 0:
        torch.save(content, place / "new.pt")
        with open(place / "told.txt", "a") as file:
            file.writelines(line + "\n" for line in told.lines)
    workers.exchange("saved")
    if workers.worker.rank == 0:
        os.replace(place / "new.pt", saved)


def trajectory(experiment: Experiment, schedule: Schedule, seed: int = 0) -> Trajectory:
    """Every leaf of the last state, and the history, after a run on `schedule`."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        for number, (size, until, parallel) in enumerate(schedule):
            life(replace(experiment, parallel=parallel), place, size, until, seed=seed + number)
        state = torch.load(place / "saved.pt", weights_only=True)
        told = (place / "told.txt").read_text().splitlines()
    return bits(state), told


def alone(name: str) -> Trajectory:
    """A case on one worker that is left alone."""
    experiment = CASES[name]()
    return trajectory(experiment, [(1, experiment.cadence().total + 1, "replicate")])


def draw(seed: int, steps: int, most: int) -> list[tuple[int, int, Parallel]]:
    """A random schedule: up to three changes of the number of workers, at random steps; of two or four workers, half
    hold a part of each weight."""
    random_ = random.Random(seed)
    changes = sorted(random_.sample(range(1, steps), random_.randint(1, 3)))
    sizes = [(random_.randint(1, most), step) for step in [*changes, steps + 1]]
    parts = [size in (2, 4) and random_.random() < 0.5 for size, _ in sizes]
    return [(size, step, "fsdp" if part else "replicate") for (size, step), part in zip(sizes, parts, strict=True)]


def differing(name: str, seed: int, whole: Trajectory) -> str | None:
    """What differs from `whole` after a run of a case on the schedule that `seed` draws; None where nothing does."""
    experiment = CASES[name]()
    schedule = draw(seed, experiment.cadence().total, min(MOST, experiment.shards))
    try:
        wrong = first_difference(trajectory(experiment, schedule, seed), whole)
    except CrashedError as crashed:
        wrong = str(crashed)
    return f"{name}, (workers, until step, parallel) {schedule}: {wrong}" if wrong else None


def first_difference(found: Trajectory, whole: Trajectory) -> str:
    """The first leaf, else the first line of the history, that only one has or that differs; empty where none does."""
    (state, history), (whole_state, whole_history) = found, whole
    leaves = [path for path in sorted(state | whole_state) if state.get(path) != whole_state.get(path)]
    lines = [f"{line}, not {other}" for line, other in zip_longest(history, whole_history) if line != other]
    return next(iter([*leaves, *lines]), "")


def traffic(size: int, numel: int = 4_000_000) -> tuple[float, float]:
    """Bytes that each of `size` workers sends for the sum of 4 million floats, over the floats' own: ours, by the
    count of the group and by that of the loopback device."""
    with tempfile.TemporaryDirectory() as directory:
        meeting, said = Path(directory) / "meeting", Path(directory) / "said"
        before = loopback_bytes()
        together([partial(add_up, numel, said)] * size, meeting)
        sent = loopback_bytes() - before
        return float(said.read_text()) / (4 * numel), sent / size / (4 * numel)


def add_up(numel: int, said: Path, workers: Workers) -> None:
    """The sum of one gradient from each worker, checked against the sum that is known."""
    rank, size = workers.worker.rank, workers.worker.size
    summed = workers.combine({(0, rank): [torch.full((numel,), float(rank))]}, size, [torch.empty(numel)], add)
    if not torch.equal(cast(torch.Tensor, summed[0]), torch.full((numel,), size * (size - 1) / 2)):
        raise RuntimeError("the sum is wrong")
    if rank == 0:
        said.write_text(str(cast(Group, workers).sent_bytes))


def loopback_bytes() -> int:
    """What has been sent through the loopback device since it came up; 0 where the system does not say."""
    device = Path("/sys/class/net/lo/statistics/tx_bytes")
    return int(device.read_text()) if device.is_file() else 0


def measure(scale: Scale) -> Section:
    """Random schedules for every model, and what the workers send each other."""
    torch.set_num_threads(1)
    schedules = scale.pick(quick=10, full=50, nightly=100 * len(CASES))
    found = compared(schedules)
    sent, too_much = measured_traffic((2, 4) if scale is Scale.QUICK else (2, 3, 4, 8))
    rows = [(name, CASES[name]().shards, len(tried), same(tried)) for name, tried in found.items()]
    notes = (
        "Each schedule trains 8 steps over 2 epochs with a short last batch, warm-up, clipping, moving average and "
        f"evaluations, and changes the number of workers (1 to {MOST}) at one to three random steps; of two "
        "or four workers half hold a part of each weight (`--parallel fsdp`), the others all; compared with one worker "
        "that was left alone: weights, optimizer, average, counters, every number of the history.",
        f"Sent by each worker for a sum, in multiples of the gradients' own bytes: {'; '.join(sent)}.",
    )
    return Section(
        "Any number of workers, changed at any step",
        ("model", "shards", "random schedules", "result"),
        tuple(rows),
        notes,
        (*[wrong for tried in found.values() for wrong in tried if wrong], *too_much),
    )


def compared(schedules: int) -> dict[str, list[str | None]]:
    """For each case what differs on each of its schedules, None where nothing does."""
    wholes: dict[str, Trajectory] = {}
    found: dict[str, list[str | None]] = {name: [] for name in CASES}
    for seed, name in shown(list(zip(range(schedules), cycle(CASES), strict=False)), "workers"):
        try:
            wholes[name] = wholes.get(name) or alone(name)
        except CrashedError as crashed:
            found[name].append(f"{name}, left alone: {crashed}")
        else:
            found[name].append(differing(name, seed, wholes[name]))
    return found


def measured_traffic(sizes: Sequence[int]) -> tuple[list[str], list[str]]:
    """What groups of these sizes send, for the document; and where it is more than a ring would."""
    told, wrong = [], []
    for size in sizes:
        ring = 2 * (size - 1) / size
        try:
            ours, wire = traffic(size)
        except CrashedError as crashed:
            wrong.append(f"the sum of {size} workers: {crashed}")
            continue
        told.append(f"{size} workers {ours:.3f} (wire {wire:.3f}, a ring {ring:.3f})")
        if size.bit_count() == 1 and ours > ring * 1.001:
            wrong.append(f"{size} workers send {ours:.3f} times the gradients' bytes, a ring {ring:.3f}")
    return told, wrong


def same(tried: Sequence[str | None]) -> str:
    """The last column."""
    wrong = sum(violation is not None for violation in tried)
    return f"{wrong} DIFFER" if wrong else "same bits"
