"""The tools, each called as its documentation says."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doctor_score.peers.reports import CLASSES, HEALTHY, OURS, Said
from doctor_score.peers.training import Parts, Tool, train


class Loopwright(Tool):
    """Ours."""

    name = OURS
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
