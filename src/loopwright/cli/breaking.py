"""`loopwright break NAME --fault F …`: break an experiment on purpose, beside its healthy twin."""

from __future__ import annotations

import sys
from pathlib import Path

from tqdm import tqdm

from loopwright.cli.alone import refuse_workers
from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.errors import UsageError, printable
from loopwright.faults.registry import all_faults, find_fault
from loopwright.files import try_writing
from loopwright.journal.runs import create_run
from loopwright.lab import Lab, break_experiment
from loopwright.lab.breaking import healthy_of
from loopwright.lab.writing import write_lab
from loopwright.running.runner import run_name

ABOUT = """\
Train an experiment with a mistake in it, and without, over matched seeds; say whether the mistake bites, and what the
doctor says. Writes experiments.md, index.html with the curves, and results.json. Exit code 1 where the doctor did not
name a fault that bites.
"""


def run(arguments: list[str]) -> int:
    """Break it, write it down, print a table."""
    options = parser("break", ABOUT, usage="loopwright break NAME [--fault F … | --all] [--seeds 5]")
    options.add_argument("name", nargs="?", help="an experiment, as in `loopwright list`, or file.py:function")
    options.add_argument("--fault", nargs="+", action="extend", default=[], metavar="F", help="which faults")
    options.add_argument("--all", action="store_true", help="every fault that can be made in this experiment")
    options.add_argument("--list", action="store_true", help="the faults there are")
    options.add_argument("--seeds", type=int, default=5, help="how many seeds, each with its healthy twin (5)")
    options.add_argument("--steps", type=int, help="at most so many steps (the experiment's own number, up to 600)")
    options.add_argument("--jobs", type=int, default=1, help="trainings at a time, each on one thread (1)")
    options.add_argument("--out", type=Path, default=Path("lab"), metavar="DIR", help="where labs are kept (lab)")
    parsed = options.parse_all(arguments)
    faults = all_faults()
    if parsed.list:
        print(table([(fault.number, name, fault.line) for name, fault in faults.items()]))
        return 0
    if parsed.name is None or not (parsed.fault or parsed.all):
        raise UsageError("break: which experiment, which fault? as in loopwright break points --fault diverge")
    if parsed.seeds < 1 or parsed.jobs < 1 or (parsed.steps is not None and parsed.steps < 1):
        raise UsageError(f"break: --seeds {parsed.seeds} --jobs {parsed.jobs}: each must be at least 1")
    refuse_workers("break")
    names = parsed.fault or list(faults)
    for name in names:
        find_fault(name)
    healthy_of(parsed.name)
    try_writing(parsed.out)
    lab = broken(parsed.name, names, parsed)
    directory = create_run(parsed.out, run_name(parsed.name))
    (directory / "logs").rmdir()
    write_lab(lab, directory)
    return conclude(lab, directory)


def broken(name: str, faults: list[str], parsed: object) -> Lab:
    """The lab, with a bar on stderr."""
    options = vars(parsed)
    with tqdm(unit="run", file=sys.stderr, disable=None, leave=False) as bar:

        def tell(job: str) -> None:
            bar.set_description_str(job)
            bar.update()

        return break_experiment(
            name,
            faults,
            seeds=options["seeds"],
            steps=options["steps"] or 600,
            jobs=options["jobs"],
            begin=tell,
        )


def conclude(lab: Lab, directory: Path) -> int:
    """Print what came of it; 1 where a fault that bites was not named."""
    rows = [
        (
            one.fault.name,
            one.state,
            f"{one.p:.3g}",
            one.serious[0].cause if one.serious else "nothing",
            f"{one.named:.0%}",
            "-" if one.step is None else one.step,
        )
        for one in lab.broken
    ]
    print(table([("fault", "effect", "p", "the doctor says", "right in", "step"), *rows]))
    for one in lab.broken if len(lab.broken) <= 3 else []:
        for finding in one.serious[:1]:
            print(printable("\n" + finding.text()))
        for trial in one.trials[:1]:
            if trial.broke:
                print(printable(f"the run ended with: {trial.broke}"))
    if lab.skipped:
        print(printable(f"cannot be made in {lab.name}: {', '.join(lab.skipped)}", 400))
    for finding in lab.false_alarms:
        print(printable(f"FALSE ALARM on a healthy run: {finding.cause}: {finding.evidence}", 300))
    print(f"report {directory / 'index.html'}")
    print(directory)
    missed = [one for one in lab.broken if one.bites and one.named <= 0.5]
    return 1 if missed or lab.false_alarms else 0
