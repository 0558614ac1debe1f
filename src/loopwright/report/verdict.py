"""The top of a report: how the run ended, whether it reached what its experiment claims, its main numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from loopwright.errors import capital, counted
from loopwright.journal.runs import kind_of
from loopwright.report import curves
from loopwright.report.clock import Clock
from loopwright.report.overfitting import Onset
from loopwright.report.record import Record
from loopwright.report.values import show, show_metric, show_seconds
from loopwright.values import Table, number, numbers, table, tables, whole

_TONES = {"finished": "good", "interrupted": "warn", "failed": "bad", "running": "calm"}
_STOPPED = {"budget": "its budget was used up", "patience": "its patience ran out"}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the experiment. `holds`: None where that was not found out."""

    metric: str
    wanted: str
    reached: str
    holds: bool | None

    @property
    def mark(self) -> str:
        """`holds`, `missed` or `open`."""
        return {True: "holds", False: "missed", None: "open"}[self.holds]


@dataclass(frozen=True, slots=True)
class Tile:
    """A main number: its label, itself, and a line below it."""

    label: str
    value: str
    below: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pills`: text and tone (good | warn | bad | calm). `alarms`: what a reader must not overlook, `remarks`: what is
    worth knowing. `sources`: the files that it comes from."""

    pills: list[tuple[str, str]]
    sentence: str
    claims: list[Claim]
    tiles: list[Tile]
    alarms: list[str]
    remarks: list[str]
    sources: list[str]


def judge(record: Record, best: int | None, found: Onset | None = None, clock: Clock | None = None) -> Verdict:
    """What the record says about the run as a whole. `found`: the onset of overfitting. `clock`: knows the epochs."""
    status = str(record.metrics.get("status") or "unknown")
    claims = _claims(record)
    tiles = [_deciding_tile(record), _best_tile(record, best), _time_tile(record), _size_tile(record)]
    others = [*_claims_pill(claims), *_health_pills(record, found)]
    tone = _TONES.get(status, "calm")
    tone = "calm" if tone == "good" and any(other == "bad" for _, other in others) else tone  # it ended, no more
    return Verdict(
        pills=[(status, tone), *others],
        sentence=" ".join([_ending(record, status), *_without_claims(record, status, claims)]),
        claims=claims,
        tiles=[tile for tile in tiles if tile is not None],
        alarms=_alarms(record),
        remarks=[*_interruption(record), *_remarks(found, clock)],
        sources=_sources(record),
    )


def _claims(record: Record) -> list[Claim]:
    """The run's own claims; those of a study are its members'."""
    own = [_claim(claim) for claim in tables(record.metrics.get("claims"))]
    for member in tables(record.metrics.get("members")):
        own += [_claim(claim, f"{show(member.get('experiment'))}: ") for claim in tables(member.get("claims"))]
    return own


def _without_claims(record: Record, status: str, claims: list[Claim]) -> list[str]:
    """Why there are no claims, where a summary should have some."""
    if claims or status != "finished" or record.is_study:
        return []
    dropped = record.metrics.get("claims_dropped")
    return [f"Claims are not judged: {show(dropped)}" if dropped else "This experiment claims nothing."]


def _claim(claim: Table, prefix: str = "") -> Claim:
    bounds = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<", "about": "≈"}
    wanted = [f"{sign} {show(claim[name], 6)}" for name, sign in bounds.items() if name in claim]
    known = {*bounds, "metric", "reached", "holds"}
    others = [f"{name} {show(value, 6)}" for name, value in claim.items() if name not in known]
    holds = claim.get("holds")
    reached = show(claim.get("reached"), 6)
    return Claim(
        prefix + show(claim.get("metric")),
        ", ".join(wanted + others),
        reached,
        holds if isinstance(holds, bool) else None,
    )


def _ending(record: Record, status: str) -> str:
    if record.is_study:
        so_far = "" if status == "finished" else " so far"
        many = counted(len(tables(record.metrics.get("members"))), "run")
        return f"A {kind_of(record.directory)} of {many}{so_far}."
    steps, epochs = whole(record.metrics.get("steps")), number(record.metrics.get("epochs"))
    done = record.history.last_step if steps is None else steps
    length = f"{done:,} step{'s' * (done != 1)}" + (f", {show(epochs)} epoch{'s' * (epochs != 1)}" if epochs else "")
    stopped = record.metrics.get("stopped")
    if status == "unknown" and done == 0:
        return "Nothing has happened yet."
    if status == "unknown":
        return f"{length}, without a summary: the run is still going on, or it died."
    if status == "running":
        return f"{length} so far: the run is still going on, or it died."
    if isinstance(stopped, str) and stopped in _STOPPED:
        return f"{length}, until {_STOPPED[stopped]}."
    return f"{length}."


def _claims_pill(claims: list[Claim]) -> list[tuple[str, str]]:
    missed, unknown = (sum(claim.holds is state for claim in claims) for state in (False, None))
    if missed:
        return [(f"{missed} of {len(claims)} claims missed" if len(claims) > 1 else "claim missed", "bad")]
    if unknown:
        return [(f"{unknown} of {len(claims)} claims open" if len(claims) > 1 else "claim open", "calm")]
    return [("all claims hold" if len(claims) > 1 else "claim holds", "good")] if claims else []


def _health_pills(record: Record, found: Onset | None) -> list[tuple[str, str]]:
    """How many findings of each severity there are, and whether the model overfits."""
    overfits = [("overfits", "warn")] if found is not None and found.kind == "worsens" else []
    if record.findings is None:
        return [("not examined", "calm"), *overfits]
    counted = Counter(str(finding.get("severity")) for finding in record.findings)
    tones = {"error": "bad", "warning": "warn", "info": "calm"}
    words = {"error": "error", "warning": "warning", "info": "note"}
    pills = [
        (f"{counted[severity]} {words[severity]}{'s' * (counted[severity] != 1)}", tone)
        for severity, tone in tones.items()
        if counted[severity]
    ]
    return [*(pills or [("no findings", "good")]), *overfits]


def _interruption(record: Record) -> list[str]:
    """How to go on with a run that somebody stopped: no alarm."""
    reason = record.metrics.get("reason")
    return [show(reason)] if reason and record.metrics.get("status") == "interrupted" else []


def _remarks(found: Onset | None, clock: Clock | None) -> list[str]:
    if found is None:
        return []
    epoch = clock.at(np.array([found.step], dtype=np.float64)).get("epoch") if clock else None
    place = f"step {found.step:,}" + ("" if epoch is None else f", epoch {show(round(float(epoch[0]), 2))}")
    return [f"Overfitting from {place}: {found.reason}."]


def _sources(record: Record) -> list[str]:
    files = ["metrics.json", "findings.json", "logs/history.jsonl"]
    return [name for name in files if (record.directory / name).is_file()]


def _deciding_tile(record: Record) -> Tile | None:
    """The deciding metric on test (else on val, else on train), of the best and the last checkpoint."""
    metric, _ = record.deciding
    for split in ("test", "val", "train"):
        best, last = (numbers(table(record.metrics, split, which)).get(metric) for which in ("best", "last"))
        if best is not None or last is not None:
            return Tile(f"{split} {metric} at best", show_metric(best), f"at last {show_metric(last)}")
    return None


def _best_tile(record: Record, best: int | None) -> Tile | None:
    metric, _ = record.deciding
    if best is None:
        return None
    series = record.history.validation(metric)
    at = series.values[series.steps == best].tolist()
    value = number(table(record.metrics, "best").get("value"))
    value = at[0] if value is None and at else value
    return Tile("best step", f"{best:,}", f"val {metric} {show_metric(value)}" if value is not None else "")


def _time_tile(record: Record) -> Tile | None:
    timing = numbers(record.metrics.get("timing"))
    seconds = timing.get("train_seconds", timing.get("wall_seconds"))
    if seconds is None:
        return None
    pace = timing.get("samples_per_second")
    return Tile("training time", show_seconds(seconds), "" if pace is None else f"{pace:,.0f} samples/s")


def _size_tile(record: Record) -> Tile | None:
    count = whole(record.metrics.get("parameters"))
    device, precision = record.env.get("device"), table(record.env, "precision").get("name")
    below = ", ".join(show(value) for value in (device, precision) if value)
    return None if count is None else Tile("parameters", f"{count:,}", below)


def sentences(text: str) -> str:
    """The lines of a message, each with a full stop."""
    return " ".join(f"{capital(line.rstrip('.'))}." for line in text.splitlines() if line)


def _alarms(record: Record) -> list[str]:
    reason = record.metrics.get("reason")
    alarms = [sentences(show(reason))] if reason and record.metrics.get("status") != "interrupted" else []
    differing = sum(event.get("event") == "differs" for event in record.history.events)
    if differing:
        alarms.append(f"After a resume, {differing:,} of the lines written before came out different.")
    named = {"training loss": "loss", "gradient norm": "grad_norm"}
    found = {name: record.history.curve(curve) for name, curve in named.items()}
    found["validation loss"] = record.history.validation("loss")
    for name, series in found.items():
        lost = curves.non_finite(series)
        if len(lost):
            times = f"at {len(lost):,} steps, the first is" if len(lost) > 1 else "at"
            alarms.append(f"The {name} is not finite {times} step {int(lost[0]):,}.")
    return alarms
