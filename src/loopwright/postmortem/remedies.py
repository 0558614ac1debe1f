"""From a cause to the flag that mends it, and the commands that show whether it did."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from loopwright.postmortem.case import Case
from loopwright.postmortem.statements import Command
from loopwright.report.again import lacking, of_project, train_again
from loopwright.report.values import show
from loopwright.values import Table, number, table

USUAL = 1e-3
"""The size of an update, as a share of the weights, at a good rate."""
HIGHEST = 0.1
"""A rate that hardly any training needs more than."""
MEASURED = re.compile(
    r"(?:is|are) (\d[\d.e+-]*) (?:times as large as the weights|of the weights' norm).* rate (\d[\d.e+-]*)"
)
NOT_OF_CHECK = ("--run-dir", "--experiment", "--config")
ALONE = ("--quiet", "--traceback")
SHORT = {"--lr": "--optimizer.lr", "--weight-decay": "--optimizer.weight-decay", "--max-steps": "--steps"}
OF_THE_MACHINE = (
    "format",
    "loopwright",
    "experiment",
    "code_sha256",
    "device",
    "threads",
    "parallel",
    "tensorboard",
    "keep",
)


def remedy(cause: str, case: Case, twin: Case | None) -> list[str]:
    """The flags that change what the cause names; none where it is not a field of the experiment that is wrong.

    A rate is taken from `twin`, the healthy run of the same experiment, where it has a fitting one; else the one that
    would have made updates of the usual size, where theirs was measured; else a tenth of it, and no more than HIGHEST.
    """
    rate, patience = case.rate or 0.0, ["--patience", "3"]
    known = [one for one in (twin.rate if twin else None, usual(case)) if one]
    lower = next((one for one in known if one < rate), min(rate / 10, HIGHEST))
    higher = next((one for one in known if one > rate), rate * 10)
    return {
        "lr-too-large": ["--optimizer.lr", f"{lower:g}"],
        "exploding-gradients": ["--clip-norm", "1"],
        "non-finite": ["--optimizer.lr", f"{lower:g}", "--clip-norm", "1"],
        "lr-too-small": ["--optimizer.lr", f"{higher:g}"],
        "clip-too-low": ["--clip-norm", "1"],
        "weight-decay-too-large": ["--optimizer.weight-decay", "0.01"],
        "overfitting": patience,
    }.get(cause, [])


def usual(case: Case) -> float | None:
    """The rate at which updates would be USUAL, to one digit, from what the doctor has measured; None where it has
    not."""
    for one in case.serious:
        if found := MEASURED.search(one.evidence):
            ratio, rate = float(found[1]), float(found[2])
            return min(HIGHEST, float(f"{rate * USUAL / ratio:.0e}")) if ratio > 0 else None
    return None


def verifying(case: Case, step: int | None, flags: Sequence[str]) -> Iterator[Command]:
    """What shows the step again, what says before training whether it is mended, and the training with the change."""
    if not of_project(case.record):
        yield from of_engine(case, step, flags)
    again = train_again(case.record, flags, [shlex.quote(word) for word in case.place])
    missing = lacking(case.record, flags)
    when = (
        f"The same run, once train.py has a setting {', '.join(missing)}" if missing else "The same run with the change"
    )
    yield Command(when if flags else "The same run, when it is mended", again)
    yield Command("Then both side by side", shlex.join(["loopwright", "compare", case.id, str(case.newest)]))


def of_engine(case: Case, step: int | None, flags: Sequence[str]) -> Iterator[Command]:
    """What can be asked of an experiment that the engine knows: the step again, the checks before training."""
    if step is not None and 1 <= step <= case.steps + 1:
        shown = f"Step {step:,} again, with its samples, gradients and updates"
        yield Command(shown, f"loopwright replay {shlex.quote(case.id)} --step {step}")
    yield Command(
        "With the change, before training" if flags else "Before training, when it is mended",
        shlex.join(["loopwright", "check", case.experiment, *without(given(case), flags), *flags]),
    )


def given(case: Case) -> list[str]:
    """The flags of the experiment that the run was started with, without those of `train` itself."""
    words = case.record.env.get("command")
    words = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
    if "train" not in words or words[-1] == "train" or words[words.index("train") + 1].startswith("-"):
        return []
    kept, rest = [], words[words.index("train") + 2 :]
    while rest:
        word = rest.pop(0)
        if word in NOT_OF_CHECK:
            rest[:1] = []
        elif word not in ALONE and word.partition("=")[0] not in NOT_OF_CHECK:
            kept.append(word)
    return kept


def without(words: Sequence[str], flags: Sequence[str]) -> list[str]:
    """`words` without the flags that are given anew, and without their values."""
    new = {flag for flag in flags if flag.startswith("--")}
    kept: list[str] = []
    dropping = False
    for word in words:
        if word.startswith("--"):
            name = word.partition("=")[0]
            dropping = SHORT.get(name, name) in new
        if not dropping:
            kept.append(word)
    return kept


def changed(case: Case, twin: Case) -> list[str]:
    """What is configured otherwise than in the healthy run, a phrase for each field that both have."""
    here, there = (dict(leaves(one.record.config)) for one in (case, twin))
    keys = [key for key in here if key in there and here[key] != there[key] and key not in OF_THE_MACHINE]
    return [f"{key} is {show(here[key], 6)}, there {show(there[key], 6)}" for key in keys]


def leaves(values: Table, prefix: str = "") -> Iterator[tuple[str, object]]:
    """The values of nested tables by `outer.inner`."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(table(value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def longer(case: Case) -> list[str]:
    """The flag that doubles a run's budget."""
    epochs = number(case.record.metrics.get("epochs"))
    return ["--epochs", f"{2 * epochs:g}"] if epochs else ["--steps", str(2 * case.steps)]
