"""Where a table comes from: three data sets that come with scikit-learn, or a CSV file of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np

from loopwright.data.splits import deduplicate
from loopwright.data.table import Table, read_csv
from loopwright.errors import DataError

Bundled = Literal["wine", "breast-cancer", "digits"]

FEWEST = 10


def read_table(source: Bundled | Path, label: str | None) -> Table:
    """The table that `source` names; `label` is the column of a CSV file that is to be predicted.

    Of rows of a CSV file that are equal, label included, only the first stays.

    Raises DataError for a file that is not there or not such a table, and for one that cannot be split or learned from.
    """
    if source in get_args(Bundled):
        if label is not None:
            raise DataError(f"{source}: received label {label!r}, but it comes with its labels; leave --task.label out")
        return bundled(cast(Bundled, source))
    path = Path(source)
    if not path.is_file():
        raise DataError(f"{path}: no such file; name a CSV file, or one of {', '.join(get_args(Bundled))}")
    if label is None:
        raise DataError(f"{path}: no column was named that is to be predicted; name it with --task.label")
    table = distinct(read_csv(path, label))
    check_classes(table, f"{path}, column {label!r}")
    return table


def distinct(table: Table) -> Table:
    """`table` without the rows that repeat an earlier one, label included: they could be trained on and tested."""
    pairs = zip(table.features, table.labels, strict=True)
    kept = deduplicate([features.tobytes() + label.tobytes() for features, label in pairs])
    return replace(table, features=table.features[kept], labels=table.labels[kept], rows=table.rows[kept])


def bundled(name: Bundled) -> Table:
    """A data set that comes with scikit-learn: 178 wines, 569 tumors or 1,797 digits."""
    from sklearn import datasets

    loaders = {"wine": datasets.load_wine, "breast-cancer": datasets.load_breast_cancer, "digits": datasets.load_digits}
    bunch = loaders[name]()
    return Table(
        features=np.asarray(bunch.data, dtype=np.float64),
        labels=np.asarray(bunch.target, dtype=np.int64),
        feature_names=tuple(map(str, bunch.feature_names)),
        class_names=tuple(map(str, bunch.target_names)),
        rows=np.arange(len(bunch.target)),
    )


def check_classes(table: Table, where: str) -> None:
    """Raise DataError unless there are enough rows for three splits, two classes at least, and two rows of each."""
    num_rows, counts = len(table.labels), np.bincount(table.labels)
    if num_rows < FEWEST:
        raise DataError(f"{where}: found {num_rows} rows of data; at least {FEWEST} are needed for three splits")
    if len(counts) < 2:
        raise DataError(f"{where}: every row has the label {table.class_names[0]!r}; at least two classes are needed")
    single = np.flatnonzero(counts == 1)
    if len(single):
        row = table.rows[table.labels == single[0]][0]
        raise DataError(
            f"{where}: {len(single)} of {len(counts)} classes have a single row, such as "
            f"{table.class_names[single[0]]!r} in row {row}; each needs two at least, to be trained on and tested: "
            "remove them, or choose a --task.label that holds classes"
        )
