"""`loopwright audit` of the experiments that come with the package: every promise, on every one of them."""

from __future__ import annotations

import sys

from guarantees.section import Scale, Section
from loopwright.auditing import CHECKS, Audit, Check, audit, named

EXPERIMENTS = ("points", "digits-mlp", "digits-cnn", "digits-loader", "tabular")
SEED = 0


def measure(scale: Scale) -> Section:
    """A row for each experiment, a column for each promise."""
    names = scale.pick(quick=EXPERIMENTS[:1], full=EXPERIMENTS, nightly=EXPERIMENTS)
    only = scale.pick(quick=("twice",), full=(), nightly=())
    seeds = scale.pick(quick=1, full=1, nightly=20)
    found = [audited(name, only, SEED + number) for number in range(seeds) for name in names]
    columns = [check.name for check in found[0].checks]
    return Section(
        title="The promises, audited on the experiments that come with the package",
        columns=("experiment", "steps", *columns),
        rows=tuple((one.name, one.steps, *map(short, one.checks)) for one in found),
        notes=notes(found),
        violations=tuple(
            f"{one.name}, {check.name} ({check.finding.how}): {check.finding.detail}"
            for one in found
            for check in one.broken
        ),
    )


def audited(name: str, only: tuple[str, ...], seed: int) -> Audit:
    """One audit, with a line on stderr for each of its checks."""

    def tell(check: str, number: int, total: int) -> None:
        print(f"  {name}: {number}/{total} {check}", file=sys.stderr, flush=True)

    experiment, origin = named(name)
    return audit(experiment, origin, only=only, seed=seed, watch=tell)


def short(check: Check) -> str:
    """A check's cell."""
    finding = check.finding
    return f"same {finding.detail.partition(',')[0]}" if finding.verdict == "same" else finding.verdict


def notes(found: list[Audit]) -> tuple[str, ...]:
    """What each column did, and why some cells are empty or not to the bit."""
    did = [f"*{check.name}*: {(CHECKS[check.name].__doc__ or '').strip()}" for check in found[0].checks]
    unsaid = {
        f"{check.name} of {one.name}: {check.finding.detail}."
        for one in found
        for check in one.checks
        if check.finding.verdict not in ("same",) or not check.finding.detail.startswith("bits")
    }
    compared = (
        "Compared bit by bit: each leaf of the last and the best state, the history without its clock, the metrics."
    )
    return (compared, " ".join(did), *(["; ".join(sorted(unsaid))] if unsaid else []))
