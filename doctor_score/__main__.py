"""`python -m doctor_score [SECTION …]`: measure the doctor, print tables, keep them as JSON.

injected   every fault of the lab in several experiments, over seeds
healthy    programs in which nothing is wrong, over seeds
attacked   right programs that were written to be accused, by somebody who had read the rules
unseen     programs that the rules were not tuned on, with their healthy twins
same       what all these programs print and return, watched and bare
overhead   what watching costs
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from doctor_score.overhead import overhead
from doctor_score.programs import HERE, Pair, Watched, bare, in_turn, pairs, watch_all
from loopwright.cli.tables import table
from loopwright.faults.registry import all_faults
from loopwright.lab import Broken, Lab, break_experiment

EXPERIMENTS = {"points": 300, "line": 200, "digits-mlp": 200, "digits-cnn": 100, "fsm-ab-star": 100}
"""Where faults are made, and in how many steps."""
SETS = (
    *("unseen", "unseen_second", "unseen_third", "unseen_fourth", "unseen_fifth", "unseen_sixth", "unseen_seventh"),
    "unseen_eighth",
    "unseen_ninth",
)
NUMERIC = frozenset({20, 34, 42, 43, 44, 47, 48, 53, 55, 56, 60, 66, 70})
PROBED = frozenset({9, 12, 15, 16, 17, 18, 21, 22, 62, 64, 68, 71})
OUTSIDE = frozenset({3, 6, 7, 8, 29, 74, 79, 80, 81, 82, 84})
"""By their numbers in the catalogue: the faults that numbers of several steps tell, that a probe tells, and that
something outside the steps tells (a comparison of splits, a resume). All others are facts of the first steps."""
SOON = {"structural": 2, "numeric": 20}
"""Within how many steps a cause should be named, counted from the first at which the fault is at work."""


def injected(options: argparse.Namespace) -> dict[str, Any]:
    """Top-1 over (fault, program) pairs, and how soon the cause is named."""
    rows, labs = [], []
    for name, steps in EXPERIMENTS.items():
        if options.experiment and name not in options.experiment:
            continue
        began = time.perf_counter()
        lab = break_experiment(
            name, list(all_faults()), seeds=options.seeds, steps=steps * (4 if options.full else 1), jobs=options.jobs
        )
        labs.append(lab)
        rows.append(row_of(lab, time.perf_counter() - began))
    print(table([("experiment", "faults", "bite", "named", "of those that bite", "false alarms", "seconds"), *rows]))
    every = [(lab, one) for lab in labs for one in lab.broken]
    missed = [(lab.name, one.fault.name, one.state, first(one), " or ".join(one.fault.causes)) for lab, one in every]
    missed = [row for row, (_, one) in zip(missed, every, strict=True) if one.named <= 0.5]
    if missed:
        print(table([("missed in", "fault", "effect", "said", "right"), *missed]))
    named = [one for _, one in every if one.named > 0.5]
    run = sorted(one.step for one in named if one.step)
    kinds = len({one.fault.name for _, one in every})
    print(f"{len(named)} of {len(every)} pairs named ({len(named) / len(every):.1%}); {kinds} faults")
    if run:
        print(
            f"named while training: step {statistics.median(run):g} (median), {run[int(0.9 * (len(run) - 1))]} (90 %)"
        )
    for kind, limit in SOON.items():
        mine = [(lab.name, one) for lab, one in every if one.step is not None and kind_of(one) == kind]
        late = [(name, one.fault.name, one.since, one.step) for name, one in mine if (one.latency or 0) > limit]
        print(f"{kind}: {len(mine) - len(late)} of {len(mine)} named within {limit} steps of being at work")
        if late:
            print(table([("later", "fault", "at work from step", "named at step"), *late]))
    return {
        "named": len(named),
        "pairs": len(every),
        "bite": sum(one.bites for _, one in every),
        "bite_named": sum(one.bites and one.named > 0.5 for _, one in every),
        "false_alarms": [finding.as_dict() for lab in labs for finding in lab.false_alarms],
        "rows": [
            {
                "experiment": lab.name,
                "fault": one.fault.name,
                "p": one.p,
                "bites": one.bites,
                "named": one.named,
                "step": one.step,
                "since": one.since,
                "kind": kind_of(one),
                "said": [finding.cause for finding in one.serious],
                "right": list(one.fault.causes),
            }
            for lab, one in every
        ],
    }


def row_of(lab: Lab, seconds: float) -> tuple[Any, ...]:
    """A line of the table."""
    named = sum(one.named > 0.5 for one in lab.broken)
    bite = [one for one in lab.broken if one.bites]
    among = f"{sum(one.named > 0.5 for one in bite)} of {len(bite)}"
    return (lab.name, len(lab.broken), len(bite), named, among, len(lab.false_alarms), round(seconds))


def kind_of(one: Broken) -> str:
    """What sort of evidence tells a fault."""
    number = one.fault.number
    return next(
        (
            name
            for name, numbers in (("numeric", NUMERIC), ("probed", PROBED), ("outside", OUTSIDE))
            if number in numbers
        ),
        "structural",
    )


def first(one: Broken) -> str:
    """What was said first."""
    return one.serious[0].cause if one.serious else "nothing"


def healthy(options: argparse.Namespace) -> dict[str, Any]:
    """False alarms on programs in which nothing is wrong."""
    paths = sorted((HERE / "healthy").glob("*.py"))
    runs = watch_all([(path, seed) for path in paths for seed in range(options.healthy_seeds)], options.jobs)
    alarms = [run for run in runs if run.serious]
    odd = [run for run in runs if run.code or run.failures]
    for run in [*alarms, *odd]:
        told = [(one["cause"], one["evidence"]) for one in run.serious]
        print(f"{run.name} seed {run.seed}: exit code {run.code} {told} {run.failures}")
    print(f"{len(runs)} runs of {len(paths)} programs: {len(alarms)} with a false alarm, {len(odd)} that failed")
    return {
        "programs": len(paths),
        "runs": len(runs),
        "false_alarms": [asdict(run) for run in alarms],
        "failed": len(odd),
    }


def attacked(options: argparse.Namespace) -> dict[str, Any]:
    """Which of the right programs that were written against the rules are accused still."""
    paths = sorted((HERE / "attacked").glob("*.py"))
    runs = watch_all([(path, 0) for path in paths], options.jobs)
    rows = [(run.name, ", ".join(one["cause"] for one in run.serious)) for run in runs if run.serious]
    failed = [run.name for run in runs if run.code or run.failures]
    print(table([("accused", "of"), *rows]))
    print(f"{len(rows)} of {len(paths)} accused, {len(failed)} that failed {failed or ''}")
    return {"programs": len(paths), "accused": dict(rows), "failed": failed}


def unseen(options: argparse.Namespace) -> dict[str, Any]:
    """Top-1 on the frozen pairs, and false alarms on their twins."""
    return {folder: of_set(folder, options) for folder in SETS if (HERE / folder).is_dir()}


def of_set(folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """One set of pairs."""
    known = list(pairs(folder))
    broken = watch_all([(HERE / folder / f"{pair.name}_bug.py", 0) for pair in known], options.jobs)
    twins = watch_all([(HERE / folder / f"{pair.name}_ok.py", 0) for pair in known], options.jobs)
    rows = [
        (pair.name, " or ".join(pair.causes), run.first or "nothing", mark(pair, run))
        for pair, run in zip(known, broken, strict=True)
    ]
    print(table([(folder, "right", "said first", ""), *rows]))
    named = sum(run.first in pair.causes for pair, run in zip(known, broken, strict=True))
    alarms = [run for run in twins if run.serious]
    for run in alarms:
        print(f"false alarm on {run.name}: {[(one['cause'], one['evidence']) for one in run.serious]}")
    share = named / len(known)
    print(f"{named} of {len(known)} named first ({share:.0%}), {len(alarms)} false alarms on {len(twins)} twins\n")
    return {
        "named": named,
        "pairs": len(known),
        "false_alarms": len(alarms),
        "rows": [
            {"name": pair.name, "right": list(pair.causes), "said": [one["cause"] for one in run.serious]}
            for pair, run in zip(known, broken, strict=True)
        ],
    }


def mark(pair: Pair, run: Watched) -> str:
    """Right, among the others, or missed."""
    if run.first in pair.causes:
        return "right"
    return "not first" if any(one["cause"] in pair.causes for one in run.serious) else "missed"


def same(options: argparse.Namespace) -> dict[str, Any]:
    """Programs that do something else when they are watched; those that differ from themselves do not count."""
    paths = sorted(path for folder in ("healthy", "attacked", *SETS) for path in (HERE / folder).glob("*.py"))
    watched = watch_all([(path, 0) for path in paths], options.jobs)
    alone = in_turn(bare, paths, options.jobs)
    differ = [p for p, one, other in zip(paths, watched, alone, strict=True) if (one.code, one.printed) != other]
    again = in_turn(bare, differ, options.jobs)
    known = dict(zip(paths, alone, strict=True))
    random = [path.stem for path, once_more in zip(differ, again, strict=True) if once_more != known[path]]
    changed = [path.stem for path in differ if path.stem not in random]
    compared = len(paths) - len(random)
    print(f"{compared - len(changed)} of {compared} print and return the same, watched and bare {changed or ''}")
    print(f"{len(random)} that differ from themselves: {', '.join(random) or 'none'}")
    return {"compared": compared, "changed": changed, "random": random}


def cost(options: argparse.Namespace) -> dict[str, Any]:
    """The time of a watched training over that of a bare one."""
    found = overhead(share=1.0 if options.full else 0.5)
    rows = [(c.name, c.steps, c.step_us, c.ratio, c.worst, c.control, c.worst_control) for c in found]
    head = ("program", "steps", "bare step, us", "watched / bare", "worst block", "bare / bare", "worst block")
    print(table([head, *rows]))
    return {c.name: asdict(c) for c in found}


SECTIONS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "injected": injected,
    "healthy": healthy,
    "attacked": attacked,
    "unseen": unseen,
    "same": same,
    "overhead": cost,
}


def main() -> int:
    """Measure the sections asked for; 1 where a healthy program is accused."""
    parser = argparse.ArgumentParser(prog="python -m doctor_score", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="which (all)")
    parser.add_argument("--full", action="store_true", help="longer runs")
    parser.add_argument("--seeds", type=int, default=5, help="of each fault (5)")
    parser.add_argument("--healthy-seeds", type=int, default=3, help="of each healthy program (3)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--experiment", nargs="+", help="injected: only these")
    parser.add_argument("--json", type=Path, default=HERE / "results.json", help="where the numbers are kept")
    options = parser.parse_args()
    kept = json.loads(options.json.read_text()) if options.json.is_file() else {}
    for name in options.sections or list(SECTIONS):
        print(f"== {name}")
        began = time.perf_counter()
        kept[name] = SECTIONS[name](options)
        print(f"({time.perf_counter() - began:.0f} s)\n", flush=True)
        options.json.write_text(json.dumps(kept, indent=1) + "\n")
    accused = kept.get("healthy", {}).get("false_alarms") or kept.get("injected", {}).get("false_alarms")
    return 1 if accused else 0


if __name__ == "__main__":
    sys.exit(main())
