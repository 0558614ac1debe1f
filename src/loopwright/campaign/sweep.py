"""A sweep: `runs/NAME-sweep/NNN/` with `sweep.toml`, what was asked for, and a member for each setting and seed.

Members are kept as a study keeps its own: `members/LABEL.toml`, what is to be run, and the runs `members/LABEL/NNN`,
each made by `loopwright train --config` or `loopwright resume` in a process of its own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from operator import eq, ge, le
from pathlib import Path
from types import MappingProxyType
from typing import Any

from loopwright.campaign.members import newest_run, over, share_done, to_do, wait_until_free
from loopwright.campaign.pool import Job, Watcher, carry_out
from loopwright.campaign.scores import OPEN, Outcome, short
from loopwright.config import check_format, dumps, read_toml, spell
from loopwright.core.experiment import Experiment
from loopwright.core.interrupt import Interrupt
from loopwright.errors import ConfigError, Interrupted, RunError
from loopwright.files import write_text
from loopwright.journal import create_run, describe_run
from loopwright.journal.lock import check_unclaimed, claim_run
from loopwright.journal.runs import SWEEP, SWEPT, check_contents, located, numbered
from loopwright.processes import Ended
from loopwright.reading import read_at_most
from loopwright.running.config import FORMAT, Origin, dump_config, recorded, values
from loopwright.running.runner import run_name
from loopwright.running.summary import write_json
from loopwright.values import read_json

MOST_LETTERS = 80


@dataclass(frozen=True)
class Member:
    """One run of a sweep: its label, what is run, and the values of the varied fields in it."""

    label: str
    experiment: Experiment
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Sweep:
    """A sweep's directory, its members, and whether their values were drawn at random.

    `reference` names the experiment again where it is one's own. `only`: the labels of the members that are asked for,
    where these are not all.
    """

    directory: Path
    members: tuple[Member, ...]
    drawn: bool
    reference: str | None = None
    only: frozenset[str] = frozenset()

    @property
    def asked(self) -> tuple[Member, ...]:
        """The members that are asked for."""
        return tuple(member for member in self.members if not self.only or member.label in self.only)

    @property
    def metric(self) -> tuple[str, str]:
        """What decides which setting is the best, and whether it should be max or min."""
        return self.members[0].experiment.metric, self.members[0].experiment.mode

    def config(self, member: Member) -> Path:
        """The file that says what a member runs."""
        return self.directory / "members" / f"{member.label}.toml"

    def folder(self, member: Member) -> Path:
        """Where a member's runs are."""
        return self.directory / "members" / member.label

    def outcome(self, member: Member) -> Outcome:
        """What has become of a member so far."""
        metric, _ = self.metric
        return Outcome.read(member.values, member.experiment.seed, metric, newest_run(self.folder(member)))

    def outcomes(self) -> list[Outcome]:
        """What has become of each member so far."""
        return list(map(self.outcome, self.members))


def labelled(experiments: Sequence[Experiment], paths: Sequence[str]) -> tuple[Member, ...]:
    """A member for each experiment: labelled by number, values of the varied fields at `paths`, and seed.

    Raises ConfigError where two of them are the same run.
    """
    known = [values(experiment) for experiment in experiments]
    names = short(paths)
    members: dict[str, Member] = {}
    for number, (experiment, found) in enumerate(zip(experiments, known, strict=True), start=1):
        said = {path: found[path] for path in paths}
        twin = members.setdefault(repr(found), Member(label(number, names, found), experiment, said))
        if twin.experiment is not experiment:
            settings = ", ".join(f"{path} {spell(value)}" for path, value in said.items())
            raise ConfigError(f"--set: two of the values are the same, {settings}; give each once")
    return tuple(members.values())


def label(number: int, names: Mapping[str, str], found: Mapping[str, Any]) -> str:
    """`007-lr=0.001,seed=2`: a name for a directory, numbered as runs are."""
    parts = {**{name: found[path] for path, name in names.items()}, "seed": found["seed"]}
    text = ",".join(f"{name}={spell(value)}" for name, value in parts.items())
    plain = re.sub(r"[^A-Za-z0-9.=+,-]+", "-", f"{number:03d}-{text}".replace("_", "-"))
    return plain[:MOST_LETTERS].rstrip(".,=-")


def begin_sweep(
    root: Path, name: str, members: Sequence[Member], asked: Mapping[str, Any], origin: Origin, *, anew: bool = False
) -> Sweep:
    """The newest sweep below `root` of just these members; else of these and others, which are let be; else of some of
    them, to which the others are added; else a new one.

    `asked`: what sweep.toml is to say. With `anew` always a new one. Raises RunError where another process is at it.
    """
    parent = root / f"{run_name(name)}{SWEPT}"
    drawn, asked_for = bool(asked["random"]), {nameless(config_of(member, origin)) for member in members}
    older = [] if anew or not parent.is_dir() else [path for path in reversed(numbered(parent)) if is_sweep(path)]
    known = [(path, held) for path in older if (held := labels(path))]
    fits = [(path, held) for fit in (eq, ge, le) for path, held in known if fit(held.keys(), asked_for)]
    directory, held = fits[0] if fits else (None, {})
    if directory and held.keys() > asked_for:
        return replace(open_sweep(directory, own(origin)), only=frozenset(held[text] for text in asked_for))
    members = relabelled(members, held, origin)
    said = dumps({**origin.head(), **asked})
    # Where sweep.toml says something else, whoever was to add members was killed before there were any.
    whole = directory is not None and nameless(written(directory / SWEEP)) == nameless(said)
    if directory and whole and held.keys() == asked_for:
        return Sweep(directory, tuple(members), drawn, own(origin))
    if directory is None:
        directory = create_run(root, parent.name)
        (directory / "members").mkdir()
    check_unclaimed(directory)
    if held:
        write_text(directory / SWEEP, said)  # first: it says which fields the members differ in, those to come too
    sweep = Sweep(directory, tuple(members), drawn, own(origin))
    for member in members:
        if not sweep.config(member).is_file():
            write_text(sweep.config(member), config_of(member, origin))
    begun = read_json(directory / "env.json") or describe_run({})
    write_json(directory / "env.json", {**begun, "members": [member.label for member in members]})
    if not held:  # last: without it a directory is no sweep, so whatever kills this leaves a whole one or none
        write_text(directory / SWEEP, said)
    return sweep


def labels(directory: Path) -> dict[str, str]:
    """What each member of the sweep in `directory` runs, and its label."""
    return {nameless(written(path)): path.stem for path in sorted((directory / "members").glob("*.toml"))}


def relabelled(members: Sequence[Member], held: Mapping[str, str], origin: Origin) -> list[Member]:
    """The members with the labels that they have among `held`; the others are numbered behind these."""
    numbers = count(len(held) + 1)
    return [
        replace(member, label=held.get(text) or f"{next(numbers):03d}-{member.label.partition('-')[2]}")
        for member in members
        for text in [nameless(config_of(member, origin))]
    ]


def nameless(config: str) -> str:
    """A member's configuration without its label and the version that wrote it."""
    return re.sub(r"^(member|loopwright) = .*\n", "", config, flags=re.MULTILINE)


def written(path: Path) -> str:
    """The text of a file; an empty one where it cannot be read."""
    with suppress(OSError):
        return read_at_most(path).decode("utf-8", "replace")
    return ""


def own(origin: Origin) -> str | None:
    """How a member's command has to name the experiment again: one's own was named on this command line."""
    return origin.experiment if origin.code_sha256 else None


def config_of(member: Member, origin: Origin) -> str:
    """The text of a member's configuration."""
    return dump_config(member.experiment, origin.of_member(member.label))


def is_sweep(path: Path) -> bool:
    """Whether the directory at `path` holds a sweep."""
    return (path / SWEEP).is_file()


def open_sweep(path: Path, reference: str | None = None) -> Sweep:
    """The sweep in the directory that `path` names. Raises RunError and ConfigError where a file of it is damaged."""
    directory = located(path)
    check_contents(directory)
    file = read_toml(directory / SWEEP)
    check_format(file, newest=FORMAT)
    paths = [str(path) for path in file.data.get("varied", [])]
    members = []
    for config in sorted((directory / "members").glob("*.toml")):
        made, _ = recorded(config, reference)
        if not isinstance(made, Experiment):
            raise RunError(f"{config}: describes a study; a sweep's members are experiments")
        known = values(made)
        members.append(Member(config.stem, made, {path: known.get(path) for path in paths}))
    if not members:
        raise RunError(f"{directory}: has no members; begin the sweep again with loopwright sweep")
    return Sweep(directory, tuple(members), bool(file.data.get("random")), reference)


def train_members(sweep: Sweep, at_once: int, interrupt: Interrupt, watcher: Watcher) -> list[Outcome]:
    """Bring all members that are asked for to their end, and write metrics.json; what has become of all.

    Raises Interrupted, which says how to go on, and RunError where another process is at it.
    """
    with claim_run(sweep.directory):
        wait_until_free(map(sweep.folder, sweep.members))
        summarize(sweep, "running")
        reasons: dict[str, str] = {}

        def ended(job: Job, how: Ended) -> None:
            reasons[job.name] = how.complaint
            watcher.ended(job, how)

        jobs = [job for member in sweep.asked if (job := job_of(sweep, member))]
        carry_out(jobs, at_once, interrupt, replace(watcher, ended=ended))
        if interrupt.requested:
            summarize(sweep, "interrupted")
            open_ones = sum(not over(newest_run(sweep.folder(member))) for member in sweep.asked)
            raise stopped(sweep, open_ones, interrupt.requested)
        whole = all(one.status not in OPEN for one in sweep.outcomes())
        return summarize(sweep, "finished" if whole else "interrupted", reasons)


def job_of(sweep: Sweep, member: Member) -> Job | None:
    """What is left to be done for a member; None where it is over."""
    arguments = to_do(sweep.config(member), sweep.reference)
    if arguments is None:
        return None
    folder, total = sweep.folder(member), member.experiment.cadence().total
    log = sweep.directory / "logs" / f"{member.label}.log"
    return Job(member.label, arguments, log, lambda: share_done(folder, total))


def stopped(sweep: Sweep, left: int, number: int) -> Interrupted:
    """The message after a signal."""
    done = len(sweep.asked) - left
    how = f"go on with: loopwright resume {shlex.quote(str(sweep.directory))}"
    error = Interrupted(
        f"stopped with {done} of {len(sweep.asked)} members done; of the others what was begun is saved; {how}",
        number,
    )
    error.run = sweep.directory
    return error


def summarize(sweep: Sweep, status: str, reasons: Mapping[str, str] = MappingProxyType({})) -> list[Outcome]:
    """Write metrics.json, what has become of each member so far; the outcomes.

    `reasons`: what the members' processes said last; it counts where the run itself could not say what ended it.
    """
    outcomes = [
        one if one.reason or one.status == "finished" else replace(one, reason=reasons.get(member.label, ""))
        for member, one in zip(sweep.members, sweep.outcomes(), strict=True)
    ]
    members = [
        {
            "name": member.label,
            "run": str(one.run) if one.run else None,
            "seed": one.seed,
            "set": {path: spell(value) for path, value in one.values.items()},
            **read_json(one.run / "metrics.json" if one.run else Path()),
            "status": one.status,
            **({"reason": one.reason} if one.reason else {}),
        }
        for member, one in zip(sweep.members, outcomes, strict=True)
    ]
    about = {"experiment": sweep.directory.parent.name, "status": status, "members": members}
    write_json(sweep.directory / "metrics.json", about)
    return outcomes
