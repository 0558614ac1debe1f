"""`python -m guarantees [NAME …] [--scale quick|full|nightly] [--out FILE]`: run campaigns, write down what they found.

Exit codes: 0 every promise held, 1 a violation, 2 bad usage, 4 what was run held but a campaign was skipped, since the
machine lacks what it needs.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from guarantees.apart import measure_apart
from guarantees.document import CAMPAIGNS, put, stamp
from guarantees.section import Scale, Skipped

DOCUMENT = Path("docs/guarantees.md")

HELD, VIOLATED, SKIPPED = 0, 1, 4
ENDS = {
    VIOLATED: "a promise was violated",
    SKIPPED: "what was tried held; a campaign was skipped",
    HELD: "every promise that was tried held",
}


def write_down(name: str, scale: Scale, document: Path) -> int:
    """Run one campaign and put its section into `document`; what the exit code would be if it were the only one."""
    print(f"{name} ({scale})", file=sys.stderr, flush=True)
    start = time.perf_counter()
    try:
        section = measure_apart(name, scale)
    except Skipped as reason:
        print(f"{name}: skipped, {reason}", file=sys.stderr, flush=True)
        return SKIPPED
    seconds = time.perf_counter() - start
    put(document, name, section, stamp(name, scale, seconds), CAMPAIGNS)
    for violation in section.violations:
        print(f"{name}: VIOLATED: {violation}", file=sys.stderr, flush=True)
    held = "violated" if section.violations else "held"
    print(f"{name}: {held}, {seconds:,.0f} s, written to {document}", file=sys.stderr, flush=True)
    return VIOLATED if section.violations else HELD


def main() -> int:
    """Run the campaigns that the command line names, all of them if none."""
    parser = argparse.ArgumentParser(prog="python -m guarantees", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CAMPAIGNS)}; all of them if none")
    parser.add_argument("--scale", type=Scale, choices=list(Scale), default=Scale.FULL)
    parser.add_argument("--out", type=Path, default=DOCUMENT, help=f"where the sections are put ({DOCUMENT})")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(CAMPAIGNS))
    if unknown:
        parser.error(f"NAME: received {', '.join(unknown)}; it must be of {', '.join(CAMPAIGNS)}")
    codes = {write_down(name, options.scale, options.out) for name in options.names or CAMPAIGNS}
    code = next(code for code in ENDS if code in codes)
    print(f"guarantees: {ENDS[code]}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
