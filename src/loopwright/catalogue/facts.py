"""What a listing says of one run, read from its small files; whatever is missing or damaged is left out and named."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from pathlib import Path
from typing import Any

from loopwright.catalogue.tail import tail_of
from loopwright.identity import identity
from loopwright.journal.runs import SWEEP
from loopwright.labels import labels_of
from loopwright.lines import revive
from loopwright.reading import read_at_most
from loopwright.values import Table, number, numbers, table, tables, whole

SPLITS = ("train", "val", "test")
COMPLETE = "finished"
KEYS = frozenset({"experiment", "status", "members", "metric", "mode", "setting", *SPLITS})
"""What the facts of every run have, among others."""


def facts_of(run: Path) -> tuple[Table, Table]:
    """What is known of the run in the directory `run`, and its configuration with dotted names."""
    problems: list[str] = []
    metrics = revive(read(run, "metrics.json", json.loads, problems))
    env = read(run, "env.json", json.loads, problems)
    swept = (run / SWEEP).is_file()  # its members have the configurations
    config = flat(read(run, "config.toml", tomllib.loads, [] if swept else problems))
    decided = table(metrics, "decided_by") or config
    labels = labels_of(run)
    facts: Table = {
        "experiment": text(metrics.get("experiment")) or text(config.get("experiment")) or run.parent.name,
        "status": text(metrics.get("status")) or "unknown",
        "steps": whole(metrics.get("steps")),
        "epochs": number(metrics.get("epochs")),
        "parameters": whole(metrics.get("parameters", env.get("parameters"))),
        "seed": whole(config.get("seed", env.get("seed"))),
        "started": text(env.get("started")),
        "metric": text(decided.get("metric")),
        "mode": text(decided.get("mode")),
        "best_step": whole(table(metrics, "best").get("step")),
        "seconds": number(table(metrics, "timing").get("train_seconds")),
        "claims": claims(metrics),
        "findings": findings(run),
        "reason": text(metrics.get("reason")),
        "members": len(tables(metrics.get("members"))) if "members" in metrics else None,
        **{split: results(metrics, split) for split in SPLITS},
        "tags": list(labels.tags),
        "notes": labels.notes,
        "archived": labels.archived,
        "setting": hashlib.sha256(identity(config).encode()).hexdigest()[:16] if config else "",
        "problems": problems,
    }
    if facts["status"] != COMPLETE and facts["members"] is None:
        facts |= going_on(facts, tail_of(run / "logs" / "history.jsonl"))
    return facts, config


def read(run: Path, name: str, parse: Any, problems: list[str]) -> Table:
    """The table in a file of a run; an empty one, and a line in `problems`, where there is none."""
    try:
        return table(parse(read_at_most(run / name).decode("utf-8", "replace")))
    except FileNotFoundError:
        problems.append(f"{name} is missing")
    except OSError as error:
        problems.append(f"{name} could not be read: {error.strerror}")
    except (ValueError, RecursionError):
        problems.append(f"{name} is damaged")
    return {}


def text(value: Any) -> str:
    """A text that is one."""
    return value if isinstance(value, str) else ""


def flat(config: Table, prefix: str = "") -> Table:
    """The leaves of nested tables, as `outer.inner`."""
    leaves: Table = {}
    for key, value in config.items():
        leaves |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": plain(value)}
    return leaves


def plain(value: Any) -> Any:
    """A value of TOML as JSON has it; a date as its text."""
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool | dict) else str(value)


def claims(metrics: Table) -> str:
    """Whether what the experiment claims was reached: `hold`, `missed`, or nothing where nothing was judged."""
    judged = [claim.get("holds") is True for claim in tables(metrics.get("claims"))]
    return "" if not judged else "hold" if all(judged) else "missed"


def findings(run: Path) -> int | None:
    """How many errors the doctor found; None where nobody has looked."""
    try:
        found = json.loads(read_at_most(run / "findings.json"))
    except (OSError, ValueError, RecursionError):
        return None
    found = found.get("findings") if isinstance(found, dict) else found
    return sum(finding.get("severity") == "error" for finding in tables(found)) if isinstance(found, list) else None


def results(metrics: Table, split: str) -> Table:
    """The metrics of a split, at best and at last."""
    return {which: numbers(table(metrics, split, which)) for which in ("best", "last")}


def going_on(facts: Table, tail: Table) -> Table:
    """What the end of the history says where there is no summary; the best only where all evaluations were seen."""
    found = tail.get("validations", [])
    known: Table = {"steps": facts["steps"] or tail.get("step"), "loss": tail.get("loss")}
    if found:
        known["val"] = {"best": {}, "last": found[-1]["metrics"]} if not facts["val"]["last"] else facts["val"]
    measured = [each for each in found if math.isfinite(each["metrics"].get(facts["metric"], math.nan))]
    if tail.get("whole") and measured and facts["mode"] in ("min", "max") and not facts["val"]["best"]:
        choose = min if facts["mode"] == "min" else max
        best = choose(measured, key=lambda each: float(each["metrics"][facts["metric"]]))
        known |= {"best_step": best["step"], "val": {**known["val"], "best": best["metrics"]}}
    return known
