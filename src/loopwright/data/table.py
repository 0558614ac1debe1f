"""Tables of numbers with a label column, from CSV files, with errors that point at the cell."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loopwright.data.permutation import Int64
from loopwright.errors import DataError, nearest

Record = tuple[int, list[str]]  # the number of a row, from 1 as a spreadsheet counts, and its cells


@dataclass(frozen=True, eq=False)
class Table:
    """N samples of F features: `features` float64 (N, F); `labels` int64 (N,), numbers into `class_names`.

    `rows` int64 (N,) is the row of the file each sample stands in, as a spreadsheet counts: the column names
    are row 1.
    """

    features: npt.NDArray[np.float64]
    labels: Int64
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    rows: Int64


def read_csv(path: Path, label: str) -> Table:
    """The table in a comma-separated UTF-8 file, column names in its first row, to predict column `label`.

    Labels are numbers or texts, classes in ascending order. Every other cell must be a finite number. Blank
    rows are skipped. Raises DataError for a missing, empty or unreadable file, a missing or repeated column,
    a ragged row, and a cell that is not what it must be, with its row and column.
    """
    records = _records(path)
    names = _column_names(path, label, records)
    position = names.index(label)
    rows, features, texts = [], [], []
    for row, cells in records[1:]:
        if len(cells) != len(names):
            raise DataError(f"{path}, row {row}: found {len(cells)} cells, expected {len(names)} as in the first row")
        texts.append(_label(path, row, label, cells.pop(position)))
        others = names[:position] + names[position + 1 :]
        features.append([_number(path, row, name, cell) for name, cell in zip(others, cells, strict=True)])
        rows.append(row)
    class_names = _ascending(set(texts))
    number_of = {name: number for number, name in enumerate(class_names)}
    return Table(
        features=np.array(features, dtype=np.float64),
        labels=np.array([number_of[text] for text in texts], dtype=np.int64),
        feature_names=tuple(name for name in names if name != label),
        class_names=class_names,
        rows=np.array(rows, dtype=np.int64),
    )


def _records(path: Path) -> list[Record]:
    if not path.is_file():
        raise DataError(f"{path}: no such file; name an existing one")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return [(row, cells) for row, cells in enumerate(csv.reader(file), start=1) if any(map(str.strip, cells))]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8 ({error}); save it as one") from error


def _column_names(path: Path, label: str, records: list[Record]) -> list[str]:
    if len(records) < 2:
        found = "only column names" if records else "nothing"
        raise DataError(f"{path}: found {found}, expected a row of column names and at least one row of data")
    names = [name.strip() for name in records[0][1]]
    if label not in names:
        raise DataError(f"{path}: no label column {label!r}: {nearest(label, names)}")
    if len(names) == 1:
        raise DataError(f"{path}: found no column but {label!r}, expected others to predict it from")
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"{path}: {names.count(name)} columns are called {name!r}: each must have a name of its own"
            )
    return names


def _label(path: Path, row: int, column: str, cell: str) -> str:
    if not cell.strip():
        raise DataError(f"{path}, row {row}, column {column!r}: found no label; fill it in or remove the row")
    return cell.strip()


def _number(path: Path, row: int, column: str, cell: str) -> float:
    number = _parsed(cell)
    if not math.isfinite(number):
        found = repr(cell.strip()) if cell.strip() else "an empty cell"
        place = f"{path}, row {row}, column {column!r}"
        raise DataError(f"{place}: found {found}, expected a finite number; turn the column into numbers or remove it")
    return number


def _parsed(text: str) -> float:
    """The number that `text` is, or nan. Python itself would read `1_000`, which no spreadsheet writes."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def _ascending(labels: set[str]) -> tuple[str, ...]:
    numbers = {label: _parsed(label) for label in labels}
    if any(math.isnan(number) for number in numbers.values()):
        return tuple(sorted(labels))
    return tuple(sorted(labels, key=lambda label: (numbers[label], label)))
