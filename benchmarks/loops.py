"""The contestants: each trains a workload for as many steps as the watch wants, and tells it of each.

All clip to norm 1 and use AdamW as it comes; the engine and the Hugging Face Trainer choose its fused form themselves.
None but the engine logs, journals or saves anything.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from timing import Section, Spread, Watch, interleaved, ratios
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from workloads import Workload, loss_of

LEARNING_RATE = 1e-3
NOISE = 0.05
Contestant = Callable[[Workload, Watch], None]


def loader_of(workload: Workload) -> DataLoader[tuple[Tensor, ...]]:
    """What everybody writes."""
    return DataLoader(TensorDataset(*workload.data()), batch_size=workload.batch_size, shuffle=True)


def bare(workload: Workload, watch: Watch, *, fused: bool | None = None) -> None:
    """The loop by hand: no logging, no saving, not even a print."""
    model = workload.model()
    loader = loader_of(workload)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=fused)
    while True:
        for x, y in loader:
            loss = loss_of(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            watch.step()
            if watch.done == watch.total:
                return


def engine(workload: Workload, watch: Watch) -> None:
    """Loopwright's loop with its journal."""
    from engine import journalled

    journalled(workload, watch)


def engine_complete(workload: Workload, watch: Watch) -> None:
    """Loopwright's loop as a run has it: journal, evaluation and checkpoint after every epoch."""
    from engine import complete

    complete(workload, watch)


def accelerate(workload: Workload, watch: Watch) -> None:
    """The loop by hand with Accelerate's objects."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    plain = workload.model()
    model, optimizer, loader = accelerator.prepare(
        plain, torch.optim.AdamW(plain.parameters(), lr=LEARNING_RATE), loader_of(workload)
    )
    while True:
        for x, y in loader:
            loss = loss_of(model(x), y)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            watch.step()
            if watch.done == watch.total:
                return


def ignite(workload: Workload, watch: Watch) -> None:
    """Ignite's Engine around a step by hand."""
    from ignite.engine import Engine, Events

    model = workload.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)

    def update(trainer: Engine, batch: tuple[Tensor, Tensor]) -> None:
        loss = loss_of(model(batch[0]), batch[1])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    trainer = Engine(update)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, watch.step)
    trainer.run(loader_of(workload), max_iters=watch.total)


def lightning(workload: Workload, watch: Watch) -> None:
    """Lightning's Trainer in the mode that it has for measuring its own overhead: barebones."""
    import lightning.pytorch as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = workload.model()

        def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
            return loss_of(self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), lr=LEARNING_RATE)

    class Timed(pl.Callback):
        def on_train_batch_end(self, *arguments: Any) -> None:
            watch.step()

    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=watch.total,
        max_epochs=-1,
        gradient_clip_val=1.0,
        barebones=True,
        callbacks=[Timed()],
    )
    trainer.fit(Module(), loader_of(workload))


class Named(Dataset[dict[str, Tensor]]):
    """Samples as dicts, for the Hugging Face Trainer's collator."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"x": self.x[index], "y": self.y[index]}


class WithLoss(nn.Module):
    """A model that gives its loss, for the Hugging Face Trainer."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        logits = self.model(x)
        return {"loss": loss_of(logits, y), "logits": logits}


def hugging_face(workload: Workload, watch: Watch) -> None:
    """The Hugging Face Trainer with everything off that can be off; its own optimizer default (fused AdamW)."""
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, default_data_collator

    class Timed(TrainerCallback):
        def on_step_end(self, *arguments: Any, **named: Any) -> None:
            watch.step()

    with tempfile.TemporaryDirectory() as directory:
        arguments = TrainingArguments(
            output_dir=directory,
            max_steps=watch.total,
            per_device_train_batch_size=workload.batch_size,
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="constant",
            max_grad_norm=1.0,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            logging_nan_inf_filter=False,
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
        )
        trainer = Trainer(
            model=WithLoss(workload.model()),
            args=arguments,
            data_collator=default_data_collator,
            train_dataset=Named(*workload.data()),
            callbacks=[Timed()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()


BASELINE = "bare PyTorch"
CONTROL = "bare PyTorch again (control)"
ENGINE = "Loopwright, full journal"
COMPLETE = "Loopwright, every epoch saved"
CONTESTANTS: dict[str, tuple[str, Contestant]] = {
    BASELINE: ("torch", bare),
    CONTROL: ("torch", bare),
    "bare PyTorch, fused AdamW": ("torch", partial(bare, fused=True)),
    ENGINE: ("loopwright", engine),
    COMPLETE: ("loopwright", engine_complete),
    "Accelerate": ("accelerate", accelerate),
    "Ignite": ("ignite", ignite),
    "Lightning": ("lightning", lightning),
    "Hugging Face Trainer": ("transformers", hugging_face),
}


def be_quiet() -> None:
    """No advice from the libraries between the tables."""
    warnings.filterwarnings("ignore")
    for name in ("lightning", "lightning.pytorch", "lightning.pytorch.utilities.rank_zero", "transformers", "ignite"):
        logging.getLogger(name).setLevel(logging.ERROR)


def raced(workload: Workload, contestants: Mapping[str, Contestant]) -> dict[str, list[float]]:
    """Seconds per step of each contestant, by rounds."""
    torch.set_num_threads(workload.threads)

    def run(contestant: Contestant) -> float:
        torch.manual_seed(0)
        watch = Watch(workload.warmup, workload.steps)
        contestant(workload, watch)
        return watch.seconds_per_step

    return interleaved({name: partial(run, one) for name, one in contestants.items()}, workload.rounds, workload.name)


def measure(workload: Workload) -> Section:
    """One table: µs per step of each contestant, and its ratio to the bare loop's in the same round."""
    be_quiet()
    seconds = raced(workload, {name: one for name, (package, one) in CONTESTANTS.items() if find_spec(package)})

    rows: list[tuple[str, ...]] = []
    data: dict[str, Any] = {}
    for name in CONTESTANTS:
        if name not in seconds:
            rows.append((name, "not installed", "", ""))
            data[name] = None
            continue
        step, ratio = Spread.of(seconds[name]).scaled(1e6), ratios(seconds[name], seconds[BASELINE])
        rows.append((name, step.shown(0), ratio.shown(3), verdict(ratio.median, workload) if name == ENGINE else ""))
        data[name] = {"us_per_step": vars(step), "ratio": vars(ratio), "rounds_us": [s * 1e6 for s in seconds[name]]}
    return Section(
        title=f"{workload.name}: batch {workload.batch_size}, threads {workload.threads}, "
        f"{workload.steps} steps a round, median (quartiles) of {workload.rounds} rounds",
        columns=("loop", "µs per step", "ratio to bare", "target"),
        rows=rows,
        notes=noise(ratios(seconds[CONTROL], seconds[BASELINE])),
        data={"target": workload.target, "threads": workload.threads, "contestants": data},
    )


def noise(control: Spread) -> tuple[str, ...]:
    """A warning where the bare loop is not as fast as itself."""
    if abs(control.median - 1) <= NOISE and control.high - control.low <= 2 * NOISE:
        return ()
    return (f"WARNING: bare beside itself is {control.shown(3)}; differences below that are noise",)


def verdict(ratio: float, workload: Workload) -> str:
    """Whether the engine is as fast as it is said to be."""
    return f"at most {workload.target}: {'met' if ratio <= workload.target else 'MISSED'}"
