"""`loopwright watch SCRIPT.py [ARGS…]`: run any PyTorch script, unchanged, under the doctor."""

from __future__ import annotations

from pathlib import Path

from loopwright.cli.parsing import parser
from loopwright.errors import UsageError
from loopwright.watching import watch_script

ABOUT = """\
Run a PyTorch training script as `python SCRIPT.py ARGS…` would, and watch it: what is silently wrong is named on
stderr, with evidence and the fix. The script's output, arguments and exit code are its own, and so is every bit it
computes.
"""


def run(arguments: list[str]) -> int:
    """Watch a script; its own exit code."""
    options = parser(
        "watch", ABOUT, usage="loopwright watch [--report DIR] SCRIPT.py [ARGS…]   (or: -m MODULE [ARGS…])"
    )
    options.add_argument("--report", type=Path, metavar="DIR", help="keep findings.json and findings.html there")
    options.add_argument("-m", dest="module", action="store_true", help="SCRIPT is the name of a module")
    own, rest = split(arguments)
    parsed = options.parse_all(own)
    if not rest:
        raise UsageError("watch: which script? as in loopwright watch train.py --epochs 3")
    return watch_script(rest[0], rest[1:], module=parsed.module, report=parsed.report).exit_code


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own flags, which come first; then the script and everything that is meant for it."""
    own: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag == "--":
            break
        own.append(flag)
        if flag == "--report" and rest:
            own.append(rest.pop(0))
    return own, rest
