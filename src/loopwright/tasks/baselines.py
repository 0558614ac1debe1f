"""What a network on a table has to beat: the majority class, logistic regression and gradient-boosted trees.

All are scikit-learn's, fitted on rows as they are (what has to be scaled scales for itself), and kept with skops:
unlike a pickle, such a file runs no code when it is read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from loopwright.data.permutation import Int64
from loopwright.errors import DataError
from loopwright.metrics import Table as ReportTable
from loopwright.metrics import confusion_matrix, macro_f1

Floats = npt.NDArray[np.float64]

SEED = 0
TRUSTED = frozenset({"sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"})
"""Types in our own files that skops does not trust by itself: a tree is arrays of numbers and no more."""


def fit_baselines(features: Floats, labels: Int64) -> dict[str, Any]:
    """The fitted scikit-learn models by name, from training rows (N, F) and their labels (N,).

    As many threads are used as PyTorch is allowed to.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    models = {
        "majority class": DummyClassifier(strategy="most_frequent"),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000)),
        # Without early stopping, which would keep some of the training rows for itself.
        "gradient-boosted trees": HistGradientBoostingClassifier(early_stopping=False, random_state=SEED),
    }
    with threadpool_limits(torch.get_num_threads()):
        return {name: model.fit(features, labels) for name, model in models.items()}


def confusion_of(model: Any, features: Floats, labels: Int64, num_classes: int) -> Tensor:
    """The confusion matrix int64 (C, C) of a fitted scikit-learn model on rows (N, F) with labels (N,)."""
    predictions = torch.from_numpy(np.asarray(model.predict(features), dtype=np.int64))
    return confusion_matrix(predictions, torch.from_numpy(labels), num_classes)


def comparison(confusions: Mapping[str, Tensor], note: str) -> ReportTable:
    """Accuracy, macro-F1 and mistakes of each model, from its confusion matrix (C, C) on the test rows."""
    rows: list[list[str | int | float]] = []
    for name, confusion in confusions.items():
        total, right = int(confusion.sum()), int(confusion.diagonal().sum())
        rows.append([name, right / total, macro_f1(confusion), total - right])
    columns = ["model", "test accuracy", "test macro-F1", "test mistakes"]
    return ReportTable(title="The network beside its baselines", columns=columns, rows=rows, note=note)


def save_baseline(model: Any, path: Path) -> None:
    """Write a fitted scikit-learn model to `path`, which ends in .skops."""
    from skops.io import dump

    dump(model, path, compression=zipfile.ZIP_DEFLATED)


def load_baseline(path: Path) -> Any:
    """The scikit-learn model that a run left at `path`; it predicts class numbers from rows (N, F) of the table.

    Raises DataError for a file that is not one of skops, and for one that needs a type which no model of ours has:
    such a type could run code when it is built, so nothing is built.
    """
    from skops.io import get_untrusted_types, load

    if not path.is_file():
        raise DataError(f"{path}: no such file; a run's models are in artifacts/*.skops")
    if not (zipfile.is_zipfile(path) and zipfile.Path(path, "schema.json").is_file()):
        raise DataError(f"{path}: not a model that skops wrote; a run's models are in artifacts/*.skops")
    needed = set(get_untrusted_types(file=path))
    if not needed <= TRUSTED:
        strange = ", ".join(sorted(needed - TRUSTED))
        raise DataError(f"{path}: needs {strange}, which no model of a run has; not loaded, since it could run code")
    return load(path, trusted=sorted(needed))
