"""What four other tools say of everyday faults, beside the doctor: `python -m doctor_score.peers --python PYTHON`.

One small training, a classifier of sklearn's digits, is written as a loop with seams. A fault is injected into it, a
tool is called at the seams as its documentation says, and what the tool reports is mapped to our names of causes. Each
run has a process of its own; the peers' runs use another interpreter, PYTHON, in which they are installed (--help says
how).

A report counts from warning level on. What a tool also says, at the same level, of the healthy twin of the same seed
says nothing about a fault and does not count. Advice about hardware and style is no alarm.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from doctor_score.programs import HERE, LIMIT_SECONDS, quiet

HEALTHY = "healthy"
SEEDS = (0, 1, 2)
EPOCHS, BATCH, TRAINED, CLASSES = 12, 64, 1344, 10

# A fault, and the causes that name it.
FAULTS: dict[str, tuple[str, ...]] = {
    "lr 1.0": ("lr-too-large", "exploding-gradients"),
    "lr 1e-8": ("lr-too-small",),
    "no zero_grad": ("no-zero-grad",),
    "zero_grad before step": ("zero-before-step",),
    "never step": ("no-step",),
    "training in eval mode": ("train-mode-missing",),
    "validation in train mode": ("eval-mode-missing",),
    "sorted, unshuffled": ("no-shuffle",),
    "random labels": ("random-labels",),
    "labels shifted by one": ("shifted-labels",),
    "double softmax": ("double-softmax",),
    "head not in optimizer": ("missing-from-optimizer",),
    "head replaced later": ("stale-optimizer", "missing-from-optimizer"),
    "graph cut": ("graph-cut",),
    "frozen by accident": ("frozen",),
    "validation scaled otherwise": ("split-preprocessing",),
    "train rows in validation": ("split-overlap",),
    "label in the input": ("label-leak",),
    "inputs all zero": ("constant-input",),
    "NaN rows": ("non-finite-input",),
    "dead ReLU": ("dead-units",),
    "constant init": ("symmetric-init",),
}

# Per tool: a pattern, looked for in "rule level text", and the causes that such a report names. No entry: alarm only.
NAMES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "torch-audit": (
        (r"^TA100", ("non-finite",)),
        (r"^TA102", ("exploding-gradients", "lr-too-large")),  # "check learning rate"
        (r"^TA10[35]", ("dead-units",)),
        (r"^TA104", ("frozen", "zero-before-step")),  # "no gradients found", seen behind step; "not frozen"
        (r"^TA301", ("unscaled-input", "split-preprocessing")),
        (r"^TA302", ("constant-input",)),
        (r"^TA305", ("target-range",)),
    ),
    "torchmortem": (
        (r"^Update ratio too high", ("lr-too-large",)),
        (r"^Update ratio too low", ("lr-too-small", "vanishing-gradients", "frozen")),  # "effectively frozen"
        (
            r"^Stagnant weight norms",
            ("lr-too-small", "frozen", "graph-cut"),
        ),  # "may not be learning", "connected in the graph"
        (r"^Gradient stalling", ("graph-cut", "zeroed-gradient")),
        (r"^Vanishing gradients", ("vanishing-gradients",)),
        (r"^Exploding gradients", ("exploding-gradients", "lr-too-large")),
        (r"^Weight norm explosion", ("lr-too-large",)),  # "reduce the learning rate"
        (r"^Training divergence", ("lr-too-large",)),
        (r"^Instability feedback loop", ("exploding-gradients", "lr-too-large")),
        (r"^(Dead units|Gradient starvation)", ("dead-units",)),
    ),
    "torchtest2": (
        (r"^optimizer_coverage FAIL", ("missing-from-optimizer", "stale-optimizer")),
        (r"^optimizer_coverage WARN", ("stale-optimizer",)),
        (r"^gradient_flow FAIL", ("graph-cut",)),
        (r"^gradient_flow WARN", ("dead-units", "zeroed-gradient")),  # "dead ReLUs, multiplied by zero"
        (r"^gradient_magnitude FAIL", ("non-finite",)),
        (r"^gradient_magnitude WARN", ("exploding-gradients", "lr-too-large")),
        (r"^initial_loss WARN .*leak", ("label-leak",)),
        (r"^initial_loss WARN .*over-confident", ("bad-init-scale", "unscaled-input")),
        (r"^overfit_batch FAIL .*(lr too high)", ("lr-too-large", "exploding-gradients")),
        (r"^overfit_batch FAIL .*check the learning rate", ("lr-too-large", "lr-too-small")),
        (r"^overfit_batch WARN .*lr may be too low", ("lr-too-small",)),
        (r"^input_dependency FAIL", ("graph-cut",)),
        (r"^batch_independence", ("batch-mixing",)),
    ),
    "trainproof": (
        (r"^TP-NAN", ("non-finite",)),
        (r"^TP-ZERO-LR", ("lr-too-small",)),
        (r"^TP-ZERO-GRAD", ("frozen", "graph-cut", "zero-before-step")),  # "no gradient reached the weights"
        (r"^TP-GRAD-SPIKE", ("exploding-gradients",)),
        (r"^TP-OVERFIT", ("overfitting",)),
        (r"^TP-LOADER-BOUND", ("slow-loader",)),
        (r"^TP-OBJ-TARGET-OUT-OF-RANGE", ("target-range",)),
    ),
}
ADVICE = re.compile(r"^(TA2|TA40[0-4])")  # how fast tensor cores are, weight decay of biases, even kernels
LOUD = {"WARN", "WARNING", "ERROR", "FATAL", "FAIL", "CRITICAL"}


@dataclass(frozen=True)
class Said:
    """A report of a tool: its rule, its level in the tool's own words, its text."""

    rule: str
    level: str
    text: str

    @property
    def alarm(self) -> bool:
        """Is it of warning level or above, and not advice?"""
        return self.level.upper() in LOUD and not ADVICE.match(self.rule)

    def causes(self, tool: str) -> tuple[str, ...]:
        """The causes that it names. The doctor's rules are causes."""
        if tool == Loopwright.name:
            return (self.rule,)
        told = f"{self.rule} {self.level} {self.text}"
        return tuple(cause for pattern, causes in NAMES[tool] if re.search(pattern, told) for cause in causes)


# --- the training, with its seams -------------------------------------------------------------------------------------


@dataclass
class Parts:
    """What a tool may be given."""

    model: Any
    optimizer: Any
    loss: Callable[..., Any]
    training: Any
    validation: Any


class Tool:
    """A tool at the seams of the loop. This one does nothing: the loop as it stands is plain PyTorch."""

    name = "none"
    package = ""
    called = ""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def around(self) -> AbstractContextManager[Any]:
        """Around everything, the data included."""
        return nullcontext()

    def begin(self, parts: Parts) -> None:
        """Before the first epoch."""

    def forward(self, parts: Parts, x: Any) -> Any:
        """The model's forward pass in training."""
        return parts.model(x)

    def backward(self, loss: Any) -> None:
        """The backward pass."""
        loss.backward()

    def before_step(self, parts: Parts) -> None:
        """Where gradients are clipped or logged."""

    def step(self, optimizer: Any) -> None:
        """The optimizer's step."""
        optimizer.step()

    def after_step(self, loss: float) -> None:
        """Behind each step."""

    def after_epoch(self, loss: float) -> None:
        """Behind each validation, with its loss."""

    def end(self, parts: Parts) -> list[Said]:
        """What the tool has to say."""
        return []


def digits(fault: str) -> tuple[Any, ...]:
    """The rows of both splits, as float32 and int64 arrays."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    if fault == "random labels":
        labels = np.random.default_rng(0).permutation(labels)
    x, x_v, y, y_v = train_test_split(pixels, labels, train_size=TRAINED, random_state=0)
    if fault == "train rows in validation":
        x_v, y_v = np.concatenate([x_v, x[:200]]), np.concatenate([y_v, y[:200]])
    mean, std = x.mean(), x.std()
    x_v = x_v / 16 if fault == "validation scaled otherwise" else (x_v - mean) / std
    return (*broken_rows(fault, (x - mean) / std, y), *broken_rows(fault, x_v, y_v))


def broken_rows(fault: str, x: Any, y: Any) -> tuple[Any, Any]:
    """The rows of a split, with the faults that strike both splits alike."""
    import numpy as np

    x, y = x.astype("float32"), y.astype("int64")
    if fault == "label in the input":
        x[:, 0] = (y - 4.5) / 2.9
    elif fault == "inputs all zero":
        x = np.zeros_like(x)
    elif fault == "NaN rows":
        x[np.random.default_rng(1).random(len(x)) < 0.1] = np.nan
    elif fault == "labels shifted by one":
        y = np.roll(y, 1)
    elif fault == "sorted, unshuffled":
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    return x, y


def network(fault: str) -> Any:
    """An MLP of two blocks with batch normalization and dropout, and a head."""
    import torch
    from torch import nn

    class Net(nn.Module):
        """64 pixels to 10 logits."""

        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(nn.Linear(64, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.2))
            self.second = nn.Sequential(nn.Linear(128, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU())
            self.head = nn.Linear(64, CLASSES)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """(B, 64) to (B, 10)."""
            h = self.first(x)
            if fault == "graph cut":
                h = h.detach()
            logits: torch.Tensor = self.head(self.second(h))
            return logits.softmax(1) if fault == "double softmax" else logits

    model = Net()
    if fault == "dead ReLU":
        nn.init.constant_(model.second[1].bias, -10)
    elif fault == "constant init":
        for layer in (model.first[0], model.second[0], model.head):
            nn.init.constant_(layer.weight, 0.02)
    elif fault == "frozen by accident":
        model.first.requires_grad_(False)
    return model


def build(fault: str) -> Parts:
    """Model, optimizer and loaders."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    x, y, x_v, y_v = (torch.from_numpy(each) for each in digits(fault))
    training = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=fault != "sorted, unshuffled")
    validation = DataLoader(TensorDataset(x_v, y_v), batch_size=256)
    model = network(fault)
    rate = {"lr 1.0": 1.0, "lr 1e-8": 1e-8}.get(fault, 1e-3)
    given = [model.first, model.second] if fault == "head not in optimizer" else [model]
    optimizer = torch.optim.Adam([one for each in given for one in each.parameters()], lr=rate)
    if fault == "head replaced later":
        model.head = nn.Linear(64, CLASSES)
    return Parts(model, optimizer, nn.CrossEntropyLoss(), training, validation)


def train(fault: str, seed: int, tool: Tool) -> tuple[list[Said], float]:
    """The training under a tool: what the tool said, and the last validation accuracy."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    accuracy = 0.0
    with tool.around():
        parts = build(fault)
        tool.begin(parts)
        for epoch in range(EPOCHS):
            if fault != "training in eval mode":
                parts.model.train()
            elif epoch == 0:
                parts.model.eval()
            train_epoch(parts, fault, tool)
            loss, accuracy = validate(parts, fault)
            tool.after_epoch(loss)
    return tool.end(parts), accuracy


def train_epoch(parts: Parts, fault: str, tool: Tool) -> None:
    """One pass over the training set."""
    for x, y in parts.training:
        if fault not in ("no zero_grad", "zero_grad before step"):
            parts.optimizer.zero_grad()
        loss = parts.loss(tool.forward(parts, x), y)
        tool.backward(loss)
        if fault == "zero_grad before step":
            parts.optimizer.zero_grad()
        tool.before_step(parts)
        if fault != "never step":
            tool.step(parts.optimizer)
        tool.after_step(loss.item())


def validate(parts: Parts, fault: str) -> tuple[float, float]:
    """Mean loss and accuracy over the validation set."""
    import torch

    parts.model.train(fault == "validation in train mode")
    total, right, count = 0.0, 0, 0
    with torch.no_grad():
        for x, y in parts.validation:
            logits = parts.model(x)
            total += parts.loss(logits, y).item() * len(y)
            right += int((logits.argmax(1) == y).sum())
            count += len(y)
    return total / count, right / count


# --- the tools --------------------------------------------------------------------------------------------------------


class Loopwright(Tool):
    """Ours."""

    name = "loopwright"
    package = "loopwright"
    called = "with loopwright.watch(): around the whole training, which is not changed otherwise"

    @contextmanager
    def around(self) -> Iterator[None]:
        """Watch the block."""
        import loopwright

        with loopwright.watch() as self.doctor:
            yield

    def end(self, parts: Parts) -> list[Said]:
        """The findings, the most probable cause first."""
        return [Said(one.cause, one.severity, one.evidence) for one in self.doctor.ranked]


class TorchAudit(Tool):
    """torch-audit, in its wrapper mode, at every step."""

    name = "torch-audit"
    package = "torch_audit"
    called = (
        "audit_dynamic(model, optimizer=…, every_n_steps=1) with static and init checks, and the wrappers that its "
        "documentation calls most accurate: auditor.forward, auditor.backward, auditor.optimizer_step"
    )

    def begin(self, parts: Parts) -> None:
        """Attach the auditor."""
        from torch_audit import audit_dynamic

        self.context = audit_dynamic(parts.model, optimizer=parts.optimizer, every_n_steps=1)
        self.auditor = self.context.__enter__()

    def forward(self, parts: Parts, x: Any) -> Any:
        """Through the auditor."""
        return self.auditor.forward(x)

    def backward(self, loss: Any) -> None:
        """Through the auditor."""
        self.auditor.backward(loss)

    def step(self, optimizer: Any) -> None:
        """Through the auditor."""
        self.auditor.optimizer_step()

    def end(self, parts: Parts) -> list[Said]:
        """Each rule once."""
        self.context.__exit__(None, None, None)
        found = {(one.rule_id, one.severity.value): one.message for one in reversed(self.auditor.finish().findings)}
        return [Said(rule, level, text) for (rule, level), text in found.items()]


class Torchmortem(Tool):
    """torchmortem's autopsy, with its most thorough sampling."""

    name = "torchmortem"
    package = "torchmortem"
    called = (
        'Autopsy(model, optimizer=…, sampling="thorough"), autopsy.step(loss=loss.item()) behind each step, and the '
        "findings and insights of its report"
    )

    def begin(self, parts: Parts) -> None:
        """Attach it."""
        from torchmortem import Autopsy

        self.autopsy = Autopsy(parts.model, optimizer=parts.optimizer, sampling="thorough")
        self.autopsy.attach()

    def after_step(self, loss: float) -> None:
        """Tell it the loss."""
        self.autopsy.step(loss=loss)

    def end(self, parts: Parts) -> list[Said]:
        """Findings; an insight has no level, and is made of warnings."""
        self.autopsy.detach()
        report = self.autopsy.get_report()
        insights = [Said(one.title, "WARNING", one.summary) for one in report.insights]
        return insights + [Said(one.title, one.severity.name, one.summary) for one in report.findings]


class Torchtest2(Tool):
    """torchtest2: one batch before the training, and a test of the trained model."""

    name = "torchtest2"
    package = "torchtest2"
    called = (
        "check_model(model, inputs, targets, loss_fn=…, optimizer=…) on the first training batch before the loop, and "
        "assert_minimum_functionality(min_accuracy=0.9) on 64 validation samples behind it"
    )

    def begin(self, parts: Parts) -> None:
        """All checks, on a batch."""
        import torch
        from torchtest2 import check_model

        state = torch.get_rng_state()
        x, y = next(iter(parts.training))
        torch.set_rng_state(state)
        report = check_model(parts.model, x, y, loss_fn=parts.loss, optimizer=parts.optimizer, output_shape=(None, 10))
        self.said = [Said(one.name, one.status.value, one.message) for one in report]

    def end(self, parts: Parts) -> list[Said]:
        """With what the trained model does."""
        from torchtest2 import assert_minimum_functionality

        x, y = next(iter(parts.validation))
        try:
            assert_minimum_functionality(parts.model, x[:64], y[:64], min_accuracy=0.9)
        except AssertionError as error:
            return [*self.said, Said("minimum_functionality", "FAIL", str(error))]
        return self.said


class Trainproof(Tool):
    """trainproof, which reads logs; with the log of a good run of another seed as its baseline."""

    name = "trainproof"
    package = "trainproof"
    called = (
        "a JSONL log of each epoch (loss, eval_loss, lr, grad_norm); `trainproof doctor LOG --baseline GOOD --json`, "
        "GOOD the log of a healthy run of another seed; and check_objective on the targets of an epoch"
    )

    def begin(self, parts: Parts) -> None:
        """Begin a log."""
        from trainproof.objective import check_objective

        self.records: list[dict[str, float]] = []
        self.losses: list[float] = []
        self.norm, self.steps = 0.0, 0
        self.rate = parts.optimizer.param_groups[0]["lr"]
        targets = [parts.training.dataset.tensors[1]]
        self.objective = check_objective(CLASSES, -100, targets)

    def before_step(self, parts: Parts) -> None:
        """The norm of the gradients, as clipping would see it."""
        import torch

        gradients = [one.grad for one in parts.model.parameters() if one.grad is not None]
        self.norm = float(torch.nn.utils.get_total_norm(gradients)) if gradients else 0.0

    def after_step(self, loss: float) -> None:
        """Count the step."""
        self.losses.append(loss)
        self.steps += 1

    def after_epoch(self, loss: float) -> None:
        """A line of the log."""
        mean = sum(self.losses) / len(self.losses)
        told = {"step": self.steps, "loss": mean, "eval_loss": loss, "lr": self.rate, "grad_norm": self.norm}
        self.records.append(told)
        self.losses = []

    def end(self, parts: Parts) -> list[Said]:
        """What it says of the log, alone and beside a good one."""
        good = Trainproof()
        good.end = lambda parts: []  # type: ignore[method-assign]
        train(HEALTHY, self.seed + 100, good)
        with tempfile.TemporaryDirectory() as folder:
            logs = [Path(folder) / name for name in ("run.jsonl", "good.jsonl")]
            for log, records in zip(logs, (self.records, good.records), strict=True):
                log.write_text("".join(json.dumps(each) + "\n" for each in records))
            command = [sys.executable, "-m", "trainproof", "doctor", str(logs[0]), "--baseline", str(logs[1]), "--json"]
            told = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
        found = [*self.objective, *told["reports"][0]["findings"]]
        return [Said(one["id"], one["level"], f"{one['message']} {one['evidence']}") for one in found]


TOOLS: dict[str, type[Tool]] = {one.name: one for one in (Loopwright, TorchAudit, Torchmortem, Torchtest2, Trainproof)}


# --- running ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A tool on a program: its alarms, or why there are none to be had."""

    tool: str
    fault: str
    seed: int
    said: tuple[Said, ...] = ()
    accuracy: float = 0.0
    seconds: float = 0.0
    error: str = ""

    @property
    def alarms(self) -> list[Said]:
        """What is of warning level or above."""
        return [one for one in self.said if one.alarm]


@dataclass
class Row:
    """All runs of one tool. `unusable` says why there are none."""

    tool: str
    version: str = ""
    called: str = ""
    unusable: str = ""
    faults: dict[str, Run] = field(default_factory=dict)
    healthy: list[Run] = field(default_factory=list)

    def beyond(self, fault: str) -> list[Said]:
        """The alarms that the healthy twin of the same seed does not raise."""
        usual = {(one.rule, one.level) for one in self.healthy[0].alarms}
        return [one for one in self.faults[fault].alarms if (one.rule, one.level) not in usual]

    def verdict(self, fault: str) -> str:
        """Of a fault: named, alarm only, silent; or error, where the run failed."""
        if self.unusable:
            return "-"
        if self.faults[fault].error:
            return "error"
        found = self.beyond(fault)
        if any(cause in FAULTS[fault] for one in found for cause in one.causes(self.tool)):
            return "named"
        return "alarm only" if found else "silent"

    def count(self, verdict: str) -> int:
        """How many faults got this verdict."""
        return sum(self.verdict(fault) == verdict for fault in FAULTS)

    def false_alarms(self) -> list[Said]:
        """What was said of healthy runs."""
        return [one for run in self.healthy for one in run.alarms]

    def cell(self, fault: str) -> dict[str, Any]:
        """A fault, for JSON."""
        run = self.faults[fault]
        alarms = [{**asdict(one), "causes": one.causes(self.tool)} for one in self.beyond(fault)]
        told = {"accuracy": run.accuracy, "seconds": run.seconds, "error": run.error}
        return {"verdict": self.verdict(fault), "accepted": FAULTS[fault], "alarms": alarms, **told}


def work(tool: str, fault: str, seed: int) -> dict[str, Any]:
    """One run, in this process."""
    with redirect_stdout(sys.stderr):
        said, accuracy = train(fault, seed, TOOLS[tool](seed))
    return {"said": [asdict(one) for one in said], "accuracy": accuracy}


def spawn(python: str, arguments: Sequence[str]) -> tuple[dict[str, Any], str]:
    """What a process of another interpreter answers in its last line, or its error."""
    command = [python, "-m", "doctor_score.peers", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=quiet(), cwd=HERE.parent, timeout=LIMIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {}, str(error)
    if done.returncode:
        return {}, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return json.loads(done.stdout.splitlines()[-1]), ""


def run(python: str, tool: str, fault: str, seed: int) -> Run:
    """One run, in a process of its own."""
    began = time.perf_counter()
    told, error = spawn(python, ["--work", tool, fault, str(seed)])
    seconds = round(time.perf_counter() - began, 1)
    said = tuple(Said(**each) for each in told.get("said", ()))
    return Run(tool, fault, seed, said, round(told.get("accuracy", 0.0), 3), seconds, error)


def probe(tool: str) -> dict[str, str]:
    """The version of a tool, and whether it can be imported."""
    try:
        importlib.import_module(TOOLS[tool].package)
        return {"version": importlib.metadata.version(tool)}
    except Exception as error:
        return {"version": "", "unusable": f"{type(error).__name__}: {error}"}


def measure(python: str, tool: str) -> Row:
    """All runs of a tool, two at a time."""
    told, error = spawn(python, ["--probe", tool])
    row = Row(tool, told.get("version", ""), TOOLS[tool].called, error or told.get("unusable", ""))
    if row.unusable:
        return row
    wanted = [(HEALTHY, seed) for seed in SEEDS] + [(fault, 0) for fault in FAULTS]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda one: run(python, tool, *one), wanted))
    row.healthy = runs[: len(SEEDS)]
    row.faults = {each.fault: each for each in runs[len(SEEDS) :]}
    return row


# --- the table --------------------------------------------------------------------------------------------------------


def table(rows: Sequence[Row]) -> str:
    """Faults down, tools across, and the totals."""
    wide = max(map(len, FAULTS)) + 2
    lines = [["", *(row.tool for row in rows)], ["version", *(row.version or "-" for row in rows)]]
    lines += [[fault, *(row.verdict(fault) for row in rows)] for fault in FAULTS]
    lines += [[f"total {kind}", *(total(row, kind) for row in rows)] for kind in ("named", "alarm only", "silent")]
    lines += [[f"false alarms, {len(SEEDS)} healthy runs", *(healthy(row) for row in rows)]]
    text = "\n".join(line[0].ljust(wide + 3) + "".join(each.ljust(14) for each in line[1:]).rstrip() for line in lines)
    notes = [f"{row.tool}: {row.unusable or row.called}" for row in rows]
    for row in rows:
        notes += [f"{row.tool} on healthy: {rule}" for rule in sorted({each.rule for each in row.false_alarms()})]
        notes += [
            f"{row.tool}: {each.fault}: {each.error}" for each in [*row.healthy, *row.faults.values()] if each.error
        ]
    return text + "\n\n" + "\n".join(notes)


def total(row: Row, kind: str) -> str:
    """Of all faults, how many."""
    return "-" if row.unusable else f"{row.count(kind)}/{len(FAULTS)}"


def healthy(row: Row) -> str:
    """False alarms: their number, and in how many runs."""
    if row.unusable:
        return "-"
    return f"{len(row.false_alarms())} in {sum(bool(one.alarms) for one in row.healthy)} runs"


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything."""
    return {row.tool: row_json(row) for row in rows}


def row_json(row: Row) -> dict[str, Any]:
    """A tool, for JSON."""
    head = {"version": row.version, "called": row.called, "unusable": row.unusable}
    if row.unusable:
        return head
    totals = {kind: row.count(kind) for kind in ("named", "alarm only", "silent", "error")}
    fine = [{**asdict(each), "said": [asdict(one) for one in each.alarms]} for each in row.healthy]
    return {**head, "totals": totals, "faults": {fault: row.cell(fault) for fault in FAULTS}, "healthy": fine}


def reason_without(python: str | None) -> str:
    """Why the peers cannot be run; empty where they can."""
    if python is None:
        return "the peers are not run: name an interpreter that has them with --python"
    return "" if Path(python).is_file() else f"the peers are not run: {python}: no such interpreter"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(
        prog="python -m doctor_score.peers",
        description="What other tools and the doctor say of everyday faults in one small training.",
        epilog="To have the peers: python3 -m venv DIR; DIR/bin/pip install torch scikit-learn torch-audit torchmortem "
        "torchtest2 trainproof; then --python DIR/bin/python.",
    )
    parser.add_argument("--python", help="an interpreter with the peers installed; without it only our row is measured")
    parser.add_argument("--only", metavar="NAME", choices=list(TOOLS), help=f"one tool: {', '.join(TOOLS)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything there")
    parser.add_argument("--work", nargs=3, metavar=("TOOL", "FAULT", "SEED"), help=argparse.SUPPRESS)
    parser.add_argument("--probe", metavar="TOOL", help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    if told.probe:
        print(json.dumps(probe(told.probe)))
        return 0
    if told.work:
        tool, fault, seed = told.work
        print(json.dumps(work(tool, fault, int(seed))))
        return 0
    reason = reason_without(told.python)
    tools = [told.only] if told.only else list(TOOLS)
    if reason and tools != [Loopwright.name]:
        print(reason)
        tools = [Loopwright.name]
    rows = [measure(sys.executable if tool == Loopwright.name else told.python, tool) for tool in tools]
    print(table(rows))
    if told.json:
        told.json.write_text(json.dumps(as_json(rows), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
