"""Is it a controlled comparison: one thing changed, and all else the same? If not, what else differs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loopwright.comparing.groups import MACHINE, VERSIONS, Group, seed_of
from loopwright.comparing.keys import Change, Key, changes
from loopwright.comparing.subject import Subject
from loopwright.errors import some
from loopwright.report.values import show
from loopwright.values import numbers, table, tables

SPLITS = ("train", "val", "test")
SAME_NUMBERS = (
    "training and validation give the same numbers to the last digit: it is evaluated on training data, "
    "unless the model says the same of every sample"
)
DATA = "data_sha256"
TELLING = (DATA, "git_commit", "torch", "platform")
"""An env.json without any of these says nothing."""
LATER = ("optimizer", "schedule", "clip_norm", "length", "batch_size", "ema_decay", "shuffle", "patience")
"""What can be changed without another first weight."""


@dataclass(frozen=True)
class Reason:
    """Why it is not a controlled comparison: a `kind` of one or two words, and the text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Contrast:
    """A group beside the baseline: what was changed, and why it is not controlled.

    `outside`: the kind of the one thing that differs, where that is not in the configuration.
    """

    group: Group
    changes: tuple[Change, ...]
    told: str
    reasons: tuple[Reason, ...]
    outside: str = ""

    @property
    def controlled(self) -> bool:
        """Whether one thing was changed and nothing else differs that is on record."""
        return not self.reasons


def contrast(groups: Sequence[Group], keys: Sequence[Key], one: int, other: int) -> Contrast:
    """Group number `other` beside the baseline, number `one`."""
    changed = changes(keys, one, other)
    runs = (*groups[one].subjects, *groups[other].subjects)
    outside = list(environment(runs, changed))
    if not changed and len(outside) == 1:
        told, only, outside = outside[0].text, outside[0].kind, []
    else:
        told, only = "; ".join(change.told(one, other) for change in changed) or "nothing in the configuration", ""
    several = [many(changed)] if len(changed) > 1 else []
    weights = first_weights(groups[one], groups[other], changed)
    found = (*several, *outside, *seeds(groups[one], groups[other]), *measured(runs, changed), *kept(runs))
    found = (*found, *budgets(runs), *weights)
    return Contrast(groups[other], tuple(changed), told, found, only)


def many(changed: Sequence[Change]) -> Reason:
    """More than one variable."""
    names = some([change.name for change in changed], 6)
    text = f"{len(changed)} things were changed at once ({names}); which of them did it cannot be told"
    return Reason("several changes", text)


def seeds(one: Group, other: Group) -> Iterator[Reason]:
    """A single seed beside others: whether the seed or what was changed did it cannot be told."""
    if min(len(one.seeds), len(other.seeds)) == 1 and not set(map(str, one.seeds)) & set(map(str, other.seeds)):
        told = " against ".join(some([show(seed) for seed in group.seeds], 4) for group in (one, other))
        yield Reason("other seed", f"no seed in common ({told}): the seed was changed, too")


def environment(runs: Sequence[Subject], changed: Sequence[Change]) -> Iterator[Reason]:
    """What differs outside of the configuration: data, code, versions, machine."""
    configured = {change.name for change in changed}
    if len(digests := known(runs, lambda run: run.record.env.get(DATA))) > 1:
        yield Reason("other data", f"the data differ (sha256 {some([digest[:8] for digest in digests], 4)})")
    yield from other_code(runs)
    if apart := differing(runs, VERSIONS):
        yield Reason("other versions", f"other versions: {'; '.join(apart)}")
    if packages := other_packages(runs):
        yield Reason("other packages", f"{len(packages)} packages differ: {some(packages, 4)}")
    if apart := differing(runs, [key for key in MACHINE if key not in configured]):
        yield Reason("other machine", f"another machine: {'; '.join(apart)}")


def other_code(runs: Sequence[Subject]) -> Iterator[Reason]:
    """Commits, what was not committed, and the file of an experiment of one's own."""
    commits = known(runs, lambda run: run.record.env.get("git_commit"))
    patches = {hashlib.sha256(run.record.patch.encode("utf-8", "replace")).hexdigest() for run in runs}
    files = known(runs, lambda run: run.config.get("code_sha256"))
    if len(commits) > 1:
        yield Reason("other code", f"other code: commits {some([commit[:9] for commit in commits], 4)}")
    elif len(patches) > 1:
        yield Reason("other code", "other code: what was not committed differs (code.diff)")
    if len(files) > 1:
        digests = some([digest[:8] for digest in files], 4)
        yield Reason("other code", f"other code: the experiment's own file differs (sha256 {digests})")


def known(runs: Sequence[Subject], value: Callable[[Subject], object]) -> list[str]:
    """The different values that are there, in order."""
    found = (value(run) for run in runs)
    return list(dict.fromkeys(str(one) for one in found if one is not None))


def differing(runs: Sequence[Subject], keys: Sequence[str]) -> list[str]:
    """The entries of env.json that differ, with their values."""
    found = {key: known(runs, lambda run, key=key: run.record.env.get(key)) for key in keys}  # type: ignore[misc]
    return [f"{key} {' / '.join(values[:4])}" for key, values in found.items() if len(values) > 1]


def other_packages(runs: Sequence[Subject]) -> list[str]:
    """Installed packages whose version is not the same in all runs that have them."""
    versions: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, version in table(run.record.env, "packages").items():
            if name not in VERSIONS:
                versions.setdefault(str(name), {})[show(version)] = None
    return [f"{name} {' / '.join(several)}" for name, several in sorted(versions.items()) if len(several) > 1]


def measured(runs: Sequence[Subject], changed: Sequence[Change]) -> Iterator[Reason]:
    """Another deciding metric, other splits, training data taken for validation."""
    deciding = list(dict.fromkeys(run.deciding for run in runs if all(run.deciding)))
    if len(deciding) > 1 and not any(change.name == "deciding metric" for change in changed):
        yield Reason("other metric", f"another metric decides: {some([' '.join(each) for each in deciding], 4)}")
    finished = [run.record.metrics for run in runs if run.finished]
    splits = {"+".join(split for split in SPLITS if table(metrics, split)) for metrics in finished}
    if len(splits) > 1:
        yield Reason("other splits", f"not the same splits were measured: {' / '.join(sorted(splits))}")
    for run in runs:
        if text := on_training_data(run):
            yield Reason("evaluated on train", f"{run.name}: {text}")


def kept(runs: Sequence[Subject]) -> Iterator[Reason]:
    """A configuration or an environment that was not kept, or not as it was: what is unknown is not the same."""
    if lost := [run.name for run in runs if all(run.record.env.get(name) is None for name in TELLING)]:
        names = some(lost, 4)
        text = f"no environment of {names} was saved (env.json): data, code and versions are unknown"
        yield Reason("environment not saved", text)
    elif (unknown := [run.name for run in runs if run.record.env.get(DATA) is None]) and len(unknown) < len(runs):
        yield Reason("data unknown", f"the data of {some(unknown, 4)} have no digest in env.json: they may be others")
    if lost := [run.name for run in runs if not run.config]:
        yield Reason("config not saved", f"no configuration of {some(lost, 4)} was saved: what was changed is unknown")
    if altered := [run.name for run in runs if config_altered(run)]:
        names = some(altered, 4)
        yield Reason(
            "config not saved", f"config.toml of {names} was changed after the run began: it is not what was run"
        )


def on_training_data(run: Subject) -> str:
    """Signs that what is called validation is training data; "" where there is none."""
    for finding in tables(run.record.findings):
        if finding.get("cause") == "split-overlap":
            return f"samples of the training set are in the validation set ({show(finding.get('evidence'))})"
    for which in ("last", "best"):
        train, val = (numbers(table(run.record.metrics, split, which)) for split in ("train", "val"))
        unlikely = [value for value in val.values() if value not in (0.0, 1.0)]
        if val and train == val and unlikely:
            return SAME_NUMBERS
    return ""


def config_altered(run: Subject) -> bool:
    """Whether config.toml is not the one that the run began with."""
    digest = run.record.env.get("config_sha256")
    written = hashlib.sha256(run.record.config_text.encode("utf-8", "replace")).hexdigest()
    return bool(run.config) and isinstance(digest, str) and digest != written


def budgets(runs: Sequence[Subject]) -> Iterator[Reason]:
    """Runs that did not have the same chance: failed, broken off, still going on, or stopped early."""
    for status in ("failed", "interrupted", "killed", "running", "unfinished"):
        if broken := [run for run in runs if run.status == status]:
            names = some([after(run) for run in broken], 4)
            yield Reason("other budget", f"{status}: {names}")
    early = [run for run in runs if run.finished and run.record.metrics.get("stopped") == "patience"]
    if early and len(early) < sum(run.finished for run in runs):
        names = some([after(run) for run in early], 4)
        yield Reason("other budget", f"stopped early, patience ran out: {names}; the others had their whole budget")


def after(run: Subject) -> str:
    """A run and how far it came."""
    return f"{run.name} (after {run.steps:,} step{'s' * (run.steps != 1)})"


def first_weights(one: Group, other: Group, changed: Sequence[Change]) -> Iterator[Reason]:
    """First weights that differ at the same seed though nothing in the configuration makes them."""
    if any(change.name.partition(".")[0] not in LATER for change in changed):
        return
    ours, theirs = (
        {seed_of(run): digest for run in group.subjects if (digest := run.record.env.get("init_sha256")) is not None}
        for group in (one, other)
    )
    apart = [seed for seed in ours if seed in theirs and ours[seed] != theirs[seed]]
    if apart:
        seeds = some([str(seed) for seed in apart], 4)
        text = f"the first weights differ at seed {seeds}, which nothing that was changed explains"
        yield Reason("other first weights", text)
