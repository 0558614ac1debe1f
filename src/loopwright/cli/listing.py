"""Runs and groups of runs as tables for the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from textwrap import shorten
from typing import Any

from loopwright.catalogue.entries import Entry, canonical
from loopwright.catalogue.groups import Group, Spread
from loopwright.cli.tables import table
from loopwright.lines import finite

Cell = Callable[[Entry], object]
NOTE_LETTERS = 40
SHOWN = ("run", "status", "steps", "metric", "experiment", "tags")
"""What the table shows anyhow."""


def best(split: str, which: str = "best") -> Cell:
    """The deciding metric of a split."""
    return lambda entry: entry.metric(split, which, str(entry.facts["metric"]))


COLUMNS: dict[str, Cell] = {
    "run": lambda entry: str(entry.path),
    "status": lambda entry: entry.facts["status"],
    "steps": lambda entry: entry.facts.get("steps"),
    "members": lambda entry: entry.facts.get("members"),
    "loss": lambda entry: entry.facts.get("loss"),
    "metric": lambda entry: entry.facts["metric"],
    "val best": best("val"),
    "val last": best("val", "last"),
    "test best": best("test"),
    "claims": lambda entry: entry.facts.get("claims"),
    "started": lambda entry: shown("started", entry.facts.get("started")),
    "tags": lambda entry: " ".join(entry.tags),
    "archived": lambda entry: "archived" if entry.archived else "",
    "notes": lambda entry: shown("notes", entry.facts.get("notes")),
    "missing": lambda entry: "; ".join(map(str, entry.facts.get("problems", []))),
}
"""The columns there are without --columns; one that would be empty is left out."""

ALWAYS = ("run", "status", "steps")


def run_table(entries: Sequence[Entry], names: Sequence[str] | None, extra: Sequence[str] = ()) -> str:
    """A line for each run, with those `names`, or with the usual columns and `extra` names."""
    if names:
        columns: dict[str, Cell] = {"run": COLUMNS["run"], **{name: of_name(name) for name in names}}
    else:
        added = {canonical_or_own(name): of_name(name) for name in extra if canonical_or_own(name) not in COLUMNS}
        usual = dict(COLUMNS)
        columns = {**{name: usual.pop(name) for name in [*usual][:9]}, **added, **usual}
    cells = {name: [cell(entry) for entry in entries] for name, cell in columns.items()}
    kept = {name: column for name, column in cells.items() if names or name in ALWAYS or any(map(filled, column))}
    return aligned(kept)


def canonical_or_own(name: str) -> str:
    """The head of a column for `name`."""
    return name if name.startswith("last.") or ".last." in name else canonical(name)


def of_name(name: str) -> Cell:
    """A column with what `name` stands for."""
    return lambda entry: shown(name, entry.value(name))


def shown(name: str, value: Any) -> object:
    """A value for a cell."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if name == "started" and isinstance(value, str):
        return value[:16].replace("T", " ")
    if name in ("notes", "reason") and isinstance(value, str):
        return shorten(value.split("\n")[0], NOTE_LETTERS, placeholder=" …")
    return value


def filled(value: object) -> bool:
    """Whether a cell shows anything."""
    return value is not None and value != ""


def group_table(groups: Sequence[Group], names: Sequence[str] | None) -> str:
    """A line for each group: mean and sample standard deviation of those `names`, or of the deciding metric."""
    columns: dict[str, list[object]] = {
        "experiment": [group.first.facts["experiment"] for group in groups],
        "setting": [group.label for group in groups],
        "runs": [len(group.entries) for group in groups],
        "seeds": [len(group.seeds) for group in groups],
    }
    for name in names or ():
        columns[name] = [spelled(group, name) for group in groups]
    if not names:
        columns["metric"] = [group.first.facts["metric"] for group in groups]
        for split in ("val", "test"):
            columns[f"{split} best"] = [spelled(group, f"{split}.{group.first.facts['metric']}") for group in groups]
    return aligned({name: cells for name, cells in columns.items() if name == "experiment" or any(map(filled, cells))})


def spelled(group: Group, name: str) -> object:
    """`0.987 ± 0.0021`, or of a single value itself, or what the first run has where that is no number."""
    spread = group.spread(name)
    if spread is None:
        return shown(name, group.first.value(name))
    if spread.deviation is None:
        return f"{spread.mean:.4g}" + (f" (n {spread.n})" if spread.n != len(group.seeds) else "")
    few = f" (n {spread.n})" if spread.n != len(group.seeds) else ""
    return f"{spread.mean:.4g} ± {spread.deviation:.2g}{few}"


def aligned(columns: dict[str, list[object]]) -> str:
    """The columns as a table, those of numbers flush right."""
    right = frozenset(
        place
        for place, cells in enumerate(columns.values())
        if any(isinstance(cell, int | float) for cell in cells)
        and all(isinstance(cell, int | float) or not filled(cell) for cell in cells)
    )
    return table([list(columns), *zip(*columns.values(), strict=True)], right=right)


def as_json(entry: Entry) -> dict[str, Any]:
    """Everything that is known of a run."""
    facts = {name: value for name, value in entry.facts.items() if name != "setting"}
    found: dict[str, Any] = finite({"run": str(entry.path), **facts, "config": entry.config})
    return found


def group_as_json(group: Group, names: Sequence[str] | None) -> dict[str, Any]:
    """A group with its runs, and the spread of each of `names`, else of the deciding metric on each split."""
    metric = str(group.first.facts["metric"])
    spreads = {
        name: group.spread(name) for name in names or [f"{split}.{metric}" for split in ("train", "val", "test")]
    }
    found: dict[str, Any] = finite(
        {
            "experiment": group.first.facts["experiment"],
            "setting": group.label,
            "metric": metric,
            "seeds": group.seeds,
            "runs": [str(entry.path) for entry in group.entries],
            "spread": {name: as_table(spread) for name, spread in spreads.items()},
        }
    )
    return found


def as_table(spread: Spread | None) -> dict[str, Any] | None:
    """A spread for JSON."""
    return None if spread is None else asdict(spread)
