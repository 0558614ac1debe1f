"""`loopwright check NAME`: what is wrong with an experiment, before it is trained."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

from loopwright.checking import Checked, check_experiment
from loopwright.cli.alone import refuse_workers
from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.cli.train import by_name, overridden
from loopwright.core.study import Study
from loopwright.errors import UsageError, counted, printable

ABOUT = """\
Look at an experiment before training: its first steps under the doctor, its samples, its evaluation, a resume. Nothing
is written. The flags of `train` apply. Exit code 1 where an error was found.
"""


def run(arguments: list[str]) -> int:
    """Check, and print a table."""
    options = parser("check", ABOUT, usage="loopwright check NAME [--flag value …] [--json]")
    options.add_argument("name", help="an experiment, as in `loopwright list`, or file.py:function")
    options.add_argument("--json", action="store_true", help="print everything as JSON")
    parsed, flags = options.parse_known_args(arguments)
    refuse_workers("check")
    made, _ = by_name(parsed.name)
    if isinstance(made, Study):
        raise UsageError(f"check: {parsed.name} is a study of several experiments; check one of them")
    experiment = overridden(made, flags)
    experiment = replace(experiment, device="cpu" if experiment.device == "auto" else experiment.device)
    checked = check_experiment(experiment.resolved().check(), begin=say)
    if parsed.json:
        print(json.dumps(as_dict(checked), indent=2))
    else:
        show(checked)
    return 1 if any(finding.severity == "error" for finding in checked.findings) else 0


def say(name: str) -> None:
    """A check begins."""
    print(f"… {name}", file=sys.stderr)


def show(checked: Checked) -> None:
    """The table of checks, and the findings."""
    rows = [(one.name, one.verdict, f"{one.seconds:.1f} s", one.told or "") for one in checked.results]
    print(table([("check", "result", "", ""), *rows]))
    for finding in checked.findings:
        print(printable("\n" + finding.text()))
    serious = [finding for finding in checked.findings if finding.serious]
    skipped = [one.name for one in checked.results if one.verdict in ("not applicable", "failed")]
    print(f"\n{counted(len(serious), 'finding')}; not checked: {'; '.join(skipped) or 'nothing'}")


def as_dict(checked: Checked) -> dict[str, object]:
    """Plain values."""
    return {
        "checks": [
            {"name": one.name, "verdict": one.verdict, "told": one.told, "seconds": round(one.seconds, 3)}
            for one in checked.results
        ],
        "findings": [finding.as_dict() for finding in checked.findings],
    }
