"""Any number of workers, changed at any step: the same bits. Each life of a run is a group of forked processes."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, zip_longest
from pathlib import Path
from typing import Any, cast

import torch
import torch._dynamo  # the optimizers import it: a second for each child, or once here
from torch import distributed as dist
from torch.utils import _pytree
from tqdm import tqdm

from guarantees.models import CASES
from guarantees.section import Scale, Section
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
Outcome = tuple[dict[str, bytes], list[str]]
"""Every leaf of the last state as bytes, and the lines of the history."""
MOST = 4


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
    wait([fork(partial(live, experiment, place, end), meeting, rank, size) for rank, end in enumerate(ends)])


def fork(work: Callable[[Workers], None], meeting: Path, rank: int, size: int) -> int:
    """A child process that does `work` as one of `size` workers; its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        group = Group.join(dist.FileStore(str(meeting), size), rank, size) if size > 1 else None
        work(group or ALONE)
        if group:
            group.leave(GRACE)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


def wait(children: Sequence[int]) -> None:
    """Until all have ended. Raises RuntimeError where one has failed."""
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(codes):
        raise RuntimeError(f"workers ended with {codes}")


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


def outcome(experiment: Experiment, schedule: Schedule, seed: int = 0) -> Outcome:
    """Every leaf of the last state as bytes, and the history, after a run on `schedule`."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        for number, (size, until, parallel) in enumerate(schedule):
            life(replace(experiment, parallel=parallel), place, size, until, seed=seed + number)
        state = torch.load(place / "saved.pt", weights_only=True)
        told = (place / "told.txt").read_text().splitlines()
    leaves = _pytree.tree_flatten_with_path(state)[0]
    return {_pytree.keystr(path): as_bytes(leaf) for path, leaf in leaves}, told


def as_bytes(leaf: Any) -> bytes:
    """A tensor's bytes, or the text of any other value."""
    if isinstance(leaf, torch.Tensor):
        return leaf.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return repr(leaf).encode()


def draw(seed: int, steps: int, most: int) -> list[tuple[int, int, Parallel]]:
    """A random schedule: up to three changes of the number of workers, at random steps; of two or four workers, half
    hold a part of each weight."""
    random_ = random.Random(seed)
    changes = sorted(random_.sample(range(1, steps), random_.randint(1, 3)))
    sizes = [(random_.randint(1, most), step) for step in [*changes, steps + 1]]
    parts = [size in (2, 4) and random_.random() < 0.5 for size, _ in sizes]
    return [(size, step, "fsdp" if part else "replicate") for (size, step), part in zip(sizes, parts, strict=True)]


def differing(name: str, seed: int, whole: Outcome) -> str | None:
    """What differs from `whole` after a run of a case on the schedule that `seed` draws; None where nothing does."""
    experiment = CASES[name]()
    schedule = draw(seed, experiment.cadence().total, min(MOST, experiment.shards))
    state, history = outcome(experiment, schedule, seed)
    wrong = [path for path in whole[0] if state.get(path) != whole[0][path]]
    wrong += [line for line, other in zip_longest(whole[1], history) if line != other]
    return f"{name}, (workers, until step, parallel) {schedule}: {wrong[0]}" if wrong else None


def traffic(size: int, numel: int = 4_000_000) -> tuple[float, float]:
    """Bytes that each of `size` workers sends for the sum of 4 million floats, over the floats' own: ours, by the
    count of the group and by that of the loopback device."""
    with tempfile.TemporaryDirectory() as directory:
        meeting, said = Path(directory) / "meeting", Path(directory) / "said"
        before = loopback_bytes()
        children = [fork(partial(add_up, numel, said), meeting, rank, size) for rank in range(size)]
        wait(children)
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
    schedules = scale.pick(quick=10, full=50, nightly=100 * len(CASES))
    torch.set_num_threads(1)
    wholes: dict[str, Outcome] = {}
    counts: Counter[str] = Counter()
    violations = []
    for seed, name in tqdm(list(zip(range(schedules), cycle(CASES), strict=False)), desc="workers", disable=None):
        if name not in wholes:
            wholes[name] = outcome(CASES[name](), [(1, CASES[name]().cadence().total + 1, "replicate")])
        wrong = differing(name, seed, wholes[name])
        counts[name] += 1
        violations += [wrong] if wrong else []
    rows = [(name, CASES[name]().shards, counts[name], same(name, violations)) for name in CASES]
    sizes = (2, 4) if scale is Scale.QUICK else (2, 3, 4, 8)
    sent = [(size, *traffic(size), 2 * (size - 1) / size) for size in sizes]
    told = [f"{n} workers {ours:.3f} (wire {wire:.3f}, a ring {ring:.3f})" for n, ours, wire, ring in sent]
    notes = (
        "Each schedule trains 8 steps over 2 epochs with a short last batch, warm-up, clipping, moving average and "
        f"evaluations, and changes the number of workers (1 to {MOST}) at one to three random steps; of two "
        "or four workers half hold a part of each weight (`--parallel fsdp`), the others all; compared with one worker "
        "that was left alone: weights, optimizer, average, counters, every number of the history.",
        f"Sent by each worker for a sum, in multiples of the gradients' own bytes: {'; '.join(told)}.",
    )
    too_much = [
        f"{n} workers send {ours:.3f} times the gradients' bytes, a ring {ring:.3f}"
        for n, ours, _, ring in sent
        if n.bit_count() == 1 and ours > ring * 1.001
    ]
    return Section(
        "Any number of workers, changed at any step",
        ("model", "shards", "random schedules", "result"),
        tuple(rows),
        notes,
        (*violations, *too_much),
    )


def same(name: str, violations: Sequence[str]) -> str:
    """The last column."""
    wrong = sum(violation.startswith(name) for violation in violations)
    return f"{wrong} DIFFER" if wrong else "same bits"
