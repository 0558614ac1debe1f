"""`loopwright train NAME`: train an experiment, with any field of it overridden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loopwright.cli.console import Console
from loopwright.cli.outcome import conclude
from loopwright.cli.parsing import parser
from loopwright.config import NO_OVERRIDES, Overrides, apply, help_text, parse_flags
from loopwright.core.experiment import Experiment
from loopwright.core.group import joined
from loopwright.core.parallel import Workers
from loopwright.core.study import Study
from loopwright.errors import ConfigError, UsageError
from loopwright.running.config import Origin, judgeable, recorded, values
from loopwright.running.registry import find
from loopwright.running.runner import train_one_experiment
from loopwright.running.session import Watchers
from loopwright.running.studying import refuse_studies, train_study

ALIASES = {
    "learning-rate": "optimizer.lr",
    "lr": "optimizer.lr",
    "betas": "optimizer.betas",
    "weight-decay": "optimizer.weight_decay",
    "max-steps": "steps",
    "num-workers": "task.num_workers",
    "data-dir": "task.data_dir",
    "task.data": "task.source",
}
ABOUT = """\
Train an experiment in a new run directory, test the last and the best weights, and write a report.

  loopwright train digits-cnn --epochs 10 --optimizer SGD --optimizer.lr 0.05
  loopwright train path/to/file.py:function
  loopwright train --config runs/digits-cnn/001/config.toml
  torchrun --nproc-per-node 2 -m loopwright train digits-cnn --shards 4

`loopwright train NAME --help` shows every field of that experiment, also of another choice:
`loopwright train NAME --optimizer Muon --schedule Plateau --help`. --amp is short for --precision bf16.
"""


def run(arguments: list[str]) -> int:
    """Train what the arguments describe, on as many workers as `torchrun` has started."""
    with joined() as workers:
        return train(arguments, workers)


def train(arguments: list[str], workers: Workers) -> int:
    """What one of the workers does; the first talks."""
    options = parser("train", ABOUT, usage="loopwright train NAME [--flag value …]")
    options.add_argument("--config", type=Path, help="rerun a record: the config.toml of a run")
    options.add_argument("--run-dir", type=Path, default=Path("runs"), help="where runs are kept (runs)")
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    options.add_argument("--experiment", help="with --config: names your own experiment again")
    if arguments and arguments[0] in ("-h", "--help"):
        options.print_help()
        return 0
    if not arguments:
        raise UsageError(
            "train: which experiment? `loopwright list` shows them; for example loopwright train digits-cnn"
        )
    name, rest = (None, arguments) if arguments[0].startswith("-") else (arguments[0], arguments[1:])
    parsed, flags = options.parse_known_args([argument for argument in rest if argument not in ("-h", "--help")])
    if (name is None) == (parsed.config is None):
        raise UsageError("train: the experiment's name comes first, or --config FILE; as in train digits-cnn")
    made, origin = by_name(name) if name else recorded(parsed.config, parsed.experiment)
    flags = [spelled for flag in flags for spelled in (AMP if flag == "--amp" else [flag])]
    if "-h" in rest or "--help" in rest:
        shown = overridden(made.members[0] if isinstance(made, Study) else made, flags)
        print(options.format_help())
        print(help_text(shown, aliases=reachable(shown)))
        return 0
    first = workers.worker.rank == 0
    with Console(quiet=parsed.quiet or not first) as console:
        watchers = Watchers(sinks=[console], say=console.say, begin=console.begin)
        if isinstance(made, Study):
            refuse_studies(workers, made.name)
            return conclude(train_study(all_overridden(made, flags), parsed.run_dir, watchers, origin))
        experiment = overridden(made, flags)
        directory = train_one_experiment(experiment, parsed.run_dir, watchers, origin=origin, workers=workers)
    return conclude(directory) if first else 0


def by_name(name: str) -> tuple[Experiment | Study, Origin]:
    """What `name` stands for, and where it comes from."""
    entry = find(name)
    made = entry.make()
    named = made if isinstance(made, Study) else replace(made, name=entry.name)
    return named, Origin(entry.name, code_sha256=entry.sha256)


AMP = ["--precision", "bf16"]


def overridden(base: Experiment, flags: list[str]) -> Experiment:
    """`base` with what the flags say. `--epochs` takes the place of a number of steps that the experiment has fixed."""
    overrides: Overrides = parse_flags(flags, base, aliases=reachable(base)) if flags else NO_OVERRIDES
    if "epochs" in overrides and "steps" not in overrides:
        base = replace(base, steps=None)
    return judgeable(apply(base, overrides), base)


def all_overridden(study: Study, flags: list[str]) -> Study:
    """`study` with the flags applied to every member. Raises ConfigError for a field in which the members differ."""
    members = tuple(overridden(member, flags) for member in study.members)
    before, after = ([values(member) for member in each] for each in (study.members, members))
    for path in before[0]:
        studied = len({repr(member.get(path)) for member in before}) > 1
        if studied and any(new.get(path) != old.get(path) for new, old in zip(after, before, strict=True)):
            raise ConfigError(f"--{path}: this is what {study.name} studies, its members differ in it; leave it out")
    return replace(study, members=members)


def reachable(experiment: Experiment) -> dict[str, str]:
    """The short flags whose field this experiment has."""
    known = values(experiment)
    return {alias: path for alias, path in ALIASES.items() if path in known}
