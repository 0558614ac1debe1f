"""The doctor at a run: it watches the loop's own steps, and what it finds is in the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from loopwright.core.optimizers import Several
from loopwright.core.state import State
from loopwright.doctor.doctor import Doctor
from loopwright.doctor.finding import Finding
from loopwright.errors import StoreError
from loopwright.running.summary import write_json
from loopwright.values import read_json

NAME = "findings.json"


@contextmanager
def doctored(run: Path, state: State, say: Callable[[str], None]) -> Iterator[None]:
    """Watch what is trained inside; findings are said as they arise, and kept in the run's `findings.json`.

    What an earlier session of the same run has found stays there.
    """

    def tell(finding: Finding) -> None:
        if finding.serious:
            say(finding.text())

    doctor = Doctor(tell, probes=False)  # a record is to hold what the loop alone computes, whatever a model remembers
    doctor.start()
    optimizer = state.optimizer
    for part in optimizer.parts if isinstance(optimizer, Several) else [optimizer]:
        doctor.eyes.updates.adopt(part)
    try:
        yield
    finally:
        doctor.stop()
        with suppress(StoreError):  # on a full disk, what ended the run is what matters
            write_json(run / NAME, joined(read_json(run / NAME), doctor.summary()))


def joined(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The summary of this session with the findings of those before."""
    kept = before.get("findings")
    earlier = [one for one in kept if isinstance(one, dict)] if isinstance(kept, list) else []
    told = {(one["cause"], one["where"]) for one in now["findings"]}
    more = [one for one in earlier if (one.get("cause"), one.get("where")) not in told]
    return {**now, "findings": [*now["findings"], *more]}
