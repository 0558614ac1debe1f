"""Reading records: a run directory; CSV or JSONL; trainer_state.json of Hugging Face; TensorBoard's event files."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from loopwright.diagnosing.curves import Curves, add_row, kind_of
from loopwright.errors import UsageError, some
from loopwright.files import reading
from loopwright.lines import revive, scan_history
from loopwright.report.record import broke_at
from loopwright.tasks.packages import require_packages
from loopwright.values import read_json

HISTORY = Path("logs") / "history.jsonl"
MOST_BYTES = 512 * 1024 * 1024


def read_curves(path: Path) -> Curves:
    """The curves in a record. Raises UsageError where there is nothing that can be read, or no loss in it."""
    if not path.exists():
        raise UsageError(f"{path}: no such file or directory; name a run, a CSV, JSONL or trainer_state.json")
    if path.is_dir():
        curves = of_directory(path)
    else:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: has more than {MOST_BYTES >> 20} MB; cut out what is to be looked at")
        curves = of_file(path)
    if not (curves.loss or curves.val_loss):
        raise UsageError(
            f"{path}: no loss in it; a column or key must be called loss, train_loss, val_loss or the like"
        )
    for curve in (curves.loss, curves.val_loss, curves.accuracy, curves.rate, curves.norm):
        curve.sort(key=lambda point: point[0])
    return curves


def of_directory(path: Path) -> Curves:
    """A run directory of ours, one of Hugging Face with its trainer_state.json, or one with event files."""
    if (path / HISTORY).is_file():
        return of_run(path)
    states = sorted(path.glob("**/trainer_state.json"), key=lambda found: found.stat().st_mtime)
    if states:
        return of_file(states[-1])
    events = sorted(path.glob("**/events.out.tfevents.*"))
    if events:
        return of_events(path, events)
    found = sorted(each.name for each in path.iterdir())
    raise UsageError(
        f"{path}: neither a run, nor trainer_state.json, nor event files; found {some(found, 5) or 'nothing'}"
    )


def of_run(run: Path) -> Curves:
    """The history of a run; what its configuration says of clipping."""
    curves = Curves(str(run), clip_norm=clip_norm_of(run))
    with reading(run / HISTORY):
        for record in scan_history(run / HISTORY, revived=True):
            step = record.get("step")
            if not isinstance(step, int):
                continue
            loss, metrics = record.get("loss"), record.get("metrics")
            if record.get("kind") == "step" and isinstance(loss, dict):
                known = {"loss": loss.get("total"), "rate": record.get("lr"), "norm": record.get("grad_norm")}
                add_numbers(curves, step, known)
            elif record.get("kind") == "validation" and isinstance(metrics, dict):
                add_numbers(curves, step, {"val_loss": metrics.get("loss"), "accuracy": metrics.get("accuracy")})
    curves.ended = broke_at(read_json(run / "metrics.json"))
    return curves


def clip_norm_of(run: Path) -> float:
    """The limit of the gradient norm in a run's configuration; 0 where it cannot be told."""
    try:
        told = tomllib.loads((run / "config.toml").read_text(encoding="utf-8")).get("clip_norm", 0.0)
    except (OSError, ValueError):
        return 0.0
    return float(told) if isinstance(told, int | float) else 0.0


def add_numbers(curves: Curves, step: float, known: dict[str, Any]) -> None:
    """The values that are numbers."""
    for kind, value in known.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            curves.add(kind, step, float(value))


def of_file(path: Path) -> Curves:
    """A file, by its content."""
    with reading(path):
        text = path.read_text(encoding="utf-8", errors="replace")
    curves = Curves(str(path))
    rows = trainer_rows(read_json(path)) if path.name == "trainer_state.json" else list(table_rows(path, text))
    for number, row in enumerate(rows):
        add_row(curves, row, number)
    return curves


def trainer_rows(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The log of Hugging Face's Trainer."""
    log = state.get("log_history")
    return [row for row in revive(log) if isinstance(row, dict)] if isinstance(log, list) else []


def table_rows(path: Path, text: str) -> Iterator[dict[str, Any]]:
    """The rows of a CSV or JSONL file, or of a JSON list of objects. What cannot be read is passed over."""
    start = text.lstrip()[:1]
    if start == "[":
        yield from objects([text])
    elif start == "{":
        yield from (flat(row) for row in objects(text.splitlines()))
    else:
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if not lines:
            raise UsageError(f"{path}: it is empty")
        dialect = "excel-tab" if lines[0].count("\t") > lines[0].count(",") else "excel"
        yield from csv.DictReader(lines, dialect=dialect)


def objects(texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects in lines, or in lists; a torn line is no object."""
    for text in texts:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict):
                yield each


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with nested objects as `outer/inner`."""
    nested = {f"{name}/{key}": v for name, value in row.items() if isinstance(value, dict) for key, v in value.items()}
    return {**{name: value for name, value in row.items() if not isinstance(value, dict)}, **nested}


def of_events(path: Path, events: list[Path]) -> Curves:
    """TensorBoard's scalars, by their tags."""
    require_packages("tensorboard", extra="tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = Curves(str(path))
    for directory in sorted({event.parent for event in events}):
        accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0})
        accumulator.Reload()
        for tag in accumulator.Tags().get("scalars", []):
            kind = kind_of(tag) or kind_of(tag.rpartition("/")[2])
            for event in accumulator.Scalars(tag) if kind else []:
                curves.add(str(kind), float(event.step), float(event.value))
    return curves
