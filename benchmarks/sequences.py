"""Training on strings of different lengths: tokens a second of the engine beside the loop by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from engine import trained
from timing import Section, Spread, Watch, interleaved, ratios
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from loopwright.core import Experiment
from loopwright.experiments.regular import fsm_parity
from loopwright.tasks.regular.language import RegularLanguages

NAMES = ("tokens", "attention_mask", "next", "class", "state", "loss_mask")
BARE, CONTROL, CROPPED = "bare PyTorch", "bare PyTorch again (control)", "bare PyTorch, batches cropped"
TARGET = 1.02
ROUNDS, WARMUP, STEPS = 7, 10, 120


def by_hand(task: RegularLanguages, watch: Watch, *, cropped: bool = False) -> None:
    """The loop that everybody writes: padded tensors through a DataLoader, masked cross-entropies, AdamW."""
    experiment = fsm_parity()
    model = task.model()
    train = task.data.splits["train"]
    loader = DataLoader(TensorDataset(*(train[name] for name in NAMES)), experiment.batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01, betas=(0.9, 0.98))
    while True:
        for batch in loader:
            T = int(batch[1].sum(1).max()) if cropped else batch[0].shape[1]
            tokens, attending, *labels, asked = (tensor[:, :T] for tensor in batch)
            kept = asked.flatten()
            loss = torch.zeros(())
            for factor, logits, label in zip((1.0, 1.0, 4.0), model(tokens, attending), labels, strict=True):
                loss = loss + factor * F.cross_entropy(logits.flatten(0, 1)[kept], label.flatten()[kept])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            watch.step()
            if watch.done == watch.total:
                return


def by_engine(experiment: Experiment, watch: Watch) -> None:
    """Loopwright with its journal, not evaluated."""
    trained(replace(experiment, steps=watch.total, eval_every=watch.total + 1, device="cpu"), watch)


def measure(*, quick: bool) -> Section:
    """One table: tokens a second, padding not counted, and the time of a step as a multiple of the loop by hand."""
    torch.set_num_threads(1)
    experiment = fsm_parity()
    task = experiment.task
    lengths = task.data.splits["train"]["length"].double()
    tokens = float(lengths.mean()) * experiment.batch_size
    steps, rounds = (10, 2) if quick else (STEPS, ROUNDS)
    contestants: dict[str, Callable[[Watch], None]] = {
        BARE: partial(by_hand, task),
        CONTROL: partial(by_hand, task),
        CROPPED: partial(by_hand, task, cropped=True),
        "Loopwright": partial(by_engine, experiment),
    }
    runs = {name: partial(seconds_per_step, run, steps) for name, run in contestants.items()}
    found = interleaved(runs, rounds, "tokens a second")
    rows, data = [], {}
    for name, seconds in found.items():
        ratio = ratios(seconds, found[BARE])
        verdict = "" if name != "Loopwright" else f"at most {TARGET}: {'met' if ratio.median <= TARGET else 'MISSED'}"
        speed = Spread.of([tokens / one for one in seconds])
        rows.append((name, speed.shown(0), ratio.shown(3), verdict))
        data[name] = {"tokens_per_second": vars(speed), "ratio": vars(ratio)}
    return Section(
        title=f"fsm-parity, {experiment.batch_size} strings a step, one thread: median (quartiles) of {rounds} rounds",
        columns=("loop", "tokens a second", "time of a step, to bare", "target"),
        rows=rows,
        notes=(),
        data=data,
    )


def seconds_per_step(run: Callable[[Watch], None], steps: int) -> float:
    """The mean step of a fresh run, after its warm-up."""
    watch = Watch(WARMUP, steps)
    run(watch)
    return watch.seconds_per_step
