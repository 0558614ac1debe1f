"""The end of a run on the terminal: a table of results, the report, and as the last line the run directory."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from loopwright.cli.tables import table
from loopwright.errors import printable
from loopwright.journal.runs import ROOT
from loopwright.lines import revive
from loopwright.protocols import SPLITS
from loopwright.report.grids import from_file
from loopwright.report.values import show_metric
from loopwright.running.session import finished
from loopwright.values import number, numbers, read_json, tables, whole
from loopwright.values import table as table_at


def conclude(run: Path) -> int:
    """Print a finished run's results on stdout; 1 where it missed a claim of its experiment, or the doctor found an
    error, else 0."""
    metrics = revive(read_json(run / "metrics.json"))
    if "members" in metrics:
        print_conclusion(run)
    elif any(table_at(metrics, split) for split in SPLITS):
        print(table(results(metrics), right=frozenset({2, 3})))
    claims = tables(metrics.get("claims"))
    for claim in claims:
        print(printable(f"claim  {sentence(claim)}", 200))
    if "claims_dropped" in metrics:
        print(printable(f"claims not judged: {metrics['claims_dropped']}", 2000))
    sick = [
        found for found in tables(read_json(run / "findings.json").get("findings")) if found.get("severity") == "error"
    ]
    for found in sick:
        print(printable(f"doctor {found.get('cause')}: {found.get('wrong')}; fix: {found.get('fix')}", 400))
    fine = all(claim.get("holds") is True for claim in claims) and not sick
    if "members" not in metrics:
        print(best(run, metrics))
        print("next   " + "\n       ".join(useful(run, fine=fine)))
    if (run / "report.html").is_file():
        print(f"report {run / 'report.html'}")
    print(run)
    return 0 if fine else 1


def best(run: Path, metrics: dict[str, Any]) -> str:
    """What was best, when, and where those weights are."""
    found, decided = table_at(metrics, "best"), table_at(metrics, "decided_by")
    value = show_metric(number(found.get("value")))
    place = run / "checkpoints" / "best.pt"
    return printable(f"best   val {decided.get('metric')} {value} at step {whole(found.get('step'))}: {place}", 400)


def useful(run: Path, *, fine: bool) -> list[str]:
    """The three commands that are most likely wanted next: where something is wrong, those that look for the cause."""
    name, config = shlex.quote(str(run)), shlex.quote(str(run / "config.toml"))
    listed = listing(run.parent.parent)
    if not fine:
        return [f"loopwright postmortem {name}", f"loopwright diagnose {name}", listed]
    before = run.parent / f"{int(run.name) - 1:03d}" if run.name.isdigit() else run
    another = f"loopwright compare {shlex.quote(str(before))} {name}" if before != run and finished(before) else ""
    seed = whole(read_json(run / "env.json").get("seed")) or 0
    return [f"loopwright evaluate {name}", another or f"loopwright train --config {config} --seed {seed + 1}", listed]


def listing(root: Path) -> str:
    """The command that lists the runs below `root`."""
    return "loopwright runs" + (f" --run-dir {shlex.quote(str(root))}" if root != ROOT else "")


def print_conclusion(run: Path) -> None:
    """The tables that a study wrote over its members."""
    for path in sorted((run / "artifacts").glob("*.json")):
        shown = from_file(read_json(path), path.name)
        if shown is not None and all(len(row) == len(shown.columns) for row in shown.rows):
            rows = [[cell.text for cell in row] for row in shown.rows]
            print(table([shown.columns, *rows], right=frozenset(range(1, len(shown.columns)))))
            print(printable(shown.note))


def results(metrics: dict[str, Any]) -> list[tuple[object, ...]]:
    """A row for each split and metric: with the last weights and with the best."""
    last, best = whole(metrics.get("steps")), whole(table_at(metrics, "best").get("step"))
    head = ("split", "metric", f"last (step {last})", f"best (step {best})")
    rows: list[tuple[object, ...]] = [head]
    for split in SPLITS:
        of_last, of_best = (numbers(table_at(metrics, split, which)) for which in ("last", "best"))
        rows += [(split, name, value, of_best.get(name)) for name, value in of_last.items()]
    return rows


def sentence(claim: dict[str, Any]) -> str:
    """A claim and whether it holds, in words."""
    stated = {words: number(claim.get(words.replace(" ", "_"))) for words in ("at least", "at most")}
    bounds = " and ".join(f"{words} {bound:g}" for words, bound in stated.items() if bound is not None)
    reached = number(claim.get("reached"))
    said = "nothing" if reached is None else f"{reached:.5g}"
    return f"{claim.get('metric')} {bounds}: reached {said}, {'holds' if claim.get('holds') is True else 'MISSED'}"
