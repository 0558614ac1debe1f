"""`loopwright audit` of the experiments that come with the package: every promise, on every one of them."""

from __future__ import annotations

import sys

from guarantees.section import Scale, Section
from loopwright.proving import ROWS, Audit, Row, audit, named

EXPERIMENTS = ("points", "digits-mlp", "digits-cnn", "digits-loader", "tabular")
SEED = 0


def measure(scale: Scale) -> Section:
    """A row for each experiment, a column for each promise."""
    names = scale.pick(quick=EXPERIMENTS[:1], full=EXPERIMENTS, nightly=EXPERIMENTS)
    only = scale.pick(quick=("twice",), full=(), nightly=())
    seeds = scale.pick(quick=1, full=1, nightly=20)
    found = [audited(name, only, SEED + number) for number in range(seeds) for name in names]
    columns = [row.name for row in found[0].rows]
    return Section(
        title="The promises, audited on the experiments that come with the package",
        columns=("experiment", "steps", *columns),
        rows=tuple((one.name, one.steps, *map(short, one.rows)) for one in found),
        notes=notes(found),
        violations=tuple(
            f"{one.name}, {row.name} ({row.finding.how}): {row.finding.detail}" for one in found for row in one.broken
        ),
    )


def audited(name: str, only: tuple[str, ...], seed: int) -> Audit:
    """One audit, with a line on stderr for each of its rows."""

    def tell(row: str, number: int, total: int) -> None:
        print(f"  {name}: {number}/{total} {row}", file=sys.stderr, flush=True)

    experiment, origin = named(name)
    return audit(experiment, origin, only=only, seed=seed, watch=tell)


def short(row: Row) -> str:
    """A row's cell."""
    finding = row.finding
    return f"same {finding.detail.partition(',')[0]}" if finding.verdict == "same" else finding.verdict


def notes(found: list[Audit]) -> tuple[str, ...]:
    """What each column did, and why some cells are empty or not to the bit."""
    did = [f"*{row.name}*: {(ROWS[row.name].__doc__ or '').strip()}" for row in found[0].rows]
    unsaid = {
        f"{row.name} of {one.name}: {row.finding.detail}."
        for one in found
        for row in one.rows
        if row.finding.verdict not in ("same",) or not row.finding.detail.startswith("bits")
    }
    compared = "Compared bit by bit: the last state leaf by leaf, the history without its clock, the metrics."
    return (compared, " ".join(did), *(["; ".join(sorted(unsaid))] if unsaid else []))
