"""`loopwright sweep NAME --set FIELD=VALUES …`: the same experiment with several values of some of its fields."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from loopwright.campaign.asking import Setting, drawn, grid, varied
from loopwright.campaign.members import newest_run, over
from loopwright.campaign.pool import Job, Watcher
from loopwright.campaign.scores import OPEN, Outcome, Score, beside_next, edges, mean_and_spread, scored, short
from loopwright.campaign.sweep import Sweep, begin_sweep, labelled, train_members
from loopwright.cli.alone import refuse_workers
from loopwright.cli.bar import Bar
from loopwright.cli.outcome import listing
from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.cli.train import AMP, by_name, overridden, reachable
from loopwright.comparing import compare, write
from loopwright.comparing.writing import Files
from loopwright.config import leaves, spell
from loopwright.config.kinds import members as kinds
from loopwright.core.experiment import Experiment
from loopwright.core.interrupt import Interrupt
from loopwright.core.study import Study
from loopwright.errors import ConfigError, UsageError, counted, printable
from loopwright.processes import Ended
from loopwright.report.values import show_metric, show_seconds
from loopwright.significance import least_pairs
from loopwright.values import read_json

ABOUT = """\
Train an experiment with each combination of some values, over seeds; compare what comes out, and name the best.

  loopwright sweep digits-mlp --set optimizer.lr=1e-4,1e-3,1e-2 --set task.dropout=0,0.2 --seeds 5 --jobs 2
  loopwright sweep digits-mlp --set lr=log:1e-4..1e-1 --set task.dropout=0..0.5 --random 20 --epochs 5
  loopwright resume runs/digits-mlp-sweep/latest

Every flag of `loopwright train NAME` is known, and holds for every run. A run has one thread unless --threads says
otherwise, so that --jobs changes no bit. The same command again goes on where it was stopped, and does nothing twice;
with more values or seeds it adds those to the sweep. A run that fails is a result, and the others go on. The last line
is the directory: sweep.toml says what was asked, report.html compares the runs. Exit code 1 where a run could not be
brought to its end, or none came to a number.
"""


def run(arguments: list[str]) -> int:
    """Plan, train, compare, print."""
    options = parser("sweep", ABOUT, usage="loopwright sweep NAME --set FIELD=VALUES [--set …] [any flag of train]")
    options.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUES", help="values between commas, or LOW..HIGH"
    )
    options.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds of each setting (1)")
    options.add_argument("--random", type=int, default=0, metavar="K", help="draw K settings instead of taking all")
    options.add_argument("--draw-seed", type=int, default=0, metavar="N", help="what the draws derive from (0)")
    options.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at a time, each in its own process (1)")
    options.add_argument("--run-dir", type=Path, default=Path("runs"), help="where runs are kept (runs)")
    options.add_argument("--anew", action="store_true", help="begin anew even where the same sweep is there")
    options.add_argument("--json", action="store_true", help="print the results as JSON")
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    if not arguments or arguments[0] in ("-h", "--help"):
        options.parse_args(arguments or ["--help"])
    name, rest = arguments[0], arguments[1:]
    if name.startswith("-"):
        raise UsageError("sweep: the experiment's name comes first, as in loopwright sweep points --set lr=1e-3,1e-2")
    parsed, unknown = options.parse_known_args(rest)
    if min(parsed.seeds, parsed.jobs) < 1 or parsed.random < 0:
        raise UsageError(f"sweep: --seeds {parsed.seeds} --jobs {parsed.jobs}: each must be at least 1")
    refuse_workers("sweep")
    if parsed.set and 1 < parsed.seeds < least_pairs() and not parsed.quiet:
        few = f"{parsed.seeds} seeds show a spread, but cannot tell two settings apart"
        print(f"{few}: {least_pairs()} are the least that can", file=sys.stderr)
    return finish(planned(name, unknown, parsed), parsed.jobs, quiet=parsed.quiet, as_json=parsed.json)


def planned(name: str, flags: list[str], parsed: Namespace) -> Sweep:
    """The sweep that the arguments describe, begun or found again."""
    made, origin = by_name(name)
    if isinstance(made, Study):
        raise ConfigError(f"sweep: {name} is a study, its members differ already; name an experiment")
    flags = [spelled for flag in flags for spelled in (AMP if flag == "--amp" else [flag])]
    base = overridden(made, flags)
    fields = varied(parsed.set, reachable(base))
    if not fields and parsed.seeds == 1:
        raise UsageError("sweep: nothing is varied; as in --set optimizer.lr=1e-4,3e-4,1e-3 --seeds 5")
    if parsed.seeds > 1 and any(field.path == "seed" for field in fields):
        raise UsageError(f"sweep: --set seed=… and --seeds {parsed.seeds} both say which seeds; leave one of them out")
    whole = {leaf.path: {int, float} & set(kinds(leaf.kind)) == {int} for leaf in leaves(base)}
    settings = drawn(fields, parsed.random, parsed.draw_seed, whole) if parsed.random else grid(fields)
    experiments = [
        prepared(overridden(made, [*flags, *flags_of(setting)]), offset)
        for setting in settings
        for offset in range(parsed.seeds)
    ]
    members = labelled(experiments, [field.path for field in fields])
    asked = {
        "varied": [field.path for field in fields],
        "set": parsed.set,
        "seeds": parsed.seeds,
        "random": parsed.random,
        "draw_seed": parsed.draw_seed,
        "flags": flags,
    }
    return begin_sweep(parsed.run_dir, name, members, asked, origin, anew=parsed.anew)


def flags_of(setting: Setting) -> list[str]:
    """A setting as flags of `loopwright train`."""
    return [f"--{path}={value}" for path, value in setting.items()]


def prepared(experiment: Experiment, offset: int) -> Experiment:
    """One run of a setting: with the `offset`-th seed, and one thread unless another number was asked for.

    Raises ConfigError and DataError where it cannot run, before anything is written.
    """
    made = replace(experiment, seed=experiment.seed + offset, threads=experiment.threads or 1)
    made.resolved().check()
    return made


def finish(sweep: Sweep, jobs: int, *, quiet: bool, as_json: bool = False) -> int:
    """Bring a sweep to its end and print what came of it; 1 where a run was not brought to its end, or none to a
    number."""
    metric, mode = sweep.metric
    Files.below(sweep.directory).check("move it away first")
    done = len([member for member in sweep.asked if over(newest_run(sweep.folder(member)))])
    left = len(sweep.asked) - done
    with Bar(left, quiet=quiet) as bar, Interrupt(bar.say) as interrupt:
        more = len(sweep.members) - len(sweep.asked)
        others = f", and {counted(more, 'run')} that were not asked for" * (more > 0)
        bar.say(f"sweep {sweep.directory}: {counted(len(sweep.asked), 'run')}" + f", {done} done" * (done > 0) + others)
        folders = {member.label: sweep.folder(member) for member in sweep.members}

        def ended(job: Job, how: Ended) -> None:
            one = Outcome.read({}, 0, metric, newest_run(folders[job.name]))
            complaint = "stopped" if interrupt.requested else one.reason or how.complaint
            came = f"val {metric} {show_metric(one.value)}" if one.status == "finished" else complaint
            bar.ended(f"{job.name}: {came.partition(chr(10))[0]} ({show_seconds(how.seconds)})")

        outcomes = train_members(sweep, jobs, interrupt, Watcher(ended, bar.going))
        asked = [sweep.outcome(member) for member in sweep.asked]
        scores = scored(asked, mode)
        page = compared(sweep, outcomes)
    lost = [one for one in asked if one.status in OPEN]
    if as_json:
        print(json.dumps({"sweep": str(sweep.directory), **read_json(sweep.directory / "metrics.json")}, indent=2))
    else:
        report(sweep, scores)
        if lost:
            print(f"open   {counted(len(lost), 'run')} did not come to an end; the same command goes on with them")
        if page:
            print(f"report {page}")
        print(sweep.directory)
    return 1 if lost or not scores[0].numbers else 0


def compared(sweep: Sweep, outcomes: list[Outcome]) -> Path | None:
    """The comparison of all runs, written into the sweep's directory; without those that failed where they have
    nothing in common with the others. None where there are not two to compare."""
    every = [one.run for one in outcomes if one.run]
    finished = [one.run for one in outcomes if one.run and one.status == "finished"]
    for runs in (every, finished):
        try:
            comparison = compare(runs)
        except UsageError:
            continue
        return write(comparison, sweep.directory, ["loopwright", "compare", str(sweep.directory)])
    return None


def report(sweep: Sweep, scores: list[Score]) -> None:
    """Print a line for each setting, the best first, and what is to be said about the best."""
    metric, mode = sweep.metric
    names = short(list(sweep.members[0].values))
    head = [*names.values(), "seeds", f"val {metric} ({mode})", f"test {metric}", ""]
    rows = [
        [
            *(spell(value) for value in score.values.values()),
            len(score.numbers),
            mean_and_spread(score.numbers),
            mean_and_spread(score.tests),
            lost(score),
        ]
        for score in scores
    ]
    print(table([head, *rows], right=frozenset(range(len(names) + 3))))
    best = scores[0]
    if not best.numbers:
        print("best   none: no run came to a finite number")
        return
    count = f" over {len(best.numbers)} seeds" if len(best.numbers) > 1 else ""
    run = leader(best, mode)
    print(printable(f"best   {best.setting}: val {metric} {mean_and_spread(best.numbers)}{count}", 400))
    print(f"       {run}/checkpoints/best.pt")
    word, told = beside_next(scores, mode)
    if told:
        print(printable(f"{word:6} {told}", 400))
    for line in edges(scores, drawn=sweep.drawn):
        print(f"edge   {line}")
    listed = listing(sweep.directory.parent.parent)
    groups = f"{listed} --experiment {shlex.quote(sweep.members[0].experiment.name)} --groups"
    print(f"next   loopwright evaluate {shlex.quote(str(run))}\n       {groups}")


def leader(score: Score, mode: str) -> Path | None:
    """The run of the best seed of a setting."""
    found = [one for one in score.outcomes if one.value in score.numbers]
    return (max if mode == "max" else min)(found, key=lambda one: one.value).run


def lost(score: Score) -> str:
    """What became of the runs of a setting that came to no number."""
    without = [one for one in score.outcomes if one.value not in score.numbers]
    told = f"{len(without)} of {len(score.outcomes)} " if len(score.outcomes) > 1 else ""
    return printable(f"{told}{without[0].status}: {without[0].reason}", 120).splitlines()[0] if without else ""
